/** Programs at the pages that send messages after the first one: each asks for a proof of its own, and sends nothing without it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';
import type { PageView, UserAgent } from '../../helpers/user-agent.ts';
import { headingOf, isSignedIn, newAddress, PASSWORD, problemOf, signIn } from '../person.ts';
import { botCheckIs, challengeIn, NO_PROOF, solve } from '../proof-of-work.ts';
import { type Factor, forge, mfaPolicy, newPerson, sendTo, setUpApp, typeAppCode, typeMfaCode } from '../second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;

beforeEach(() => mfaPolicy(gatehouse, 'OFF'));
afterEach(() => botCheckIs(gatehouse, 'off'));

const POLICIES = { email: 'EMAIL', sms: 'SMS', authenticator_app: 'AUTHENTICATOR_APP' } as const satisfies Record<Factor, string>;

/** Somebody after the password, where the first page asked for no proof and the next ones do. */
async function arrivedAt(factors: Factor[], email?: string) {
  await botCheckIs(gatehouse, 'off');
  if (!email) await mfaPolicy(gatehouse, 'OFF');
  const person = email ?? (await newPerson(gatehouse)).email;
  await mfaPolicy(
    gatehouse,
    'REQUIRED',
    factors.map((factor) => POLICIES[factor]),
  );
  const { agent, page } = await signIn(gatehouse, person);
  await botCheckIs(gatehouse, 'proof_of_work');
  return { email: person, agent, page: await agent.open(page.url) };
}

/** How many codes were ever put on their way to an address or a number. */
const codesTo = (normalized: string) => prisma().sentCode.count({ where: { normalized } });

async function expectRefused(agent: UserAgent, page: PageView, form: string, fields: Record<string, string>, about = form) {
  const refused = await agent.submit(page, form, fields);
  expect([refused.status, problemOf(refused)], about).toEqual([422, NO_PROOF]);
}

test('setting up an address sends nothing without a proof, nor with that of another page, nor another code', async () => {
  const { email, agent, page } = await arrivedAt(['email']);
  const mails = await codesTo(email);
  await expectRefused(agent, page, 'mfa_address', { p_mfa_email: email });
  const unused = await solve(page);
  expect(await codesTo(email)).toBe(mails);
  const code = await agent.submit(page, 'mfa_address', { p_mfa_email: email, p_bot_check: await solve(await agent.open(page.url)) });
  expect([headingOf(code), await codesTo(email)]).toEqual(['Check your mail', mails + 1]);
  gatehouse.advance(31);
  await expectRefused(agent, code, 'mfa_resend', {});
  await expectRefused(agent, code, 'mfa_resend', { p_bot_check: unused }, 'of the page before');
  expect(await codesTo(email)).toBe(mails + 1);
  await agent.submit(code, 'mfa_resend', { p_bot_check: await solve(code) });
  expect(isSignedIn(await typeMfaCode(gatehouse, agent, code, email, mails + 1, 'mfa_confirm'))).toBe(true);
});

test('setting up a phone texts nothing without a proof', async () => {
  const { agent, page } = await arrivedAt(['sms']);
  const number = { p_phone_country: 'AU', p_phone: '0491 570 006' };
  await expectRefused(agent, page, 'mfa_phone', number);
  expect(await codesTo('+61491570006')).toBe(0);
  expect(headingOf(await agent.submit(page, 'mfa_phone', { ...number, p_bot_check: await solve(page) }))).toBe('Check your phone');
  expect(await codesTo('+61491570006')).toBe(1);
});

test('the challenge sends no other code, and none to another factor, without a proof; the app and the way out need none', async () => {
  const { email, agent, page } = await arrivedAt(['email']);
  await botCheckIs(gatehouse, 'off');
  const mails = await codesTo(email);
  await typeMfaCode(gatehouse, agent, await agent.submit(page, 'mfa_address', { p_mfa_email: email }), email, mails, 'mfa_confirm');
  await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP']);
  const mailed = await codesTo(email);
  const old = (await signIn(gatehouse, email, { agent, parameters: { prompt: 'login' } })).page;
  const { key } = await setUpApp(gatehouse, agent, await typeMfaCode(gatehouse, agent, old, email, mailed));
  gatehouse.advance(61);

  const later = await arrivedAt(['email', 'authenticator_app'], email);
  const before = await codesTo(email);
  await expectRefused(later.agent, later.page, 'mfa_send', sendTo(later.page));
  expect(await codesTo(email)).toBe(before);
  const asked = await later.agent.submit(later.page, 'mfa_send', { ...sendTo(later.page), p_bot_check: await solve(later.page) });
  expect([asked.html.includes('Enter the code'), await codesTo(email)]).toEqual([false, before + 1]);
  gatehouse.advance(61);
  await expectRefused(later.agent, asked, 'mfa_send', sendTo(asked), 'another code');
  await forge(later.agent, asked, 'mfa_use_recovery');
  expect(await codesTo(email)).toBe(before + 1);
  const app = await later.agent.submit(asked, 'mfa_use_app');
  expect(isSignedIn(await typeAppCode(gatehouse, later.agent, app, key))).toBe(true);
  expect(await codesTo(email)).toBe(before + 1);
});

test('giving an address mails nothing to it without a proof', async () => {
  const { agent, page } = await arrivedAt(['email']);
  await prisma().signInAttempt.updateMany({ where: { id: page.url.split('/').at(-1)! }, data: { step: 'provide_email' } });
  const asked = await agent.open(page.url);
  expect(headingOf(asked)).toBe('Your email address');
  const fresh = newAddress();
  await expectRefused(agent, asked, 'provide_email', { p_email: fresh });
  await expectRefused(agent, asked, 'provide_email', { p_email: fresh, p_bot_check: await solve(page) }, 'of the page before');
  expect(await codesTo(fresh)).toBe(0);
  await agent.submit(asked, 'provide_email', { p_email: fresh, p_bot_check: await solve(asked) });
  expect(await codesTo(fresh)).toBe(1);
});

test('a proof has one code sent again, of five requests at the same moment', async () => {
  const { email, agent, page } = await arrivedAt(['email']);
  const code = await agent.submit(page, 'mfa_address', { p_mfa_email: email, p_bot_check: await solve(page) });
  gatehouse.advance(31);
  const mails = await codesTo(email);
  const p_bot_check = await solve(code);
  const answers = await Promise.all(Array.from({ length: 5 }, () => agent.submit(code, 'mfa_resend', { p_bot_check })));
  expect(answers.filter((answer) => problemOf(answer) === NO_PROOF)).toHaveLength(4);
  expect(await codesTo(email)).toBe(mails + 1);
});

test('a proof for one person’s page is none for another’s', async () => {
  const thief = await arrivedAt(['email']);
  const { agent, page } = await arrivedAt(['email']);
  expect(challengeIn(page).signature).not.toBe(challengeIn(thief.page).signature);
  await expectRefused(agent, page, 'mfa_address', { p_mfa_email: newAddress(), p_bot_check: await solve(thief.page) });
});

test('a reset is not mailed without a proof, and neither the password nor a code needs one', async () => {
  const { email } = await newPerson(gatehouse);
  await botCheckIs(gatehouse, 'off');
  const { agent, asked } = await signIn(gatehouse, email, { password: 'not the password' });
  await botCheckIs(gatehouse, 'proof_of_work');
  const mails = await codesTo(email);
  const page = await agent.open(asked.url);
  await expectRefused(agent, page, 'forgot', {});
  expect(await codesTo(email)).toBe(mails);
  expect(isSignedIn(await agent.submit(page, 'password', { p_password: PASSWORD }))).toBe(true);
});
