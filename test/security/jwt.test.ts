/** Whatever number ECDSA comes up with, the signature is one that other libraries accept. */
import { generateKeyPairSync } from 'node:crypto';
import { jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { type SigningAlgorithm, signJwt } from '../../src/security/jwt.ts';

test.each<[SigningAlgorithm, () => ReturnType<typeof generateKeyPairSync>, number]>([
  ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 }), 20],
  ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 1000], // Short numbers come once in some hundred.
  ['EdDSA', () => generateKeyPairSync('ed25519'), 20],
])('%s', async (algorithm, make, times) => {
  const { privateKey, publicKey } = make() as { privateKey: never; publicKey: never };
  for (let number = 0; number < times; number++) {
    const token = await signJwt({ kid: 'key', algorithm, privateKey }, { number });
    expect((await jwtVerify(token, publicKey, { algorithms: [algorithm] })).payload).toEqual({ number });
  }
});
