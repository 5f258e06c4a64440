/**
 * Token revocation (RFC 7009). A refresh token ends its grant with everything born of it, an access token ends alone. What
 * kind a token is shows in its form, so no hint is needed; and a token that is unknown, over or another client's is
 * answered like one that was revoked.
 */
import { createContext, type Infrastructure, type Origin } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { revokeAccessToken } from '../features/grants/access-tokens.ts';
import { findRefreshToken, revokeGrant } from '../features/grants/service.ts';
import type { AccessTokenClaims } from './access-token.ts';
import { verifyAccessToken } from './bearer.ts';
import { authenticateClient, type Form, parameter } from './client-authentication.ts';
import { OAuthError } from './errors.ts';

export async function revoke(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  request: { authorization: string | undefined; form: Form; origin: Origin },
): Promise<undefined> {
  const { environmentId, businessId } = tenancy;
  const client = await authenticateClient(infrastructure, tenancy, request.authorization, request.form);
  const token = parameter(request.form, 'token');
  if (!token) throw new OAuthError('invalid_request', 'The token is missing.');
  const { applicationId } = client;
  const actor = { kind: 'machine', applicationId, environmentId, businessId, permissions: new Set<never>() } as const;
  const ctx = createContext(infrastructure, actor, request.origin);
  const claims = (await verifyAccessToken(infrastructure, tenancy, token)) as AccessTokenClaims | undefined;
  if (claims) {
    const { azp, sub, jti, exp } = claims;
    if (azp === client.clientId) await revokeAccessToken(ctx, tenancy, { jti, exp, applicationId, isMachine: sub === undefined });
    return undefined;
  }
  const grant = await findRefreshToken(infrastructure, environmentId, token);
  if (grant?.applicationId !== applicationId) return undefined;
  await revokeGrant(ctx, { environmentId, businessId, grantId: grant.grantId, reason: 'revoked_by_client' });
  return undefined;
}
