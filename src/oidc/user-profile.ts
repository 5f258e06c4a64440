/** The UserInfo endpoint (OpenID Connect Core §5.3), with the fields that SDKs read besides. */
import { findClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { findSubject } from '../features/grants/subject.ts';
import { bearerToken, verifyAccessToken } from './bearer.ts';
import { fullName, profileClaims } from './claims.ts';
import { OAuthError } from './errors.ts';

export async function userProfile(infrastructure: Infrastructure, tenancy: Tenancy, authorization: string | undefined): Promise<object> {
  const token = bearerToken(authorization);
  const claims = token ? await verifyAccessToken(infrastructure, tenancy, token) : undefined;
  const subject = claims?.sub ? await findSubject(infrastructure, tenancy.environmentId, claims.sub, null) : undefined;
  // A deleted application takes its tokens along.
  const client = subject && (await findClient(infrastructure, tenancy.environmentId, String(claims?.['azp'])));
  if (!claims || !client || !subject.hasAccess || claims.iat! < (subject.tokensCountFrom ?? 0))
    throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
  const scopes = Array.isArray(claims['scp']) ? (claims['scp'] as string[]) : [];
  const profile = profileClaims(subject, scopes);
  return {
    sub: subject.userId,
    id: subject.userId,
    provided_id: subject.providedId,
    ...(scopes.includes('profile') && {
      name: fullName(subject) || null,
      given_name: subject.firstName,
      family_name: subject.lastName,
      picture: subject.picture,
      preferred_username: subject.username,
    }),
    ...profile,
    updated_at: subject.updatedAt,
  };
}
