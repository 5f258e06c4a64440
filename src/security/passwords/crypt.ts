/**
 * crypt(3) in the dialects that passwords of Unix systems, PHP and Perl are found in: DES, `$1$`, `$5$`, `$6$` and
 * bcrypt's `$2a$` and its kin. The hash holds its salt: an import's salt columns are not looked at.
 */
import unixCrypt from 'unix-crypt-td-js';
import { sameText } from '../secrets.ts';
import { bcrypt } from './bcrypt.ts';
import { areSlow } from './crypt-encoding.ts';
import { isMd5Crypt, md5Crypt } from './md5-crypt.ts';
import type { PasswordFormat } from './passwords.ts';
import { digestsOfShaCrypt, isShaCrypt, shaCrypt } from './sha-crypt.ts';

interface Dialect {
  matches(hash: string): boolean;
  /** How often a password of so many bytes is digested, where that may be often. */
  digests?(hash: string, passwordBytes: number): number;
  /** Hashes `password` with the settings that `hash` begins with. */
  hash(password: Buffer, hash: string): string | Promise<string>;
}

const DIALECTS: readonly Dialect[] = [
  { matches: (hash) => /^[./A-Za-z0-9]{13}$/.test(hash), hash: (password, hash) => unixCrypt([...password], hash.slice(0, 2)) },
  { matches: isMd5Crypt, hash: md5Crypt },
  { matches: isShaCrypt, digests: digestsOfShaCrypt, hash: shaCrypt },
];

/** crypt(3). */
export const crypt: PasswordFormat = {
  method: 'crypt',
  accepts: (stored) => (DIALECTS.some((dialect) => dialect.matches(stored.hash)) ? undefined : bcrypt.accepts(stored)),
  isSlow: (stored, password) => {
    const dialect = DIALECTS.find((each) => each.matches(stored.hash));
    return dialect ? areSlow(dialect.digests?.(stored.hash, Buffer.byteLength(password)) ?? 1, password) : bcrypt.isSlow!(stored, password);
  },
  verify: async (stored, password) => {
    const dialect = DIALECTS.find((each) => each.matches(stored.hash));
    if (!dialect) return bcrypt.verify(stored, password);
    return sameText(await dialect.hash(Buffer.from(password), stored.hash), stored.hash);
  },
};
