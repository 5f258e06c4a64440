/** Identities by hand. An identity is never edited: a new one is added, then the old one deleted. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Identity } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, type Scope, scopeOfRow } from '../context.ts';
import { addIdentity, assertIdentityFree, checkIdentity, type IdentityType, refreshSearchContacts, userScope } from '../users/service.ts';

export interface CreateUserIdentityInput {
  readonly userId: string;
  readonly type: IdentityType;
  readonly value: string;
  readonly isVerified?: boolean | null | undefined;
}

/**
 * Gives a user something more to sign in with. To say that it is verified takes update:user_contacts as well: until
 * somebody does, or its owner proves it, it may lead nobody in.
 * @throws InvalidInputError INVALID_EMAIL, INVALID_PHONE, INVALID_USERNAME, EMAIL_TAKEN, PHONE_TAKEN, USERNAME_TAKEN,
 *   REQUIRED, TOO_LONG or INVALID_TEXT
 */
export const createUserIdentity = action({
  permission: 'create:user_identities',
  besides: ({ isVerified }: CreateUserIdentityInput) => (isVerified ? ['update:user_contacts'] : []),
  scope: (ctx, input: CreateUserIdentityInput, permission) => userScope(ctx, permission, input.userId),
  async run(ctx, { userId, type, value, isVerified }, scope): Promise<{ environmentId: string; id: string }> {
    const { environmentId } = scope;
    await lockUser(ctx, environmentId, userId);
    const identity = checkIdentity(type, value, 'value');
    await assertIdentityFree(ctx, environmentId, identity, 'value');
    const { id } = await addIdentity(ctx, environmentId, userId, { ...identity, isVerified: isVerified ?? false });
    // Whoever was left with a profile only can sign in again.
    await noteChange(ctx, scope, { id, userId, type }, 'identity.created', { accessRemovedAt: null });
    return { environmentId, id };
  },
});

/** Says whether an identity is known to be its user's. */
export const updateIdentity = action({
  permission: 'update:user_contacts',
  scope: (ctx, input: { readonly identityId: string; readonly isVerified: boolean }, permission) =>
    identityScope(ctx, permission, input.identityId),
  async run(ctx, { identityId, isVerified }, scope): Promise<Identity> {
    const identity = await ctx.db.identity.update({ where: keyOf(scope, identityId), data: { isVerified } });
    await noteChange(ctx, scope, identity, 'identity.updated');
    return identity;
  },
});

/** Makes an identity the one that tokens show among those of its kind. */
export const setPrimaryIdentity = action({
  permission: 'update:identities',
  scope: (ctx, input: { readonly identityId: string }, permission) => identityScope(ctx, permission, input.identityId),
  async run(ctx, { identityId }, scope): Promise<Identity> {
    const identity = await lockedIdentity(ctx, scope, identityId);
    await makePrimary(ctx, identity);
    await noteChange(ctx, scope, identity, 'identity.made_primary');
    return identity;
  },
});

/** Takes an identity away; the oldest of those of its kind that are left becomes primary in its place.
 * @throws InvalidInputError LAST_IDENTITY: who has access keeps a way to sign in */
export const deleteIdentity = action({
  permission: 'delete:identities',
  scope: (ctx, input: { readonly identityId: string }, permission) => identityScope(ctx, permission, input.identityId),
  async run(ctx, { identityId }, scope): Promise<{ deletedId: string }> {
    const identity = await lockedIdentity(ctx, scope, identityId);
    const { environmentId, userId, type } = identity;
    if ((await ctx.db.identity.count({ where: { environmentId, userId } })) === 1) {
      throw new InvalidInputError('LAST_IDENTITY', 'The person could not sign in any more. Add another one first, or delete the user.', [
        'identityId',
      ]);
    }
    await ctx.db.identity.delete({ where: keyOf(scope, identityId) });
    const heir = await ctx.db.identity.findFirst({
      where: { environmentId, userId, type },
      orderBy: [{ isPrimary: 'desc' }, { createdAt: 'asc' }, { id: 'asc' }],
    });
    if (heir && !heir.isPrimary) await makePrimary(ctx, heir);
    await refreshSearchContacts(ctx, environmentId, userId);
    await noteChange(ctx, scope, identity, 'identity.deleted');
    return { deletedId: identityId };
  },
});

function identityScope(ctx: Context, permission: PermissionName, identityId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'identity', 'identityId', (environmentId) =>
    ctx.db.identity.findFirst({ where: { ...(environmentId && { environmentId }), id: identityId }, select: { environmentId: true } }),
  );
}

function keyOf({ environmentId }: Scope, id: string) {
  return { environmentId_id: { environmentId, id } };
}

/** Lets one change of a user's identities through at a time: what is counted before it is still so after it. */
async function lockUser(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM users WHERE environment_id = ${environmentId} AND id = ${userId} FOR NO KEY UPDATE`;
}

/** The identity as it is once its user is locked. */
async function lockedIdentity(ctx: Context, scope: Scope, identityId: string): Promise<Identity> {
  const { userId } = await ctx.db.identity.findUniqueOrThrow({ where: keyOf(scope, identityId) });
  await lockUser(ctx, scope.environmentId, userId);
  const identity = await ctx.db.identity.findUnique({ where: keyOf(scope, identityId) });
  if (!identity) throw new NotFoundError('identity', ['identityId']);
  return identity;
}

async function makePrimary(ctx: Context, { environmentId, userId, type, id }: Identity): Promise<void> {
  await ctx.db.identity.updateMany({ where: { environmentId, userId, type, isPrimary: true, NOT: { id } }, data: { isPrimary: false } });
  await ctx.db.identity.update({ where: { environmentId_id: { environmentId, id } }, data: { isPrimary: true } });
}

/** Writes down that a person's contacts have changed, which tokens tell by `updated_at`. */
async function noteChange(
  ctx: Context,
  { environmentId, businessId }: Scope,
  { id, userId, type }: { id: string; userId: string; type: string },
  what: string,
  change: { accessRemovedAt?: null } = {},
): Promise<void> {
  await ctx.db.user.update({
    where: { environmentId_id: { environmentId, id: userId } },
    data: { updatedAt: ctx.clock.now(), ...change },
  });
  await audit(ctx, { businessId, environmentId, action: what, target: { type: 'identity', id }, details: { userId, type } });
}
