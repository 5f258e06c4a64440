/** sha-crypt, `$5$` with SHA-256 and `$6$` with SHA-512, after Ulrich Drepper's specification 0.6 (akkadia.org/drepper/SHA-crypt.txt). */
import { createHash } from 'node:crypto';
import { encode, rounds } from './crypt-encoding.ts';

const SHAPE = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([ -#%-~]{0,16})\$([./A-Za-z0-9]+)$/;
const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;
/** The specification allows a thousand times more, which nobody could sign in with. */
const MAX_ROUNDS = 1_000_000;

interface Variant {
  readonly algorithm: 'sha256' | 'sha512';
  /** Letters of the written digest. */
  readonly letters: number;
  /** The order in which the digest's bytes are written down. */
  readonly order: readonly number[];
}

const VARIANTS: Record<string, Variant> = {
  5: { algorithm: 'sha256', letters: 43, order: [...triples(10, 2), 30, 31] },
  6: { algorithm: 'sha512', letters: 86, order: [...triples(21, 1), 63] },
};

/** The bytes in three rows of `columns`, written column by column from the last row up, each column begun `shift` rows further on. */
function triples(columns: number, shift: number): number[] {
  return Array.from({ length: columns * 3 }, (_, at) => {
    const column = Math.floor(at / 3);
    return ((2 - (at % 3) + shift * column) % 3) * columns + column;
  });
}

/** Is `hash` sha-crypt, whole, well formed and with rounds we are ready to count? */
export function isShaCrypt(hash: string): boolean {
  const [, id, stated, , text] = SHAPE.exec(hash) ?? [];
  if (!id || !text) return false;
  const count = stated === undefined ? DEFAULT_ROUNDS : Number(stated);
  return text.length === VARIANTS[id]!.letters && count >= MIN_ROUNDS && count <= MAX_ROUNDS;
}

/** How often the password is digested: in each round, and before them as often as it is long. */
export function digestsOfShaCrypt(hash: string, passwordBytes: number): number {
  const stated = SHAPE.exec(hash)?.[2];
  return (stated ? Number(stated) : DEFAULT_ROUNDS) + passwordBytes;
}

/** Hashes `password` with the variant, rounds and salt of `setting`, itself such a hash. */
export async function shaCrypt(password: Buffer, setting: string): Promise<string> {
  const [, id, stated, salt] = SHAPE.exec(setting) as unknown as [string, string, string | undefined, string];
  const { algorithm, order } = VARIANTS[id]!;
  const digestOf = (...parts: (Buffer | string)[]): Buffer => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };

  const inner = digestOf(password, salt, password);
  const parts: (Buffer | string)[] = [password, salt, stretch(inner, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? inner : password);
  const start = digestOf(...parts);
  const p = stretch(digestOf(...Array<Buffer>(password.length).fill(password)), password.length);
  const s = stretch(digestOf(...Array<string>(16 + start[0]!).fill(salt)), salt.length);
  const digest = await rounds(stated ? Number(stated) : DEFAULT_ROUNDS, password.length, start, (last, round) => {
    const odd = round % 2 === 1;
    return digestOf(odd ? p : last, round % 3 ? s : '', round % 7 ? p : '', odd ? last : p);
  });
  return `$${id}$${stated ? `rounds=${stated}$` : ''}${salt}$${encode(Buffer.from(order.map((at) => digest[at]!)))}`;
}

/** `bytes` over and over, up to `length`. */
function stretch(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}
