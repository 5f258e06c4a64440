/** Texted codes as a second factor, where there is somebody to send them, and where there is nobody. */
import { decodeJwt } from 'jose';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { updatePhoneSender } from '../../src/features/phone-senders/service.ts';
import { MAX_TEXTS_PER_HOUR } from '../../src/features/sign-in-attempts/service.ts';
import { codeIn, startApp, type TestApp } from '../helpers/app.ts';
import { SINK_PASSWORD, SINK_USER, startMailSink } from '../helpers/mail-sink.ts';
import { startReceiver } from '../helpers/receiver.ts';
import { authorizationUrl, type PageView, type UserAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  signIn,
} from './person.ts';
import { forge, mfaPolicy, newAgent, newPerson, sendTo } from './second-factor.ts';

const CHALLENGE = 'Prove that it is you';
const NUMBER = 'Codes by text message';

describe('a phone', () => {
  const gatehouse = startApp();
  const prisma = () => gatehouse.app.infrastructure.database.prisma;
  let line = 0;

  beforeEach(() => mfaPolicy(gatehouse, 'OFF'));

  /** A number as Australians write it, and in E.164. */
  function newNumber(): { typed: string; number: string } {
    const digits = String(++line).padStart(3, '0');
    return { typed: `0491 570 ${digits}`, number: `+61491570${digits}` };
  }

  function typeNumber(agent: UserAgent, page: PageView, typed: string): Promise<PageView> {
    return agent.submit(page, 'mfa_phone', { p_phone_country: 'AU', p_phone: typed });
  }

  async function textedTo(number: string, after = 0) {
    return { p_confirmation_code: codeIn(await gatehouse.mailTo(number, { after })) };
  }

  async function somebodyAsked() {
    const person = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED', ['SMS']);
    return { ...person, ...(await signIn(gatehouse, person.email)) };
  }

  test('is set up by a code that is texted to it, and gets one at each sign-in', async () => {
    const { email, userId, agent, page, request } = await somebodyAsked();
    expect(headingOf(page)).toBe(NUMBER);
    expect(problemOf(await typeNumber(agent, page, ''))).toBe('Type your phone number.');
    expect(problemOf(await typeNumber(agent, page, '12'))).toBe('There is no such phone number in this country.');
    const wrong = newNumber();
    const right = newNumber();
    const code = await typeNumber(agent, page, wrong.typed);
    expect([headingOf(code), code.html.includes(wrong.number)]).toEqual(['Check your phone', true]);
    const back = await agent.submit(code, 'mfa_back');
    expect([headingOf(back), back.html.includes(`value="${wrong.typed}"`)]).toEqual([NUMBER, true]);
    const asked = await typeNumber(agent, back, right.typed);
    const ofWrong = await textedTo(wrong.number);
    expect(problemOf(await agent.submit(asked, 'mfa_confirm', ofWrong))).toMatch(/not the code/);
    const done = await agent.submit(asked, 'mfa_confirm', await textedTo(right.number));
    const { body } = await exchange(gatehouse, answerOf(done, request));
    expect(decodeJwt(body.id_token)['amr']).toEqual(['pwd', 'sms', 'mfa']);
    const [factor] = await prisma().mfaFactor.findMany({ where: { userId } });
    expect(factor).toMatchObject({ type: 'sms', label: `•••${right.number.slice(-3)}` });
    expect([JSON.stringify(factor), gatehouse.log()].join()).not.toContain(right.number);

    const again = await signIn(gatehouse, email);
    expect([headingOf(again.page), again.page.html.includes(right.number)]).toEqual([CHALLENGE, false]);
    const text = await gatehouse.mailTo(right.number, { after: 1 });
    expect(text.text).toMatch(/\n@localhost #\d{6}$/);
    expect(problemOf(await again.agent.submit(again.page, 'mfa_send', sendTo(again.page)))).toMatch(/a moment ago/);
    const code2 = { p_confirmation_code: codeIn(text) };
    expect(isSignedIn(await again.agent.submit(again.page, 'mfa_code', code2))).toBe(true);
  });

  test('lets one in whose code is sent by several at once', async () => {
    const { email, userId, agent, page } = await somebodyAsked();
    const { typed, number } = newNumber();
    await agent.submit(await typeNumber(agent, page, typed), 'mfa_confirm', await textedTo(number));
    const again = await signIn(gatehouse, email);
    const code = await textedTo(number, 1);
    const sessions = await prisma().session.count({ where: { userId } });
    const pages = await Promise.all([1, 2, 3].map(() => again.agent.submit(again.page, 'mfa_code', code)));
    expect(pages.filter(isSignedIn)).toHaveLength(1);
    expect(await prisma().session.count({ where: { userId } })).toBe(sessions + 1);
  });

  test('is sent no more than so many texts an hour, whoever asks', async () => {
    const { agent, page } = await somebodyAsked();
    const { typed, number } = newNumber();
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const sentAt = gatehouse.app.infrastructure.clock.now();
    const ids = Array.from({ length: MAX_TEXTS_PER_HOUR }, (_, index) => `sent${number}${index}`);
    await prisma().sentCode.createMany({ data: ids.map((id) => ({ environmentId, id, normalized: number, sentAt })) });
    expect(problemOf(await typeNumber(agent, page, typed))).toMatch(/^Too many codes/);
  });
});

describe('where nobody sends texts', async () => {
  const sink = await startMailSink({ secure: true });
  const receiver = startReceiver();
  afterAll(() => sink.close());
  const login = `${encodeURIComponent(SINK_USER)}:${encodeURIComponent(SINK_PASSWORD)}`;
  const gatehouse = startApp({ SMTP_URL: `smtps://${login}@localhost:${sink.port}`, MAIL_FROM: 'Acme <no-reply@acme.test>' });

  test('a phone is not among the choices, and who is asked for nothing else does not get past it', async () => {
    const email = newAddress();
    await policy(gatehouse, { mfaPolicy: 'off' });
    const { agent, page: first } = await startSignUp(email);
    const [, code] = /^(\d{6})\b/m.exec(await messageTo(email)) ?? [];
    const second = await agent.submit(first, 'code', { p_confirmation_code: code! });
    expect(isSignedIn(await choosePassword(agent, second))).toBe(true);

    await policy(gatehouse, { mfaPolicy: 'required', mfaFactors: ['sms', 'email', 'authenticator_app'] });
    const asked = await signIn(gatehouse, email);
    expect(headingOf(asked.page)).toBe('Choose a second step');
    expect(asked.page.html).not.toContain('value="sms"');
    expect(problemOf(await asked.agent.submit(asked.page, 'mfa_choose', { p_factor: 'sms' }))).toBe('Choose one of them.');
    const forged = await forge(asked.agent, asked.page, 'mfa_phone', { p_phone_country: 'AU', p_phone: '0491 570 006' });
    expect(headingOf(forged)).toBe('Choose a second step');

    await policy(gatehouse, { mfaPolicy: 'required', mfaFactors: ['sms'] });
    const refused = await signIn(gatehouse, email);
    expect([refused.page.status, headingOf(refused.page)]).toEqual([403, 'A second step is asked for, and none can be set up']);
    await policy(gatehouse, { mfaPolicy: 'optional', mfaFactors: ['sms'] });
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  });

  test('a team is asked for something else, unless the dashboard’s own environment has a provider, which is asked then', async () => {
    const { prisma } = gatehouse.app.infrastructure.database;
    const account = await prisma.environment.findFirstOrThrow({ where: { kind: 'account' } });
    const { businessId, id } = await prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
    await prisma.teamPolicy.deleteMany({ where: { businessId } });
    await prisma.teamPolicy.create({ data: { businessId, mfaPolicy: 'everyone', mfaFactors: ['sms'] } });
    const textThrough = (environmentId: string, path: string) =>
      updatePhoneSender(createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' }), {
        ...{ environmentId, provider: 'webhook', url: `${receiver.url}${path}`, signingSecret: 'a secret of people who sign' },
      });
    const come = async () => {
      const { account: dashboard, owner } = gatehouse.quickstart;
      const { clientId, callbackUrls } = dashboard.applications[0]!;
      const { url } = authorizationUrl({ issuer: dashboard.issuer, clientId, redirectUri: callbackUrls[0]! });
      const agent = newAgent(gatehouse);
      const after = sink.mailsTo(owner.email).length;
      const asked = await agent.submit(await agent.open(url), 'identify', { p_email: owner.email });
      const [, code] = /^(\d{6})\b/m.exec(await messageTo(owner.email, after)) ?? [];
      gatehouse.advance(31);
      return { agent, page: await agent.submit(asked, 'code', { p_confirmation_code: code! }) };
    };
    await textThrough(id, '/business');
    expect(headingOf((await come()).page)).toBe('Set up your authenticator app');
    await textThrough(account.id, '/dashboard');
    const { agent, page } = await come();
    expect(headingOf(page)).toBe(NUMBER);
    await agent.submit(page, 'mfa_phone', { p_phone_country: 'AU', p_phone: '0491 570 156' });
    await expect.poll(() => receiver.received.map(({ path }) => path), { timeout: 20_000 }).toEqual(['/dashboard']);
    expect(JSON.parse(receiver.received[0]!.body)).toMatchObject({ to: '+61491570156' });
  });

  async function startSignUp(email: string) {
    const agent = newAgent(gatehouse);
    const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
    return { agent, page };
  }

  async function messageTo(address: string, after = 0): Promise<string> {
    await expect.poll(() => sink.mailsTo(address).length, { timeout: 20_000 }).toBeGreaterThan(after);
    return sink.mailsTo(address)[after]!.message.replaceAll('\r\n', '\n');
  }
});

async function policy({ app: { infrastructure } }: TestApp, data: { mfaPolicy: string; mfaFactors?: string[] }): Promise<void> {
  await infrastructure.database.prisma.environment.updateMany({
    where: { isPrimary: true },
    data: { ...data, hasRecoveryCodes: false },
  });
  infrastructure.lookups.forget();
}
