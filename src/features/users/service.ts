/** Users of one environment, found by the identities they sign in with. */
import type { PermissionName } from '../../access/permissions.ts';
import type { User } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { actingAs, action, atVersion, type Context, environmentScope, NEXT_VERSION, type Scope, scopeOfRow } from '../context.ts';
import { type PasswordHashInput, savePasswordHash } from '../credentials/service.ts';
import { addMembership, joinAsNewUser } from '../organizations/service.ts';
import { changedOptionalText, comparable, optionalText } from '../text.ts';
import { assertIdentityFree, checkIdentity, type IdentityType, type NewIdentity, searchContactsOf } from './identities.ts';

export { usersMatching } from './finding.ts';
export {
  addIdentity,
  assertIdentityFree,
  checkIdentity,
  type IdentityType,
  refreshSearchContacts,
  searchContactsOf,
} from './identities.ts';
export { addressOf, findWayIn } from './ways-in.ts';

/** The user that an action is about, found within the actor's reach. */
export function userScope(ctx: Context, permission: PermissionName, userId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'user', 'userId', (environmentId) =>
    ctx.db.user.findFirst({ where: { ...(environmentId && { environmentId }), id: userId }, select: { environmentId: true } }),
  );
}

interface Profile {
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly picture?: string | null | undefined;
  readonly providedId?: string | null | undefined;
}

export interface CreateUserInput extends Profile {
  readonly environmentId?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly isEmailVerified?: boolean | null | undefined;
  readonly phone?: string | null | undefined;
  readonly isPhoneVerified?: boolean | null | undefined;
  readonly username?: string | null | undefined;
  readonly password?: PasswordHashInput | null | undefined;
  /** The organization to join; absent: the default one, where it takes new users. */
  readonly organizationId?: string | null | undefined;
}

/**
 * Makes a user with one identity at least. Nobody is told: no mail is sent. To say that a contact is verified takes
 * update:user_contacts as well, to set a password update:user_passwords, and to name an organization create:organization_users.
 * @throws InvalidInputError NO_IDENTITY, INVALID_EMAIL, INVALID_PHONE, INVALID_USERNAME, EMAIL_TAKEN, PHONE_TAKEN,
 *   USERNAME_TAKEN, PROVIDED_ID_TAKEN, INVALID_URL, REQUIRED, TOO_LONG or INVALID_TEXT, or what {@link savePasswordHash} refuses
 */
export const createUser = action({
  permission: 'create:users',
  besides: ({ isEmailVerified, isPhoneVerified, password, organizationId }: CreateUserInput) => [
    ...(isEmailVerified || isPhoneVerified ? (['update:user_contacts'] as const) : []),
    ...(password ? (['update:user_passwords'] as const) : []),
    ...(organizationId ? (['create:organization_users'] as const) : []),
  ],
  scope: (ctx, input: CreateUserInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<User> {
    const { environmentId } = scope;
    const identities = identitiesIn(input);
    for (const identity of identities) await assertIdentityFree(ctx, environmentId, identity, identity.type);
    const providedId = await freeProvidedId(ctx, environmentId, input.providedId);
    const { organizationId } = input;
    if (organizationId && !(await ctx.db.organization.findUnique({ where: { environmentId_id: { environmentId, id: organizationId } } })))
      throw new NotFoundError('organization', ['organizationId']);
    const profile = {
      firstName: optionalText(input.firstName, 'firstName'),
      lastName: optionalText(input.lastName, 'lastName'),
      picture: pictureUrl(input.picture) ?? null,
      providedId: providedId ?? null,
    };
    const user = await writeUser(ctx, scope, profile, identities);
    if (input.password) await savePasswordHash(ctx, environmentId, user.id, input.password);
    if (organizationId) await addMembership(ctx, { ...scope, organizationId, userId: user.id });
    else await joinAsNewUser(ctx, scope, user.id, undefined);
    return user;
  },
});

type Identities = Pick<CreateUserInput, 'email' | 'isEmailVerified' | 'phone' | 'isPhoneVerified' | 'username'>;

function identitiesIn(input: Identities): NewIdentity[] {
  const identities = [
    ...(input.email == null ? [] : [{ ...checkIdentity('email', input.email, 'email'), isVerified: input.isEmailVerified ?? false }]),
    ...(input.phone == null ? [] : [{ ...checkIdentity('phone', input.phone, 'phone'), isVerified: input.isPhoneVerified ?? false }]),
    ...(input.username == null ? [] : [{ ...checkIdentity('username', input.username, 'username'), isVerified: false }]),
  ];
  if (identities.length === 0) throw new InvalidInputError('NO_IDENTITY', 'A user needs an email address, a phone number or a username.');
  return identities;
}

export interface UpdateUserInput extends Profile {
  readonly userId: string;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a user's profile; what is absent stays.
 * @throws InvalidInputError TOO_LONG, INVALID_TEXT, INVALID_URL, PROVIDED_ID_TAKEN or CONFLICT */
export const updateUser = action({
  permission: 'update:users',
  scope: (ctx, input: UpdateUserInput, permission) => userScope(ctx, permission, input.userId),
  async run(ctx, input, { environmentId, businessId }): Promise<User> {
    const { userId } = input;
    const user = await ctx.db.user.update({
      where: { environmentId_id: { environmentId, id: userId }, ...atVersion(input) },
      data: {
        firstName: changedOptionalText(input.firstName, 'firstName'),
        lastName: changedOptionalText(input.lastName, 'lastName'),
        picture: pictureUrl(input.picture),
        providedId: await freeProvidedId(ctx, environmentId, input.providedId, userId),
        updatedAt: ctx.clock.now(),
        ...NEXT_VERSION,
      },
    });
    const fields = Object.keys(input).filter((field) => field !== 'userId' && field !== 'expectedVersion');
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'user.updated',
      target: { type: 'user', id: userId },
      details: { fields: fields.sort() },
    });
    return user;
  },
});

/** Notes that a person's claims are to be read anew. Every token is made from what is stored at that moment: none older is kept. */
export const refreshUserClaims = action({
  permission: 'update:user_refresh_claims',
  scope: (ctx, { userId }: { readonly userId: string }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, { environmentId, businessId }): Promise<User> {
    const user = await ctx.db.user.update({
      where: { environmentId_id: { environmentId, id: userId } },
      data: { claimsRefreshedAt: ctx.clock.now() },
    });
    await audit(ctx, { businessId, environmentId, action: 'user.claims_refreshed', target: { type: 'user', id: userId } });
    return user;
  },
});

/** The provided id as it is kept, null for none and undefined where the input does not name it. */
async function freeProvidedId(
  ctx: Context,
  environmentId: string,
  text: string | null | undefined,
  ofUserId?: string,
): Promise<string | null | undefined> {
  const providedId = changedOptionalText(text, 'providedId');
  if (providedId && (await ctx.db.user.count({ where: { environmentId, providedId, ...(ofUserId && { NOT: { id: ofUserId } }) } })) > 0)
    throw new InvalidInputError('PROVIDED_ID_TAKEN', 'Another user has this provided id.', ['providedId']);
  return providedId;
}

/** The address of a picture, that a browser may load from a page of ours. */
function pictureUrl(text: string | null | undefined): string | null | undefined {
  const picture = changedOptionalText(text, 'picture', 2000);
  if (picture && (!URL.canParse(picture) || new URL(picture).protocol !== 'https:'))
    throw new InvalidInputError('INVALID_URL', 'A picture is the https address of an image.', ['picture']);
  return picture;
}

/** Writes a user in no organization yet, with an address or a number that it has proved, or is known by.
 * @throws InvalidInputError USERNAME_TAKEN */
export async function createUserRow(
  ctx: Context,
  scope: Scope,
  input: {
    email?: string | null;
    isEmailVerified?: boolean;
    /** E.164, and proved. */
    phone?: string | null;
    username?: string | null;
    firstName?: string | null | undefined;
    lastName?: string | null | undefined;
  },
): Promise<User> {
  const identities = identitiesIn({ ...input, isPhoneVerified: true });
  for (const identity of identities)
    if (identity.type === 'username') await assertIdentityFree(ctx, scope.environmentId, identity, 'username');
  const profile = { firstName: optionalText(input.firstName, 'firstName'), lastName: optionalText(input.lastName, 'lastName') };
  return writeUser(ctx, scope, profile, identities);
}

/** Writes a user with at most one identity of each kind. */
async function writeUser(
  ctx: Context,
  { environmentId, businessId }: Scope,
  profile: { firstName: string | null; lastName: string | null; picture?: string | null; providedId?: string | null },
  identities: readonly NewIdentity[],
): Promise<User> {
  const id = newId('user');
  const searchContacts = searchContactsOf(identities.map(({ normalized }) => normalized));
  const user = await ctx.db.user.create({ data: { environmentId, id, searchContacts, ...profile } });
  await ctx.db.identity.createMany({
    data: identities.map((identity) => ({ environmentId, id: newId('identity'), userId: id, isPrimary: true, ...identity })),
  });
  await audit(ctx, { businessId, environmentId, action: 'user.created', target: { type: 'user', id: user.id } });
  return user;
}

/** The id of the user with this identity, compared without case. */
export async function findUserIdBy(ctx: Context, environmentId: string, type: IdentityType, value: string): Promise<string | undefined> {
  const identity = await ctx.db.identity.findFirst({
    where: { environmentId, type, normalized: comparable(value) },
    select: { userId: true },
  });
  return identity?.userId;
}

export function findUserIdByEmail(ctx: Context, environmentId: string, email: string): Promise<string | undefined> {
  return findUserIdBy(ctx, environmentId, 'email', email);
}

/** The address as its user wrote it; as it is where no user has it. */
export async function addressAsWritten(ctx: Context, environmentId: string, email: string): Promise<string> {
  const identity = await ctx.db.identity.findFirst({
    where: { environmentId, type: 'email', normalized: comparable(email) },
    select: { value: true },
  });
  return identity?.value ?? email;
}

/** Marks a user's address or number as proved by its owner. */
export async function verifyIdentity(
  ctx: Context,
  { environmentId, userId }: { readonly environmentId: string; readonly userId: string },
  type: IdentityType,
  value: string,
): Promise<void> {
  await ctx.db.identity.updateMany({ where: { environmentId, userId, type, normalized: comparable(value) }, data: { isVerified: true } });
}

/** Has the address been proved by its owner? */
export async function isEmailVerified(ctx: Context, environmentId: string, email: string): Promise<boolean> {
  return (await ctx.db.identity.count({ where: { environmentId, type: 'email', normalized: email.toLowerCase(), isVerified: true } })) > 0;
}

/** A suspended user may not sign in anywhere. */
export async function isSuspended(ctx: Context, environmentId: string, userId: string): Promise<boolean> {
  return (await ctx.db.user.count({ where: { environmentId, id: userId, isSuspended: true } })) > 0;
}

/**
 * Notes a completed sign-in. False for a user who may not sign in: to be asked in the transaction that starts the
 * session, so that nobody comes in while being suspended.
 */
export async function recordSignIn(ctx: Context, { environmentId, businessId }: Scope, userId: string): Promise<boolean> {
  const { count } = await ctx.db.user.updateMany({
    where: { environmentId, id: userId, isSuspended: false, accessRemovedAt: null },
    data: {
      totalSignIns: { increment: 1 },
      lastSignedInAt: ctx.clock.now(),
      language: ctx.origin.language,
      failedSignIns: 0,
      lockedUntil: null,
    },
  });
  if (count === 0) return false;
  await audit(actingAs(ctx, { kind: 'user', environmentId, userId }), {
    businessId,
    environmentId,
    action: 'user.authenticated',
    target: { type: 'user', id: userId },
  });
  return true;
}
