/** Invitations into organizations in the graph. A link is in the answer of what made it, and nowhere else ever. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { Role } from '../roles/graphql.ts';
import { createOrganizationInvitation, resendOrganizationInvitation, revokeOrganizationInvitation } from './service.ts';

const STATES = ['pending', 'accepted', 'revoked', 'expired'] as const;
type State = (typeof STATES)[number];

const StateEnum = builder.enumType('OrganizationInvitationState', {
  description: 'What has become of an invitation.',
  values: {
    PENDING: { value: 'pending', description: 'It can be accepted.' },
    ACCEPTED: { value: 'accepted', description: 'The person is a member.' },
    REVOKED: { value: 'revoked', description: 'It was taken back.' },
    EXPIRED: { value: 'expired', description: 'Its time is over.' },
  },
});

const conditionOf = (state: State, now: Date) =>
  ({
    pending: { acceptedAt: null, revokedAt: null, expiresAt: { gt: now } },
    accepted: { acceptedAt: { not: null } },
    revoked: { acceptedAt: null, revokedAt: { not: null } },
    expired: { acceptedAt: null, revokedAt: null, expiresAt: { lte: now } },
  })[state];

builder.prismaObject('OrganizationInvitation', {
  description: 'An invitation of a person into an organization.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:organization_invites',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The invitation’s id.' }),
    email: t.exposeString('email', { nullable: true, permission: 'read:user_contacts', description: 'Who is invited.' }),
    firstName: t.exposeString('firstName', { nullable: true, description: 'First name.' }),
    lastName: t.exposeString('lastName', { nullable: true, description: 'Last name.' }),
    language: t.exposeString('language', { nullable: true, description: 'What its mail is written in; null for the default.' }),
    isSent: t.exposeBoolean('isSent', { nullable: true, description: 'Whether it was mailed.' }),
    state: t.field({
      type: StateEnum,
      nullable: true,
      description: 'What has become of it.',
      select: { acceptedAt: true, revokedAt: true, expiresAt: true },
      resolve: ({ acceptedAt, revokedAt, expiresAt }, _args, { services }) =>
        acceptedAt ? 'accepted' : revokedAt ? 'revoked' : expiresAt <= services.clock.now() ? 'expired' : 'pending',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'Until when it can be accepted.' }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true, description: 'When it was accepted.' }),
    organization: t.relation('organization', { nullable: true, permission: 'read:organizations', description: 'Where to.' }),
    roles: t.field({
      type: [Role],
      nullable: true,
      permission: 'read:organization_user_roles',
      description: 'The roles it brings, by key; none for the default roles.',
      select: (_args, _ctx, nested) => ({ roles: { select: { role: nested(true) }, orderBy: { role: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as { roles: { role: never }[] }).roles.map(({ role }) => role),
    }),
  }),
});

registerNode('organizationInvitation', {
  typeName: 'OrganizationInvitation',
  permission: 'read:organization_invites',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.organizationInvitation.findFirst(query),
});

builder.prismaObjectField('Organization', 'invitations', (t) =>
  t.relatedConnection('invitations', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:organization_invites',
    description: 'Invitations into it, oldest first.',
    args: { state: t.arg({ type: StateEnum, description: 'Only those of which this has become.' }) },
    query: ({ state }, { services }) => ({
      where: state ? conditionOf(state, services.clock.now()) : {},
      orderBy: { id: 'asc' },
    }),
  }),
);

const LINK = 'The link to accept it: shown this once.';
const OFF = { INVITATIONS_OFF: 'The environment takes no invitations.' };
const NOT_OPEN = { NOT_OPEN: 'It was accepted or revoked.' };

defineMutation({
  name: 'createOrganizationInvitation',
  description: 'Invites a person into an organization, by mail unless that is not wanted. The link is in this answer only.',
  policy: createOrganizationInvitation,
  bulk: { name: 'createOrganizationInvitations', description: 'Invites people into organizations. The links are in this answer only.' },
  codes: {
    ...TEXT_CODES,
    ...OFF,
    INVALID_EMAIL: 'Not an email address.',
    ALREADY_MEMBER: 'The person is a member already.',
    SUSPENDED: 'The organization is suspended.',
    TOO_MANY: 'More than 100 roles.',
    UNKNOWN_LANGUAGE: 'A language that the mails are not written in.',
  },
  input: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    email: t.string({ required: true, description: 'At most 254 characters.' }),
    firstName: t.string({ description: 'At most 64 characters.' }),
    lastName: t.string({ description: 'At most 64 characters.' }),
    language: t.string({
      description: 'What the mail is written in (BCP 47), unless its reader has signed in in another language. Absent: the default.',
    }),
    roleIds: t.idList({
      description:
        'The roles to hold there, at most 100. To name any takes the permission `create:organization_user_roles` too. Absent: the default roles.',
    }),
    sendEmail: t.boolean({ description: 'Whether to mail the link. Absent: true.' }),
  }),
  run: (ctx, input) => createOrganizationInvitation(ctx, input),
  payload: (t) => ({
    invitation: changed(t, 'OrganizationInvitation', 'The new invitation.', ({ invitation }) => invitation),
    inviteLink: t.string({ nullable: true, description: LINK, resolve: ({ result }) => result?.inviteLink ?? null }),
  }),
});

defineMutation({
  name: 'resendOrganizationInvitation',
  description: 'Mails an invitation again with another link, which is in this answer only. The one before it works no more.',
  policy: { permission: resendOrganizationInvitation.permission },
  codes: { ...OFF, ...NOT_OPEN },
  input: (t) => ({ invitationId: t.id({ required: true, description: 'The invitation.' }) }),
  run: (ctx, input) => resendOrganizationInvitation(ctx, input),
  payload: (t) => ({
    invitation: changed(t, 'OrganizationInvitation', 'The invitation.', ({ invitation }) => invitation),
    inviteLink: t.string({ nullable: true, description: LINK, resolve: ({ result }) => result?.inviteLink ?? null }),
  }),
});

defineMutation({
  name: 'revokeOrganizationInvitation',
  description: 'Takes an invitation back: its link works no more.',
  policy: { permission: revokeOrganizationInvitation.permission },
  previews: true,
  codes: NOT_OPEN,
  input: (t) => ({ invitationId: t.id({ required: true, description: 'The invitation.' }) }),
  run: (ctx, input) => revokeOrganizationInvitation(ctx, input),
  payload: (t) => ({ invitation: changed(t, 'OrganizationInvitation', 'The invitation.') }),
});
