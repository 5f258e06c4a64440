/** Signing in with a password, and choosing one. */

import { inTransaction } from '../../features/context.ts';
import { checkPassword, setPassword } from '../../features/credentials/service.ts';
import { isEmailVerified } from '../../features/users/service.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { assertWelcome, authenticated, expired, newPassword } from '../flow.ts';
import { askForCode } from './email-code.ts';
import { problem, type StepRequest, type StepResult } from './strategy.ts';

/** The password that was typed. An address that was never proved (an imported one) is proved once, by a code. */
export async function submitPassword({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  if (!attempt.userId) throw expired();
  const password = form['p_password'] ?? '';
  if (!password) return problem('Type your password.', 'p_password');
  const result = await checkPassword(ctx, place.tenancy, attempt.userId, password);
  if (result === 'locked') return problem('Too many wrong attempts. This account is locked for some minutes.', undefined, 429);
  if (result === 'wrong') return problem('That is not the right password.', 'p_password');
  if (result === 'reset') return forgotPassword({ ctx, place, attempt });
  if (attempt.email && !(await isEmailVerified(ctx, attempt.environmentId, attempt.email)))
    return askForCode(ctx, place, attempt, 'sign_in', { isReset: result === 'temporary' });
  if (result === 'temporary') return newPassword(ctx, place, attempt, attempt.userId);
  return authenticated(ctx, place, attempt, attempt.userId);
}

/** "Forgot your password?": a code proves the address, then a new password is chosen. */
export function forgotPassword({ ctx, place, attempt }: Pick<StepRequest, 'ctx' | 'place' | 'attempt'>): Promise<StepResult> {
  return askForCode(ctx, place, attempt, 'reset_password', { isReset: true });
}

export async function submitNewPassword({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const { userId } = attempt;
  if (!userId) throw expired();
  const first = form['p_first_password'] ?? '';
  if (first !== (form['p_second_password'] ?? '')) return problem('The two passwords are not the same.', 'p_second_password');
  try {
    await inTransaction(ctx, async (tx) => {
      await assertWelcome(tx, attempt, userId);
      await setPassword(tx, place.tenancy, userId, first);
    });
  } catch (error) {
    if (error instanceof InvalidInputError) return problem(error.message, 'p_first_password');
    throw error;
  }
  return authenticated(ctx, place, attempt, userId);
}
