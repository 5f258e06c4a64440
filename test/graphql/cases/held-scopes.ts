import { createApiScope } from '../../../src/features/apis/scopes/service.ts';
import { managementScopes } from '../../../src/features/apis/service.ts';
import { addMemberScope, addRoleScope } from '../../../src/features/held-scopes/service.ts';
import { addOrganizationMember } from '../../../src/features/organizations/service.ts';
import { createRole } from '../../../src/features/roles/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import type { FeatureCases, Foreign, Mistake, MistakeStage, Stage } from './cases.ts';
import { newUser } from './users.ts';

type Holder = (stage: Stage, name: string) => Promise<object>;

const newRole: Holder = async ({ ctx, world }, name) => ({
  roleId: (await createRole(ctx, { businessId: world.businessId, key: name, name })).id,
});

const newMember: Holder = async (stage, name) => {
  const userId = await newUser(stage, name);
  const { id } = await addOrganizationMember(stage.ctx, { organizationId: stage.world.ids.Organization, userId, roleIds: [] });
  return { organizationMemberId: id };
};

const theScope = ({ world }: Stage) => ({ scopeId: world.ids['ApiScope']! });

const input = (holder: Holder) => async (stage: Stage, name: string) => ({ ...(await holder(stage, name)), ...theScope(stage) });

const foreign = (field: string, type: string): Foreign[] => [
  { type, input: (id, own) => ({ [field]: id, scopeId: own.ids['ApiScope'] }) },
  { type: 'ApiScope', input: (scopeId, own) => ({ [field]: own.ids[type], scopeId }) },
];

const ofManagement = (holder: Holder): Mistake => ({
  code: 'MANAGEMENT_SCOPE',
  path: ['scopeId'],
  input: async (stage) => {
    const api = await stage.ctx.db.api.findFirstOrThrow({ where: { environmentId: stage.world.ids.Environment, isManagement: true } });
    return { ...(await holder(stage, 'of-management')), scopeId: managementScopes(api)[0]!.id };
  },
});

const notOnPlan = (holder: Holder): Mistake => ({
  code: 'PLAN_LIMIT',
  path: ['scopeId'],
  input: async ({ small, ...stage }) => input(holder)({ ...stage, world: small }, 'not-on-plan'),
});

const conflict: Mistake = {
  code: 'CONFLICT',
  path: ['expectedVersion'],
  input: (stage) => ({ roleId: stage.world.ids.Role, ...theScope(stage), expectedVersion: 99 }),
};

/** One who holds as many scopes as one may. */
const full = (holder: Holder, hold: (stage: MistakeStage, scopeIds: readonly string[], input: object) => Promise<unknown>): Mistake => ({
  code: 'TOO_MANY',
  path: ['scopeId'],
  input: async (stage) => {
    const { ctx, world } = stage;
    const scopes = Array.from({ length: 100 }, (_, at) => {
      return { environmentId: world.ids.Environment, id: newId('apiScope'), apiId: world.ids['Api']!, name: `full:${at}` };
    });
    await ctx.db.apiScope.createMany({ data: scopes, skipDuplicates: true });
    const all = await ctx.db.apiScope.findMany({ where: { environmentId: world.ids.Environment, name: { startsWith: 'full:' } } });
    const held = await holder(stage, 'full-of-scopes');
    await hold(
      stage,
      all.map(({ id }) => id),
      held,
    );
    return { ...held, ...theScope(stage) };
  },
});

export const heldScopes: FeatureCases = {
  fillEnvironment: async ({ ctx, businessId, environmentId, ids }) => {
    const scope = { environmentId, scopeId: ids['ApiScope']! };
    await ctx.db.roleScope.create({ data: { ...scope, businessId, roleId: ids['Role']! } });
    await ctx.db.membershipScope.create({ data: { ...scope, membershipId: ids['OrganizationMember']! } });
    return {};
  },
  addRow: async ({ ctx, ids }, row) => {
    const { id: scopeId } = await createApiScope(ctx, { apiId: ids['Api']!, name: `held:${row}` });
    await addRoleScope(ctx, { roleId: ids['Role']!, scopeId });
    await addMemberScope(ctx, { organizationMemberId: ids['OrganizationMember']!, scopeId });
  },
  lists: {
    'roles with the scopes that they bring': `business(id: $businessId) { roles(first: $first) { nodes {
      key scopes(first: $first) { totalCount nodes { environmentId scope { name api { name audience } } } }
    } } }`,
    'members with the scopes that they hold': `environment(id: $environmentId) { organizations(first: $first) { nodes { members(first: $first) { nodes {
      scopes { name api { name } } effectiveScopes { scope { name api { audience } } isDirect roleKeys }
    } } } } }`,
  },
  shortLists: ['EffectiveScope.roleKeys', 'OrganizationMember.effectiveScopes', 'OrganizationMember.scopes'],
  mutations: {
    addRoleScope: {
      permission: 'create:role_scopes',
      action: 'role.scope_added',
      input: input(newRole),
      foreign: foreign('roleId', 'Role'),
      mistakes: [
        ofManagement(newRole),
        notOnPlan(newRole),
        conflict,
        full(newRole, async ({ ctx, world }, scopeIds, held) => {
          const row = { businessId: world.businessId, environmentId: world.ids.Environment!, ...(held as { roleId: string }) };
          await ctx.db.roleScope.createMany({ data: scopeIds.map((scopeId) => ({ ...row, scopeId })) });
        }),
      ],
    },
    removeRoleScope: {
      permission: 'delete:role_scopes',
      action: 'role.scope_removed',
      input: input(newRole),
      foreign: foreign('roleId', 'Role'),
      mistakes: [ofManagement(async ({ world }) => ({ roleId: world.ids.Role })), conflict],
    },
    addMemberScope: {
      permission: 'create:organization_user_api_scopes',
      action: 'organization.member_scope_added',
      input: input(newMember),
      foreign: foreign('organizationMemberId', 'OrganizationMember'),
      mistakes: [
        ofManagement(newMember),
        notOnPlan(newMember),
        full(newMember, async ({ ctx, world }, scopeIds, held) => {
          const { organizationMemberId: membershipId } = held as { organizationMemberId: string };
          const row = { environmentId: world.ids.Environment!, membershipId };
          await ctx.db.membershipScope.createMany({ data: scopeIds.map((scopeId) => ({ ...row, scopeId })) });
        }),
      ],
    },
    removeMemberScope: {
      permission: 'delete:organization_user_api_scopes',
      action: 'organization.member_scope_removed',
      input: input(newMember),
      foreign: foreign('organizationMemberId', 'OrganizationMember'),
      mistakes: [ofManagement(async ({ world }) => ({ organizationMemberId: world.ids['OrganizationMember'] }))],
    },
  },
};
