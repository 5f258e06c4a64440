/** Token introspection (RFC 7662): what it says, to whom, and to whom it says nothing. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { registerClient } from '../../src/features/dynamic-clients/service.ts';
import { startApp } from '../helpers/app.ts';
import { machineToken, postForm, teamToken } from '../helpers/user-agent.ts';
import { exchange, type Kind, organization, type Person, refresh, signUp, suspend, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
const AUDIENCE = 'https://api.watched.test';

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

const tokensOf = async (kind: Kind = 'reg', of = person, parameters = {}) =>
  (await exchange(gatehouse, await of.authorize(kind, parameters), kind)).body;
const credentials = (type: 'reg' | 'spa' | 'm2m'): Record<string, string> => {
  const { clientId, clientSecret } = gatehouse.application(type);
  return { client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) };
};
const introspect = (form: Record<string, string>, headers = {}, issuer = gatehouse.baseUrl) =>
  postForm(`${issuer}/oauth2/introspect`, form, headers);

async function expectInactive(form: Record<string, string>, headers = {}, issuer = gatehouse.baseUrl): Promise<void> {
  const answer = await introspect(form, headers, issuer);
  expect([answer.status, answer.body]).toEqual([200, { active: false }]);
}

test('a client learns of its access token what the token says', async () => {
  const { access_token } = await tokensOf();
  const { aud, exp, iat, sub, jti } = decodeJwt(access_token);
  for (const [name, hint] of [
    ['token_type_hint', 'access_token'],
    ['token_type', 'access_token'],
    ['token_type_hint', 'refresh_token'],
  ]) {
    const { status, headers, body } = await introspect({ ...credentials('reg'), token: access_token, [name!]: hint! });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      active: true,
      ...{ aud, exp, iat, sub, jti, iss: gatehouse.baseUrl },
      client_id: gatehouse.application('reg').clientId,
      scope: 'openid profile email offline',
      token_type: 'bearer',
    });
  }
});

test('and of its refresh token, until that was traded in', async () => {
  const { refresh_token } = await tokensOf();
  const { body } = await introspect({ ...credentials('reg'), token: refresh_token });
  expect(body).toEqual({
    active: true,
    aud: [],
    client_id: gatehouse.application('reg').clientId,
    exp: expect.any(Number),
    iat: expect.any(Number),
    sub: await userIdOf(gatehouse, person.email),
    scope: 'openid profile email offline',
    iss: gatehouse.baseUrl,
  });
  expect((body!['exp'] as number) - (body!['iat'] as number)).toBe(1_296_000);
  await refresh(gatehouse, refresh_token, 'reg');
  await expectInactive({ ...credentials('reg'), token: refresh_token });
});

test('an access token of the application’s own is as good as its credentials', async () => {
  const token = await machineToken(gatehouse);
  const headers = { authorization: `Bearer ${token}` };
  const { body } = await introspect({ token, token_type: 'access_token' }, headers);
  expect(body).toMatchObject({ active: true, aud: [gatehouse.quickstart.managementAudience], token_type: 'bearer' });
  expect(body).not.toHaveProperty('sub');
  const own = await tokensOf('spa');
  expect((await introspect({ token: own.access_token }, { authorization: `Bearer ${own.access_token}` })).body).toMatchObject({
    active: true,
  });
});

test('an API learns of the tokens that are made out to it, and of no others', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId } = await prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
  await prisma.api.create({ data: { environmentId, id: 'api_watched', name: 'Watched', audience: AUDIENCE } });
  const authorise = (type: 'spa' | 'm2m') =>
    prisma.applicationApi.create({
      data: { environmentId, applicationId: `app_${gatehouse.application(type).clientId}`, apiId: 'api_watched', scopes: [] },
    });
  await authorise('spa');
  gatehouse.app.infrastructure.lookups.forget();
  const forApi = await tokensOf('spa', person, { audience: AUDIENCE });
  const forNobody = await tokensOf('spa');
  await expectInactive({ ...credentials('m2m'), token: forApi.access_token });
  await authorise('m2m');
  gatehouse.app.infrastructure.lookups.forget();
  expect((await introspect({ ...credentials('m2m'), token: forApi.access_token })).body).toMatchObject({
    active: true,
    aud: [AUDIENCE],
    client_id: gatehouse.application('spa').clientId,
  });
  await expectInactive({ ...credentials('m2m'), token: forNobody.access_token });
  await expectInactive({ ...credentials('m2m'), token: forApi.refresh_token });
  await expectInactive({ ...credentials('reg'), token: forApi.access_token });
});

test('a client that has keys and no secret proves itself by them, each proof once', async () => {
  const { infrastructure } = gatehouse.app;
  const { prisma } = infrastructure.database;
  const { id: environmentId, businessId } = await prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const application = await registerClient(
    createContext(infrastructure, { kind: 'system', name: 'test' }),
    { environmentId, businessId },
    {
      name: 'Keys only',
      redirectUris: ['https://keys.test/callback'],
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    },
  );
  expect(application.secretHash).toBeNull();
  const keyAudience = 'https://api.keys.test';
  await prisma.api.create({ data: { environmentId, id: 'api_keys', name: 'Keys', audience: keyAudience } });
  const authorise = (applicationId: string) =>
    prisma.applicationApi.create({ data: { environmentId, applicationId, apiId: 'api_keys', scopes: [] } });
  await authorise(`app_${gatehouse.application('spa').clientId}`);
  await authorise(application.id);
  infrastructure.lookups.forget();
  const { access_token: token } = await tokensOf('spa', person, { audience: keyAudience });
  const elsewhere = (await tokensOf('spa')).access_token;

  const client_id = application.id.slice('app_'.length);
  let proofs = 0;
  const proof = async (key: KeyObject = privateKey) => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new SignJWT({ jti: `proof-${++proofs}` })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(gatehouse.baseUrl)
      .setExpirationTime('1m')
      .sign(key),
  });
  const once = { ...(await proof()), token };
  const answers = await Promise.all([introspect(once), introspect({ ...once, client_id })]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({ active: true, aud: [keyAudience] });
  await expectInactive({ ...(await proof()), token: elsewhere });
  for (const form of [
    once,
    { client_id },
    { client_id, client_secret: 'x'.repeat(48) },
    await proof(generateKeyPairSync('ed25519').privateKey),
  ] as Record<string, string>[]) {
    const { status, body } = await introspect({ ...form, token });
    expect([status, body?.['error']]).toEqual([401, 'invalid_client']);
  }
});

test('what is over is not active: revoked, expired, signed out, or of somebody who was suspended', async () => {
  const other = await signUp(gatehouse, { kind: 'reg' });
  const { access_token, refresh_token } = (await exchange(gatehouse, other.first, 'reg')).body;
  const both = [access_token, refresh_token];
  const expectBoth = async (active: boolean) => {
    for (const token of both) expect((await introspect({ ...credentials('reg'), token })).body).toMatchObject({ active });
  };
  await expectBoth(true);
  const userId = await userIdOf(gatehouse, other.email);
  await suspend(gatehouse, { userId });
  await expectBoth(false);
  await suspend(gatehouse, { userId }, false);
  await expectBoth(true);
  await postForm(`${gatehouse.baseUrl}/oauth2/revoke`, { ...credentials('reg'), token: refresh_token });
  await expectBoth(false);

  const leaving = await signUp(gatehouse, { kind: 'reg' });
  const left = (await exchange(gatehouse, leaving.first, 'reg')).body;
  await leaving.agent.open(`${gatehouse.baseUrl}/logout`);
  for (const token of [left.access_token, left.refresh_token]) await expectInactive({ ...credentials('reg'), token });
});

test('a refresh token for an organization ends with the membership', async () => {
  const member = await signUp(gatehouse, { kind: 'reg' });
  const id = await organization(gatehouse, 'Introspected', { members: [await userIdOf(gatehouse, member.email)] });
  const { refresh_token } = await tokensOf('reg', member, { org_code: id });
  expect((await introspect({ ...credentials('reg'), token: refresh_token })).body).toMatchObject({ active: true });
  await gatehouse.app.infrastructure.database.prisma.membership.deleteMany({ where: { organizationId: id } });
  await expectInactive({ ...credentials('reg'), token: refresh_token });
});

test('what is no token, another client’s or another issuer’s looks the same', async () => {
  const { access_token, id_token, refresh_token } = await tokensOf('spa');
  const foreign = await teamToken(gatehouse, 'owner@acme.test');
  for (const token of ['x', 'a.b.c', '\0', 'x'.repeat(20_000), id_token, access_token, refresh_token, foreign])
    await expectInactive({ ...credentials('reg'), token });
  const { account } = gatehouse.quickstart;
  await expectInactive({ token: access_token }, { authorization: `Bearer ${foreign}` }, account.issuer);
});

test('nobody asks without proof of who it is', async () => {
  const { access_token, refresh_token } = await tokensOf('spa');
  const { clientId } = gatehouse.application('reg');
  for (const [form, headers, error] of [
    [{}, {}, 'invalid_client'],
    [{ client_id: clientId }, {}, 'invalid_client'],
    [{ client_id: clientId, client_secret: 'x'.repeat(48) }, {}, 'invalid_client'],
    [credentials('spa'), {}, 'invalid_client'],
    [{}, { authorization: 'Bearer x' }, 'invalid_token'],
    [{}, { authorization: `Bearer ${refresh_token}` }, 'invalid_token'],
    [{}, { authorization: `Bearer ${await teamToken(gatehouse, 'owner@acme.test')}` }, 'invalid_token'],
    [credentials('reg'), { authorization: 'Bearer x' }, 'invalid_token'],
  ] as [Record<string, string>, Record<string, string>, string][]) {
    const { status, body } = await introspect({ ...form, token: access_token }, headers);
    expect([status, body?.['error']]).toEqual([401, error]);
  }
  expect((await introspect(credentials('reg'))).body?.['error']).toBe('invalid_request');
});

test('an expired token is not active', async () => {
  const { access_token, refresh_token } = await tokensOf();
  gatehouse.advance(86_401);
  await expectInactive({ ...credentials('reg'), token: access_token });
  expect((await introspect({ ...credentials('reg'), token: refresh_token })).body).toMatchObject({ active: true });
  gatehouse.advance(15 * 86_400);
  await expectInactive({ ...credentials('reg'), token: refresh_token });
});
