/** Which pages may read what the protocol answers: those of the environment's own applications. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { codeForm, type Person, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const OWN = 'http://localhost:8080';
const OTHERS = [
  'https://evil.test',
  'http://localhost:8081',
  'https://localhost:8080',
  'http://localhost',
  'http://localhost:8080.evil.test',
  'http://evil.localhost:8080',
  'http://LOCALHOST:8080',
  'http://localhost:8080/',
  'http://localhost:8080/callback',
  'null',
  '*',
  'com.acme.app://callback',
];

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

const ENDPOINTS = [
  ['POST', '/oauth2/token'],
  ['POST', '/oauth2/revoke'],
  ['GET', '/oauth2/v2/user_profile'],
  ['POST', '/oauth2/v2/user_profile'],
  ['GET', '/oauth2/userinfo'],
  ['POST', '/oauth2/userinfo'],
  ['GET', '/oauth2/user_profile'],
] as const;

function expectShared(headers: Headers): void {
  expect(headers.get('access-control-allow-origin')).toBe(OWN);
  expect(headers.get('access-control-allow-credentials')).toBe('true');
  expect(headers.get('vary')).toMatch(/\bOrigin\b/i);
}

function expectUnshared(headers: Headers): void {
  expect(headers.get('access-control-allow-origin')).toBeNull();
  expect(headers.get('access-control-allow-credentials')).toBeNull();
  expect(headers.get('vary')).toMatch(/\bOrigin\b/i);
}

test.each(ENDPOINTS)(
  'a preflight of %s %s allows the application’s own origin, with credentials and the headers of its library',
  async (method, path) => {
    const preflight = (origin: string) =>
      fetch(gatehouse.baseUrl + path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type,kinde-sdk',
        },
      });
    const { status, headers } = await preflight(OWN);
    expect(status).toBe(204);
    expectShared(headers);
    expect(headers.get('access-control-allow-methods')?.split(/, */)).toContain(method);
    expect(headers.get('access-control-allow-headers')?.toLowerCase().split(/, */)).toEqual(
      expect.arrayContaining(['content-type', 'authorization', 'kinde-sdk']),
    );
    for (const origin of OTHERS) expectUnshared((await preflight(origin)).headers);
  },
);

test('tokens are readable for the application’s own pages alone', async () => {
  const send = async (origin: string) =>
    fetch(`${gatehouse.baseUrl}/oauth2/token`, {
      method: 'POST',
      headers: { origin, cookie: 'any=1' },
      body: new URLSearchParams(codeForm(gatehouse, await person.authorize())),
    });
  const own = await send(OWN);
  expect(own.status).toBe(200);
  expectShared(own.headers);
  for (const origin of OTHERS) expectUnshared((await send(origin)).headers);
});

test('errors are readable too: a library must be able to tell them', async () => {
  const send = (body: BodyInit, type = 'application/x-www-form-urlencoded') =>
    fetch(`${gatehouse.baseUrl}/oauth2/token`, { method: 'POST', headers: { origin: OWN, 'content-type': type }, body });
  const answers = await Promise.all([
    send('grant_type=authorization_code'),
    send('grant_type=refresh_token&client_id=x'),
    send('{', 'application/json'),
    send('<xml/>', 'application/xml'),
    send('x'.repeat(2 * 1024 * 1024)),
    fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, { headers: { origin: OWN } }),
    fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, { headers: { origin: OWN, authorization: 'Bearer x' } }),
  ]);
  for (const answer of answers) {
    expect(answer.ok).toBe(false);
    expectShared(answer.headers);
    expect(await answer.json()).toHaveProperty('error');
  }
});

test('an origin that is registered in one environment is not in another', async () => {
  const { headers } = await fetch(`${gatehouse.baseUrl}/e/acme-dev/oauth2/token`, { method: 'OPTIONS', headers: { origin: OWN } });
  expectUnshared(headers);
});

test('pages of other origins get nothing of the pages to sign in on', async () => {
  for (const path of ['/oauth2/auth', '/logout', '/signin/x']) {
    const { headers } = await fetch(gatehouse.baseUrl + path, { headers: { origin: OWN }, redirect: 'manual' });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  }
});
