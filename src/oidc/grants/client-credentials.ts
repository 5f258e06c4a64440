/** The client_credentials grant (RFC 6749 §4.4): a token for the application itself, for the APIs it is authorised for. */
import { managementAudience } from '../../features/apis/service.ts';
import { optionalClaimsOfMachine } from '../../features/grants/optional-claims.ts';
import { signingKeys } from '../../features/signing-keys/service.ts';
import { signJwt } from '../../security/jwt.ts';
import { machineTokenClaims } from '../claims.ts';
import { parameter } from '../client-authentication.ts';
import { OAuthError } from '../errors.ts';

import { parseAudiences, parseResources } from '../scopes.ts';
import { type TokenRequest, type TokenResponse, tokenType } from './grant.ts';

export async function clientCredentials(request: TokenRequest): Promise<TokenResponse> {
  const { infrastructure, tenancy, client, form, dpopJkt } = request;
  if (!client.secretHash) throw new OAuthError('unauthorized_client', 'Only applications with a secret may use client_credentials.');
  if (client.organization?.isSuspended) throw new OAuthError('unauthorized_client', 'The organization of this application is suspended.');
  const management = managementAudience(tenancy.issuer);
  const audiences = client.apis.map((api) => (api.isManagement ? management : api.audience));
  const wanted = [
    ...parseAudiences(form['audience']).map((audience) => (audience === `${management}/v1` ? management : audience)),
    ...parseResources(form['resource'], audiences),
  ];
  if (wanted.length === 0) throw new OAuthError('invalid_request', 'The audience is missing: the API that the token is for.');
  const apis = wanted.map((audience) => {
    const api = client.apis.find((candidate) => (candidate.isManagement ? management : candidate.audience) === audience);
    if (!api) throw new OAuthError('unauthorized_client', 'The application is not authorised for this audience.');
    // The graph knows no machine that is confined to an organization.
    if (api.isManagement && client.organization)
      throw new OAuthError('unauthorized_client', 'An application of one organization is given no tokens for the management API.');
    return api;
  });
  const held = [...new Set(apis.flatMap((api) => api.scopes))];
  const asked = parameter(form, 'scope')?.split(/\s+/).filter(Boolean);
  if (asked?.some((scope) => !held.includes(scope)))
    throw new OAuthError('invalid_scope', 'The application does not hold every scope that is asked for.');
  const scopes = asked ? [...new Set(asked)] : held;
  const { signer } = await signingKeys(infrastructure, tenancy.environmentId);
  const optional = await optionalClaimsOfMachine(infrastructure, tenancy.environmentId, client, scopes);
  const issue = { issuer: tenancy.issuer, client, now: infrastructure.clock.now(), dpopJkt };
  const claims = machineTokenClaims(issue, [...new Set(wanted)], scopes, optional);
  return {
    access_token: await signJwt(signer, claims),
    token_type: tokenType(request),
    expires_in: client.accessTokenLifetime,
    scope: scopes.join(' '),
  };
}
