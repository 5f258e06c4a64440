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

const headers = new WeakMap<Signer, Map<string, string>>();

/** A signed JWT (RFC 7515 §7.1 compact form), with `type` as its `typ`. */
export function signJwt(signer: Signer, claims: object, type = 'JWT'): Promise<string> {
  const known = headers.get(signer) ?? new Map<string, string>();
  headers.set(signer, known);
  const header = known.get(type) ?? encode({ alg: signer.algorithm, typ: type, kid: signer.kid });
  known.set(type, header);
  const body = `${header}.${encode(claims)}`;
  const digest = signer.algorithm === 'EdDSA' ? null : 'sha256';
  return new Promise((resolve, reject) => {
    sign(digest, Buffer.from(body), signer.privateKey, (error, signature) => {
      if (error) return reject(error);
      const bytes = signer.algorithm === 'ES256' ? concatenated(signature) : signature;
      resolve(`${body}.${bytes.toString('base64url')}`);
    });
  });
}

/**
 * The two numbers of an ECDSA signature side by side, 32 bytes each (RFC 7518 §3.4), out of their DER sequence. Node can
 * do so itself, and takes as long for it as for the signature.
 */
function concatenated(der: Buffer): Buffer {
  const bytes = Buffer.alloc(64);
  let at = 2; // SEQUENCE and its length, which is one byte for P-256.
  for (const end of [32, 64]) {
    const number = der.subarray(at + 2, at + 2 + der[at + 1]!);
    const digits = number.length > 32 ? number.subarray(number.length - 32) : number; // A leading zero is DER's.
    digits.copy(bytes, end - digits.length);
    at += 2 + number.length;
  }
  return bytes;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
