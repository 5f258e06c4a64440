/** md5-crypt, `$1$` (Poul-Henning Kamp, FreeBSD 2.0), step by step as its only specification, the source, has it. */
import { createHash } from 'node:crypto';
import { encode, rounds } from './crypt-encoding.ts';

const SHAPE = /^\$1\$([ -#%-~]{0,8})\$[./A-Za-z0-9]{22}$/;

/** The order in which the digest's bytes are written down. */
const ORDER = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/** Is `hash` md5-crypt, whole and well formed? */
export function isMd5Crypt(hash: string): boolean {
  return SHAPE.test(hash);
}

/** Hashes `password` with the salt of `setting`, itself such a hash. */
export async function md5Crypt(password: Buffer, setting: string): Promise<string> {
  const salt = SHAPE.exec(setting)![1]!;
  const inner = md5(password, salt, password);
  const parts: Part[] = [password, `$1$${salt}`];
  for (let left = password.length; left > 0; left -= 16) parts.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? NUL : password.subarray(0, 1));
  const digest = await rounds(1000, password.length, md5(...parts), (last, round) => {
    const odd = round % 2 === 1;
    return md5(odd ? password : last, round % 3 ? salt : '', round % 7 ? password : '', odd ? last : password);
  });
  return `$1$${salt}$${encode(Buffer.from(ORDER.map((at) => digest[at]!)))}`;
}

type Part = Buffer | string;
const NUL = Buffer.alloc(1);

function md5(...parts: Part[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
