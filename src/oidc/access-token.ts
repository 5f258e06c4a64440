/** Access tokens that still count: signed here, not expired, not revoked, of a client and a person that have access. */
import type { JWTPayload } from 'jose';
import { type Client, findClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isMachineTokenRevoked, personOfToken } from '../features/grants/access-tokens.ts';
import type { Person } from '../features/grants/subject.ts';
import { bearerToken, verifyAccessToken } from './bearer.ts';
import { isPresentedRightly, type Presentation } from './dpop.ts';

export interface LiveToken {
  readonly claims: AccessTokenClaims;
  /** The application that it was issued to. */
  readonly client: Client;
  /** Absent for a machine's own token. */
  readonly person: Person | undefined;
}

/** What every access token says. */
export interface AccessTokenClaims extends JWTPayload {
  readonly aud: string[];
  readonly azp: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly scp: string[];
}

/** The token as it counts now; undefined for one that is over, for text that is no token, and for any other issuer's. */
export async function findLiveToken(infrastructure: Infrastructure, tenancy: Tenancy, token: string): Promise<LiveToken | undefined> {
  const claims = (await verifyAccessToken(infrastructure, tenancy, token)) as AccessTokenClaims | undefined;
  const { environmentId } = tenancy;
  // A deleted application takes its tokens along.
  const client = claims && (await findClient(infrastructure, environmentId, claims.azp));
  if (!client) return undefined;
  const { sub } = claims;
  if (sub === undefined) {
    const isOver = client.organization?.isSuspended || (await isMachineTokenRevoked(infrastructure, environmentId, claims.jti));
    return isOver ? undefined : { claims, client, person: undefined };
  }
  const person = await personOfToken(infrastructure, environmentId, { ...claims, sub });
  return person && { claims, client, person };
}

/** The token that a request shows, as {@link findLiveToken}; undefined also when it is bound to a key that is not proved.
 * @throws OAuthError use_dpop_nonce */
export async function presentedToken(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  presentation: Presentation,
): Promise<LiveToken | undefined> {
  const token = bearerToken(presentation.authorization);
  const live = token && (await findLiveToken(infrastructure, tenancy, token));
  if (!live) return undefined;
  const { claims } = live;
  return (await isPresentedRightly(infrastructure, tenancy, { token, claims }, presentation)) ? live : undefined;
}
