/** APIs that tokens are made out to: each has an audience and scopes. The management API of an environment is one of them. */
import { assertCan } from '../../access/authorize.ts';
import { isPermission, MACHINE_SCOPES, type PermissionName } from '../../access/permissions.ts';
import type { Db } from '../../db/client.ts';
import type { Api, ApiScope } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { ID_PREFIXES, newId } from '../../kernel/ids.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION, type Scope, scopeOfRow } from '../context.ts';
import { changedText, requireText } from '../text.ts';

/** The management API's audience in the environment whose issuer is `issuer`. */
export function managementAudience(issuer: string): string {
  return `${issuer}/api`;
}

/** Registers the environment's management API, whose scopes are the permissions that a machine may hold. */
export async function createManagementApi(ctx: Context, environmentId: string): Promise<void> {
  await ctx.db.api.create({ data: { environmentId, id: newId('api'), name: 'Gatehouse management API', isManagement: true } });
}

export interface CreateApiInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  /** What tokens for it say in `aud`; cannot be changed later. */
  readonly audience: string;
}

/** Registers an API, with no scopes yet.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_AUDIENCE or AUDIENCE_TAKEN */
export const createApi = action({
  permission: 'create:apis',
  scope: (ctx, input: CreateApiInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<Api> {
    const name = requireText(input.name, 'name');
    const audience = requireText(input.audience, 'audience');
    if (/\s/.test(audience)) throw new InvalidInputError('INVALID_AUDIENCE', 'An audience has no spaces.', ['audience']);
    const environment = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId } });
    const management = managementAudience(issuerOf(ctx.config, environment));
    if (audience === management || audience.startsWith(`${management}/`))
      throw new InvalidInputError('AUDIENCE_TAKEN', 'This is the audience of the management API.', ['audience']);
    if (await ctx.db.api.findUnique({ where: { environmentId_audience: { environmentId, audience } } }))
      throw new InvalidInputError('AUDIENCE_TAKEN', 'Another API has this audience.', ['audience']);
    const api = await createApiRow(ctx, environmentId, { name, audience, scopes: [] });
    await audit(ctx, { businessId, environmentId, action: 'api.created', target: { type: 'api', id: api.id }, details: { audience } });
    return api;
  },
});

export interface UpdateApiInput {
  readonly apiId: string;
  readonly name?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Renames an API of the business's own.
 * @throws InvalidInputError MANAGEMENT_API, REQUIRED, TOO_LONG, INVALID_TEXT or CONFLICT */
export const updateApi = action({
  permission: 'update:apis',
  scope: apiScope,
  async run(ctx, input: UpdateApiInput, { environmentId, businessId }): Promise<Api> {
    const { apiId } = input;
    await assertCustomApi(ctx, environmentId, apiId);
    const api = await ctx.db.api.update({
      where: { environmentId_id: { environmentId, id: apiId }, ...atVersion(input) },
      data: { name: changedText(input.name, 'name'), ...NEXT_VERSION },
    });
    await audit(ctx, { businessId, environmentId, action: 'api.updated', target: { type: 'api', id: apiId } });
    return api;
  },
});

/** Deletes an API of the business's own with its scopes and keys. No application gets a token for it any more.
 * @throws InvalidInputError MANAGEMENT_API */
export const deleteApi = action({
  permission: 'delete:apis',
  scope: apiScope,
  async run(ctx, { apiId }: { readonly apiId: string }, { environmentId, businessId }): Promise<{ deletedId: string }> {
    await assertCustomApi(ctx, environmentId, apiId);
    await ctx.db.api.delete({ where: { environmentId_id: { environmentId, id: apiId } } });
    await audit(ctx, { businessId, environmentId, action: 'api.deleted', target: { type: 'api', id: apiId } });
    return { deletedId: apiId };
  },
});

/** The environment of the API that an input names, within the actor's reach. */
export function apiScope(ctx: Context, input: { readonly apiId: string }, permission: PermissionName): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'API', 'apiId', (environmentId) =>
    ctx.db.api.findFirst({ where: { ...(environmentId && { environmentId }), id: input.apiId }, select: { environmentId: true } }),
  );
}

/** @throws InvalidInputError MANAGEMENT_API for the API that comes with the environment */
export async function assertCustomApi(ctx: Context, environmentId: string, apiId: string): Promise<void> {
  if ((await ctx.db.api.count({ where: { environmentId, id: apiId, isManagement: true } })) > 0)
    throw new InvalidInputError('MANAGEMENT_API', 'The management API comes with the environment, as it is.', ['apiId']);
}

interface ScopeWhere {
  /** Absent: any. */
  readonly environmentId?: string | { in: string[] };
  readonly id: string;
}

/** A scope of the management API, in the form of the others. Its id is made from what it is, and so always the same. */
export function managementScopes(api: { readonly environmentId: string; readonly id: string; readonly createdAt: Date }): ApiScope[] {
  return MACHINE_SCOPES.map((name) => ({
    environmentId: api.environmentId,
    id: `${ID_PREFIXES.apiScope}_${sha256(`${api.id} ${name}`).slice(0, 32)}`,
    apiId: api.id,
    name,
    description: null,
    version: 1,
    createdAt: api.createdAt,
  }));
}

/** The scope of the management API with this id, in one of the environments. */
export async function findManagementScope(db: Db, { environmentId, id }: ScopeWhere): Promise<ApiScope | null> {
  const apis = await db.api.findMany({ where: { ...(environmentId && { environmentId }), isManagement: true } });
  return apis.flatMap(managementScopes).find((scope) => scope.id === id) ?? null;
}

/** The environment of the scope that an input gives to somebody, within the actor's reach. */
export function givenScope(ctx: Context, { scopeId: id }: { readonly scopeId: string }, permission: PermissionName): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'scope', 'scopeId', async (environmentId) => {
    const where = { ...(environmentId && { environmentId }), id };
    return (await ctx.db.apiScope.findFirst({ where, select: { environmentId: true } })) ?? findManagementScope(ctx.db, where);
  });
}

/** The environment's scope with this id: of an API of the business's own, as only those are held by people.
 * @throws InvalidInputError MANAGEMENT_SCOPE
 * @throws NotFoundError when it is not there */
export async function findCustomScope(ctx: Context, environmentId: string, id: string): Promise<ApiScope> {
  const found = await ctx.db.apiScope.findUnique({ where: { environmentId_id: { environmentId, id } } });
  if (found) return found;
  if (await findManagementScope(ctx.db, { environmentId, id }))
    throw new InvalidInputError('MANAGEMENT_SCOPE', 'What people may do in the management API is the team’s roles to say.', ['scopeId']);
  throw new NotFoundError('scope', ['scopeId']);
}

/** The names of the scopes that an API has. */
export async function scopeNamesOf(ctx: Context, environmentId: string, apiId: string): Promise<string[]> {
  const api = await ctx.db.api.findUniqueOrThrow({
    where: { environmentId_id: { environmentId, id: apiId } },
    select: { isManagement: true, scopes: { select: { name: true } } },
  });
  return api.isManagement ? [...MACHINE_SCOPES] : api.scopes.map(({ name }) => name);
}

/** Writes an API; the caller has checked the permission. */
export async function createApiRow(
  ctx: Context,
  environmentId: string,
  input: { name: string; audience: string; scopes: readonly { name: string; description?: string }[] },
) {
  const api = await ctx.db.api.create({ data: { environmentId, id: newId('api'), name: input.name, audience: input.audience } });
  await ctx.db.apiScope.createMany({
    data: input.scopes.map((scope) => ({
      environmentId,
      id: newId('apiScope'),
      apiId: api.id,
      name: scope.name,
      description: scope.description ?? null,
    })),
  });
  return api;
}

/** Authorises an application for an API with `scopes`; every scope the API has when they are left out. */
export async function authorizeApplication(
  ctx: Context,
  environmentId: string,
  applicationId: string,
  apiId: string,
  scopes?: readonly string[],
): Promise<void> {
  const all = await scopeNamesOf(ctx, environmentId, apiId);
  await ctx.db.applicationApi.create({
    data: { environmentId, applicationId, apiId, scopes: scopes ? all.filter((scope) => scopes.includes(scope)) : all },
  });
}

/** Whoever speaks for an application has all that it may do in the graph, and so has to hold it.
 * @throws ForbiddenError naming the first permission that the actor does not hold */
export async function assertHoldsScopesOf(ctx: Context, environmentId: string, applicationId: string): Promise<void> {
  const where = { environmentId, applicationId, api: { isManagement: true } };
  const granted = await ctx.db.applicationApi.findFirst({ where, select: { scopes: true } });
  assertHolds(ctx, environmentId, granted?.scopes ?? []);
}

/** Nobody hands out scopes of the management API that they do not hold.
 * @throws ForbiddenError naming the first permission that the actor does not hold */
export function assertHolds({ actor }: Context, environmentId: string, scopes: readonly string[]): void {
  for (const scope of scopes) if (isPermission(scope)) assertCan(actor, scope, { environmentId });
}
