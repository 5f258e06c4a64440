/** Keys of clients, and proofs that they hold them (RFC 9449). */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type JWK, type JWTPayload, SignJWT } from 'jose';
import type { TestApp } from './app.ts';

export interface Key {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly jwk: JWK;
}

export function newKey(alg: 'ES256' | 'EdDSA' | 'RS256' = 'ES256'): Key {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { alg, privateKey, jwk: publicKey.export({ format: 'jwk' }) as JWK };
}

/** What a proof is for: a method, and a path at the server. */
export interface ProofFor {
  readonly htm: string;
  readonly htu: string;
}

/** A proof that is right but for `claims` and `header`. */
export function proofBy(gatehouse: TestApp, key: Key, of: ProofFor, claims: JWTPayload = {}, header: object = {}): Promise<string> {
  const iat = Math.floor(gatehouse.app.infrastructure.clock.now().getTime() / 1000);
  return new SignJWT({ htm: of.htm, htu: gatehouse.baseUrl + of.htu, jti: randomUUID(), iat, ...claims })
    .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(key.privateKey);
}

/** The claim `ath` for a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
