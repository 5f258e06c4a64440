import { addOrganizationMember } from '../../../src/features/organizations/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import type { FeatureCases } from './cases.ts';
import { aNewUser, newUser } from './users.ts';

export const mfaFactors: FeatureCases = {
  kinds: { MfaFactor: 'mfaFactor' },
  fillEnvironment: async ({ ctx, environmentId, ids }) => {
    const factor = { environmentId, userId: ids['User']!, type: 'sms', label: '+61•••555' };
    const { id } = await ctx.db.mfaFactor.create({ data: { ...factor, id: newId('mfaFactor') } });
    await ctx.db.mfaFactor.create({ data: { ...factor, id: newId('mfaFactor'), organizationId: ids['Organization']! } });
    return { MfaFactor: id };
  },
  addRow: async ({ ctx, environmentId, ids }) => {
    const factor = { environmentId, userId: ids['User']!, organizationId: ids['Organization']!, type: 'email' };
    await ctx.db.mfaFactor.create({ data: { ...factor, id: newId('mfaFactor') } });
  },
  lists: {
    'members with their second factors': `environment(id: $environmentId) { organizations(first: $first) { nodes { members(first: $first) { nodes { mfaFactors { type } user { mfaFactors { type label organizationId } } } } } } }`,
  },
  shortLists: ['OrganizationMember.mfaFactors', 'User.mfaFactors'],
  mutations: {
    resetUserMfa: {
      permission: 'delete:user_mfa',
      action: 'user.mfa_reset',
      input: aNewUser,
      foreign: [
        { type: 'User', input: (userId) => ({ userId }) },
        { type: 'MfaFactor', input: (factorId, own) => ({ userId: own.ids.User, factorId }) },
      ],
    },
    resetOrganizationMemberMfa: {
      permission: 'delete:organization_user_mfa',
      action: 'user.mfa_reset',
      input: async (stage, name) => {
        const member = { organizationId: stage.world.ids.Organization, userId: await newUser(stage, name) };
        return { organizationMemberId: (await addOrganizationMember(stage.ctx, member)).id };
      },
      foreign: [
        { type: 'OrganizationMember', input: (organizationMemberId) => ({ organizationMemberId }) },
        { type: 'MfaFactor', input: (factorId, own) => ({ organizationMemberId: own.ids['OrganizationMember'], factorId }) },
      ],
    },
  },
};
