/** What an operator decides about an organization in the graph, as the people at its pages meet it. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { exchange, headingOf, newAddress, organization, productionEnvironment, refresh, requestOf, signUp, userIdOf } from './person.ts';

const gatehouse = startApp();
let owner: string;
beforeAll(async () => {
  owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

interface Outcome {
  errors: { code: string }[];
  preview?: { rows: { kind: string; deleted: number; updated: number }[]; revokedTokens: number; endedSessions: number; members: object[] };
}

/** Has the Owner change something, and returns what came of it. */
async function change(mutation: string, input: object): Promise<Outcome> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const preview = 'dryRun' in input ? 'preview { rows { kind updated deleted } revokedTokens endedSessions members { userId lost } }' : '';
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${preview} errors { ... on UserError { message } } } }`;
  const { data, errors } = await ask<Record<string, Outcome>, object>(gatehouse, owner, document, { input });
  expect(errors).toEqual([]);
  expect(data![mutation]!.errors).toEqual([]);
  return data![mutation]!;
}

/** Somebody with refresh tokens for the default organization and for another one. */
async function memberOfTwo(name: string) {
  const person = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  const other = await organization(gatehouse, name, { members: [userId] });
  const tokenFor = async (parameters: Record<string, string>) => {
    const { body } = await exchange(gatehouse, await person.authorize('spa', parameters));
    return { token: body['refresh_token'] as string, organization: decodeJwt(body['access_token'])['org_code'] as string };
  };
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: first } = await prisma.organization.findFirstOrThrow({ where: { environmentId, isDefault: true } });
  const [ofFirst, ofOther] = [await tokenFor({ org_code: first }), await tokenFor({ org_code: other })];
  expect([ofFirst.organization, ofOther.organization]).toEqual([first, other]);
  return { ...person, userId, first, other, ofFirst: ofFirst.token, ofOther: ofOther.token, tokenFor };
}

async function works(token: string): Promise<boolean> {
  const { status, body } = await refresh(gatehouse, token);
  if (status !== 200) expect(body['error']).toBe('invalid_grant');
  return status === 200;
}

const membershipsOf = async (email: string) => {
  const memberships = await gatehouse.app.infrastructure.database.prisma.membership.findMany({
    where: { userId: await userIdOf(gatehouse, email) },
    include: { organization: { select: { name: true } }, roles: { include: { role: { select: { key: true } } } } },
  });
  return Object.fromEntries(memberships.map(({ organization: { name }, roles }) => [name, roles.map(({ role }) => role.key).sort()]));
};

describe('suspending an organization', () => {
  test('ends its refresh tokens and no other organization’s; restoring it brings none back', async () => {
    const { agent, first, other, ofFirst, ofOther, tokenFor } = await memberOfTwo('Suspended');
    const { preview } = await change('suspendOrganization', { organizationId: other, dryRun: true });
    expect(preview).toMatchObject({ revokedTokens: 1, endedSessions: 0, members: [] });
    const second = (await refresh(gatehouse, ofOther)).body['refresh_token'];

    await change('suspendOrganization', { organizationId: other });
    expect([await works(second), await works(ofOther)]).toEqual([false, false]);
    const page = await agent.open(requestOf(gatehouse, 'spa', { org_code: other }).url);
    expect([page.status, headingOf(page)]).toEqual([403, 'This organization is suspended']);
    expect(await works(ofFirst)).toBe(true);

    await change('restoreOrganization', { organizationId: other });
    expect([await works(second), await works(ofOther)]).toEqual([false, false]);
    expect((await tokenFor({ org_code: other })).organization).toBe(other);
    expect((await tokenFor({ org_code: first })).organization).toBe(first);
  });

  test('ends a code that was not exchanged yet', async () => {
    const { authorize, other } = await memberOfTwo('Suspended between');
    const answer = await authorize('spa', { org_code: other });
    await change('suspendOrganization', { organizationId: other });
    await change('restoreOrganization', { organizationId: other });
    const { status, body } = await exchange(gatehouse, answer);
    expect([status, body['error']]).toEqual([400, 'invalid_grant']);
  });
});

test('deleting an organization ends its tokens and its memberships, and leaves its members as users', async () => {
  const { userId, other, ofFirst, ofOther, email } = await memberOfTwo('Deleted');
  const { preview } = await change('deleteOrganization', { organizationId: other, dryRun: true });
  expect(preview).toMatchObject({ revokedTokens: 1 });
  expect(preview!.rows).toEqual(
    expect.arrayContaining([
      { kind: 'memberships', updated: 0, deleted: 1 },
      { kind: 'organizations', updated: 0, deleted: 1 },
    ]),
  );
  expect(preview!.rows.find(({ kind }) => kind === 'users')).toBeUndefined();
  expect(await works(ofOther)).toBe(true);

  const fresh = (await refresh(gatehouse, ofOther)).body['refresh_token'];
  await change('deleteOrganization', { organizationId: other });
  expect([await works(fresh), await works(ofFirst)]).toEqual([false, true]);
  expect(await userIdOf(gatehouse, email)).toBe(userId);
  expect(Object.keys(await membershipsOf(email))).toEqual(['Acme']);
});

test('removing a member ends what was issued to it for that organization, and nothing else', async () => {
  const { userId, other, ofFirst, ofOther } = await memberOfTwo('Left');
  const colleague = await memberOfTwo('Left too');
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId } = await productionEnvironment(gatehouse);
  await prisma.membership.create({ data: { environmentId, id: `om_${'c'.repeat(32)}`, organizationId: other, userId: colleague.userId } });
  const theirs = (await colleague.tokenFor({ org_code: other })).token;
  const { id: organizationMemberId } = await prisma.membership.findFirstOrThrow({ where: { userId, organizationId: other } });
  const { preview } = await change('removeOrganizationMember', { organizationMemberId, dryRun: true });
  expect(preview).toMatchObject({ revokedTokens: 1 });
  await change('removeOrganizationMember', { organizationMemberId });
  expect([await works(ofOther), await works(ofFirst), await works(theirs)]).toEqual([false, true, true]);
});

describe('who joins an organization by themselves', () => {
  async function withPolicies(name: string, policies: object, isAdvanced = true): Promise<string> {
    const organizationId = await organization(gatehouse, name);
    if (isAdvanced) await change('updateOrganization', { organizationId, isAdvanced });
    await change('updateOrganizationPolicies', { organizationId, ...policies });
    return organizationId;
  }
  const comesWith = (org_code: string, email: string) => ({ email, parameters: { org_code } });

  test('only who has an address of an allowed domain, in whatever case', async () => {
    const id = await withPolicies('Guild', { isAutoMembershipEnabled: true, allowedDomains: ['Guild.TEST'] });
    const inside = `one.${process.pid}@GUILD.test`;
    await signUp(gatehouse, comesWith(id, inside));
    expect(Object.keys(await membershipsOf(inside))).toEqual(['Guild']);
    for (const outside of [newAddress(), `two.${process.pid}@not-guild.test`, `three.${process.pid}@sub.guild.test`]) {
      await expect(signUp(gatehouse, comesWith(id, outside))).rejects.toThrow('There is no code: 403');
      expect(await membershipsOf(outside)).toEqual({});
    }
  });

  test('everybody, while the organization’s own policies do not count', async () => {
    const id = await withPolicies('Plain', { isAutoMembershipEnabled: true, allowedDomains: ['plain.test'] });
    await change('updateOrganization', { organizationId: id, isAdvanced: false });
    const outside = newAddress();
    await signUp(gatehouse, comesWith(id, outside));
    expect(Object.keys(await membershipsOf(outside))).toEqual(['Plain']);
  });

  test('new users of its domains, whichever organization they come to, and nobody once it is suspended', async () => {
    const id = await withPolicies('Works', { isAutoJoinDomainList: true, allowedDomains: ['works.test', 'works.example'] });
    const [worker, stranger, late] = [`w.${process.pid}@works.test`, newAddress(), `late.${process.pid}@works.example`];
    await signUp(gatehouse, { email: stranger });
    expect(Object.keys(await membershipsOf(stranger))).toEqual(['Acme']);
    await expect(signUp(gatehouse, { email: worker })).rejects.toThrow('Choose an organization');
    expect(Object.keys(await membershipsOf(worker)).sort()).toEqual(['Acme', 'Works']);
    await change('suspendOrganization', { organizationId: id });
    await signUp(gatehouse, { email: late });
    expect(Object.keys(await membershipsOf(late))).toEqual(['Acme']);
  });

  test('with the organization’s own default roles in the place of the business’s', async () => {
    const { prisma } = gatehouse.app.infrastructure.database;
    const { businessId } = await productionEnvironment(gatehouse);
    for (const [key, isDefaultRole] of [
      ['usual', true],
      ['special', false],
    ] as const)
      await prisma.role.create({ data: { businessId, id: `role_${key.padEnd(32, '0')}`, key, name: key, isDefaultRole } });
    const special = (await prisma.role.findFirstOrThrow({ where: { key: 'special' } })).id;
    const own = await withPolicies('Own roles', { isAutoMembershipEnabled: true, defaultRoleIds: [special] });
    const usual = await withPolicies('Usual roles', { isAutoMembershipEnabled: true }, false);
    const [first, second] = [newAddress(), newAddress()];
    await signUp(gatehouse, comesWith(own, first));
    await signUp(gatehouse, comesWith(usual, second));
    expect([await membershipsOf(first), await membershipsOf(second)]).toEqual([{ 'Own roles': ['special'] }, { 'Usual roles': ['usual'] }]);
    await prisma.role.deleteMany({ where: { key: { in: ['usual', 'special'] } } });
  });

  test('nobody who comes with its code, where the environment has no self sign-up', async () => {
    const id = await withPolicies('Asked for', { isAutoMembershipEnabled: true });
    const { agent, email } = await signUp(gatehouse);
    const { prisma } = gatehouse.app.infrastructure.database;
    const { id: environmentId } = await productionEnvironment(gatehouse);
    await prisma.environment.update({ where: { id: environmentId }, data: { allowSelfSignUp: false } });
    gatehouse.app.infrastructure.lookups.forget();
    const page = await agent.open(requestOf(gatehouse, 'spa', { org_code: id }).url);
    expect([page.status, headingOf(page)]).toEqual([403, 'You are not a member of this organization']);
    expect(Object.keys(await membershipsOf(email))).toEqual(['Acme']);
    await prisma.environment.update({ where: { id: environmentId }, data: { allowSelfSignUp: true } });
    gatehouse.app.infrastructure.lookups.forget();
  });
});
