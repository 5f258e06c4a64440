/** What an operator does about a person's password in the graph, as the person meets it at the pages. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, type PageView, postToken, userAgent } from '../helpers/user-agent.ts';
import {
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  PASSWORD,
  problemOf,
  refresh,
  signIn,
  signUp,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const TEMPORARY = 'ninety green bottles';
let token: string;
beforeAll(async () => {
  token = await machineToken(gatehouse);
});

async function change(mutation: string, input: object, headers: Record<string, string> = {}): Promise<unknown[]> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { ... on UserError { message } } } }`;
  const response = await fetch(gatehouse.quickstart.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ query: document, variables: { input } }),
  });
  const { data, errors } = (await response.json()) as { data: Record<string, { errors: unknown[] }>; errors?: unknown };
  expect(errors).toBeUndefined();
  return data[mutation]!.errors;
}

/** Somebody whose password an operator has replaced by {@link TEMPORARY}. */
async function withTemporaryPassword() {
  const person = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  expect(await change('setTemporaryPassword', { userId, password: TEMPORARY })).toEqual([]);
  return { ...person, userId };
}

/** Signs in with the temporary password, up to the page on which another one is chosen. */
async function atNewPassword(email: string) {
  const found = await signIn(gatehouse, email, { password: TEMPORARY });
  expect(headingOf(found.page)).toBe('Choose a password');
  return found;
}

describe('a temporary password', () => {
  test('ends what was there before, and leads to the choice of another one', async () => {
    const person = await signUp(gatehouse);
    const { body } = await exchange(gatehouse, person.first);
    const userId = await userIdOf(gatehouse, person.email);
    await change('setTemporaryPassword', { userId, password: TEMPORARY });
    expect((await refresh(gatehouse, body.refresh_token)).status).toBe(400);
    expect((await signIn(gatehouse, person.email)).page.status).toBe(422);

    const { agent, page } = await atNewPassword(person.email);
    expect(isSignedIn(await choosePassword(agent, page, 'a loud mountain at dusk'))).toBe(true);
    expect(isSignedIn((await signIn(gatehouse, person.email, { password: 'a loud mountain at dusk' })).page)).toBe(true);
    expect((await signIn(gatehouse, person.email, { password: TEMPORARY })).page.status).toBe(422);
  });

  test('opens once: of many at the same moment one gets on', async () => {
    const { email } = await withTemporaryPassword();
    const browsers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const agent = userAgent(gatehouse.baseUrl);
        return { agent, ...(await identify(gatehouse, agent, email)) };
      }),
    );
    const pages = await Promise.all(browsers.map(({ agent, page }) => agent.submit(page, 'password', { p_password: TEMPORARY })));
    expect(pages.map((page) => headingOf(page)).filter((heading) => heading === 'Choose a password')).toHaveLength(1);
  });

  test('that was used and not replaced is used up: a mailed code leads on', async () => {
    const { email } = await withTemporaryPassword();
    await atNewPassword(email);
    const agent = userAgent(gatehouse.baseUrl);
    gatehouse.advance(31);
    const { page } = await identify(gatehouse, agent, email);
    expect(headingOf(page)).toBe('Check your mail');
    const choose = await typeCode(gatehouse, agent, page, email, 1);
    expect(isSignedIn(await choosePassword(agent, choose, 'a loud mountain at dusk'))).toBe(true);
  });

  test('is not taken for the new one', async () => {
    const { email } = await withTemporaryPassword();
    const { agent, page } = await atNewPassword(email);
    const refused = await choosePassword(agent, page, TEMPORARY);
    expect([refused.status, problemOf(refused)]).toEqual([422, 'Choose another password than the one that you were given.']);
    expect(isSignedIn(await choosePassword(agent, page, 'a loud mountain at dusk'))).toBe(true);
  });

  test('is replaced as well by who proves the address instead of typing it', async () => {
    const { email } = await withTemporaryPassword();
    const agent = userAgent(gatehouse.baseUrl);
    gatehouse.advance(31);
    const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
    expect(headingOf(await typeCode(gatehouse, agent, page, email, 1))).toBe('Choose a password');
  });

  test('that is replaced by another one leaves nobody on the page that the first one opened', async () => {
    const { email, userId } = await withTemporaryPassword();
    const { agent, page } = await atNewPassword(email);
    await change('setTemporaryPassword', { userId, password: 'eighty green bottles' });
    const refused = await choosePassword(agent, page, 'the intruder was here');
    expect([refused.status, headingOf(refused)]).toEqual([400, 'This sign-in has expired']);
    const owner = await signIn(gatehouse, email, { password: 'eighty green bottles' });
    expect(headingOf(owner.page)).toBe('Choose a password');
  });

  test('guesses at it count and lock as any do', async () => {
    const { email, userId } = await withTemporaryPassword();
    const agent = userAgent(gatehouse.baseUrl);
    const { page } = await identify(gatehouse, agent, email);
    let last: PageView = page;
    for (let times = 0; times < 6; times++) last = await agent.submit(page, 'password', { p_password: 'a wrong guess' });
    expect(last.status).toBe(429);
    expect((await agent.submit(page, 'password', { p_password: TEMPORARY })).status).toBe(429);
    const locked = 'query ($id: ID!) { node(id: $id) { ... on User { isLocked failedSignIns lockedUntil } } }';
    const before = await ask<{ node: object }, object>(gatehouse, token, locked, { id: userId });
    expect(before.data?.node).toMatchObject({ isLocked: true, lockedUntil: expect.any(String) });
    expect(await change('unlockUser', { userId })).toEqual([]);
    const after = await ask<{ node: object }, object>(gatehouse, token, locked, { id: userId });
    expect(after.data?.node).toEqual({ isLocked: false, failedSignIns: 0, lockedUntil: null });
    expect(headingOf(await agent.submit(page, 'password', { p_password: TEMPORARY }))).toBe('Choose a password');
  });

  test('is written down nowhere: not in the log, the audit log or the database', async () => {
    const secret = 'a word to find again, 4711';
    const person = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, person.email);
    await change('setTemporaryPassword', { userId, password: secret }, { 'idempotency-key': 'temporary' });
    await signIn(gatehouse, person.email, { password: secret });
    expect(gatehouse.log()).not.toContain(secret);
    const { database } = gatehouse.app.infrastructure;
    const tables = await database.query<{ name: string }>(
      'tables-of-secrets',
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
      [],
    );
    for (const { name } of tables) {
      const rows = await database.query<{ text: string }>(`all-${name}`, `SELECT t::text AS text FROM "${name}" t`, []);
      const text = rows.map((row) => row.text).join('\n');
      expect(text.includes(secret), name).toBe(false);
      // Nor as the plain digest of the request, from which it could be guessed.
      const digest = createHash('sha256')
        .update(JSON.stringify(['setTemporaryPassword', { userId, password: secret }]))
        .digest('hex');
      expect(text.includes(digest), name).toBe(false);
    }
  });
});

describe('setUserPassword', () => {
  const hashed = (password: string) => ({
    method: 'SHA256',
    hash: createHash('sha256').update(`salt${password}`).digest('hex'),
    salt: 'salt',
    saltPosition: 'PREFIX',
  });

  test('replaces the password by a hash of another system, and signs everybody out', async () => {
    const person = await signUp(gatehouse);
    const { body } = await exchange(gatehouse, person.first);
    const userId = await userIdOf(gatehouse, person.email);
    expect(await change('setUserPassword', { userId, password: hashed('from elsewhere') })).toEqual([]);
    expect((await refresh(gatehouse, body.refresh_token)).status).toBe(400);
    expect((await signIn(gatehouse, person.email, { password: PASSWORD })).page.status).toBe(422);
    for (let times = 0; times < 2; times++)
      expect(isSignedIn((await signIn(gatehouse, person.email, { password: 'from elsewhere' })).page)).toBe(true);
  });

  test('does not take plain text for a hash of any method', async () => {
    const userId = await userIdOf(gatehouse, (await signUp(gatehouse)).email);
    for (const method of ['BCRYPT', 'CRYPT', 'MD5', 'SHA256', 'WORDPRESS'])
      expect(await change('setUserPassword', { userId, password: { method, hash: PASSWORD } })).toHaveLength(1);
  });
});

describe('requestPasswordReset', () => {
  test('leads through a code to a new password, though the old one is known', async () => {
    const { email } = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, email);
    const agent = userAgent(gatehouse.baseUrl);
    const open = await identify(gatehouse, agent, email);
    expect(await change('requestPasswordReset', { userId })).toEqual([]);
    gatehouse.advance(31);
    const asked = await agent.submit(open.page, 'password', { p_password: PASSWORD });
    expect(headingOf(asked)).toBe('Check your mail');

    gatehouse.advance(31);
    const fresh = userAgent(gatehouse.baseUrl);
    const { page } = await identify(gatehouse, fresh, email);
    expect(headingOf(page)).toBe('Check your mail');
    const choose = await typeCode(gatehouse, fresh, page, email, 2);
    expect(headingOf(choose)).toBe('Choose a password');
    expect(isSignedIn(await choosePassword(fresh, choose, 'a loud mountain at dusk'))).toBe(true);
    expect((await signIn(gatehouse, email)).page.status).toBe(422);
  });

  test('leaves who is signed in signed in', async () => {
    const person = await signUp(gatehouse);
    const { body } = await exchange(gatehouse, person.first);
    await change('requestPasswordReset', { userId: await userIdOf(gatehouse, person.email) });
    expect((await refresh(gatehouse, body.refresh_token)).status).toBe(200);
  });
});

test('a machine without the scope sets no password along with a new user, nor calls an address verified', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { issuer, managementAudience } = gatehouse.quickstart;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret!, audience: managementAudience };
  const { body } = await postToken(issuer, { ...form, scope: 'create:users create:user_identities' });
  const document = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { message } } }';
  const create = (input: object) => ask(gatehouse, body.access_token, document, { input: { email: 'made@mail.test', ...input } });
  const password = { method: 'BCRYPT', hash: `$2b$10$${'a'.repeat(53)}` };
  expect((await create({ password })).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', permission: 'update:user_passwords' } }]);
  for (const input of [{ isEmailVerified: true }, { phone: '+61555111555', isPhoneVerified: true }])
    expect((await create(input)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', permission: 'update:user_contacts' } }]);
  expect((await create({})).errors).toEqual([]);
  const add = 'mutation ($input: CreateUserIdentityInput!) { createUserIdentity(input: $input) { errors { message } } }';
  const input = { userId: await userIdOf(gatehouse, 'made@mail.test'), type: 'EMAIL', value: 'more@mail.test' };
  expect((await ask(gatehouse, body.access_token, add, { input: { ...input, isVerified: true } })).errors).toMatchObject([
    { extensions: { permission: 'update:user_contacts' } },
  ]);
  expect((await ask(gatehouse, body.access_token, add, { input })).errors).toEqual([]);
});
