/** Helping a person who cannot get in, or somebody who got in too far: passwords and locks, from outside. */
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action } from '../context.ts';
import { type PasswordHashInput, savePasswordHash, saveTemporaryPassword } from '../credentials/service.ts';
import { endAccessOfUser } from '../sessions/service.ts';
import { forgetFailures } from '../sign-in-failures/service.ts';
import { userScope } from '../users/service.ts';

interface UserInput {
  readonly userId: string;
}

interface UserKey {
  readonly environmentId: string;
  readonly id: string;
}

/** Sets a password by its hash. Whoever is signed in with the one before it is signed out.
 * @throws InvalidInputError INVALID_HASH, MISSING_SALT_POSITION or INVALID_SALT */
export const setUserPassword = action({
  permission: 'update:user_passwords',
  scope: (ctx, { userId }: UserInput & { readonly password: PasswordHashInput }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId, password }, { environmentId, businessId }): Promise<UserKey> {
    await savePasswordHash(ctx, environmentId, userId, password);
    await endAccessOfUser(ctx, environmentId, userId);
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'user.password_set',
      target: { type: 'user', id: userId },
      details: { method: password.method },
    });
    return { environmentId, id: userId };
  },
});

/** Sets a password that is good for one sign-in, in which the person chooses another. Whoever is signed in is signed out.
 * @throws InvalidInputError PASSWORD_TOO_SHORT, PASSWORD_TOO_LONG or PASSWORD_COMMON */
export const setTemporaryPassword = action({
  permission: 'update:user_passwords',
  scope: (ctx, { userId }: UserInput & { readonly password: string }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId, password }, { environmentId, businessId }): Promise<UserKey> {
    await saveTemporaryPassword(ctx, environmentId, userId, password);
    await endAccessOfUser(ctx, environmentId, userId);
    await audit(ctx, { businessId, environmentId, action: 'user.temporary_password_set', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

/** Makes the next sign-in ask for a mailed code and then for a new password. Who is signed in stays so until it is chosen.
 * @throws InvalidInputError NO_VERIFIED_EMAIL */
export const requestPasswordReset = action({
  permission: 'update:user_passwords',
  scope: (ctx, { userId }: UserInput, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, { environmentId, businessId }): Promise<UserKey> {
    if ((await ctx.db.identity.count({ where: { environmentId, userId, type: 'email', isVerified: true } })) === 0)
      throw new InvalidInputError('NO_VERIFIED_EMAIL', 'The person has no verified address that a code could be sent to.', ['userId']);
    await ctx.db.user.updateMany({ where: { environmentId, id: userId }, data: { isPasswordResetRequested: true } });
    await audit(ctx, { businessId, environmentId, action: 'user.password_reset_requested', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

/** Ends the lock that failed sign-ins led to, and gives all tries back. */
export const unlockUser = action({
  permission: 'unlock:users',
  scope: (ctx, { userId }: UserInput, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, scope): Promise<UserKey> {
    const { environmentId, businessId } = scope;
    await forgetFailures(ctx, scope, { userId });
    await audit(ctx, { businessId, environmentId, action: 'user.unlocked', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});
