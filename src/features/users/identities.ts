/** What a person signs in with: an email address, a phone number or a username, each of one user of an environment. */
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';
import { isPhone, isUsername, requireEmail, requireText } from '../text.ts';

export type IdentityType = 'email' | 'phone' | 'username';

/** An identity as it was typed, and in the form that is compared. */
export interface IdentityValue {
  readonly type: IdentityType;
  readonly value: string;
  readonly normalized: string;
}

export interface NewIdentity extends IdentityValue {
  readonly isVerified: boolean;
}

/** Checks what a person is to sign in with.
 * @throws InvalidInputError INVALID_EMAIL, INVALID_PHONE, INVALID_USERNAME, REQUIRED, TOO_LONG or INVALID_TEXT */
export function checkIdentity(type: IdentityType, text: string, field: string): IdentityValue {
  const value = type === 'email' ? requireEmail(text, field) : requireText(text, field);
  if (type === 'phone' && !isPhone(value))
    throw new InvalidInputError('INVALID_PHONE', 'A phone number has its country code and no spaces, such as +61555111555.', [field]);
  if (type === 'username' && !isUsername(value))
    throw new InvalidInputError('INVALID_USERNAME', 'A username is 2 to 64 letters, digits, dashes and underscores.', [field]);
  return { type, value, normalized: value.toLowerCase() };
}

const TAKEN = {
  email: ['EMAIL_TAKEN', 'Another user has this email address.'],
  phone: ['PHONE_TAKEN', 'Another user has this phone number.'],
  username: ['USERNAME_TAKEN', 'Another user has this username.'],
} as const;

/** @throws InvalidInputError EMAIL_TAKEN, PHONE_TAKEN or USERNAME_TAKEN */
export async function assertIdentityFree(ctx: Context, environmentId: string, identity: IdentityValue, field: string): Promise<void> {
  const { type, normalized } = identity;
  if ((await ctx.db.identity.count({ where: { environmentId, type, normalized } })) === 0) return;
  const [code, message] = TAKEN[type];
  throw new InvalidInputError(code, message, [field]);
}

/** Writes an identity; the first of its kind becomes the primary one. It is younger than all that are there, whatever the clocks say. */
export async function addIdentity(ctx: Context, environmentId: string, userId: string, identity: NewIdentity): Promise<{ id: string }> {
  const there = await ctx.db.identity.findMany({ where: { environmentId, userId }, select: { type: true, createdAt: true } });
  const isPrimary = there.every(({ type }) => type !== identity.type);
  const createdAt = new Date(Math.max(ctx.clock.now().getTime(), ...there.map((other) => other.createdAt.getTime() + 1)));
  const added = await ctx.db.identity.create({
    data: { environmentId, id: newId('identity'), userId, ...identity, isPrimary, createdAt },
  });
  await refreshSearchContacts(ctx, environmentId, userId);
  return added;
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
