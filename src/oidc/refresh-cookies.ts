/**
 * Refresh tokens in cookies, for applications that run in a browser and keep none themselves. SDKs look for a mark that
 * scripts can read, and then send `grant_type=refresh_token` without a token, with credentials. The token's own cookie is
 * for the token endpoint alone, and counts only for a page of the application that it was given to.
 */
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply } from 'fastify';
import { getDomain } from 'tldts';
import { originRegisteredFor } from '../features/applications/organization-urls.ts';
import type { Client } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { findRefreshToken } from '../features/grants/service.ts';

/** The page that a request comes from, as the browser tells it. */
export interface Page {
  readonly origin: string | undefined;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** Lets the browser keep something. */
  setCookie(name: string, value: string, options: CookieSerializeOptions): void;
}

/** What no browser sent. */
export const NO_PAGE: Page = { origin: undefined, cookies: {}, setCookie() {} };

const TOKEN = 'refresh_token';
const MARK = '_kbrte';

/** Two applications of an issuer share the browser's cookies: each finds its own before the one that came last. */
function namesFor({ applicationId }: Client): string[] {
  return [`${TOKEN}_${applicationId.slice(4, 10)}`, TOKEN];
}

/** The token that the browser keeps for the application, when one of the application's own pages asks; to an organization's page only one that is for it. */
export async function tokenInCookie(
  infrastructure: Infrastructure,
  { environmentId }: Tenancy,
  client: Client,
  { origin, cookies }: Page,
): Promise<string | undefined> {
  const token = namesFor(client)
    .map((name) => cookies[name])
    .find((kept) => kept);
  const organizationId = token && (await pageOf(infrastructure, environmentId, client, origin));
  if (!token || organizationId === undefined) return undefined;
  if (organizationId === null) return token;
  return (await findRefreshToken(infrastructure, environmentId, token))?.organizationId === organizationId ? token : undefined;
}

/** Lets the browser keep the token, where a page of a public client asked for it. */
export async function keepInCookie(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { client, page, refreshToken }: { readonly client: Client; readonly page: Page; readonly refreshToken: string },
): Promise<void> {
  if ((await pageOf(infrastructure, tenancy.environmentId, client, page.origin)) === undefined) return;
  const issuer = new URL(tenancy.issuer);
  const shared = sharedSite(issuer.hostname, new URL(page.origin!).hostname);
  const secure = issuer.protocol === 'https:';
  const common = { secure, maxAge: client.refreshTokenLifetime, sameSite: shared || !secure ? ('lax' as const) : ('none' as const) };
  for (const name of namesFor(client)) page.setCookie(name, refreshToken, { ...common, httpOnly: true, path: tokenPath(tenancy) });
  if (shared) page.setCookie(MARK, '1', { ...common, path: '/', ...(shared.domain && { domain: shared.domain }) });
}

/** Forgets what {@link keepInCookie} kept, but for names of applications, which this path is not told; those tokens are revoked. */
export function clearRefreshCookies(reply: FastifyReply, tenancy: Tenancy): void {
  const { hostname, protocol } = new URL(tenancy.issuer);
  const attributes = { secure: protocol === 'https:', sameSite: 'lax' as const };
  reply.clearCookie(TOKEN, { ...attributes, httpOnly: true, path: tokenPath(tenancy) });
  reply.clearCookie(MARK, { ...attributes, path: '/' });
  const domain = siteOf(hostname);
  if (domain) reply.clearCookie(MARK, { ...attributes, path: '/', domain });
}

/** Whose page of a public client it is: null for everybody's, undefined for none of the client's. */
async function pageOf(
  infrastructure: Infrastructure,
  environmentId: string,
  { secretHash, callbackUrls, logoutUrls }: Client,
  origin: string | undefined,
): Promise<string | null | undefined> {
  if (origin === undefined || secretHash !== null) return undefined;
  return originRegisteredFor(infrastructure, environmentId, [...callbackUrls, ...logoutUrls], origin);
}

function tokenPath({ basePath }: Tenancy): string {
  return `${basePath}/oauth2/token`;
}

/** The parent domain that two hosts share, none where they are the same host; undefined for hosts of different sites. */
function sharedSite(issuer: string, page: string): { domain: string | undefined } | undefined {
  if (issuer === page) return { domain: undefined };
  const domain = siteOf(issuer);
  return domain && domain === siteOf(page) ? { domain } : undefined;
}

/** The domain that somebody registered; null for what is shared by strangers. */
function siteOf(host: string): string | null {
  return getDomain(host, { allowPrivateDomains: true });
}
