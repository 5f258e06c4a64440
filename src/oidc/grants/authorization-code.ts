/** The authorization_code grant (RFC 6749 §4.1.3, PKCE by RFC 7636). Every refusal reads the same to the client. */
import { hash } from 'node:crypto';
import { sameRedirectUri } from '../../features/applications/callback-urls.ts';
import { createContext } from '../../features/context.ts';
import { consumeCode, findCode, revokeGrant } from '../../features/grants/service.ts';
import { findSubject } from '../../features/grants/subject.ts';
import { sameText } from '../../security/secrets.ts';
import { parameter } from '../client-authentication.ts';
import { OAuthError } from '../errors.ts';
import { parseResources } from '../scopes.ts';
import { personTokens, type TokenRequest, type TokenResponse } from './grant.ts';

export async function authorizationCode(request: TokenRequest): Promise<TokenResponse> {
  const { infrastructure, tenancy, client, form, origin } = request;
  const { environmentId, businessId } = tenancy;
  const code = parameter(form, 'code');
  if (!code) throw new OAuthError('invalid_request', 'The code is missing.');
  const found = await findCode(infrastructure, environmentId, code);
  if (!found || found.applicationId !== client.applicationId) throw invalidCode();

  const replayed = async () => {
    const ctx = createContext(
      infrastructure,
      { kind: 'machine', applicationId: client.applicationId, environmentId, businessId, permissions: new Set() },
      origin,
    );
    await revokeGrant(ctx, { environmentId, businessId, grantId: found.grantId, reason: 'authorization_code_replayed' });
    return invalidCode();
  };
  if (found.consumedAt) throw await replayed();
  if (found.expiresAt <= infrastructure.clock.now() || found.revokedAt) throw invalidCode();
  if (!sameRedirectUri(found.redirectUri, parameter(form, 'redirect_uri') ?? '')) throw invalidCode();
  if (found.codeJkt !== null && found.codeJkt !== request.dpopJkt) throw invalidCode();
  if (!verifies(found.codeChallenge, parameter(form, 'code_verifier'))) throw invalidCode();

  parseResources(form['resource'], found.audiences); // Before the code is used up.

  const offline = found.scopes.includes('offline');
  // A client with credentials proves itself at each refresh anyway (RFC 9449 §5).
  const bound = client.secretHash === null ? request.dpopJkt : undefined;
  const refreshToken = await consumeCode(infrastructure, environmentId, code, offline ? client.refreshTokenLifetime : undefined, bound);
  if (refreshToken === undefined) throw await replayed();
  const subject = await findSubject(infrastructure, environmentId, found.userId, found.organizationId);
  return personTokens(request, found, subject, refreshToken, found.nonce);
}

/** RFC 7636 §4.6; a verifier without a challenge is refused too (RFC 9700 §4.8.2, PKCE downgrade). */
function verifies(challenge: string | null, verifier: string | undefined): boolean {
  if (challenge === null) return verifier === undefined;
  if (!verifier || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  return sameText(hash('sha256', verifier, 'base64url'), challenge);
}

function invalidCode(): OAuthError {
  return new OAuthError('invalid_grant', 'The code is wrong, expired or used, or was issued to another client or redirect_uri.');
}
