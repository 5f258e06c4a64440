/** What UserInfo tells (OpenID Connect Core §5.3): by GET and POST, by scope, and in the shape that older SDKs read. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { machineToken } from '../helpers/user-agent.ts';
import { exchange, type Person, signUp, suspend, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
const PATHS = ['/oauth2/v2/user_profile', '/oauth2/userinfo', '/oauth2/user_profile'];

let person: Person;
let userId: string;
beforeAll(async () => {
  person = await signUp(gatehouse);
  userId = await userIdOf(gatehouse, person.email);
  const data = { firstName: 'Jane', lastName: 'Roe', picture: 'https://pictures.test/jane.png' };
  await gatehouse.app.infrastructure.database.prisma.user.updateMany({ where: { id: userId }, data });
  gatehouse.app.infrastructure.lookups.forget();
});

async function tokenFor(scope: string): Promise<string> {
  return (await exchange(gatehouse, await person.authorize('spa', { scope }))).body['access_token'] as string;
}

const get = (path: string, token: string) => fetch(gatehouse.baseUrl + path, { headers: { authorization: `Bearer ${token}` } });
const post = (path: string, body?: URLSearchParams | string, headers: Record<string, string> = {}) =>
  fetch(gatehouse.baseUrl + path, { method: 'POST', headers, ...(body !== undefined && { body }) });

test('the legacy profile has its fields of old, and no null but where its readers expect one', async () => {
  const answer = await get('/oauth2/user_profile', await tokenFor('openid profile email'));
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual({
    id: userId,
    preferred_email: person.email,
    provided_id: null,
    last_name: 'Roe',
    first_name: 'Jane',
    picture: 'https://pictures.test/jane.png',
  });
  expect(await (await get('/oauth2/user_profile', await tokenFor('openid'))).json()).toEqual({ id: userId, provided_id: null });
});

test('the profile of today has the claims of OpenID Connect and the identifier twice', async () => {
  const answer = await get('/oauth2/v2/user_profile', await tokenFor('openid profile email'));
  expect(await answer.json()).toEqual({
    sub: userId,
    id: userId,
    name: 'Jane Roe',
    given_name: 'Jane',
    family_name: 'Roe',
    email: person.email,
    email_verified: true,
    picture: 'https://pictures.test/jane.png',
    updated_at: expect.any(Number),
  });
});

test.each([
  ['openid', [], ['Jane', 'Roe', 'jane.png', '@']],
  ['openid profile', ['Jane', 'Roe', 'jane.png'], ['@']],
  ['openid email', ['@'], ['Jane', 'Roe', 'jane.png']],
])('no profile tells more than the scopes “%s” open', async (scope, told, untold) => {
  const token = await tokenFor(scope);
  for (const path of PATHS) {
    const text = await (await get(path, token)).text();
    expect(text).toContain(userId);
    for (const word of told) expect(text, path).toContain(word);
    for (const word of untold) expect(text, path).not.toContain(word);
  }
});

test('a posted request is answered as one that is not: token in the header, or in the form', async () => {
  const token = await tokenFor('openid profile email');
  for (const path of PATHS) {
    const profile = await (await get(path, token)).json();
    for (const answer of [
      await post(path, undefined, { authorization: `Bearer ${token}` }),
      await post(path, new URLSearchParams({ access_token: token })),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toEqual(profile);
    }
  }
});

test('two tokens are one too many, and a token is read from no other place', async () => {
  const token = await tokenFor('openid');
  const authorization = `Bearer ${token}`;
  const form = new URLSearchParams({ access_token: token });
  for (const path of PATHS) {
    for (const answer of [
      await post(path, form, { authorization }),
      await post(path, `${form}&${form}`, { 'content-type': 'application/x-www-form-urlencoded' }),
    ]) {
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
    }
    const elsewhere = [
      await fetch(`${gatehouse.baseUrl}${path}?${form}`),
      await post(`${path}?${form}`),
      await post(path, JSON.stringify({ access_token: token }), { 'content-type': 'application/json' }),
    ];
    for (const answer of elsewhere) {
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
      expect(await answer.text()).not.toContain(userId);
    }
  }
});

test('no profile is for machines, for another issuer’s tokens, or for a suspended person’s', async () => {
  const token = await tokenFor('openid');
  const machine = await machineToken(gatehouse);
  for (const path of PATHS) {
    expect((await get(path, machine)).status).toBe(401);
    expect((await get(`/e/acme-dev${path}`, token)).status).toBe(401);
    expect((await post(`/e/acme-dev${path}`, new URLSearchParams({ access_token: token }))).status).toBe(401);
  }
  await suspend(gatehouse, { userId });
  for (const path of PATHS) {
    expect((await get(path, token)).status).toBe(401);
    expect((await post(path, new URLSearchParams({ access_token: token }))).status).toBe(401);
  }
  await suspend(gatehouse, { userId }, false);
});
