import { decodeProtectedHeader, type JWK } from 'jose';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { authorizationUrl, machineToken } from '../helpers/user-agent.ts';

const gatehouse = startApp();

const issuers = () => [gatehouse.baseUrl, `${gatehouse.baseUrl}/e/acme-dev`, `${gatehouse.baseUrl}/e/account`];
const read = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>;
const keysOf = async (issuer: string) => (await read(`${issuer}/.well-known/jwks`))['keys'] as JWK[];

describe.each([
  ['the primary environment', 0],
  ['another environment of the business', 1],
  ['the account environment', 2],
] as const)('the issuer of %s', (_name, index) => {
  test('describes itself at both addresses, with its own address as issuer and no slash at the end', async () => {
    const issuer = issuers()[index]!;
    const document = await read(`${issuer}/.well-known/openid-configuration`);
    expect(document).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/auth`,
      token_endpoint: `${issuer}/oauth2/token`,
      userinfo_endpoint: `${issuer}/oauth2/v2/user_profile`,
      jwks_uri: `${issuer}/.well-known/jwks`,
      end_session_endpoint: `${issuer}/logout`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    expect(document['scopes_supported']).toEqual(expect.arrayContaining(['openid', 'profile', 'email', 'offline', 'offline_access']));
    expect(document['token_endpoint_auth_methods_supported']).toEqual(
      expect.arrayContaining(['client_secret_post', 'client_secret_basic', 'none']),
    );
    expect(await read(`${issuer}/.well-known/oauth-authorization-server`)).toEqual(document);
  });

  test('publishes its keys at both addresses: public parts only, in the form that libraries insist on', async () => {
    const issuer = issuers()[index]!;
    const keys = await keysOf(issuer);
    expect(await read(`${issuer}/.well-known/jwks.json`)).toEqual({ keys });
    expect(keys).toEqual([
      {
        kty: 'RSA',
        use: 'sig',
        alg: 'RS256',
        e: 'AQAB',
        kid: expect.stringMatching(/^[A-Za-z0-9:.-]+$/),
        n: expect.stringMatching(/^[\w-]{342}$/),
      },
    ]);
  });
});

test('an issuer has cookies of its own, out of reach of scripts', async () => {
  const [dashboard] = gatehouse.quickstart.account.applications;
  const names: string[] = [];
  for (const [issuer, clientId] of [
    [gatehouse.baseUrl, gatehouse.application('spa').clientId],
    [`${gatehouse.baseUrl}/e/account`, dashboard!.clientId],
  ] as const) {
    const { url } = authorizationUrl({ issuer, clientId, redirectUri: 'http://localhost:8080/callback' });
    const cookies = (await fetch(url, { redirect: 'manual' })).headers.getSetCookie();
    expect(cookies).not.toEqual([]);
    for (const cookie of cookies) {
      const [pair = '', ...attributes] = cookie.split('; ');
      names.push(pair.slice(0, pair.indexOf('=')));
      expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Lax']));
    }
  }
  expect(new Set(names).size).toBe(names.length);
});

test('every environment has keys of its own', async () => {
  const keys = (await Promise.all(issuers().map(keysOf))).flat();
  expect(new Set(keys.map(({ kid }) => kid)).size).toBe(3);
  expect(new Set(keys.map(({ n }) => n)).size).toBe(3);
});

test('any page may read the public documents, whatever it sends along', async () => {
  for (const path of ['openid-configuration', 'oauth-authorization-server', 'jwks', 'jwks.json']) {
    const url = `${gatehouse.baseUrl}/.well-known/${path}`;
    const answer = await fetch(url, { headers: { origin: 'https://anywhere.test', authorization: 'Bearer stray' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://anywhere.test' } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/Authorization/);
  }
});

test('a token names the key that signed it, in a header that plain base64 can read', async () => {
  const token = await machineToken(gatehouse);
  const [key] = await keysOf(gatehouse.baseUrl);
  expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', typ: 'JWT', kid: key?.kid });
  expect(JSON.parse(atob(token.split('.')[0]!))).toMatchObject({ kid: key?.kid });
});
