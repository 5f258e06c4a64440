/** The whole way with openid-client as the application's library, which checks what the specifications ask for. */
import { createHash } from 'node:crypto';
import { decodeJwt, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { choosePassword, type Kind, newAddress, typeCode, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();

const SECRETS = { post: client.ClientSecretPost, basic: client.ClientSecretBasic };

async function library(kind: Kind, method: keyof typeof SECRETS = 'post'): Promise<client.Configuration> {
  const { clientId, clientSecret } = gatehouse.application(kind);
  const authentication = clientSecret ? SECRETS[method](clientSecret) : client.None();
  return client.discovery(new URL(gatehouse.quickstart.issuer), clientId, undefined, authentication, {
    execute: [client.allowInsecureRequests],
  });
}

/** Signs a new person up through an authorization that the library built. */
async function signUpWith(config: client.Configuration, options: { pkce?: boolean; parameters?: Record<string, string> } = {}) {
  const { pkce = true, parameters = {} } = options;
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: 'http://localhost:8080/callback',
    scope: 'openid profile email offline',
    prompt: 'create',
    state,
    nonce,
    ...(pkce && { code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' }),
    ...parameters,
  });
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress('rp');
  const typed = { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' };
  const page = await agent.submit(await agent.open(url.href), 'identify', typed);
  const done = await choosePassword(agent, await typeCode(gatehouse, agent, page, email));
  const tokens = await client.authorizationCodeGrant(config, new URL(done.url), {
    expectedState: state,
    expectedNonce: nonce,
    ...(pkce && { pkceCodeVerifier: verifier }),
  });
  return { agent, email, nonce, tokens };
}

const now = () => Math.floor(Date.now() / 1000);
const SECONDS = expect.toSatisfy((value: unknown) => Number.isInteger(value), 'whole seconds');

describe.each<[string, Kind, keyof typeof SECRETS, boolean]>([
  ['a public client with PKCE', 'spa', 'post', true],
  ['a confidential client with its secret in the body', 'reg', 'post', false],
  ['a confidential client with its secret in the body and PKCE', 'reg', 'post', true],
  ['a confidential client with its secret in the header', 'reg', 'basic', false],
  ['a confidential client with its secret in the header and PKCE', 'reg', 'basic', true],
])('%s', (_name, kind, method, pkce) => {
  test('signs a person in, refreshes the tokens and reads the profile', async () => {
    const config = await library(kind, method);
    const { email, tokens } = await signUpWith(config, { pkce });
    expect(tokens.claims()).toMatchObject({ email, email_verified: true });
    expect(await client.fetchUserInfo(config, tokens.access_token, tokens.claims()!.sub)).toMatchObject({ email });

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token!);
    expect(refreshed.refresh_token).toEqual(expect.any(String));
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(refreshed.claims()).toMatchObject({ sub: tokens.claims()!.sub, email });
    expect(await client.fetchUserInfo(config, refreshed.access_token, tokens.claims()!.sub)).toMatchObject({ email });
  });
});

test('the answer has every field that browser libraries count on', async () => {
  const { tokens } = await signUpWith(await library('spa'));
  expect(tokens).toMatchObject({
    access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    id_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    refresh_token: expect.stringMatching(/^[\w-]{40,}$/),
    expires_in: 86_400,
    scope: 'openid profile email offline',
    token_type: 'bearer',
  });
});

test('the ID token says who, for whom, when and how it was asked for, each claim in its type', async () => {
  const config = await library('spa');
  const started = now();
  const { tokens, email, nonce } = await signUpWith(config);
  const { clientId } = gatehouse.application('spa');
  const claims = decodeJwt(tokens.id_token!);
  expect(claims).toEqual({
    iss: gatehouse.baseUrl,
    aud: [clientId],
    azp: clientId,
    sub: expect.stringMatching(/^kp_[0-9a-f]{32}$/),
    iat: SECONDS,
    exp: claims.iat! + 3600,
    auth_time: SECONDS,
    amr: ['otp', 'pwd'],
    rat: SECONDS,
    updated_at: SECONDS,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    at_hash: createHash('sha256').update(tokens.access_token).digest().subarray(0, 16).toString('base64url'),
    sid: expect.stringMatching(/^session_/),
    nonce,
    email,
    email_verified: true,
    name: 'Jane Roe',
    given_name: 'Jane',
    family_name: 'Roe',
    org_codes: [expect.stringMatching(/^org_[0-9a-f]{32}$/)],
  });
  const times = [started, claims['rat'], claims['updated_at'], claims['auth_time'], claims.iat, now()].map(Number);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('the access token is for the audiences that were asked for, each claim in its type', async () => {
  const config = await library('spa');
  const { tokens } = await signUpWith(config, { parameters: { audience: 'https://api.acme.test https://unknown.test' } });
  const { clientId } = gatehouse.application('spa');
  const keys = await (await fetch(config.serverMetadata().jwks_uri!)).json();
  const { payload } = await jwtVerify(tokens.access_token, keys.keys[0], { issuer: gatehouse.baseUrl, algorithms: ['RS256'] });
  expect(payload).toEqual({
    iss: gatehouse.baseUrl,
    aud: ['https://api.acme.test'],
    azp: clientId,
    sub: tokens.claims()!.sub,
    iat: SECONDS,
    exp: payload.iat! + 86_400,
    jti: expect.stringMatching(/^[0-9a-f]{32}\.[\w-]{16}$/),
    scp: ['openid', 'profile', 'email', 'offline'],
    org_code: (tokens.claims()!['org_codes'] as string[])[0],
    permissions: [],
    feature_flags: {},
  });
  expect(payload.jti).not.toBe(decodeJwt(tokens.id_token!).jti);
});

test('without an audience the token is for none, and an application is never made out to an API it may not use', async () => {
  const config = await library('spa');
  expect(decodeJwt((await signUpWith(config)).tokens.access_token).aud).toEqual([]);
  const management = gatehouse.quickstart.managementAudience;
  expect(decodeJwt((await signUpWith(config, { parameters: { audience: management } })).tokens.access_token).aud).toEqual([]);
});

test('a refresh brings what is true now', async () => {
  const config = await library('spa');
  const { email, tokens, nonce } = await signUpWith(config, { parameters: { audience: 'https://api.acme.test' } });
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.user.updateMany({ where: { id: await userIdOf(gatehouse, email) }, data: { firstName: 'Joan' } });
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token!);
  const [before, after] = [decodeJwt(tokens.id_token!), decodeJwt(refreshed.id_token!)];
  expect(after).toMatchObject({ name: 'Joan Roe', sub: before.sub, aud: before.aud, auth_time: before['auth_time'], rat: before['rat'] });
  expect(after.jti).not.toBe(before.jti);
  expect(before['nonce']).toBe(nonce);
  expect(after).not.toHaveProperty('nonce');
  expect(decodeJwt(refreshed.access_token)).toMatchObject({
    aud: ['https://api.acme.test'],
    org_code: decodeJwt(tokens.access_token)['org_code'],
    scp: ['openid', 'profile', 'email', 'offline'],
  });
  expect(refreshed.expires_in).toBe(86_400);
});

test('scopes decide what is told: no openid no ID token, no offline no refresh token, no email no address', async () => {
  const config = await library('reg');
  const bare = await signUpWith(config, { parameters: { scope: 'openid' } });
  expect(bare.tokens.refresh_token).toBeUndefined();
  for (const claim of ['email', 'email_verified', 'name', 'given_name']) expect(bare.tokens.claims()).not.toHaveProperty(claim);
  const profile = await client.fetchUserInfo(config, bare.tokens.access_token, bare.tokens.claims()!.sub);
  for (const claim of ['email', 'name', 'given_name']) expect(profile).not.toHaveProperty(claim);

  const alias = await signUpWith(config, { parameters: { scope: 'openid offline_access address made:up' } });
  expect(alias.tokens).toMatchObject({ refresh_token: expect.any(String), scope: 'openid offline' });
});

test('the profile has the claims that libraries read, and none without a value (OpenID Connect Core §5.3.2)', async () => {
  const config = await library('spa');
  const { email, tokens } = await signUpWith(config);
  const { sub } = tokens.claims()!;
  const expected = {
    sub,
    id: sub,
    name: 'Jane Roe',
    given_name: 'Jane',
    family_name: 'Roe',
    email,
    email_verified: true,
    updated_at: SECONDS,
  };
  for (const path of ['/oauth2/v2/user_profile', '/oauth2/userinfo']) {
    const answer = await fetch(gatehouse.baseUrl + path, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(await answer.json()).toEqual(expected);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
});

test('the library signs the person out at the end', async () => {
  const config = await library('spa');
  const { agent, tokens } = await signUpWith(config);
  const url = client.buildEndSessionUrl(config, {
    post_logout_redirect_uri: 'http://localhost:8080',
    id_token_hint: tokens.id_token!,
    state: 'bye',
  });
  expect((await agent.open(url.href)).url).toBe('http://localhost:8080/?state=bye');
  await expect(client.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' });
});
