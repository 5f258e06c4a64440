/** What people sign in with at an application, and which of it somebody has typed. */
import type { Client } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import { canText } from '../features/phone-senders/service.ts';
import type { Attempt } from '../features/sign-in-attempts/service.ts';
import type { IdentityType } from '../features/users/service.ts';
import type { Place } from './place.ts';

/** What the first page asks for: one field for an address, a username, or either; or a phone number. */
export interface Asked {
  readonly field: 'email' | 'username' | 'either' | 'phone' | undefined;
  /** What may be asked for in its place. */
  readonly instead: 'email' | 'username' | 'phone' | undefined;
}

/** An invitation is for an address: it takes neither a phone number nor a username alone. */
export async function askedAt(
  ctx: Context,
  { client, tenancy }: Place,
  { request, usesPhone }: Pick<Attempt, 'request' | 'usesPhone'>,
): Promise<Asked> {
  const hasEmail = client.emailSignIn !== 'off';
  const hasUsername = client.usernameSignIn !== 'off';
  const text = hasEmail ? (hasUsername ? 'either' : 'email') : hasUsername ? 'username' : undefined;
  if (request.invitationId) return { field: hasEmail ? 'email' : text, instead: undefined };
  const hasPhone = client.phoneSignIn === 'code' && (await canText(ctx, tenancy.environmentId));
  if (!hasPhone) return { field: text, instead: undefined };
  if (!text) return { field: 'phone', instead: undefined };
  return usesPhone ? { field: 'phone', instead: hasEmail ? 'email' : 'username' } : { field: text, instead: 'phone' };
}

/** What somebody signs in with, as they typed it. */
export interface Identifier {
  readonly type: IdentityType;
  readonly value: string;
}

/** What the attempt's person is known by, to show to them. Of who typed a username the address is not shown: it was not they who said it. */
export function shownIdentifier({ phone, username, email, flow }: Pick<Attempt, 'phone' | 'username' | 'email' | 'flow'>): string {
  return phone ?? (flow === 'login' ? username : null) ?? email ?? username ?? '';
}

/** Is this attempt's person asked for a password here? */
export function usesPassword(
  { emailSignIn, usernameSignIn }: Client,
  { phone, username, flow }: Pick<Attempt, 'phone' | 'username' | 'flow'>,
): boolean {
  if (phone) return false;
  const isByName = username !== null && usernameSignIn === 'password';
  return isByName || (emailSignIn === 'password' && (flow === 'register' || username === null));
}
