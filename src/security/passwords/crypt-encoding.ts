/** What the descendants of crypt(3) share: their base64, what counts as slow, and not holding the event loop while they count rounds. */
import { setImmediate } from 'node:timers/promises';

/** In the order of the six bits they stand for. */
export const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Each three bytes as four letters, the lowest six bits first; no padding. */
export function encode(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = bytes.subarray(at, at + 3);
    const bits = group[0]! | ((group[1] ?? 0) << 8) | ((group[2] ?? 0) << 16);
    for (let letter = 0; letter <= group.length; letter++) text += ALPHABET[(bits >> (6 * letter)) & 63];
  }
  return text;
}

/** Bytes that a thousandth of a second and some are enough for, with what a round takes besides. */
const BYTES_AT_ONCE = 300_000;
const BYTES_OF_A_ROUND = 300;

/** Do `count` rounds over the password take longer than some fifty milliseconds? */
export function areSlow(count: number, password: string): boolean {
  return count * (BYTES_OF_A_ROUND + Buffer.byteLength(password)) > 50 * BYTES_AT_ONCE;
}

/** Applies `step`, which digests the password of so many bytes, to `digest` `count` times, making way for other work about every millisecond. */
export async function rounds(
  count: number,
  passwordBytes: number,
  digest: Buffer,
  step: (digest: Buffer, round: number) => Buffer,
): Promise<Buffer> {
  const atOnce = Math.ceil(BYTES_AT_ONCE / (BYTES_OF_A_ROUND + passwordBytes));
  for (let round = 0; round < count; round++) {
    if (round % atOnce === atOnce - 1) await setImmediate();
    digest = step(digest, round);
  }
  return digest;
}
