import { addOrganizationMember } from '../../../src/features/organizations/service.ts';
import { createRole } from '../../../src/features/roles/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import type { FeatureCases, Foreign, MistakeStage, Stage } from './cases.ts';
import { newUser } from './users.ts';

let made = 0;

/** Makes a new user a member of the world's organization, with no roles. */
async function newMember(stage: Stage, name: string): Promise<string> {
  const userId = await newUser(stage, `${name}-${++made}`);
  return (await addOrganizationMember(stage.ctx, { organizationId: stage.world.ids.Organization, userId, roleIds: [] })).id;
}

const ofWorld = ({ world }: Stage) => ({ organizationMemberId: world.ids['OrganizationMember'] });

const foreign = (field: string, type: string): Foreign[] => [
  { type: 'OrganizationMember', input: (organizationMemberId, own) => ({ organizationMemberId, [field]: own.ids[type] }) },
  { type, input: (id, own) => ({ organizationMemberId: own.ids['OrganizationMember'], [field]: id }) },
];

/** A member who holds as many roles, or permissions, as a member may. */
async function fullMember({ ctx, world }: MistakeStage, what: 'Role' | 'Permission'): Promise<string> {
  const { businessId } = world;
  const environmentId = world.ids.Environment;
  const id = await newMember({ ctx, world } as MistakeStage, `full-${what}`.toLowerCase());
  const definitions = Array.from({ length: 100 }, (_, at) => {
    return { businessId, id: newId(what === 'Role' ? 'role' : 'permission'), key: `full-${at}`, name: 'Full' };
  });
  const held = definitions.map((definition) => ({ environmentId, membershipId: id, businessId, of: definition.id }));
  if (what === 'Role') {
    await ctx.db.role.createMany({ data: definitions });
    await ctx.db.membershipRole.createMany({ data: held.map(({ of, ...row }) => ({ ...row, roleId: of })) });
  } else {
    await ctx.db.permission.createMany({ data: definitions });
    await ctx.db.membershipPermission.createMany({ data: held.map(({ of, ...row }) => ({ ...row, permissionId: of })) });
  }
  return id;
}

export const members: FeatureCases = {
  // A role's holder leads back to the members that its organization lists.
  lists: {
    'members with everything they may do': `environment(id: $environmentId) { organizations(first: $first) { nodes { members(first: $first) { nodes {
      roles { key } permissions { key } effectivePermissions { permission { key name } isDirect roleKeys }
    } } } } }`,
    'roles with those who hold them': `business(id: $businessId) { roles(first: $first) { nodes {
      key members(first: $first) { totalCount nodes { member { user { firstName } organization { name } } } }
    } } }`,
  },
  addRow: async ({ ctx, businessId, environmentId, ids }, row) => {
    const permission = await ctx.db.permission.create({ data: { businessId, id: newId('permission'), key: `held:${row}`, name: 'Held' } });
    const role = await createRole(ctx, { businessId, key: `held-${row}`, name: 'Held', permissionIds: [permission.id] });
    const held = { environmentId, membershipId: ids['OrganizationMember']!, businessId };
    await ctx.db.membershipRole.create({ data: { ...held, roleId: role.id } });
    await ctx.db.membershipPermission.create({ data: { ...held, permissionId: permission.id } });
  },
  shortLists: ['EffectivePermission.roleKeys', 'OrganizationMember.effectivePermissions'],
  mutations: {
    updateOrganizationMember: {
      permission: 'update:organization_users',
      action: 'organization.member_updated',
      bulk: 'updateOrganizationMembers',
      input: async (stage, name) => ({
        organizationMemberId: await newMember(stage, name),
        roleIds: [stage.world.ids.Role],
        permissionIds: [stage.world.ids.Permission],
      }),
      foreign: [
        { type: 'OrganizationMember', input: (organizationMemberId) => ({ organizationMemberId, roleIds: [] }) },
        { type: 'Role', input: (id, own) => ({ organizationMemberId: own.ids['OrganizationMember'], roleIds: [id] }) },
        { type: 'Permission', input: (id, own) => ({ organizationMemberId: own.ids['OrganizationMember'], permissionIds: [id] }) },
      ],
      mistakes: [
        { code: 'TOO_MANY', path: ['roleIds'], input: (stage) => ({ ...ofWorld(stage), roleIds: Array(101).fill(stage.world.ids.Role) }) },
        {
          code: 'TOO_MANY',
          path: ['permissionIds'],
          input: (stage) => ({ ...ofWorld(stage), permissionIds: Array(101).fill(stage.world.ids.Permission) }),
        },
      ],
    },
    removeOrganizationMember: {
      permission: 'delete:organization_users',
      action: 'organization.member_removed',
      bulk: 'removeOrganizationMembers',
      input: async (stage, name) => ({ organizationMemberId: await newMember(stage, name) }),
      foreign: [{ type: 'OrganizationMember', input: (organizationMemberId) => ({ organizationMemberId }) }],
    },
    addMemberRole: {
      permission: 'create:organization_user_roles',
      action: 'organization.member_role_added',
      input: async (stage, name) => ({ organizationMemberId: await newMember(stage, name), roleId: stage.world.ids.Role }),
      foreign: foreign('roleId', 'Role'),
      mistakes: [
        {
          code: 'TOO_MANY',
          path: ['roleId'],
          input: async (stage) => ({ organizationMemberId: await fullMember(stage, 'Role'), roleId: stage.world.ids.Role }),
        },
      ],
    },
    removeMemberRole: {
      permission: 'delete:organization_user_roles',
      action: 'organization.member_role_removed',
      input: async (stage, name) => ({ organizationMemberId: await newMember(stage, name), roleId: stage.world.ids.Role }),
      foreign: foreign('roleId', 'Role'),
    },
    addMemberPermission: {
      permission: 'create:organization_user_permissions',
      action: 'organization.member_permission_added',
      input: async (stage, name) => ({ organizationMemberId: await newMember(stage, name), permissionId: stage.world.ids.Permission }),
      foreign: foreign('permissionId', 'Permission'),
      mistakes: [
        {
          code: 'TOO_MANY',
          path: ['permissionId'],
          input: async (stage) => ({
            organizationMemberId: await fullMember(stage, 'Permission'),
            permissionId: stage.world.ids.Permission,
          }),
        },
      ],
    },
    removeMemberPermission: {
      permission: 'delete:organization_user_permissions',
      action: 'organization.member_permission_removed',
      input: async (stage, name) => ({ organizationMemberId: await newMember(stage, name), permissionId: stage.world.ids.Permission }),
      foreign: foreign('permissionId', 'Permission'),
    },
  },
};
