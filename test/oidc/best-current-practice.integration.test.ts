/** OAuth 2.0 Security Best Current Practice (RFC 9700) and its kin for JWTs (RFC 8725): an attack for each section. */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { authorizationUrl, machineToken, postToken, userAgent } from '../helpers/user-agent.ts';
import { codeForm, exchange, PASSWORD, type Person, refresh, requestOf, signIn, signUp } from '../signin/person.ts';

const gatehouse = startApp();
let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function secondIssuer() {
  const { account } = gatehouse.quickstart;
  return { issuer: account.issuer, clientId: account.applications[0]!.clientId };
}

async function profile(token: string, issuer = gatehouse.quickstart.issuer) {
  return (await fetch(`${issuer}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${token}` } })).status;
}

describe('RFC 9700', () => {
  test.each([
    ['another host', 'http://evil.test/callback'],
    ['a host that begins alike', 'http://localhost:8080.evil.test/callback'],
    ['a user of another host', 'http://localhost:8080@evil.test/callback'],
    ['a backslash', 'http://localhost:8080\\@evil.test/callback'],
    ['another port', 'http://localhost:8081/callback'],
    ['a longer path', 'http://localhost:8080/callback/../evil'],
    ['an encoded step up', 'http://localhost:8080/callback/%2e%2e/evil'],
    ['a query more', 'http://localhost:8080/callback?next=http://evil.test'],
    ['a fragment', 'http://localhost:8080/callback#x'],
    ['another case', 'http://localhost:8080/Callback'],
    ['a script', 'javascript:alert(1)//http://localhost:8080/callback'],
  ])('§4.1 redirect URIs are compared exactly: %s gets a page and no redirect', async (_name, redirectUri) => {
    const { clientId } = gatehouse.application('spa');
    const { url } = authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri });
    const answer = await fetch(url, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
  });

  test('§4.2 no page tells its address to where it links, and none loads anything from elsewhere', async () => {
    const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa').url);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const answer = await person.authorize();
    expect(answer.url.hash).toBe('');
  });

  test('§4.3 tokens and codes are never in the address of one of our own pages, nor cached', async () => {
    const { headers } = await exchange(gatehouse, await person.authorize());
    expect(headers.get('cache-control')).toBe('no-store');
    const token = await machineToken(gatehouse);
    const answer = await fetch(`${gatehouse.quickstart.issuer}/oauth2/v2/user_profile?access_token=${token}`);
    expect(answer.status).toBe(401);
  });

  test('§4.4 mix-up: every answer names its issuer, also one with an error', async () => {
    const { issuer } = gatehouse.quickstart;
    expect((await person.authorize()).url.searchParams.get('iss')).toBe(issuer);
    const silent = requestOf(gatehouse, 'spa', { prompt: 'none' });
    const { url } = await userAgent(gatehouse.baseUrl).open(silent.url);
    expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({ error: 'login_required', iss: issuer });
    const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({ issuer, authorization_response_iss_parameter_supported: true });
  });

  test('§4.5 code injection: a stolen code is worth nothing without the verifier, and ends with the attempt', async () => {
    const stolen = await person.authorize();
    const thief = await signUp(gatehouse);
    const answer = await exchange(gatehouse, stolen, 'spa', { code_verifier: thief.first.verifier });
    expect(answer.body).toMatchObject({ error: 'invalid_grant' });
    const other = await exchange(gatehouse, stolen, 'reg');
    expect(other.body).toMatchObject({ error: 'invalid_grant' });
  });

  test('§4.7 CSRF: a public client cannot leave PKCE out, and state and nonce come back as they were', async () => {
    const { clientId, callbackUrls } = gatehouse.application('spa');
    const bare = new URLSearchParams({ client_id: clientId, redirect_uri: callbackUrls[0]!, response_type: 'code', scope: 'openid' });
    expect((await fetch(`${gatehouse.quickstart.issuer}/oauth2/auth?${bare}`, { redirect: 'manual' })).status).toBe(400);
    const state = '&<>"\'=+ äé/?#';
    expect((await person.authorize('spa', { state })).url.searchParams.get('state')).toBe(state);
  });

  test('§4.8 PKCE downgrade: a challenge needs its verifier, a verifier its challenge, and plain is no method', async () => {
    const challenged = await person.authorize('reg');
    expect((await exchange(gatehouse, challenged, 'reg', { code_verifier: '' })).body).toMatchObject({ error: 'invalid_grant' });
    const bare = await person.authorize('reg', { code_challenge: '', code_challenge_method: '' });
    expect((await exchange(gatehouse, bare, 'reg')).body).toMatchObject({ error: 'invalid_grant' });
    const plain = requestOf(gatehouse, 'spa', { code_challenge_method: 'plain' });
    expect((await fetch(plain.url, { redirect: 'manual' })).status).toBe(400);
  });

  test('§4.9 a token of one environment is nothing at another, nor a machine’s token a person’s', async () => {
    const { body } = await exchange(gatehouse, await person.authorize());
    const { issuer } = await secondIssuer();
    expect(await profile(body.access_token)).toBe(200);
    expect(await profile(body.access_token, issuer)).toBe(401);
    expect(await profile(await machineToken(gatehouse))).toBe(401);
    expect(await profile(body.id_token)).toBe(401);
    const graph = await fetch(`${gatehouse.baseUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${body.access_token}` },
      body: JSON.stringify({ query: '{ viewer { kind } }' }),
    });
    expect(graph.status).toBe(401);
  });

  test('§4.11 open redirector: neither sign-in, logout nor an error sends a browser where nobody registered', async () => {
    const { issuer } = gatehouse.quickstart;
    for (const target of ['https://evil.test', '//evil.test', '/\\evil.test', 'http://localhost:8080.evil.test']) {
      const parameter = encodeURIComponent(target);
      for (const path of [
        `/logout?redirect=${parameter}`,
        `/logout?post_logout_redirect_uri=${parameter}`,
        `/oauth2/auth?redirect_uri=${parameter}`,
      ]) {
        const answer = await fetch(`${issuer}${path}`, { redirect: 'manual' });
        expect([path, answer.headers.get('location')]).toEqual([path, null]);
      }
    }
  });

  test('§4.12 no form that holds a password is passed on: redirects after it are 303', async () => {
    const { agent, asked } = await signIn(gatehouse, person.email);
    const csrf = /name="csrf" value="([^"]+)"/.exec(asked.html)![1]!;
    const cookie = [...agent.cookies].map(([name, value]) => `${name.split(' ')[0]}=${value}`).join('; ');
    const body = new URLSearchParams({ csrf, p_password: PASSWORD });
    const answer = await fetch(`${asked.url}/password`, { method: 'POST', redirect: 'manual', headers: { cookie }, body });
    expect(answer.status).toBe(303);
  });

  test('§4.14 refresh tokens: a replay after the grace window ends the family', async () => {
    const { body } = await exchange(gatehouse, await person.authorize());
    const next = await refresh(gatehouse, body.refresh_token);
    gatehouse.advance(120);
    expect((await refresh(gatehouse, body.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(gatehouse, next.body.refresh_token)).body).toMatchObject({ error: 'invalid_grant' });
  });

  test('§4.15 a client cannot take the name of a person', async () => {
    const token = await machineToken(gatehouse);
    expect(decodeJwt(token).sub).toBeUndefined();
  });

  test('§4.16 clickjacking: no page may be framed', async () => {
    const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa').url);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-frame-options')).toBe('DENY');
  });

  test('§2.1.2, §2.4 neither the implicit grant nor passwords for tokens', async () => {
    for (const response_type of ['token', 'id_token', 'id_token token', 'code token']) {
      const answer = await fetch(requestOf(gatehouse, 'spa', { response_type }).url, { redirect: 'manual' });
      expect([response_type, answer.status]).toEqual([response_type, 400]);
    }
    const { clientId, clientSecret } = gatehouse.application('reg');
    const form = { grant_type: 'password', username: person.email, password: PASSWORD, client_id: clientId, client_secret: clientSecret! };
    expect((await postToken(gatehouse.quickstart.issuer, form)).body.error).toBe('unsupported_grant_type');
  });

  test('§2.5 a code of a confidential client needs its secret', async () => {
    const answer = await person.authorize('reg');
    const form = codeForm(gatehouse, answer, 'reg', { client_secret: 'x'.repeat(48) });
    expect((await postToken(gatehouse.quickstart.issuer, form)).body.error).toBe('invalid_client');
  });
});

describe('RFC 8725', () => {
  /** The claims of a real token under a header and signature of one's own. */
  async function forged(make: (signed: { header: Record<string, unknown>; payload: string; publicPem: string }) => string) {
    const { body } = await exchange(gatehouse, await person.authorize());
    const { keys } = (await (await fetch(`${gatehouse.quickstart.issuer}/.well-known/jwks`)).json()) as { keys: JsonWebKey[] };
    const publicPem = createPublicKey({ key: keys[0]!, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string;
    return make({ header: { ...decodeProtectedHeader(body.access_token) }, payload: body.access_token.split('.')[1]!, publicPem });
  }

  test.each(['none', 'None', 'NONE', ''])('§3.1 alg %j is no signature', async (alg) => {
    const token = await forged(({ header, payload }) => `${encoded({ ...header, alg })}.${payload}.`);
    expect(await profile(token)).toBe(401);
  });

  test.each(['HS256', 'HS512'])('§2.1 %s with the public key as the secret is refused', async (alg) => {
    const token = await forged(({ header, payload, publicPem }) => {
      const input = `${encoded({ ...header, alg })}.${payload}`;
      return `${input}.${createHmac(alg === 'HS256' ? 'sha256' : 'sha512', publicPem)
        .update(input)
        .digest('base64url')}`;
    });
    expect(await profile(token)).toBe(401);
  });

  test('§3.5 a key that the token brings itself is not looked at', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = publicKey.export({ format: 'jwk' });
    for (const extra of [
      { jwk },
      { jku: 'https://evil.test/jwks' },
      { x5u: 'https://evil.test/x' },
      { kid: '../../etc/passwd' },
      { kid: 'unknown' },
    ]) {
      const token = await forged(({ header, payload }) => {
        const input = `${encoded({ ...header, ...extra })}.${payload}`;
        return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
      });
      expect(await profile(token)).toBe(401);
    }
  });

  test('§2.3 tokens that are not whole, or far too long, are refused, and never a fault', async () => {
    const good = (await exchange(gatehouse, await person.authorize())).body.access_token;
    const [header, payload, signature] = good.split('.');
    const broken = [
      '.',
      '..',
      '...',
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `${header}..${signature}`,
      `${payload}.${header}.${signature}`,
      `${good}.${signature}`,
      `${good}x`,
      good.slice(1),
      'a'.repeat(15_000),
      `${header}.${'a'.repeat(12_000)}.${signature}`,
      `${encoded([])}.${payload}.${signature}`,
      `${encoded({ alg: 'RS256', crit: ['exp'] })}.${payload}.${signature}`,
    ];
    for (const token of broken) expect([token.slice(0, 40), await profile(token)]).toEqual([token.slice(0, 40), 401]);
    expect(await profile(good)).toBe(200);
  });
});
