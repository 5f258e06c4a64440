/** Roles of end users in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId } from '../../graphql/payload.ts';
import { KEY_CODES, Permission } from '../permissions/graphql.ts';
import { addRolePermission, createRole, deleteRole, removeRolePermission, setRolePermissions, updateRole } from './service.ts';

export const Role = builder.prismaObject('Role', {
  description: 'A named set of permissions, held by a user within an organization.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:roles',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The role’s id.' }),
    key: t.exposeString('key', { nullable: true, description: 'What applications and imports know it by.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    isDefaultRole: t.exposeBoolean('isDefaultRole', {
      nullable: true,
      description: 'Whether every new member of an organization gets it.',
    }),
    isCreatorRole: t.exposeBoolean('isCreatorRole', {
      nullable: true,
      description: 'Whether who makes an organization at sign-up gets it.',
    }),
    systemPermissions: t.exposeStringList('systemPermissions', {
      nullable: true,
      description: 'What it allows in the platform’s own pages: keys of `systemPermissions` of the query.',
    }),
    assignmentPermission: t.relation('assignmentPermission', {
      nullable: true,
      permission: 'read:permissions',
      description: 'What a member must hold to give the role to others in the platform’s own pages; null: nothing beyond those pages.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was defined.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When it last changed.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    permissions: t.field({
      type: [Permission],
      nullable: true,
      permission: 'read:role_permissions',
      description: 'What it allows, by key.',
      select: (_args, _ctx, nested) =>
        ({ permissions: { select: { permission: nested(true) }, orderBy: { permission: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as { permissions: { permission: never }[] }).permissions.map(({ permission }) => permission),
    }),
  }),
});

registerNode('role', {
  typeName: 'Role',
  permission: 'read:roles',
  tenant: 'businessId',
  find: (prisma, query) => prisma.role.findFirst(query),
});
const ROLE_CODES = {
  ...KEY_CODES,
  TOO_MANY: 'More than 100 permissions.',
  UNKNOWN_SYSTEM_PERMISSION: 'Not one of `systemPermissions`.',
};

defineMutation({
  name: 'createRole',
  description: 'Defines a role for all environments of a business.',
  policy: createRole,
  codes: ROLE_CODES,
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({
      required: true,
      description: '1 to 64 letters, digits, colons, dots, dashes or underscores; unique in the business.',
    }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    isDefaultRole: t.boolean({ description: 'Whether every new member gets it. Absent: false.' }),
    isCreatorRole: t.boolean({ description: 'Whether who makes an organization at sign-up gets it. Absent: false.' }),
    systemPermissions: t.stringList({
      description: 'What it allows in the platform’s own pages: keys of `systemPermissions` of the query.',
    }),
    assignmentPermissionId: t.id({
      description: 'What a member must hold to give the role to others in the platform’s own pages. Absent: nothing beyond those pages.',
    }),
    permissionIds: t.idList({
      description:
        'What it allows besides what every new role does; with that at most 100. It takes the permission `update:role_permissions` too.',
    }),
  }),
  run: (ctx, input) => createRole(ctx, input),
  payload: (t) => ({
    role: changed(t, 'Role', 'The new role.'),
  }),
});

defineMutation({
  name: 'updateRole',
  description: 'Changes a role. Who holds it gains and loses with the next token.',
  policy: updateRole,
  previews: true,
  versioned: true,
  codes: ROLE_CODES,
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    key: t.string({ description: 'Absent: unchanged. Applications and imports know the role by it.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    isDefaultRole: t.boolean({ description: 'Absent: unchanged.' }),
    isCreatorRole: t.boolean({ description: 'Absent: unchanged.' }),
    systemPermissions: t.stringList({ description: 'All that it allows in the platform’s own pages, from now on. Absent: unchanged.' }),
    assignmentPermissionId: t.id({ description: 'Absent: unchanged; null: nothing beyond the platform’s own pages.' }),
    permissionIds: t.idList({
      description:
        'Everything it allows from now on, at most 100. It takes the permission `update:role_permissions` too. Absent: unchanged.',
    }),
  }),
  run: (ctx, input) => updateRole(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});

defineMutation({
  name: 'deleteRole',
  description: 'Deletes a role. Whoever holds it, in any environment, holds it no more.',
  policy: { permission: deleteRole.permission },
  previews: true,
  codes: {},
  input: (t) => ({ roleId: t.id({ required: true, description: 'The role.' }) }),
  run: (ctx, input) => deleteRole(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'setRolePermissions',
  description: 'Replaces what a role allows. Who holds it gains and loses with the next token.',
  policy: { permission: setRolePermissions.permission },
  previews: true,
  versioned: true,
  codes: { TOO_MANY: 'More than 100 permissions.' },
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    permissionIds: t.idList({ required: true, description: 'Everything it allows from now on, at most 100.' }),
  }),
  run: (ctx, input) => setRolePermissions(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});

defineMutation({
  name: 'addRolePermission',
  description: 'Lets a role allow one thing more. Who holds it gains with the next token.',
  policy: { permission: addRolePermission.permission },
  previews: true,
  versioned: true,
  codes: { TOO_MANY: 'The role has 100 permissions already.' },
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    permissionId: t.id({ required: true, description: 'What it allows.' }),
  }),
  run: (ctx, input) => addRolePermission(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});

defineMutation({
  name: 'removeRolePermission',
  description: 'Lets a role allow one thing less. Who holds it loses with the next token.',
  policy: { permission: removeRolePermission.permission },
  previews: true,
  versioned: true,
  codes: {},
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    permissionId: t.id({ required: true, description: 'What it allows no more.' }),
  }),
  run: (ctx, input) => removeRolePermission(ctx, input),
  payload: (t) => ({ role: changed(t, 'Role', 'The role.') }),
});
