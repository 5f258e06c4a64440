/** One application's sign-in at one environment, and the errors that end one. */
import { loginUriFor } from '../features/applications/callback-urls.ts';
import type { Client } from '../features/applications/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import type { Attempt } from '../features/sign-in-attempts/service.ts';
import type { Suspect } from '../features/sign-in-failures/service.ts';
import { PageError } from '../oidc/errors.ts';
import type { WayBack } from '../pages/messages.ts';

export interface Place {
  readonly tenancy: Tenancy;
  readonly client: Client;
}

/** The URL of the attempt's page. */
export function pageOf(tenancy: Tenancy, attempt: Pick<Attempt, 'id'>): string {
  return `${tenancy.issuer}/signin/${attempt.id}`;
}

/** The same, where it says that another code is on its way. */
export function pageAfterSending(tenancy: Tenancy, attempt: Pick<Attempt, 'id'>): string {
  return `${pageOf(tenancy, attempt)}?sent`;
}

/** Whose tries are taken by what is typed in an attempt. */
export function suspectOf({ userId, phone, email, username }: Pick<Attempt, 'userId' | 'phone' | 'email' | 'username'>): Suspect {
  if (userId) return { userId };
  const address = phone ?? email ?? username;
  if (!address) throw expired();
  return { address };
}

/** What a page may lead back to of who came to sign in for `redirectUri`. */
export function wayBackOf(client: Client, redirectUri: string): WayBack {
  return { ...client, loginUri: loginUriFor(client, redirectUri) };
}

/** What mails call the application: not what a stranger calls itself. */
export function shownName({ tenancy, client }: Place): string {
  return client.isDynamic ? new URL(tenancy.issuer).host : client.name;
}

export const expired = () => new PageError(400, 'expired', { number: 4321 });
export const suspended = () => new PageError(403, 'suspended');
export const alreadyCompleted = () => new PageError(400, 'completed', { number: 4321 });
export const foreignBrowser = () => new PageError(403, 'foreign_browser', { number: 8809 });
