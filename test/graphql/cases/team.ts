import { createInvitation } from '../../../src/features/team/service.ts';
import { makeMember } from '../world.ts';
import { type FeatureCases, type Mistake, type Stage, textMistakes } from './cases.ts';

/** Invites `name` to the team. */
async function newInvitation({ ctx, world }: Stage, name: string): Promise<{ teamInvitationId: string }> {
  const made = await createInvitation(ctx, { businessId: world.businessId, email: `${name}@team.test`, roles: ['engineer'] });
  return { teamInvitationId: made.invitation.id };
}

const newMember = async ({ gatehouse, world }: Stage, name: string) =>
  (await makeMember(gatehouse, world.businessId, `${name}@team.test`, ['engineer'])).memberId;

/** The mistakes that an invitation is not open any more. */
const closed: readonly Mistake[] = (['acceptedAt', 'revokedAt'] as const).map((when) => ({
  code: when === 'acceptedAt' ? 'ACCEPTED' : 'REVOKED',
  path: [],
  async input(stage) {
    const input = await newInvitation(stage, when.toLowerCase());
    await stage.ctx.db.teamInvitation.updateMany({ where: { id: input.teamInvitationId }, data: { [when]: stage.ctx.clock.now() } });
    return input;
  },
}));

const invitation = ({ world }: Stage) => ({ businessId: world.businessId, email: 'new@team.test', roles: ['ADMIN'] });

export const team: FeatureCases = {
  kinds: { TeamMember: 'teamMember', TeamInvitation: 'teamInvitation' },
  fillBusiness: async ({ gatehouse, ctx, businessId, name }) => {
    const { memberId } = await makeMember(gatehouse, businessId, `${name}-first@team.test`, ['owner']);
    const made = await createInvitation(ctx, { businessId, email: `${name}-invited@team.test`, roles: ['admin'] });
    return { TeamMember: memberId, TeamInvitation: made.invitation.id };
  },
  addRow: async ({ gatehouse, ctx, businessId }, row) => {
    await makeMember(gatehouse, businessId, `member-${row}@team.test`, ['engineer']);
    await createInvitation(ctx, { businessId, email: `invited-${row}@team.test`, roles: ['admin'] });
  },
  lists: {
    'a team with its invitations': `business(id: $businessId) {
      teamMembers(first: $first) { totalCount nodes { email firstName roles } } teamInvitations(first: $first) { nodes { email state } }
    }`,
  },
  open: ['Mutation.leaveTeam'],
  shortLists: ['TeamInvitation.roles', 'TeamMember.roles'],
  mutations: {
    inviteTeamMember: {
      permission: 'create:team_members',
      action: 'team.member_invited',
      input: ({ world }, name) => ({ businessId: world.businessId, email: `${name}@team.test`, roles: ['ENGINEER'] }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, email: 'mine@team.test', roles: ['ADMIN'] }) }],
      onlyForPeople: true,
      mistakes: [
        { code: 'REQUIRED', path: ['email'], input: (stage) => ({ ...invitation(stage), email: '' }) },
        ...textMistakes('lastName', invitation, false),
        { code: 'INVALID_EMAIL', path: ['email'], input: (stage) => ({ ...invitation(stage), email: 'somebody' }) },
        { code: 'NO_ROLES', path: ['roles'], input: (stage) => ({ ...invitation(stage), roles: [] }) },
        { code: 'UNKNOWN_LANGUAGE', path: ['language'], input: (stage) => ({ ...invitation(stage), language: 'tlh' }) },
        {
          code: 'ALREADY_MEMBER',
          path: ['email'],
          input: (stage) => ({ ...invitation(stage), email: `${stage.world.name.toUpperCase()}-First@Team.Test` }),
        },
        {
          code: 'PLAN_LIMIT',
          path: ['roles'],
          input: (stage) => ({ ...invitation(stage), businessId: stage.small.businessId, roles: ['ENGINEER'] }),
        },
      ],
    },
    updateTeamMemberRoles: {
      permission: 'update:team_members',
      action: 'team.roles_changed',
      input: async (stage, name) => ({ teamMemberId: await newMember(stage, name), roles: ['FINANCE'] }),
      foreign: [{ type: 'TeamMember', input: (teamMemberId) => ({ teamMemberId, roles: ['FINANCE'] }) }],
      onlyForPeople: true,
      mistakes: [
        { code: 'NO_ROLES', path: ['roles'], input: ({ world }) => ({ teamMemberId: world.ids.TeamMember, roles: [] }) },
        {
          code: 'PLAN_LIMIT',
          path: ['roles'],
          input: ({ small }) => ({ teamMemberId: small.ids.TeamMember, roles: ['ADMIN', 'FINANCE'] }),
        },
        { code: 'LAST_OWNER', path: ['roles'], input: ({ callerMemberId }) => ({ teamMemberId: callerMemberId, roles: ['ADMIN'] }) },
        ...['OWNER', 'ADMIN'].map((role) => ({
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }: Stage) => ({ teamMemberId: world.ids.TeamMember, roles: [role], expectedVersion: 99 }),
        })),
      ],
    },
    resendTeamInvitation: {
      permission: 'create:team_members',
      action: 'team.invitation_resent',
      input: newInvitation,
      foreign: [{ type: 'TeamInvitation', input: (teamInvitationId) => ({ teamInvitationId }) }],
      onlyForPeople: true,
      mistakes: [
        ...closed,
        {
          code: 'PLAN_LIMIT',
          path: [],
          async input({ ctx, small: { businessId } }) {
            const made = await createInvitation(ctx, { businessId, email: 'specialist@team.test', roles: ['engineer'] });
            return { teamInvitationId: made.invitation.id };
          },
        },
        {
          code: 'ALREADY_MEMBER',
          path: [],
          async input(stage) {
            await newMember(stage, 'invited-member');
            return newInvitation(stage, 'Invited-Member');
          },
        },
      ],
    },
    revokeTeamInvitation: {
      permission: 'delete:team_members',
      action: 'team.invitation_revoked',
      input: newInvitation,
      foreign: [{ type: 'TeamInvitation', input: (teamInvitationId) => ({ teamInvitationId }) }],
      onlyForPeople: true,
      mistakes: closed,
    },
    removeTeamMember: {
      permission: 'delete:team_members',
      action: 'team.member_removed',
      input: async (stage, name) => ({ teamMemberId: await newMember(stage, name) }),
      foreign: [{ type: 'TeamMember', input: (teamMemberId) => ({ teamMemberId }) }],
      onlyForPeople: true,
      mistakes: [{ code: 'OWNER', path: ['teamMemberId'], input: ({ world }) => ({ teamMemberId: world.ids.TeamMember }) }],
    },
    leaveTeam: {
      action: 'team.member_left',
      input: ({ world }) => ({ businessId: world.businessId }),
      mistakes: [{ code: 'LAST_OWNER', path: [], input: ({ small }) => ({ businessId: small.businessId }) }],
    },
  },
};
