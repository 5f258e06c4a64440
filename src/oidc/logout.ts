/** RP-initiated logout. Where it leads must be a registered logout URL; a redirect to anywhere else never happens. */
import { decodeJwt } from 'jose';
import { isRegistered } from '../features/applications/callback-urls.ts';
import { findClient, registeredUrls } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { endSession, findAnySession } from '../features/sessions/service.ts';
import { PageError } from './errors.ts';
import { type Query, value } from './parameters.ts';

/** Ends the session behind the cookie. Returns where to go, or undefined for the page that says it is done.
 * @throws PageError after signing out, when the place to go is not registered */
export async function logout(ctx: Context, tenancy: Tenancy, query: Query, sessionToken: string | undefined): Promise<string | undefined> {
  const session = await findAnySession(ctx, tenancy.environmentId, sessionToken);
  if (session) await endSession(ctx, tenancy, session);

  const target = value(query, 'post_logout_redirect_uri') ?? value(query, 'redirect') ?? value(query, 'redirect_uri');
  if (!target) return undefined;
  const clientId = value(query, 'client_id') ?? hintedClient(value(query, 'id_token_hint'));
  const client = clientId ? await findClient(ctx, tenancy.environmentId, clientId) : undefined;
  const allowed = client ? client.logoutUrls : (await registeredUrls(ctx, tenancy.environmentId)).logoutUrls;
  if (!isRegistered(allowed, target)) {
    throw new PageError(
      400,
      'You are signed out',
      'The application asked to send you to a page that is not one of its logout URLs, so you stay here.',
      1656,
    );
  }
  const state = value(query, 'state');
  if (!state) return target;
  return `${target}${target.includes('?') ? '&' : '?'}state=${encodeURIComponent(state)}`;
}

/** Which application an ID token was made for. Only a hint: it opens no more than that application's own URLs. */
function hintedClient(idToken: string | undefined): string | undefined {
  try {
    const audience = idToken ? decodeJwt(idToken).aud : undefined;
    return Array.isArray(audience) ? audience[0] : audience;
  } catch {
    return undefined;
  }
}
