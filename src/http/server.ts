/**
 * The one HTTP server. Before any route it reads which environment a request's host and path name; after any route it
 * answers failures in the form their reader expects. Logs hold the route's pattern, never a URL, body, header or cookie.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import cookie from '@fastify/cookie';
import proxyAddr from '@fastify/proxy-addr';
import { parse as parseForm } from 'fast-querystring';
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import type { RequestClass } from '../config.ts';
import { brandOf, PLAIN } from '../features/brands/service.ts';
import type { Infrastructure, Origin } from '../features/context.ts';
import { findTenancy, type Tenancy } from '../features/environments/directory.ts';
import { ownTexts } from '../features/page-texts/service.ts';
import { randomToken, randomUUID } from '../kernel/ids.ts';
import { type Address, addressOf } from '../kernel/issuer.ts';
import { askedLanguages, chooseLanguage, DEFAULT_LANGUAGE, type Language } from '../languages/languages.ts';
import { speaker } from '../languages/texts.ts';
import { type Presentation, proofIn } from '../oidc/dpop.ts';
import { describe, OAuthError, PageError, type PageErrorName } from '../oidc/errors.ts';
import { TURNSTILE_ORIGIN } from '../pages/elements.ts';
import type { Scene } from '../pages/layout.ts';
import { errorPage, type WayBack } from '../pages/messages.ts';
import { failureOf, oauthFailure, RateLimitError, rateLimitHeaders } from './failures.ts';
import { RepeatedAnswers } from './repeated-answers.ts';
import { logAnswer, requestLog } from './request-log.ts';
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
  interface FastifyInstance {
    /** Lets `ahead` answer requests of a method first. */
    answerAhead(method: 'POST', ahead: Ahead): void;
  }
  interface FastifyContextConfig {
    /** How failures are answered; a page unless the route says otherwise. */
    errors?: 'oauth' | 'page' | 'json';
    /** What it is counted as; `auth` for an environment's route that says nothing. */
    limits?: RequestClass | 'none';
  }
}

/** What may answer a request before the router does. */
type Ahead = (request: IncomingMessage, response: ServerResponse, way: Way) => void;

export interface Way {
  address(): Address;
  /** The client's network address. */
  ip(): string | undefined;
  /** Then the answer has to close its connection: it would keep the server up. */
  isClosing(): boolean;
  /** Leaves the request to the router; its body must not have been read. */
  otherwise(): void;
}

/** In which a request has to come in whole: else whoever sends a byte now and then holds connections for ever. */
const REQUEST_TIMEOUT = 300_000;
/** In which what is in flight is finished when the server stops: nobody who sends no more may keep it up. */
const CLOSING_TIMEOUT = 10_000;
/** Form posts are small: a longer one is refused before it is parsed. */
export const BODY_LIMIT = 64 * 1024;

const addresses = new WeakMap<IncomingMessage, Address>();

export async function createServer(infrastructure: Infrastructure): Promise<FastifyInstance> {
  const { config, log } = infrastructure;
  const isTrusted = trustedProxies(config.trustProxy);
  const everyResponse = securityHeaders(config.baseUrl);
  let isClosing = false;
  const repeated = new RepeatedAnswers((request) => hostOf(request, isTrusted), log);
  const ahead: Record<string, Ahead> = { GET: (request, response, way) => repeated.answer(request, response, way) };
  const server = fastify({
    serverFactory(handler, { keepAliveTimeout, requestTimeout, connectionTimeout }: FastifyServerOptions) {
      const http = createHttpServer((request, response) => {
        const otherwise = () => handler(request, response);
        const first = ahead[request.method!];
        if (!first) return otherwise();
        first(request, response, {
          address: () => addressOf(config, hostOf(request, isTrusted), request.url!),
          ip: () => ipOf(request, isTrusted),
          isClosing: () => isClosing,
          otherwise,
        });
      });
      Object.assign(http, { keepAliveTimeout, requestTimeout });
      return http.setTimeout(connectionTimeout ?? 0);
    },
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: requestLog,
    genReqId: () => randomUUID(),
    trustProxy: config.trustProxy !== false && isTrusted,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
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
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, parseForm(body as string)),
  );
  server.decorateRequest('tenancy', null as unknown as Tenancy);
  server.decorateRequest('askedLanguage', null);
  server.decorateRequest('wayBack', null);
  server.decorateRequest('organizationId', null);
  server.decorateReply('stillHolds', null);
  server.decorate('answerAhead', (method, first) => {
    ahead[method] = first;
  });
  server.decorateRequest('infrastructure', { getter: () => infrastructure });
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(everyResponse).header('x-request-id', request.id);
    done();
  });
  let lastCall: NodeJS.Timeout | undefined;
  server.addHook('preClose', async () => {
    isClosing = true;
    lastCall = setTimeout(() => server.server.closeAllConnections(), CLOSING_TIMEOUT);
  });
  server.addHook('onClose', async () => clearTimeout(lastCall));
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.stillHolds) repeated.keep(reply, payload);
    if (isClosing) reply.header('connection', 'close'); // Or the connection of a request in flight would keep the server up.
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    logAnswer(log, {
      reqId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      environmentId: request.tenancy?.environmentId,
    });
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

/** What of a request tells where it came from. */
type Asking = Pick<FastifyRequest, 'id' | 'ip' | 'headers' | 'tenancy' | 'askedLanguage' | 'query'>;

/** Where a request came from, for services. */
export function originOf(request: Asking): Origin {
  return new RequestOrigin(request);
}

/** A copy of it would lose the language. */
class RequestOrigin implements Origin {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly #request: Asking;

  constructor(request: Asking) {
    const { 'user-agent': userAgent, 'idempotency-key': key } = request.headers;
    this.requestId = request.id;
    this.ip = request.ip;
    this.userAgent = userAgent;
    this.idempotencyKey = typeof key === 'string' ? key : undefined;
    this.#request = request;
  }

  /** Few ask. */
  get language(): Language {
    return languageOf(this.#request);
  }
}

/** The language that the person at the browser is spoken to in. */
function languageOf({ askedLanguage, headers, tenancy, query }: Asking): Language {
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

function answerError(request: FastifyRequest, reply: FastifyReply, error: FastifyError): FastifyReply | Promise<FastifyReply> {
  const form = request.routeOptions.config.errors ?? 'page';
  if (error instanceof PageError) {
    request.log.info({ error: error.message, number: error.number }, 'error page');
    return sendErrorPage(request, reply, error.status, error);
  }
  if (error instanceof OAuthError || form === 'oauth') {
    const { status, headers, body } = oauthFailure(error, request.headers);
    if (status >= 500) request.log.error({ err: error }, 'request failed');
    return reply.code(status).headers(headers).send(body);
  }
  if (error instanceof RateLimitError) {
    reply.headers(rateLimitHeaders(error.refusal));
    if (form === 'page') return sendErrorPage(request, reply, 429, { about: 'rate_limited' });
    return reply.code(429).header('cache-control', 'no-store').send({ error: error.message, requestId: request.id });
  }
  const { status, about, headers } = failureOf(error);
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  reply.headers(headers);
  if (form === 'page') return sendErrorPage(request, reply, status, { about });
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ error: describe(about), requestId: request.id });
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

/** The client's network address, as `request.ip` says it: the first that no proxy of ours vouches for. */
function ipOf(request: IncomingMessage, isTrusted: ProxyTrust): string | undefined {
  return request.headers['x-forwarded-for'] === undefined ? request.socket.remoteAddress : proxyAddr(request, isTrusted);
}

/** The host that a request is for; of a header that proxies added to, the part that our own proxy vouches for: the last. */
function hostOf(request: IncomingMessage, isTrusted: ProxyTrust): string | undefined {
  const forwarded = request.headers['x-forwarded-host'];
  if (forwarded === undefined || !isTrusted(request.socket.remoteAddress)) return request.headers.host;
  return [forwarded].flat().at(-1)?.split(',').at(-1)?.trim() || request.headers.host;
}
