/** The device authorization endpoint (RFC 8628 §3.1): what is asked for is said here, and not when the device polls. */
import { managementAudience } from '../features/apis/service.ts';
import { onlyDeviceClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import { DEVICE_SECONDS, POLL_SECONDS, startDeviceAuthorization } from '../features/device-authorizations/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { authenticateClient, type Form, parameter } from './client-authentication.ts';
import { OAuthError } from './errors.ts';
import { OIDC_SCOPES, parseAudiences, parseResources, parseScopes } from './scopes.ts';

/** RFC 8628 §3.2, and the link as a QR code. */
export interface DeviceAuthorizationResponse {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
  /** A PNG as a data URI. */
  readonly qr_code: string;
}

export async function deviceAuthorization(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { authorization, form }: { authorization: string | undefined; form: Form },
): Promise<DeviceAuthorizationResponse> {
  const { environmentId, issuer } = tenancy;
  const isNamed = ['client_id', 'client_assertion'].some((name) => parameter(form, name) !== undefined) || authorization !== undefined;
  const client =
    (isNamed ? undefined : await onlyDeviceClient(infrastructure, environmentId)) ??
    (await authenticateClient(infrastructure, tenancy, authorization, form));
  if (client.type !== 'device') throw new OAuthError('unauthorized_client', 'Only a device application may ask for a device code.');

  const apis = client.apis.map((api) => ({ ...api, audience: api.isManagement ? managementAudience(issuer) : api.audience! }));
  const known = apis.map(({ audience }) => audience);
  const wanted = [
    ...parseAudiences(form['audience']).filter((audience) => known.includes(audience)),
    ...parseResources(form['resource'], known),
  ];
  const audiences = [...new Set(wanted)];
  const scope = parameter(form, 'scope') ?? '';
  const ofApis = apis.filter(({ audience }) => audiences.includes(audience)).flatMap(({ scopes }) => scopes);
  const offered = [...new Set(ofApis)].filter((name) => !(OIDC_SCOPES as readonly string[]).includes(name));
  const named = scope.split(/\s+/).filter((name) => offered.includes(name));
  const { deviceCode, userCode } = await startDeviceAuthorization(infrastructure, {
    environmentId,
    applicationId: client.applicationId,
    scopes: parseScopes(scope),
    apiScopes: named.length > 0 ? [...new Set(named)] : offered,
    audiences,
  });

  const uri = `${issuer}/device`;
  const completeUri = `${uri}?user_code=${userCode}`;
  const { toDataURL } = (await import('qrcode')).default;
  return {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: completeUri,
    expires_in: DEVICE_SECONDS,
    interval: POLL_SECONDS,
    qr_code: await toDataURL(completeUri),
  };
}
