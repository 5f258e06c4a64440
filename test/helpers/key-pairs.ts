/** Signing keys for tests: the RSA keys that one application was given are given to the next one of the process too. */
import { type KeyPair, newKeyPair } from '../../src/security/key-pairs.ts';

const known: Promise<KeyPair>[] = [];

/** Gives one application its keys, each once. To find an RSA key takes longer than all else about an environment. */
export function keyPairs(): typeof newKeyPair {
  let given = 0;
  return (algorithm) => {
    if (algorithm !== 'RS256') return newKeyPair(algorithm);
    const place = given++;
    known[place] ??= newKeyPair(algorithm);
    return known[place];
  };
}
