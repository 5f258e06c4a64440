/**
 * Every hash a `wp_users.user_pass` can hold: plain MD5 (before 2.5), phpass (`$P$`, and phpBB's `$H$`), bcrypt, and
 * since 6.8 `$wp`, bcrypt of an HMAC. WordPress trims passwords before it hashes or checks them, and so does this.
 * The hash holds its salt: an import's salt columns are not looked at.
 */
import { createHash, createHmac } from 'node:crypto';
import { sameText } from '../secrets.ts';
import { bcrypt } from './bcrypt.ts';
import { ALPHABET, areSlow, encode, rounds } from './crypt-encoding.ts';
import { md5 } from './md5.ts';
import type { PasswordFormat } from './passwords.ts';

const PHPASS = /^\$[PH]\$([./0-9A-Za-z])([ -#%-~]{8})[./0-9A-Za-z]{22}$/;
const MD5 = /^[0-9a-f]{32}$/i;

/** WordPress's own. */
export const wordpress: PasswordFormat = {
  method: 'wordpress',
  accepts: ({ method, hash }) => {
    if (MD5.test(hash) || isPhpass(hash)) return undefined;
    return bcrypt.accepts({ method, hash: withoutPrefix(hash) });
  },
  isSlow: ({ method, hash }, password) => {
    const cost = PHPASS.exec(hash)?.[1];
    return cost ? areSlow(2 ** ALPHABET.indexOf(cost), password) : bcrypt.isSlow!({ method, hash: withoutPrefix(hash) }, password);
  },
  verify: async ({ method, hash }, password) => {
    const trimmed = trim(password);
    if (MD5.test(hash)) return md5.verify({ method, hash }, trimmed);
    if (isPhpass(hash)) return sameText(await phpass(trimmed, hash), hash);
    const text = hash.startsWith('$wp') ? createHmac('sha384', 'wp-sha384').update(trimmed).digest('base64') : trimmed;
    return bcrypt.verify({ method, hash: withoutPrefix(hash) }, text);
  },
};

function withoutPrefix(hash: string): string {
  return hash.replace(/^\$wp(?=\$2y\$)/, '');
}

/** PHP's trim(): not JavaScript's, which also takes the spaces of Unicode. */
function trim(password: string): string {
  return password.replace(/^[ \t\n\r\0\v]+|[ \t\n\r\0\v]+$/g, '');
}

/** The portable hash of phpass 0.3 (openwall.com/phpass), of 2^7 to 2^20 rounds. */
function isPhpass(hash: string): boolean {
  const cost = ALPHABET.indexOf(PHPASS.exec(hash)?.[1] ?? '.');
  return cost >= 7 && cost <= 20;
}

async function phpass(password: string, setting: string): Promise<string> {
  const [, cost, salt] = PHPASS.exec(setting) as unknown as [string, string, string];
  const bytes = Buffer.from(password);
  const digest = await rounds(2 ** ALPHABET.indexOf(cost), bytes.length, digestOf(Buffer.from(salt), bytes), (last) =>
    digestOf(last, bytes),
  );
  return setting.slice(0, 12) + encode(digest);
}

function digestOf(...parts: Buffer[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest();
}
