import { newId } from '../../../src/kernel/ids.ts';
import type { FeatureCases, Stage } from './cases.ts';
import { newUser } from './users.ts';

async function newStranger({ ctx }: Pick<Stage, 'ctx'>, environmentId: string, name: string): Promise<string> {
  const id = newId('application');
  const application = { environmentId, id, name, type: 'spa', isDynamic: true, callbackUrls: [], logoutUrls: [] };
  await ctx.db.application.create({ data: application });
  return id;
}

export const consents: FeatureCases = {
  fillEnvironment: async ({ ctx, environmentId, ids, name }) => {
    const applicationId = await newStranger({ ctx }, environmentId, `${name} stranger`);
    const allowed = { scopes: ['openid'], audiences: [], givenAt: ctx.clock.now() };
    await ctx.db.consent.create({ data: { environmentId, userId: ids['User']!, applicationId, ...allowed } });
    return {};
  },
  addRow: async ({ ctx, environmentId, ids }) => {
    const applicationId = await newStranger({ ctx }, environmentId, 'Another stranger');
    const allowed = { scopes: ['openid', 'email'], audiences: ['https://api.test'], givenAt: ctx.clock.now() };
    await ctx.db.consent.create({ data: { environmentId, userId: ids['User']!, applicationId, ...allowed } });
  },
  lists: {
    'users with their consents': `environment(id: $environmentId) { users(first: $first) { nodes { firstName consents(first: $first) { totalCount nodes { scopes audiences givenAt application { name } } } } } }`,
  },
  shortLists: ['Consent.scopes', 'Consent.audiences'],
  mutations: {
    revokeUserConsent: {
      permission: 'delete:user_sessions',
      action: 'user.consent_revoked',
      input: async (stage, name) => ({
        userId: await newUser(stage, name),
        applicationId: await newStranger(stage, stage.world.ids.Environment, name),
      }),
      foreign: [
        { type: 'User', input: (userId, { ids }) => ({ userId, applicationId: ids.Application }) },
        { type: 'Application', input: (applicationId, { ids }) => ({ userId: ids.User, applicationId }) },
      ],
    },
  },
};
