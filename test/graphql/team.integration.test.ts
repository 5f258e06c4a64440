import { beforeAll, describe, expect, test } from 'vitest';
import { TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { createBusinessRow } from '../../src/features/businesses/service.ts';
import type { Plan } from '../../src/features/plans.ts';
import { inviteOwner } from '../../src/features/team/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { makeMember, operator } from './world.ts';

const INVITE = graphql(`
  mutation InviteToTeam($businessId: ID!, $email: String!, $roles: [TeamRole!]!) {
    inviteTeamMember(input: { businessId: $businessId, email: $email, roles: $roles }) {
      errors { code path }
      invitation { id email roles state }
    }
  }
`);
const CHANGE = graphql(`
  mutation ChangeTeamRoles($teamMemberId: ID!, $roles: [TeamRole!]!) {
    updateTeamMemberRoles(input: { teamMemberId: $teamMemberId, roles: $roles }) { errors { code path } member { roles } }
  }
`);
const TEAM = graphql(`
  query Team($businessId: ID!) {
    viewer { businesses { nodes { id } } }
    business(id: $businessId) { teamMembers { nodes { email roles } } teamInvitations { nodes { email state } } }
  }
`);

const gatehouse = startApp();
/** Two people who are made an Owner and an Admin of every business here. */
let tokens: Record<'owner' | 'admin', string>;

beforeAll(async () => {
  const { owner, admin } = await newBusiness();
  tokens = { owner: await teamToken(gatehouse, owner.email), admin: await teamToken(gatehouse, admin.email) };
});

let made = 0;

async function newBusiness(plan: Plan = 'scale') {
  const { id } = await createBusinessRow(operator(gatehouse), { name: `Business ${++made}`, region: 'ie', plan });
  const member = async (email: string, roles: TeamRole[]) => ({ email, ...(await makeMember(gatehouse, id, email, roles)) });
  return { id, member, owner: await member('owner@team.test', ['owner']), admin: await member('admin@team.test', ['admin']) };
}

const spelt = (roles: readonly TeamRole[]) => roles.map((role) => role.toUpperCase() as Uppercase<TeamRole>);
const rolesOf = async (memberId: string) =>
  (await operator(gatehouse).db.teamMember.findFirstOrThrow({ where: { id: memberId }, select: { roles: true } })).roles;
const refused = (permission: string) => [
  expect.objectContaining({ extensions: expect.objectContaining({ code: 'FORBIDDEN', permission }) }),
];

const PAIRS = (['owner', 'admin'] as const).flatMap((holder) => TEAM_ROLES.map((role) => ({ holder, role })));

describe('handing out roles', () => {
  test.each(PAIRS)('an $holder and the role $role', async ({ holder, role }) => {
    const business = await newBusiness();
    const { memberId } = await business.member('colleague@team.test', role === 'read_only' ? ['marketing'] : ['read_only']);
    const before = await rolesOf(memberId);
    const invitation = { businessId: business.id, email: 'invited@team.test', roles: spelt([role]) };
    const invited = await ask(gatehouse, tokens[holder], INVITE, invitation);
    const changed = await ask(gatehouse, tokens[holder], CHANGE, { teamMemberId: memberId, roles: spelt([role]) });

    if (holder === 'admin' && role === 'owner') {
      expect(invited).toMatchObject({ data: { inviteTeamMember: null }, errors: refused('assign:owner') });
      expect(changed).toMatchObject({ data: { updateTeamMemberRoles: null }, errors: refused('assign:owner') });
      expect(await rolesOf(memberId)).toEqual(before);
      return;
    }
    expect(invited.data?.inviteTeamMember).toEqual({
      errors: [],
      invitation: { id: expect.stringMatching(/^tinv_/), email: 'invited@team.test', roles: spelt([role]), state: 'INVITED' },
    });
    expect(changed.data?.updateTeamMemberRoles).toEqual({ errors: [], member: { roles: spelt([role]) } });
  });

  test('an Admin changes nothing about an Owner', async () => {
    const business = await newBusiness();
    for (const roles of [['admin'], ['owner', 'engineer'], ['read_only']] satisfies TeamRole[][]) {
      const answer = await ask(gatehouse, tokens.admin, CHANGE, { teamMemberId: business.owner.memberId, roles: spelt(roles) });
      expect(answer).toMatchObject({ data: { updateTeamMemberRoles: null }, errors: refused('assign:owner') });
    }
    expect(await rolesOf(business.owner.memberId)).toEqual(['owner']);
  });

  test('nobody raises themselves', async () => {
    const business = await newBusiness();
    const self = { teamMemberId: business.admin.memberId, roles: spelt(['admin', 'owner']) };
    expect(await ask(gatehouse, tokens.admin, CHANGE, self)).toMatchObject({ errors: refused('assign:owner') });

    const specialist = await business.member('specialist@team.test', ['engineer', 'security_specialist', 'customer_success']);
    const token = await teamToken(gatehouse, specialist.email);
    for (const roles of [['admin'], ['owner'], ['engineer', 'finance'], ['engineer']] satisfies TeamRole[][]) {
      const answer = await ask(gatehouse, token, CHANGE, { teamMemberId: specialist.memberId, roles: spelt(roles) });
      expect(answer).toMatchObject({ errors: refused('update:team_members') });
    }
    expect(await rolesOf(specialist.memberId)).toEqual(['engineer', 'security_specialist', 'customer_success']);
  });

  test('a member may have several roles, each once, in the order of the matrix', async () => {
    const business = await newBusiness();
    const { memberId } = await business.member('colleague@team.test', ['read_only']);
    const roles = spelt(['marketing', 'engineer', 'marketing']);
    const { data } = await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: memberId, roles });
    expect(data?.updateTeamMemberRoles?.member?.roles).toEqual(['ENGINEER', 'MARKETING']);
  });

  test('a change is written down with what was before, and a change to the same is none', async () => {
    const { db } = operator(gatehouse);
    const business = await newBusiness();
    const { memberId } = await business.member('colleague@team.test', ['read_only']);
    await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: memberId, roles: ['FINANCE'] });
    await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: memberId, roles: ['FINANCE'] });
    expect(await db.auditEvent.findMany({ where: { businessId: business.id, action: 'team.roles_changed' } })).toMatchObject([
      { actorId: business.owner.userId, targetId: memberId, details: { before: ['read_only'], after: ['finance'] } },
    ]);
  });
});

describe('the last Owner', () => {
  test('cannot give the role up, and can once there is another', async () => {
    const business = await newBusiness();
    const stepDown = { teamMemberId: business.owner.memberId, roles: spelt(['admin']) };
    const alone = await ask(gatehouse, tokens.owner, CHANGE, stepDown);
    expect(alone.data?.updateTeamMemberRoles).toEqual({ errors: [{ code: 'LAST_OWNER', path: ['roles'] }], member: null });

    await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: business.admin.memberId, roles: ['OWNER'] });
    const together = await ask(gatehouse, tokens.owner, CHANGE, stepDown);
    expect(together.data?.updateTeamMemberRoles).toEqual({ errors: [], member: { roles: ['ADMIN'] } });
    expect(await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: business.admin.memberId, roles: ['ADMIN'] })).toMatchObject({
      errors: refused('assign:owner'),
    });
  });

  test('may take on more roles', async () => {
    const business = await newBusiness();
    const { data } = await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: business.owner.memberId, roles: ['OWNER', 'FINANCE'] });
    expect(data?.updateTeamMemberRoles).toEqual({ errors: [], member: { roles: ['OWNER', 'FINANCE'] } });
  });

  test('who gives it up has lost it for the rest of the very same document', async () => {
    const business = await newBusiness();
    await business.member('second@team.test', ['owner']);
    const { data, errors } = await ask(
      gatehouse,
      tokens.owner,
      `mutation {
        updateTeamMemberRoles(input: { teamMemberId: "${business.owner.memberId}", roles: [READ_ONLY] }) { member { roles } }
        inviteTeamMember(input: { businessId: "${business.id}", email: "late@team.test", roles: [ADMIN] }) { errors { code } }
      }`,
    );
    expect(data).toEqual({ updateTeamMemberRoles: { member: { roles: ['READ_ONLY'] } }, inviteTeamMember: null });
    // The same person still has the permission in other businesses: here it is the roles that do not suffice.
    expect(errors).toMatchObject([{ path: ['inviteTeamMember'], extensions: { code: 'FORBIDDEN' } }]);
  });

  // On the embedded database one waits for the other from the start; on PostgreSQL both are under way.
  test.each([1, 2, 3])('of two Owners who demote one another at the same moment, one stays (round %i)', async () => {
    const business = await newBusiness();
    await operator(gatehouse).db.teamMember.updateMany({ where: { id: business.admin.memberId }, data: { roles: ['owner'] } });
    await business.member('third@team.test', ['owner']);
    const answers = await Promise.all([
      ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: business.admin.memberId, roles: ['ADMIN'] }),
      ask(gatehouse, tokens.admin, CHANGE, { teamMemberId: business.owner.memberId, roles: ['ADMIN'] }),
    ]);
    expect(answers.filter(({ data }) => data?.updateTeamMemberRoles?.member)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors)).toEqual(refused('assign:owner'));
    const roles = [await rolesOf(business.owner.memberId), await rolesOf(business.admin.memberId)];
    expect(roles.flat().sort()).toEqual(['admin', 'owner']);
  });
});

describe('the free plan', () => {
  test('has Owners and Admins', async () => {
    const business = await newBusiness('free');
    const { memberId } = await business.member('colleague@team.test', ['admin']);
    for (const role of TEAM_ROLES) {
      const errors = role === 'owner' || role === 'admin' ? [] : [{ code: 'PLAN_LIMIT', path: ['roles'] }];
      const invitation = { businessId: business.id, email: 'invited@team.test', roles: spelt([role]) };
      expect((await ask(gatehouse, tokens.owner, INVITE, invitation)).data?.inviteTeamMember?.errors).toEqual(errors);
      const change = await ask(gatehouse, tokens.owner, CHANGE, { teamMemberId: memberId, roles: spelt([role]) });
      expect(change.data?.updateTeamMemberRoles?.errors).toEqual(errors);
    }
  });
});

describe('an invitation', () => {
  test('is mailed to the person alone, who is on the team from the next sign-in on', async () => {
    const business = await newBusiness();
    const elsewhere = await newBusiness();
    await elsewhere.member('joiner@team.test', ['finance']);
    const after = await gatehouse.mailCount('joiner@team.test');
    await ask(gatehouse, tokens.owner, INVITE, { businessId: business.id, email: 'Joiner@team.test', roles: ['ENGINEER', 'MARKETING'] });
    const { text } = await gatehouse.mailTo('Joiner@team.test');
    const link = /\S+\/team-invitation\/(\S+)/.exec(text);
    expect(link?.[1]).toMatch(/^[\w-]{40,}$/);
    expect(gatehouse.log()).not.toContain(link![1]);
    expect(await gatehouse.mailCount('joiner@team.test')).toBe(after);

    const states = async () => (await ask(gatehouse, tokens.owner, TEAM, { businessId: business.id })).data?.business;
    expect((await states())?.teamInvitations?.nodes).toEqual([{ email: 'Joiner@team.test', state: 'INVITED' }]);
    const token = await teamToken(gatehouse, 'joiner@team.test');
    const { data } = await ask(gatehouse, token, TEAM, { businessId: business.id });
    expect(data?.viewer?.businesses.nodes).toEqual([{ id: business.id }, { id: elsewhere.id }]);
    expect(data?.business?.teamMembers?.nodes).toContainEqual({ email: 'joiner@team.test', roles: ['ENGINEER', 'MARKETING'] });
    expect((await states())?.teamInvitations?.nodes).toEqual([{ email: 'Joiner@team.test', state: 'ACCEPTED' }]);
  });

  test('ends after seven days', async () => {
    const business = await newBusiness();
    await makeMember(gatehouse, (await newBusiness()).id, 'late@team.test', ['read_only']);
    await ask(gatehouse, tokens.owner, INVITE, { businessId: business.id, email: 'late@team.test', roles: ['ADMIN'] });
    await gatehouse.mailTo('late@team.test');
    gatehouse.advance(7 * 24 * 3600 + 1);
    const { data } = await ask(gatehouse, await teamToken(gatehouse, 'late@team.test'), TEAM, { businessId: business.id });
    expect(data?.business).toBeNull();
    const team = await ask(gatehouse, await teamToken(gatehouse, 'owner@team.test'), TEAM, { businessId: business.id });
    expect(team.data?.business?.teamInvitations?.nodes).toEqual([{ email: 'late@team.test', state: 'EXPIRED' }]);
    expect(team.data?.business?.teamMembers?.nodes).toHaveLength(2);
  });
});

test('the operator invites an Owner where there is none to ask, and nobody whose roles that would leave as they are', async () => {
  const { id, admin } = await newBusiness();
  const ctx = operator(gatehouse);
  await expect(inviteOwner(ctx, id, admin.email.toUpperCase())).rejects.toMatchObject({ code: 'ALREADY_MEMBER' });
  expect((await inviteOwner(ctx, id, 'heir@team.test')).link).toContain('/team-invitation/');
  expect(await ctx.db.teamInvitation.findMany({ where: { businessId: id }, select: { email: true, roles: true } })).toEqual([
    { email: 'heir@team.test', roles: ['owner'] },
  ]);
});
