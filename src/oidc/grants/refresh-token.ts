/** The refresh_token grant (RFC 6749 §6): always rotates, always with fresh claims. */
import { rotateRefreshToken } from '../../features/grants/service.ts';
import { parameter } from '../client-authentication.ts';
import { OAuthError } from '../errors.ts';
import { tokenInCookie } from '../refresh-cookies.ts';
import { personTokens, type TokenRequest, type TokenResponse } from './grant.ts';

export async function refreshToken(request: TokenRequest): Promise<TokenResponse> {
  const { infrastructure, tenancy, client, form } = request;
  const token = parameter(form, 'refresh_token') ?? (await tokenInCookie(infrastructure, tenancy, client, request.page));
  if (!token) throw new OAuthError('invalid_request', 'The refresh_token is missing.');
  const rotation = await rotateRefreshToken(infrastructure, {
    environmentId: tenancy.environmentId,
    businessId: tenancy.businessId,
    applicationId: client.applicationId,
    token,
    lifetime: client.refreshTokenLifetime,
    gracePeriod: client.refreshTokenGracePeriod,
    dpopJkt: request.dpopJkt,
    inactivityTimeout: client.sessionInactivityTimeout,
  });
  if ('refused' in rotation) throw new OAuthError('invalid_grant', 'The refresh token is wrong, expired, used or revoked.');
  return personTokens(request, rotation.grant, rotation.subject, rotation.refreshToken, null);
}
