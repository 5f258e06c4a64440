/** Roles and permissions of end users in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { createPermission, createRole, deleteRole, updateRole } from './service.ts';

export const Permission = builder.prismaObject('Permission', {
  description: 'Something that an application’s users may be allowed to do.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:permissions',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The permission’s id.' }),
    key: t.exposeString('key', { nullable: true, description: 'What tokens carry.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
  }),
});

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
registerNode('permission', {
  typeName: 'Permission',
  permission: 'read:permissions',
  tenant: 'businessId',
  find: (prisma, query) => prisma.permission.findFirst(query),
});

const KEY_CODES = { ...TEXT_CODES, INVALID_KEY: 'Not usable as a key.', KEY_TAKEN: 'The key is in use.' };

defineMutation({
  name: 'createPermission',
  description: 'Defines a permission for all environments of a business.',
  policy: { permission: createPermission.permission },
  codes: KEY_CODES,
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({
      required: true,
      description: '1 to 64 letters, digits, colons, dots, dashes or underscores; unique in the business.',
    }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
  }),
  run: (ctx, input) => createPermission(ctx, input),
  payload: (t) => ({
    permission: changed(t, 'Permission', 'The new permission.'),
  }),
});

defineMutation({
  name: 'createRole',
  description: 'Defines a role for all environments of a business.',
  policy: { permission: createRole.permission },
  codes: { ...KEY_CODES, TOO_MANY: 'More than 100 permissions.' },
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({
      required: true,
      description: '1 to 64 letters, digits, colons, dots, dashes or underscores; unique in the business.',
    }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    isDefaultRole: t.boolean({ description: 'Whether every new member gets it. Absent: false.' }),
    permissionIds: t.idList({ description: 'What it allows, at most 100.' }),
  }),
  run: (ctx, input) => createRole(ctx, input),
  payload: (t) => ({
    role: changed(t, 'Role', 'The new role.'),
  }),
});

defineMutation({
  name: 'updateRole',
  description: 'Changes a role. Who holds it gains and loses with the next token.',
  policy: { permission: updateRole.permission },
  previews: true,
  versioned: true,
  codes: { ...KEY_CODES, TOO_MANY: 'More than 100 permissions.' },
  input: (t) => ({
    roleId: t.id({ required: true, description: 'The role.' }),
    key: t.string({ description: 'Absent: unchanged. Applications and imports know the role by it.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    isDefaultRole: t.boolean({ description: 'Absent: unchanged.' }),
    permissionIds: t.idList({ description: 'Everything it allows from now on, at most 100. Absent: unchanged.' }),
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
