/** Keys come and go: published before they sign, there for as long as a token of theirs lives, and gone at once when they leaked. */
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { updateApplicationTokens } from '../../src/features/applications/tokens/service.ts';
import { createContext } from '../../src/features/context.ts';
import { deleteRetiredKeys, rotateOldKeys, rotateSigningKey } from '../../src/features/signing-keys/service.ts';
import { SIGNING_ALGORITHMS } from '../../src/security/jwt.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, teamToken } from '../helpers/user-agent.ts';
import { exchange, type Person, productionEnvironment, refresh, signUp } from '../signin/person.ts';

const gatehouse = startApp();
let environmentId: string;
let person: Person;
beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  person = await signUp(gatehouse);
});
afterEach(async () => {
  await rotate({ isCompromised: true, algorithm: 'RS256' });
});

const operator = () => createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
const rotate = (input: { algorithm?: 'RS256' | 'ES256' | 'EdDSA'; isCompromised?: boolean } = {}) =>
  rotateSigningKey(operator(), { environmentId, ...input });
const read = async (path: string) => (await fetch(`${gatehouse.baseUrl}/.well-known/${path}`)).json() as Promise<Record<string, unknown>>;
const published = async () => ((await read('jwks'))['keys'] as JWK[]).map(({ kid }) => kid!);
const algorithms = async () => (await read('openid-configuration'))['id_token_signing_alg_values_supported'];
const kidOf = (token: string) => decodeProtectedHeader(token).kid!;
const isTaken = async (token: string) => (await ask(gatehouse, token, '{ viewer { kind } }')).status === 200;
const profile = async (token: string) =>
  (await fetch(`${gatehouse.baseUrl}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;

describe.each(SIGNING_ALGORITHMS)('with %s', (algorithm) => {
  test('a library signs a person in, and every verifier of ours takes the tokens', async () => {
    await rotate({ algorithm, isCompromised: true });
    expect(await algorithms()).toEqual([algorithm]);
    const { access_token, id_token, refresh_token } = (await exchange(gatehouse, await person.authorize())).body;
    for (const token of [access_token, id_token]) {
      expect(JSON.parse(atob(token.split('.')[0]!))).toEqual({ alg: algorithm, typ: 'JWT', kid: (await published())[0] });
      const keys = createRemoteJWKSet(new URL(`${gatehouse.baseUrl}/.well-known/jwks.json`));
      await jwtVerify(token, keys, { issuer: gatehouse.baseUrl, algorithms: [algorithm] });
    }
    expect(await profile(access_token)).toBe(200);
    expect(await isTaken(await machineToken(gatehouse))).toBe(true);
    const hash = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256')
      .update(access_token)
      .digest();
    expect(decodeJwt(id_token)['at_hash']).toBe(hash.subarray(0, hash.length / 2).toString('base64url'));

    const config = await client.discovery(
      new URL(gatehouse.baseUrl),
      gatehouse.application('spa').clientId,
      { id_token_signed_response_alg: algorithm },
      client.None(),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
    );
    expect((await client.refreshTokenGrant(config, refresh_token)).claims()?.sub).toBe(decodeJwt(access_token).sub);
  });

  test('a key is published in the form that libraries insist on', async () => {
    await rotate({ algorithm, isCompromised: true });
    const [key] = (await read('jwks'))['keys'] as JWK[];
    expect(key).toMatchObject({ use: 'sig', alg: algorithm, kid: expect.stringMatching(/^[0-9a-f]{32}$/) });
    const material = { RS256: ['e', 'n'], ES256: ['crv', 'x', 'y'], EdDSA: ['crv', 'x'] }[algorithm];
    expect(Object.keys(key!).toSorted()).toEqual(['alg', 'kid', 'kty', 'use', ...material].toSorted());
  });
});

test('a new key is published an hour before it signs, behind the one that does, and the old one for as long as its tokens live', async () => {
  const before = await machineToken(gatehouse);
  await rotate({ algorithm: 'ES256' });
  const [old, young] = await published();
  expect(old).toBe(kidOf(before));
  expect(await algorithms()).toEqual(['RS256', 'ES256']);
  expect(kidOf(await machineToken(gatehouse))).toBe(old);
  gatehouse.advance(3590);
  const last = await machineToken(gatehouse);
  expect(kidOf(last)).toBe(old);
  gatehouse.advance(20);
  expect(kidOf(await machineToken(gatehouse))).toBe(young);
  expect(await published()).toEqual([young, old]);
  expect(await isTaken(last)).toBe(true);
  gatehouse.advance(86_000);
  expect(await deleteRetiredKeys(gatehouse.app.infrastructure)).toBe(0);
  expect(await isTaken(last)).toBe(true);
  gatehouse.advance(500);
  expect(await isTaken(last)).toBe(false);
  expect(await deleteRetiredKeys(gatehouse.app.infrastructure)).toBe(1);
  expect(await published()).toEqual([young]);
  expect(await isTaken(await machineToken(gatehouse))).toBe(true);
});

test('a lifetime that was long once keeps the key of its tokens, though it is short again', async () => {
  const applicationId = `app_${gatehouse.application('m2m').clientId}`;
  const live = (accessTokenLifetime: number, refreshTokenLifetime: number) =>
    updateApplicationTokens(operator(), { applicationId, accessTokenLifetime, refreshTokenLifetime });
  await live(40 * 86_400, 50 * 86_400);
  const long = await machineToken(gatehouse);
  await live(86_400, 1_296_000);
  await rotate();
  gatehouse.advance(39 * 86_400);
  await deleteRetiredKeys(gatehouse.app.infrastructure);
  expect(await isTaken(long)).toBe(true);
  gatehouse.advance(3 * 86_400);
  expect(await deleteRetiredKeys(gatehouse.app.infrastructure)).toBe(1);
  expect(await published()).not.toContain(kidOf(long));
});

test('a compromised key goes at once, with everything that it signed', async () => {
  const machine = await machineToken(gatehouse);
  person = await signUp(gatehouse);
  const { access_token, refresh_token } = (await exchange(gatehouse, await person.authorize())).body;
  await rotate({ isCompromised: true });
  expect(await published()).toHaveLength(1);
  expect(await published()).not.toContain(kidOf(machine));
  expect(await isTaken(machine)).toBe(false);
  expect(await profile(access_token)).toBe(401);
  const fresh = (await refresh(gatehouse, refresh_token)).body;
  expect(await profile(fresh.access_token)).toBe(200);
});

test('a key is replaced after ninety days, once, however many servers see to it', async () => {
  await rotate({ isCompromised: true, algorithm: 'EdDSA' });
  const [old] = await published();
  await rotateOldKeys(gatehouse.app.infrastructure);
  expect(await published()).toEqual([old]);
  gatehouse.advance(90 * 86_400 + 1);
  await Promise.all(Array.from({ length: 5 }, () => rotateOldKeys(gatehouse.app.infrastructure)));
  const keys = await published();
  expect(keys).toEqual([old, expect.any(String)]);
  expect(await algorithms()).toEqual(['EdDSA']);
  expect(await rotateOldKeys(gatehouse.app.infrastructure)).toBe(0);
});

test('no key is replaced by itself where the operator does not want that', async () => {
  const { infrastructure } = gatehouse.app;
  const before = await published();
  gatehouse.advance(1000 * 86_400);
  expect(await rotateOldKeys({ ...infrastructure, config: { ...infrastructure.config, signingKeyDays: 0 } })).toBe(0);
  expect(await published()).toEqual(before);
});

test('of many operators who rotate at once, one does', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => rotate()));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await published()).toHaveLength(2);
});

test('the graph tells of keys, and of nothing private', async () => {
  await rotate({ algorithm: 'ES256' });
  const owner = await teamToken(gatehouse, 'owner@acme.test');
  const query = `{ environment(id: "${environmentId}") { signingKeys { kid algorithm publicJwk createdAt signsFrom retiredAt } } }`;
  const { data } = await ask<{ environment: { signingKeys: Record<string, unknown>[] } }, object>(gatehouse, owner, query);
  const [young, old] = data!.environment.signingKeys;
  expect([young!['algorithm'], old!['algorithm']]).toEqual(['ES256', 'RS256']);
  expect(old!['retiredAt']).toBe(young!['signsFrom']);
  expect(young!['retiredAt']).toBeNull();
  expect(new Set(data!.environment.signingKeys.map(({ publicJwk }) => publicJwk))).toEqual(new Set((await read('jwks'))['keys'] as JWK[]));
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(young!['publicJwk']).not.toHaveProperty(member);
});

test('who has the documents already is told that they are the same', async () => {
  for (const path of ['openid-configuration', 'oauth-authorization-server', 'jwks', 'jwks.json']) {
    const url = `${gatehouse.baseUrl}/.well-known/${path}`;
    const tag = (await fetch(url)).headers.get('etag')!;
    expect(tag).toMatch(/^"[0-9a-f]{32}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const answer = await fetch(url, { headers: { 'if-none-match': known } });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', tag]);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    }
    expect((await fetch(url, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  }
  const before = (await fetch(`${gatehouse.baseUrl}/.well-known/jwks`)).headers.get('etag')!;
  await rotate();
  expect((await fetch(`${gatehouse.baseUrl}/.well-known/jwks`, { headers: { 'if-none-match': before } })).status).toBe(200);
});
