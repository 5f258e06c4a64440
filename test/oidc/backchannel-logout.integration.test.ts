/** Applications' servers are told when somebody is signed out (OpenID Connect Back-Channel Logout 1.0): a real server that checks what it gets. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { updateApplication } from '../../src/features/applications/service.ts';
import { endUserSession, endUserSessions } from '../../src/features/sessions/service.ts';
import { suspendUser } from '../../src/features/users/removal.ts';
import { operator } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { choosePassword, exchange, identify, isSignedIn, type Person, signIn, signUp, typeCode, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

let server: Server;
let told: { type: string | undefined; token: string }[] = [];
let status = 204;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    told.push({ type: request.headers['content-type'], token: new URLSearchParams(body).get('logout_token') ?? '' });
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await updateApplication(operator(gatehouse), {
    applicationId: `app_${gatehouse.application('reg').clientId}`,
    backchannelLogoutUri: `http://127.0.0.1:${port}/logout`,
  });
});
afterAll(() => server?.close());
beforeEach(() => {
  told = [];
  status = 204;
});

const came = (count: number) => expect.poll(() => told.map(({ token }) => decodeJwt(token)), { timeout: 20_000 }).toHaveLength(count);

/** Signs a person in to the application that is told, and to the one that is not. */
async function signedIn(): Promise<{ person: Person; userId: string; sid: string }> {
  const person = await signUp(gatehouse, { kind: 'reg' });
  const { body } = await exchange(gatehouse, person.first, 'reg');
  await exchange(gatehouse, await person.authorize('spa'));
  return { person, userId: await userIdOf(gatehouse, person.email), sid: decodeJwt(body.id_token)['sid'] as string };
}

/** Checks a logout token as its receiver does (§2.6). */
async function verified(token: string) {
  const { issuer } = gatehouse.quickstart;
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`)), {
    issuer,
    audience: gatehouse.application('reg').clientId,
    typ: 'logout+jwt',
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
    maxTokenAge: 120,
  });
  expect(payload['nonce']).toBeUndefined();
  expect(payload['events']).toEqual({ [EVENT]: {} });
  return payload;
}

test('signing out tells the application whose session it was, and no other', async () => {
  const { person, userId, sid } = await signedIn();
  await person.agent.open(`${gatehouse.quickstart.issuer}/logout`);
  await came(1);
  expect(told[0]!.type).toBe('application/x-www-form-urlencoded');
  expect(await verified(told[0]!.token)).toMatchObject({ sub: userId, sid });
});

test.each<[string, (userId: string, sid: string) => Promise<unknown>]>([
  ['ending a session', (_userId, sessionId) => endUserSession(operator(gatehouse), { sessionId })],
  ['ending every session', (userId) => endUserSessions(operator(gatehouse), { userId })],
  ['suspending the user', (userId) => suspendUser(operator(gatehouse), { userId })],
])('%s from outside tells it as well', async (_name, end) => {
  const { userId, sid } = await signedIn();
  await end(userId, sid);
  await came(1);
  expect(await verified(told[0]!.token)).toMatchObject({ sub: userId, sid });
});

test('another password instead of a forgotten one tells it too', async () => {
  const { person, userId, sid } = await signedIn();
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, person.email);
  const code = await agent.submit(page, 'forgot');
  const choose = await typeCode(gatehouse, agent, code, person.email, 1);
  expect(isSignedIn(await choosePassword(agent, choose, 'a loud mountain at dusk'))).toBe(true);
  await came(1);
  expect(await verified(told[0]!.token)).toMatchObject({ sub: userId, sid });
});

test('somebody else who signs in in the browser tells it too; the person who signs in again tells nobody', async () => {
  const { person, userId, sid } = await signedIn();
  const { email } = await signUp(gatehouse);
  const prompted = { agent: person.agent, parameters: { prompt: 'login' } };
  expect(isSignedIn((await signIn(gatehouse, person.email, prompted)).page)).toBe(true);
  expect(isSignedIn((await signIn(gatehouse, email, prompted)).page)).toBe(true);
  await came(1);
  expect(await verified(told[0]!.token)).toMatchObject({ sub: userId, sid });
});

test('each session of a person is told of once, with its own id', async () => {
  const { person, userId, sid } = await signedIn();
  const { body } = await exchange(gatehouse, await person.authorize('reg'), 'reg');
  expect(decodeJwt(body.id_token)['sid']).toBe(sid);
  await endUserSessions(operator(gatehouse), { userId });
  await came(1);
});

test('a server that fails is told again, by a token of its own', async () => {
  const { userId } = await signedIn();
  status = 503;
  await endUserSessions(operator(gatehouse), { userId });
  await came(1);
  status = 200;
  await came(2);
  const [first, second] = await Promise.all(told.map(({ token }) => verified(token)));
  expect(second!.jti).not.toBe(first!.jti);
  expect(second!.sid).toBe(first!.sid);
});

test('a change that is rolled back tells nobody', async () => {
  const { userId } = await signedIn();
  const ctx = operator(gatehouse);
  await ctx.db
    .$transaction(async (db) => {
      await endUserSessions({ ...ctx, db }, { userId });
      throw new Error('never mind');
    })
    .catch(() => {});
  const queued = await ctx.db.$queryRaw<
    unknown[]
  >`SELECT 1 FROM pgboss.job WHERE name = 'backchannel_logout' AND state IN ('created', 'retry')`;
  expect(queued).toEqual([]);
  expect(told).toEqual([]);
});

test.each([
  'http://app.test/logout',
  'https://user:password@app.test/',
  'https://10.0.0.1/',
  'https://169.254.169.254/',
  'ftp://app.test',
  'x',
])('no logout token is sent to %s', async (backchannelLogoutUri) => {
  const applicationId = `app_${gatehouse.application('spa').clientId}`;
  await expect(updateApplication(operator(gatehouse), { applicationId, backchannelLogoutUri })).rejects.toMatchObject({
    code: 'INVALID_URL',
  });
});

test('discovery says so', async () => {
  const document = await (await fetch(`${gatehouse.quickstart.issuer}/.well-known/openid-configuration`)).json();
  expect(document).toMatchObject({ backchannel_logout_supported: true, backchannel_logout_session_supported: true });
});
