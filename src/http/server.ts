/**
 * The one HTTP server. Before any route it reads which environment a request's host and path name; after any route it
 * answers failures in the form their reader expects. Logs hold the route's pattern, never a URL, body, header or cookie.
 */
import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import formbody from '@fastify/formbody';
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { RequestClass } from '../config.ts';
import { isDatabaseAway } from '../db/client.ts';
import { brandOf, PLAIN } from '../features/brands/service.ts';
import type { Infrastructure, Origin } from '../features/context.ts';
import { findTenancy, type Tenancy } from '../features/environments/directory.ts';
import { ownTexts } from '../features/page-texts/service.ts';
import type { RateLimitRefusal, Requester } from '../features/rate-limits/service.ts';
import { randomToken, randomUUID } from '../kernel/ids.ts';
import { type Address, addressOf } from '../kernel/issuer.ts';
import { askedLanguages, chooseLanguage, DEFAULT_LANGUAGE, type Language } from '../languages/languages.ts';
import { speaker } from '../languages/texts.ts';
import { type Presentation, proofIn } from '../oidc/dpop.ts';
import { describe, OAuthError, type OAuthErrorCode, PageError, type PageErrorName } from '../oidc/errors.ts';
import { TURNSTILE_ORIGIN } from '../pages/elements.ts';
import type { Scene } from '../pages/layout.ts';
import { errorPage, type WayBack } from '../pages/messages.ts';
import { SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';
import { RepeatedAnswers } from './repeated-answers.ts';
import { requestLog } from './request-log.ts';
import { securityHeaders } from './security-headers.ts';
import { type ProxyTrust, trustedProxies } from './trusted-proxies.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route of {@link environmentRoutes}. */
    tenancy: Tenancy;
    /** The language that the application asks the pages to speak. */
    askedLanguage: string | null;
    /** The application that the person came from, once it is known. */
    wayBack: WayBack | null;
    /** The organization that the sign-in is for, whose look the pages have. */
    organizationId: string | null;
    readonly infrastructure: Infrastructure;
  }
  interface FastifyContextConfig {
    /** How failures are answered; a page unless the route says otherwise. */
    errors?: 'oauth' | 'page' | 'json';
    /** What it is counted as; `auth` for an environment's route that says nothing. */
    limits?: RequestClass | 'none';
  }
}

/** Form posts are small: a longer one is refused before it is parsed. */
const BODY_LIMIT = 64 * 1024;

const addresses = new WeakMap<IncomingMessage, Address>();

export async function createServer(infrastructure: Infrastructure): Promise<FastifyInstance> {
  const { config, log } = infrastructure;
  const isTrusted = trustedProxies(config.trustProxy);
  const everyResponse = securityHeaders(config.baseUrl);
  const repeated = new RepeatedAnswers((request) => hostOf(request, isTrusted), log);
  const server = fastify({
    serverFactory: (handler, options) => repeated.serverFor(handler, options),
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: requestLog,
    genReqId: () => randomUUID(),
    trustProxy: config.trustProxy !== false && isTrusted,
    bodyLimit: BODY_LIMIT,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
    rewriteUrl(request) {
      const url = request.url ?? '/';
      if (url === '/healthz' || url === '/readyz') return url;
      const address = addressOf(config, hostOf(request, isTrusted), url);
      addresses.set(request, address);
      return address.kind === 'unknown' ? '/unknown address' : address.path;
    },
    // A URL that the router cannot read comes by neither a route nor a hook.
    frameworkErrors(error, request, reply) {
      reply.headers(everyResponse).header('x-request-id', request.id);
      void answerError(request as FastifyRequest, reply as FastifyReply, error);
    },
  });
  await server.register(cookie);
  await server.register(formbody, { bodyLimit: BODY_LIMIT });
  server.decorateRequest('tenancy', null as unknown as Tenancy);
  server.decorateRequest('askedLanguage', null);
  server.decorateRequest('wayBack', null);
  server.decorateRequest('organizationId', null);
  server.decorateReply('stillHolds', null);
  server.decorateRequest('infrastructure', { getter: () => infrastructure });
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(everyResponse).header('x-request-id', request.id);
    done();
  });
  let isClosing = false;
  server.addHook('preClose', async () => {
    isClosing = true;
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.stillHolds) repeated.keep(reply, payload);
    if (isClosing) reply.header('connection', 'close'); // Or the connection of a request in flight would keep the server up.
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    if (!log.isLevelEnabled('info')) return done();
    log.info(
      {
        reqId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        environmentId: request.tenancy?.environmentId,
      },
      'request',
    );
    done();
  });
  server.setErrorHandler<FastifyError>((error, request, reply) => answerError(request, reply, error));
  server.setNotFoundHandler(async (request, reply) => sendPage(reply, 404, notFoundPage(infrastructure, request)));
  return server;
}

/** Registers routes that belong to an environment: `request.tenancy` is the one that the address names. */
export async function environmentRoutes(
  server: FastifyInstance,
  infrastructure: Infrastructure,
  register: (routes: FastifyInstance) => void,
): Promise<void> {
  await server.register(async (routes) => {
    routes.addHook('onRequest', async (request, reply) => {
      const address = addresses.get(request.raw);
      const tenancy = address && (await findTenancy(infrastructure, address));
      if (!tenancy) return sendPage(reply, 404, notFoundPage(infrastructure, request));
      request.tenancy = tenancy;
    });
    // After what lets applications read the answer from other origins, and before anything of the body is.
    routes.addHook('preParsing', (request, _reply, _payload, done) => {
      const requestClass = request.routeOptions.config.limits ?? 'auth';
      if (requestClass === 'none' || request.method === 'OPTIONS') return done();
      const refusal = infrastructure.rateLimits.take(requestClass, request.tenancy.environmentId, { ip: request.ip });
      done(refusal && new RateLimitError(refusal));
    });
    register(routes);
  });
}

/** Registers routes of the installation itself, which answer at the base URL only. */
export async function platformRoutes(
  server: FastifyInstance,
  infrastructure: Infrastructure,
  register: (routes: FastifyInstance) => void | Promise<void>,
): Promise<void> {
  await server.register(async (routes) => {
    routes.addHook('onRequest', async (request, reply) => {
      if (addresses.get(request.raw)?.kind !== 'primary') return sendPage(reply, 404, notFoundPage(infrastructure, request));
    });
    await register(routes);
  });
}

/** Where a request came from, for services. */
export function originOf(request: FastifyRequest): Origin {
  const key = request.headers['idempotency-key'];
  return {
    requestId: request.id,
    ip: request.ip,
    userAgent: request.headers['user-agent'],
    language: languageOf(request),
    idempotencyKey: typeof key === 'string' ? key : undefined,
  };
}

/** The language that the person at the browser is spoken to in. */
function languageOf({ askedLanguage, headers, tenancy, query }: FastifyRequest): Language {
  const asked = askedLanguage ?? askedLanguages(query ?? {});
  const { languages, defaultLanguage } = tenancy ?? {};
  return chooseLanguage({ asked, accepted: headers['accept-language'], spoken: languages, fallback: defaultLanguage });
}

/** What the pages of a request are drawn with. */
export async function sceneOf(request: FastifyRequest): Promise<Scene> {
  const { tenancy, infrastructure, organizationId } = request;
  const plain = plainScene(request);
  if (!tenancy) return plain;
  const [brand, texts] = await Promise.all([
    brandOf(infrastructure, tenancy.environmentId, organizationId),
    ownTexts(infrastructure, tenancy.environmentId, plain.language),
  ]);
  return { ...plain, brand, say: speaker(plain.language, texts) };
}

/** The same where there is nobody to ask what the pages look like. */
function plainScene(request: FastifyRequest): Scene {
  const language = languageOf(request);
  const nonce = randomToken(16);
  const homepageUri = request.wayBack && !request.wayBack.isDynamic ? request.wayBack.homepageUri : null;
  return { basePath: request.tenancy?.basePath ?? '', language, say: speaker(language), brand: PLAIN, nonce, homepageUri };
}

/** Sends a hosted page with a policy that lets it load nothing but its own stylesheet and run nothing.
 * @param policy where its forms may lead, besides by a redirect, the nonce of the scripts of ours that it runs, and whether it shows Turnstile */
export function sendPage(
  reply: FastifyReply,
  status: number,
  page: string,
  policy: { formAction?: string; nonce?: string | undefined; showsTurnstile?: boolean } = {},
): FastifyReply {
  const { formAction = "'self'", nonce, showsTurnstile = false } = policy;
  const scripts = [...(nonce ? [`'nonce-${nonce}'`] : []), ...(showsTurnstile ? [TURNSTILE_ORIGIN] : [])];
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .header(
      'content-security-policy',
      `default-src 'none'; ${scripts.length > 0 ? `script-src ${scripts.join(' ')}; ` : ''}${showsTurnstile ? `frame-src ${TURNSTILE_ORIGIN}; ` : ''}style-src 'self'; img-src 'self' data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
    )
    .send(page);
}

/** There were more requests in a minute than may be. */
export class RateLimitError extends Error {
  readonly refusal: RateLimitRefusal;

  constructor(refusal: RateLimitRefusal) {
    super(`There were too many requests. Try again in ${refusal.resetSeconds} seconds.`);
    this.refusal = refusal;
  }
}

/** Counts a request.
 * @throws RateLimitError when there were too many */
export function limitRate(
  { rateLimits }: Pick<Infrastructure, 'rateLimits'>,
  requestClass: RequestClass,
  environmentId: string,
  requester: Requester,
): void {
  const refusal = rateLimits.take(requestClass, environmentId, requester);
  if (refusal) throw new RateLimitError(refusal);
}

/** Says in the headers when there may be requests again (draft-ietf-httpapi-ratelimit-headers-07). */
export function tellRateLimit(reply: FastifyReply, { limit, resetSeconds }: RateLimitRefusal): void {
  reply
    .header('ratelimit-limit', limit)
    .header('ratelimit-remaining', 0)
    .header('ratelimit-reset', resetSeconds)
    .header('retry-after', resetSeconds);
}

/** Seconds after which who met no database may ask again. */
const AWAY_SECONDS = 10;

function answerError(request: FastifyRequest, reply: FastifyReply, error: FastifyError): FastifyReply | Promise<FastifyReply> {
  const form = request.routeOptions.config.errors ?? 'page';
  if (error instanceof RateLimitError) {
    const { refusal, message } = error;
    tellRateLimit(reply, refusal);
    if (form === 'page') return sendErrorPage(request, reply, 429, { about: 'rate_limited' });
    const body =
      form === 'oauth' ? { error: 'temporarily_unavailable', error_description: message } : { error: message, requestId: request.id };
    return reply.code(429).header('cache-control', 'no-store').send(body);
  }
  if (error instanceof OAuthError) {
    if (error.status === 401)
      reply.header('www-authenticate', error.code === 'invalid_client' ? 'Basic realm="token"' : tokenChallenge(request, error.code));
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    return reply.code(error.status).header('cache-control', 'no-store').send({ error: error.code, error_description: error.message });
  }
  if (error instanceof PageError) {
    request.log.info({ error: error.message, number: error.number }, 'error page');
    return sendErrorPage(request, reply, error.status, error);
  }
  const { status, about, code } = failureOf(error);
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  if (status === 503) reply.header('retry-after', AWAY_SECONDS);
  if (form === 'page') return sendErrorPage(request, reply, status, { about });
  const message = describe(about);
  const body = form === 'oauth' ? { error: code, error_description: message } : { error: message, requestId: request.id };
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

/** How an error is answered that no check of ours has made. */
function failureOf(error: FastifyError): { status: number; about: PageErrorName; code: string } {
  if (isDatabaseAway(error)) return { status: 503, about: 'unavailable', code: 'temporarily_unavailable' };
  const { statusCode: status = 500 } = error;
  if (status < 400 || status >= 500) return { status: 500, about: 'fault', code: 'server_error' };
  return { status, about: status === 413 ? 'too_large' : status === 415 ? 'unsupported' : 'unreadable', code: 'invalid_request' };
}

/** An error for a person, or the same as JSON and in English for a program that asks for it. */
async function sendErrorPage(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { about, number, detail }: { about: PageErrorName; number?: number | undefined; detail?: string },
): Promise<FastifyReply> {
  const accepted = request.headers.accept ?? '';
  const isForProgram = accepted.includes('application/json') && !accepted.includes('text/html');
  // Who meets an error may be none of the organization's people, and is not shown its name.
  request.organizationId = null;
  // An error may be that the database does not answer: then it is said plainly.
  const scene = await sceneOf(request).catch(() => plainScene(request));
  const reference = request.id;
  if (!isForProgram) {
    const [title, message] = [scene.say(`error.${about}.title`), scene.say(`error.${about}.message`)];
    return sendPage(reply, status, errorPage(scene, { title, message, detail, number, reference, wayBack: request.wayBack ?? undefined }));
  }
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .header('vary', 'accept')
    .send({ error: speaker(DEFAULT_LANGUAGE)(`error.${about}.title`), error_description: describe(about, detail), number, reference });
}

/** In the scheme of the token that was refused (RFC 6750 §3, RFC 9449 §7.1).
 * @param resourceMetadata where the resource describes itself (RFC 9728 §5.1) */
export function tokenChallenge({ headers }: FastifyRequest, error: OAuthErrorCode, resourceMetadata?: string): string {
  const metadata = resourceMetadata ? `, resource_metadata="${resourceMetadata}"` : '';
  if (!/^DPoP\b/i.test(headers.authorization ?? '')) return `Bearer error="${error}"${metadata}`;
  return `DPoP error="${error}", algs="${SIGNATURE_ALGORITHMS.join(' ')}"${metadata}`;
}

/** What a request shows to be let in to the resource at `url`. */
export function presentationOf({ headers, method }: FastifyRequest, reply: FastifyReply, url: string): Presentation {
  return { authorization: headers.authorization, dpop: proofIn(headers), method, url, offerNonce: offerNonceIn(reply) };
}

/** Puts the nonce for the next DPoP proof into the answer (RFC 9449 §8.2). */
export function offerNonceIn(reply: FastifyReply): (nonce: string) => void {
  return (nonce) => reply.header('dpop-nonce', nonce);
}

/** The same at every address, so that it tells nothing of any. */
function notFoundPage({ config }: Infrastructure, request: FastifyRequest): string {
  const scene = { ...plainScene(request), basePath: '' };
  const elsewhere =
    !config.production && addresses.get(request.raw)?.kind === 'unknown' ? ` This server answers at ${config.baseUrl}.` : '';
  const message = `${scene.say('error.nothing_here.message')}${elsewhere}`;
  return errorPage(scene, { title: scene.say('error.nothing_here.title'), message });
}

/** The host that a request is for; of a header that proxies added to, the part that our own proxy vouches for: the last. */
function hostOf(request: IncomingMessage, isTrusted: ProxyTrust): string | undefined {
  const forwarded = request.headers['x-forwarded-host'];
  if (forwarded === undefined || !isTrusted(request.socket.remoteAddress)) return request.headers.host;
  return [forwarded].flat().at(-1)?.split(',').at(-1)?.trim() || request.headers.host;
}
