/** What tokens say of one another. */
import { createHash } from 'node:crypto';
import type { SigningAlgorithm } from '../security/jwt.ts';

/** The `at_hash` of an access token (OpenID Connect Core §3.1.3.6): the left half of the hash that its algorithm works with. */
export function accessTokenHash(accessToken: string, algorithm: SigningAlgorithm): string {
  const digest = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256')
    .update(accessToken)
    .digest();
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
