/** The UserInfo endpoint (OpenID Connect Core §5.3), with the fields that SDKs read besides. */
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { presentedToken } from './access-token.ts';
import { fullName, profileClaims } from './claims.ts';
import type { Presentation } from './dpop.ts';
import { OAuthError } from './errors.ts';

export async function userProfile(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation): Promise<object> {
  const { claims, subject } = (await presentedToken(infrastructure, tenancy, presentation)) ?? {};
  if (!claims || !subject) throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
  const scopes = claims.scp;
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
