/** Argon2id (RFC 9106) with OWASP's smallest recommended parameters: the format of every password set here. */
import { hash, verify } from '@node-rs/argon2';
import type { PasswordFormat } from './passwords.ts';

const MEMORY = 19_456; // KiB
const PASSES = 2;
const LANES = 1;

const SHAPE = /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/;
const CURRENT = `$argon2id$v=19$m=${MEMORY},t=${PASSES},p=${LANES}$`;

/** Argon2id, the only format that also makes hashes. Both run on libuv's threads. */
export const argon2id: PasswordFormat & { hash(password: string): Promise<string> } = {
  method: 'argon2id',
  accepts: ({ hash }) => (SHAPE.test(hash) ? undefined : 'invalid_hash'),
  verify: ({ hash }, password) => verify(hash, password),
  hash: (password) => hash(password, { memoryCost: MEMORY, timeCost: PASSES, parallelism: LANES }),
};

/** Was this hash made with the parameters of today? */
export function isCurrent(hash: string): boolean {
  return hash.startsWith(CURRENT);
}
