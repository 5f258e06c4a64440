/** The UserInfo endpoint (OpenID Connect Core §5.3), with the fields that SDKs read besides. */
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import type { Person } from '../features/grants/subject.ts';
import { presentedToken } from './access-token.ts';
import { profileClaims } from './claims.ts';
import type { Presentation } from './dpop.ts';
import { OAuthError } from './errors.ts';

/** The person as OpenID Connect tells of them. What there is no value of is left out: a null is no valid claim (Core §5.3.2), and clients refuse it. */
export async function userProfile(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation): Promise<object> {
  const { scopes, person } = await personOf(infrastructure, tenancy, presentation);
  return profileOf(person, scopes);
}

/** What {@link userProfile} tells of a person whose token has these scopes. */
export function profileOf(person: Person, scopes: readonly string[]): object {
  return {
    sub: person.userId,
    id: person.userId,
    ...(person.providedId && { provided_id: person.providedId }),
    ...profileClaims(person, scopes),
    updated_at: person.updatedAt,
  };
}

/** The person in the shape that older SDKs read. What there is no value of, or the token's scopes do not open, is left out: but for `provided_id` their models take no null. */
export async function legacyUserProfile(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation): Promise<object> {
  const { scopes, person } = await personOf(infrastructure, tenancy, presentation);
  return {
    id: person.userId,
    ...(scopes.includes('email') && person.email && { preferred_email: person.email }),
    provided_id: person.providedId,
    ...(scopes.includes('profile') && {
      ...(person.username && { username: person.username }),
      ...(person.lastName && { last_name: person.lastName }),
      ...(person.firstName && { first_name: person.firstName }),
      ...(person.picture && { picture: person.picture }),
    }),
  };
}

async function personOf(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation) {
  const { claims, person } = (await presentedToken(infrastructure, tenancy, presentation)) ?? {};
  if (!claims || !person) throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
  return { scopes: claims.scp, person };
}
