/** API keys: what a business's customers call its APIs with. A key is shown once, and kept only as a digest. */
import type { PermissionName } from '../../access/permissions.ts';
import type { ApiKey } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId, randomAlphanumeric } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { assertCustomApi, scopeNamesOf } from '../apis/service.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, type Scope, scopeOfRow } from '../context.ts';
import { assertPlanHas } from '../plans.ts';
import { requireText } from '../text.ts';

/** Whose a key is: the business's own in an environment, an organization's, or a user's. */
export const API_KEY_KINDS = ['environment', 'organization', 'user'] as const;
export type ApiKeyKind = (typeof API_KEY_KINDS)[number];

/** A key with what is shown this once. */
export interface ApiKeyWithKey {
  readonly apiKey: ApiKey;
  readonly key: string;
}

export interface CreateApiKeyInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly apiId: string;
  readonly kind: ApiKeyKind;
  /** Whose it is, for the kind of that name. */
  readonly organizationId?: string | null | undefined;
  readonly userId?: string | null | undefined;
  /** Names of the API's scopes; fixed from now on. */
  readonly scopes?: readonly string[] | null | undefined;
}

/** Makes a key of one API.
 * @throws InvalidInputError PLAN_LIMIT, REQUIRED, TOO_LONG, INVALID_TEXT, MANAGEMENT_API, OWNER_MISMATCH or UNKNOWN_SCOPE
 * @throws NotFoundError when the environment has no such API, organization or user */
export const createApiKey = action({
  permission: 'create:api_keys',
  scope: (ctx, input: CreateApiKeyInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<ApiKeyWithKey> {
    const { apiId, kind } = input;
    if ((await ctx.db.api.count({ where: { environmentId, id: apiId } })) === 0) throw new NotFoundError('API', ['apiId']);
    const owner = await checkOwner(ctx, environmentId, input);
    await assertPlanHas(ctx, businessId, 'apiKeys');
    const name = requireText(input.name, 'name');
    await assertCustomApi(ctx, environmentId, apiId);
    const known = await scopeNamesOf(ctx, environmentId, apiId);
    const scopes = [...new Set(input.scopes ?? [])];
    for (const scope of scopes)
      if (!known.includes(scope))
        throw new InvalidInputError('UNKNOWN_SCOPE', 'The API has no such scope.', ['scopes', String(input.scopes?.indexOf(scope))]);
    const key = newKey();
    const apiKey = await ctx.db.apiKey.create({
      data: { environmentId, id: newId('apiKey'), apiId, name, kind, ...owner, ...keptOf(key), scopes },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'api_key.created',
      target: { type: 'api_key', id: apiKey.id },
      details: { apiId, kind, scopes },
    });
    return { apiKey, key };
  },
});

interface ApiKeyInput {
  readonly apiKeyId: string;
}

/** Gives a key another text; the old one stops working at once.
 * @throws InvalidInputError REVOKED */
export const rotateApiKey = action({
  permission: 'update:api_keys',
  scope: keyScope,
  async run(ctx, { apiKeyId }: ApiKeyInput, { environmentId, businessId }): Promise<ApiKeyWithKey> {
    const key = newKey();
    const apiKey = await changeLiving(ctx, environmentId, apiKeyId, { ...keptOf(key), rotatedAt: ctx.clock.now() });
    await audit(ctx, { businessId, environmentId, action: 'api_key.rotated', target: { type: 'api_key', id: apiKeyId } });
    return { apiKey, key };
  },
});

/** Ends a key for good.
 * @throws InvalidInputError REVOKED when it was before */
export const revokeApiKey = action({
  permission: 'delete:api_keys',
  scope: keyScope,
  async run(ctx, { apiKeyId }: ApiKeyInput, { environmentId, businessId }): Promise<ApiKey> {
    const apiKey = await changeLiving(ctx, environmentId, apiKeyId, { revokedAt: ctx.clock.now() });
    await audit(ctx, { businessId, environmentId, action: 'api_key.revoked', target: { type: 'api_key', id: apiKeyId } });
    return apiKey;
  },
});

function keyScope(ctx: Context, input: ApiKeyInput, permission: PermissionName): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'API key', 'apiKeyId', (environmentId) =>
    ctx.db.apiKey.findFirst({ where: { ...(environmentId && { environmentId }), id: input.apiKeyId }, select: { environmentId: true } }),
  );
}

async function changeLiving(ctx: Context, environmentId: string, id: string, data: Partial<ApiKey>): Promise<ApiKey> {
  const { count } = await ctx.db.apiKey.updateMany({ where: { environmentId, id, revokedAt: null }, data });
  if (count === 0) throw new InvalidInputError('REVOKED', 'This key is revoked.', ['apiKeyId']);
  return ctx.db.apiKey.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id } } });
}

async function checkOwner(
  ctx: Context,
  environmentId: string,
  { kind, organizationId, userId }: CreateApiKeyInput,
): Promise<{ organizationId: string | null; userId: string | null }> {
  if (organizationId && (await ctx.db.organization.count({ where: { environmentId, id: organizationId } })) === 0)
    throw new NotFoundError('organization', ['organizationId']);
  if (userId && (await ctx.db.user.count({ where: { environmentId, id: userId } })) === 0) throw new NotFoundError('user', ['userId']);
  for (const [owner, id] of [
    ['organization', organizationId],
    ['user', userId],
  ] as const)
    if ((kind === owner) !== Boolean(id))
      throw new InvalidInputError('OWNER_MISMATCH', `A key of kind ${kind} ${id ? 'belongs to no' : 'needs its'} ${owner}.`, [
        `${owner}Id`,
      ]);
  return { organizationId: organizationId ?? null, userId: userId ?? null };
}

/** 44 letters and digits, 262 random bits, behind a prefix that scanners for leaked secrets find. */
function newKey(): string {
  return `k_live_${randomAlphanumeric(44)}`;
}

function keptOf(key: string): { keyHash: string; hint: string } {
  return { keyHash: sha256(key), hint: key.slice(-4) };
}
