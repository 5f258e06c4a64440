/** The team of a business, and the caller itself, in the graph. */
import { TEAM_ROLES, type TeamRole } from '../../access/team-roles.ts';
import { builder } from '../../graphql/builder.ts';
import { enumValues } from '../../graphql/enum-values.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import {
  inviteTeamMember,
  leaveTeam,
  removeTeamMember,
  resendTeamInvitation,
  revokeTeamInvitation,
  updateTeamMemberRoles,
} from './service.ts';

const REMITS: Record<TeamRole, string> = {
  owner: 'Everything, other Owners included.',
  admin: 'Everything but ownership and exports.',
  customer_success: 'Users, organizations and their members.',
  engineer: 'Applications, APIs, environments and integrations.',
  finance: 'Plan and payment.',
  marketing: 'Brand, content and templates.',
  read_only: 'Reads, changes nothing.',
  security_specialist: 'Sign-in methods and security policies.',
};

export const TeamRoleEnum = builder.enumType('TeamRole', {
  description: 'A named set of permissions over a business. A member may have several.',
  values: enumValues(REMITS),
});

const roles = (row: { roles: string[] }) => TEAM_ROLES.filter((role) => row.roles.includes(role));

export const TeamMember = builder.prismaObject('TeamMember', {
  description: 'A person who works on a business, with roles.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:team_members',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The membership’s id.' }),
    roles: t.field({ type: [TeamRoleEnum], nullable: true, description: 'Its roles.', select: { roles: true }, resolve: roles }),
    firstName: t.string({
      nullable: true,
      description: 'First name.',
      select: { user: { select: { firstName: true } } },
      resolve: ({ user }) => user.firstName,
    }),
    lastName: t.string({
      nullable: true,
      description: 'Last name.',
      select: { user: { select: { lastName: true } } },
      resolve: ({ user }) => user.lastName,
    }),
    email: t.string({
      nullable: true,
      description: 'The address it signs in with.',
      select: { user: { select: { identities: { where: { type: 'email', isPrimary: true }, select: { value: true }, take: 1 } } } },
      resolve: ({ user }) => user.identities[0]?.value ?? null,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'Since when.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

const TeamInvitationState = builder.enumType('TeamInvitationState', {
  description: 'What has become of an invitation.',
  values: {
    INVITED: { description: 'It can be accepted.' },
    ACCEPTED: { description: 'The person is on the team.' },
    REVOKED: { description: 'It was taken back.' },
    EXPIRED: { description: 'It was not accepted in time.' },
  },
});

export const TeamInvitation = builder.prismaObject('TeamInvitation', {
  description: 'An invitation to a business’s team.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:team_members',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The invitation’s id.' }),
    email: t.exposeString('email', { nullable: true, description: 'Who is invited.' }),
    firstName: t.exposeString('firstName', { nullable: true, description: 'First name.' }),
    lastName: t.exposeString('lastName', { nullable: true, description: 'Last name.' }),
    language: t.exposeString('language', { nullable: true, description: 'What its mail is written in; null for the default.' }),
    roles: t.field({ type: [TeamRoleEnum], nullable: true, description: 'The roles it gives.', select: { roles: true }, resolve: roles }),
    state: t.field({
      type: TeamInvitationState,
      nullable: true,
      description: 'What has become of it.',
      select: { acceptedAt: true, revokedAt: true, expiresAt: true },
      resolve: ({ acceptedAt, revokedAt, expiresAt }, _args, { services }) =>
        acceptedAt ? 'ACCEPTED' : revokedAt ? 'REVOKED' : expiresAt <= services.clock.now() ? 'EXPIRED' : 'INVITED',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it was last mailed.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'Until when it can be accepted.' }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true, description: 'When it was accepted.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was taken back.' }),
  }),
});

registerNode('teamMember', {
  typeName: 'TeamMember',
  permission: 'read:team_members',
  tenant: 'businessId',
  find: (prisma, query) => prisma.teamMember.findFirst(query),
});
registerNode('teamInvitation', {
  typeName: 'TeamInvitation',
  permission: 'read:team_members',
  tenant: 'businessId',
  find: (prisma, query) => prisma.teamInvitation.findFirst(query),
});

const ROLE_CODES = { ...PLAN_CODES, NO_ROLES: 'A member has at least one role.' };

defineMutation({
  name: 'inviteTeamMember',
  description: 'Invites a person to a business’s team, by mail. Accepting is signing in with that address.',
  policy: { permission: inviteTeamMember.permission },
  codes: {
    ...TEXT_CODES,
    ...ROLE_CODES,
    INVALID_EMAIL: 'Not an email address.',
    UNKNOWN_LANGUAGE: 'A language that the mails are not written in.',
    ALREADY_MEMBER: 'The person is on the team already.',
  },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    email: t.string({ required: true, description: 'At most 254 characters.' }),
    firstName: t.string({ description: 'At most 200 characters.' }),
    lastName: t.string({ description: 'At most 200 characters.' }),
    language: t.string({
      description: 'What the mail is written in (BCP 47), unless its reader has signed in in another language. Absent: the default.',
    }),
    roles: t.field({ type: [TeamRoleEnum], required: true, description: 'Only roles that the caller may assign.' }),
  }),
  run: (ctx, input) => inviteTeamMember(ctx, { ...input, roles: input.roles as TeamRole[] }),
  payload: (t) => ({
    invitation: changed(t, 'TeamInvitation', 'The new invitation.'),
  }),
});

defineMutation({
  name: 'updateTeamMemberRoles',
  description: 'Replaces a team member’s roles. A business always keeps an Owner.',
  policy: { permission: updateTeamMemberRoles.permission },
  previews: true,
  versioned: true,
  changesGrants: true,
  codes: { ...ROLE_CODES, LAST_OWNER: 'The business would be left without an Owner.' },
  input: (t) => ({
    teamMemberId: t.id({ required: true, description: 'The member.' }),
    roles: t.field({ type: [TeamRoleEnum], required: true, description: 'All roles it has from now on.' }),
  }),
  run: (ctx, input) => updateTeamMemberRoles(ctx, { ...input, roles: input.roles as TeamRole[] }),
  payload: (t) => ({
    member: changed(t, 'TeamMember', 'The member.'),
  }),
});

const CLOSED_CODES = { ACCEPTED: 'It was accepted.', REVOKED: 'It was taken back.' };

defineMutation({
  name: 'resendTeamInvitation',
  description: 'Mails an invitation again, an expired one too: it is open for seven days from now, by the new link only.',
  policy: { permission: resendTeamInvitation.permission },
  codes: { ...CLOSED_CODES, ...PLAN_CODES, ALREADY_MEMBER: 'The person is on the team already.' },
  input: (t) => ({ teamInvitationId: t.id({ required: true, description: 'The invitation.' }) }),
  run: (ctx, input) => resendTeamInvitation(ctx, input),
  payload: (t) => ({ invitation: changed(t, 'TeamInvitation', 'The invitation.') }),
});

defineMutation({
  name: 'revokeTeamInvitation',
  description: 'Takes an invitation back: its link leads nowhere.',
  policy: { permission: revokeTeamInvitation.permission },
  previews: true,
  codes: CLOSED_CODES,
  input: (t) => ({ teamInvitationId: t.id({ required: true, description: 'The invitation.' }) }),
  run: (ctx, input) => revokeTeamInvitation(ctx, input),
  payload: (t) => ({ invitation: changed(t, 'TeamInvitation', 'The invitation.') }),
});

defineMutation({
  name: 'removeTeamMember',
  description: 'Takes a member off a business’s team, who can do nothing there from then on. An Owner is no longer one first.',
  policy: { permission: removeTeamMember.permission },
  previews: true,
  changesGrants: true,
  codes: { OWNER: 'The member is an Owner.' },
  input: (t) => ({ teamMemberId: t.id({ required: true, description: 'The member.' }) }),
  run: (ctx, input) => removeTeamMember(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'leaveTeam',
  description: 'Takes the caller itself off a business’s team.',
  policy: { open: 'everybody may leave a team that they are on' },
  previews: true,
  changesGrants: true,
  forPeople: true,
  codes: { LAST_OWNER: 'The business would be left without an Owner.' },
  input: (t) => ({ businessId: t.id({ required: true, description: 'The business.' }) }),
  run: (ctx, input) => leaveTeam(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
