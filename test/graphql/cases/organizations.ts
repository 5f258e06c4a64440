import { addOrganizationMember, createOrganization } from '../../../src/features/organizations/service.ts';
import { BELL, type FeatureCases, LONG, type Stage, textMistakes } from './cases.ts';
import { newUser } from './users.ts';

const organization = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New' });
const member = ({ world }: Stage) => ({ organizationId: world.ids.Organization, userId: world.ids.User });

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
