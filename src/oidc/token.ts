/** The token endpoint (RFC 6749 §3.2): client first, then the grant type, one file each. */
import type { Client } from '../features/applications/service.ts';
import type { Infrastructure, Origin } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { limitRate } from '../http/failures.ts';
import { authenticateClient, type Form, parameter } from './client-authentication.ts';
import { checkProof, type OfferNonce } from './dpop.ts';
import { OAuthError } from './errors.ts';
import { authorizationCode } from './grants/authorization-code.ts';
import { clientCredentials } from './grants/client-credentials.ts';
import { deviceCode } from './grants/device-code.ts';
import type { TokenRequest, TokenResponse } from './grants/grant.ts';
import { refreshToken } from './grants/refresh-token.ts';
import { namingAudiences } from './protected-resource.ts';
import type { Page } from './refresh-cookies.ts';

const GRANTS: Record<string, (request: TokenRequest) => Promise<TokenResponse>> = {
  authorization_code: authorizationCode,
  refresh_token: refreshToken,
  client_credentials: clientCredentials,
  'urn:ietf:params:oauth:grant-type:device_code': deviceCode,
};

export const GRANT_TYPES = Object.keys(GRANTS);

export async function token(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  request: {
    authorization: string | undefined;
    form: Form;
    origin: Origin;
    dpop: string | undefined;
    offerNonce: OfferNonce;
    page: Page;
  },
): Promise<{ client: Client; tokens: TokenResponse }> {
  const { authorization, origin, dpop, offerNonce, page } = request;
  const form = namingAudiences(request.form, infrastructure, tenancy);
  const grantType = parameter(form, 'grant_type');
  if (!grantType) throw new OAuthError('invalid_request', 'The grant_type is missing.');
  const client = await authenticateClient(infrastructure, tenancy, authorization, form);
  limitRate(infrastructure, 'api', tenancy.environmentId, { account: client.clientId });
  const grant = Object.hasOwn(GRANTS, grantType) ? GRANTS[grantType] : undefined;
  if (!grant) throw new OAuthError('unsupported_grant_type', 'This grant type is not supported.');
  if (client.type === 'm2m' && grantType !== 'client_credentials')
    throw new OAuthError('unauthorized_client', 'A machine-to-machine application may only use client_credentials.');
  const proved = { tenancy, method: 'POST', url: `${tenancy.issuer}/oauth2/token`, offerNonce };
  const dpopJkt = dpop === undefined ? undefined : await checkProof(infrastructure, dpop, proved);
  return { client, tokens: await grant({ infrastructure, tenancy, client, form, origin, dpopJkt, page }) };
}
