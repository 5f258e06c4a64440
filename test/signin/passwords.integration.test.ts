/** Passwords: choosing, guessing, forgetting. */
import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  PASSWORD,
  problemOf,
  productionEnvironment,
  signIn,
  signUp,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);

/** A browser that is asked for the password of `email`. */
async function atPassword(email: string) {
  const agent = newAgent();
  const { page, request } = await identify(gatehouse, agent, email);
  expect(headingOf(page)).toBe('Enter your password');
  return { agent, page, request };
}

const guess = (agent: UserAgent, page: PageView, password: string) => agent.submit(page, 'password', { p_password: password });

/** A browser of a new person that is asked to choose a password. */
async function atNewPassword() {
  const [email, agent] = [newAddress(), newAgent()];
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
  return { email, agent, page: await typeCode(gatehouse, agent, page, email) };
}

/** A browser that forgot the password of `email` and has typed the mailed code. */
async function atReset(email: string) {
  const { agent, page, request } = await atPassword(email);
  const after = await gatehouse.mailCount(email);
  const code = await agent.submit(page, 'forgot');
  expect(headingOf(code)).toBe('Check your mail');
  return { agent, request, page: await typeCode(gatehouse, agent, code, email, after) };
}

test('what a person may not choose is said beside the field, and then there is another try', async () => {
  const { agent, page } = await atNewPassword();
  for (const [first, second, message] of [
    ['', '', 'A password has at least 8 characters.'],
    ['seven77', 'seven77', 'A password has at least 8 characters.'],
    ['🔑🔑🔑🔑🔑🔑🔑', '🔑🔑🔑🔑🔑🔑🔑', 'A password has at least 8 characters.'],
    ['a quiet harbour', 'a quiet harbor', 'The two passwords are not the same.'],
    ['a quiet harbour', '', 'The two passwords are not the same.'],
    ['x'.repeat(1025), 'x'.repeat(1025), 'A password has at most 1024 characters.'],
    ['baseball1', 'baseball1', 'This is one of the passwords that are tried first. Choose another one.'],
    ['QWERTYUIOP', 'QWERTYUIOP', 'This is one of the passwords that are tried first. Choose another one.'],
  ] as const) {
    const refused = await agent.submit(page, 'new_password', { p_first_password: first, p_second_password: second });
    expect([refused.status, problemOf(refused)]).toEqual([422, message]);
    if (first) expect(refused.html).not.toContain(first);
  }
  const huge = await choosePassword(agent, page, 'x'.repeat(2 * 1024 * 1024));
  expect([huge.status, headingOf(huge)]).toEqual([413, 'That is too much']);
  expect(isSignedIn(await choosePassword(agent, page))).toBe(true);
});

test.each(['a sad tale', '~ ~ ~ ~ ~', ' spaces at both ends ', 'pässwörter sind 好', '🔑🔑🔑🔑🔑🔑🔑🔑', '<b>&"\'%00</b>'])(
  'whatever is long enough and not guessed first will do, kept to the letter: %j',
  async (password) => {
    const { email, agent, page } = await atNewPassword();
    expect(isSignedIn(await choosePassword(agent, page, password))).toBe(true);
    expect(isSignedIn((await signIn(gatehouse, email, { password })).page)).toBe(true);
    for (const other of [
      `${password}x`,
      password.slice(0, -1) || 'x',
      password.trim() === password ? ` ${password}` : password.trim() || 'x',
    ])
      expect(isSignedIn((await signIn(gatehouse, email, { password: other })).page)).toBe(false);
  },
);

test('a thousand characters and twenty-four will do, and the last one counts', async () => {
  const { email, agent, page } = await atNewPassword();
  expect(isSignedIn(await choosePassword(agent, page, `${'x'.repeat(1023)}y`))).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email, { password: 'x'.repeat(1024) })).page)).toBe(false);
  expect(isSignedIn((await signIn(gatehouse, email, { password: `${'x'.repeat(1023)}y` })).page)).toBe(true);
});

test('a wrong password is refused in words that hold nothing of it', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  const refused = await guess(agent, page, 'not-the-right-one');
  expect([refused.status, problemOf(refused)]).toEqual([422, 'That is not the right password.']);
  expect(refused.html).not.toContain('not-the-right-one');
  expect(isSignedIn(await guess(agent, page, PASSWORD))).toBe(true);
});

test('five wrong passwords lock the account for five minutes, for the right one too', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  for (let times = 0; times < 5; times++) expect((await guess(agent, page, 'wrong password')).status).toBe(422);
  const expectLocked = async (refused: PageView) => {
    expect([refused.status, isSignedIn(refused)]).toEqual([429, false]);
    expect(problemOf(refused)).toMatch(/locked for some minutes/);
  };
  await expectLocked(await guess(agent, page, PASSWORD));
  await expectLocked((await signIn(gatehouse, email)).page);
  gatehouse.advance(250);
  await expectLocked(await guess(agent, page, PASSWORD));
  gatehouse.advance(51);
  expect(isSignedIn(await guess(agent, page, PASSWORD))).toBe(true);
});

test('a lock is not got round by a code: neither by signing up again nor by a forgotten password', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  for (let times = 0; times < 5; times++) await guess(agent, page, 'wrong password');
  const again = newAgent();
  const { page: asked } = await identify(gatehouse, again, email, { prompt: 'create' });
  expect((await typeCode(gatehouse, again, asked, email, 1)).status).toBe(429);
  const reset = await agent.submit(page, 'forgot');
  expect((await typeCode(gatehouse, agent, reset, email, 2)).status).toBe(429);
});

test('twenty guesses at once, from twenty browsers, are no more than five', async () => {
  const { email } = await signUp(gatehouse);
  const browsers = await Promise.all(Array.from({ length: 20 }, () => atPassword(email)));
  const answers = await Promise.all(browsers.map(({ agent, page }, index) => guess(agent, page, `wrong password ${index}`)));
  const counts = Map.groupBy(answers, ({ status }) => status);
  expect(counts.get(422)).toHaveLength(5);
  expect(counts.get(429)).toHaveLength(15);
  expect((await guess(browsers[0]!.agent, browsers[0]!.page, PASSWORD)).status).toBe(429);
  gatehouse.advance(301);
  expect(isSignedIn(await guess(browsers[0]!.agent, browsers[0]!.page, PASSWORD))).toBe(true);
});

test('a lock that has opened closes again after five more, and not after one', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  for (let round = 0; round < 2; round++) {
    for (let times = 0; times < 5; times++) expect((await guess(agent, page, 'wrong password')).status).toBe(422);
    expect((await guess(agent, page, 'wrong password')).status).toBe(429);
    gatehouse.advance(301);
  }
  expect(isSignedIn(await guess(agent, page, PASSWORD))).toBe(true);
});

test('a success gives all tries back', async () => {
  const { email } = await signUp(gatehouse);
  for (let round = 0; round < 3; round++) {
    const { agent, page } = await atPassword(email);
    for (let times = 0; times < 4; times++) expect((await guess(agent, page, 'wrong password')).status).toBe(422);
    expect(isSignedIn(await guess(agent, page, PASSWORD))).toBe(true);
  }
});

test('guesses at one account lock no other', async () => {
  const [victim, other] = [await signUp(gatehouse), await signUp(gatehouse)];
  const { agent, page } = await atPassword(victim.email);
  for (let times = 0; times < 6; times++) await guess(agent, page, 'wrong password');
  expect(isSignedIn((await signIn(gatehouse, other.email)).page)).toBe(true);
});

test('a forgotten password is replaced after a mailed code, and the old one no longer works', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page, request } = await atReset(email);
  expect((await gatehouse.mailTo(email)).text).toMatch(/set a new password/);
  expect(headingOf(page)).toBe('Choose a password');
  const done = await choosePassword(agent, page, 'another quiet harbour');
  const { body } = await exchange(gatehouse, answerOf(done, request));
  expect(decodeJwt(body['id_token']).sub).toBe(await userIdOf(gatehouse, email));
  expect((await signIn(gatehouse, email)).page.status).toBe(422);
  expect(isSignedIn((await signIn(gatehouse, email, { password: 'another quiet harbour' })).page)).toBe(true);
});

test('a reset that is given up leaves the old password as it was', async () => {
  const { email } = await signUp(gatehouse);
  await atReset(email);
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
});

test('no password is changed without the code', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  const code = await agent.submit(page, 'forgot');
  const csrf = /name="csrf" value="([^"]+)"/.exec(code.html)![1]!;
  const form = { csrf, p_first_password: 'stolen stolen', p_second_password: 'stolen stolen' };
  const cookie = [...agent.cookies].map(([name, value]) => `${name.split(' ')[0]}=${value}`).join('; ');
  for (const step of ['new_password', 'organization', 'password']) {
    const answer = await fetch(`${code.url}/${step}`, {
      method: 'POST',
      headers: { cookie },
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, code.url]);
  }
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
});

test('a code for signing in, that was not asked for as forgotten, leaves the password alone', async () => {
  const { email } = await signUp(gatehouse);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
  expect(isSignedIn(await typeCode(gatehouse, agent, page, email, 1))).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
});

test('two resets at once leave one password, and one signed in', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atReset(email);
  const passwords = ['the first of two', 'the second of two'];
  const ends = await Promise.all(passwords.map((password) => choosePassword(agent, page, password)));
  expect(ends.filter(isSignedIn)).toHaveLength(1);
  const tries = await Promise.all(passwords.map(async (password) => isSignedIn((await signIn(gatehouse, email, { password })).page)));
  expect(tries.filter(Boolean)).toHaveLength(1);
});

test('forgetting twice in half a minute is one mail, whose code works', async () => {
  const { email } = await signUp(gatehouse);
  const { agent, page } = await atPassword(email);
  const code = await agent.submit(page, 'forgot');
  const mail = await gatehouse.mailTo(email, { after: 1 });
  const back = await agent.submit(await agent.submit(code, 'switch', { flow: 'login' }), 'identify', { p_email: email });
  const again = await agent.submit(back, 'forgot');
  expect(headingOf(again)).toBe('Check your mail');
  const choose = await agent.submit(again, 'code', { p_confirmation_code: codeIn(mail) });
  expect(headingOf(choose)).toBe('Choose a password');
  expect(await gatehouse.mailCount(email)).toBe(2);
});

/** Somebody who came by an import: with a foreign password hash, or none. There is no quicker door. */
async function imported(options: { password?: string; isVerified: boolean; isResetRequested?: boolean }): Promise<string> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const email = newAddress('imported');
  const id = `kp_${createHash('md5').update(email).digest('hex')}`;
  await prisma.user.create({ data: { environmentId, id, isPasswordResetRequested: options.isResetRequested ?? false } });
  await prisma.identity.create({
    data: {
      environmentId,
      id: `identity_${id}`,
      userId: id,
      type: 'email',
      value: email,
      normalized: email.toLowerCase(),
      isPrimary: true,
      isVerified: options.isVerified,
    },
  });
  if (options.password !== undefined) {
    const hash = createHash('sha256').update(`salt${options.password}`).digest('hex');
    await prisma.password.create({
      data: { environmentId, userId: id, method: 'sha256', hash, salt: 'salt', saltPosition: 'prefix', saltFormat: 'string' },
    });
  }
  return email;
}

test('an imported person signs in with the old password, which is kept in our own form from then on', async () => {
  const email = await imported({ password: 'old', isVerified: true });
  expect((await signIn(gatehouse, email, { password: 'wrong' })).page.status).toBe(422);
  for (let times = 0; times < 2; times++) expect(isSignedIn((await signIn(gatehouse, email, { password: 'old' })).page)).toBe(true);
  const { prisma } = gatehouse.app.infrastructure.database;
  const stored = await prisma.password.findFirstOrThrow({ where: { userId: await userIdOf(gatehouse, email) } });
  expect(stored).toMatchObject({ method: 'argon2id', salt: null, hash: expect.stringMatching(/^\$argon2id\$/) });
  expect(await gatehouse.mailCount(email)).toBe(0);
});

test('an imported address that nobody proved is proved by one code after the password, and never again', async () => {
  const email = await imported({ password: 'old', isVerified: false });
  const { agent, page, request } = await signIn(gatehouse, email, { password: 'old' });
  expect(headingOf(page)).toBe('Check your mail');
  const done = await typeCode(gatehouse, agent, page, email);
  expect(decodeJwt((await exchange(gatehouse, answerOf(done, request))).body['id_token'])).toMatchObject({ email, email_verified: true });
  expect(isSignedIn((await signIn(gatehouse, email, { password: 'old' })).page)).toBe(true);
  expect(await gatehouse.mailCount(email)).toBe(1);
});

test.each([
  ['without a password', { isVerified: true }],
  ['whose password is to be replaced', { isVerified: true, password: 'old', isResetRequested: true }],
])('an imported person %s is mailed a code and chooses one', async (_who, options) => {
  const email = await imported(options);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email);
  expect(headingOf(page)).toBe('Check your mail');
  const choose = await typeCode(gatehouse, agent, page, email);
  expect(headingOf(choose)).toBe('Choose a password');
  expect(isSignedIn(await choosePassword(agent, choose))).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  expect((await signIn(gatehouse, email, { password: 'old' })).page.status).toBe(422);
});
