/** Passwords: checking them, choosing them, and taking them over from elsewhere. */
import { InvalidInputError } from '../../kernel/errors.ts';
import { isCommonPassword } from '../../security/passwords/common-passwords.ts';
import {
  checkImportedHash,
  checkNewPassword,
  type HashProblem,
  hashPassword,
  needsRehash,
  type StoredPassword,
  verifyAgainstNothing,
  verifyPassword,
} from '../../security/passwords/passwords.ts';
import { audit } from '../audit/service.ts';
import type { Context } from '../context.ts';
import { type Suspect, tryProof } from '../sign-in-failures/service.ts';

type Scope = { readonly environmentId: string; readonly businessId: string };

/** What a user's password is good for: a temporary one leads to the choice of another. */
export async function passwordState(ctx: Context, environmentId: string, userId: string): Promise<'none' | 'temporary' | 'set'> {
  const password = await ctx.db.password.findFirst({
    where: { environmentId, userId, user: { isPasswordResetRequested: false } },
    select: { isTemporary: true },
  });
  if (!password) return 'none';
  return password.isTemporary ? 'temporary' : 'set';
}

/** `temporary`: right, used up by it, and another one has to be chosen. `reset`: right, but a code has to be typed first. */
export type PasswordCheck = 'right' | 'temporary' | 'reset' | 'wrong' | 'locked';

/** Checks a password, as one of the suspect's tries; that of an address that nobody has is wrong, after as much work.
 * An imported hash is replaced by argon2id at its first success. */
export function checkPassword(ctx: Context, scope: Scope, suspect: Suspect, password: string): Promise<PasswordCheck> {
  const { environmentId } = scope;
  const userId = 'userId' in suspect ? suspect.userId : '';
  return tryProof(ctx, scope, suspect, 'password', async () => {
    const stored = await ctx.db.password.findUnique({ where: { environmentId_userId: { environmentId, userId } } });
    const right = stored ? await verifyPassword(stored, password) : await verifyAgainstNothing(password);
    if (!stored || !right || (stored.isTemporary && !(await useUp(ctx, stored)))) return 'wrong';
    if (stored.isTemporary) return 'temporary';
    if ((await passwordState(ctx, environmentId, userId)) === 'none') return 'reset';
    if (needsRehash(stored)) await savePassword(ctx, environmentId, userId, await hashPassword(password));
    return 'right';
  });
}

/** Uses a temporary password up: true once, however many present it at the same moment. Until another one is chosen only a code leads on. */
async function useUp(
  ctx: Context,
  { environmentId, userId, hash }: StoredPassword & { environmentId: string; userId: string },
): Promise<boolean> {
  const { count } = await ctx.db.user.updateMany({
    where: { environmentId, id: userId, isPasswordResetRequested: false, password: { hash, isTemporary: true } },
    data: { isPasswordResetRequested: true },
  });
  return count === 1;
}

/** Sets a password that the person has just chosen. True where it replaces one.
 * @throws InvalidInputError PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG, PASSWORD_COMMON, or PASSWORD_UNCHANGED for the temporary one that is to be replaced */
export async function setPassword(ctx: Context, scope: Scope, userId: string, password: string): Promise<boolean> {
  await assertChoosable(password, 'p_first_password');
  const { environmentId } = scope;
  const before = await ctx.db.password.findUnique({ where: { environmentId_userId: { environmentId, userId } } });
  if (before?.isTemporary && (await verifyPassword(before, password)))
    throw new InvalidInputError('PASSWORD_UNCHANGED', 'Choose another password than the one that you were given.', ['p_first_password']);
  await savePassword(ctx, environmentId, userId, await hashPassword(password));
  await audit(ctx, { ...scope, action: 'user.password_set', target: { type: 'user', id: userId } });
  return before !== null;
}

/** A password by its hash, as another system kept it. */
export interface PasswordHashInput {
  /** One of IMPORTABLE_METHODS. */
  readonly method: string;
  readonly hash: string;
  readonly salt?: string | null | undefined;
  readonly saltPosition?: string | null | undefined;
  readonly saltFormat?: string | null | undefined;
}

const HASH_PROBLEMS: Record<HashProblem, [code: string, field: string, message: string]> = {
  missing_hashing_method: ['INVALID_HASH', 'method', 'A hash needs its method.'],
  unsupported_hashing_method: ['INVALID_HASH', 'method', 'Hashes of this method cannot be checked here.'],
  invalid_hash: ['INVALID_HASH', 'hash', 'This does not have the form of a hash of its method.'],
  missing_salt_position: ['MISSING_SALT_POSITION', 'saltPosition', 'A salt needs its position.'],
  invalid_salt_position: ['MISSING_SALT_POSITION', 'saltPosition', 'A salt stands before the password or after it.'],
  invalid_salt_format: ['INVALID_SALT', 'salt', 'This salt is not in hex digits.'],
};

/** Sets a password by its hash, as an import does; plain text is no hash.
 * @throws InvalidInputError INVALID_HASH, MISSING_SALT_POSITION or INVALID_SALT, with a path that begins with `password` */
export async function savePasswordHash(ctx: Context, environmentId: string, userId: string, input: PasswordHashInput): Promise<void> {
  const { method, hash, salt = null, saltPosition = null, saltFormat = null } = input;
  const stored = { method, hash, salt, saltPosition, saltFormat };
  const problem = checkImportedHash(stored);
  if (problem) {
    const [code, field, message] = HASH_PROBLEMS[problem];
    throw new InvalidInputError(code, message, ['password', field]);
  }
  await savePassword(ctx, environmentId, userId, stored);
}

/** Sets a password that is good for one sign-in, which ends with the choice of another.
 * @throws InvalidInputError PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG or PASSWORD_COMMON */
export async function saveTemporaryPassword(ctx: Context, environmentId: string, userId: string, password: string): Promise<void> {
  await assertChoosable(password, 'password');
  await savePassword(ctx, environmentId, userId, await hashPassword(password), true);
}

async function assertChoosable(password: string, field: string): Promise<void> {
  const problem = checkNewPassword(password);
  if (problem === 'too_short') throw new InvalidInputError('PASSWORD_TOO_SHORT', 'A password has at least 8 characters.', [field]);
  if (problem) throw new InvalidInputError('PASSWORD_TOO_LONG', 'A password has at most 1024 characters.', [field]);
  if (await isCommonPassword(password))
    throw new InvalidInputError('PASSWORD_COMMON', 'This is one of the passwords that are guessed first.', [field]);
}

/** Writes a password, which answers a request to reset the one before it. */
async function savePassword(
  ctx: Context,
  environmentId: string,
  userId: string,
  stored: StoredPassword,
  isTemporary = false,
): Promise<void> {
  const { method, hash, salt = null, saltPosition = null, saltFormat = null } = stored;
  const row = { method, hash, salt, saltPosition, saltFormat, isTemporary };
  await ctx.db.password.upsert({
    where: { environmentId_userId: { environmentId, userId } },
    create: { environmentId, userId, ...row },
    update: row,
  });
  await ctx.db.user.updateMany({
    where: { environmentId, id: userId, isPasswordResetRequested: true },
    data: { isPasswordResetRequested: false },
  });
}
