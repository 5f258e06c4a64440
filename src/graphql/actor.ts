/** Who a bearer token speaks for: a machine with its scopes, or a team member with everything its roles grant. */
import { isPermission } from '../access/permissions.ts';
import { managementAudience } from '../features/apis/service.ts';
import { type Client, findClient } from '../features/applications/service.ts';
import { actingAs, type Context, type Infrastructure, type Scope } from '../features/context.ts';
import { isMachineTokenRevoked } from '../features/grants/access-tokens.ts';
import { teamActor } from '../features/team/actor.ts';
import type { Actor, MachineActor } from '../kernel/actor.ts';
import { bearerToken, verifyFromAnyIssuer } from '../oidc/bearer.ts';
import { isPresentedRightly, type Presentation } from '../oidc/dpop.ts';

/** The actor whose token comes with a request; undefined when there is a token and it is not good for the management API.
 * @throws OAuthError use_dpop_nonce */
export async function actorOf(infrastructure: Infrastructure, presentation: Presentation): Promise<Actor | undefined> {
  const { authorization } = presentation;
  if (authorization === undefined) return { kind: 'anonymous' };
  const token = bearerToken(authorization);
  const verified = token ? await verifyFromAnyIssuer(infrastructure, token) : undefined;
  if (!verified) return undefined;
  const { tenancy, claims } = verified;
  if (!(await isPresentedRightly(infrastructure, tenancy, { token: token!, claims }, presentation))) return undefined;
  if (!Array.isArray(claims.aud) || !claims.aud.includes(managementAudience(tenancy.issuer))) return undefined;

  // What was taken from the application since the token was issued does not count any more.
  const client = await findClient(infrastructure, tenancy.environmentId, String(claims['azp']));
  if (!client?.apis.some((api) => api.isManagement) || client.organization) return undefined;
  if (Array.isArray(claims['gty']) && claims['gty'].includes('client_credentials')) {
    if (await isMachineTokenRevoked(infrastructure, tenancy.environmentId, claims.jti!)) return undefined;
    return onceFor(client, claims, () => machineActor(client, tenancy, claims['scp'] as string[]));
  }
  // Only the account environment's people are team members; another environment's are its customers.
  if (tenancy.kind !== 'account' || !claims.sub) return undefined;
  return teamActor(infrastructure, tenancy.environmentId, claims.sub, { issuedAt: new Date(claims.iat! * 1000), jti: claims.jti! });
}

/** Made once for a token, as long as nothing about its application changes. */
function onceFor(client: Client, claims: object, make: () => MachineActor): MachineActor {
  const ofClient = machines.get(client) ?? new WeakMap<object, MachineActor>();
  machines.set(client, ofClient);
  const actor = ofClient.get(claims) ?? make();
  ofClient.set(claims, actor);
  return actor;
}

const machines = new WeakMap<Client, WeakMap<object, MachineActor>>();

/** The actor that an application is, with those of the scopes that it is authorised for; with all of those when absent. */
export function machineActor(client: Client, { environmentId, businessId }: Scope, scopes?: readonly string[]): MachineActor {
  const held = client.apis.find((api) => api.isManagement)?.scopes ?? [];
  const asked = scopes && new Set(scopes);
  const permissions = new Set(held.filter((scope) => isPermission(scope) && (!asked || asked.has(scope))));
  const { applicationId, isBoundToOperations } = client;
  return { kind: 'machine', applicationId, environmentId, businessId, permissions, isBoundToOperations };
}

/** The same caller with the grants that it has by now. */
export async function withFreshGrants(ctx: Context): Promise<Context> {
  const { actor } = ctx;
  if (actor.kind !== 'team') return ctx;
  return actingAs(ctx, (await teamActor(ctx, actor.accountEnvironmentId, actor.userId)) ?? { kind: 'anonymous' });
}
