/** Passkeys: what people sign in with instead of typing anything. A user may have several; they are made on the sign-in pages. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { PermissionName } from '../../access/permissions.ts';
import type { Passkey } from '../../db/generated/client/client.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { actingAs, action, atVersion, type Context, inTransaction, NEXT_VERSION, type Scope, scopeOfRow } from '../context.ts';
import { organizationOverrides } from '../organization-policies/service.ts';
import type { PasskeyPolicy } from '../sign-in-policies/service.ts';
import { requireText } from '../text.ts';
import { userScope } from '../users/service.ts';
import { checkCreation, checkUse, creationOptions, type Enrolment } from './ceremonies.ts';

export type { Passkey };

/** Passkeys that a user may have. */
export const MAX_PASSKEYS = 20;
export const MAX_NAME = 100;

/** An environment, as far as passkeys are concerned. */
interface Place extends Scope {
  readonly issuer: string;
  readonly passkeyPolicy: PasskeyPolicy;
}

/** What holds for sign-ins to the organization, or to none. */
export async function passkeyPolicyFor(ctx: Context, place: Place, organizationId: string | null): Promise<PasskeyPolicy> {
  return (await organizationOverrides(ctx, place.environmentId, organizationId))?.passkeyPolicy ?? place.passkeyPolicy;
}

/** Has the person none, and is willing to hear of them? */
export async function passkeyPrompt(
  ctx: Context,
  environmentId: string,
  userId: string,
): Promise<{ hasPasskey: boolean; isDeclined: boolean }> {
  const user = await ctx.db.user.findUniqueOrThrow({
    where: { environmentId_id: { environmentId, id: userId } },
    select: { passkeyDeclinedAt: true, _count: { select: { passkeys: true } } },
  });
  return { hasPasskey: user._count.passkeys > 0, isDeclined: user.passkeyDeclinedAt !== null };
}

/** What the browser is asked to make a passkey of the user with. */
export async function enrolmentOptions(ctx: Context, enrolment: Enrolment, serviceName: string) {
  const { environmentId, userId } = enrolment;
  const { firstName, lastName, identities, passkeys } = await ctx.db.user.findUniqueOrThrow({
    where: { environmentId_id: { environmentId, id: userId } },
    select: {
      firstName: true,
      lastName: true,
      // "email" before "phone" before "username"
      identities: { where: { isPrimary: true }, select: { value: true }, orderBy: { type: 'asc' }, take: 1 },
      passkeys: { select: { credentialId: true, transports: true }, take: MAX_PASSKEYS },
    },
  });
  const account = identities[0]?.value ?? userId;
  const displayName = [firstName, lastName].filter(Boolean).join(' ') || account;
  return creationOptions(enrolment, { serviceName, account, displayName, known: passkeys });
}

/** Gives the user the passkey that the browser has made; false when what it says is not to be believed. */
export async function addPasskey(ctx: Context, scope: Scope, enrolment: Enrolment, answer: RegistrationResponseJSON): Promise<boolean> {
  const { environmentId, userId } = enrolment;
  const made = await checkCreation(enrolment, answer);
  if (!made) return false;
  return inTransaction(actingAs(ctx, { kind: 'user', environmentId, userId }), async (tx) => {
    // The user's row is held, so that those made at once are counted.
    await tx.db.user.update({ where: { environmentId_id: { environmentId, id: userId } }, data: { passkeyDeclinedAt: null } });
    const isKnown = (await tx.db.passkey.count({ where: { environmentId, credentialId: made.credentialId } })) > 0;
    if (isKnown || (await tx.db.passkey.count({ where: { environmentId, userId } })) >= MAX_PASSKEYS) return false;
    const passkey = await tx.db.passkey.create({
      data: {
        environmentId,
        id: newId('passkey'),
        userId,
        ...made,
        publicKey: new Uint8Array(made.publicKey),
        name: deviceName(ctx.origin.userAgent ?? '') ?? 'Passkey',
        createdAt: ctx.clock.now(),
      },
    });
    await note(tx, scope, passkey, 'passkey.added');
    return true;
  });
}

/** The browser and the system that a User-Agent header names, as far as it does. */
export function deviceName(userAgent: string): string | undefined {
  const first = (names: readonly (readonly [RegExp, string])[]) => names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = first([
    [/\bEdgA?\//, 'Edge'],
    [/\bOPR\//, 'Opera'],
    [/\bSamsungBrowser\//, 'Samsung Internet'],
    [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
    [/\b(?:HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
    [/\bSafari\//, 'Safari'],
  ]);
  const system = first([
    [/\biPhone\b/, 'iPhone'],
    [/\biPad\b/, 'iPad'],
    [/\bAndroid\b/, 'Android'],
    [/\bCrOS\b/, 'ChromeOS'],
    [/\bWindows\b/, 'Windows'],
    [/\bMac OS X\b/, 'macOS'],
    [/\bLinux\b/, 'Linux'],
  ]);
  return [browser, system].filter(Boolean).join(' · ') || undefined;
}

/** Notes that the person wants none: nobody asks again. */
export async function declinePasskey(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.user.updateMany({ where: { environmentId, id: userId }, data: { passkeyDeclinedAt: ctx.clock.now() } });
}

/** The environment's passkey that an authenticator calls so. */
export async function findPasskey(ctx: Context, environmentId: string, credentialId: string): Promise<Passkey | undefined> {
  return (await ctx.db.passkey.findUnique({ where: { environmentId_credentialId: { environmentId, credentialId } } })) ?? undefined;
}

/** Is the answer to the challenge by this passkey, which is there still? Then its use is noted. */
export async function provePasskey(
  ctx: Context,
  issuer: string,
  challenge: string,
  passkey: Passkey,
  answer: AuthenticationResponseJSON,
): Promise<'right' | 'wrong'> {
  const use = await checkUse(issuer, challenge, passkey, answer);
  if (!use) return 'wrong';
  const { environmentId, id, isSyncable } = passkey;
  // With the counter in the condition: of two uses with one count, as by a copy, only the first is one.
  const isCounted = isSyncable || use.counter === 0 ? {} : { counter: { lt: use.counter } };
  const { count } = await ctx.db.passkey.updateMany({
    where: { environmentId, id, ...isCounted },
    data: { ...use, lastUsedAt: ctx.clock.now(), useCount: { increment: 1 } },
  });
  return count === 1 ? 'right' : 'wrong';
}

interface PasskeyInput {
  readonly passkeyId: string;
}

/** Gives a passkey another name.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT or CONFLICT */
export const updatePasskey = action({
  permission: 'update:identities',
  scope: (ctx, input: PasskeyInput & { readonly name: string; readonly expectedVersion?: number | null | undefined }, permission) =>
    passkeyScope(ctx, permission, input.passkeyId),
  async run(ctx, input, scope): Promise<Passkey> {
    const passkey = await ctx.db.passkey.update({
      where: { environmentId_id: { environmentId: scope.environmentId, id: input.passkeyId }, ...atVersion(input) },
      data: { name: requireText(input.name, 'name', MAX_NAME), ...NEXT_VERSION },
    });
    await note(ctx, scope, passkey, 'passkey.renamed');
    return passkey;
  },
});

/** Takes a passkey away: nobody signs in with it any more. Sessions that it began go on. */
export const deletePasskey = action({
  permission: 'delete:identities',
  scope: (ctx, input: PasskeyInput, permission) => passkeyScope(ctx, permission, input.passkeyId),
  async run(ctx, { passkeyId }, scope): Promise<{ deletedId: string }> {
    const passkey = await ctx.db.passkey.delete({ where: { environmentId_id: { environmentId: scope.environmentId, id: passkeyId } } });
    await note(ctx, scope, passkey, 'passkey.removed');
    return { deletedId: passkeyId };
  },
});

/** Takes a passkey of the person's own away, as they do it themselves; another's is left as it is. */
export async function removeOwnPasskey(ctx: Context, scope: Scope, userId: string, passkeyId: string): Promise<void> {
  const { environmentId } = scope;
  await inTransaction(actingAs(ctx, { kind: 'user', environmentId, userId }), async (tx) => {
    const passkey = await tx.db.passkey.findFirst({ where: { environmentId, id: passkeyId, userId } });
    if (passkey && (await tx.db.passkey.deleteMany({ where: { environmentId, id: passkeyId } })).count === 1)
      await note(tx, scope, passkey, 'passkey.removed');
  });
}

/** Has a user who wanted no passkey asked again, at the next sign-in. */
export const resetPasskeyPrompt = action({
  permission: 'update:identities',
  scope: (ctx, { userId }: { readonly userId: string }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, { environmentId, businessId }): Promise<{ environmentId: string; id: string }> {
    await ctx.db.user.updateMany({ where: { environmentId, id: userId }, data: { passkeyDeclinedAt: null } });
    await audit(ctx, { businessId, environmentId, action: 'user.passkey_prompt_reset', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

function passkeyScope(ctx: Context, permission: PermissionName, passkeyId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'passkey', 'passkeyId', (environmentId) =>
    ctx.db.passkey.findFirst({ where: { ...(environmentId && { environmentId }), id: passkeyId }, select: { environmentId: true } }),
  );
}

function note(ctx: Context, { environmentId, businessId }: Scope, { id, userId, name }: Passkey, event: string): Promise<void> {
  return audit(ctx, { businessId, environmentId, action: event, target: { type: 'passkey', id }, details: { userId, name } });
}
