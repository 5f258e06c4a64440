/** Token revocation (RFC 7009): what it ends, what it leaves alone, and what it gives away. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { deleteExpiredGrants } from '../../src/features/grants/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, postForm, teamToken } from '../helpers/user-agent.ts';
import { exchange, type Kind, type Person, productionEnvironment, refresh, signUp } from '../signin/person.ts';

const gatehouse = startApp();

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

const tokensOf = async (kind: Kind = 'spa', parameters = {}) =>
  (await exchange(gatehouse, await person.authorize(kind, parameters), kind)).body;
const credentials = (type: 'reg' | 'spa' | 'm2m'): Record<string, string> => {
  const { clientId, clientSecret } = gatehouse.application(type);
  return { client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) };
};
const revoke = (form: Record<string, string>, headers = {}) => postForm(`${gatehouse.baseUrl}/oauth2/revoke`, form, headers);
const profile = async (token: string) =>
  (await fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${token}` } })).status;

async function expectRevoked(form: Record<string, string>): Promise<void> {
  const { status, body, headers } = await revoke(form);
  expect([status, body]).toEqual([200, undefined]);
  expect(headers.get('cache-control')).toBe('no-store');
  // Clients that read JSON alone refuse an empty body that is said to be text.
  expect(headers.get('content-type')).toBeNull();
}

describe.each(['spa', 'reg'] as const)('a client of the kind %s', (kind) => {
  test('ends its refresh token, and with it every token of the grant', async () => {
    const first = await tokensOf(kind);
    const second = (await refresh(gatehouse, first.refresh_token, kind)).body;
    await expectRevoked({ ...credentials(kind), token: second.refresh_token, token_type_hint: 'refresh_token' });
    for (const token of [first, second]) {
      expect((await refresh(gatehouse, token.refresh_token, kind)).body.error).toBe('invalid_grant');
      expect(await profile(token.access_token)).toBe(401);
    }
  });

  test('ends one access token, and goes on with the others', async () => {
    const first = await tokensOf(kind);
    const second = (await refresh(gatehouse, first.refresh_token, kind)).body;
    await expectRevoked({ ...credentials(kind), token: first.access_token, token_type_hint: 'access_token' });
    expect(await profile(first.access_token)).toBe(401);
    expect(await profile(second.access_token)).toBe(200);
    expect((await refresh(gatehouse, second.refresh_token, kind)).status).toBe(200);
  });

  test('may be wrong about the kind of the token, or say nothing of it', async () => {
    const { refresh_token, access_token } = await tokensOf(kind);
    await expectRevoked({ ...credentials(kind), token: access_token, token_type_hint: 'refresh_token' });
    expect(await profile(access_token)).toBe(401);
    await expectRevoked({ ...credentials(kind), token: refresh_token, token_type_hint: 'something' });
    expect((await refresh(gatehouse, refresh_token, kind)).body.error).toBe('invalid_grant');
  });
});

test('a machine’s token ends for the graph, alone and at once', async () => {
  const [ended, kept] = [await machineToken(gatehouse), await machineToken(gatehouse)];
  const query = '{ viewer { kind } }';
  expect((await ask(gatehouse, ended, query)).status).toBe(200);
  await expectRevoked({ ...credentials('m2m'), token: ended });
  expect((await ask(gatehouse, ended, query)).status).toBe(401);
  expect((await ask(gatehouse, kept, query)).status).toBe(200);
});

test('a team member’s token ends for the graph', async () => {
  const token = await teamToken(gatehouse, 'owner@acme.test');
  const { account } = gatehouse.quickstart;
  const query = '{ viewer { kind } }';
  expect((await ask(gatehouse, token, query)).status).toBe(200);
  const { status } = await postForm(`${account.issuer}/oauth2/revoke`, { client_id: account.applications[0]!.clientId, token });
  expect(status).toBe(200);
  expect((await ask(gatehouse, token, query)).status).toBe(401);
});

test('signing out ends the access tokens of the session', async () => {
  const leaving = await signUp(gatehouse);
  const { access_token } = (await exchange(gatehouse, leaving.first)).body;
  expect(await profile(access_token)).toBe(200);
  await leaving.agent.open(`${gatehouse.baseUrl}/logout`);
  expect(await profile(access_token)).toBe(401);
});

test('nobody ends another client’s token, and the answer does not tell whose it is', async () => {
  const { refresh_token, access_token } = await tokensOf('spa');
  const machine = await machineToken(gatehouse);
  for (const token of [refresh_token, access_token, machine, 'made-up', 'a.b.c', 'x'.repeat(20_000)])
    await expectRevoked({ ...credentials('reg'), token });
  expect(await profile(access_token)).toBe(200);
  expect((await refresh(gatehouse, refresh_token)).status).toBe(200);
  expect((await ask(gatehouse, machine, '{ viewer { kind } }')).status).toBe(200);
  const { account } = gatehouse.quickstart;
  const foreign = { client_id: account.applications[0]!.clientId, token: access_token };
  expect((await postForm(`${account.issuer}/oauth2/revoke`, foreign)).status).toBe(200);
  expect(await profile(access_token)).toBe(200);
});

test('an ID token is none to revoke', async () => {
  const { id_token, access_token } = await tokensOf();
  await expectRevoked({ ...credentials('spa'), token: id_token });
  expect(await profile(access_token)).toBe(200);
});

test('whoever does not prove to be the client ends nothing', async () => {
  const { refresh_token, access_token } = await tokensOf('reg');
  const { clientId } = gatehouse.application('reg');
  for (const form of [
    { token: refresh_token },
    { token: refresh_token, client_id: clientId },
    { token: access_token, client_id: clientId, client_secret: 'x'.repeat(48) },
    { token: access_token, client_id: 'f'.repeat(32) },
  ] as Record<string, string>[]) {
    const { status, body } = await revoke(form);
    expect([status, body?.['error']]).toEqual([401, 'invalid_client']);
  }
  expect((await revoke(credentials('reg'))).body?.['error']).toBe('invalid_request');
  expect(await profile(access_token)).toBe(200);
  const basic = Buffer.from(`${clientId}:${gatehouse.application('reg').clientSecret}`).toString('base64');
  expect((await revoke({ token: refresh_token }, { authorization: `Basic ${basic}` })).status).toBe(200);
  expect((await refresh(gatehouse, refresh_token, 'reg')).body.error).toBe('invalid_grant');
});

test('twenty revocations at once end the grant, which the audit log tells of once', async () => {
  const { refresh_token, access_token } = await tokensOf();
  const { prisma } = gatehouse.app.infrastructure.database;
  const count = () => prisma.auditEvent.count({ where: { action: 'grant.revoked' } });
  const before = await count();
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => expectRevoked({ ...credentials('spa'), token: at % 2 ? access_token : refresh_token })),
  );
  expect(await count()).toBe(before + 1);
  expect(await profile(access_token)).toBe(401);
});

test('an access token that ends alone is told of once, with who ended it and without the token', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { access_token } = await tokensOf('reg');
  const machines = await machineToken(gatehouse);
  const others = await tokensOf('spa');
  await expectRevoked({ ...credentials('reg'), token: others.access_token });
  for (const [kind, token] of [
    ['reg', access_token],
    ['m2m', machines],
  ] as const) {
    await Promise.all(Array.from({ length: 10 }, () => expectRevoked({ ...credentials(kind), token })));
    const jti = decodeJwt(token).jti!;
    const applicationId = `app_${gatehouse.application(kind).clientId}`;
    const events = await prisma.auditEvent.findMany({ where: { details: { path: ['jti'], equals: jti } } });
    expect(events).toMatchObject([
      {
        action: 'access_token.revoked',
        ...{ actorKind: 'machine', actorId: applicationId, environmentId: (await productionEnvironment(gatehouse)).id },
        ...(kind === 'm2m' ? { targetType: 'application', targetId: applicationId } : { targetType: 'grant', targetId: jti.split('.')[0] }),
        details: { jti, reason: 'revoked_by_client' },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain(token.split('.')[2]);
  }
  const foreign = { path: ['jti'], equals: decodeJwt(others.access_token).jti! };
  expect(await prisma.auditEvent.count({ where: { details: foreign } })).toBe(0);
});

test('a revoked token does not come back when the rows behind it are cleaned away', async () => {
  const { infrastructure } = gatehouse.app;
  const without = await tokensOf('spa', { scope: 'openid profile' });
  const ended = await tokensOf('spa', { scope: 'openid profile' });
  await expectRevoked({ ...credentials('spa'), token: ended.access_token });
  gatehouse.advance(5 * 3600);
  await deleteExpiredGrants(infrastructure);
  expect(await profile(without.access_token)).toBe(200);
  expect(await profile(ended.access_token)).toBe(401);
  expect(await infrastructure.database.prisma.revokedToken.count({ where: { jti: decodeJwt(ended.access_token).jti! } })).toBe(1);

  gatehouse.advance(20 * 3600);
  while ((await deleteExpiredGrants(infrastructure, 2)) > 0);
  const grants = await infrastructure.database.prisma.grant.findMany({ select: { id: true } });
  for (const { access_token } of [without, ended]) {
    expect(await profile(access_token)).toBe(401);
    expect(grants.map(({ id }) => id)).not.toContain(decodeJwt(access_token).jti!.split('.')[0]);
  }
  expect(await infrastructure.database.prisma.revokedToken.count()).toBe(0);
});

test('a body that is no form is refused', async () => {
  const answer = await fetch(`${gatehouse.baseUrl}/oauth2/revoke`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...credentials('spa'), token: 'x' }),
  });
  expect(answer.status).toBe(400);
});
