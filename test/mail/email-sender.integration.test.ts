/** An environment's own sender: which mail it carries, and which it does not. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deleteReplacedSenders, KEPT_SECONDS, resetEmailSender, updateEmailSender } from '../../src/features/email-senders/service.ts';
import { createEnvironment, deleteEnvironment } from '../../src/features/environments/service.ts';
import { resendTeamInvitation } from '../../src/features/team/service.ts';
import { sendMail } from '../../src/mail/sender.ts';
import { startApp } from '../helpers/app.ts';
import { type MailSink, SINK_USER, startMailSink } from '../helpers/mail-sink.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress } from '../signin/person.ts';
import { change, deliveryTo, mailAt, operator, seededEnvironment, serverAt } from './sending.ts';

const gatehouse = startApp();
let environmentId: string;
let first: MailSink;
let second: MailSink;

beforeAll(async () => {
  environmentId = (await seededEnvironment(gatehouse)).id;
  [first, second] = [await startMailSink(), await startMailSink({ secure: true })];
});
beforeEach(() => resetEmailSender(operator(gatehouse), { environmentId }));
afterAll(async () => {
  await first?.close();
  await second?.close();
});

const use = (sink: MailSink, more: object = {}) => updateEmailSender(operator(gatehouse), { environmentId, ...serverAt(sink), ...more });

/** Begins to sign up, up to where a code is mailed. */
async function begin(email: string) {
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
  const resend = async () => {
    gatehouse.advance(31);
    await agent.submit(page, 'resend', {});
  };
  return { resend };
}

test('a code goes through it, signed in and encrypted, from its name and address, and lands nowhere else', async () => {
  await use(first, { name: 'Acme Accounts' });
  const email = newAddress();
  await begin(email);
  const mail = await mailAt(first, email);
  expect(mail).toMatchObject({ from: 'hello@acme.test', to: [email], user: SINK_USER, isEncrypted: true });
  expect(mail.message).toMatch(/^From: Acme Accounts <hello@acme\.test>\r?$/m);
  expect(mail.message).toMatch(/\b\d{6}\b/);
  expect(await gatehouse.mailCount(email)).toBe(0);
  expect(await deliveryTo(gatehouse, email, 'sent')).toMatchObject({ kind: 'one_time_code', isCustom: true, attempts: 1, failure: null });
});

test('a server that is encrypted from the start is as good', async () => {
  await use(second, { security: 'implicit_tls' });
  const email = newAddress();
  await begin(email);
  expect(await mailAt(second, email)).toMatchObject({ user: SINK_USER, isEncrypted: true });
});

test('without a server mail is the platform’s, by the sender’s name, else by the business’s', async () => {
  const [unnamed, named] = [newAddress(), newAddress()];
  await begin(unnamed);
  const { name } = await operator(gatehouse).db.business.findFirstOrThrow({ where: { environments: { some: { id: environmentId } } } });
  expect((await gatehouse.mailTo(unnamed)).from).toBe(`${name} <no-reply@localhost>`);
  await updateEmailSender(operator(gatehouse), { environmentId, name: 'Acme Accounts' });
  await begin(named);
  expect((await gatehouse.mailTo(named)).from).toBe('Acme Accounts <no-reply@localhost>');
  expect(await deliveryTo(gatehouse, named, 'sent')).toMatchObject({ isCustom: false });
});

test('an organization with policies of its own has a name and an address of its own, the address only with a server', async () => {
  const ctx = operator(gatehouse);
  const { id: organizationId } = await ctx.db.organization.findFirstOrThrow({ where: { environmentId } });
  const set = (isAdvanced: boolean) =>
    ctx.db.organization.updateMany({
      where: { environmentId, id: organizationId },
      data: { isAdvanced, senderName: 'The “Other” Team', senderEmail: 'other@team.test' },
    });
  const send = async () => {
    const to = newAddress();
    const mail = { to, subject: 'Hello', text: 'Hello', html: '<p>Hello</p>' };
    await sendMail(ctx, mail, { kind: 'organization_invitation', environmentId, organizationId });
    return to;
  };
  await set(true);
  expect((await gatehouse.mailTo(await send())).from).toBe('The “Other” Team <no-reply@localhost>');
  await use(first, { name: 'Acme' });
  expect((await mailAt(first, await send())).from).toBe('other@team.test');
  await set(false);
  const mail = await mailAt(first, await send());
  expect(mail.message).toMatch(/^From: Acme <hello@acme\.test>\r?$/m);
});

describe('a sign-in that is running keeps the sender that it began with', () => {
  test('the platform, when a server is set', async () => {
    const email = newAddress();
    const { resend } = await begin(email);
    await gatehouse.mailTo(email);
    await use(first);
    await resend();
    await gatehouse.mailTo(email, { after: 1 });
    const next = newAddress();
    await begin(next);
    await mailAt(first, next);
    expect([first.mailsTo(email).length, await gatehouse.mailCount(next)]).toEqual([0, 0]);
  });

  test('a server, when it is replaced by another one, and when it is reset', async () => {
    await use(first);
    const email = newAddress();
    const { resend } = await begin(email);
    await mailAt(first, email);
    await use(second, { security: 'implicit_tls' });
    await resend();
    await mailAt(first, email, 1);
    await resetEmailSender(operator(gatehouse), { environmentId });
    await resend();
    await mailAt(first, email, 2);
    expect([second.mailsTo(email).length, await gatehouse.mailCount(email)]).toEqual([0, 0]);
    const next = newAddress();
    await begin(next);
    await gatehouse.mailTo(next);
  });
});

test('a server that was reset is forgotten with its password when no sign-in can need it, and one in use never is', async () => {
  const ctx = operator(gatehouse);
  const senders = () => ctx.db.emailSender.findMany({ where: { environmentId }, select: { host: true, username: true, replacedAt: true } });
  await use(first);
  await resetEmailSender(ctx, { environmentId });
  await deleteReplacedSenders(ctx);
  expect((await senders()).map(({ username }) => username)).toContain(SINK_USER);
  await use(second, { security: 'implicit_tls' });
  gatehouse.advance(KEPT_SECONDS + 1);
  await ctx.jobs.enqueue(ctx.db, 'cleanup', {});
  await expect.poll(senders, { timeout: 20_000 }).toEqual([{ host: 'localhost', username: SINK_USER, replacedAt: null }]);
});

test('two changes at once leave one sender, which is the present one', async () => {
  await Promise.all(['One', 'Two', 'Three', 'Four'].map((name) => use(first, { name })));
  const ctx = operator(gatehouse);
  const present = await ctx.db.emailSender.findMany({ where: { environmentId, replacedAt: null } });
  const { emailSenderId } = await seededEnvironment(gatehouse);
  expect(present.map(({ id }) => id)).toEqual([emailSenderId]);
});

test('of two changes that have read the same version one is made', async () => {
  const { version: expectedVersion } = await seededEnvironment(gatehouse);
  const changes = ['One', 'Two'].map((name) => updateEmailSender(operator(gatehouse), { environmentId, name, expectedVersion }));
  const outcomes = await Promise.allSettled(changes);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'CONFLICT' } });
});

test('invitations to a team are from the platform, whatever sender its environment has; codes to the team are not', async () => {
  const ctx = operator(gatehouse);
  const account = await ctx.db.environment.findFirstOrThrow({ where: { kind: 'account' } });
  const { businessId } = await seededEnvironment(gatehouse);
  const email = newAddress();
  expect((await change(gatehouse, 'inviteTeamMember', { businessId, email, roles: ['ADMIN'] })).errors).toEqual([]);
  expect((await gatehouse.mailTo(email)).from).toBe('Gatehouse <no-reply@localhost>');
  await updateEmailSender(ctx, { environmentId: account.id, ...serverAt(first) });
  try {
    const { id: teamInvitationId } = await ctx.db.teamInvitation.findFirstOrThrow({ where: { businessId, email } });
    await resendTeamInvitation(ctx, { teamInvitationId });
    expect((await gatehouse.mailTo(email, { after: 1 })).from).toBe('Gatehouse <no-reply@localhost>');
    expect(first.mailsTo(email)).toEqual([]);
    await sendMail(ctx, { to: email, subject: 'Code', text: '1', html: '1' }, { kind: 'one_time_code', environmentId: account.id });
    await mailAt(first, email);
  } finally {
    await resetEmailSender(ctx, { environmentId: account.id });
  }
});

test('deleting an environment deletes its sender and what is known of its mail', async () => {
  const ctx = operator(gatehouse);
  const { businessId } = await seededEnvironment(gatehouse);
  await ctx.db.business.update({ where: { id: businessId }, data: { plan: 'scale' } });
  const { id } = await createEnvironment(ctx, { businessId, name: 'Short-lived', domain: `short-${process.pid}` });
  await updateEmailSender(ctx, { environmentId: id, ...serverAt(first) });
  const email = newAddress();
  await sendMail(ctx, { to: email, subject: 'S', text: 'T', html: 'H' }, { kind: 'organization_invitation', environmentId: id });
  await mailAt(first, email);
  await deleteEnvironment(ctx, { environmentId: id, confirmation: 'Short-lived' });
  expect(await ctx.db.emailSender.count({ where: { environmentId: id } })).toBe(0);
  expect(await ctx.db.mailDelivery.count({ where: { environmentId: id } })).toBe(0);
});
