/** Mail servers in this server's own network: in production out of reach, unless the operator says otherwise. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBusinessRow } from '../../src/features/businesses/service.ts';
import { updateEmailSender } from '../../src/features/email-senders/service.ts';
import { sendMail } from '../../src/mail/sender.ts';
import { freePort, startApp, type TestApp } from '../helpers/app.ts';
import { type MailSink, startMailSink } from '../helpers/mail-sink.ts';
import { deliveryTo, mailAt, operator, serverAt } from './sending.ts';

const PRODUCTION = { NODE_ENV: 'production', SECRET_KEY: '00'.repeat(32), SMTP_URL: 'smtp://localhost:1' };
let sink: MailSink;

beforeAll(async () => {
  sink = await startMailSink();
});
afterAll(() => sink?.close());

async function newEnvironment(gatehouse: TestApp): Promise<string> {
  const ctx = operator(gatehouse);
  const { id: businessId } = await createBusinessRow(ctx, { name: 'Acme', region: 'ie', plan: 'scale', domain: `acme-${process.pid}` });
  return (await ctx.db.environment.findFirstOrThrow({ where: { businessId, kind: 'production' } })).id;
}

const letter = (to: string) => ({ to, subject: 'S', text: 'T', html: 'H' });

describe('in production', () => {
  const gatehouse = startApp(PRODUCTION);
  let environmentId: string;
  beforeAll(async () => {
    environmentId = await newEnvironment(gatehouse);
  });

  test.each([
    'localhost',
    '127.0.0.1',
    '::1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '::ffff:127.0.0.1',
    'fd00::1',
    '2130706433',
    '0x7f.1',
  ])('%s is no host for a sender', async (host) => {
    await expect(updateEmailSender(operator(gatehouse), { environmentId, ...serverAt(sink), host })).rejects.toMatchObject({
      code: 'INVALID_HOST',
    });
  });

  test('a name that leads there is found out when it is asked, whenever it came to lead there', async () => {
    const ctx = operator(gatehouse);
    await updateEmailSender(ctx, { environmentId, ...serverAt(sink), host: 'smtp.acme.test' });
    // As if the name led to localhost from now on.
    await ctx.db.emailSender.updateMany({ where: { environmentId }, data: { host: 'localhost' } });
    await sendMail(ctx, letter('rebound@acme.test'), { kind: 'organization_invitation', environmentId });
    await expect
      .poll(() => ctx.db.mailDelivery.findFirst({ where: { recipient: 'rebound@acme.test' } }), { timeout: 20_000 })
      .toMatchObject({ failure: 'forbidden_address' });
    expect(sink.received).toEqual([]);
  });
});

describe('in production, where the operator trusts one port of a private host', async () => {
  const port = await freePort();
  const gatehouse = startApp({ ...PRODUCTION, SMTP_PRIVATE_HOSTS: `mail.internal.test:25,LocalHost:${port}` });
  let trusted: MailSink;
  beforeAll(async () => {
    trusted = await startMailSink({}, port);
  });
  afterAll(() => trusted?.close());

  test('it carries mail, and neither another port of it nor another host does', async () => {
    const environmentId = await newEnvironment(gatehouse);
    const ctx = operator(gatehouse);
    for (const server of [{ ...serverAt(trusted), host: '127.0.0.1' }, serverAt(sink)])
      await expect(updateEmailSender(ctx, { environmentId, ...server })).rejects.toMatchObject({ code: 'INVALID_HOST' });
    await updateEmailSender(ctx, { environmentId, ...serverAt(trusted), host: 'LOCALHOST' });
    await sendMail(ctx, letter('trusted@acme.test'), { kind: 'organization_invitation', environmentId });
    expect(await mailAt(trusted, 'trusted@acme.test')).toMatchObject({ isEncrypted: true });
    await deliveryTo(gatehouse, 'trusted@acme.test', 'sent');

    await updateEmailSender(ctx, { environmentId, ...serverAt(sink), host: undefined });
    await sendMail(ctx, letter('untrusted@acme.test'), { kind: 'organization_invitation', environmentId });
    await expect
      .poll(() => ctx.db.mailDelivery.findFirst({ where: { recipient: 'untrusted@acme.test' } }), { timeout: 20_000 })
      .toMatchObject({ failure: 'forbidden_address' });
    expect(sink.received).toEqual([]);
  });
});
