/** Members of organizations in the graph, and what they hold there. */
import { environmentsWith } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode, registerRow } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId } from '../../graphql/payload.ts';
import { addOrganizationMember } from '../organizations/service.ts';
import { Permission } from '../permissions/graphql.ts';
import { Role } from '../roles/graphql.ts';
import { effectivePermissions, type HeldPermission } from './effective-permissions.ts';
import {
  addMemberPermission,
  addMemberRole,
  removeMemberPermission,
  removeMemberRole,
  removeOrganizationMember,
  updateOrganizationMember,
} from './service.ts';

const EffectivePermission = builder.objectRef<HeldPermission>('EffectivePermission').implement({
  description: 'A permission that a member holds, and where it comes from.',
  permission: 'read:organization_user_permissions',
  fields: (t) => ({
    permission: t.field({
      type: Permission,
      nullable: true,
      permission: 'read:permissions',
      description: 'The permission.',
      resolve: ({ permission }) => permission as never,
    }),
    isDirect: t.exposeBoolean('isDirect', { nullable: true, description: 'Whether it is held directly.' }),
    roleKeys: t.exposeStringList('roleKeys', {
      nullable: true,
      permission: 'read:organization_user_roles',
      description: 'The keys of the roles that bring it, sorted.',
    }),
  }),
});

builder.prismaObject('Membership', {
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
    effectivePermissions: t.field({
      type: [EffectivePermission],
      nullable: true,
      permission: 'read:organization_user_permissions',
      description: 'Everything the member may do in this organization, by key: the permissions that tokens carry.',
      select: (_args, _ctx, nested) => {
        const permission = { select: { permission: nested({ select: { key: true } } as never, ['permission']) } };
        const role = { select: { key: true, permissions: permission } };
        return {
          environmentId: true,
          roles: { select: { role }, orderBy: { role: { key: 'asc' } } },
          permissions: { ...permission, orderBy: { permission: { key: 'asc' } } },
        } as never;
      },
      resolve: (row) => effectivePermissions(row as never),
    }),
  }),
});

registerNode('membership', {
  typeName: 'OrganizationMember',
  permission: 'read:organization_users',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.membership.findFirst(query),
});

const RoleHolder = builder.prismaObject('MembershipRole', {
  name: 'RoleHolder',
  description: 'That a member of an organization holds a role.',
  select: { environmentId: true, membershipId: true, roleId: true },
  permission: 'read:organization_user_roles',
  fields: (t) => ({
    environmentId: t.exposeID('environmentId', { nullable: true, description: 'The environment that it is in.' }),
    member: t.relation('membership', { nullable: true, permission: 'read:organization_users', description: 'Who holds it, and where.' }),
  }),
});
registerRow('RoleHolder', ['environment', 'membership', 'role']);

builder.prismaObjectField('Role', 'members', (t) =>
  t.relatedConnection('members', {
    type: RoleHolder,
    cursor: 'environmentId_membershipId_roleId',
    totalCount: true,
    nullable: true,
    permission: 'read:organization_user_roles',
    description: 'Who holds it, in the environments where the caller may read members; oldest memberships of each environment first.',
    args: { environmentId: t.arg.id({ description: 'Only in this environment. Absent: in all of them.' }) },
    query: ({ environmentId }, { services: { actor } }) => ({
      where: {
        environmentId: { in: environmentsWith(actor, 'read:organization_users').filter((id) => !environmentId || id === environmentId) },
      },
      orderBy: [{ environmentId: 'asc' as const }, { membershipId: 'asc' as const }],
    }),
  }),
);

defineMutation({
  name: 'addOrganizationMember',
  description: 'Adds a user to an organization of the same environment, with roles.',
  bulk: { name: 'addOrganizationMembers', description: 'Adds users to organizations of their environments, with roles.' },
  policy: addOrganizationMember,
  codes: { ALREADY_MEMBER: 'The user is a member already.', TOO_MANY: 'More than 100 roles.' },
  input: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    userId: t.id({ required: true, description: 'A user of the same environment.' }),
    roleIds: t.idList({
      description:
        'The roles to hold there, at most 100. To name any takes the permission `create:organization_user_roles` too. Absent: the default roles.',
    }),
  }),
  run: (ctx, input) => addOrganizationMember(ctx, input),
  payload: (t) => ({
    member: changed(t, 'Membership', 'The new membership.'),
  }),
});

defineMutation({
  name: 'updateOrganizationMember',
  description: 'Replaces what a member holds in its organization. It counts with the next token.',
  bulk: { name: 'updateOrganizationMembers', description: 'Replaces what members hold in their organizations.' },
  policy: updateOrganizationMember,
  previews: true,
  codes: { TOO_MANY: 'More than 100.' },
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    roleIds: t.idList({
      description:
        'All roles it holds from now on, at most 100. It takes the permission `delete:organization_user_roles` too, and with any `create:organization_user_roles`. Absent: unchanged.',
    }),
    permissionIds: t.idList({
      description:
        'All permissions it holds directly from now on, at most 100. It takes the permission `delete:organization_user_permissions` too, and with any `create:organization_user_permissions`. Absent: unchanged.',
    }),
  }),
  run: (ctx, input) => updateOrganizationMember(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});

defineMutation({
  name: 'removeOrganizationMember',
  description: 'Takes a user out of an organization, and ends what was issued to it for that organization. The user stays.',
  bulk: { name: 'removeOrganizationMembers', description: 'Takes users out of organizations, and ends what was issued to them for those.' },
  policy: { permission: removeOrganizationMember.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
  }),
  run: (ctx, input) => removeOrganizationMember(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'addMemberRole',
  description: 'Gives a member a role. One that it holds it keeps.',
  policy: { permission: addMemberRole.permission },
  previews: true,
  codes: { TOO_MANY: 'The member has 100 already.' },
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    roleId: t.id({ required: true, description: 'The role.' }),
  }),
  run: (ctx, input) => addMemberRole(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});

defineMutation({
  name: 'removeMemberRole',
  description: 'Takes a role from a member. One that it does not hold it does not hold afterwards either.',
  policy: { permission: removeMemberRole.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    roleId: t.id({ required: true, description: 'The role.' }),
  }),
  run: (ctx, input) => removeMemberRole(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});

defineMutation({
  name: 'addMemberPermission',
  description: 'Gives a member a permission directly, besides those of its roles. One that it holds it keeps.',
  policy: { permission: addMemberPermission.permission },
  previews: true,
  codes: { TOO_MANY: 'The member has 100 already.' },
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    permissionId: t.id({ required: true, description: 'The permission.' }),
  }),
  run: (ctx, input) => addMemberPermission(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});

defineMutation({
  name: 'removeMemberPermission',
  description: 'Takes a permission that a member holds directly. What a role brings stays.',
  policy: { permission: removeMemberPermission.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The member.' }),
    permissionId: t.id({ required: true, description: 'The permission.' }),
  }),
  run: (ctx, input) => removeMemberPermission(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The member.') }),
});
