/** What becomes of mail: tried again, given up, and shown to whoever may see it; and nobody's mail waits for somebody else's server. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { resetEmailSender, updateEmailSender } from '../../src/features/email-senders/service.ts';
import { createEnvironment } from '../../src/features/environments/service.ts';
import { MAIL_DAYS } from '../../src/features/mail-deliveries/service.ts';
import { sendMail } from '../../src/mail/sender.ts';
import { signInMember } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { type MailSink, startMailSink } from '../helpers/mail-sink.ts';
import { newAddress } from '../signin/person.ts';
import { deliveryTo, mailAt, operator, seededEnvironment, serverAt } from './sending.ts';

const gatehouse = startApp();
let environmentId: string;
let businessId: string;
let sink: MailSink;

beforeAll(async () => {
  ({ id: environmentId, businessId } = await seededEnvironment(gatehouse));
  await operator(gatehouse).db.business.update({ where: { id: businessId }, data: { plan: 'scale' } });
  sink = await startMailSink();
});
beforeEach(async () => {
  sink.refuse(0, 451);
  await updateEmailSender(operator(gatehouse), { environmentId, ...serverAt(sink) });
});
afterAll(() => sink?.close());

async function send(to = newAddress(), of = environmentId): Promise<string> {
  const mail = { to, subject: 'The number 123456', text: 'The number 123456', html: '<p>123456</p>' };
  await sendMail(operator(gatehouse), mail, { kind: 'organization_invitation', environmentId: of });
  return to;
}

test('a server that refuses for now is asked again, and a mail that was taken is sent once', async () => {
  sink.refuse(2, 451);
  const to = await send();
  expect(await deliveryTo(gatehouse, to, 'sent')).toMatchObject({ attempts: 3, failure: null, responseCode: null });
  expect(sink.mailsTo(to)).toHaveLength(1);
});

test('a server that refuses for good is not asked again', async () => {
  sink.refuse(1, 550);
  const to = await send();
  expect(await deliveryTo(gatehouse, to, 'failed')).toMatchObject({ attempts: 1, failure: 'refused', responseCode: 550 });
  const next = await send();
  await mailAt(sink, next);
  expect(sink.mailsTo(to)).toEqual([]);
});

test('an invitation that waits for a sender to be mended goes out by the one that was mended', async () => {
  await updateEmailSender(operator(gatehouse), { environmentId, password: 'mistyped' });
  const to = await send();
  await expect
    .poll(() => operator(gatehouse).db.mailDelivery.findFirst({ where: { recipient: to } }), { timeout: 20_000 })
    .toMatchObject({ status: 'pending', failure: 'authentication', responseCode: 535 });
  await updateEmailSender(operator(gatehouse), { environmentId, ...serverAt(sink) });
  await mailAt(sink, to);
});

test('a job that comes again after its mail was taken sends nothing', async () => {
  const to = await send();
  const { id } = await deliveryTo(gatehouse, to, 'sent');
  const ctx = operator(gatehouse);
  const sealed = (senderId: string) =>
    ctx.vault.seal(
      'mail',
      JSON.stringify({
        ...{ mail: { to, subject: 'S', text: 'T', html: 'H' }, environmentId, deliveryId: id },
        ...{ organizationId: null, senderId, ofPlatform: false, isCustom: true },
      }),
    );
  await ctx.jobs.enqueue(ctx.db, 'custom_mail', { sealed: sealed('present') }, { group: environmentId });
  await mailAt(sink, await send());
  expect(sink.mailsTo(to)).toHaveLength(1);
});

const LIST = `query ($id: ID!, $status: MailStatus) { environment(id: $id) { mailDeliveries(first: 50, status: $status) {
  totalCount nodes { id kind recipient isCustom status attempts failure responseCode lastAttemptAt createdAt } } } }`;

interface Listed {
  environment: { mailDeliveries: { totalCount: number; nodes: Record<string, unknown>[] } };
}

test('an admin finds what failed and why, and to whom where they may see contacts; nobody finds what a mail says', async () => {
  sink.refuse(1, 552);
  const to = await send();
  const { id } = await deliveryTo(gatehouse, to, 'failed');
  const sent = await send();
  await deliveryTo(gatehouse, sent, 'sent');
  const list = async (email: string, role: 'engineer' | 'marketing') =>
    ask<Listed, object>(gatehouse, await signInMember(gatehouse, businessId, email, [role]), LIST, { id: environmentId, status: 'FAILED' });

  const engineer = await list('engineer@team.test', 'engineer');
  expect(engineer.errors).toEqual([]);
  const { nodes, totalCount } = engineer.data!.environment.mailDeliveries;
  expect(totalCount).toBe(nodes.length);
  expect(nodes.every(({ status }) => status === 'FAILED')).toBe(true);
  expect(nodes.map(({ recipient }) => recipient)).not.toContain(sent);
  expect(nodes[0]).toMatchObject({
    ...{ id, kind: 'ORGANIZATION_INVITATION', recipient: to, isCustom: true, attempts: 1, failure: 'REFUSED', responseCode: 552 },
  });
  expect(JSON.stringify(engineer.data)).not.toContain('123456');

  const marketing = await list('marketing@team.test', 'marketing');
  expect(marketing.data!.environment.mailDeliveries.nodes[0]).toMatchObject({ id, recipient: null, failure: 'REFUSED' });
  expect(marketing.errors[0]).toMatchObject({ extensions: { code: 'FORBIDDEN', permission: 'read:user_contacts' } });
  expect(JSON.stringify(marketing)).not.toContain(to);
});

test('neither the log nor the table of deliveries holds what a mail says, and the log not whom it was for', async () => {
  sink.refuse(1, 550);
  const to = await send();
  await deliveryTo(gatehouse, to, 'failed');
  expect(gatehouse.log()).toContain('a mail was given up');
  expect(gatehouse.log()).not.toMatch(/123456|@mail\.test/);
  const rows = await operator(gatehouse).db.mailDelivery.findMany({ where: { recipient: to } });
  expect(JSON.stringify(rows)).not.toContain('123456');
});

test('many mails of one environment leave one after the other, without a pause between them', async () => {
  const addresses = await Promise.all(Array.from({ length: 60 }, () => send()));
  await expect.poll(() => addresses.filter((to) => sink.mailsTo(to).length > 0).length, { timeout: 30_000 }).toBe(60);
  expect(addresses.map((to) => sink.mailsTo(to).length)).toEqual(addresses.map(() => 1));
});

test('a server that never answers holds up neither the platform’s mail nor another environment’s', { retry: 2 }, async () => {
  const ctx = operator(gatehouse);
  const sockets: Socket[] = [];
  const silent: Server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, 'localhost', resolve));
  const made = await createEnvironment(ctx, { businessId, name: 'Slow', domain: `slow-${process.pid}` });
  try {
    const { port } = silent.address() as { port: number };
    await updateEmailSender(ctx, { environmentId: made.id, ...serverAt({ port }) });
    for (let mails = 0; mails < 20; mails++) await send(newAddress('slow'), made.id);
    await expect.poll(() => sockets.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const custom = await send();
    await mailAt(sink, custom);
    await resetEmailSender(ctx, { environmentId });
    const platform = await send();
    await gatehouse.mailTo(platform);
    // Nobody has given the silent server up yet.
    expect(sockets[0]!.destroyed).toBe(false);
    expect(sockets.length).toBeLessThanOrEqual(4);
  } finally {
    await ctx.db.environment.delete({ where: { id: made.id } });
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});

test('what is known of a mail is forgotten after some days', async () => {
  const ctx = operator(gatehouse);
  const to = await send();
  await deliveryTo(gatehouse, to, 'sent');
  gatehouse.advance(MAIL_DAYS * 24 * 3600 + 60);
  const fresh = await send();
  await deliveryTo(gatehouse, fresh, 'sent');
  await ctx.jobs.enqueue(ctx.db, 'cleanup', {});
  const known = (recipient: string) => ctx.db.mailDelivery.count({ where: { recipient } });
  await expect.poll(() => known(to), { timeout: 20_000 }).toBe(0);
  expect(await known(fresh)).toBe(1);
});
