/** Scopes of APIs. Those of the management API are the permissions that a machine may hold: they have no rows, and nobody changes them. */
import type { PermissionName } from '../../../access/permissions.ts';
import type { ApiScope } from '../../../db/generated/client/client.ts';
import { InvalidInputError } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import { audit } from '../../audit/service.ts';
import { action, atVersion, type Context, NEXT_VERSION, type Scope, scopeOfRow } from '../../context.ts';
import { assertPlanHas } from '../../plans.ts';
import { changedOptionalText, optionalText } from '../../text.ts';
import { apiScope, assertCustomApi } from '../service.ts';

export const MAX_SCOPES = 500;

/** Names that OpenID Connect gives a meaning of its own. */
const RESERVED = new Set(['openid', 'profile', 'email', 'phone', 'address', 'offline', 'offline_access']);

export interface CreateApiScopeInput {
  readonly apiId: string;
  /** `verb:thing`. */
  readonly name: string;
  readonly description?: string | null | undefined;
}

/** Adds a scope to an API of the business's own.
 * @throws InvalidInputError MANAGEMENT_API, PLAN_LIMIT, RESERVED_SCOPE, INVALID_SCOPE, SCOPE_TAKEN, TOO_MANY_SCOPES, TOO_LONG or INVALID_TEXT */
export const createApiScope = action({
  permission: 'create:api_scopes',
  scope: apiScope,
  async run(ctx, input: CreateApiScopeInput, { environmentId, businessId }): Promise<ApiScope> {
    const { apiId, name } = input;
    await assertCustomApi(ctx, environmentId, apiId);
    await assertPlanHas(ctx, businessId, 'customScopes', ['apiId']);
    checkName(name);
    const known = await ctx.db.apiScope.findMany({ where: { environmentId, apiId }, select: { name: true } });
    if (known.some((scope) => scope.name === name)) throw new InvalidInputError('SCOPE_TAKEN', 'The API has this scope already.', ['name']);
    if (known.length >= MAX_SCOPES) throw new InvalidInputError('TOO_MANY_SCOPES', `An API has at most ${MAX_SCOPES} scopes.`, ['apiId']);
    const scope = await ctx.db.apiScope.create({
      data: {
        environmentId,
        id: newId('apiScope'),
        apiId,
        name,
        description: optionalText(input.description, 'description', 1000),
      },
    });
    const target = { type: 'api_scope', id: scope.id };
    await audit(ctx, { businessId, environmentId, action: 'api_scope.created', target, details: { apiId, name } });
    return scope;
  },
});

export interface UpdateApiScopeInput {
  readonly scopeId: string;
  readonly description?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Describes a scope anew.
 * @throws InvalidInputError TOO_LONG, INVALID_TEXT or CONFLICT */
export const updateApiScope = action({
  permission: 'update:api_scopes',
  scope: rowScope,
  async run(ctx, input: UpdateApiScopeInput, { environmentId, businessId }): Promise<ApiScope> {
    const scope = await ctx.db.apiScope.update({
      where: { environmentId_id: { environmentId, id: input.scopeId }, ...atVersion(input) },
      data: { description: changedOptionalText(input.description, 'description', 1000), ...NEXT_VERSION },
    });
    await audit(ctx, { businessId, environmentId, action: 'api_scope.updated', target: { type: 'api_scope', id: scope.id } });
    return scope;
  },
});

/** Deletes a scope, and takes it from every application, key, role and member that holds it. */
export const deleteApiScope = action({
  permission: 'delete:apis_scopes',
  scope: rowScope,
  async run(ctx, { scopeId }: { readonly scopeId: string }, { environmentId, businessId }): Promise<{ deletedId: string }> {
    const { apiId, name } = await ctx.db.apiScope.delete({ where: { environmentId_id: { environmentId, id: scopeId } } });
    await ctx.db.$executeRaw`UPDATE application_apis SET scopes = array_remove(scopes, ${name})
      WHERE environment_id = ${environmentId} AND api_id = ${apiId} AND ${name} = ANY(scopes)`;
    await ctx.db.$executeRaw`UPDATE api_keys SET scopes = array_remove(scopes, ${name})
      WHERE environment_id = ${environmentId} AND api_id = ${apiId} AND ${name} = ANY(scopes)`;
    const target = { type: 'api_scope', id: scopeId };
    await audit(ctx, { businessId, environmentId, action: 'api_scope.deleted', target, details: { apiId, name } });
    return { deletedId: scopeId };
  },
});

function rowScope(ctx: Context, input: { readonly scopeId: string }, permission: PermissionName): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'scope', 'scopeId', (environmentId) =>
    ctx.db.apiScope.findFirst({ where: { ...(environmentId && { environmentId }), id: input.scopeId }, select: { environmentId: true } }),
  );
}

function checkName(name: string): void {
  if (RESERVED.has(name)) throw new InvalidInputError('RESERVED_SCOPE', 'OpenID Connect uses this name for something else.', ['name']);
  if (name.length > 64 || !/^[a-z][a-z0-9_-]*:[A-Za-z0-9_.:/-]+$/.test(name))
    throw new InvalidInputError('INVALID_SCOPE', 'A scope is a verb, a colon and a thing, as read:invoices, of at most 64 characters.', [
      'name',
    ]);
}
