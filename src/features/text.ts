/** Checks of the texts that people type: what every feature asks of a name or an address. */
import { InvalidInputError } from '../kernel/errors.ts';

/** The trimmed text.
 * @throws InvalidInputError REQUIRED when nothing is left, TOO_LONG beyond `max` characters, INVALID_TEXT with control characters or halves of characters */
export function requireText(text: string, field: string, max = 200, path: readonly string[] = [field]): string {
  const trimmed = text.trim();
  if (!trimmed) throw new InvalidInputError('REQUIRED', 'This must not be empty.', path);
  return checkLength(trimmed, path, max);
}

/** The trimmed text, or null when there is none. */
export function optionalText(text: string | null | undefined, field: string, max = 200): string | null {
  const trimmed = text?.trim();
  return trimmed ? checkLength(trimmed, [field], max) : null;
}

/** For an update: what a required text becomes, undefined (unchanged) where the input does not name it. */
export function changedText(text: string | null | undefined, field: string, max?: number): string | undefined {
  return text === undefined ? undefined : requireText(text ?? '', field, max);
}

/** For an update: as {@link changedText}, where null or nothing but space clears it. */
export function changedOptionalText(text: string | null | undefined, field: string, max?: number): string | null | undefined {
  return text === undefined ? undefined : optionalText(text, field, max);
}

function checkLength(text: string, path: readonly string[], max: number): string {
  if (text.length > max) throw new InvalidInputError('TOO_LONG', `This is longer than ${max} characters.`, path);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) throw new InvalidInputError('INVALID_TEXT', 'This holds control characters.', path);
  if (!text.isWellFormed()) throw new InvalidInputError('INVALID_TEXT', 'This holds halves of characters.', path);
  return text;
}

/** The address with its case kept, trimmed.
 * @throws InvalidInputError INVALID_EMAIL or TOO_LONG */
export function requireEmail(text: string, field: string): string {
  const email = requireText(text, field, 254);
  if (!isEmail(email)) throw new InvalidInputError('INVALID_EMAIL', 'This is not an email address.', [field]);
  return email;
}

/** Is `text` a phone number by E.164: a plus sign, the country code and up to 15 digits in all? */
export function isPhone(text: string): boolean {
  return /^\+[1-9]\d{6,14}$/.test(text);
}

/** Is `text` usable as a name to sign in with? */
export function isUsername(text: string): boolean {
  return /^[A-Za-z0-9_-]{2,64}$/.test(text);
}

/**
 * Is `text` an address that mail can be sent to? One @, a dotted host, no spaces, and nothing that is another address as
 * soon as it is compared: whoever has the one mailbox would be taken for who has the other.
 */
export function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  const isLocalPart = at > 0 && /^[^\s@"<>(),:;\\[\]]{1,64}$/.test(text.slice(0, at));
  return text.length <= 254 && isLocalPart && isDomain(text.slice(at + 1)) && !comparesAsAnother(text);
}

/** In what form an address, a number or a username is compared. What has none is nobody's, and stays as it is. */
export function comparable(text: string): string {
  return comparesAsAnother(text) ? text : text.toLowerCase();
}

/**
 * Is it another text in Unicode's compatible form, as with full-width letters or the Kelvin sign, which is a K? Of the
 * letters that stay what they are in it, only İ has one of ASCII in its lower case.
 */
function comparesAsAnother(text: string): boolean {
  return text !== text.normalize('NFKC') || text.includes('İ');
}

/** Is `text` the part of an address after the @: a dotted name of letters, digits and dashes? */
export function isDomain(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/.test(text);
}

const MAX_DOMAINS = 100;

/** For an update: the domains in lower case, each once; undefined where the input does not name them, none for null.
 * @throws InvalidInputError TOO_MANY, or INVALID_DOMAIN with the place in the list */
export function domainList(domains: readonly string[] | null | undefined, field: string): string[] | undefined {
  if (domains === undefined) return undefined;
  if ((domains ?? []).length > MAX_DOMAINS) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_DOMAINS}.`, [field]);
  const wanted = (domains ?? []).map((domain) => domain.trim().toLowerCase());
  const wrong = wanted.findIndex((domain) => !isDomain(domain));
  if (wrong >= 0) throw new InvalidInputError('INVALID_DOMAIN', 'A domain is written as example.com.', [field, String(wrong)]);
  return [...new Set(wanted)];
}

/** The trimmed https URL, without a user or password, of at most 2000 characters.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT or INVALID_URL */
export function requireUrl(text: string, field: string): string {
  const url = requireText(text, field, 2000);
  if (!isSafeUrl(url)) throw new InvalidInputError('INVALID_URL', 'This is not an https URL.', [field]);
  return url;
}

/** For an update: as {@link requireUrl}, where null or nothing but space clears it. */
export function changedOptionalUrl(text: string | null | undefined, field: string): string | null | undefined {
  return text?.trim() ? requireUrl(text, field) : text === undefined ? undefined : null;
}

function isSafeUrl(text: string): boolean {
  if (/\s/.test(text) || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === 'https:' && !username && !password;
}

/** Domains of mail addresses, as `example.com`: in lower case, each once.
 * @throws InvalidInputError TOO_MANY_DOMAINS beyond `max`, INVALID_DOMAIN at the first that is none */
export function mailDomains(domains: readonly string[], field: string, max: number): string[] {
  if (domains.length > max) throw new InvalidInputError('TOO_MANY_DOMAINS', `These are more than ${max} domains.`, [field]);
  const wrong = domains.findIndex(
    (domain) => !/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/i.test(domain.trim()),
  );
  if (wrong >= 0) throw new InvalidInputError('INVALID_DOMAIN', 'A domain is written as example.com.', [field, String(wrong)]);
  return [...new Set(domains.map((domain) => domain.trim().toLowerCase()))];
}
