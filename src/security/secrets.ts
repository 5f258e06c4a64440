/** Secrets at rest: AES-256-GCM under SECRET_KEY, and digests of what only has to be recognised. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  subtle,
  timingSafeEqual,
} from 'node:crypto';

/** Seals and derives under one 32-byte key. */
export interface Vault {
  /** Encrypts `text` for `purpose`; only the same purpose opens it again. */
  seal(purpose: string, text: string): string;
  /** @throws Error when the text was sealed under another key or for another purpose, or was changed */
  open(purpose: string, sealed: string): string;
  /** HMAC-SHA-256 of `text` under a key of its own for `purpose`. */
  mac(purpose: string, text: string): Buffer;
}

export function createVault(secretKey: Buffer): Vault {
  const keys = new Map<string, KeyObject>();
  const keyFor = (purpose: string) => {
    let key = keys.get(purpose);
    if (!key) {
      key = createSecretKey(Buffer.from(hkdfSync('sha256', secretKey, '', `gatehouse ${purpose}`, 32)));
      keys.set(purpose, key);
    }
    return key;
  };
  return {
    seal(purpose, text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', keyFor(purpose), nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', keyFor(purpose), bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(12, 28));
      return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
    },
    mac: (purpose, text) => createHmac('sha256', keyFor(purpose)).update(text).digest(),
  };
}

/** SHA-256 as hex: how a random token (never a password) is kept. */
export function sha256(text: string): string {
  return hash('sha256', text);
}

/** SHA-256 as hex of what may be large: it is made off the main thread. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return Buffer.from(await subtle.digest('SHA-256', bytes)).toString('hex');
}

/** Compares two texts in a time that depends only on their lengths. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
