import { createPermission } from '../../../src/features/permissions/service.ts';
import { createRole } from '../../../src/features/roles/service.ts';
import { type FeatureCases, type Stage, textMistakes } from './cases.ts';
import { definitionMistakes } from './roles.ts';

/** Defines a permission for the world's business. */
async function newPermission({ ctx, world }: Stage, key: string): Promise<string> {
  return (await createPermission(ctx, { businessId: world.businessId, key, name: key })).id;
}

export const permissions: FeatureCases = {
  kinds: { Permission: 'permission' },
  fillBusiness: async ({ ctx, businessId, name }) => ({
    Permission: (await createPermission(ctx, { businessId, key: `${name}:do`, name: 'Do', description: 'Does it.' })).id,
  }),
  addRow: async ({ ctx, businessId }, row) => void (await createPermission(ctx, { businessId, key: `do:${row}`, name: 'Do' })),
  lists: { permissions: `business(id: $businessId) { permissions(first: $first) { totalCount nodes { key name isDefault } } }` },
  open: ['Query.systemPermissions', 'SystemPermission.description', 'SystemPermission.key'],
  shortLists: ['Query.systemPermissions'],
  mutations: {
    createPermission: {
      permission: 'create:permissions',
      action: 'permission.created',
      input: ({ world }, name) => ({ businessId: world.businessId, key: name, name }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, key: 'mine', name: 'Mine' }) }],
      mistakes: [
        ...definitionMistakes,
        {
          code: 'KEY_TAKEN',
          path: ['key'],
          input: ({ world }) => ({ businessId: world.businessId, name: 'New', key: `${world.name}:do` }),
        },
      ],
    },
    updatePermission: {
      permission: 'update:permissions',
      action: 'permission.updated',
      input: async (stage, name) => ({ permissionId: await newPermission(stage, name), name: 'Changed', isDefault: false }),
      foreign: [{ type: 'Permission', input: (permissionId) => ({ permissionId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', ({ world }) => ({ permissionId: world.ids.Permission })),
        { code: 'INVALID_KEY', path: ['key'], input: ({ world }) => ({ permissionId: world.ids.Permission, key: null }) },
        {
          code: 'KEY_TAKEN',
          path: ['key'],
          input: async (stage) => ({ permissionId: await newPermission(stage, 'other:do'), key: `${stage.world.name}:do` }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ permissionId: world.ids.Permission, expectedVersion: 99 }),
        },
      ],
    },
    deletePermission: {
      permission: 'delete:permissions',
      action: 'permission.deleted',
      input: async (stage, name) => ({ permissionId: await newPermission(stage, name) }),
      foreign: [{ type: 'Permission', input: (permissionId) => ({ permissionId }) }],
      mistakes: [
        {
          code: 'IN_USE',
          path: ['permissionId'],
          input: async (stage) => {
            const assignmentPermissionId = await newPermission(stage, 'assigns');
            await createRole(stage.ctx, { businessId: stage.world.businessId, key: 'assigned', name: 'Assigned', assignmentPermissionId });
            return { permissionId: assignmentPermissionId };
          },
        },
      ],
    },
  },
};
