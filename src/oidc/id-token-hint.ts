/** The `id_token_hint` of a request (OpenID Connect Core §3.1.2.1): an ID token of ours, which may have expired since. */
import { compactVerify, createLocalJWKSet, type JWTPayload } from 'jose';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { algorithmsOf, signingKeys } from '../features/signing-keys/service.ts';

/** Who the hint names; undefined for anything but an ID token that this issuer signed for the client. */
export async function hintedSubject(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  hint: string,
  clientId: string,
): Promise<string | undefined> {
  const { jwks } = await signingKeys(infrastructure, tenancy.environmentId);
  try {
    const { payload } = await compactVerify(hint, createLocalJWKSet(jwks), { algorithms: algorithmsOf(jwks) });
    const { iss, aud, sub } = JSON.parse(Buffer.from(payload).toString('utf8')) as JWTPayload;
    return iss === tenancy.issuer && [aud].flat().includes(clientId) ? sub : undefined;
  } catch {
    return undefined;
  }
}
