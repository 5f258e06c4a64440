/** Refresh tokens: each has one successor, browsers that race get it too, and a thief is found out. */
import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { postToken } from '../helpers/user-agent.ts';
import {
  exchange,
  organization,
  type Person,
  productionEnvironment,
  refresh,
  refreshForm,
  signUp,
  suspend,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();

/** Longer than the window in which a token that was just traded in still leads to its successor. */
const LATER = 31;

let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

/** A family of tokens of its own. */
async function newToken(of: Person = person, kind: 'spa' | 'reg' = 'spa', parameters = {}): Promise<string> {
  return (await exchange(gatehouse, await of.authorize(kind, parameters), kind)).body['refresh_token'];
}

async function trade(token: string): Promise<string> {
  const { status, body } = await refresh(gatehouse, token);
  expect(status).toBe(200);
  return body['refresh_token'];
}

async function expectRefused(token: string): Promise<void> {
  const { status, body, headers } = await refresh(gatehouse, token);
  expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  expect(Object.keys(body).toSorted()).toEqual(['error', 'error_description']);
  expect(headers.get('cache-control')).toBe('no-store');
}

test('every refresh brings a new refresh token with new tokens, as often as one likes', async () => {
  const tokens = [await newToken()];
  const ids = new Set<unknown>();
  for (let times = 0; times < 5; times++) {
    const { body } = await refresh(gatehouse, tokens.at(-1)!);
    expect(body).toMatchObject({
      access_token: expect.any(String),
      id_token: expect.any(String),
      expires_in: 86_400,
      token_type: 'bearer',
    });
    ids.add(decodeJwt(body['access_token']).jti);
    tokens.push(body['refresh_token']);
    gatehouse.advance(LATER);
  }
  expect(new Set(tokens).size).toBe(6);
  expect(ids.size).toBe(5);
});

test('within the window the old token still leads to the same successor', async () => {
  const token = await newToken();
  const successor = await trade(token);
  gatehouse.advance(5);
  expect(await trade(token)).toBe(successor);
  expect(await trade(token)).toBe(successor);
  expect(await trade(successor)).not.toBe(successor);
});

test('fifty browser tabs that refresh at once all get the one successor, which works', async () => {
  const token = await newToken();
  const successors = await Promise.all(Array.from({ length: 50 }, () => trade(token)));
  expect(new Set(successors).size).toBe(1);
  expect(await trade(successors[0]!)).toEqual(expect.any(String));
});

test('who comes late in the window, after two rotations, gets the youngest token', async () => {
  const first = await newToken();
  const second = await trade(first);
  gatehouse.advance(5);
  const third = await trade(second);
  gatehouse.advance(5);
  expect(await trade(first)).toBe(third);
  const fourth = await trade(third);
  expect(await trade(first)).toBe(fourth);
  expect(await trade(second)).toBe(fourth);
});

test('a replay after the window is a theft: the whole family ends, the youngest token too', async () => {
  const first = await newToken();
  const second = await trade(first);
  const third = await trade(second);
  gatehouse.advance(LATER);
  await expectRefused(first);
  for (const token of [third, second, first]) await expectRefused(token);
});

test('a thief who refreshes first is found out when the owner comes', async () => {
  const stolen = await newToken();
  const loot = await trade(stolen);
  gatehouse.advance(LATER);
  const more = await trade(loot);
  gatehouse.advance(LATER);
  await expectRefused(stolen);
  await expectRefused(more);
});

test('parallel replays after the window end the family just as well, and are told of once', async () => {
  const token = await newToken();
  const successor = await trade(token);
  gatehouse.advance(LATER);
  const { prisma } = gatehouse.app.infrastructure.database;
  const count = () => prisma.auditEvent.count({ where: { action: 'grant.revoked' } });
  const before = await count();
  await Promise.all(Array.from({ length: 20 }, () => expectRefused(token)));
  await expectRefused(successor);
  expect(await count()).toBe(before + 1);
});

test('an application says itself how long the window is: not at all, or five minutes', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const setWindow = async (refreshTokenGracePeriod: number) => {
    await prisma.application.updateMany({
      where: { id: `app_${gatehouse.application('spa').clientId}` },
      data: { refreshTokenGracePeriod },
    });
    gatehouse.app.infrastructure.lookups.forget();
  };
  await setWindow(300);
  const token = await newToken();
  const successor = await trade(token);
  gatehouse.advance(290);
  expect(await trade(token)).toBe(successor);
  await setWindow(0);
  gatehouse.advance(1);
  await expectRefused(token);
  await expectRefused(successor);
  await setWindow(30);
});

test('the end of a family by a replay is in the audit log, with its reason', async () => {
  const token = await newToken();
  await trade(token);
  gatehouse.advance(LATER);
  await expectRefused(token);
  const { prisma } = gatehouse.app.infrastructure.database;
  const event = await prisma.auditEvent.findFirstOrThrow({ where: { action: 'grant.revoked' }, orderBy: { id: 'desc' } });
  expect(event).toMatchObject({ targetType: 'grant', details: { reason: 'refresh_token_replayed' } });
});

test('a theft in one family leaves the person’s others alone', async () => {
  const [stolen, other] = [await newToken(), await newToken()];
  await trade(stolen);
  gatehouse.advance(LATER);
  await expectRefused(stolen);
  await trade(other);
});

test('a token is the client’s own, and is not spent by another’s attempt', async () => {
  const token = await newToken(person, 'spa');
  const { status, body } = await refresh(gatehouse, token, 'reg');
  expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  await trade(token);
  const confidential = await newToken(person, 'reg');
  await expectRefused(confidential);
  const { clientId } = gatehouse.application('reg');
  const without = { grant_type: 'refresh_token', client_id: clientId, refresh_token: confidential };
  expect((await postToken(gatehouse.baseUrl, without)).body['error']).toBe('invalid_client');
  expect((await postToken(gatehouse.baseUrl, { ...without, client_secret: 'x'.repeat(48) })).body['error']).toBe('invalid_client');
  expect((await refresh(gatehouse, confidential, 'reg')).status).toBe(200);
});

test('a token is good at its own issuer only', async () => {
  const token = await newToken();
  const { account } = gatehouse.quickstart;
  const form = { grant_type: 'refresh_token', refresh_token: token, client_id: account.applications[0]!.clientId };
  expect((await postToken(account.issuer, form)).body['error']).toBe('invalid_grant');
  expect((await postToken(account.issuer, refreshForm(gatehouse, token))).body['error']).toBe('invalid_client');
  await trade(token);
});

test('what is no token is refused', async () => {
  const token = await newToken();
  const { body } = await exchange(gatehouse, await person.authorize());
  for (const wrong of ['x', `${token}x`, token.slice(1), body['access_token'], body['id_token'], 'x'.repeat(50_000), '\0'])
    await expectRefused(wrong);
  expect((await postToken(gatehouse.baseUrl, refreshForm(gatehouse, ''))).body['error']).toBe('invalid_request');
});

test('a token that nobody used for fifteen days has expired; one that is used lives on', async () => {
  const resting = await newToken();
  let busy = await newToken();
  for (let days = 0; days < 15; days += 5) {
    gatehouse.advance(5 * 24 * 3600);
    busy = await trade(busy);
  }
  await expectRefused(resting);
  await trade(busy);
  person = await signUp(gatehouse);
});

test('signing out ends every token of the session, and no other person’s', async () => {
  const leaving = await signUp(gatehouse);
  const tokens = [await newToken(leaving), await newToken(leaving, 'reg'), await newToken(person)];
  await leaving.agent.open(`${gatehouse.baseUrl}/logout`);
  await expectRefused(tokens[0]!);
  expect((await refresh(gatehouse, tokens[1]!, 'reg')).body['error']).toBe('invalid_grant');
  await trade(tokens[2]!);
});

test('a suspended person gets nothing more', async () => {
  const suspended = await signUp(gatehouse);
  const token = await newToken(suspended);
  await suspend(gatehouse, { userId: await userIdOf(gatehouse, suspended.email) });
  await expectRefused(token);
  await expectRefused(token);
});

test('a person who is gone gets nothing more', async () => {
  const gone = await signUp(gatehouse);
  const token = await newToken(gone);
  await gatehouse.app.infrastructure.database.prisma.user.deleteMany({ where: { id: await userIdOf(gatehouse, gone.email) } });
  await expectRefused(token);
});

test('tokens for an organization end with it, or with the membership; those for another go on', async () => {
  const member = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, member.email);
  const [closed, left, kept] = [
    await organization(gatehouse, 'Closed', { members: [userId] }),
    await organization(gatehouse, 'Left', { members: [userId] }),
    await organization(gatehouse, 'Kept', { members: [userId] }),
  ];
  const closing = await newToken(member, 'spa', { org_code: closed });
  const leaving = await newToken(member, 'spa', { org_code: left });
  const staying = await newToken(member, 'spa', { org_code: kept });
  await suspend(gatehouse, { organizationId: closed });
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId } = await productionEnvironment(gatehouse);
  await prisma.membership.deleteMany({ where: { environmentId, organizationId: left } });
  await expectRefused(closing);
  await expectRefused(leaving);
  const { body } = await refresh(gatehouse, staying);
  expect(decodeJwt(body['access_token'])['org_code']).toBe(kept);
});
