import { createInvitation } from '../../../src/features/team/service.ts';
import { makeMember } from '../world.ts';
import { type FeatureCases, type Stage, textMistakes } from './cases.ts';

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
      input: async ({ gatehouse, world }, name) => ({
        teamMemberId: (await makeMember(gatehouse, world.businessId, `${name}@team.test`, ['engineer'])).memberId,
        roles: ['FINANCE'],
      }),
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
      ],
    },
  },
};
