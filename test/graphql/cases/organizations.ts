import { addOrganizationMember, createOrganization } from '../../../src/features/organizations/service.ts';
import { suspendOrganization } from '../../../src/features/organizations/standing.ts';
import { BELL, type FeatureCases, LONG, type MistakeStage, type Stage, textMistakes } from './cases.ts';
import { newUser } from './users.ts';

const organization = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New' });
const member = ({ world }: Stage) => ({ organizationId: world.ids.Organization, userId: world.ids.User });

/** Makes an organization in the world's environment. */
export async function newOrganization({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createOrganization(ctx, { environmentId: world.ids.Environment, name, handle: name })).id;
}

const ofWorld = ({ world }: Stage) => ({ organizationId: world.ids.Organization });

async function defaultOrganization({ ctx, world }: Stage): Promise<string> {
  return (await ctx.db.organization.findFirstOrThrow({ where: { environmentId: world.ids.Environment, isDefault: true } })).id;
}

/** What would be another organization's. */
const takenBy = (field: 'externalId' | 'handle') => async (stage: MistakeStage) => ({
  organizationId: await newOrganization(stage, `other-${field}`.toLowerCase()),
  [field]: stage.world.name,
});

/** Makes the only organization of an environment that takes new users in. */
export async function onlyOpenOrganization({ ctx, world }: MistakeStage): Promise<string> {
  const { environmentId } = world.development;
  const { id } = await createOrganization(ctx, { environmentId, name: 'Only' });
  await ctx.db.organization.updateMany({ where: { environmentId }, data: { isAutoMembershipEnabled: false } });
  await ctx.db.organization.updateMany({ where: { environmentId, id }, data: { isAutoMembershipEnabled: true } });
  return id;
}

export const organizations: FeatureCases = {
  kinds: { Organization: 'organization', OrganizationMember: 'membership' },
  fillEnvironment: async ({ ctx, environmentId, businessId, name, ids }) => {
    const { id } = await createOrganization(ctx, { environmentId, name: `${name}-organization`, externalId: name, handle: name });
    const membership = await addOrganizationMember(ctx, { organizationId: id, userId: ids['User']!, roleIds: [ids['Role']!] });
    const held = { environmentId, membershipId: membership.id, businessId, permissionId: ids['Permission']! };
    await ctx.db.membershipPermission.create({ data: held });
    return { Organization: id, OrganizationMember: membership.id };
  },
  addRow: async ({ ctx, environmentId }, row) => void (await createOrganization(ctx, { environmentId, name: `Organization ${row}` })),
  lists: {
    'organizations with their members': `environment(id: $environmentId) { organizations(first: $first) { totalCount nodes {
      name members(first: $first) { totalCount nodes { user { firstName email } roles { key } } }
    } } }`,
  },
  roots: ['Query.organization'],
  shortLists: ['OrganizationMember.permissions', 'OrganizationMember.roles'],
  mutations: {
    createOrganization: {
      permission: 'create:organizations',
      action: 'organization.created',
      bulk: 'createOrganizations',
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, name }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', organization),
        { code: 'TOO_LONG', path: ['externalId'], input: (stage) => ({ ...organization(stage), externalId: LONG }) },
        { code: 'INVALID_TEXT', path: ['externalId'], input: (stage) => ({ ...organization(stage), externalId: BELL }) },
        { code: 'EXTERNAL_ID_TAKEN', path: ['externalId'], input: (stage) => ({ ...organization(stage), externalId: stage.world.name }) },
        { code: 'INVALID_HANDLE', path: ['handle'], input: (stage) => ({ ...organization(stage), handle: 'No Handle' }) },
        { code: 'HANDLE_TAKEN', path: ['handle'], input: (stage) => ({ ...organization(stage), handle: stage.world.name }) },
      ],
    },
    updateOrganization: {
      permission: 'update:organizations',
      action: 'organization.updated',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name), name: 'Changed', isAdvanced: true }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', ofWorld),
        ...textMistakes('senderName', ofWorld, false),
        { code: 'REQUIRED', path: ['handle'], input: (stage) => ({ ...ofWorld(stage), handle: null }) },
        { code: 'EXTERNAL_ID_TAKEN', path: ['externalId'], input: takenBy('externalId') },
        { code: 'INVALID_HANDLE', path: ['handle'], input: (stage) => ({ ...ofWorld(stage), handle: 'No Handle' }) },
        { code: 'HANDLE_TAKEN', path: ['handle'], input: takenBy('handle') },
        { code: 'INVALID_EMAIL', path: ['senderEmail'], input: (stage) => ({ ...ofWorld(stage), senderEmail: 'nobody' }) },
        { code: 'PLAN_LIMIT', path: ['isAdvanced'], input: ({ small }) => ({ organizationId: small.ids.Organization, isAdvanced: true }) },
        { code: 'PLAN_LIMIT', path: ['senderName'], input: ({ small }) => ({ organizationId: small.ids.Organization, senderName: 'Me' }) },
        {
          code: 'PLAN_LIMIT',
          path: ['senderEmail'],
          input: ({ small }) => ({ organizationId: small.ids.Organization, senderEmail: 'me@people.test' }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...ofWorld(stage), name: 'Late', expectedVersion: 99 }) },
      ],
    },
    removeOrganizationHandle: {
      permission: 'delete:organization_handles',
      action: 'organization.handle_removed',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name) }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId }) }],
      mistakes: [{ code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...ofWorld(stage), expectedVersion: 99 }) }],
    },
    suspendOrganization: {
      permission: 'suspend:organizations',
      action: 'organization.suspended',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name) }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId }) }],
      mistakes: [
        {
          code: 'DEFAULT_ORGANIZATION_CANNOT_BE_SUSPENDED',
          path: ['organizationId'],
          input: async (stage) => ({ organizationId: await defaultOrganization(stage) }),
        },
        { code: 'LAST_OPEN_ORGANIZATION', path: [], input: async (stage) => ({ organizationId: await onlyOpenOrganization(stage) }) },
      ],
    },
    restoreOrganization: {
      permission: 'suspend:organizations',
      action: 'organization.restored',
      input: async (stage, name) => {
        const organizationId = await newOrganization(stage, name);
        await suspendOrganization(stage.ctx, { organizationId });
        return { organizationId };
      },
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId }) }],
    },
    deleteOrganization: {
      permission: 'delete:organizations',
      action: 'organization.deleted',
      bulk: 'deleteOrganizations',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name) }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId }) }],
      mistakes: [
        {
          code: 'DEFAULT_ORGANIZATION_CANNOT_BE_DELETED',
          path: ['organizationId'],
          input: async (stage) => ({ organizationId: await defaultOrganization(stage) }),
        },
        { code: 'LAST_OPEN_ORGANIZATION', path: [], input: async (stage) => ({ organizationId: await onlyOpenOrganization(stage) }) },
      ],
    },
    addOrganizationMember: {
      permission: 'create:organization_users',
      action: 'organization.member_added',
      bulk: 'addOrganizationMembers',
      input: async (stage, name) => ({ organizationId: stage.world.ids.Organization, userId: await newUser(stage, name) }),
      foreign: [
        { type: 'Organization', input: (organizationId, own) => ({ organizationId, userId: own.ids.User }) },
        { type: 'User', input: (userId, own) => ({ organizationId: own.ids.Organization, userId }) },
        { type: 'Role', input: (id, own) => ({ organizationId: own.ids.Organization, userId: own.ids.User, roleIds: [id] }) },
      ],
      mistakes: [
        { code: 'ALREADY_MEMBER', path: ['userId'], input: member },
        { code: 'TOO_MANY', path: ['roleIds'], input: (stage) => ({ ...member(stage), roleIds: Array(101).fill(stage.world.ids.Role) }) },
      ],
    },
  },
};
