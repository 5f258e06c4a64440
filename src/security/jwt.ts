/** Signs JWTs. RS256 is bound by RSA itself; signing runs on the thread pool, so that many cores sign at once. */
import { type KeyObject, sign } from 'node:crypto';

/** A key that signs. */
export interface Signer {
  /** The JWK's `kid`: letters, digits and dots only, for clients that decode a header with plain base64. */
  readonly kid: string;
  readonly algorithm: 'RS256';
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
  return new Promise((resolve, reject) => {
    sign('sha256', Buffer.from(body), signer.privateKey, (error, signature) =>
      error ? reject(error) : resolve(`${body}.${signature.toString('base64url')}`),
    );
  });
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
