/** Organizations and their members in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { Permission, Role } from '../roles/graphql.ts';
import './list/graphql.ts';
import { addOrganizationMember, createOrganization } from './service.ts';

export const Organization = builder.prismaObject('Organization', {
  description: 'A customer of a business: a group of users with roles.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:organizations',
  fields: (t) => ({
    id: t.exposeID('id', {
      open: 'it was reached through a gated field',
      description: 'The organization’s id, which is its code: `org_code` in tokens.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    externalId: t.exposeString('externalId', { nullable: true, description: 'The business’s own id for it; imports find it by this.' }),
    handle: t.exposeString('handle', { nullable: true, description: 'A short unique name.' }),
    isDefault: t.exposeBoolean('isDefault', { nullable: true, description: 'Whether it is the one that users join when none is named.' }),
    isAutoMembershipEnabled: t.exposeBoolean('isAutoMembershipEnabled', {
      nullable: true,
      description: 'Whether new users may join it by themselves.',
    }),
    isSuspended: t.exposeBoolean('isSuspended', { nullable: true, description: 'Whether nobody can sign in to it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
  }),
});

export const Membership = builder.prismaObject('Membership', {
  name: 'OrganizationMember',
  description: 'A user’s membership of an organization.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:organization_users',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The membership’s id.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'Since when.' }),
    user: t.relation('user', { nullable: true, permission: 'read:users', description: 'Who.' }),
    organization: t.relation('organization', { nullable: true, permission: 'read:organizations', description: 'Of what.' }),
    roles: t.field({
      type: [Role],
      nullable: true,
      permission: 'read:organization_user_roles',
      description: 'The roles held in this organization, by key.',
      select: (_args, _ctx, nested) => ({ roles: { select: { role: nested(true) }, orderBy: { role: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as { roles: { role: never }[] }).roles.map(({ role }) => role),
    }),
    permissions: t.field({
      type: [Permission],
      nullable: true,
      permission: 'read:organization_user_permissions',
      description: 'Permissions held directly, on top of those of the roles, by key.',
      select: (_args, _ctx, nested) =>
        ({ permissions: { select: { permission: nested(true) }, orderBy: { permission: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as { permissions: { permission: never }[] }).permissions.map(({ permission }) => permission),
    }),
  }),
});

registerNode('organization', {
  typeName: 'Organization',
  permission: 'read:organizations',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.organization.findFirst(query),
});
registerNode('membership', {
  typeName: 'OrganizationMember',
  permission: 'read:organization_users',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.membership.findFirst(query),
});

defineMutation({
  name: 'createOrganization',
  description: 'Makes an organization.',
  bulk: { name: 'createOrganizations', description: 'Makes organizations.' },
  policy: { permission: createOrganization.permission },
  codes: {
    ...TEXT_CODES,
    EXTERNAL_ID_TAKEN: 'Another organization has the external id.',
    HANDLE_TAKEN: 'Another organization has the handle.',
    INVALID_HANDLE: 'Not usable as a handle.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    externalId: t.string({ description: 'The business’s own id for it; unique in the environment.' }),
    handle: t.string({ description: 'Lower-case letters, digits and dashes; unique in the environment.' }),
  }),
  run: (ctx, input) => createOrganization(ctx, input),
  payload: (t) => ({
    organization: changed(t, 'Organization', 'The new organization.'),
  }),
});

defineMutation({
  name: 'addOrganizationMember',
  description: 'Adds a user to an organization of the same environment, with roles.',
  bulk: { name: 'addOrganizationMembers', description: 'Adds users to organizations of their environments, with roles.' },
  policy: { permission: addOrganizationMember.permission },
  codes: { ALREADY_MEMBER: 'The user is a member already.', TOO_MANY: 'More than 100 roles.' },
  input: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    userId: t.id({ required: true, description: 'A user of the same environment.' }),
    roleIds: t.idList({ description: 'The roles to hold there, at most 100. Absent: the default roles.' }),
  }),
  run: (ctx, input) => addOrganizationMember(ctx, input),
  payload: (t) => ({
    member: changed(t, 'Membership', 'The new membership.'),
  }),
});
