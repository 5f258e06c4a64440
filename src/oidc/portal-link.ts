/**
 * Links to a person's own account pages, which SDKs ask for with the person's access token. A link is good once and for
 * five minutes, and lets nobody in: whoever follows it is asked to sign in unless the browser is signed in as that person.
 */
import { originRegisteredFor } from '../features/applications/organization-urls.ts';
import type { Client } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isFirstUse } from '../features/replays/service.ts';
import { randomToken } from '../kernel/ids.ts';
import type { LiveToken } from './access-token.ts';
import { organizationOf } from './claims.ts';

export const PORTAL_LINK_SECONDS = 300;

const PURPOSE = 'portal link';

/** Whose pages, in a manner of speaking: those of a person at an application, for one organization or none. */
export interface Portal {
  readonly clientId: string;
  readonly organizationId: string | null;
  /** A page of the application, to go back to. */
  readonly returnUrl: string | null;
}

/** What a link holds, sealed. */
interface PortalLink extends Portal {
  readonly environmentId: string;
  readonly userId: string;
  readonly jti: string;
  readonly expiresAt: number;
}

/** The link for a person's token; undefined where `returnUrl` is no page of the token's application. */
export async function portalLink(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { client, claims }: Pick<LiveToken, 'client' | 'claims'>,
  returnUrl: string | null,
): Promise<string | undefined> {
  const { clock, vault } = infrastructure;
  const organizationId = organizationOf(claims);
  if (returnUrl !== null && !(await isOwnPage(infrastructure, tenancy, client, { returnUrl, organizationId }))) return undefined;
  const link: PortalLink = {
    environmentId: tenancy.environmentId,
    clientId: client.clientId,
    userId: claims.sub!,
    organizationId,
    returnUrl,
    jti: randomToken(),
    expiresAt: clock.now().getTime() + PORTAL_LINK_SECONDS * 1000,
  };
  const key = Buffer.from(vault.seal(PURPOSE, JSON.stringify(link)), 'base64').toString('base64url');
  return `${tenancy.issuer}/portal_redirect?key=${key}`;
}

/** Is it a page of the application, by the URLs that it has registered? One with a handle is its organization's alone. */
export async function isOwnPage(
  infrastructure: Infrastructure,
  { environmentId }: Tenancy,
  { callbackUrls, logoutUrls }: Client,
  { returnUrl, organizationId }: { readonly returnUrl: string; readonly organizationId: string | null },
): Promise<boolean> {
  if (!/^https?:/.test(returnUrl) || !URL.canParse(returnUrl)) return false;
  const { origin } = new URL(returnUrl);
  const whose = await originRegisteredFor(infrastructure, environmentId, [...callbackUrls, ...logoutUrls], origin);
  return whose === null || (whose !== undefined && whose === organizationId);
}

/** Where the pages are. */
export function portalUrl({ issuer }: Pick<Tenancy, 'issuer'>, { clientId, organizationId, returnUrl }: Portal): string {
  const query = { client_id: clientId, ...(organizationId && { org_code: organizationId }), ...(returnUrl && { return_url: returnUrl }) };
  return `${issuer}/portal?${new URLSearchParams(query)}`;
}

/** What the link with this key holds, for the first who follows it; undefined for any other, and for what is no key. */
export async function takePortalLink(infrastructure: Infrastructure, environmentId: string, key: string): Promise<PortalLink | undefined> {
  const link = opened(infrastructure, key);
  if (link?.environmentId !== environmentId || link.expiresAt <= infrastructure.clock.now().getTime()) return undefined;
  const { jti, userId, expiresAt } = link;
  const use = { environmentId, kind: 'portal link', owner: userId, jti, expiresAt: new Date(expiresAt) } as const;
  return (await isFirstUse(infrastructure, use)) ? link : undefined;
}

function opened({ vault }: Infrastructure, key: string): PortalLink | undefined {
  try {
    return JSON.parse(vault.open(PURPOSE, Buffer.from(key, 'base64url').toString('base64'))) as PortalLink;
  } catch {
    return undefined;
  }
}
