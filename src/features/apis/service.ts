/** APIs that tokens are made out to: each has an audience and scopes. The management API of an environment is one of them. */
import { MACHINE_SCOPES } from '../../access/permissions.ts';
import { newId } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';

/** The management API's audience in the environment whose issuer is `issuer`. */
export function managementAudience(issuer: string): string {
  return `${issuer}/api`;
}

/** Registers the environment's management API, whose scopes are the permissions that a machine may hold. */
export async function createManagementApi(ctx: Context, environmentId: string): Promise<void> {
  await ctx.db.api.create({ data: { environmentId, id: newId('api'), name: 'Gatehouse management API', isManagement: true } });
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
  const api = await ctx.db.api.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: apiId } }, include: { scopes: true } });
  const all = api.isManagement ? [...MACHINE_SCOPES] : api.scopes.map((scope) => scope.name);
  await ctx.db.applicationApi.create({
    data: { environmentId, applicationId, apiId, scopes: scopes ? all.filter((scope) => scopes.includes(scope)) : all },
  });
}
