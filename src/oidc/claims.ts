/** The claims of each token, in one place. Arrays stay arrays and seconds stay whole: SDKs depend on the types. */
import { managementAudience } from '../features/apis/service.ts';
import type { Client } from '../features/applications/service.ts';
import { jtiOf } from '../features/grants/access-tokens.ts';
import type { Grant } from '../features/grants/service.ts';
import type { Person, Subject } from '../features/grants/subject.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { randomUUID } from '../kernel/ids.ts';

interface Issue {
  readonly issuer: string;
  readonly client: Client;
  readonly now: Date;
  readonly dpopJkt: string | undefined;
}

/** Claims of a person's access token (RFC 9068 with the names that SDKs read); `apiScopes` are what it is good for at its APIs. What the application chose comes first: it replaces nothing. */
export function accessTokenClaims(
  { issuer, client, now, dpopJkt }: Issue,
  grant: Grant,
  subject: Subject,
  apiScopes: readonly string[],
  optional: object,
): object {
  const iat = epochSeconds(now);
  return named(client, {
    ...optional,
    iss: issuer,
    sub: subject.userId,
    aud: grant.audiences,
    azp: client.clientId,
    iat,
    exp: iat + client.accessTokenLifetime,
    jti: jtiOf(grant.grantId),
    scp: grant.scopes,
    ...(apiScopes.length > 0 && { scope: apiScopes.join(' ') }),
    ...(subject.organization && { org_code: subject.organization.id }),
    permissions: client.accessTokenClaims.includes('api_scopes')
      ? [...new Set([...subject.permissions, ...apiScopes])]
      : subject.permissions,
    feature_flags: subject.featureFlags,
    ...(dpopJkt && { cnf: { jkt: dpopJkt } }),
    ...(!(subject.organization?.isSessionPersistent ?? client.isSessionPersistent) && { ksp: { persistent: false } }),
  });
}

/** Claims of an ID token (OpenID Connect Core §2). */
export function idTokenClaims(
  { issuer, client, now }: Issue,
  grant: Grant,
  subject: Subject,
  extra: { nonce: string | null; atHash: string; optional: object },
): object {
  const iat = epochSeconds(now);
  return named(client, {
    ...extra.optional,
    iss: issuer,
    sub: subject.userId,
    aud: [client.clientId],
    azp: client.clientId,
    iat,
    exp: iat + client.idTokenLifetime,
    auth_time: grant.authTime,
    ...(grant.amr.length > 0 && { amr: grant.amr }),
    rat: grant.requestedAt,
    updated_at: subject.updatedAt,
    jti: randomUUID(),
    at_hash: extra.atHash,
    ...(grant.sessionId && { sid: grant.sessionId }),
    ...(extra.nonce && { nonce: extra.nonce }),
    ...profileClaims(subject, grant.scopes),
    org_codes: subject.organizationCodes,
    ...(subject.providedId && { provided_id: subject.providedId }),
  });
}

/** The claims about a person that `scopes` open (OpenID Connect Core §5.4). */
export function profileClaims(subject: Person, scopes: readonly string[]): Record<string, unknown> {
  return {
    ...(scopes.includes('email') && subject.email && { email: subject.email, email_verified: subject.isEmailVerified ?? false }),
    ...(scopes.includes('profile') && {
      ...(fullName(subject) && { name: fullName(subject) }),
      ...(subject.firstName && { given_name: subject.firstName }),
      ...(subject.lastName && { family_name: subject.lastName }),
      ...(subject.picture && { picture: subject.picture }),
      ...(subject.username && { preferred_username: subject.username }),
    }),
    ...(scopes.includes('phone') &&
      subject.phone && { phone_number: subject.phone, phone_number_verified: subject.isPhoneVerified ?? false }),
  };
}

function fullName(subject: Pick<Person, 'firstName' | 'lastName'>): string {
  return [subject.firstName, subject.lastName].filter(Boolean).join(' ');
}

/** Claims of a machine's access token: no `sub`, as no person is involved. */
export function machineTokenClaims(
  { issuer, client, now, dpopJkt }: Issue,
  audiences: readonly string[],
  scopes: readonly string[],
  optional: object,
): object {
  const iat = epochSeconds(now);
  return named(client, {
    ...optional,
    iss: issuer,
    aud: audiences,
    azp: client.clientId,
    iat,
    exp: iat + client.accessTokenLifetime,
    jti: randomUUID(),
    gty: ['client_credentials'],
    scope: scopes.join(' '),
    // All scopes of the graph twice would be more than what many proxies take in a header.
    ...(audiences.some((audience) => audience !== managementAudience(issuer)) && { scp: scopes }),
    ...(client.organization && { org_code: client.organization.id }),
    ...(dpopJkt && { cnf: { jkt: dpopJkt } }),
    v: '2',
  });
}

/** What Hasura calls the claims that it reads. */
const HASURA_NAMES: Readonly<Record<string, string>> = {
  permissions: 'x-hasura-permissions',
  org_code: 'x-hasura-org-code',
  org_codes: 'x-hasura-org-codes',
  roles: 'x-hasura-roles',
  feature_flags: 'x-hasura-feature-flags',
  org_name: 'x-hasura-org-name',
  organizations: 'x-hasura-organizations',
  user_properties: 'x-hasura-user_properties',
  organization_properties: 'x-hasura-organization_properties',
};

/** The claims by the names that the application reads them by. */
function named({ isHasuraMappingEnabled }: Client, claims: object): object {
  if (!isHasuraMappingEnabled) return claims;
  return Object.fromEntries(Object.entries(claims).map(([name, value]) => [HASURA_NAMES[name] ?? name, value]));
}

/** The organization that an access token of ours is for. */
export function organizationOf(claims: Readonly<Record<string, unknown>>): string | null {
  const code = claims['org_code'] ?? claims[HASURA_NAMES['org_code']!];
  return typeof code === 'string' ? code : null;
}
