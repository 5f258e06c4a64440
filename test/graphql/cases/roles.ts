import { createRole } from '../../../src/features/roles/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { BELL, type FeatureCases, type Foreign, type Mistake, type MistakeStage, type Stage, textMistakes } from './cases.ts';

const definition = ({ world }: Stage) => ({ businessId: world.businessId, key: 'new', name: 'New' });

/** What can be wrong with what a business defines under a key. */
export const definitionMistakes: readonly Mistake[] = [
  ...textMistakes('name', definition),
  { code: 'TOO_LONG', path: ['description'], input: (stage) => ({ ...definition(stage), description: 'x'.repeat(1001) }) },
  { code: 'INVALID_TEXT', path: ['description'], input: (stage) => ({ ...definition(stage), description: BELL }) },
  { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'no key' }) },
  { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'x'.repeat(65) }) },
];

async function newRole({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createRole(ctx, { businessId: world.businessId, key: name, name })).id;
}

const conflict = (change: object): Mistake => ({
  code: 'CONFLICT',
  path: ['expectedVersion'],
  input: ({ world }) => ({ roleId: world.ids.Role, expectedVersion: 99, ...change }),
});

const ofRole: readonly Foreign[] = [
  { type: 'Role', input: (roleId, own) => ({ roleId, permissionId: own.ids.Permission }) },
  { type: 'Permission', input: (permissionId, own) => ({ roleId: own.ids.Role, permissionId }) },
];

/** A role with as many permissions as a role may have, and one more. */
async function fullRole(stage: MistakeStage): Promise<object> {
  const { businessId } = stage.world;
  const all = Array.from({ length: 100 }, (_, at) => ({ businessId, id: newId('permission'), key: `of-role-${at}`, name: 'Full' }));
  await stage.ctx.db.permission.createMany({ data: all });
  const role = await createRole(stage.ctx, { businessId, key: 'full-role', name: 'Full', permissionIds: all.map(({ id }) => id) });
  return { roleId: role.id, permissionId: stage.world.ids.Permission };
}

export const roles: FeatureCases = {
  kinds: { Role: 'role' },
  fillBusiness: async ({ ctx, businessId, name, ids }) => {
    const permission = { permissionIds: [ids['Permission']!], assignmentPermissionId: ids['Permission'] };
    return { Role: (await createRole(ctx, { businessId, key: `${name}-role`, name: 'Role', ...permission })).id };
  },
  addRow: async ({ ctx, businessId, ids }, row) => {
    const permission = { permissionIds: [ids['Permission']!], assignmentPermissionId: ids['Permission'] };
    await createRole(ctx, { businessId, key: `role-${row}`, name: 'Role', isDefaultRole: true, ...permission });
  },
  lists: {
    'roles with their permissions': `business(id: $businessId) { roles(first: $first) { totalCount nodes { key permissions { key } assignmentPermission { key } } } }`,
  },
  shortLists: ['Role.permissions', 'Role.systemPermissions'],
  mutations: {
    createRole: {
      permission: 'create:roles',
      action: 'role.created',
      input: ({ world }, name) => ({ businessId: world.businessId, key: name, name }),
      foreign: [
        { type: 'Business', input: (businessId) => ({ businessId, key: 'mine', name: 'Mine' }) },
        { type: 'Permission', input: (id, own) => ({ businessId: own.businessId, key: 'mine', name: 'Mine', permissionIds: [id] }) },
        {
          type: 'Permission',
          input: (id, own) => ({ businessId: own.businessId, key: 'mine', name: 'Mine', assignmentPermissionId: id }),
        },
      ],
      mistakes: [
        ...definitionMistakes,
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...definition(stage), key: `${stage.world.name}-role` }) },
        {
          code: 'UNKNOWN_SYSTEM_PERMISSION',
          path: ['systemPermissions', '0'],
          input: (stage) => ({ ...definition(stage), systemPermissions: ['org:write:everything'] }),
        },
        {
          code: 'TOO_MANY',
          path: ['permissionIds'],
          input: (stage) => ({ ...definition(stage), permissionIds: Array(101).fill(stage.world.ids.Permission) }),
        },
      ],
    },
    updateRole: {
      permission: 'update:roles',
      action: 'role.updated',
      input: async (stage, name) => ({ roleId: await newRole(stage, name), permissionIds: [stage.world.ids.Permission] }),
      foreign: [
        { type: 'Role', input: (roleId) => ({ roleId, name: 'Mine' }) },
        { type: 'Permission', input: (id, own) => ({ roleId: own.ids.Role, permissionIds: [id] }) },
        { type: 'Permission', input: (id, own) => ({ roleId: own.ids.Role, assignmentPermissionId: id }) },
      ],
      mistakes: [
        ...textMistakes('name', ({ world }) => ({ roleId: world.ids.Role })),
        { code: 'INVALID_KEY', path: ['key'], input: ({ world }) => ({ roleId: world.ids.Role, key: 'no key' }) },
        {
          code: 'KEY_TAKEN',
          path: ['key'],
          input: async (stage) => ({ roleId: await newRole(stage, 'other'), key: `${stage.world.name}-role` }),
        },
        {
          code: 'TOO_MANY',
          path: ['permissionIds'],
          input: ({ world }) => ({ roleId: world.ids.Role, permissionIds: Array(101).fill(world.ids.Permission) }),
        },
        {
          code: 'UNKNOWN_SYSTEM_PERMISSION',
          path: ['systemPermissions', '1'],
          input: ({ world }) => ({ roleId: world.ids.Role, systemPermissions: ['org:write:billing', 'org:write:everything'] }),
        },
        conflict({}),
      ],
    },
    setRolePermissions: {
      permission: 'update:role_permissions',
      action: 'role.permissions_changed',
      input: async (stage, name) => ({ roleId: await newRole(stage, name), permissionIds: [stage.world.ids.Permission] }),
      foreign: [
        { type: 'Role', input: (roleId) => ({ roleId, permissionIds: [] }) },
        { type: 'Permission', input: (id, own) => ({ roleId: own.ids.Role, permissionIds: [id] }) },
      ],
      mistakes: [
        {
          code: 'TOO_MANY',
          path: ['permissionIds'],
          input: ({ world }) => ({ roleId: world.ids.Role, permissionIds: Array(101).fill(world.ids.Permission) }),
        },
        conflict({ permissionIds: [] }),
      ],
    },
    addRolePermission: {
      permission: 'update:role_permissions',
      action: 'role.permissions_changed',
      input: async (stage, name) => ({ roleId: await newRole(stage, name), permissionId: stage.world.ids.Permission }),
      foreign: ofRole,
      mistakes: [
        { code: 'TOO_MANY', path: ['permissionId'], input: fullRole },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ roleId: world.ids.Role, permissionId: world.ids.Permission, expectedVersion: 99 }),
        },
      ],
    },
    removeRolePermission: {
      permission: 'delete:role_permissions',
      action: 'role.permissions_changed',
      input: async (stage, name) => ({ roleId: await newRole(stage, name), permissionId: stage.world.ids.Permission }),
      foreign: ofRole,
      mistakes: [
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ roleId: world.ids.Role, permissionId: world.ids.Permission, expectedVersion: 99 }),
        },
      ],
    },
    deleteRole: {
      permission: 'delete:roles',
      action: 'role.deleted',
      input: async (stage, name) => ({ roleId: await newRole(stage, name) }),
      foreign: [{ type: 'Role', input: (roleId) => ({ roleId }) }],
    },
  },
};
