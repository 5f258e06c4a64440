/** Permissions of end users in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { createPermission, deletePermission, SYSTEM_PERMISSIONS, updatePermission } from './service.ts';

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
    isDefault: t.exposeBoolean('isDefault', { nullable: true, description: 'Whether every new role gets it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was defined.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When it last changed.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

registerNode('permission', {
  typeName: 'Permission',
  permission: 'read:permissions',
  tenant: 'businessId',
  find: (prisma, query) => prisma.permission.findFirst(query),
});

const SystemPermission = builder.objectRef<{ key: string; description: string }>('SystemPermission').implement({
  description: 'Something that a role may allow in the platform’s own pages for organizations. Nobody defines them.',
  open: 'the same in every business',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'What a role’s `systemPermissions` holds.' }),
    description: t.exposeString('description', { description: 'What it allows.' }),
  }),
});

builder.queryField('systemPermissions', (t) =>
  t.field({
    type: [SystemPermission],
    open: 'the same in every business',
    description: 'What roles may allow in the platform’s own pages.',
    resolve: () => Object.entries(SYSTEM_PERMISSIONS).map(([key, description]) => ({ key, description })),
  }),
);

/** What can be wrong with what a business defines under a key. */
export const KEY_CODES = { ...TEXT_CODES, INVALID_KEY: 'Not usable as a key.', KEY_TAKEN: 'The key is in use.' };

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
    isDefault: t.boolean({ description: 'Whether every new role gets it; those that there are do not. Absent: false.' }),
  }),
  run: (ctx, input) => createPermission(ctx, input),
  payload: (t) => ({
    permission: changed(t, 'Permission', 'The new permission.'),
  }),
});

defineMutation({
  name: 'updatePermission',
  description: 'Changes a permission. A new key is in the next token of whoever holds it.',
  policy: { permission: updatePermission.permission },
  previews: true,
  versioned: true,
  codes: KEY_CODES,
  input: (t) => ({
    permissionId: t.id({ required: true, description: 'The permission.' }),
    key: t.string({ description: 'Absent: unchanged. Applications and imports know the permission by it.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    isDefault: t.boolean({ description: 'Whether every new role gets it. Absent: unchanged.' }),
  }),
  run: (ctx, input) => updatePermission(ctx, input),
  payload: (t) => ({ permission: changed(t, 'Permission', 'The permission.') }),
});

defineMutation({
  name: 'deletePermission',
  description: 'Deletes a permission. Whoever holds it, through roles or directly, in any environment, holds it no more.',
  policy: { permission: deletePermission.permission },
  previews: true,
  codes: { IN_USE: 'A role can be assigned only by who holds it.' },
  input: (t) => ({ permissionId: t.id({ required: true, description: 'The permission.' }) }),
  run: (ctx, input) => deletePermission(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
