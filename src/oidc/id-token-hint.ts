/** The `id_token_hint` of a request (OpenID Connect Core §3.1.2.1): an ID token of ours, which may have expired since. */
import { compactVerify, createLocalJWKSet, type JWTPayload } from 'jose';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { algorithmsOf, signingKeys } from '../features/signing-keys/service.ts';

/** Whom an ID token of ours is about, and for which applications it was made. */
export interface IdTokenHint {
  readonly sub: string;
  readonly clientIds: readonly string[];
}

/** What the hint says; undefined for anything but a token that this issuer signed. */
export async function readIdTokenHint(infrastructure: Infrastructure, tenancy: Tenancy, hint: string): Promise<IdTokenHint | undefined> {
  const { jwks } = await signingKeys(infrastructure, tenancy.environmentId);
  try {
    const { payload } = await compactVerify(hint, createLocalJWKSet(jwks), { algorithms: algorithmsOf(jwks) });
    const { iss, aud, sub } = JSON.parse(Buffer.from(payload).toString('utf8')) as JWTPayload;
    return iss === tenancy.issuer && sub !== undefined ? { sub, clientIds: [aud ?? []].flat() } : undefined;
  } catch {
    return undefined;
  }
}

/** Who the hint names; undefined for anything but an ID token that this issuer signed for the client. */
export async function hintedSubject(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  hint: string,
  clientId: string,
): Promise<string | undefined> {
  const read = await readIdTokenHint(infrastructure, tenancy, hint);
  return read?.clientIds.includes(clientId) ? read.sub : undefined;
}
