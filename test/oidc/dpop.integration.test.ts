/** DPoP (RFC 9449): tokens that are worth something only to who holds a key. */
import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, decodeJwt, type JWTPayload } from 'jose';
import * as client from 'openid-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { hashOf, newKey, type ProofFor, proofBy } from '../helpers/dpop.ts';
import { postForm, postToken } from '../helpers/user-agent.ts';
import { codeForm, type Kind, type Person, refreshForm, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

const key = newKey();
const other = newKey();

let made = 0;
const seconds = () => Math.floor(gatehouse.app.infrastructure.clock.now().getTime() / 1000);
const TOKEN = { htm: 'POST', htu: '/oauth2/token' };
const PROFILE = { htm: 'GET', htu: '/oauth2/userinfo' };

const proof = (of: ProofFor, changes: JWTPayload = {}, header: object = {}, by = key) => proofBy(gatehouse, by, of, changes, header);

const tokensFor = async (dpop: string | undefined, kind: Kind = 'spa', parameters = {}) =>
  postToken(gatehouse.baseUrl, codeForm(gatehouse, await person.authorize(kind, parameters), kind), dpop === undefined ? {} : { dpop });
const refreshWith = (token: string, dpop: string | undefined, kind: Kind = 'spa') =>
  postToken(gatehouse.baseUrl, refreshForm(gatehouse, token, kind), dpop === undefined ? {} : { dpop });
const profile = async (headers: Record<string, string>) => {
  const answer = await fetch(gatehouse.baseUrl + PROFILE.htu, { headers });
  return { status: answer.status, challenge: answer.headers.get('www-authenticate') };
};
const boundProfile = async (token: string, changes: JWTPayload = {}, header: object = {}, by = key) =>
  (await profile({ authorization: `DPoP ${token}`, dpop: await proof(PROFILE, { ath: hashOf(token), ...changes }, header, by) })).status;

test('a library gets a bound token, refreshes it and reads the profile with it', async () => {
  const { clientId } = gatehouse.application('spa');
  const config = await client.discovery(new URL(gatehouse.baseUrl), clientId, undefined, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const jkt = await handle.calculateThumbprint();
  const answer = await person.authorize('spa', { dpop_jkt: jkt });
  const checks = { pkceCodeVerifier: answer.verifier, expectedState: answer.sent['state']!, expectedNonce: answer.sent['nonce']! };
  const tokens = await client.authorizationCodeGrant(config, answer.url, checks, undefined, { DPoP: handle });
  expect(tokens.token_type).toBe('dpop');
  expect(decodeJwt(tokens.access_token)['cnf']).toEqual({ jkt });
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token!, undefined, { DPoP: handle });
  const told = await client.fetchUserInfo(config, fresh.access_token, fresh.claims()!.sub, { DPoP: handle });
  expect(told.email).toBe(person.email);
  expect(config.serverMetadata()['dpop_signing_alg_values_supported']).toEqual(['RS256', 'PS256', 'ES256', 'EdDSA']);
});

test.each(['ES256', 'EdDSA', 'RS256'] as const)('a key for %s is taken', async (alg) => {
  const own = newKey(alg);
  const { body } = await tokensFor(await proof(TOKEN, {}, {}, own));
  expect(body.token_type).toBe('DPoP');
  expect(decodeJwt(body.access_token)['cnf']).toEqual({ jkt: await calculateJwkThumbprint(own.jwk) });
  expect(await boundProfile(body.access_token, {}, {}, own)).toBe(200);
});

test('a bound token is no bearer token, needs its own key, and a plain token takes no proof', async () => {
  const bound = (await tokensFor(await proof(TOKEN))).body.access_token;
  expect((await profile({ authorization: `Bearer ${bound}` })).status).toBe(401);
  expect((await profile({ authorization: `Bearer ${bound}`, dpop: await proof(PROFILE, { ath: hashOf(bound) }) })).status).toBe(401);
  expect(await profile({ authorization: `DPoP ${bound}` })).toEqual({
    status: 401,
    challenge: expect.stringMatching(/^DPoP error="invalid_token", algs="/),
  });
  expect(await boundProfile(bound, {}, {}, other)).toBe(401);
  expect(await boundProfile(bound)).toBe(200);
  const plain = (await tokensFor(undefined)).body;
  expect(plain.token_type).toBe('bearer');
  expect(await boundProfile(plain.access_token)).toBe(401);
  expect((await profile({ authorization: `Bearer ${plain.access_token}` })).status).toBe(200);
});

test('a proof is good once, also when it comes twenty times at once', async () => {
  const token = (await tokensFor(await proof(TOKEN))).body.access_token;
  const headers = { authorization: `DPoP ${token}`, dpop: await proof(PROFILE, { ath: hashOf(token) }) };
  const answers = await Promise.all(Array.from({ length: 20 }, () => profile(headers)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect((await profile(headers)).status).toBe(401);
});

test('the graph takes a bound token with its proof, and not without', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { managementAudience, graphqlUrl } = gatehouse.quickstart;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret!, audience: managementAudience };
  const { body } = await postToken(gatehouse.baseUrl, form, { dpop: await proof(TOKEN) });
  expect(body.token_type).toBe('DPoP');
  const token = body.access_token;
  const asked = async (headers: Record<string, string>) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{"query":"{ viewer { kind } }"}' };
    return (await fetch(graphqlUrl, init)).status;
  };
  const graph = { htm: 'POST', htu: new URL(graphqlUrl).pathname };
  expect(await asked({ authorization: `Bearer ${token}` })).toBe(401);
  expect(await asked({ authorization: `DPoP ${token}` })).toBe(401);
  expect(await asked({ authorization: `DPoP ${token}`, dpop: await proof(PROFILE, { ath: hashOf(token) }) })).toBe(401);
  const right = { authorization: `DPoP ${token}`, dpop: await proof(graph, { ath: hashOf(token) }) };
  expect(await asked(right)).toBe(200);
  expect(await asked(right)).toBe(401);
  const told = await postForm(`${gatehouse.baseUrl}/oauth2/introspect`, { client_id: clientId, client_secret: clientSecret!, token });
  expect(told.body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: await calculateJwkThumbprint(key.jwk) } });
  const byToken = await postForm(`${gatehouse.baseUrl}/oauth2/introspect`, { token }, { authorization: `Bearer ${token}` });
  expect(byToken.status).toBe(401);
});

test('a public client’s refresh token is bound to the key: a thief without it gets nothing and ends nothing', async () => {
  const { refresh_token } = (await tokensFor(await proof(TOKEN))).body;
  for (const dpop of [undefined, await proof(TOKEN, {}, {}, other)]) {
    const { status, body } = await refreshWith(refresh_token, dpop);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  }
  const { status, body } = await refreshWith(refresh_token, await proof(TOKEN));
  expect([status, body.token_type]).toEqual([200, 'DPoP']);
  gatehouse.advance(31);
  expect((await refreshWith(refresh_token, undefined)).body.error).toBe('invalid_grant');
  expect((await refreshWith(body.refresh_token, await proof(TOKEN))).status).toBe(200);
});

test('a client with a secret may change its key', async () => {
  const { refresh_token } = (await tokensFor(await proof(TOKEN), 'reg')).body;
  const { body } = await refreshWith(refresh_token, await proof(TOKEN, {}, {}, other), 'reg');
  expect(decodeJwt(body.access_token)['cnf']).toEqual({ jkt: await calculateJwkThumbprint(other.jwk) });
});

test('a code that was asked for with a key is exchanged with that key alone', async () => {
  const jkt = await calculateJwkThumbprint(key.jwk);
  for (const kind of ['spa', 'reg'] as const) {
    const answer = await person.authorize(kind, { dpop_jkt: jkt });
    const exchangeWith = async (dpop: string | undefined) =>
      postToken(gatehouse.baseUrl, codeForm(gatehouse, answer, kind), dpop ? { dpop } : {});
    expect((await exchangeWith(undefined)).body.error).toBe('invalid_grant');
    expect((await exchangeWith(await proof(TOKEN, {}, {}, other))).body.error).toBe('invalid_grant');
    expect((await exchangeWith(await proof(TOKEN))).status).toBe(200);
  }
  for (const wrong of ['x', 'x'.repeat(42), 'x'.repeat(44), `${'x'.repeat(42)}=`])
    expect((await fetch(requestOf(gatehouse, 'spa', { dpop_jkt: wrong }).url, { redirect: 'manual' })).status).toBe(400);
});

describe('refused is a proof', () => {
  const expectRefused = async (dpop: string) => {
    const { status, body } = await tokensFor(dpop);
    expect([status, body.error]).toEqual([400, 'invalid_dpop_proof']);
  };
  test.each<[string, () => JWTPayload]>([
    ['for another method', () => ({ htm: 'GET' })],
    ['for another URL', () => ({ htu: `${gatehouse.baseUrl}/oauth2/revoke` })],
    ['for another server', () => ({ htu: 'https://evil.test/oauth2/token' })],
    ['for another issuer of ours', () => ({ htu: `${gatehouse.baseUrl}/e/account/oauth2/token` })],
    ['for no URL', () => ({ htu: 'token' })],
    ['that is old', () => ({ iat: seconds() - 70 })],
    ['from the future', () => ({ iat: seconds() + 70 })],
    ['without a time', () => ({ iat: undefined })],
    ['without a jti', () => ({ jti: undefined })],
    ['with an endless jti', () => ({ jti: 'x'.repeat(256) })],
    ['that expired', () => ({ exp: seconds() - 10 })],
  ])('%s', async (_what, changes) => {
    await expectRefused(await proof(TOKEN, changes()));
  });

  test.each<[string, () => object]>([
    ['of another type', () => ({ typ: 'JWT' })],
    ['without a key', () => ({ jwk: undefined })],
    ['with another’s key', () => ({ jwk: other.jwk })],
    ['with a private key', () => ({ jwk: key.privateKey.export({ format: 'jwk' }) })],
    ['with a shared secret', () => ({ jwk: { kty: 'oct', k: 'AAAA' } })],
  ])('%s', async (_what, header) => {
    await expectRefused(await proof(TOKEN, {}, header()));
  });

  test('that is none, or two, or signed with nothing or a shared secret', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = () => encode({ htm: 'POST', htu: `${gatehouse.baseUrl}/oauth2/token`, jti: `none-${++made}`, iat: seconds() });
    for (const text of ['x', 'a.b.c', `${await proof(TOKEN)}, ${await proof(TOKEN)}`, 'x'.repeat(9000)]) await expectRefused(text);
    await expectRefused(`${encode({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk })}.${claims()}.`);
    await expectRefused(`${encode({ alg: 'HS256', typ: 'dpop+jwt', jwk: key.jwk })}.${claims()}.AAAA`);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { alg: 'RS256', typ: 'dpop+jwt', jwk: weak.publicKey.export({ format: 'jwk' }) };
    await expectRefused(`${encode(short)}.${claims()}.AAAA`);
  });

  test('for another token', async () => {
    const token = (await tokensFor(await proof(TOKEN))).body.access_token;
    expect(await boundProfile(token, { ath: hashOf('another') })).toBe(401);
    expect(await boundProfile(token, { ath: undefined })).toBe(401);
    expect(await boundProfile(token, { htm: 'POST' })).toBe(401);
    expect(await boundProfile(token, { htu: `${gatehouse.baseUrl}/oauth2/userinfo?token=x#y` })).toBe(200);
  });
});
