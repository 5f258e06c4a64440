/** The UserInfo endpoint (OpenID Connect Core §5.3), with the fields that SDKs read besides. */
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import type { Subject } from '../features/grants/subject.ts';
import { presentedToken } from './access-token.ts';
import { fullName, profileClaims } from './claims.ts';
import type { Presentation } from './dpop.ts';
import { OAuthError } from './errors.ts';

/** The person as OpenID Connect tells of them; every field that the token's scopes open is there, if only as null. */
export async function userProfile(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation): Promise<object> {
  const { scopes, subject } = await personOf(infrastructure, tenancy, presentation);
  return profileOf(subject, scopes);
}

/** What {@link userProfile} tells of a person whose token has these scopes. */
export function profileOf(subject: Subject, scopes: readonly string[]): object {
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
    ...profileClaims(subject, scopes),
    updated_at: subject.updatedAt,
  };
}

/** The person in the shape that older SDKs read: every field is there, null where the token's scopes do not open it. */
export async function legacyUserProfile(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation): Promise<object> {
  const { scopes, subject } = await personOf(infrastructure, tenancy, presentation);
  const profile = scopes.includes('profile') ? subject : undefined;
  return {
    id: subject.userId,
    preferred_email: (scopes.includes('email') && subject.email) || null,
    username: profile?.username ?? null,
    provided_id: subject.providedId,
    last_name: profile?.lastName ?? null,
    first_name: profile?.firstName ?? null,
    picture: profile?.picture ?? null,
  };
}

async function personOf(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation) {
  const { claims, subject } = (await presentedToken(infrastructure, tenancy, presentation)) ?? {};
  if (!claims || !subject) throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
  return { scopes: claims.scp, subject };
}
