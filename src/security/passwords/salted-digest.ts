/** One round of a digest over the password with an optional salt before or after it: how md5 and sha256 are imported. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { HashProblem, PasswordFormat, StoredPassword } from './passwords.ts';

/** The format of `method`, whose digest is `size` bytes, written in hex. */
export function saltedDigest(method: 'md5' | 'sha256', size: number): PasswordFormat {
  return {
    method,
    accepts: (stored) => (isHex(stored.hash, size) ? saltProblem(stored) : 'invalid_hash'),
    verify: async (stored, password) => {
      const salt = Buffer.from(stored.salt ?? '', stored.saltFormat === 'hex' ? 'hex' : 'utf8');
      const parts = stored.saltPosition === 'suffix' ? [Buffer.from(password), salt] : [salt, Buffer.from(password)];
      return timingSafeEqual(createHash(method).update(Buffer.concat(parts)).digest(), Buffer.from(stored.hash, 'hex'));
    },
  };
}

function saltProblem({ salt, saltPosition, saltFormat }: StoredPassword): HashProblem | undefined {
  if (!salt) return undefined;
  if (!saltPosition) return 'missing_salt_position';
  if (saltPosition !== 'prefix' && saltPosition !== 'suffix') return 'invalid_salt_position';
  if (saltFormat === 'hex') return isHex(salt) ? undefined : 'invalid_salt_format';
  return !saltFormat || saltFormat === 'string' ? undefined : 'invalid_salt_format';
}

function isHex(text: string, size = text.length / 2): boolean {
  return /^(?:[0-9a-f]{2})+$/i.test(text) && text.length === size * 2;
}
