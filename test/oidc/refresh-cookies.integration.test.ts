/** Applications in a browser refresh by a cookie that they cannot read; nobody else can. */
import { describe, expect, test } from 'vitest';
import { createServer } from '../../src/http/server.ts';
import { keepInCookie, type Page } from '../../src/oidc/refresh-cookies.ts';
import { startApp } from '../helpers/app.ts';
import { codeForm, exchange, refresh, refreshForm, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const OWN = 'http://localhost:8080';

/** Posts to the token endpoint as a page of `origin` does, with credentials. */
async function post(form: Record<string, string>, options: { origin?: string; cookie?: string } = {}) {
  const { origin = OWN, cookie = '' } = options;
  const headers = { ...(origin && { origin }), ...(cookie && { cookie }) };
  const answer = await fetch(`${gatehouse.quickstart.issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const lines = answer.headers.getSetCookie();
  return {
    lines,
    body: (await answer.json()) as { error?: string; refresh_token: string; id_token: string },
    cookie: lines.map((line) => line.split(';')[0]!).join('; '),
  };
}

async function signedIn() {
  const person = await signUp(gatehouse);
  return { person, ...(await post(codeForm(gatehouse, person.first))) };
}

const form = () => ({ grant_type: 'refresh_token', client_id: gatehouse.application('spa').clientId });

test('the exchange of a page leaves the token where only the token endpoint gets it, and a mark that the SDK finds', async () => {
  const { lines, body } = await signedIn();
  const own = `refresh_token_${gatehouse.application('spa').clientId.slice(0, 6)}`;
  for (const name of ['refresh_token', own])
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^${name}=${body.refresh_token}; Max-Age=1296000; Path=/oauth2/token; HttpOnly; SameSite=Lax$`)),
    );
  expect(lines).toContain('_kbrte=1; Max-Age=1296000; Path=/; SameSite=Lax');
});

test('without a token in the body the cookie counts, and rotates', async () => {
  const first = await signedIn();
  const second = await post(form(), first);
  expect(second.body).toMatchObject({ refresh_token: expect.any(String), id_token: expect.any(String), access_token: expect.any(String) });
  expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
  expect(second.cookie).toContain(`refresh_token=${second.body.refresh_token}`);
  expect((await post(form(), second)).body.error).toBeUndefined();
});

test('tabs that refresh at once by the same cookie are all signed in', async () => {
  const first = await signedIn();
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(form(), first)));
  expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  expect((await post(form(), answers[0])).body.error).toBeUndefined();
});

test('a token in the body goes before the one in the cookie', async () => {
  const first = await signedIn();
  const other = await signedIn();
  const { body } = await post({ ...form(), refresh_token: other.body.refresh_token }, first);
  expect((await refresh(gatehouse, first.body.refresh_token)).body.error).toBeUndefined();
  expect(body.refresh_token).not.toBe(other.body.refresh_token);
});

test.each([
  ['a page of somebody else', 'https://evil.test'],
  ['a page on another port', 'http://localhost:8081'],
  ['a page without an origin', 'null'],
  ['no page', ''],
])('%s gets nothing for the cookie, and its cookie stays good', async (_name, origin) => {
  const first = await signedIn();
  const { body, lines } = await post(form(), { ...first, origin });
  expect(body).toEqual({ error: 'invalid_request', error_description: expect.any(String) });
  expect(lines).toEqual([]);
  expect((await post(form(), first)).body.error).toBeUndefined();
});

test('no cookie is set for a server, for a page of somebody else, or for a client with a secret', async () => {
  const { person } = await signedIn();
  expect((await post(codeForm(gatehouse, await person.authorize()), { origin: '' })).lines).toEqual([]);
  expect((await post(codeForm(gatehouse, await person.authorize()), { origin: 'https://evil.test' })).lines).toEqual([]);
  expect((await post(codeForm(gatehouse, await person.authorize('reg'), 'reg'))).lines).toEqual([]);
});

test('another application’s cookie is no token of this one', async () => {
  const person = await signUp(gatehouse, { kind: 'reg' });
  const { body } = await exchange(gatehouse, person.first, 'reg');
  const answer = await post(form(), { cookie: `refresh_token=${body.refresh_token}` });
  expect(answer.body.error).toBe('invalid_grant');
  expect((await post(refreshForm(gatehouse, body.refresh_token, 'reg'), { origin: '' })).body.error).toBeUndefined();
});

test('signing out takes the cookies away', async () => {
  const { lines } = await fetch(`${gatehouse.quickstart.issuer}/logout`, { redirect: 'manual' }).then((answer) => ({
    lines: answer.headers.getSetCookie(),
  }));
  expect(lines).toContainEqual(expect.stringMatching(/^refresh_token=; Max-Age=0; Path=\/oauth2\/token;/));
  expect(lines).toContainEqual(expect.stringMatching(/^_kbrte=; Max-Age=0; Path=\/;/));
});

describe('by the hosts of issuer and application', () => {
  /** What a browser is told, for an issuer and a page that only have names here. */
  async function told(issuer: string, page: string): Promise<string[]> {
    const tenancy = { issuer, basePath: '' } as never;
    const client = {
      applicationId: 'app_abcdef0123',
      secretHash: null,
      callbackUrls: [`${page}/callback`],
      logoutUrls: [],
      refreshTokenLifetime: 60,
    };
    const server = await createServer(gatehouse.app.infrastructure);
    server.get('/kept', async (_request, reply) => {
      const setCookie: Page['setCookie'] = (...cookie) => void reply.setCookie(...cookie);
      const kept = { client: client as never, page: { origin: page, cookies: {}, setCookie }, refreshToken: 'token' };
      await keepInCookie(gatehouse.app.infrastructure, tenancy, kept);
      return reply.send('');
    });
    const { headers } = await server.inject({ url: '/kept', headers: { host: new URL(gatehouse.baseUrl).host } });
    await server.close();
    return [headers['set-cookie'] ?? []].flat();
  }

  test.each([
    ['the same host', 'https://acme.test', 'https://acme.test', '_kbrte=1; Max-Age=60; Path=/; Secure; SameSite=Lax', 'Lax'],
    [
      'hosts under one domain',
      'https://auth.acme.test',
      'https://app.acme.test',
      '_kbrte=1; Max-Age=60; Domain=acme.test; Path=/; Secure; SameSite=Lax',
      'Lax',
    ],
    ['hosts of strangers under one shared domain', 'https://a.github.io', 'https://b.github.io', undefined, 'None'],
    ['hosts of two domains', 'https://auth.acme.test', 'https://app.other.test', undefined, 'None'],
  ])('%s', async (_name, issuer, page, mark, sameSite) => {
    const lines = await told(issuer, page);
    expect(lines.filter((line) => line.startsWith('_kbrte'))).toEqual(mark ? [mark] : []);
    expect(lines).toContain(`refresh_token=token; Max-Age=60; Path=/oauth2/token; HttpOnly; Secure; SameSite=${sameSite}`);
  });
});
