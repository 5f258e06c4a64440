/**
 * Token introspection (RFC 7662), for applications that prove themselves by their credentials or by an access token of
 * theirs. They learn of the tokens that were issued to them and of those made out to an API they are authorised for;
 * any other token, like an unknown one, is not active.
 */
import { managementAudience } from '../features/apis/service.ts';
import type { Client } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { findRefreshToken } from '../features/grants/service.ts';
import { findSubject } from '../features/grants/subject.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { findLiveToken } from './access-token.ts';
import { bearerToken } from './bearer.ts';
import { authenticateClient, type Form, hasProof, parameter } from './client-authentication.ts';
import { boundTo } from './dpop.ts';
import { OAuthError } from './errors.ts';

const INACTIVE = { active: false };

export async function introspect(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  request: { authorization: string | undefined; form: Form },
): Promise<object> {
  const caller = await authenticateCaller(infrastructure, tenancy, request);
  const token = parameter(request.form, 'token');
  if (!token) throw new OAuthError('invalid_request', 'The token is missing.');
  return (
    (await describeAccessToken(infrastructure, tenancy, caller, token)) ??
    (await describeRefreshToken(infrastructure, tenancy, caller, token)) ??
    INACTIVE
  );
}

async function authenticateCaller(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { authorization, form }: { authorization: string | undefined; form: Form },
): Promise<Client> {
  if (/^Bearer\b/i.test(authorization ?? '')) {
    const token = bearerToken(authorization);
    const live = token && (await findLiveToken(infrastructure, tenancy, token));
    if (!live || boundTo(live.claims))
      throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
    return live.client;
  }
  const client = await authenticateClient(infrastructure, tenancy, authorization, form);
  if (!hasProof(client)) throw new OAuthError('invalid_client', 'An application without credentials sends an access token of its own.');
  return client;
}

async function describeAccessToken(infrastructure: Infrastructure, tenancy: Tenancy, caller: Client, token: string) {
  const live = await findLiveToken(infrastructure, tenancy, token);
  if (!live) return undefined;
  const { claims, client } = live;
  const audiences = caller.apis.map((api) => (api.isManagement ? managementAudience(tenancy.issuer) : api.audience));
  if (client.applicationId !== caller.applicationId && !claims.aud.some((audience) => audiences.includes(audience))) return undefined;
  const { aud, exp, iat, sub, iss, jti, scp } = claims;
  const jkt = boundTo(claims);
  return {
    ...{ active: true, aud, client_id: client.clientId, exp, iat, ...(sub && { sub }) },
    ...{ scope: scp.join(' '), iss, jti, ...(jkt ? { token_type: 'DPoP', cnf: { jkt } } : { token_type: 'bearer' }) },
  };
}

/** A refresh token is nobody's business but its client's. */
async function describeRefreshToken(infrastructure: Infrastructure, tenancy: Tenancy, caller: Client, token: string) {
  const { environmentId, issuer } = tenancy;
  const found = await findRefreshToken(infrastructure, environmentId, token);
  if (found?.applicationId !== caller.applicationId || found.revokedAt || found.rotatedAt) return undefined;
  if (found.expiresAt <= infrastructure.clock.now()) return undefined;
  const subject = await findSubject(infrastructure, environmentId, found.userId, found.organizationId);
  if (!subject?.hasAccess || (found.organizationId && (!subject.organization || subject.organization.isSuspended))) return undefined;
  return {
    ...{ active: true, aud: found.audiences, client_id: caller.clientId, exp: epochSeconds(found.expiresAt) },
    ...{ iat: epochSeconds(found.createdAt), sub: found.userId, scope: found.scopes.join(' '), iss: issuer },
  };
}
