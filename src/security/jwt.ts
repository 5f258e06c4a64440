/** Signs JWTs. RS256 is bound by RSA itself; signing runs on the thread pool, so that many cores sign at once. */
import { type KeyObject, sign } from 'node:crypto';

/** What tokens may be signed with: RSA of 2048 bits, P-256, or Ed25519. */
export const SIGNING_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A key that signs. */
export interface Signer {
  /** The JWK's `kid`: letters, digits and dots only, for clients that decode a header with plain base64. */
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly privateKey: KeyObject;
}

const headers = new WeakMap<Signer, string>();

/** A signed JWT (RFC 7515 §7.1 compact form). */
export function signJwt(signer: Signer, claims: object): Promise<string> {
  let header = headers.get(signer);
  if (!header) {
    header = encode({ alg: signer.algorithm, typ: 'JWT', kid: signer.kid });
    headers.set(signer, header);
  }
  const body = `${header}.${encode(claims)}`;
  const digest = signer.algorithm === 'EdDSA' ? null : 'sha256';
  return new Promise((resolve, reject) => {
    // The encoding is ES256's (RFC 7518 §3.4); other keys have but one.
    sign(digest, Buffer.from(body), { key: signer.privateKey, dsaEncoding: 'ieee-p1363' }, (error, signature) =>
      error ? reject(error) : resolve(`${body}.${signature.toString('base64url')}`),
    );
  });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
