/** The device_code grant (RFC 8628 §3.4): a device asks again and again, until a person has decided elsewhere. */
import { consumeDeviceCode, pollDevice } from '../../features/device-authorizations/service.ts';
import { findSubject } from '../../features/grants/subject.ts';
import { parameter } from '../client-authentication.ts';
import { OAuthError } from '../errors.ts';
import { parseResources } from '../scopes.ts';
import { personTokens, type TokenRequest, type TokenResponse } from './grant.ts';

export async function deviceCode(request: TokenRequest): Promise<TokenResponse> {
  const { infrastructure, tenancy, client, form } = request;
  const { environmentId } = tenancy;
  if (client.type !== 'device') throw new OAuthError('unauthorized_client', 'Only a device application may use a device code.');
  const code = parameter(form, 'device_code');
  if (!code) throw new OAuthError('invalid_request', 'The device_code is missing.');
  const state = await pollDevice(infrastructure, environmentId, client.applicationId, code);
  if (state === 'pending') throw new OAuthError('authorization_pending', 'The person has not decided yet.');
  if (state === 'too_soon') throw new OAuthError('slow_down', 'Wait five seconds longer between requests from now on.');
  if (state === 'refused') throw new OAuthError('access_denied', 'The person refused, or has signed out since.');
  if (state === 'expired') throw new OAuthError('expired_token', 'The device_code has expired: start again.');
  if (state === 'unknown' || state === 'consumed') throw invalidCode();

  const { grant } = state;
  parseResources(form['resource'], grant.audiences); // Before the code is used up.
  const lifetime = grant.scopes.includes('offline') ? client.refreshTokenLifetime : undefined;
  const bound = client.secretHash === null ? request.dpopJkt : undefined;
  const refreshToken = await consumeDeviceCode(infrastructure, environmentId, code, lifetime, bound);
  if (refreshToken === undefined) throw invalidCode();
  const subject = await findSubject(infrastructure, environmentId, grant.userId, grant.organizationId);
  return personTokens(request, grant, subject, refreshToken, null);
}

function invalidCode(): OAuthError {
  return new OAuthError('invalid_grant', 'The device_code is wrong or used, or was issued to another client.');
}
