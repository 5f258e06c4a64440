/** Attacks on access tokens. Each is answered as a missing token would be. */
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { decodeJwt, type JWK, SignJWT } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { machineToken, teamToken } from '../helpers/user-agent.ts';
import { exchange, type Person, signUp, suspend, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();

let person: Person;
let tokens: { access_token: string; id_token: string; refresh_token: string };
let key: JWK;
beforeAll(async () => {
  person = await signUp(gatehouse);
  tokens = (await exchange(gatehouse, person.first)).body as typeof tokens;
  key = ((await (await fetch(`${gatehouse.baseUrl}/.well-known/jwks`)).json()) as { keys: JWK[] }).keys[0]!;
});

const profile = (authorization?: string) =>
  fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, { headers: authorization === undefined ? {} : { authorization } });

async function expectRefused(authorization?: string): Promise<void> {
  const answer = await profile(authorization);
  expect(answer.status, authorization?.slice(0, 80)).toBe(401);
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual({ error: 'invalid_token', error_description: expect.any(String) });
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => decodeJwt(tokens.access_token);

test('a token of this issuer opens the profile of its person', async () => {
  expect((await profile(`Bearer ${tokens.access_token}`)).status).toBe(200);
  expect((await profile(`bearer ${tokens.access_token}`)).status).toBe(200);
});

test('nothing, or something that is no bearer token, is refused', async () => {
  const { access_token: token } = tokens;
  await expectRefused();
  for (const authorization of [
    'Bearer',
    'Bearer ',
    token,
    `Token ${token}`,
    `Basic ${token}`,
    `Bearer  ${token}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    'Bearer x',
    'Bearer .',
    'Bearer ..',
    'Bearer a.b.c',
    `Bearer ${token}.${token}`,
    `Bearer ${token.slice(0, token.lastIndexOf('.'))}`,
    `Bearer ${token.slice(0, token.lastIndexOf('.'))}.`,
    `Bearer ${encode([])}.${encode(null)}.x`,
    `Bearer ${encode({ alg: 'RS256', kid: key.kid })}.${encode('text')}.x`,
  ])
    await expectRefused(authorization);
});

test('a token in the URL, a cookie or a body is no token', async () => {
  const url = `${gatehouse.baseUrl}/oauth2/v2/user_profile`;
  expect((await fetch(`${url}?access_token=${tokens.access_token}`)).status).toBe(401);
  expect((await fetch(url, { headers: { cookie: `access_token=${tokens.access_token}` } })).status).toBe(401);
});

test('a token that says it needs no signature is refused', async () => {
  for (const alg of ['none', 'None', 'NONE', '']) {
    const unsigned = `${encode({ alg, typ: 'JWT', kid: key.kid })}.${encode(claims())}`;
    for (const signature of ['', '.', `.${tokens.access_token.split('.')[2]}`]) await expectRefused(`Bearer ${unsigned}${signature}`);
  }
});

test('the public key is no shared secret', async () => {
  const publicKey = createPublicKey({ key, format: 'jwk' });
  const secrets = [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'pkcs1', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(key),
    Buffer.from(key.n!, 'base64url'),
    key.n!,
  ];
  for (const secret of secrets) {
    const body = `${encode({ alg: 'HS256', typ: 'JWT', kid: key.kid })}.${encode(claims())}`;
    await expectRefused(`Bearer ${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`);
  }
});

test('a token signed by another key is refused, whatever it says about that key', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: key.kid, use: 'sig', alg: 'RS256' } as JWK;
  const headers = [
    { kid: key.kid },
    {},
    { jwk },
    { kid: key.kid, jwk },
    { kid: key.kid, jku: 'https://evil.test/jwks' },
    { kid: '../../etc/passwd' },
  ];
  for (const header of headers)
    await expectRefused(`Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', ...header } as never).sign(privateKey)}`);
  for (const alg of ['RS512', 'PS256'])
    await expectRefused(`Bearer ${await new SignJWT(claims()).setProtectedHeader({ alg, kid: key.kid! }).sign(privateKey)}`);
});

test('a token that was changed is refused', async () => {
  const [header, , signature] = tokens.access_token.split('.');
  for (const change of [
    { sub: await userIdOf(gatehouse, person.email), scp: ['openid', 'email', 'phone'] },
    { exp: 9_999_999_999 },
    { iss: 'https://evil.test' },
  ])
    await expectRefused(`Bearer ${header}.${encode({ ...claims(), ...change })}.${signature}`);
  const flipped = signature!.startsWith('A') ? `B${signature!.slice(1)}` : `A${signature!.slice(1)}`;
  await expectRefused(`Bearer ${tokens.access_token.replace(signature!, flipped)}`);
});

test('another issuer’s token is refused', async () => {
  await expectRefused(`Bearer ${await teamToken(gatehouse, gatehouse.quickstart.owner.email)}`);
  for (const path of ['/e/account', '/e/acme-dev']) {
    const answer = await fetch(`${gatehouse.baseUrl}${path}/oauth2/v2/user_profile`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(answer.status).toBe(401);
  }
});

test('a token of another kind is refused: ID token, refresh token, machine’s token', async () => {
  await expectRefused(`Bearer ${tokens.id_token}`);
  await expectRefused(`Bearer ${tokens.refresh_token}`);
  await expectRefused(`Bearer ${await machineToken(gatehouse)}`);
});

test('a token of a hundred thousand characters is refused before anybody looks at it', async () => {
  const authorization = `Bearer ${tokens.access_token}${'x'.repeat(100_000)}`;
  const { host } = new URL(gatehouse.baseUrl);
  const answer = await gatehouse.app.server.inject({ url: '/oauth2/v2/user_profile', headers: { host, authorization } });
  expect(answer.statusCode).toBe(401);
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer\b/);
  expect((await profile(authorization)).status).toBe(431);
  expect((await profile(`Bearer ${tokens.access_token}`)).status).toBe(200);
});

test('the token of a suspended person is refused, and of one who is gone', async () => {
  const other = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, other.first);
  const bearer = `Bearer ${body['access_token']}`;
  const userId = await userIdOf(gatehouse, other.email);
  expect((await profile(bearer)).status).toBe(200);
  await suspend(gatehouse, { userId });
  await expectRefused(bearer);
  await suspend(gatehouse, { userId }, false);
  expect((await profile(bearer)).status).toBe(200);
  await gatehouse.app.infrastructure.database.prisma.user.deleteMany({ where: { id: userId } });
  await expectRefused(bearer);
});

test('a token that has expired is refused', async () => {
  gatehouse.advance(86_300);
  expect((await profile(`Bearer ${tokens.access_token}`)).status).toBe(200);
  gatehouse.advance(101);
  await expectRefused(`Bearer ${tokens.access_token}`);
});
