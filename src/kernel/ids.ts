/**
 * The only maker of ids and of random tokens. An id is a prefix that names its kind and 32 hex digits of a
 * UUIDv7, so that ids sort by birth; it is the same in the graph, in tokens and in logs.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { systemClock } from './clock.ts';

export const ID_PREFIXES = {
  business: 'biz',
  environment: 'env',
  teamMember: 'team',
  teamInvitation: 'tinv',
  organization: 'org',
  user: 'kp',
  identity: 'identity',
  membership: 'om',
  role: 'role',
  permission: 'perm',
  application: 'app',
  api: 'api',
  apiScope: 'api_scope',
  apiKey: 'api_key',
  import: 'imp',
  importIssue: 'issue',
  auditEvent: 'audit',
  operation: 'op',
  environmentVariable: 'env_var',
  organizationInvitation: 'inv',
  featureFlag: 'flag',
  property: 'prop',
  propertyCategory: 'cat',
  subscriber: 'sub',
  accessRequest: 'areq',
  mfaFactor: 'mfa',
  passkey: 'passkey',
  session: 'session',
  webhook: 'webhook',
  webhookDelivery: 'delivery',
  event: 'event',
  logo: 'logo',
  emailSender: 'sender',
  mailDelivery: 'mail',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

const kindByPrefix = new Map(Object.entries(ID_PREFIXES).map(([kind, prefix]) => [prefix as string, kind as IdKind]));

let lastMillisecond = 0;
let sequence = 0;

/** 32 hex digits of a UUIDv7 (RFC 9562 §5.7), increasing within this process. */
export function sortableHex(): string {
  const now = systemClock.now().getTime();
  if (now > lastMillisecond) {
    lastMillisecond = now;
    sequence = randomBytes(2).readUInt16BE() & 0x7ff;
  } else if (++sequence > 0xfff) {
    lastMillisecond++;
    sequence = 0;
  }
  const random = randomBytes(8);
  random[0] = (random[0]! & 0x3f) | 0x80;
  return lastMillisecond.toString(16).padStart(12, '0') + (0x7000 | sequence).toString(16) + random.toString('hex');
}

/** A new id of a kind, as `org_0190…`. */
export function newId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${sortableHex()}`;
}

/** The kind an id's prefix names, or undefined for text that is no id of ours. */
export function kindOf(id: string): IdKind | undefined {
  const at = id.lastIndexOf('_');
  if (at < 0 || !/^[0-9a-f]{32}$/.test(id.slice(at + 1))) return undefined;
  return kindByPrefix.get(id.slice(0, at));
}

/** An opaque token of `bytes` random bytes, base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

export { randomUUID };

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` letters and digits, each drawn evenly (about 5.95 bits a character). */
export function randomAlphanumeric(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHANUMERIC[byte % 62];
    }
  }
  return text;
}

/** `length` decimal digits, each drawn evenly. */
export function randomDigits(length: number): string {
  return String(randomInt(10 ** length)).padStart(length, '0');
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** `length` characters of base32 (RFC 4648 §6), 5 bits each. */
export function randomBase32(length: number): string {
  return Array.from(randomBytes(length), (byte) => BASE32[byte & 31]).join('');
}

const CONSONANTS = 'BCDFGHJKLMNPQRSTVWXZ';

/** `length` upper-case consonants, each drawn evenly: they spell no word, and none is taken for a digit (RFC 8628 §6.1). */
export function randomConsonants(length: number): string {
  return Array.from({ length }, () => CONSONANTS[randomInt(CONSONANTS.length)]).join('');
}
