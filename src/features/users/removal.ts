/** Keeping a person out: for a time, for good with the profile kept, or for good with nothing kept. */
import { audit } from '../audit/service.ts';
import { action, type Context, NEXT_VERSION, type Scope } from '../context.ts';
import { watchingMembers, watchingTeam } from '../effects.ts';
import { endAccessOfUser } from '../sessions/service.ts';
import { searchContactsOf, userScope } from './service.ts';

interface UserInput {
  readonly userId: string;
}

/** What a change answers with about a user that is still there. */
interface UserKey {
  readonly environmentId: string;
  readonly id: string;
}

/** Keeps a user out of every application: sessions and tokens end at once. */
export const suspendUser = action({
  permission: 'suspend:users',
  scope: (ctx, { userId }: UserInput, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, scope): Promise<UserKey> {
    const { environmentId, businessId } = scope;
    await ctx.db.user.updateMany({
      where: { environmentId, id: userId, isSuspended: false },
      data: { isSuspended: true, suspendedAt: ctx.clock.now(), ...NEXT_VERSION },
    });
    await endAccessOfUser(ctx, environmentId, userId);
    await audit(ctx, { businessId, environmentId, action: 'user.suspended', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

/** Lets a suspended user sign in again. What the suspension ended stays ended. */
export const restoreUser = action({
  permission: 'suspend:users',
  scope: (ctx, { userId }: UserInput, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, { environmentId, businessId }): Promise<UserKey> {
    await ctx.db.user.updateMany({
      where: { environmentId, id: userId, isSuspended: true },
      data: { isSuspended: false, suspendedAt: null, ...NEXT_VERSION },
    });
    await audit(ctx, { businessId, environmentId, action: 'user.restored', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

/** `remove_access` keeps the profile and nothing to sign in with; `erase` keeps nothing. */
export type UserDeletion = 'remove_access' | 'erase';

/** Deletes a user. Signing in afterwards is signing up, where that is open. */
export const deleteUser = action({
  permission: 'delete:users',
  scope: (ctx, { userId }: UserInput & { readonly level: UserDeletion }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId, level }, scope): Promise<{ user: UserKey | null; deletedId: string | null }> {
    const { environmentId, businessId } = scope;
    // Whoever signs in meanwhile is through before, or finds nothing after.
    await ctx.db.$queryRaw`SELECT id FROM users WHERE environment_id = ${environmentId} AND id = ${userId} FOR UPDATE`;
    await endAccessOfUser(ctx, environmentId, userId);
    await watchingTeam(ctx, { accountEnvironmentId: environmentId, userId }, () =>
      watchingMembers(ctx, { environmentId, userId }, () =>
        level === 'erase' ? erase(ctx, environmentId, userId) : removeAccess(ctx, scope, userId),
      ),
    );
    await audit(ctx, { businessId, environmentId, action: 'user.deleted', target: { type: 'user', id: userId }, details: { level } });
    return level === 'erase' ? { user: null, deletedId: userId } : { user: { environmentId, id: userId }, deletedId: null };
  },
});

async function removeAccess(ctx: Context, { environmentId }: Scope, userId: string): Promise<void> {
  const ofUser = { environmentId, userId };
  await ctx.db.identity.deleteMany({ where: ofUser });
  await ctx.db.password.deleteMany({ where: ofUser });
  await ctx.db.passkey.deleteMany({ where: ofUser });
  await ctx.db.mfaFactor.deleteMany({ where: ofUser });
  await ctx.db.membership.deleteMany({ where: ofUser });
  await ctx.db.teamMember.deleteMany({ where: { accountEnvironmentId: environmentId, userId } });
  await ctx.db.apiKey.updateMany({ where: { ...ofUser, revokedAt: null }, data: { revokedAt: ctx.clock.now() } });
  await ctx.db.user.update({
    where: { environmentId_id: { environmentId, id: userId } },
    data: {
      accessRemovedAt: ctx.clock.now(),
      searchContacts: searchContactsOf([]),
      updatedAt: ctx.clock.now(),
      isPasswordResetRequested: false,
      failedSignIns: 0,
      lockedUntil: null,
      ...NEXT_VERSION,
    },
  });
}

/** Deletes the record with all that is its own, and the person's entries in the lists of contacts. */
async function erase(ctx: Context, environmentId: string, userId: string): Promise<void> {
  const emails = await ctx.db.identity.findMany({ where: { environmentId, userId, type: 'email' }, select: { normalized: true } });
  const ofAddress = { environmentId, normalized: { in: emails.map(({ normalized }) => normalized) } };
  await ctx.db.subscriber.deleteMany({ where: ofAddress });
  await ctx.db.accessRequest.deleteMany({ where: ofAddress });
  await ctx.db.user.delete({ where: { environmentId_id: { environmentId, id: userId } } });
}
