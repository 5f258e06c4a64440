/** Public keys that somebody else sends us, as a JWK Set (RFC 7517): what of it may prove a signature. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JWK } from 'jose';

/** What others may sign with. None of them takes a shared secret, and none is weaker than RS256. */
export const SIGNATURE_ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const MAX_KEYS = 20;
const MIN_RSA_BITS = 2048;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Does a JWK say what nobody but its owner may know? */
export function isPrivateJwk(jwk: object): boolean {
  return PRIVATE_MEMBERS.some((member) => member in jwk);
}

/** The JWK's public members where it is a key that we take signatures of; undefined for any other. */
export function publicJwk(given: unknown): JWK | undefined {
  if (typeof given !== 'object' || given === null || isPrivateJwk(given)) return undefined;
  const { kty, crv, n, e, x, y, kid, alg, use } = given as Record<string, unknown>;
  if ([kty, crv, n, e, x, y, kid, alg, use].some((member) => member !== undefined && typeof member !== 'string')) return undefined;
  if ((use !== undefined && use !== 'sig') || (alg !== undefined && !SIGNATURE_ALGORITHMS.includes(alg as string))) return undefined;
  const material = kty === 'RSA' ? { kty, n, e } : kty === 'EC' && crv === 'P-256' ? { kty, crv, x, y } : undefined;
  const key = material ?? (kty === 'OKP' && crv === 'Ed25519' ? { kty, crv, x } : undefined);
  if (!key) return undefined;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    if (kty === 'RSA' && (asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return undefined;
  } catch {
    return undefined;
  }
  return { ...(key as JWK), ...(kid !== undefined && { kid: kid as string }), ...(alg !== undefined && { alg: alg as string }) };
}

/** The `keys` of a JWK Set, at most 20; undefined for what is no such set. */
export function keysIn(jwks: unknown): unknown[] | undefined {
  const keys = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined;
  return Array.isArray(keys) && keys.length > 0 && keys.length <= MAX_KEYS ? keys : undefined;
}
