/**
 * People's own account pages: who they are, where they are signed in, and by what. They are part of an application's
 * sign-in: whoever comes here goes through whatever a sign-in to it asks for at that moment, and is then shown the page
 * in the place of an answer to the application.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Client, findClient } from '../features/applications/service.ts';
import { type Context, createContext, type Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { endOtherSessions, endSessionOfSelf, readOwnAccount, renameSelf } from '../features/own-account/service.ts';
import { passkeyPolicyFor, removeOwnPasskey } from '../features/passkeys/service.ts';
import { findSession, type Session } from '../features/sessions/service.ts';
import { browserToken, sessionToken } from '../http/cookies.ts';
import { csrfToken } from '../http/csrf.ts';
import { limitRate } from '../http/failures.ts';
import { originOf, sceneOf, sendPage } from '../http/server.ts';
import { deliver } from '../oidc/deliver.ts';
import { isOwnPage, type Portal, portalUrl, takePortalLink } from '../oidc/portal-link.ts';
import { accountPage } from '../pages/account.ts';
import { sameText } from '../security/secrets.ts';
import { destinationOf, type Outcome } from './flow.ts';
import { beginOwn, ownRequest } from './own-request.ts';
import { expired, foreignBrowser, wayBackOf } from './place.ts';
import { singleFields } from './routes.ts';
import { name } from './steps/identifier.ts';

/** Seconds since the person proved who they are, at most, for what could lock them out. */
const FRESH_SECONDS = 900;

interface Visitor {
  readonly ctx: Context;
  readonly session: Session;
}

/** What the forms of the page do. */
const FORMS: Readonly<Record<string, (visitor: Visitor, tenancy: Tenancy, form: Record<string, string | undefined>) => Promise<void>>> = {
  profile: ({ ctx, session }, tenancy, { p_first_name, p_last_name }) =>
    renameSelf(ctx, tenancy, session.userId, { firstName: name(p_first_name), lastName: name(p_last_name) }),
  end_session: ({ ctx, session }, tenancy, { p_session = '' }) => endSessionOfSelf(ctx, tenancy, session, p_session),
  end_others: ({ ctx, session }, tenancy) => endOtherSessions(ctx, tenancy, session),
  remove_passkey: ({ ctx, session }, tenancy, { p_passkey = '' }) => removeOwnPasskey(ctx, tenancy, session.userId, p_passkey),
};

export function portalRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  const csrfOf = (request: FastifyRequest) => csrfToken(infrastructure, sessionToken(request), 'portal');

  return (routes) => {
    routes.get<{ Querystring: { key?: unknown } }>('/portal_redirect', async (request, reply) => {
      const { key } = request.query;
      const link = typeof key === 'string' ? await takePortalLink(infrastructure, request.tenancy.environmentId, key) : undefined;
      if (!link) throw expired();
      const entered = await enter(infrastructure, request, reply, link, { hintedUserId: link.userId });
      return goOn(request, reply, 'outcome' in entered ? entered.outcome : { location: portalUrl(request.tenancy, entered.portal) }, 302);
    });

    routes.get('/portal', async (request, reply) => {
      const entered = await enter(infrastructure, request, reply, portalIn(request.query));
      if ('outcome' in entered) return goOn(request, reply, entered.outcome, 302);
      const { ctx, session, client, portal } = entered;
      const { tenancy } = request;
      const { organizationId, returnUrl } = portal;
      request.organizationId = organizationId;
      const view = {
        ...(await sceneOf(request)),
        csrf: csrfOf(request),
        typed: {},
        hidden: Object.fromEntries(new URL(portalUrl(tenancy, portal)).searchParams),
        account: await readOwnAccount(ctx, session),
        showsPasskeys: (await passkeyPolicyFor(ctx, tenancy, organizationId)) !== 'off',
        isSaved: singleFields(request.query)['saved'] === 'true',
        back: returnUrl === null ? undefined : { url: returnUrl, application: client.name },
      };
      return sendPage(reply, 200, accountPage(view), { formAction: "'self'" });
    });

    routes.post<{ Params: { form: string } }>('/portal/:form', async (request, reply) => {
      const { tenancy, params } = request;
      const form = singleFields(request.body);
      if (!sessionToken(request) || !sameText(form['csrf'] ?? '', csrfOf(request))) throw foreignBrowser();
      const submit = Object.hasOwn(FORMS, params.form) ? FORMS[params.form] : undefined;
      if (!submit) return reply.callNotFound();
      const limits = params.form === 'remove_passkey' ? { maxAge: FRESH_SECONDS } : {};
      const entered = await enter(infrastructure, request, reply, portalIn(form), limits);
      if ('outcome' in entered) return goOn(request, reply, entered.outcome, 303);
      const { session, portal } = entered;
      limitRate(infrastructure, 'auth', tenancy.environmentId, { account: session.userId });
      await submit(entered, tenancy, form);
      return goOn(request, reply, { location: `${portalUrl(tenancy, portal)}${params.form === 'profile' ? '&saved=true' : ''}` }, 303);
    });
  };
}

function goOn(request: FastifyRequest, reply: FastifyReply, outcome: Outcome, status: 302 | 303): Promise<FastifyReply> {
  return deliver(request, reply, destinationOf(outcome), status);
}

/** Which portal a request says that it is for. */
function portalIn(fields: unknown): Portal {
  const { client_id: clientId, org_code: organizationId, return_url: returnUrl } = singleFields(fields);
  return {
    clientId: clientId ?? '',
    organizationId: organizationId && /^org_[0-9a-f]{1,64}$/.test(organizationId) ? organizationId : null,
    returnUrl: returnUrl || null,
  };
}

/** Whoever may be shown the pages; or where the browser goes first, because the session is not enough for a sign-in.
 * @throws PageError for an application that has no such pages */
async function enter(
  infrastructure: Infrastructure,
  request: FastifyRequest,
  reply: FastifyReply,
  { clientId, organizationId, returnUrl: wanted }: Portal,
  limits: { readonly hintedUserId?: string; readonly maxAge?: number } = {},
): Promise<(Visitor & { readonly client: Client; readonly portal: Portal }) | { readonly outcome: Outcome }> {
  const { tenancy } = request;
  const { environmentId, issuer } = tenancy;
  const client = await findClient(infrastructure, environmentId, clientId);
  if (!client || client.isDynamic || !['reg', 'spa'].includes(client.type)) throw expired();
  request.wayBack = wayBackOf(client, `${issuer}/portal`);
  const isOwn = wanted !== null && (await isOwnPage(infrastructure, tenancy, client, { returnUrl: wanted, organizationId }));
  const returnUrl = isOwn ? wanted : null;
  const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, originOf(request));
  const own = ownRequest(ctx, { clientId, redirectUri: `${issuer}/portal`, portal: { returnUrl }, organizationId });
  const cookies = { session: sessionToken(request), browser: browserToken(request, reply) };
  const outcome = await beginOwn(ctx, { tenancy, client }, own, cookies, limits);
  if (!('answer' in outcome)) return { outcome };
  const session = await findSession(ctx, environmentId, cookies.session);
  if (!session) throw expired();
  return { ctx, session, client, portal: { clientId, organizationId, returnUrl } };
}
