/**
 * Proving who one is: passwords, and the count of failures that locks an account. An attempt is counted before it is
 * checked, so that any number of parallel guesses gets no more tries than a row of single ones.
 */
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { checkNewPassword, hashPassword, needsRehash, verifyAgainstNothing, verifyPassword } from '../../security/passwords/passwords.ts';
import { audit } from '../audit/service.ts';
import type { Context } from '../context.ts';

/** Failures in a row that lock an account, and for how many seconds. */
export const MAX_FAILURES = 5;
export const LOCK_SECONDS = 300;

type Scope = { readonly environmentId: string; readonly businessId: string };

/** Takes one of the account's tries. False while it is locked: then nothing may be checked. */
export async function takeTry(ctx: Context, scope: Scope, userId: string): Promise<boolean> {
  const now = ctx.clock.now();
  const rows = await ctx.db.$queryRaw<{ locked: boolean }[]>`
    UPDATE users SET
      failed_sign_ins = CASE WHEN locked_until IS NULL THEN failed_sign_ins + 1 ELSE 1 END,
      locked_until = CASE WHEN locked_until IS NULL AND failed_sign_ins + 1 >= ${MAX_FAILURES} THEN ${later(now, LOCK_SECONDS)}::timestamptz END
    WHERE environment_id = ${scope.environmentId} AND id = ${userId} AND (locked_until IS NULL OR locked_until <= ${now})
    RETURNING locked_until IS NOT NULL AS locked`;
  if (rows[0]?.locked)
    await audit(ctx, { ...scope, action: 'user.locked', target: { type: 'user', id: userId }, details: { seconds: LOCK_SECONDS } });
  return rows.length === 1;
}

/** Gives all tries back after a success. */
export async function clearTries(ctx: Context, scope: Scope, userId: string): Promise<void> {
  await ctx.db.user.update({
    where: { environmentId_id: { environmentId: scope.environmentId, id: userId } },
    data: { failedSignIns: 0, lockedUntil: null },
  });
}

/** Does the user have a password that may be signed in with? */
export async function hasPassword(ctx: Context, environmentId: string, userId: string): Promise<boolean> {
  return (await ctx.db.password.count({ where: { environmentId, userId, user: { isPasswordResetRequested: false } } })) > 0;
}

/** Checks a password. An imported hash is replaced by argon2id at its first success. */
export async function checkPassword(ctx: Context, scope: Scope, userId: string, password: string): Promise<'right' | 'wrong' | 'locked'> {
  const { environmentId } = scope;
  if (!(await takeTry(ctx, scope, userId))) return 'locked';
  const stored = await ctx.db.password.findUnique({ where: { environmentId_userId: { environmentId, userId } } });
  const right = stored ? await verifyPassword(stored, password) : await verifyAgainstNothing(password);
  if (!right) return 'wrong';
  await clearTries(ctx, scope, userId);
  if (stored && needsRehash(stored)) await savePassword(ctx, environmentId, userId, password);
  return 'right';
}

/** Sets a password that the person has just chosen.
 * @throws InvalidInputError PASSWORD_TOO_SHORT or PASSWORD_TOO_LONG */
export async function setPassword(ctx: Context, scope: Scope, userId: string, password: string): Promise<void> {
  const problem = checkNewPassword(password);
  if (problem === 'too_short')
    throw new InvalidInputError('PASSWORD_TOO_SHORT', 'A password has at least 8 characters.', ['p_first_password']);
  if (problem) throw new InvalidInputError('PASSWORD_TOO_LONG', 'A password has at most 1024 characters.', ['p_first_password']);
  await savePassword(ctx, scope.environmentId, userId, password);
  await ctx.db.user.update({
    where: { environmentId_id: { environmentId: scope.environmentId, id: userId } },
    data: { isPasswordResetRequested: false },
  });
  await audit(ctx, { ...scope, action: 'user.password_set', target: { type: 'user', id: userId } });
}

async function savePassword(ctx: Context, environmentId: string, userId: string, password: string): Promise<void> {
  const { method, hash, salt = null, saltPosition = null, saltFormat = null } = await hashPassword(password);
  const row = { method, hash, salt, saltPosition, saltFormat };
  await ctx.db.password.upsert({
    where: { environmentId_userId: { environmentId, userId } },
    create: { environmentId, userId, ...row },
    update: row,
  });
}
