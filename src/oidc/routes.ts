/** The protocol's URLs. A route unpacks its request, calls one function, and maps what comes back. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestClass } from '../config.ts';
import { createContext, type Infrastructure } from '../features/context.ts';
import { type Tenancy, tenancyOf } from '../features/environments/directory.ts';
import { algorithmsOf, signingKeys } from '../features/signing-keys/service.ts';
import { browserToken, clearSession, sessionToken } from '../http/cookies.ts';
import { csrfToken } from '../http/csrf.ts';
import { tokenChallenge } from '../http/failures.ts';
import { offerNonceIn, originOf, presentationOf, sceneOf, sendPage } from '../http/server.ts';
import { askedLanguages } from '../languages/languages.ts';
import { confirmLogoutPage, messagePage } from '../pages/messages.ts';
import { sameText, sha256 } from '../security/secrets.ts';
import { begin, destinationOf } from '../signin/flow.ts';
import { foreignBrowser, wayBackOf } from '../signin/place.ts';
import { AccountApiError, accountApi } from './account-api.ts';
import { answer } from './answer.ts';
import { checkAuthorization } from './authorization.ts';
import type { Form } from './client-authentication.ts';
import { register } from './client-registration.ts';
import { allowApplications, allowEveryone, preflight } from './cors.ts';
import { deliver, formTarget } from './deliver.ts';
import { deviceAuthorization } from './device-authorization.ts';
import { discovery } from './discovery.ts';
import { proofIn } from './dpop.ts';
import { OAuthError, RedirectError } from './errors.ts';
import { introspect } from './introspection.ts';
import { logout, logoutParameters } from './logout.ts';
import { readMultipartForms } from './multipart-forms.ts';
import { malformed, onlyKnown, type Query, value } from './parameters.ts';
import { type FormEndpoint, PlainForms, type Posted } from './plain-forms.ts';
import { pushAuthorizationRequest } from './pushed-authorization-request.ts';
import { clearRefreshCookies, keepInCookie } from './refresh-cookies.ts';
import { revoke } from './revocation.ts';
import { token } from './token.ts';
import { legacyUserProfile, userProfile } from './user-profile.ts';

export function oidcRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  return (routes) => {
    const contextOf = (request: FastifyRequest) =>
      createContext(infrastructure, { kind: 'user', environmentId: request.tenancy.environmentId, userId: undefined }, originOf(request));

    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      publicDocument(infrastructure, routes, path, (tenancy, jwks) => discovery(tenancy, algorithmsOf(jwks)));
    }
    for (const path of ['/.well-known/jwks', '/.well-known/jwks.json'])
      publicDocument(infrastructure, routes, path, (_tenancy, jwks) => jwks);

    routes.get('/oauth2/auth', async (request, reply) => {
      const { tenancy } = request;
      const ctx = contextOf(request);
      const authorization = await checkAuthorization(ctx, tenancy, request.query as Query);
      const { client } = authorization;
      request.askedLanguage = authorization.request.lang;
      request.wayBack = wayBackOf(client, authorization.request.redirectUri);
      try {
        const cookies = { session: sessionToken(request), browser: browserToken(request, reply) };
        const outcome = await begin(ctx, { tenancy, client }, authorization, cookies);
        return deliver(request, reply, destinationOf(outcome), 302);
      } catch (error) {
        if (!(error instanceof RedirectError)) throw error;
        const parameters = { error: error.code, error_description: error.message };
        return deliver(request, reply, answer(authorization.request, tenancy.issuer, parameters), 302);
      }
    });
    // Cookies do not come along with a form that another site posts, but with the redirect after it.
    routes.post('/oauth2/auth', async (request, reply) => {
      if (!isForm(request)) throw malformed('A request that is posted is a form.');
      return goTo(reply, `${request.tenancy.issuer}/oauth2/auth?${onlyKnown((request.body ?? {}) as Query)}`, 303);
    });

    const applications = allowApplications(infrastructure);
    const plainForms = new PlainForms(infrastructure);
    routes.answerAhead('POST', (...of) => plainForms.answer(...of));
    routes.register(async (forms) => {
      readMultipartForms(forms);
      const formEndpoint = (path: string, run: FormEndpoint['run'], { success = 200, limits = 'api' as RequestClass } = {}) => {
        plainForms.add(path, { run, success, limits });
        preflight(forms, path, applications, 'POST');
        forms.post(path, { config: { errors: 'oauth', limits }, onRequest: applications }, async (request, reply) =>
          reply
            .header('cache-control', 'no-store')
            .code(success)
            .send(await run(request.tenancy, postedIn(request, reply))),
        );
      };
      formEndpoint('/oauth2/token', async (tenancy, posted) => {
        const { client, tokens } = await token(infrastructure, tenancy, posted);
        if (tokens.refresh_token)
          await keepInCookie(infrastructure, tenancy, { client, page: posted.page, refreshToken: tokens.refresh_token });
        return tokens;
      });
      formEndpoint('/oauth2/par', (tenancy, posted) => pushAuthorizationRequest(infrastructure, tenancy, posted), { success: 201 });
      for (const path of ['/oauth2/device/auth', '/oauth2/v2/device_authorization'])
        formEndpoint(path, (tenancy, posted) => deviceAuthorization(infrastructure, tenancy, posted), { limits: 'auth' });
      formEndpoint('/oauth2/revoke', (tenancy, posted) => revoke(infrastructure, tenancy, posted));
      formEndpoint('/oauth2/introspect', (tenancy, posted) => introspect(infrastructure, tenancy, posted));
    });

    preflight(routes, '/oauth2/register', allowEveryone, 'POST');
    routes.post('/oauth2/register', { config: { errors: 'oauth', limits: 'admin' }, onRequest: allowEveryone }, async (request, reply) => {
      if (!request.tenancy.allowsDynamicRegistration) return reply.callNotFound();
      return reply
        .header('cache-control', 'no-store')
        .code(201)
        .send(await register(contextOf(request), request.tenancy, request.body));
    });

    const profileEndpoint = (path: string, run: typeof userProfile) => {
      preflight(routes, path, applications, 'GET, POST');
      routes.route({
        method: ['GET', 'POST'],
        url: path,
        config: { errors: 'oauth', limits: 'api' },
        onRequest: applications,
        handler: async (request, reply) =>
          reply.header('cache-control', 'no-store').send(
            await run(infrastructure, request.tenancy, {
              ...presentationOf(request, reply, `${request.tenancy.issuer}${path}`),
              authorization: authorizationIn(request),
            }),
          ),
      });
    };
    profileEndpoint('/oauth2/v2/user_profile', userProfile);
    profileEndpoint('/oauth2/userinfo', userProfile);
    profileEndpoint('/oauth2/user_profile', legacyUserProfile);

    preflight(routes, '/account_api/v1/*', applications, 'GET, DELETE');
    const account = { url: '/account_api/v1/*', config: { errors: 'json', limits: 'api' }, onRequest: applications } as const;
    routes.route({
      ...account,
      method: ['GET', 'DELETE'],
      handler: async (request, reply) => {
        const { tenancy, query } = request;
        const path = request.url.slice('/account_api/v1/'.length).replace(/\?.*$/s, '');
        const presentation = presentationOf(request, reply, `${tenancy.issuer}/account_api/v1/${path}`);
        reply.header('cache-control', 'no-store');
        try {
          const answer = await accountApi(infrastructure, tenancy, presentation, {
            path,
            query: query as Query,
            origin: originOf(request),
          });
          return answer ?? reply.code(204).send();
        } catch (error) {
          if (error instanceof OAuthError) reply.code(error.status).header('www-authenticate', tokenChallenge(request.headers, error.code));
          else if (error instanceof AccountApiError) reply.code(error.status);
          else throw error;
          return { errors: [{ code: error.code.toUpperCase(), message: error.message }] };
        }
      },
    });

    const logoutToken = (request: FastifyRequest) => csrfToken(infrastructure, sessionToken(request), 'logout');
    const leave = async (request: FastifyRequest, reply: FastifyReply, query: Query, isConfirmed: boolean) => {
      const { tenancy } = request;
      request.askedLanguage = askedLanguages(query);
      const { isDone, destination } = await logout(contextOf(request), tenancy, query, sessionToken(request), isConfirmed);
      const location = 'location' in destination ? destination.location : undefined;
      if (!isDone) {
        const view = { csrf: logoutToken(request), parameters: logoutParameters(query) };
        return sendPage(reply, 200, confirmLogoutPage(await sceneOf(request), view), {
          formAction: `'self' ${location ? formTarget(location) : ''}`,
        });
      }
      clearSession(reply, tenancy);
      clearRefreshCookies(reply, tenancy);
      if ('refusal' in destination) throw destination.refusal;
      if (location) return goTo(reply, location, isConfirmed ? 303 : 302);
      const scene = await sceneOf(request);
      const said = { title: scene.say('logout.title'), heading: scene.say('logout.heading'), message: scene.say('logout.lead') };
      return sendPage(reply, 200, messagePage(scene, said));
    };
    routes.get('/logout', (request, reply) => leave(request, reply, request.query as Query, false));
    // As for the authorization endpoint: the session comes along with the redirect only.
    routes.post('/logout', async (request, reply) =>
      goTo(reply, `${request.tenancy.issuer}/logout?${new URLSearchParams(logoutParameters((request.body ?? {}) as Query))}`, 303),
    );
    routes.post('/logout/confirm', async (request, reply) => {
      const form = (request.body ?? {}) as Query;
      // Without a session there is nothing that another site could end.
      if (sessionToken(request) && !sameText(value(form, 'csrf') ?? '', logoutToken(request))) throw foreignBrowser();
      return leave(request, reply, form, true);
    });
  };
}

/** @throws OAuthError invalid_request for a body that is no form */
function postedIn(request: FastifyRequest, reply: FastifyReply): Posted {
  const { headers } = request;
  if (!isForm(request) && !isMultipart(request))
    throw new OAuthError('invalid_request', 'The body must be application/x-www-form-urlencoded.');
  return {
    authorization: headers.authorization,
    form: (request.body ?? {}) as Form,
    origin: originOf(request),
    dpop: proofIn(headers),
    offerNonce: offerNonceIn(reply),
    page: {
      origin: headers.origin,
      cookies: request.cookies,
      setCookie: (name, value, options) => void reply.setCookie(name, value, options),
    },
  };
}

/** The credential of a request to UserInfo: in the header, or in a form that is posted (RFC 6750 §2.2), never in the URL.
 * @throws OAuthError invalid_request for more than one token */
function authorizationIn(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  const posted = isForm(request) ? ((request.body ?? {}) as Form)['access_token'] : undefined;
  if (posted === undefined) return authorization;
  if (authorization !== undefined || typeof posted !== 'string') throw new OAuthError('invalid_request', 'Send one access token, once.');
  return `Bearer ${posted}`;
}

function isForm({ headers }: FastifyRequest): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
}

function isMultipart({ headers }: FastifyRequest): boolean {
  return /^multipart\/form-data\b/i.test(headers['content-type'] ?? '');
}

type Jwks = Awaited<ReturnType<typeof signingKeys>>['jwks'];

/**
 * A document that anybody may read, keep for five minutes, and ask again whether it is still the same (RFC 9110 §13.1.2).
 * It follows from an environment and its keys: made once for as long as those stay.
 */
function publicDocument(
  infrastructure: Infrastructure,
  routes: FastifyInstance,
  path: string,
  make: (tenancy: Tenancy, jwks: Jwks) => object,
): void {
  const documents = new WeakMap<Tenancy, { jwks: Jwks; body: string; tag: string }>();
  preflight(routes, path, allowEveryone, 'GET');
  routes.get(path, { config: { errors: 'json', limits: 'none' }, onRequest: allowEveryone }, async (request, reply) => {
    const { headers } = request;
    const { environmentId } = request.tenancy;
    const tenancy = (await tenancyOf(infrastructure, environmentId)) ?? request.tenancy;
    const { jwks } = await signingKeys(infrastructure, environmentId);
    let document = documents.get(tenancy);
    if (document?.jwks !== jwks) {
      const body = JSON.stringify(make(tenancy, jwks));
      document = { jwks, body, tag: `"${sha256(body).slice(0, 32)}"` };
      documents.set(tenancy, document);
    }
    const { body, tag } = document;
    reply.header('cache-control', 'public, max-age=300').header('etag', tag);
    const known = headers['if-none-match']?.split(',').map((text) => text.trim().replace(/^W\//, ''));
    if (known?.some((text) => text === tag || text === '*')) return reply.code(304).send();
    reply.stillHolds = async () =>
      (await tenancyOf(infrastructure, environmentId)) === tenancy && (await signingKeys(infrastructure, environmentId)).jwks === jwks;
    return reply.header('content-type', 'application/json; charset=utf-8').send(body);
  });
}

function goTo(reply: FastifyReply, location: string, status = 302): FastifyReply {
  return reply.header('cache-control', 'no-store').redirect(location, status);
}
