/** Who a bearer token speaks for: a machine with its scopes, or a team member with everything its roles grant. */
import { isPermission } from '../access/permissions.ts';
import { managementAudience } from '../features/apis/service.ts';
import { findClient } from '../features/applications/service.ts';
import { actingAs, type Context, type Infrastructure } from '../features/context.ts';
import { teamActor } from '../features/team/actor.ts';
import type { Actor } from '../kernel/actor.ts';
import { bearerToken, verifyFromAnyIssuer } from '../oidc/bearer.ts';

/** The actor of an Authorization header; undefined when there is a token and it is not good for the management API. */
export async function actorOf(infrastructure: Infrastructure, authorization: string | undefined): Promise<Actor | undefined> {
  if (authorization === undefined) return { kind: 'anonymous' };
  const token = bearerToken(authorization);
  const verified = token ? await verifyFromAnyIssuer(infrastructure, token) : undefined;
  if (!verified) return undefined;
  const { tenancy, claims } = verified;
  if (!Array.isArray(claims.aud) || !claims.aud.includes(managementAudience(tenancy.issuer))) return undefined;

  // What was taken from the application since the token was issued does not count any more.
  const client = await findClient(infrastructure, tenancy.environmentId, String(claims['azp']));
  const held = client?.apis.find((api) => api.isManagement)?.scopes;
  if (!client || !held) return undefined;
  if (Array.isArray(claims['gty']) && claims['gty'].includes('client_credentials')) {
    const scopes = (claims['scp'] as string[]).filter((scope) => held.includes(scope) && isPermission(scope));
    return {
      kind: 'machine',
      applicationId: client.applicationId,
      environmentId: tenancy.environmentId,
      businessId: tenancy.businessId,
      permissions: new Set(scopes),
    };
  }
  // Only the account environment's people are team members; another environment's are its customers.
  if (tenancy.kind !== 'account' || !claims.sub) return undefined;
  return teamActor(infrastructure, tenancy.environmentId, claims.sub);
}

/** The same caller with the grants that it has by now. */
export async function withFreshGrants(ctx: Context): Promise<Context> {
  const { actor } = ctx;
  if (actor.kind !== 'team') return ctx;
  return actingAs(ctx, (await teamActor(ctx, actor.accountEnvironmentId, actor.userId)) ?? { kind: 'anonymous' });
}
