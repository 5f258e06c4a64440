/** Which applications may be given tokens for an API, and with which scopes. What is taken away counts at once. */
import type { Api, ApplicationApi } from '../../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../../kernel/errors.ts';
import { audit } from '../../audit/service.ts';
import { action, type Context } from '../../context.ts';
import { apiScope, assertHolds, scopeNamesOf } from '../service.ts';

const MAX_APPLICATIONS = 100;

export interface UpdateApiApplicationsInput {
  readonly apiId: string;
  /** Absent scopes: none for one that was not authorised, unchanged for one that was. */
  readonly authorize?:
    | readonly { readonly applicationId: string; readonly scopes?: readonly string[] | null | undefined }[]
    | null
    | undefined;
  /** Applications that are given no more tokens. */
  readonly revoke?: readonly string[] | null | undefined;
}

/** Authorises applications for an API, and takes that from others.
 * @throws InvalidInputError TOO_MANY, UNKNOWN_SCOPE, ORGANIZATION_MACHINE or DYNAMIC_APPLICATION
 * @throws NotFoundError when one of the applications is not there
 * @throws ForbiddenError for a scope of the management API that the actor does not hold */
export const updateApiApplications = action({
  permission: 'update:apis',
  scope: apiScope,
  async run(ctx, input: UpdateApiApplicationsInput, { environmentId, businessId }): Promise<Api> {
    const { apiId } = input;
    const authorize = input.authorize ?? [];
    const revoke = [...new Set(input.revoke ?? [])];
    for (const [field, list] of Object.entries({ authorize, revoke }))
      if (list.length > MAX_APPLICATIONS) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_APPLICATIONS}.`, [field]);
    const where = { environmentId, apiId, applicationId: { in: revoke } };
    if ((await ctx.db.application.count({ where: { environmentId, id: { in: revoke } } })) !== revoke.length)
      throw new NotFoundError('application', ['revoke']);
    for (const [index, each] of authorize.entries())
      await authorizeOne(ctx, { environmentId, apiId, ...each }, ['authorize', String(index)]);
    await ctx.db.applicationApi.deleteMany({ where });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'api.applications_updated',
      target: { type: 'api', id: apiId },
      details: {
        authorized: authorize.map(({ applicationId, scopes }) => [applicationId, ...(scopes ?? [])].join(' ')),
        revoked: revoke,
      },
    });
    return ctx.db.api.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: apiId } } });
  },
});

export interface ApplicationScopeInput {
  readonly apiId: string;
  readonly applicationId: string;
  readonly scope: string;
}

/** Lets an application that is authorised for an API have one more of its scopes.
 * @throws InvalidInputError UNKNOWN_SCOPE or NOT_AUTHORIZED
 * @throws ForbiddenError for a scope of the management API that the actor does not hold */
export const addApplicationScope = action({
  permission: 'create:api_application_scopes',
  scope: apiScope,
  async run(ctx, input: ApplicationScopeInput, { environmentId, businessId }): Promise<ApplicationApi> {
    const { apiId, applicationId, scope } = input;
    await assertGrantable(ctx, { environmentId, apiId }, [scope], () => ['scope']);
    const authorization = await changeScopes(ctx, environmentId, input, (held) => (held.includes(scope) ? held : [...held, scope]));
    const target = { type: 'application', id: applicationId };
    await audit(ctx, { businessId, environmentId, action: 'application.scope_added', target, details: { apiId, scope } });
    return authorization;
  },
});

/** Takes one scope of an API from an application. What its tokens say of it does not count in the graph any more.
 * @throws InvalidInputError NOT_AUTHORIZED */
export const removeApplicationScope = action({
  permission: 'delete:apis_application_scopes',
  scope: apiScope,
  async run(ctx, input: ApplicationScopeInput, { environmentId, businessId }): Promise<ApplicationApi> {
    const { apiId, applicationId, scope } = input;
    const authorization = await changeScopes(ctx, environmentId, input, (held) => held.filter((name) => name !== scope));
    const target = { type: 'application', id: applicationId };
    await audit(ctx, { businessId, environmentId, action: 'application.scope_removed', target, details: { apiId, scope } });
    return authorization;
  },
});

interface Wish {
  readonly environmentId: string;
  readonly apiId: string;
  readonly applicationId: string;
  readonly scopes?: readonly string[] | null | undefined;
}

async function authorizeOne(ctx: Context, wish: Wish, path: readonly string[]): Promise<void> {
  const { environmentId, apiId, applicationId } = wish;
  const application = await ctx.db.application.findUnique({
    where: { environmentId_id: { environmentId, id: applicationId } },
    select: { organizationId: true, isDynamic: true },
  });
  if (!application) throw new NotFoundError('application', [...path, 'applicationId']);
  const { isManagement } = await ctx.db.api.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: apiId } } });
  if (isManagement && application.organizationId)
    throw new InvalidInputError('ORGANIZATION_MACHINE', 'A machine of one organization is not given tokens for the management API.', [
      ...path,
      'applicationId',
    ]);
  if (isManagement && application.isDynamic)
    throw new InvalidInputError(
      'DYNAMIC_APPLICATION',
      'An application that registered itself is not given tokens for the management API.',
      [...path, 'applicationId'],
    );
  const held = await lockScopes(ctx, wish);
  const scopes = [...new Set(wish.scopes ?? held ?? [])];
  const added = scopes.filter((scope) => !held?.includes(scope));
  await assertGrantable(ctx, wish, added, (scope) => [...path, 'scopes', String(wish.scopes?.indexOf(scope))]);
  await ctx.db.applicationApi.upsert({
    where: { environmentId_applicationId_apiId: { environmentId, applicationId, apiId } },
    create: { environmentId, applicationId, apiId, scopes },
    update: { scopes },
  });
}

async function changeScopes(
  ctx: Context,
  environmentId: string,
  { apiId, applicationId }: ApplicationScopeInput,
  next: (held: string[]) => string[],
): Promise<ApplicationApi> {
  const key = { environmentId, applicationId, apiId };
  if ((await ctx.db.application.count({ where: { environmentId, id: applicationId } })) === 0)
    throw new NotFoundError('application', ['applicationId']);
  const held = await lockScopes(ctx, key);
  if (!held) throw new InvalidInputError('NOT_AUTHORIZED', 'The application is not authorised for this API.', ['applicationId']);
  return ctx.db.applicationApi.update({ where: { environmentId_applicationId_apiId: key }, data: { scopes: next(held) } });
}

/** The scopes that an application holds, kept as they are until the transaction ends; undefined for one that is not authorised. */
async function lockScopes(ctx: Context, { environmentId, applicationId, apiId }: Wish): Promise<string[] | undefined> {
  const [row] = await ctx.db.$queryRaw<{ scopes: string[] }[]>`SELECT scopes FROM application_apis
    WHERE environment_id = ${environmentId} AND application_id = ${applicationId} AND api_id = ${apiId} FOR UPDATE`;
  return row?.scopes;
}

/** Nobody hands out what they do not hold: what a machine may do in the graph, its maker may do. */
async function assertGrantable(
  ctx: Context,
  { environmentId, apiId }: { readonly environmentId: string; readonly apiId: string },
  scopes: readonly string[],
  path: (scope: string) => readonly string[],
): Promise<void> {
  if (scopes.length === 0) return;
  const { isManagement } = await ctx.db.api.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: apiId } } });
  const known = await scopeNamesOf(ctx, environmentId, apiId);
  for (const scope of scopes) {
    if (!known.includes(scope)) throw new InvalidInputError('UNKNOWN_SCOPE', 'The API has no such scope.', path(scope));
    if (isManagement) assertHolds(ctx, environmentId, [scope]);
  }
}
