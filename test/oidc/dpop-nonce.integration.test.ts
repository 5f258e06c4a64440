/** Nonces in DPoP proofs (RFC 9449 §8, §9), where an environment asks for them: a proof that was made beforehand is good for nothing. */
import { calculateJwkThumbprint, decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dpopNonce, NONCE_SECONDS } from '../../src/oidc/dpop-nonce.ts';
import { startApp } from '../helpers/app.ts';
import { hashOf, newKey, type ProofFor, proofBy } from '../helpers/dpop.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, postForm, postToken } from '../helpers/user-agent.ts';
import { codeForm, type Person, productionEnvironment, refreshForm, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const key = newKey();
const TOKEN = { htm: 'POST', htu: '/oauth2/token' };
const PAR = { htm: 'POST', htu: '/oauth2/par' };
const RESOURCES = [
  '/oauth2/userinfo',
  '/oauth2/v2/user_profile',
  '/oauth2/user_profile',
  '/account_api/v1/user_profile',
  '/account_api/v1/roles',
];

let person: Person;
let environmentId: string;

async function requireNonces(requireDpopNonce: boolean): Promise<void> {
  const query = `mutation ($input: UpdateEnvironmentPoliciesInput!) {
    updateEnvironmentPolicies(input: $input) { errors { code } environment { policies { requireDpopNonce } } } }`;
  const { data } = await ask<{ updateEnvironmentPolicies: object }, object>(gatehouse, await machineToken(gatehouse), query, {
    input: { environmentId, requireDpopNonce },
  });
  expect(data?.updateEnvironmentPolicies).toEqual({ errors: [], environment: { policies: { requireDpopNonce } } });
}

beforeAll(async () => {
  ({ id: environmentId } = await productionEnvironment(gatehouse));
  person = await signUp(gatehouse);
});
beforeEach(() => requireNonces(true));

const current = (environment = environmentId) => dpopNonce(gatehouse.app.infrastructure, environment);
const proof = (of: ProofFor, nonce?: unknown, token?: string, by = key) =>
  proofBy(gatehouse, by, of, { ...(nonce !== undefined && { nonce }), ...(token !== undefined && { ath: hashOf(token) }) });
const tokensWith = async (dpop: string) => postToken(gatehouse.baseUrl, codeForm(gatehouse, await person.authorize()), { dpop });
const boundToken = async () => (await tokensWith(await proof(TOKEN, current()))).body;

async function read(path: string, token: string, nonce: unknown) {
  const headers = { authorization: `DPoP ${token}`, dpop: await proof({ htm: 'GET', htu: path }, nonce, token) };
  const answer = await fetch(gatehouse.baseUrl + path, { headers });
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), nonce: answer.headers.get('dpop-nonce') };
}

test('the token endpoint tells the nonce, takes it, and takes the same code that it was asked for with before', async () => {
  const form = codeForm(gatehouse, await person.authorize());
  const asked = await postToken(gatehouse.baseUrl, form, { dpop: await proof(TOKEN) });
  expect([asked.status, asked.body.error]).toEqual([400, 'use_dpop_nonce']);
  expect(asked.headers.get('cache-control')).toBe('no-store');
  const nonce = asked.headers.get('dpop-nonce');
  expect(nonce).toBe(current());
  const given = await postToken(gatehouse.baseUrl, form, { dpop: await proof(TOKEN, nonce) });
  expect([given.status, given.body.token_type, given.headers.get('dpop-nonce')]).toEqual([200, 'DPoP', nonce]);
});

test.each(RESOURCES)('%s asks for the nonce and takes it', async (path) => {
  const { access_token } = await boundToken();
  const asked = await read(path, access_token, undefined);
  expect(asked).toEqual({ status: 401, challenge: expect.stringMatching(/^DPoP error="use_dpop_nonce", algs="/), nonce: current() });
  expect(await read(path, access_token, asked.nonce)).toEqual({ status: 200, challenge: null, nonce: current() });
});

test('the graph asks for the nonce of the environment that the token is of', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { managementAudience, graphqlUrl } = gatehouse.quickstart;
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret!, audience: managementAudience };
  const token = (await postToken(gatehouse.baseUrl, form, { dpop: await proof(TOKEN, current()) })).body.access_token;
  const asked = async (nonce: unknown) => {
    const dpop = await proof({ htm: 'POST', htu: new URL(graphqlUrl).pathname }, nonce, token);
    const headers = { 'content-type': 'application/json', authorization: `DPoP ${token}`, dpop };
    const answer = await fetch(graphqlUrl, { method: 'POST', headers, body: '{"query":"{ viewer { kind } }"}' });
    return [answer.status, answer.headers.get('dpop-nonce'), answer.headers.get('www-authenticate')];
  };
  const challenge = expect.stringMatching(/^DPoP error="use_dpop_nonce", algs="[^"]*", resource_metadata="/);
  for (const nonce of [undefined, 'x'.repeat(43), current((await accountEnvironment()).id)])
    expect(await asked(nonce)).toEqual([401, current(), challenge]);
  expect(await asked(current())).toEqual([200, current(), null]);
});

const accountEnvironment = () => gatehouse.app.infrastructure.database.prisma.environment.findFirstOrThrow({ where: { kind: 'account' } });

describe('refused is a nonce', () => {
  test.each<[string, () => unknown | Promise<unknown>]>([
    ['that was made up', () => 'x'.repeat(43)],
    ['that is nothing', () => ''],
    ['that is a list', () => [current()]],
    ['with something behind it', () => `${current()}x`],
    ['of another environment', async () => current((await accountEnvironment()).id)],
  ])('%s', async (_what, make) => {
    const nonce = await make();
    const { status, body } = await tokensWith(await proof(TOKEN, nonce));
    expect([status, body.error]).toEqual([400, 'use_dpop_nonce']);
    const { access_token } = await boundToken();
    expect((await read(RESOURCES[0]!, access_token, nonce)).status).toBe(401);
  });

  test('that is stale; the one that comes with each answer is new before the last runs out', async () => {
    const { access_token, refresh_token } = await boundToken();
    const first = current();
    gatehouse.advance(NONCE_SECONDS);
    const next = current();
    expect(next).not.toBe(first);
    expect(await read(RESOURCES[0]!, access_token, first)).toMatchObject({ status: 200, nonce: next });
    gatehouse.advance(NONCE_SECONDS);
    expect(await read(RESOURCES[0]!, access_token, first)).toMatchObject({ status: 401, nonce: current() });
    expect((await read(RESOURCES[0]!, access_token, next)).status).toBe(200);
    const stale = await postToken(gatehouse.baseUrl, refreshForm(gatehouse, refresh_token), { dpop: await proof(TOKEN, first) });
    expect([stale.body.error, stale.headers.get('dpop-nonce')]).toEqual(['use_dpop_nonce', current()]);
    const fresh = await postToken(gatehouse.baseUrl, refreshForm(gatehouse, refresh_token), { dpop: await proof(TOKEN, current()) });
    expect(fresh.status).toBe(200);
  });

  test('in a proof that is wrong otherwise, which learns of no nonce; a proof with one is still good once only', async () => {
    for (const of of [PAR, { htm: 'GET', htu: TOKEN.htu }]) {
      const { body, headers } = await tokensWith(await proof(of, current()));
      expect([body.error, headers.get('dpop-nonce')]).toEqual(['invalid_dpop_proof', null]);
    }
    const { access_token } = await boundToken();
    const headers = {
      authorization: `DPoP ${access_token}`,
      dpop: await proof({ htm: 'GET', htu: RESOURCES[0]! }, current(), access_token),
    };
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(gatehouse.baseUrl + RESOURCES[0]!, { headers })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

test('where none is asked for, none is told, and a proof goes without; nor is one for who sends no proof', async () => {
  const form = codeForm(gatehouse, await person.authorize());
  const plain = await postToken(gatehouse.baseUrl, form);
  expect([plain.status, plain.headers.get('dpop-nonce')]).toEqual([200, null]);
  await requireNonces(false);
  const { status, headers } = await tokensWith(await proof(TOKEN));
  expect([status, headers.get('dpop-nonce')]).toEqual([200, null]);
});

test('a page may read the nonce', async () => {
  const { headers } = await postToken(gatehouse.baseUrl, codeForm(gatehouse, await person.authorize()), {
    origin: 'http://localhost:8080',
    dpop: await proof(TOKEN),
  });
  expect(headers.get('access-control-expose-headers')).toContain('DPoP-Nonce');
});

test('a pushed request with a proof binds its code to the key, with the nonce as anywhere', async () => {
  const made = requestOf(gatehouse, 'spa');
  const push = async (parameters: object, dpop: string) =>
    postForm(`${gatehouse.baseUrl}/oauth2/par`, { ...made.query, ...parameters }, { dpop });
  const asked = await push({}, await proof(PAR));
  expect([asked.status, asked.body?.['error'], asked.headers.get('dpop-nonce')]).toEqual([400, 'use_dpop_nonce', current()]);
  const other = newKey();
  const wrong = await push({ dpop_jkt: await calculateJwkThumbprint(other.jwk) }, await proof(PAR, current()));
  expect([wrong.status, wrong.body?.['error']]).toEqual([400, 'invalid_dpop_proof']);
  const pushed = await push({ dpop_jkt: await calculateJwkThumbprint(key.jwk) }, await proof(PAR, current()));
  expect(pushed.status).toBe(201);
  const again = await push({}, await proof(PAR, current()));
  const codeOf = async (uri: unknown) => {
    const query = new URLSearchParams({ client_id: made.query.client_id, request_uri: String(uri) });
    return new URL((await person.agent.open(`${gatehouse.baseUrl}/oauth2/auth?${query}`)).url).searchParams.get('code')!;
  };
  for (const { body } of [pushed, again]) {
    const answer = {
      url: new URL(gatehouse.baseUrl),
      code: await codeOf(body?.['request_uri']),
      verifier: made.verifier,
      sent: made.query,
    };
    const exchangeBy = async (by: typeof key) =>
      postToken(gatehouse.baseUrl, codeForm(gatehouse, answer), { dpop: await proof(TOKEN, current(), undefined, by) });
    expect((await exchangeBy(other)).body.error).toBe('invalid_grant');
    expect((await exchangeBy(key)).status).toBe(200);
  }
});

/** Seconds that the server's clock was put forward. */
const skew = () => Math.round((gatehouse.app.infrastructure.clock.now().getTime() - Date.now()) / 1000);

test('openid-client tries again by itself, at the token endpoint and with the token', async () => {
  const { clientId } = gatehouse.application('spa');
  const config = await client.discovery(new URL(gatehouse.baseUrl), clientId, { [client.clockSkew]: skew() }, client.None(), {
    execute: [client.allowInsecureRequests],
  });
  const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const answer = await person.authorize('spa');
  const checks = { pkceCodeVerifier: answer.verifier, expectedState: answer.sent['state']!, expectedNonce: answer.sent['nonce']! };
  const tokens = await client.authorizationCodeGrant(config, answer.url, checks, undefined, { DPoP: handle });
  const read = () => client.fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub, { DPoP: handle });
  expect((await read()).email).toBe(person.email);
  expect((await read()).email).toBe(person.email);
  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token!, undefined, { DPoP: handle });
  expect(decodeJwt(fresh.access_token)['cnf']).toEqual({ jkt: await handle.calculateThumbprint() });
});

test('oauth4webapi is told what it has to try again, and does', async () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(gatehouse.baseUrl);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { managementAudience: audience } = gatehouse.quickstart;
  const application: oauth.Client = { client_id: clientId, [oauth.clockSkew]: skew() };
  const DPoP = oauth.DPoP(application, await oauth.generateKeyPair('ES256'));
  const grant = async () =>
    oauth.processClientCredentialsResponse(
      as,
      application,
      await oauth.clientCredentialsGrantRequest(
        as,
        application,
        oauth.ClientSecretPost(clientSecret!),
        { audience },
        { DPoP, ...insecure },
      ),
    );
  const refused = await grant().catch((error: unknown) => error);
  expect(oauth.isDPoPNonceError(refused)).toBe(true);
  expect((await grant()).token_type).toBe('dpop');
});
