import { createApiKey, revokeApiKey } from '../../../src/features/api-keys/service.ts';
import type { World } from '../world.ts';
import { type FeatureCases, type Stage, textMistakes } from './cases.ts';

const keyOf = ({ ids }: World) => ({ environmentId: ids.Environment, apiId: ids['Api']!, name: 'Key', kind: 'ENVIRONMENT' });
const input = ({ world }: Stage) => keyOf(world);

async function newKey({ ctx, world }: Stage, name: string) {
  return createApiKey(ctx, { ...keyOf(world), name, kind: 'environment' });
}

async function revoked(stage: Stage): Promise<{ apiKeyId: string }> {
  const { apiKey } = await newKey(stage, 'Revoked');
  await revokeApiKey(stage.ctx, { apiKeyId: apiKey.id });
  return { apiKeyId: apiKey.id };
}

const byId = (permission: 'update:api_keys' | 'delete:api_keys', action: string) => ({
  permission,
  action,
  input: async (stage: Stage, name: string) => ({ apiKeyId: (await newKey(stage, name)).apiKey.id }),
  foreign: [{ type: 'ApiKey', input: (apiKeyId: string) => ({ apiKeyId }) }],
  mistakes: [{ code: 'REVOKED', path: ['apiKeyId'], input: revoked }],
});

export const apiKeys: FeatureCases = {
  kinds: { ApiKey: 'apiKey' },
  fillEnvironment: async ({ ctx, environmentId, businessId, ids }): Promise<Record<string, string>> => {
    const { plan } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId } });
    if (plan === 'free') return {};
    const key = { environmentId, apiId: ids['Api']!, name: 'Key', kind: 'user' as const, userId: ids['User']!, scopes: ['read:things'] };
    return { ApiKey: (await createApiKey(ctx, key)).apiKey.id };
  },
  addRow: async ({ ctx, environmentId, ids }) =>
    void (await createApiKey(ctx, {
      ...{ environmentId, apiId: ids['Api']!, name: 'Key', kind: 'organization' },
      organizationId: ids['Organization']!,
    })),
  lists: {
    'API keys': `environment(id: $environmentId) { apiKeys(first: $first) { totalCount nodes { name status scopes api { name } } } }`,
  },
  // The key itself, in the answer of what made it; and what a verification says of the key that the caller has.
  open: [
    ...['CreateApiKeyPayload.key', 'RotateApiKeyPayload.key'],
    ...['isValid', 'keyId', 'status', 'apiId', 'scopes', 'organizationId', 'userId', 'lastVerifiedAt', 'verificationCount'].map(
      (name) => `VerifyApiKeyPayload.${name}`,
    ),
  ],
  shortLists: ['ApiKey.scopes', 'VerifyApiKeyPayload.scopes'],
  mutations: {
    createApiKey: {
      permission: 'create:api_keys',
      action: 'api_key.created',
      input: ({ world }, name) => ({ ...keyOf(world), name, scopes: ['read:things'] }),
      foreign: [
        { type: 'Environment', input: (environmentId, own) => ({ ...keyOf(own), environmentId }) },
        { type: 'Api', input: (apiId, own) => ({ ...keyOf(own), apiId }) },
        { type: 'Organization', input: (organizationId, own) => ({ ...keyOf(own), kind: 'ORGANIZATION', organizationId }) },
        { type: 'User', input: (userId, own) => ({ ...keyOf(own), kind: 'USER', userId }) },
      ],
      mistakes: [
        ...textMistakes('name', input),
        { code: 'PLAN_LIMIT', path: [], input: ({ small }) => keyOf(small) },
        {
          code: 'MANAGEMENT_API',
          path: ['apiId'],
          input: async (stage) => {
            const where = { environmentId: stage.world.ids.Environment, isManagement: true };
            return { ...input(stage), apiId: (await stage.ctx.db.api.findFirstOrThrow({ where })).id };
          },
        },
        { code: 'OWNER_MISMATCH', path: ['organizationId'], input: (stage) => ({ ...input(stage), kind: 'ORGANIZATION' }) },
        { code: 'OWNER_MISMATCH', path: ['userId'], input: (stage) => ({ ...input(stage), kind: 'USER' }) },
        { code: 'OWNER_MISMATCH', path: ['userId'], input: (stage) => ({ ...input(stage), userId: stage.world.ids.User }) },
        {
          code: 'OWNER_MISMATCH',
          path: ['organizationId'],
          input: (stage) => ({
            ...input(stage),
            ...{ kind: 'USER', userId: stage.world.ids.User, organizationId: stage.world.ids.Organization },
          }),
        },
        {
          code: 'UNKNOWN_SCOPE',
          path: ['scopes', '1'],
          input: (stage) => ({ ...input(stage), scopes: ['read:things', 'read:users'] }),
        },
      ],
    },
    rotateApiKey: byId('update:api_keys', 'api_key.rotated'),
    revokeApiKey: byId('delete:api_keys', 'api_key.revoked'),
    verifyApiKey: {
      permission: 'read:api_keys',
      action: null,
      input: async (stage, name) => ({ environmentId: stage.world.ids.Environment, key: (await newKey(stage, name)).key }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, key: 'k_live_x' }) }],
    },
  },
};
