/** Texts through providers: real servers in this process that are handed them. */
import { createHmac } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { resetPhoneSender, sendTestText, updatePhoneSender } from '../../src/features/phone-senders/service.ts';
import { MAX_TEXTS_PER_HOUR } from '../../src/features/sign-in-attempts/service.ts';
import { InvalidInputError } from '../../src/kernel/errors.ts';
import { countriesIn, nationalForm, parseNumber } from '../../src/phone/numbers.ts';
import { sendText } from '../../src/phone/sender.ts';
import { codeText } from '../../src/phone/texts.ts';
import { freePort, startApp } from '../helpers/app.ts';
import { startReceiver, waitFor } from '../helpers/receiver.ts';
import { productionEnvironment } from '../signin/person.ts';

const receiver = startReceiver();
const nobody = await freePort();
const gatehouse = startApp();

const SECRET = 'a secret of people who sign';
const ACCOUNT = `AC${'0a'.repeat(16)}`;
const TOKEN = 'f0'.repeat(16);

let environmentId: string;
const ctx = () => createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
const sender = () => ctx().db.phoneSender.findUniqueOrThrow({ where: { environmentId } });
const throughWebhook = (path = '/texts') =>
  updatePhoneSender(ctx(), { environmentId, provider: 'webhook', url: `${receiver.url}${path}`, signingSecret: SECRET });
let line = 0;
const send = (to = `+614915701${String(10 + line++)}`) => sendText(ctx(), { environmentId, to, text: 'Hello' }).then(() => to);

beforeEach(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
});

test('a server of the business’s own is posted the text, signed, by an id that its retries share', async () => {
  await throughWebhook();
  receiver.status = 503;
  const to = await send();
  await waitFor(async () => ((await sender()).lastFailure === 'unavailable' ? true : undefined));
  receiver.status = 200;
  await waitFor(async () => (await sender()).lastSentAt ?? undefined);
  const tries = receiver.received.map(({ headers, body }) => ({ headers, body }));
  expect(tries.length).toBeGreaterThan(1);
  expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  for (const { headers, body } of tries) {
    expect(JSON.parse(body)).toEqual({ to, text: 'Hello' });
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(signed).digest('base64')}`);
  }
});

test('a provider that refuses a text is not asked again, and the admin reads why', async () => {
  await throughWebhook();
  receiver.status = 400;
  await send();
  await waitFor(async () => ((await sender()).lastFailure === 'refused' ? true : undefined));
  await new Promise((done) => setTimeout(done, 3500));
  expect(receiver.received).toHaveLength(1);
  receiver.status = 401;
  await send();
  await waitFor(async () => ((await sender()).lastFailure === 'authentication' ? true : undefined));
});

test('what nobody answers is unreachable', async () => {
  await updatePhoneSender(ctx(), { environmentId, provider: 'webhook', url: `http://localhost:${nobody}/`, signingSecret: SECRET });
  await send();
  await waitFor(async () => ((await sender()).lastFailure === 'unreachable' ? true : undefined));
});

test('no text is ever sent into this server’s own network', async () => {
  await throughWebhook();
  const inside = ['https://10.1.2.3/', 'https://169.254.169.254/latest', 'https://[fd00::1]/', 'https://192.168.0.1/'];
  for (const url of inside)
    await expect(updatePhoneSender(ctx(), { environmentId, provider: 'webhook', url, signingSecret: SECRET })).rejects.toThrow(
      InvalidInputError,
    );
  // As if it had been written before addresses were judged.
  await ctx().db.phoneSender.update({ where: { environmentId }, data: { url: 'https://10.1.2.3/' } });
  await send();
  await waitFor(async () => ((await sender()).lastFailure === 'forbidden_address' ? true : undefined));
});

test('nobody finds a number, a text or a secret in the queue, in the sender’s row or in the log', async () => {
  await throughWebhook();
  receiver.status = 503;
  const to = await send('+61491570999');
  await waitFor(() => receiver.received[0]);
  const { prisma } = ctx().database;
  const jobs = JSON.stringify(await prisma.$queryRaw`SELECT data, output FROM pgboss.job WHERE name = 'text'`);
  for (const secret of [to, 'Hello', SECRET]) {
    expect(jobs).not.toContain(secret);
    expect(JSON.stringify(await sender())).not.toContain(secret);
    expect(gatehouse.log()).not.toContain(secret);
  }
});

test('a secret that was sealed for another environment does not open', async () => {
  await throughWebhook();
  const { secret } = await sender();
  const other = await ctx().db.environment.findFirstOrThrow({ where: { kind: 'non_production' } });
  await ctx().db.phoneSender.create({ data: { environmentId: other.id, provider: 'webhook', url: `${receiver.url}/other`, secret } });
  await sendText(ctx(), { environmentId: other.id, to: '+61491570888', text: 'Hello' });
  await new Promise((done) => setTimeout(done, 1000));
  expect(receiver.received).toEqual([]);
});

test('an auth token or a signing secret goes nowhere else than where it was given for', async () => {
  await throughWebhook();
  const elsewhere = updatePhoneSender(ctx(), { environmentId, provider: 'webhook', url: `${receiver.url}/elsewhere` });
  await expect(elsewhere).rejects.toMatchObject({ code: 'SECRET_REQUIRED' });
  await updatePhoneSender(ctx(), { environmentId, provider: 'webhook' });
  expect((await sender()).url).toBe(`${receiver.url}/texts`);
  const twilio = { environmentId, provider: 'twilio', accountSid: ACCOUNT, from: '+61255500100' } as const;
  await expect(updatePhoneSender(ctx(), twilio)).rejects.toMatchObject({ code: 'SECRET_REQUIRED' });
  await updatePhoneSender(ctx(), { ...twilio, authToken: TOKEN });
  await expect(updatePhoneSender(ctx(), { ...twilio, accountSid: `AC${'1'.repeat(32)}` })).rejects.toMatchObject({
    code: 'SECRET_REQUIRED',
  });
});

test('an environment without a provider has its texts in the development mailbox', async () => {
  await resetPhoneSender(ctx(), { environmentId });
  const to = await send();
  expect(await gatehouse.mailTo(to)).toMatchObject({ to, text: 'Hello' });
  expect(await (await fetch(`${gatehouse.baseUrl}/dev/mailbox`)).text()).toContain(`Text to ${to}`);
});

test('a number is sent so many tests an hour and no more, however many are asked for at once', async () => {
  await throughWebhook();
  const to = `+614915${String(tries++).padStart(5, '0')}`;
  const texts = () => receiver.received.filter(({ body }) => body.includes(to));
  const asked = await Promise.allSettled(Array.from({ length: MAX_TEXTS_PER_HOUR + 5 }, () => sendTestText(ctx(), { environmentId, to })));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(MAX_TEXTS_PER_HOUR);
  await waitFor(() => (texts().length >= MAX_TEXTS_PER_HOUR ? true : undefined));
  await new Promise((done) => setTimeout(done, 500));
  expect(texts()).toHaveLength(MAX_TEXTS_PER_HOUR);
});
let tries = 70_000;

test('a code is written as phones look for it', () => {
  const text = codeText({ code: '123456', businessName: 'Acme', issuer: 'https://auth.acme.test:8443/e/x' });
  expect(text).toBe('123456 is your one-time code to sign in to Acme\n@auth.acme.test #123456');
});

test.each([
  ['0491 570 006', 'AU', '+61491570006', 'AU'],
  ['(02) 5550 1234', 'AU', '+61255501234', 'AU'],
  ['+44 7400 123456', 'AU', '+447400123456', 'GB'],
  ['201-555-0123', 'US', '+12015550123', 'US'],
  ['506 234 5678', 'US', '+15062345678', 'CA'],
  ['+39 312 345 6789', 'US', '+393123456789', 'IT'],
])('%s in %s is %s of %s', async (typed, country, number, of) => {
  expect(await parseNumber(typed, country)).toEqual({ number, country: of });
});

test.each([
  ['', 'AU'],
  ['12', 'AU'],
  ['0491 570 006', 'XX'],
  ['call 0491 570 006 now', 'AU'],
  ['0491 570 006 ext. 7', 'AU'],
  ['+999 123 456 789', 'AU'],
  ['0491 570 0067', 'AU'],
  [`0491570006${' '.repeat(60)}`, 'AU'],
])('%j in %s is no number', async (typed, country) => {
  expect(await parseNumber(typed, country)).toBeUndefined();
});

test('countries are named and ordered by the language', async () => {
  const english = await countriesIn('en');
  expect(english.find(({ code }) => code === 'DE')).toEqual({ code: 'DE', name: 'Germany', callingCode: '+49' });
  expect((await countriesIn('de')).find(({ code }) => code === 'DE')?.name).toBe('Deutschland');
  expect(english.length).toBeGreaterThan(230);
  expect(await nationalForm('+61491570006')).toEqual({ text: '0491 570 006', country: 'AU' });
});
