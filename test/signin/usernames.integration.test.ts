/** Signing up with a username and an address, and in with the username. */
import { beforeEach, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { setApplication } from './methods.ts';
import {
  choosePassword,
  headingOf,
  isSignedIn,
  newAddress,
  PASSWORD,
  problemOf,
  productionEnvironment,
  requestOf,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
let names = 0;
const newName = () => `Jane_Roe-${names++}`;
const open = async (parameters: Record<string, string> = {}) => {
  const agent = userAgent(gatehouse.baseUrl);
  return { agent, page: await agent.open(requestOf(gatehouse, 'spa', parameters).url) };
};
async function signUpName(username = newName(), email = newAddress()) {
  const { agent, page } = await open({ prompt: 'create' });
  const code = await agent.submit(page, 'identify', { p_username: username, p_email: email });
  if (code.status !== 200) return { username, email, agent, page: code };
  const password = await typeCode(gatehouse, agent, code, email);
  return { username, email, agent, page: headingOf(password) === 'Choose a password' ? await choosePassword(agent, password) : password };
}
const database = () => gatehouse.app.infrastructure.database.prisma;

beforeEach(() => setApplication(gatehouse, { emailSignIn: 'off', usernameSignIn: 'password', phoneSignIn: 'off' }));

test('a username is kept as it is typed, its address is proved once, and it signs in by a password in any casing', async () => {
  const { username, email, page } = await signUpName();
  expect(isSignedIn(page)).toBe(true);
  const userId = await userIdOf(gatehouse, email);
  const identities = await database().identity.findMany({ where: { userId }, orderBy: { type: 'asc' } });
  expect(identities.map(({ type, value, isVerified }) => [type, value, isVerified])).toEqual([
    ['email', email, true],
    ['username', username, false],
  ]);

  const { agent, page: first } = await open();
  expect(first.html).not.toContain('name="p_email"');
  const asked = await agent.submit(first, 'identify', { p_username: username.toUpperCase() });
  expect(headingOf(asked)).toBe('Enter your password');
  expect(asked.html).not.toContain(email);
  expect(isSignedIn(await agent.submit(asked, 'password', { p_password: PASSWORD }))).toBe(true);
  expect(await gatehouse.mailCount(email)).toBe(1);
});

test('an address and a username are one field where both are on', async () => {
  await setApplication(gatehouse, { emailSignIn: 'password' });
  const { username, email, page } = await signUpName();
  expect(isSignedIn(page)).toBe(true);
  for (const identifier of [username, email]) {
    const { agent, page: first } = await open();
    expect(first.html).toContain('Email or username');
    const asked = await agent.submit(first, 'identify', { p_email: identifier });
    expect(isSignedIn(await agent.submit(asked, 'password', { p_password: PASSWORD }))).toBe(true);
  }
  const { agent, page: register } = await open({ prompt: 'create' });
  const only = newAddress();
  const code = await agent.submit(register, 'identify', { p_email: only });
  expect(isSignedIn(await choosePassword(agent, await typeCode(gatehouse, agent, code, only)))).toBe(true);
});

test('by a code it is mailed to the address on file, which the pages never show', async () => {
  const { username, email } = await signUpName();
  await setApplication(gatehouse, { usernameSignIn: 'code' });
  const { agent, page } = await open();
  const code = await agent.submit(page, 'identify', { p_username: username });
  expect(code.html).toContain(username);
  expect(code.html).not.toContain(email);
  const back = await agent.submit(code, 'switch', { flow: 'login' });
  expect(back.html).not.toContain(email);
  const register = await agent.submit(back, 'switch', { flow: 'register' });
  expect(register.html).not.toContain(email);
  const again = await agent.submit(await agent.submit(register, 'switch', { flow: 'login' }), 'identify', { p_username: username });
  expect(isSignedIn(await typeCode(gatehouse, agent, again, email, 1))).toBe(true);
  // The code of a moment ago stays good: to come back sends no other.
  expect(await gatehouse.mailCount(email)).toBe(2);
});

test('a forgotten password is reset by a code to the address on file', async () => {
  const { username, email } = await signUpName();
  const { agent, page } = await open();
  const asked = await agent.submit(page, 'identify', { p_username: username });
  const code = await agent.submit(asked, 'forgot');
  expect(code.html).not.toContain(email);
  const choose = await typeCode(gatehouse, agent, code, email, 1);
  expect(headingOf(choose)).toBe('Choose a password');
  expect(isSignedIn(await choosePassword(agent, choose, 'another horse battery staple'))).toBe(true);
});

test('a hint fills the username in', async () => {
  expect((await open({ login_hint: 'username:jane-roe' })).page.html).toContain('value="jane-roe"');
  expect((await open({ login_hint: 'username:"><script>' })).page.html).not.toContain('script&gt;');
});

test.each([
  ['', 'Type your username.'],
  ['x', 'A username is 2 to 64 letters, digits, dashes and underscores.'],
  ['x'.repeat(65), 'A username is 2 to 64 letters, digits, dashes and underscores.'],
  ['jane roe', 'A username is 2 to 64 letters, digits, dashes and underscores.'],
  ['jane@roe', 'A username is 2 to 64 letters, digits, dashes and underscores.'],
  ['+61491570006', 'A username is 2 to 64 letters, digits, dashes and underscores.'],
])('%j is no username', async (username, problem) => {
  const { page } = await signUpName(username);
  expect([page.status, problemOf(page)]).toEqual([422, problem]);
});

test.each(['jаne_roe', 'ｊane_roe', 'jane_roe\u200b', 'jane\u0301_roe', 'ſane_roe', '\u212a_kelvin', 'janе-ıd'])(
  'attack: %j, which looks like another name, is none',
  async (username) => {
    const { page } = await signUpName(username);
    expect(problemOf(page)).toBe('A username is 2 to 64 letters, digits, dashes and underscores.');
    const { agent, page: login } = await open();
    expect(problemOf(await agent.submit(login, 'identify', { p_username: username }))).toBe(
      'A username is 2 to 64 letters, digits, dashes and underscores.',
    );
  },
);

test('attack: a name is had once in any casing, however many sign up with it at the same moment', async () => {
  const { username } = await signUpName();
  expect(problemOf((await signUpName(username.toLowerCase())).page)).toContain('This username is taken');

  const wanted = newName();
  const all = await Promise.all(
    Array.from({ length: 4 }, async (_, at) => {
      const email = newAddress();
      const { agent, page } = await open({ prompt: 'create' });
      const typed = at % 2 ? wanted.toUpperCase() : wanted.toLowerCase();
      return { agent, email, code: await agent.submit(page, 'identify', { p_username: typed, p_email: email }) };
    }),
  );
  const pages = await Promise.all(all.map(({ agent, email, code }) => typeCode(gatehouse, agent, code, email)));
  expect(pages.filter((page) => headingOf(page) === 'Choose a password')).toHaveLength(1);
  expect(pages.filter((page) => problemOf(page)?.includes('This username is taken'))).toHaveLength(3);
  const { id: environmentId } = await productionEnvironment(gatehouse);
  expect(await database().identity.count({ where: { environmentId, normalized: wanted.toLowerCase() } })).toBe(1);
  const emails = all.map(({ email }) => email);
  expect(await database().identity.count({ where: { environmentId, value: { in: emails } } })).toBe(1);
});

test('attack: who types another’s address with a name of their own gets neither', async () => {
  const victim = await signUpName();
  const wanted = newName();
  const { agent, page } = await open({ prompt: 'create' });
  const code = await agent.submit(page, 'identify', { p_username: wanted, p_email: victim.email });
  expect(headingOf(code)).toBe('Check your mail');
  const { id: environmentId } = await productionEnvironment(gatehouse);
  expect(await database().identity.count({ where: { environmentId, normalized: wanted.toLowerCase() } })).toBe(0);
  // The owner of the address is signed in by it, by the name that they have.
  expect(isSignedIn(await typeCode(gatehouse, agent, code, victim.email, 1))).toBe(true);
  const userId = await userIdOf(gatehouse, victim.email);
  expect((await database().identity.findMany({ where: { userId, type: 'username' } })).map(({ value }) => value)).toEqual([
    victim.username,
  ]);
});

test('a name without an address is asked for one after the password, and gets it by a code; another’s it does not get', async () => {
  const { username, email } = await signUpName();
  const userId = await userIdOf(gatehouse, email);
  const { id: environmentId } = await productionEnvironment(gatehouse);
  await database().identity.deleteMany({ where: { environmentId, userId, type: 'email' } });
  const other = await signUpName();
  const start = async () => {
    const { agent, page } = await open();
    const asked = await agent.submit(page, 'identify', { p_username: username });
    return { agent, page: await agent.submit(asked, 'password', { p_password: PASSWORD }) };
  };

  const thief = await start();
  expect(headingOf(thief.page)).toBe('Your email address');
  const taken = await thief.agent.submit(thief.page, 'provide_email', { p_email: other.email });
  expect(headingOf(taken)).toBe('Check your mail');
  const refused = await typeCode(gatehouse, thief.agent, taken, other.email, 1);
  expect([refused.status, problemOf(refused)]).toEqual([409, 'This address belongs to another account. Use another one.']);
  expect(headingOf(await thief.agent.submit(refused, 'switch'))).toBe('Your email address');

  const { agent, page } = await start();
  const fresh = newAddress();
  const code = await agent.submit(page, 'provide_email', { p_email: fresh });
  expect(isSignedIn(await typeCode(gatehouse, agent, code, fresh))).toBe(true);
  expect(await userIdOf(gatehouse, fresh)).toBe(userId);
  expect(isSignedIn((await start()).page)).toBe(true);
});

test('a name that nothing can be sent to, and that has no password, is told so', async () => {
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const [userId, username] = [newId('user'), newName()];
  await database().user.create({ data: { environmentId, id: userId } });
  const identity = { environmentId, id: newId('identity'), userId, type: 'username', isPrimary: true };
  await database().identity.create({ data: { ...identity, value: username, normalized: username.toLowerCase() } });
  const { agent, page } = await open();
  const stuck = await agent.submit(page, 'identify', { p_username: username });
  expect([stuck.status, problemOf(stuck)]).toEqual([403, 'A code cannot reach this account. Ask the people who run this application.']);
});

test('one form for all: without names and without a way to the sign-in page', async () => {
  await setApplication(gatehouse, { emailSignIn: 'code', usernameSignIn: 'off', asksForNames: false, showsSignInLink: false });
  const email = newAddress();
  for (const after of [0, 1]) {
    const { agent, page } = await open({ prompt: 'create' });
    expect(page.html).not.toContain('p_first_name');
    expect(page.html).not.toContain('Have an account already?');
    const code = await agent.submit(page, 'identify', { p_email: email });
    expect(isSignedIn(await typeCode(gatehouse, agent, code, email, after))).toBe(true);
  }
  await setApplication(gatehouse, { asksForNames: true, showsSignInLink: true });
});
