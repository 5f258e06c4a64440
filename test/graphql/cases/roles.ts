import { createPermission, createRole } from '../../../src/features/roles/service.ts';
import { BELL, type FeatureCases, type Mistake, type Stage, textMistakes } from './cases.ts';

const definition = ({ world }: Stage) => ({ businessId: world.businessId, key: 'new', name: 'New' });

const definitionMistakes: readonly Mistake[] = [
  ...textMistakes('name', definition),
  { code: 'TOO_LONG', path: ['description'], input: (stage) => ({ ...definition(stage), description: 'x'.repeat(1001) }) },
  { code: 'INVALID_TEXT', path: ['description'], input: (stage) => ({ ...definition(stage), description: BELL }) },
  { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'no key' }) },
  { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'x'.repeat(65) }) },
];

async function newRole({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createRole(ctx, { businessId: world.businessId, key: name, name })).id;
}

export const roles: FeatureCases = {
  kinds: { Permission: 'permission', Role: 'role' },
  fillBusiness: async ({ ctx, businessId, name }) => {
    const permission = await createPermission(ctx, { businessId, key: `${name}:do`, name: 'Do', description: 'Does it.' });
    const role = await createRole(ctx, { businessId, key: `${name}-role`, name: 'Role', permissionIds: [permission.id] });
    return { Permission: permission.id, Role: role.id };
  },
  addRow: async ({ ctx, businessId }, row) => {
    const permission = await createPermission(ctx, { businessId, key: `do:${row}`, name: 'Do' });
    await createRole(ctx, { businessId, key: `role-${row}`, name: 'Role', permissionIds: [permission.id], isDefaultRole: true });
  },
  lists: {
    'roles with their permissions': `business(id: $businessId) { roles(first: $first) { totalCount nodes { key permissions { key } } } permissions(first: $first) { nodes { key } } }`,
  },
  shortLists: ['Role.permissions'],
  mutations: {
    createPermission: {
      permission: 'create:permissions',
      action: 'permission.created',
      input: ({ world }, name) => ({ businessId: world.businessId, key: name, name }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, key: 'mine', name: 'Mine' }) }],
      mistakes: [
        ...definitionMistakes,
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...definition(stage), key: `${stage.world.name}:do` }) },
      ],
    },
    createRole: {
      permission: 'create:roles',
      action: 'role.created',
      input: ({ world }, name) => ({ businessId: world.businessId, key: name, name }),
      foreign: [
        { type: 'Business', input: (businessId) => ({ businessId, key: 'mine', name: 'Mine' }) },
        { type: 'Permission', input: (id, own) => ({ businessId: own.businessId, key: 'mine', name: 'Mine', permissionIds: [id] }) },
      ],
      mistakes: [
        ...definitionMistakes,
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...definition(stage), key: `${stage.world.name}-role` }) },
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
        { code: 'CONFLICT', path: ['expectedVersion'], input: ({ world }) => ({ roleId: world.ids.Role, expectedVersion: 99 }) },
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
