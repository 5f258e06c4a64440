/** Signing up and in with a phone number and a code. */
import { beforeEach, expect, test } from 'vitest';
import { MAX_CODE_TRIES, MAX_TEXTS_PER_HOUR } from '../../src/features/sign-in-attempts/service.ts';
import { codeIn, startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { newNumber, setApplication, typeNumber, typeTextedCode } from './methods.ts';
import {
  answerOf,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  requestOf,
  suspend,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const open = async (parameters: Record<string, string> = {}) => {
  const agent = userAgent(gatehouse.baseUrl);
  const request = requestOf(gatehouse, 'spa', parameters);
  return { agent, request, page: await agent.open(request.url) };
};
const identities = async (userId: string) => {
  const rows = await gatehouse.app.infrastructure.database.prisma.identity.findMany({ where: { userId } });
  return rows.map(({ type, value, isVerified, isPrimary }) => ({ type, value, isVerified, isPrimary }));
};
/** Signs a number up. */
async function signUpPhone() {
  const { typed, number } = newNumber();
  const { agent, request, page } = await open({ prompt: 'create' });
  const done = await typeTextedCode(gatehouse, agent, await typeNumber(agent, page, typed), number);
  return { typed, number, agent, request, done };
}

beforeEach(() => setApplication(gatehouse, { emailSignIn: 'off', usernameSignIn: 'off', phoneSignIn: 'code' }));

test('a number is typed as at home, proved by a texted code, and kept by E.164; the next time it signs the same person in', async () => {
  const first = await signUpPhone();
  expect(isSignedIn(first.done)).toBe(true);
  const userId = await userIdOf(gatehouse, first.number);
  expect(await identities(userId)).toEqual([{ type: 'phone', value: first.number, isVerified: true, isPrimary: true }]);
  const text = await gatehouse.mailTo(first.number);
  expect(text.text).toMatch(/^\d{6} is your one-time code to sign in to .+\n@localhost #\d{6}$/);

  const { agent, request, page } = await open();
  const code = await typeNumber(agent, page, first.number, 'US');
  expect(headingOf(code)).toBe('Check your phone');
  const done = await typeTextedCode(gatehouse, agent, code, first.number, 1);
  const tokens = await exchange(gatehouse, answerOf(done, request));
  const claims = JSON.parse(Buffer.from(String(tokens.body.id_token).split('.')[1]!, 'base64url').toString());
  expect(claims.sub).toBe(userId);
  const sessions = await gatehouse.app.infrastructure.database.prisma.session.findMany({ where: { userId } });
  expect(sessions.map(({ amr }) => amr)).toEqual([['sms'], ['sms']]);
});

test('an unknown number is told so, and led to an account of its own', async () => {
  const { typed, number } = newNumber();
  const { agent, page } = await open();
  const unknown = await typeNumber(agent, page, typed);
  expect(headingOf(unknown)).toBe('Account not found');
  expect(unknown.html).toContain(number);
  const register = await agent.submit(unknown, 'switch');
  expect(register.html).toContain(`value="${typed}"`);
  expect(await gatehouse.mailCount(number)).toBe(0);
});

test.each([
  ['', 'Type your phone number.'],
  ['12', 'There is no such phone number in this country.'],
  ['jane@example.test', 'There is no such phone number in this country.'],
])('%j is no number', async (typed, problem) => {
  const { agent, page } = await open();
  const again = await typeNumber(agent, page, typed);
  expect([again.status, problemOf(again)]).toEqual([422, problem]);
});

test('people choose between an address and a number where both are on; who is invited is asked for the address', async () => {
  await setApplication(gatehouse, { emailSignIn: 'code' });
  const { agent, page } = await open();
  expect(page.html).toContain('name="p_email"');
  const phone = await agent.submit(page, 'switch', { identifier: 'phone' });
  expect(phone.html).not.toContain('name="p_email"');
  expect(phone.html).toContain('Use an email address instead');
  const { typed } = newNumber();
  expect(headingOf(await typeNumber(agent, phone, typed))).toBe('Account not found');
});

test('the country is the environment’s at first, and a hint names number and country', async () => {
  const { id } = await productionEnvironment(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.environment.update({ where: { id }, data: { defaultCountry: 'NZ' } });
  gatehouse.app.infrastructure.lookups.forget();
  expect((await open()).page.html).toMatch(/<option value="NZ" selected>New Zealand \(\+64\)<\/option>/);
  await setApplication(gatehouse, { emailSignIn: 'code' });
  const { page } = await open({ login_hint: 'phone:+61491570006:au' });
  expect(page.html).toContain('<option value="AU" selected>');
  expect(page.html).toContain('value="0491 570 006"');
});

test('where signing up is for some domains, a number does not get around that', async () => {
  const { id } = await productionEnvironment(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.environment.update({ where: { id }, data: { allowedDomains: ['people.test'] } });
  gatehouse.app.infrastructure.lookups.forget();
  const { typed, number } = newNumber();
  const { agent, page } = await open({ prompt: 'create' });
  expect((await typeNumber(agent, page, typed)).status).toBe(403);
  expect(await gatehouse.mailCount(number)).toBe(0);
  await prisma.environment.update({ where: { id }, data: { allowedDomains: [] } });
  gatehouse.app.infrastructure.lookups.forget();
});

test('where numbers are off, or nobody sends texts, none is taken', async () => {
  await setApplication(gatehouse, { emailSignIn: 'code', phoneSignIn: 'off' });
  const { agent, page } = await open();
  const sneaked = await agent.submit(page, 'switch', { identifier: 'phone' });
  const { typed, number } = newNumber();
  expect(problemOf(await typeNumber(agent, sneaked, typed))).toBe('Type your email address.');
  expect(await gatehouse.mailCount(number)).toBe(0);
});

test('attack: the code of one number proves no other', async () => {
  const victim = await signUpPhone();
  const mine = newNumber();
  const { agent, page } = await open({ prompt: 'create' });
  const code = await typeNumber(agent, page, mine.typed);
  const text = codeIn(await gatehouse.mailTo(mine.number));
  // In the same attempt, with the code of the attacker's own number, while the victim's is asked for.
  const back = await agent.submit(code, 'switch', { flow: 'login' });
  const asked = await typeNumber(agent, back, victim.typed);
  const tried = await agent.submit(asked, 'code', { p_confirmation_code: text });
  expect(problemOf(tried)).toBe('That is not the code we sent. Check the latest message.');
  // And while it is asked for in another tab: the page that was left goes nowhere.
  const late = await agent.submit(code, 'code', { p_confirmation_code: text });
  expect(isSignedIn(late)).toBe(false);
});

test('attack: guesses over several attempts at once are locked out all together', async () => {
  const { typed, number } = await signUpPhone();
  const pages = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const { agent, page } = await open();
      return { agent, page: await typeNumber(agent, page, typed) };
    }),
  );
  const texts = new Set<string>();
  await gatehouse.mailTo(number, { after: 4 });
  for (const { text, to } of (await (await fetch(`${gatehouse.baseUrl}/dev/mailbox.json`)).json()) as { text: string; to: string }[])
    if (to === number) texts.add(text.slice(0, 6));
  const wrong = Array.from({ length: 1000 }, (_, at) => String(100_000 + at)).filter((code) => !texts.has(code));
  const guesses = await Promise.all(
    pages.flatMap(({ agent, page }, at) =>
      wrong.slice(at * MAX_CODE_TRIES, (at + 1) * MAX_CODE_TRIES).map((code) => agent.submit(page, 'code', { p_confirmation_code: code })),
    ),
  );
  const messages = guesses.map(problemOf);
  expect(messages.filter((message) => message === 'That is not the code we sent. Check the latest message.')).toHaveLength(5);
  expect(messages.filter((message) => message?.startsWith('Too many wrong attempts'))).toHaveLength(guesses.length - 5);
  const { agent, page } = pages[0]!;
  const locked = await agent.submit(page, 'code', { p_confirmation_code: [...texts][0]! });
  expect(locked.status).toBe(429);
});

test('attack: one number is not flooded, however many attempts ask for it, and however it is written', async () => {
  const { typed, number } = newNumber();
  const spellings = [typed, number, typed.replaceAll(' ', '-'), `+61 ${typed.slice(1)}`];
  const pages = await Promise.all(
    Array.from({ length: MAX_TEXTS_PER_HOUR + 8 }, async (_, at) => {
      const { agent, page } = await open({ prompt: 'create' });
      return typeNumber(agent, page, spellings[at % spellings.length]!);
    }),
  );
  expect(pages.filter(({ status }) => status === 200)).toHaveLength(MAX_TEXTS_PER_HOUR);
  expect(pages.filter(({ status }) => status === 429)).toHaveLength(8);
  await gatehouse.mailTo(number, { after: MAX_TEXTS_PER_HOUR - 1 });
  await new Promise((done) => setTimeout(done, 500));
  expect(await gatehouse.mailCount(number)).toBe(MAX_TEXTS_PER_HOUR);
});

test('attack: one attempt is not a way around the wait between two texts', async () => {
  const { typed, number } = newNumber();
  const { agent, page } = await open({ prompt: 'create' });
  const code = await typeNumber(agent, page, typed);
  await Promise.all(Array.from({ length: 5 }, () => agent.submit(code, 'resend')));
  for (let times = 0; times < 3; times++) await typeNumber(agent, await agent.submit(code, 'switch', { flow: 'register' }), typed);
  await new Promise((done) => setTimeout(done, 500));
  expect(await gatehouse.mailCount(number)).toBe(1);
});

test('a suspended person does not come in by phone', async () => {
  const { typed, number } = await signUpPhone();
  await suspend(gatehouse, { userId: await userIdOf(gatehouse, number) });
  const { agent, page } = await open();
  expect((await typeNumber(agent, page, typed)).status).toBe(403);
});

test('a number is no address: who types one where an address is asked for is told so', async () => {
  await setApplication(gatehouse, { emailSignIn: 'code', phoneSignIn: 'code' });
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, newNumber().number);
  expect(problemOf(page)).toBe('This is not an email address.');
  expect(newAddress()).toContain('@');
});
