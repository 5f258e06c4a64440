/** What the descendants of crypt(3) share: their base64, and not holding the event loop while they count rounds. */
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

/** Applies `step` to `digest` `count` times, making way for other work about every millisecond. */
export async function rounds(count: number, digest: Buffer, step: (digest: Buffer, round: number) => Buffer): Promise<Buffer> {
  for (let round = 0; round < count; round++) {
    if (round % 1000 === 999) await setImmediate();
    digest = step(digest, round);
  }
  return digest;
}
