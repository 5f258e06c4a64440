/** What tokens say of one another. */
import { hash } from 'node:crypto';
import type { SigningAlgorithm } from '../security/jwt.ts';

/** The `at_hash` of an access token (OpenID Connect Core §3.1.3.6): the left half of the hash that its algorithm works with. */
export function accessTokenHash(accessToken: string, algorithm: SigningAlgorithm): string {
  const digest = hash(algorithm === 'EdDSA' ? 'sha512' : 'sha256', accessToken, 'buffer');
  return digest.subarray(0, digest.length / 2).toString('base64url');
}
