/**
 * RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0), with the parameters of SDKs besides. Where it leads must
 * be a registered logout URL; a redirect to anywhere else never happens.
 */
import { registeredFor } from '../features/applications/organization-urls.ts';
import { type Client, findClient, registeredUrls } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { endEverySession, endSession, findAnySession } from '../features/sessions/service.ts';
import { PageError } from './errors.ts';
import { type IdTokenHint, readIdTokenHint } from './id-token-hint.ts';
import { type Query, value } from './parameters.ts';

/** The parameters that are read; any other is ignored, as those behind an address that was not encoded. */
const PARAMETERS = [
  'redirect',
  'redirect_uri',
  'post_logout_redirect_uri',
  'client_id',
  'state',
  'id_token_hint',
  'all_sessions',
  'ui_locales',
  'lang',
] as const;

/** The parameters of a request that are read, as a query. */
export function logoutParameters(query: Query): Record<string, string> {
  return Object.fromEntries(PARAMETERS.flatMap((name) => (value(query, name) ? [[name, value(query, name)!]] : [])));
}

/** Where the browser goes, or why it stays. */
export type Destination = { readonly location: string | undefined } | { readonly refusal: PageError };

/** Ends the session behind the cookie.
 * @param isConfirmed whether the person has said so on our page
 * @returns where to go now; or where to once the person, who has to be asked, has confirmed it */
export async function logout(
  ctx: Context,
  tenancy: Tenancy,
  query: Query,
  sessionToken: string | undefined,
  isConfirmed: boolean,
): Promise<{ readonly isDone: boolean; readonly destination: Destination }> {
  const session = await findAnySession(ctx, tenancy.environmentId, sessionToken);
  const hintText = value(query, 'id_token_hint');
  const hint = hintText ? await readIdTokenHint(ctx, tenancy, hintText) : undefined;
  const destination = await destinationOf(ctx, tenancy, query, hint);
  // SDKs have parameters of their own, some beside the standard's, and send no hint: asking is for who follows the standard.
  const isOfStandard = value(query, 'post_logout_redirect_uri') !== undefined && value(query, 'redirect') === undefined;
  const isDoubtful = hint ? hint.sub !== session?.userId : isOfStandard;
  if (session && isDoubtful && !isConfirmed) return { isDone: false, destination };
  if (session && value(query, 'all_sessions') === 'true') await endEverySession(ctx, tenancy, session.userId);
  else if (session) await endSession(ctx, tenancy, session);
  return { isDone: true, destination };
}

async function destinationOf(ctx: Context, tenancy: Tenancy, query: Query, hint: IdTokenHint | undefined): Promise<Destination> {
  const { environmentId } = tenancy;
  const target = value(query, 'post_logout_redirect_uri') ?? value(query, 'redirect') ?? value(query, 'redirect_uri');
  if (!target) return { location: undefined };
  const client = await clientOf(ctx, tenancy, value(query, 'client_id'), hint);
  if (value(query, 'id_token_hint') && (!hint || !client)) return staysHere('The application sent a token that does not belong to it.');
  const allowed = client ? client.logoutUrls : (await registeredUrls(ctx, environmentId)).logoutUrls;
  if ((await registeredFor(ctx, environmentId, allowed, target)) === undefined)
    return staysHere('The application asked to send you to a page that is not one of its logout URLs.');
  const state = value(query, 'state');
  return { location: state ? `${target}${target.includes('?') ? '&' : '?'}state=${encodeURIComponent(state)}` : target };
}

/** The application that asks; undefined where nothing names it, or where what does is at odds. */
async function clientOf(
  ctx: Context,
  { environmentId }: Tenancy,
  clientId: string | undefined,
  hint: IdTokenHint | undefined,
): Promise<Client | undefined> {
  const hinted = hint?.clientIds[0];
  if (clientId && hint && !hint.clientIds.includes(clientId)) return undefined;
  const named = clientId ?? hinted;
  return named === undefined ? undefined : findClient(ctx, environmentId, named);
}

function staysHere(reason: string): Destination {
  return { refusal: new PageError(400, 'stays_here', { number: 1656, detail: reason }) };
}
