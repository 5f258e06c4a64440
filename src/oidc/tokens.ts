/** Signs JWTs. RS256 is bound by RSA itself; signing runs on the thread pool, so that many cores sign at once. */
import { createHash, sign } from 'node:crypto';
import type { Signer } from '../features/signing-keys/service.ts';

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

/** The `at_hash` of an access token (OpenID Connect Core §3.1.3.6): the left half of its SHA-256. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
