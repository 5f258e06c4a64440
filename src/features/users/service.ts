/** Users of one environment, found by the identities they sign in with. */
import type { User } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope } from '../context.ts';
import { addMembership, joinAsNewUser } from '../organizations/service.ts';
import { optionalText, requireEmail } from '../text.ts';

export { usersMatching } from './finding.ts';

export interface CreateUserInput {
  readonly environmentId?: string | null | undefined;
  readonly email: string;
  readonly isEmailVerified?: boolean | null | undefined;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly providedId?: string | null | undefined;
  /** The organization to join; absent: the default one, where it takes new users. */
  readonly organizationId?: string | null | undefined;
}

/** Makes a user with an email identity. Nobody is told: no mail is sent.
 * @throws InvalidInputError INVALID_EMAIL, EMAIL_TAKEN or PROVIDED_ID_TAKEN */
export const createUser = action({
  permission: 'create:users',
  scope: (ctx, input: CreateUserInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<User> {
    const email = requireEmail(input.email, 'email');
    if (await findUserIdByEmail(ctx, environmentId, email))
      throw new InvalidInputError('EMAIL_TAKEN', 'Another user has this email address.', ['email']);
    const providedId = optionalText(input.providedId, 'providedId');
    if (providedId && (await ctx.db.user.findUnique({ where: { environmentId_providedId: { environmentId, providedId } } }))) {
      throw new InvalidInputError('PROVIDED_ID_TAKEN', 'Another user has this provided id.', ['providedId']);
    }
    if (
      input.organizationId &&
      !(await ctx.db.organization.findUnique({ where: { environmentId_id: { environmentId, id: input.organizationId } } }))
    ) {
      throw new NotFoundError('organization', ['organizationId']);
    }
    const user = await createUserRow(
      ctx,
      { environmentId, businessId },
      { email, isEmailVerified: input.isEmailVerified ?? false, firstName: input.firstName, lastName: input.lastName, providedId },
    );
    if (input.organizationId) {
      await addMembership(ctx, { environmentId, businessId, organizationId: input.organizationId, userId: user.id });
    } else {
      await joinAsNewUser(ctx, { environmentId, businessId }, user.id, undefined);
    }
    return user;
  },
});

/** Writes a user with an email identity, in no organization yet. */
export async function createUserRow(
  ctx: Context,
  scope: { environmentId: string; businessId: string },
  input: {
    email: string;
    isEmailVerified: boolean;
    firstName?: string | null | undefined;
    lastName?: string | null | undefined;
    providedId?: string | null;
  },
): Promise<User> {
  const { environmentId, businessId } = scope;
  const user = await ctx.db.user.create({
    data: {
      environmentId,
      id: newId('user'),
      firstName: optionalText(input.firstName, 'firstName'),
      lastName: optionalText(input.lastName, 'lastName'),
      providedId: input.providedId ?? null,
      searchContacts: searchContactsOf([input.email.toLowerCase()]),
    },
  });
  await ctx.db.identity.create({
    data: {
      environmentId,
      id: newId('identity'),
      userId: user.id,
      type: 'email',
      value: input.email,
      normalized: input.email.toLowerCase(),
      isPrimary: true,
      isVerified: input.isEmailVerified,
    },
  });
  await audit(ctx, { businessId, environmentId, action: 'user.created', target: { type: 'user', id: user.id } });
  return user;
}

/** What a search finds a user by, of its normalized identities. */
export function searchContactsOf(normalized: readonly string[]): string {
  return normalized.map((contact) => ` ${contact}`).join('');
}

/** Makes a user found by the identities it has now. To be called in the transaction that adds, changes or removes one. */
export async function refreshSearchContacts(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM users WHERE environment_id = ${environmentId} AND id = ${userId} FOR NO KEY UPDATE`;
  const identities = await ctx.db.identity.findMany({
    where: { environmentId, userId },
    select: { normalized: true },
    orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
  });
  await ctx.db.user.updateMany({
    where: { environmentId, id: userId },
    data: { searchContacts: searchContactsOf(identities.map(({ normalized }) => normalized)) },
  });
}

/** The id of the user with this email identity, compared without case. */
export async function findUserIdByEmail(ctx: Context, environmentId: string, email: string): Promise<string | undefined> {
  const identity = await ctx.db.identity.findUnique({
    where: { environmentId_type_normalized: { environmentId, type: 'email', normalized: email.toLowerCase() } },
    select: { userId: true },
  });
  return identity?.userId;
}

/** Marks an address as proved by its owner. */
export async function verifyEmail(ctx: Context, environmentId: string, email: string): Promise<void> {
  await ctx.db.identity.updateMany({
    where: { environmentId, type: 'email', normalized: email.toLowerCase() },
    data: { isVerified: true },
  });
}

/** Has the address been proved by its owner? */
export async function isEmailVerified(ctx: Context, environmentId: string, email: string): Promise<boolean> {
  return (await ctx.db.identity.count({ where: { environmentId, type: 'email', normalized: email.toLowerCase(), isVerified: true } })) > 0;
}

/** A suspended user may not sign in anywhere. */
export async function isSuspended(ctx: Context, environmentId: string, userId: string): Promise<boolean> {
  return (await ctx.db.user.count({ where: { environmentId, id: userId, isSuspended: true } })) > 0;
}

/** Notes a completed sign-in. */
export async function recordSignIn(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.user.update({
    where: { environmentId_id: { environmentId, id: userId } },
    data: { totalSignIns: { increment: 1 }, lastSignedInAt: ctx.clock.now(), failedSignIns: 0, lockedUntil: null },
  });
}
