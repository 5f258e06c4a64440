/** Pairs of keys to sign tokens with (RFC 7518 §3.1, RFC 8037). */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from './jwt.ts';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** A new pair, which nobody else has. An RSA key takes a tenth of a second of a thread of libuv's. */
export function newKeyPair(algorithm: SigningAlgorithm): Promise<KeyPair> {
  if (algorithm === 'RS256') return generate('rsa', { modulusLength: 2048 });
  if (algorithm === 'ES256') return generate('ec', { namedCurve: 'P-256' });
  return generate('ed25519');
}
