/** The discovery document (OpenID Connect Discovery §3, RFC 8414 §2). */
import type { Tenancy } from '../features/environments/directory.ts';
import { SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';
import { PROMPTS } from './authorization.ts';
import { OIDC_SCOPES } from './scopes.ts';
import { GRANT_TYPES } from './token.ts';

const CLIENT_AUTHENTICATION = ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none'];

export function discovery({ issuer, allowsDynamicRegistration, allowsMetadataDocuments }: Tenancy, algorithms: readonly string[]): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth2/auth`,
    token_endpoint: `${issuer}/oauth2/token`,
    userinfo_endpoint: `${issuer}/oauth2/v2/user_profile`,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    introspection_endpoint: `${issuer}/oauth2/introspect`,
    jwks_uri: `${issuer}/.well-known/jwks`,
    device_authorization_endpoint: `${issuer}/oauth2/device/auth`,
    pushed_authorization_request_endpoint: `${issuer}/oauth2/par`,
    require_pushed_authorization_requests: false,
    ...(allowsMetadataDocuments && { client_id_metadata_document_supported: true }),
    ...(allowsDynamicRegistration && { registration_endpoint: `${issuer}/oauth2/register` }),
    end_session_endpoint: `${issuer}/logout`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    scopes_supported: [...OIDC_SCOPES, 'offline_access'],
    claims_supported: [
      'aud',
      'exp',
      'iat',
      'iss',
      'sub',
      'azp',
      'jti',
      'at_hash',
      'sid',
      'auth_time',
      'amr',
      'nonce',
      'updated_at',
      'email',
      'email_verified',
      'name',
      'given_name',
      'family_name',
      'picture',
      'preferred_username',
      'phone_number',
      'phone_number_verified',
      'org_codes',
    ],
    subject_types_supported: ['public'],
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: GRANT_TYPES,
    prompt_values_supported: PROMPTS,
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: algorithms,
    token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    token_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    revocation_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    introspection_endpoint_auth_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
    introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION.filter((method) => method !== 'none'),
    dpop_signing_alg_values_supported: SIGNATURE_ALGORITHMS,
    authorization_response_iss_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}
