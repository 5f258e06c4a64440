/** What a grant type is given and what it answers; and the answer that all grants of a person share. */
import { managementAudience } from '../../features/apis/service.ts';
import type { Client } from '../../features/applications/service.ts';
import type { Infrastructure, Origin } from '../../features/context.ts';
import type { Tenancy } from '../../features/environments/directory.ts';
import { optionalClaimsOfPerson } from '../../features/grants/optional-claims.ts';
import type { Grant } from '../../features/grants/service.ts';
import type { Subject } from '../../features/grants/subject.ts';
import { signingKeys } from '../../features/signing-keys/service.ts';
import { signJwt } from '../../security/jwt.ts';
import { accessTokenClaims, idTokenClaims } from '../claims.ts';
import type { Form } from '../client-authentication.ts';
import { OAuthError } from '../errors.ts';
import type { Page } from '../refresh-cookies.ts';
import { OIDC_SCOPES, parseResources } from '../scopes.ts';
import { accessTokenHash } from '../tokens.ts';

export interface TokenRequest {
  readonly infrastructure: Infrastructure;
  readonly tenancy: Tenancy;
  readonly client: Client;
  readonly form: Form;
  readonly origin: Origin;
  /** The thumbprint of the key that the client proved (RFC 9449): what it is given is bound to it. */
  readonly dpopJkt: string | undefined;
  readonly page: Page;
}

/** RFC 6749 §5.1; lifetimes in seconds. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer' | 'DPoP';
  readonly expires_in: number;
  readonly scope: string;
  readonly id_token?: string;
  readonly refresh_token?: string;
}

/** Tokens for a grant, with claims as they are now.
 * @throws OAuthError invalid_grant when the person or the organization may not sign in any more */
export async function personTokens(
  request: TokenRequest,
  given: Grant,
  subject: Subject | null | undefined,
  refreshToken: string,
  nonce: string | null,
): Promise<TokenResponse> {
  const { infrastructure, tenancy, client } = request;
  if (!subject?.hasAccess) throw new OAuthError('invalid_grant', 'The user may not sign in any more.');
  const { organizationId } = given;
  if (organizationId && (!subject.organization || subject.organization.isSuspended)) {
    throw new OAuthError('invalid_grant', 'The user may not sign in to this organization any more.');
  }
  const { grant, apiScopes } = stillAuthorized(given, subject, request);
  const { signer } = await signingKeys(infrastructure, tenancy.environmentId);
  const issue = { issuer: tenancy.issuer, client, now: infrastructure.clock.now(), dpopJkt: request.dpopJkt };
  const optional = await optionalClaimsOfPerson(infrastructure, tenancy.environmentId, client, subject);
  const accessToken = await signJwt(signer, accessTokenClaims(issue, grant, subject, apiScopes, optional.access));
  return {
    access_token: accessToken,
    expires_in: client.accessTokenLifetime,
    ...(grant.scopes.includes('openid') && {
      id_token: await signJwt(
        signer,
        idTokenClaims(issue, grant, subject, { nonce, atHash: accessTokenHash(accessToken, signer.algorithm), optional: optional.id }),
      ),
    }),
    ...(refreshToken && { refresh_token: refreshToken }),
    scope: grant.scopes.join(' '),
    token_type: tokenType(request),
  };
}

export function tokenType({ dpopJkt }: TokenRequest): TokenResponse['token_type'] {
  return dpopJkt === undefined ? 'bearer' : 'DPoP';
}

/**
 * The grant for those of its APIs that the application is authorised for by now, and asks for now (RFC 8707 §2.2), with
 * the scopes of them that the person still holds: the ones that were allowed by name, where any were; else all of them,
 * but for devices and strangers' applications, which have what was allowed and no more.
 */
function stillAuthorized(grant: Grant, subject: Subject, { client, tenancy, form }: TokenRequest) {
  const apis = client.apis.map((api) => ({ ...api, audience: api.isManagement ? managementAudience(tenancy.issuer) : api.audience! }));
  const resources = parseResources(form['resource'], grant.audiences);
  const wanted = resources.length === 0 ? grant.audiences : resources;
  const audiences = grant.audiences.filter((audience) => wanted.includes(audience) && apis.some((api) => api.audience === audience));
  const held = subject.apiScopes.filter(([audience]) => audiences.includes(audience)).map(([, scope]) => scope);
  const isOfPerson = (scope: string) => (OIDC_SCOPES as readonly string[]).includes(scope);
  const named = grant.scopes.filter((scope) => !isOfPerson(scope));
  if (named.length === 0) return { grant: { ...grant, audiences }, apiScopes: client.type === 'device' || client.isDynamic ? [] : held };
  const offered = new Set(apis.filter(({ audience }) => audiences.includes(audience)).flatMap(({ scopes }) => scopes));
  const apiScopes = named.filter((scope) => offered.has(scope) && held.includes(scope));
  return { grant: { ...grant, audiences, scopes: [...grant.scopes.filter(isOfPerson), ...apiScopes] }, apiScopes };
}
