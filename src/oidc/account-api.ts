/**
 * The account API: what SDKs ask on a person's behalf, with the person's access token, where the token does not say it
 * itself. Everything is read as it is now, for the organization that the token is for.
 */
import { ACCOUNT_LISTS, type AccountHolder, type AccountItem, type AccountList, readAccountList } from '../features/account/service.ts';
import { type Context, createContext, type Infrastructure, type Origin } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { sessionOfToken } from '../features/grants/access-tokens.ts';
import { findSubject } from '../features/grants/subject.ts';
import { endOwnSession, sessionsOf } from '../features/sessions/service.ts';
import { type LiveToken, presentedToken } from './access-token.ts';
import { organizationOf } from './claims.ts';
import type { Presentation } from './dpop.ts';
import { OAuthError } from './errors.ts';
import { portalLink } from './portal-link.ts';
import { profileOf } from './user-profile.ts';

/** What the account API refuses, as its SDKs read it. */
export class AccountApiError extends Error {
  readonly status: 400 | 403 | 404;
  readonly code: string;

  constructor(status: 400 | 403 | 404, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Query = Readonly<Record<string, unknown>>;

const PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 100;

/**
 * Answers `/account_api/v1/<path>`; undefined for what is done and has no more to say.
 * @throws OAuthError invalid_token
 * @throws AccountApiError for a person who is in the token's organization no more, an unknown path or key, or a bad page
 */
export async function accountApi(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  presentation: Presentation,
  request: { path: string; query: Query; origin: Origin },
): Promise<object | undefined> {
  const { holder, live, person, profile } = await holderOf(infrastructure, tenancy, presentation);
  const orgCode = holder.organizationId;
  const [name = '', key, ...more] = request.path.split('/').map(decoded);
  if (more.length > 0) throw notFound();

  if (name === 'sessions') {
    const { environmentId, userId } = holder;
    const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId }, request.origin);
    return sessions(ctx, tenancy, live, { method: presentation.method, id: key });
  }
  if (presentation.method === 'DELETE') throw notFound();
  if (key === undefined) {
    if (isList(name)) return list(infrastructure, name, holder, request.query);
    if (name === 'entitlements') return envelope({ org_code: orgCode, plans: [], entitlements: [] });
    if (name === 'user_profile') return envelope(profile());
    if (name === 'user_organizations') return envelope({ org_codes: person.organizationCodes });
    if (name === 'current_organization') return envelope({ org_code: orgCode, name: person.organization?.name ?? null });
    if (name === 'portal_link') return { url: await linkFor(infrastructure, tenancy, live, request.query) };
    throw notFound();
  }
  if (name === 'permission') {
    const { items } = await readAccountList(infrastructure, 'permissions', holder, { after: '', size: 1, key });
    const answer = { permissionKey: key, orgCode, isGranted: items.length > 0 };
    return { ...answer, data: answer };
  }
  if (name === 'feature_flags') {
    const { items } = await readAccountList(infrastructure, name, holder, { after: '', size: 1, key });
    if (items.length === 0) throw notFound();
    return { data: { feature_flag: items[0] }, metadata: {} };
  }
  throw notFound();
}

async function holderOf(infrastructure: Infrastructure, tenancy: Tenancy, presentation: Presentation) {
  const live = await presentedToken(infrastructure, tenancy, presentation);
  const holding = live?.person;
  if (!holding) throw new OAuthError('invalid_token', 'The access token is missing, expired, or not of this issuer.');
  const { environmentId } = tenancy;
  const { claims } = live;
  const organizationId = organizationOf(claims);
  const person = await findSubject(infrastructure, environmentId, holding.userId, organizationId);
  if (!person || (organizationId && (!person.organization || person.organization.isSuspended)))
    throw new AccountApiError(403, 'FORBIDDEN', 'The user is not a member of the organization any more, or it is suspended.');
  const holder: AccountHolder = { environmentId, userId: person.userId, organizationId };
  return { holder, live, person, profile: () => profileOf(holding, claims.scp) };
}

/** Where the person is signed in, and the end of one of these. */
async function sessions(
  ctx: Context,
  tenancy: Tenancy,
  { client, claims }: LiveToken,
  { method, id }: { readonly method: string; readonly id: string | undefined },
): Promise<object | undefined> {
  // A stranger's application learns nothing of a person's browsers, and signs nobody out of others.
  if (client.isDynamic) throw new AccountApiError(403, 'FORBIDDEN', 'This is for applications of the business itself.');
  const { environmentId } = tenancy;
  const userId = claims.sub!;
  if ((method === 'DELETE') !== (id !== undefined)) throw notFound();
  if (id !== undefined) {
    if (!(await endOwnSession(ctx, tenancy, userId, id))) throw notFound();
    return undefined;
  }
  const current = await sessionOfToken(ctx, environmentId, claims.jti);
  const items = (await sessionsOf(ctx, environmentId, userId)).map((session) => ({
    id: session.id,
    created_on: session.createdAt,
    last_active_on: session.lastActiveAt,
    expires_on: session.expiresAt,
    ip: session.ip,
    user_agent: session.userAgent,
    is_current: session.id === current,
  }));
  return envelope({ sessions: items });
}

/** A link to the person's own account pages. What `subnav` asks for is all on one page. */
async function linkFor(infrastructure: Infrastructure, tenancy: Tenancy, live: LiveToken, query: Query): Promise<string> {
  if (live.client.isDynamic)
    throw new AccountApiError(403, 'FORBIDDEN', 'An application that nobody of the business has looked at has no account pages.');
  if (live.client.type === 'device') throw new AccountApiError(403, 'FORBIDDEN', 'A device has no account pages.');
  const returnUrl = query['return_url'] ?? '';
  const link = typeof returnUrl === 'string' && (await portalLink(infrastructure, tenancy, live, returnUrl || null));
  if (!link) throw new AccountApiError(400, 'INVALID_RETURN_URL', 'The return_url is not at one of the application’s registered URLs.');
  return link;
}

async function list(infrastructure: Infrastructure, name: AccountList, holder: AccountHolder, query: Query): Promise<object> {
  const { items, hasMore } = await readAccountList(infrastructure, name, holder, {
    after: text(query, 'starting_after'),
    size: pageSize(query),
  });
  const isOfOrganization = name === 'permissions' || name === 'roles';
  return envelope({ ...(isOfOrganization && { org_code: holder.organizationId }), [name]: items }, hasMore ? items.at(-1) : undefined);
}

function envelope(data: object, last?: AccountItem): object {
  return { data, metadata: { has_more: last !== undefined, next_page_starting_after: last?.id ?? '' }, success: true };
}

function pageSize(query: Query): number {
  const given = text(query, 'page_size');
  if (given === '') return PAGE_SIZE;
  if (!/^\d{1,4}$/.test(given) || Number(given) < 1)
    throw new AccountApiError(400, 'INVALID_PAGE_SIZE', `The page_size is a number from 1 to ${MAX_PAGE_SIZE}.`);
  return Math.min(Number(given), MAX_PAGE_SIZE);
}

function text(query: Query, name: string): string {
  const given = query[name];
  return typeof given === 'string' && given.length <= 100 && !given.includes('\0') ? given : '';
}

function decoded(part: string): string {
  try {
    const given = decodeURIComponent(part);
    return given.includes('\0') ? '' : given;
  } catch {
    return '';
  }
}

function isList(name: string): name is AccountList {
  return (ACCOUNT_LISTS as readonly string[]).includes(name);
}

function notFound(): AccountApiError {
  return new AccountApiError(404, 'NOT_FOUND', 'There is nothing of this name.');
}
