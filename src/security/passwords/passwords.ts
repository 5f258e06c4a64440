/**
 * Passwords at rest: ours are argon2id, imported ones stay in the format they came in until their owner signs in.
 * Three things must stay true: a wrong password never takes less time than an account that does not exist, a hash we
 * cannot read is a wrong password and no failure, and whatever {@link checkImportedHash} lets pass can be verified.
 */
import { argon2id, isCurrent } from './argon2id.ts';
import { bcrypt } from './bcrypt.ts';
import { crypt } from './crypt.ts';
import { md5 } from './md5.ts';
import { sha256 } from './sha256.ts';
import { wordpress } from './wordpress.ts';

/** A password as the database keeps it. */
export interface StoredPassword {
  /** `argon2id`, or one of {@link IMPORTABLE_METHODS}. */
  readonly method: string;
  readonly hash: string;
  /** Only for methods whose hash does not hold its salt: md5 and sha256. */
  readonly salt?: string | null;
  /** `prefix` or `suffix` of the password. */
  readonly saltPosition?: string | null;
  /** `string`: the salt's UTF-8 bytes; `hex`: the bytes it spells. Nothing means `string`. */
  readonly saltFormat?: string | null;
}

/** Why a hash cannot be used to verify a password. */
export type HashProblem =
  | 'missing_hashing_method'
  | 'unsupported_hashing_method'
  | 'invalid_hash'
  | 'missing_salt_position'
  | 'invalid_salt_position'
  | 'invalid_salt_format';

/** One hashing method. */
export interface PasswordFormat {
  readonly method: string;
  /** What keeps this hash from being verified; undefined when nothing does. */
  accepts(stored: StoredPassword): HashProblem | undefined;
  /** Does verifying this take so long that it has to wait its turn? Whoever imports a hash chooses what it costs this server. */
  isSlow?(stored: StoredPassword, password: string): boolean;
  /** Compares in constant time. Only for a hash that {@link PasswordFormat.accepts} let pass. */
  verify(stored: StoredPassword, password: string): Promise<boolean>;
}

const importable: readonly PasswordFormat[] = [crypt, bcrypt, sha256, md5, wordpress];
const formats = new Map([argon2id, ...importable].map((format) => [format.method, format]));

/** The values of an import's `hashing_method`. */
export const IMPORTABLE_METHODS: readonly string[] = importable.map((format) => format.method);

/** Shortest new password, in characters (NIST SP 800-63B §5.1.1.2). */
export const MIN_PASSWORD_LENGTH = 8;
/** Longest new password, in characters: a bound on the work of hashing. */
export const MAX_PASSWORD_LENGTH = 1024;

/** Whether a person may choose `password`; imported passwords are not asked. */
export function checkNewPassword(password: string): undefined | 'too_short' | 'too_long' {
  const length = [...password].length;
  if (length < MIN_PASSWORD_LENGTH) return 'too_short';
  return length > MAX_PASSWORD_LENGTH ? 'too_long' : undefined;
}

/** Hashes a password the way all new ones are, off the main thread. */
export async function hashPassword(password: string): Promise<StoredPassword> {
  return { method: argon2id.method, hash: await argon2id.hash(password) };
}

/** Is `password` the one that was stored? False for an unknown method and for a malformed hash; never throws. */
export async function verifyPassword(stored: StoredPassword, password: string): Promise<boolean> {
  const format = formats.get(stored.method);
  const usable = format && !format.accepts(stored) && password.length <= MAX_PASSWORD_LENGTH;
  const verify = () => format!.verify(stored, password).catch(() => false);
  const isRight = usable ? await (format.isSlow?.(stored, password) ? inTurn(verify) : verify()) : false;
  // A failed md5 takes a microsecond: it would tell the account apart from one that does not exist.
  return isRight || (usable && format === argon2id) ? isRight : verifyAgainstNothing(password);
}

let last: Promise<unknown> = Promise.resolve();

/** One at a time: however many present slow hashes, the other threads are free, and the event loop between two of its steps. */
function inTurn<T>(verify: () => Promise<T>): Promise<T> {
  const turn = last.then(verify);
  last = turn;
  return turn;
}

/** Takes the time of {@link verifyPassword} where there is no account or no password to compare with. */
export async function verifyAgainstNothing(password: string): Promise<false> {
  await hashPassword(password);
  return false;
}

/** Should the password be hashed anew now that its plain text is at hand? */
export function needsRehash(stored: StoredPassword): boolean {
  return stored.method !== argon2id.method || !isCurrent(stored.hash);
}

/** What keeps an imported hash from being used; undefined when nothing does. An empty method is a missing one. */
export function checkImportedHash(stored: StoredPassword): HashProblem | undefined {
  if (!stored.method) return 'missing_hashing_method';
  if (!IMPORTABLE_METHODS.includes(stored.method)) return 'unsupported_hashing_method';
  return formats.get(stored.method)?.accepts(stored);
}
