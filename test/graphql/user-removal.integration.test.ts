/** Keeping people out: what they had before works nowhere any more, whichever way it is tried and however often. */
import { beforeAll, describe, expect, test } from 'vitest';
import { accessRequests, subscribers } from '../../src/features/subscribers/service.ts';
import { deleteUser, restoreUser, suspendUser } from '../../src/features/users/removal.ts';
import { updateUser } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  organization,
  type Person,
  productionEnvironment,
  refresh,
  requestOf,
  signIn,
  signUp,
  typeCode,
  userIdOf,
} from '../signin/person.ts';
import { digestOfEverything, makeMember, operator } from './world.ts';

const gatehouse = startApp();
let token: string;
beforeAll(async () => {
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

const PREVIEW = 'preview { rows { kind created updated deleted } endedSessions revokedTokens members { memberId lost } }';

interface Payload {
  readonly user: { readonly version: number } | null;
  readonly deletedId: string | null;
  readonly preview: { readonly rows: { kind: string; deleted: number }[]; readonly endedSessions: number; readonly revokedTokens: number };
  readonly errors: readonly object[];
}

/** Has the Owner change a user, and returns the payload. */
async function change(
  mutation: string,
  input: object,
  fields = 'user { version isSuspended suspendedAt accessRemovedAt }',
): Promise<Payload> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${fields} ${PREVIEW} errors { message } } }`;
  const { data, errors } = await ask<Record<string, Payload>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  expect(data![mutation]!.errors).toEqual([]);
  return data![mutation]!;
}

/** Somebody who is signed in, with tokens. */
async function signedIn(): Promise<{ person: Person; userId: string; accessToken: string; refreshToken: string }> {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  return { person, userId: await userIdOf(gatehouse, person.email), accessToken: body.access_token, refreshToken: body.refresh_token };
}

const profileStatus = async (accessToken: string) =>
  (await fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${accessToken}` } })).status;

/** Nothing of what the person had opens anything; each is tried twice. */
async function expectNothingWorks({ person, accessToken, refreshToken }: Awaited<ReturnType<typeof signedIn>>): Promise<void> {
  for (let times = 0; times < 2; times++) {
    expect(await profileStatus(accessToken)).toBe(401);
    expect((await refresh(gatehouse, refreshToken)).body.error).toBe('invalid_grant');
    const silent = await person.agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url);
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
  }
}

describe('suspendUser', () => {
  test('ends sessions and tokens at once, and restoreUser brings none of them back', async () => {
    const had = await signedIn();
    const { person, userId, accessToken } = had;
    expect(await profileStatus(accessToken)).toBe(200);
    const { code } = await person.authorize();
    const suspended = await change('suspendUser', { userId });
    expect(suspended.user).toEqual({ version: 2, isSuspended: true, suspendedAt: expect.any(String), accessRemovedAt: null });
    await expectNothingWorks(had);
    expect((await identify(gatehouse, person.agent, person.email)).page.status).toBe(403);

    expect((await change('restoreUser', { userId })).user).toMatchObject({ version: 3, isSuspended: false, suspendedAt: null });
    await expectNothingWorks(had);
    const stale = await exchange(gatehouse, { ...person.first, code });
    expect(stale.body.error).toBe('invalid_grant');

    gatehouse.advance(1);
    const again = await signIn(gatehouse, person.email);
    expect(isSignedIn(again.page)).toBe(true);
    const { body } = await exchange(gatehouse, answerOf(again.page, again.request));
    expect(await profileStatus(body.access_token)).toBe(200);
  });

  test('twice is as once: the first moment stands', async () => {
    const { userId } = await signedIn();
    const first = await change('suspendUser', { userId });
    gatehouse.advance(5);
    expect((await change('suspendUser', { userId })).user).toEqual(first.user);
  });

  test('keeps a person out who is in the middle of signing in', async () => {
    const { person, userId } = await signedIn();
    const agent = (await signIn(gatehouse, person.email, { password: 'wrong password' })).agent;
    const { page } = await identify(gatehouse, agent, person.email);
    await change('suspendUser', { userId });
    const refused = await agent.submit(page, 'password', { p_password: 'a quiet harbour at dawn' });
    expect([refused.status, headingOf(refused)]).toEqual([403, 'This account is suspended']);
  });

  test('never lets a sign-in through that ends at the same moment', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, signedIn));
    await Promise.all(
      people.flatMap(({ person, userId }) => [signIn(gatehouse, person.email).catch(() => undefined), change('suspendUser', { userId })]),
    );
    const { prisma } = gatehouse.app.infrastructure.database;
    for (const { userId } of people) {
      expect(await prisma.session.count({ where: { userId } })).toBe(0);
      expect(await prisma.grant.count({ where: { userId, revokedAt: null } })).toBe(0);
    }
  });

  test('a dry run counts what would end, and changes nothing', async () => {
    const had = await signedIn();
    const before = await digestOfEverything(gatehouse);
    const { user, preview } = await change('suspendUser', { userId: had.userId, dryRun: true });
    expect(user).toBeNull();
    expect(preview).toMatchObject({ endedSessions: 1, revokedTokens: 1 });
    expect(await digestOfEverything(gatehouse)).toBe(before);
    expect(await profileStatus(had.accessToken)).toBe(200);
  });

  test('keeps a team member out of the graph with the token that was issued before, then and after', async () => {
    const ctx = operator(gatehouse);
    const { businessId } = await productionEnvironment(gatehouse);
    const email = 'suspended@team.test';
    const { userId } = await makeMember(gatehouse, businessId, email, ['admin']);
    const member = await teamToken(gatehouse, email);
    const who = () => ask(gatehouse, member, '{ viewer { kind } }');
    expect(await who()).toMatchObject({ status: 200, data: { viewer: { kind: 'TEAM_MEMBER' } } });
    await suspendUser(ctx, { userId });
    for (let times = 0; times < 2; times++) expect(await who()).toMatchObject({ status: 401, data: null });
    await restoreUser(ctx, { userId });
    for (let times = 0; times < 2; times++) expect(await who()).toMatchObject({ status: 401, data: null });
    gatehouse.advance(1);
    const fresh = await teamToken(gatehouse, email);
    expect(await ask(gatehouse, fresh, '{ viewer { kind } }')).toMatchObject({ status: 200 });
  });
});

describe('deleteUser', () => {
  test('REMOVE_ACCESS keeps the profile and nothing to sign in with', async () => {
    const had = await signedIn();
    const { person, userId } = had;
    const { prisma } = gatehouse.app.infrastructure.database;
    const { id: environmentId } = await productionEnvironment(gatehouse);
    await organization(gatehouse, 'Left', { members: [userId] });
    await prisma.mfaFactor.create({ data: { environmentId, id: newId('mfaFactor'), userId, type: 'sms' } });
    const api = await prisma.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
    const apiKey = { environmentId, id: newId('apiKey'), apiId: api.id, name: 'Mine', kind: 'user', userId, keyHash: userId, hint: 'mine' };
    await prisma.apiKey.create({ data: apiKey });
    await updateUser(operator(gatehouse), { userId, firstName: 'Kept', providedId: 'kept' });

    const dry = await change('deleteUser', { userId, level: 'REMOVE_ACCESS', dryRun: true });
    expect(dry.preview).toMatchObject({ endedSessions: 1, revokedTokens: 1 });
    expect(dry.preview.rows.filter(({ deleted }) => deleted > 0).map(({ kind, deleted }) => `${deleted} ${kind}`)).toEqual([
      ...['1 identities', '2 memberships', '1 mfa_factors', '1 passwords', '1 sessions'],
    ]);
    expect(await profileStatus(had.accessToken)).toBe(200);

    const { user, deletedId } = await change('deleteUser', { userId, level: 'REMOVE_ACCESS' }, 'deletedId user { accessRemovedAt }');
    expect({ user, deletedId }).toEqual({ user: { accessRemovedAt: expect.any(String) }, deletedId: null });
    const ofUser = { where: { environmentId, userId } };
    expect(await prisma.identity.count(ofUser)).toBe(0);
    expect(await prisma.password.count(ofUser)).toBe(0);
    expect(await prisma.membership.count(ofUser)).toBe(0);
    expect(await prisma.mfaFactor.count(ofUser)).toBe(0);
    expect(await prisma.apiKey.count({ where: { userId, revokedAt: null } })).toBe(0);
    expect(await prisma.user.findFirstOrThrow({ where: { id: userId } })).toMatchObject({ firstName: 'Kept', providedId: 'kept' });
    await expectNothingWorks(had);

    const { page } = await identify(gatehouse, person.agent, person.email);
    expect(headingOf(page)).not.toBe('Enter your password');
    gatehouse.advance(31);
    const agent = userAgent(gatehouse.baseUrl);
    const register = await identify(gatehouse, agent, person.email, { prompt: 'create' });
    expect(headingOf(await typeCode(gatehouse, agent, register.page, person.email, 1))).toBe('Choose a password');
    expect(await userIdOf(gatehouse, person.email)).not.toBe(userId);
    await expectTokensAreDead(had);
  });

  test('a new identity gives the person access again, and no old token with it', async () => {
    const had = await signedIn();
    const { person, userId } = had;
    await change('deleteUser', { userId, level: 'REMOVE_ACCESS' });
    const document = 'mutation ($input: CreateUserIdentityInput!) { createUserIdentity(input: $input) { errors { message } } }';
    const input = { userId, type: 'EMAIL', value: person.email, isVerified: true };
    expect(await ask(gatehouse, token, document, { input })).toMatchObject({ data: { createUserIdentity: { errors: [] } } });
    await expectTokensAreDead(had);
    gatehouse.advance(31);
    const agent = userAgent(gatehouse.baseUrl);
    const { page, request } = await identify(gatehouse, agent, person.email);
    const choose = await typeCode(gatehouse, agent, page, person.email, 1);
    const { body } = await exchange(gatehouse, answerOf(await choosePassword(agent, choose), request));
    expect(await profileStatus(body.access_token)).toBe(200);
  });

  test('ERASE leaves nothing of the person but what the log says was done', async () => {
    const ctx = operator(gatehouse);
    const had = await signedIn();
    const { person, userId } = had;
    const { id: environmentId } = await productionEnvironment(gatehouse);
    await subscribers.create(ctx, { environmentId, email: person.email.toUpperCase() });
    await accessRequests.create(ctx, { environmentId, email: person.email });
    const other = await subscribers.create(ctx, { environmentId, email: `other-${person.email}` });

    const { user, deletedId } = await change('deleteUser', { userId, level: 'ERASE' }, 'deletedId user { version }');
    expect({ user, deletedId }).toEqual({ user: null, deletedId: userId });
    const { prisma } = gatehouse.app.infrastructure.database;
    expect(await prisma.user.count({ where: { id: userId } })).toBe(0);
    expect(await prisma.subscriber.findMany({ where: { environmentId } })).toMatchObject([{ id: other.id }]);
    expect(await prisma.accessRequest.count({ where: { environmentId } })).toBe(0);
    await expectNothingWorks(had);
    const log = await prisma.auditEvent.findMany({ where: { targetId: userId } });
    expect(log.map(({ action, details }) => ({ action, details }))).toContainEqual({ action: 'user.deleted', details: { level: 'erase' } });
    expect(JSON.stringify(log)).not.toContain(person.email);
  });

  test('an authorization code that was on its way opens nothing afterwards, at either level', async () => {
    for (const level of ['REMOVE_ACCESS', 'ERASE']) {
      const { person, userId } = await signedIn();
      const answer = await person.authorize();
      await change('deleteUser', { userId, level }, 'deletedId');
      for (let times = 0; times < 2; times++) {
        const { status } = await exchange(gatehouse, answer);
        expect(status).toBe(400);
      }
    }
  });

  test.each(['remove_access', 'erase'] as const)('%s keeps a team member’s token out of the graph', async (level) => {
    const { businessId } = await productionEnvironment(gatehouse);
    const email = `${level}@team.test`;
    const { userId } = await makeMember(gatehouse, businessId, email, ['admin']);
    const member = await teamToken(gatehouse, email);
    expect(await ask(gatehouse, member, '{ viewer { kind } }')).toMatchObject({ status: 200 });
    await deleteUser(operator(gatehouse), { userId, level });
    for (let times = 0; times < 2; times++) expect(await ask(gatehouse, member, '{ viewer { kind } }')).toMatchObject({ status: 401 });
    expect(await gatehouse.app.infrastructure.database.prisma.teamMember.count({ where: { userId } })).toBe(0);
  });
});

describe('a business', () => {
  test('reaches no team member’s user, not even its own', async () => {
    const { businessId } = await productionEnvironment(gatehouse);
    const { userId } = await makeMember(gatehouse, businessId, 'colleague@team.test', ['read_only']);
    const callers = [token, await machineToken(gatehouse)];
    const before = await gatehouse.app.infrastructure.database.prisma.user.findFirstOrThrow({ where: { id: userId } });
    for (const [mutation, input] of [
      ['updateUser', { firstName: 'Mine' }],
      ['suspendUser', {}],
      ['deleteUser', { level: 'ERASE' }],
      ['endUserSessions', {}],
      ['setTemporaryPassword', { password: 'ninety green bottles' }],
      ['createUserIdentity', { type: 'EMAIL', value: 'mine@team.test', isVerified: true }],
    ] as const) {
      const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
      const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { __typename } } }`;
      for (const caller of callers) {
        const { data, errors } = await ask(gatehouse, caller, document, { input: { userId, ...input } });
        expect(data).toEqual({ [mutation]: null });
        expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      }
    }
    expect(await gatehouse.app.infrastructure.database.prisma.user.findFirstOrThrow({ where: { id: userId } })).toEqual(before);
  });
});

async function expectTokensAreDead({ accessToken, refreshToken }: Awaited<ReturnType<typeof signedIn>>): Promise<void> {
  expect(await profileStatus(accessToken)).toBe(401);
  expect((await refresh(gatehouse, refreshToken)).body.error).toBe('invalid_grant');
}
