/** Clients that prove themselves by JWTs of their own (RFC 7523), and what pretends to be such a proof. */
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportSPKI, type JWK, type JWTPayload, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { updateApplicationKeys } from '../../src/features/applications/keys/service.ts';
import { createContext } from '../../src/features/context.ts';
import { deleteExpiredUses } from '../../src/features/replays/service.ts';
import { startApp } from '../helpers/app.ts';
import { postForm } from '../helpers/user-agent.ts';

const gatehouse = startApp();
const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}
const PAIRS: Record<string, Pair> = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
};
const jwkOf = (alg: string, kid = alg): JWK => ({ ...(PAIRS[alg]!.publicKey.export({ format: 'jwk' }) as JWK), alg, kid });

let clientId: string;
let clientSecret: string;
const operator = () => createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
const register = (keys: { jwks?: unknown; jwksUri?: string | null }) =>
  updateApplicationKeys(operator(), { applicationId: `app_${clientId}`, ...keys });

beforeAll(() => {
  ({ clientId } = gatehouse.application('m2m'));
  clientSecret = gatehouse.application('m2m').clientSecret!;
});
beforeEach(() => register({ jwks: { keys: Object.keys(PAIRS).map((alg) => jwkOf(alg)) }, jwksUri: null }));

let made = 0;
const claims = (changes: JWTPayload = {}): JWTPayload => {
  const now = Math.floor(gatehouse.app.infrastructure.clock.now().getTime() / 1000);
  return { iss: clientId, sub: clientId, aud: gatehouse.baseUrl, jti: `jti-${++made}`, iat: now, exp: now + 60, ...changes };
};
const sign = (alg = 'ES256', changes: JWTPayload = {}, header = {}, key: KeyObject = PAIRS[alg]!.privateKey) =>
  new SignJWT(claims(changes)).setProtectedHeader({ alg, kid: alg, ...header }).sign(key);
const formOf = (assertion: string, changes = {}) => ({
  grant_type: 'client_credentials',
  audience: gatehouse.quickstart.managementAudience,
  client_assertion_type: TYPE,
  client_assertion: assertion,
  ...changes,
});
const present = (assertion: string, changes = {}) => postForm(`${gatehouse.baseUrl}/oauth2/token`, formOf(assertion, changes));

async function expectRefused(assertion: string, changes = {}): Promise<void> {
  const { status, body } = await present(assertion, changes);
  expect([status, body]).toEqual([401, { error: 'invalid_client', error_description: expect.any(String) }]);
}

test.each(Object.keys(PAIRS))('a client proves itself by %s, with or without its client_id', async (alg) => {
  expect((await present(await sign(alg))).status).toBe(200);
  expect((await present(await sign(alg), { client_id: clientId })).status).toBe(200);
  expect((await present(await sign(alg, { aud: `${gatehouse.baseUrl}/oauth2/token` }))).status).toBe(200);
  expect((await present(await sign(alg, { aud: [gatehouse.baseUrl] }))).status).toBe(200);
});

test('a library’s own implementation is understood, at every endpoint that asks who is there', async () => {
  const { publicKey, privateKey } = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  await register({
    jwks: { keys: [{ ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'library', key_ops: undefined, ext: undefined }] },
  });
  const issuer = new URL(gatehouse.baseUrl);
  const insecure = { [oauth.allowInsecureRequests]: true };
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const authenticate = oauth.PrivateKeyJwt({ key: privateKey, kid: 'library' });
  const client = { client_id: clientId };
  const parameters = new URLSearchParams({ audience: gatehouse.quickstart.managementAudience });
  const answer = await oauth.clientCredentialsGrantRequest(as, client, authenticate, parameters, insecure);
  const { access_token } = await oauth.processClientCredentialsResponse(as, client, answer);
  const told = await oauth.introspectionRequest(as, client, authenticate, access_token, insecure);
  expect(await oauth.processIntrospectionResponse(as, client, told)).toMatchObject({ active: true });
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authenticate, access_token, insecure));
  const again = await oauth.introspectionRequest(as, client, authenticate, access_token, insecure);
  expect(await oauth.processIntrospectionResponse(as, client, again)).toEqual({ active: false });
});

test('an assertion is good once, also when it comes twenty times at once', async () => {
  const assertion = await sign();
  const answers = await Promise.all(Array.from({ length: 20 }, () => present(assertion)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
  await expectRefused(assertion);
});

test('a kept jti goes when the assertion could not come again', async () => {
  const assertion = await sign();
  expect((await present(assertion)).status).toBe(200);
  await deleteExpiredUses(gatehouse.app.infrastructure);
  await expectRefused(assertion);
  gatehouse.advance(700);
  while ((await deleteExpiredUses(gatehouse.app.infrastructure, 3)) > 0);
  expect(await gatehouse.app.infrastructure.database.prisma.usedJti.count()).toBe(0);
  await expectRefused(assertion);
});

describe('refused is an assertion', () => {
  const now = () => Math.floor(gatehouse.app.infrastructure.clock.now().getTime() / 1000);
  test.each<[string, () => JWTPayload]>([
    ['for another issuer', () => ({ aud: `${gatehouse.baseUrl}/e/account` })],
    ['for two audiences', () => ({ aud: [gatehouse.baseUrl, 'https://evil.test'] })],
    ['for nobody', () => ({ aud: undefined })],
    ['of another issuer than its subject', () => ({ iss: gatehouse.application('reg').clientId })],
    ['of another client', () => ({ iss: gatehouse.application('reg').clientId, sub: gatehouse.application('reg').clientId })],
    ['of no client', () => ({ iss: 'f'.repeat(32), sub: 'f'.repeat(32) })],
    ['that expired', () => ({ exp: now() - 60 })],
    ['that never expires', () => ({ exp: undefined })],
    ['that lives too long', () => ({ exp: now() + 3600 })],
    ['from the future', () => ({ iat: now() + 300 })],
    ['not yet good', () => ({ nbf: now() + 300 })],
    ['without a jti', () => ({ jti: undefined })],
    ['with an empty jti', () => ({ jti: '' })],
    ['with a jti that is no text', () => ({ jti: 7 as never })],
    ['with an endless jti', () => ({ jti: 'x'.repeat(256) })],
  ])('%s', async (_what, changes) => {
    await expectRefused(await sign('ES256', changes()));
  });

  test('that is signed with another’s key, or with a kid that is another’s', async () => {
    await expectRefused(await sign('ES256', {}, {}, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey));
    await expectRefused(await sign('ES256', {}, { kid: 'EdDSA' }));
    await expectRefused(await sign('RS256', {}, { kid: 'PS256' }));
  });

  test('whose algorithm is none, or an HMAC with what is public', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const alg of ['none', 'None', 'HS256', 'RS1', 'RS512', 'ES256K'])
      for (const secret of [
        await exportSPKI(PAIRS['RS256']!.publicKey),
        JSON.stringify(jwkOf('RS256')),
        jwkOf('RS256').n!,
        clientSecret,
        '',
      ]) {
        const body = `${encode({ alg, kid: 'RS256' })}.${encode(claims())}`;
        await expectRefused(`${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`);
        await expectRefused(`${body}.`);
      }
  });

  test('with a key of its own in its header', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await expectRefused(await sign('ES256', {}, { jwk: publicKey.export({ format: 'jwk' }), kid: 'mine' }, privateKey));
    await expectRefused(await sign('ES256', {}, { jku: 'https://evil.test/keys', kid: 'mine' }, privateKey));
  });

  test('that is none', async () => {
    for (const text of ['x', 'a.b.c', '..', '\0', 'x'.repeat(20_000)]) await expectRefused(text);
    await expectRefused(await sign(), { client_assertion_type: 'something' });
    await expectRefused(await sign(), { client_assertion_type: '' });
    await expectRefused('', { client_id: clientId });
    await expectRefused(await sign(), { client_id: gatehouse.application('reg').clientId });
  });
});

test('a client proves itself in one way, and while it has keys its secret proves nothing', async () => {
  const secret = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    audience: gatehouse.quickstart.managementAudience,
  };
  const withSecret = () => postForm(`${gatehouse.baseUrl}/oauth2/token`, secret);
  expect((await withSecret()).body).toMatchObject({ error: 'invalid_client' });
  expect((await present(await sign(), { client_secret: clientSecret })).body).toMatchObject({ error: 'invalid_request' });
  await register({ jwks: null });
  expect((await withSecret()).status).toBe(200);
  await expectRefused(await sign());
});

describe('keys that are fetched', () => {
  let server: Server;
  let answer: { status: number; body: string };
  let requests = 0;
  let url: string;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      requests++;
      response.writeHead(answer.status, { location: '/elsewhere' }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => server.close());

  const publish = (keys: readonly unknown[], status = 200) => {
    answer = { status, body: JSON.stringify({ keys }) };
  };
  let path = 0;
  beforeEach(async () => {
    requests = 0;
    await register({ jwks: null, jwksUri: `${url}${path++}` });
  });

  test('are fetched once for many proofs, and anew for a key that is not among them', async () => {
    publish([jwkOf('ES256'), { kty: 'oct', k: 'AAAA' }, { kty: 'RSA', use: 'enc' }]);
    const answers = await Promise.all(Array.from({ length: 10 }, async () => present(await sign())));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(requests).toBe(1);
    publish([jwkOf('EdDSA')]);
    await expectRefused(await sign('EdDSA'));
    expect(requests).toBe(1);
    gatehouse.advance(31);
    expect((await present(await sign('EdDSA'))).status).toBe(200);
    await expectRefused(await sign('ES256'));
    expect(requests).toBe(2);
  });

  test('are forgotten after five minutes', async () => {
    publish([jwkOf('ES256')]);
    expect((await present(await sign())).status).toBe(200);
    publish([jwkOf('EdDSA')]);
    gatehouse.advance(301);
    await expectRefused(await sign('ES256'));
  });

  test('are none when the answer is an error, a redirect, too long, or no key set', async () => {
    for (const [status, body] of [
      [500, ''],
      [302, ''],
      [200, 'x'],
      [200, '[]'],
      [200, JSON.stringify({ keys: [jwkOf('ES256')], padding: 'x'.repeat(70_000) })],
    ] as const) {
      answer = { status, body };
      await register({ jwksUri: `${url}${path++}` });
      await expectRefused(await sign());
    }
  });
});
