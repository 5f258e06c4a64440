/** Which environment a request reaches: only what its address names, however the request words it. */
import { describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../helpers/app.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';

const PATHS = [
  '/.well-known/openid-configuration',
  '/.well-known/jwks',
  '/oauth2/auth',
  '/oauth2/v2/user_profile',
  '/logout',
  '/signin/nobody',
  '/team-invitation/x',
  '/assets/gatehouse.css',
  '/graphql',
  '/dev/mailbox',
  '/nothing',
];

async function get(gatehouse: TestApp, path: string, headers: Record<string, string>, remoteAddress = '127.0.0.1') {
  return gatehouse.app.server.inject({ url: path, headers: { host: new URL(gatehouse.baseUrl).host, ...headers }, remoteAddress });
}

/** The issuer that answers, or undefined for the page that says that nothing is there. */
async function issuerAt(gatehouse: TestApp, headers: Record<string, string>, remoteAddress?: string, prefix = '') {
  const answer = await get(gatehouse, `${prefix}/.well-known/openid-configuration`, headers, remoteAddress);
  return answer.statusCode === 200 ? answer.json().issuer : undefined;
}

async function expectNothing(gatehouse: TestApp, path: string, headers: Record<string, string> = {}) {
  const answer = await get(gatehouse, path, headers);
  expect(answer.statusCode, path).toBe(404);
  expect(answer.headers['content-type']).toMatch(/^text\/html/);
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(answer.body).toContain('Nothing here');
  expect(answer.body).not.toMatch(/acme/i);
}

describe('with a path for each environment', () => {
  const gatehouse = startApp();

  test('a path that names no environment leads nowhere', async () => {
    for (const path of PATHS) await expectNothing(gatehouse, `/e/nope${path}`);
    for (const prefix of ['/E/account', '/e/ACCOUNT', '//e/account', '/e/account%2f', '/%65/account', '/e/'])
      await expectNothing(gatehouse, `${prefix}/.well-known/openid-configuration`);
    await expectNothing(gatehouse, '/e/nope/oauth2/token');
  });

  test('the primary environment has one address only', async () => {
    expect(await issuerAt(gatehouse, {})).toBe(gatehouse.baseUrl);
    expect(await issuerAt(gatehouse, {}, undefined, '/e/acme')).toBeUndefined();
  });

  test('a host that is not this server leads nowhere', async () => {
    const { port } = new URL(gatehouse.baseUrl);
    for (const host of [
      'evil.test',
      'localhost',
      'localhost:1',
      `localhost:${port}.evil.test`,
      `evil.test:${port}`,
      `account.localhost:${port}`,
    ])
      for (const path of PATHS) await expectNothing(gatehouse, path, { host });
  });

  test('host names are compared without case', async () => {
    expect(await issuerAt(gatehouse, { host: new URL(gatehouse.baseUrl).host.toUpperCase() })).toBe(gatehouse.baseUrl);
  });

  test('the installation itself answers beside no environment', async () => {
    for (const path of ['/', '/graphql', '/dev/mailbox', '/dev/mailbox.json'])
      for (const prefix of ['/e/acme-dev', '/e/account']) await expectNothing(gatehouse, `${prefix}${path}`);
  });
});

describe('with a host for each environment', () => {
  const gatehouse = startApp({ BASE_URL: 'https://gate.test', ROOT_DOMAIN: 'auth.test', TRUST_PROXY: 'false' });

  test('each host is the issuer of its environment, and of no other', async () => {
    expect(await issuerAt(gatehouse, {})).toBe(gatehouse.baseUrl);
    expect(await issuerAt(gatehouse, { host: 'acme-dev.auth.test' })).toBe('https://acme-dev.auth.test');
    expect(await issuerAt(gatehouse, { host: 'ACCOUNT.Auth.Test' })).toBe('https://account.auth.test');
    const keys = await Promise.all(
      ['acme-dev', 'account'].map(
        async (name) => (await get(gatehouse, '/.well-known/jwks', { host: `${name}.auth.test` })).json().keys[0].n,
      ),
    );
    expect(keys[0]).not.toBe(keys[1]);
  });

  test('a host that names no environment leads nowhere', async () => {
    for (const host of [
      'nope.auth.test',
      'auth.test',
      'acme.auth.test',
      'a.acme-dev.auth.test',
      'acme-dev.auth.test.evil.test',
      'acme-devauth.test',
      '.auth.test',
      '*.auth.test',
    ])
      for (const path of PATHS) await expectNothing(gatehouse, path, { host });
  });

  test('cookies belong to the host alone, and travel by https only', async () => {
    const [dashboard] = gatehouse.quickstart.account.applications;
    const { url } = authorizationUrl({ issuer: '', clientId: dashboard!.clientId, redirectUri: dashboard!.callbackUrls[0]! });
    const answer = await get(gatehouse, url, { host: 'account.auth.test' });
    expect(answer.statusCode).toBe(302);
    expect(answer.headers.location).toMatch(/^https:\/\/account\.auth\.test\/signin\//);
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=[1-9]/);
    for (const cookie of [answer.headers['set-cookie'] ?? []].flat()) {
      expect(cookie.split('; ')).toEqual(expect.arrayContaining(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']));
      expect(cookie).toMatch(/^__Host-gatehouse_/);
      expect(cookie).not.toMatch(/domain=/i);
    }
    expect(answer.headers['set-cookie']).toBeDefined();
  });

  test('paths name no environments here', async () => {
    for (const path of PATHS) await expectNothing(gatehouse, `/e/account${path}`);
    for (const path of PATHS) await expectNothing(gatehouse, `/e/acme-dev${path}`, { host: 'account.auth.test' });
  });

  test('nobody chooses another environment by a forwarded host when no proxy is trusted', async () => {
    expect(await issuerAt(gatehouse, { 'x-forwarded-host': 'account.auth.test' })).toBe(gatehouse.baseUrl);
    expect(await issuerAt(gatehouse, { host: 'evil.test', 'x-forwarded-host': 'account.auth.test' })).toBeUndefined();
  });
});

describe('behind a proxy of a named network', () => {
  const gatehouse = startApp({ BASE_URL: 'https://gate.test', ROOT_DOMAIN: 'auth.test', TRUST_PROXY: '10.0.0.0/8, fd00::1' });
  const forwarded = { 'x-forwarded-host': 'account.auth.test' };

  test.each(['10.1.2.3', '::ffff:10.1.2.3', 'fd00::1'])('the proxy at %s says which host was asked for', async (peer) => {
    expect(await issuerAt(gatehouse, forwarded, peer)).toBe('https://account.auth.test');
    expect(await issuerAt(gatehouse, {}, peer)).toBe(gatehouse.baseUrl);
  });

  test.each(['127.0.0.1', '11.0.0.1', '203.0.113.9', '::ffff:203.0.113.9', 'fd00::2'])(
    'a direct caller at %s is not believed',
    async (peer) => {
      expect(await issuerAt(gatehouse, forwarded, peer)).toBe(gatehouse.baseUrl);
      expect(await issuerAt(gatehouse, { ...forwarded, host: 'evil.test', 'x-forwarded-for': '10.1.2.3' }, peer)).toBeUndefined();
    },
  );

  test('what a caller wrote before the proxy did counts for nothing', async () => {
    const chain = { 'x-forwarded-host': 'account.auth.test, acme-dev.auth.test' };
    expect(await issuerAt(gatehouse, chain, '10.1.2.3')).toBe('https://acme-dev.auth.test');
  });
});
