/** `/graphql`: Yoga behind the one HTTP server, with a bearer token for who is asking. No cookie is ever read here. */

import { createFetch } from '@whatwg-node/fetch';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ExecutionResult, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type GraphiQLOptions, type Plugin, type YogaServerOptions } from 'graphql-yoga';
import { assertAnswerable, readingAtMost } from '../db/reads/budget.ts';
import { createContext, type Infrastructure } from '../features/context.ts';
import { MAX_IMPORT_BYTES } from '../features/imports/csv.ts';
import { callerOf, createQuotas } from '../features/quotas/service.ts';
import { failureOf, limitRate, RateLimitError, rateLimitHeaders, tokenChallenge } from '../http/failures.ts';
import { originOf, presentationOf } from '../http/server.ts';
import { OAuthError } from '../oidc/errors.ts';
import { metadataUrl } from '../oidc/protected-resource.ts';
import { actorOf } from './actor.ts';
import { type Account, charging, openAccount, statement } from './charging.ts';
import type { GraphContext } from './context.ts';
import { MIN_COST } from './cost.ts';
import { isSimple, PREFLIGHT_HEADERS } from './csrf.ts';
import { type ErrorCode, publicError } from './errors.ts';
import { execute } from './execution/execute.ts';
import { getParameters } from './get-parameters.ts';
import { checkLength, checkVariables, documentRules, MAX_TOKENS } from './limits.ts';
import { DOCUMENT_ID, persistedOperations } from './persisted-operations.ts';
import { answerTypeOf, givenResult, plainResult } from './plain-requests.ts';
import { schema } from './schema.ts';

const JSON_LIMIT = 1024 * 1024;
/** From callers who are known: a logo of 1 MB is a third longer in base64. */
const KNOWN_JSON_LIMIT = 1.5 * JSON_LIMIT;
const UPLOAD_LIMIT = MAX_IMPORT_BYTES + JSON_LIMIT;
/** Files that are in memory at once, whoever sends them. */
const MAX_UPLOADS = 8;

/** Any page may read the answers (no cookie counts here), with what they say besides. */
const FROM_ANYWHERE = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id, DPoP-Nonce, WWW-Authenticate',
};
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers': ['Content-Type', 'Authorization', 'DPoP', 'Idempotency-Key', ...PREFLIGHT_HEADERS].join(', '),
  'access-control-max-age': '600',
};

/** Characters that are read for one request, and that its answer may have: far more than what 20,000 cost units of ordinary rows hold. */
const MAX_READ = 64 * 1024 * 1024;

const INVALID_TOKEN: Pick<OAuthError, 'code' | 'message'> = {
  code: 'invalid_token',
  message: 'The bearer token is not valid: it is malformed, expired, or not made out to the management API.',
};

const GRAPHIQL: GraphiQLOptions = {
  title: 'Gatehouse',
  defaultQuery: `# Who asks is said under Headers, below:
# { "authorization": "Bearer …" }
{
  viewer {
    kind
    businesses {
      nodes {
        id
        name
      }
    }
  }
}
`,
};

const ownExecution: Plugin = { onExecute: ({ setExecuteFn }) => setExecuteFn(execute) };

/** Opened with each request. */
const accounts = new WeakMap<FastifyRequest, Account>();

interface ServerContext {
  readonly request_: FastifyRequest;
  readonly account: Account;
  result?: ExecutionResult;
}

export function graphqlRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => Promise<void> {
  const { config } = infrastructure;
  const quotas = createQuotas(infrastructure);
  const limits: Plugin<ServerContext> = {
    onParams: ({ params, context }) => {
      if ((context as unknown as ServerContext).account.actor.kind === 'anonymous') checkLength(params?.query);
    },
    onParse: ({ parseFn, setParseFn }) => setParseFn((source, options) => parseFn(source, { ...options, maxTokens: MAX_TOKENS })),
    onValidate: ({ addValidationRule, context }) => {
      for (const rule of documentRules) addValidationRule(rule);
      if (config.production && (context as unknown as ServerContext).account.actor.kind === 'anonymous')
        addValidationRule(NoSchemaIntrospectionCustomRule);
    },
    onExecute: ({ args }) => checkVariables(args.variableValues),
  };
  const options: YogaServerOptions<ServerContext, GraphContext> = {
    schema,
    graphqlEndpoint: '/graphql',
    graphiql: !config.production && GRAPHIQL,
    // Whole, from our own disk: the default is a page that fetches its scripts from a public network.
    renderGraphiQL: async (page) => (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(page),
    landingPage: false,
    logging: false,
    batching: false,
    cors: false, // By the route itself, so that what is refused before Yoga can be read too.
    context: ({ request_, account }) => ({ services: createContext(infrastructure, account.actor, originOf(request_)) }),
    extraParamNames: [DOCUMENT_ID],
    maskedErrors: false, // By our own plugin, which every error passes on its way out.
    plugins: [
      givenResult,
      getParameters,
      persistedOperations(infrastructure),
      limits,
      charging(),
      ownExecution,
      publicErrors(infrastructure),
    ],
    fetchAPI: createFetch({
      useNodeFetch: true,
      formDataLimits: { fileSize: UPLOAD_LIMIT, files: 1, fields: 3, fieldSize: JSON_LIMIT },
    }),
  };
  // What is read as text has its bound from the content type parser; to count it again, Yoga would make a stream of it.
  const yoga = createYoga({ ...options, maxRequestBodySize: false });
  const yogaOfUploads = createYoga({ ...options, maxRequestBodySize: UPLOAD_LIMIT });
  let uploads = 0;

  return async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: KNOWN_JSON_LIMIT }, (request, body, done) => {
      const isTooLarge = accounts.get(request)?.actor.kind === 'anonymous' && Buffer.byteLength(body) > JSON_LIMIT;
      if (body !== '' && !isTooLarge) return done(null, body);
      done(Object.assign(new Error('The body is empty or too large.'), { statusCode: isTooLarge ? 413 : 400 }));
    });
    routes.addContentTypeParser('multipart/form-data', { bodyLimit: UPLOAD_LIMIT }, (_request, _body, done) => done(null));
    routes.options('/graphql', async (_request, reply) => reply.code(204).headers(FROM_ANYWHERE).headers(PREFLIGHT).send());
    routes.route({
      url: '/graphql',
      method: ['GET', 'POST'],
      errorHandler: answerFault,
      onRequest: admit,
      onSend: tellStanding,
      handler: (request, reply) => (isMultipart(request) ? answerUpload(request, reply) : answer(request, reply, yoga)),
    });
  };

  /** Finds out who is asking, and refuses before anything of the body is read. */
  async function admit(request: FastifyRequest, reply: FastifyReply) {
    const { headers, method } = request;
    reply.headers(FROM_ANYWHERE);
    limitRate(infrastructure, 'admin', '', { ip: request.ip });
    let refusal = INVALID_TOKEN;
    const actor = await actorOf(infrastructure, presentationOf(request, reply, `${config.baseUrl}/graphql`)).catch((error: unknown) => {
      if (!(error instanceof OAuthError)) throw error;
      refusal = error;
      return undefined;
    });
    const account = openAccount(quotas, actor ?? { kind: 'anonymous' }, request.ip);
    accounts.set(request, account);
    const caller = actor && callerOf(actor);
    if (caller) limitRate(infrastructure, 'admin', caller[0], { ip: request.ip, account: caller[1] });
    await account.charge(MIN_COST);
    if (!actor) {
      reply.header('www-authenticate', tokenChallenge(request.headers, refusal.code, metadataUrl(config)));
      return sendError(reply, 401, 'UNAUTHENTICATED', refusal.message, request.id);
    }
    // A file is read before anything of the document runs: only from callers who are known.
    if (actor.kind === 'anonymous' && isMultipart(request)) {
      reply.header('www-authenticate', `Bearer resource_metadata="${metadataUrl(config)}"`);
      return sendError(reply, 401, 'UNAUTHENTICATED', 'A file is taken with a valid bearer token only.', request.id);
    }
    const isForPage = !config.production && method === 'GET' && headers.accept?.includes('text/html');
    if (isSimple(headers) && !isForPage) {
      const message = `Any page could make a browser send this request. Send a bearer token, Content-Type: application/json, or the header ${PREFLIGHT_HEADERS[0]}.`;
      return sendError(reply, 403, 'OPERATION_NOT_ALLOWED', message, request.id);
    }
  }

  /** Nothing of the file is read before it has its place. */
  async function answerUpload(request: FastifyRequest, reply: FastifyReply) {
    if (uploads >= MAX_UPLOADS) {
      reply.header('retry-after', 10);
      return sendError(reply, 429, 'RATE_LIMITED', 'Other files are being taken in. Try again in a moment.', request.id);
    }
    uploads++;
    try {
      return await answer(request, reply, yogaOfUploads);
    } finally {
      uploads--;
    }
  }

  function answer(request: FastifyRequest, reply: FastifyReply, server: typeof yoga) {
    return readingAtMost(MAX_READ, () => answerWith(server, request, reply));
  }

  async function answerWith(server: typeof yoga, request: FastifyRequest, reply: FastifyReply) {
    const context: ServerContext = { request_: request, account: accounts.get(request)! };
    const result = await plainResult(yoga, request, context);
    if (result && !result.errors) {
      const text = JSON.stringify({ ...result, ...statement(context.account) });
      return reply.header('content-type', answerTypeOf(request)).header('cache-control', 'no-store').send(text);
    }
    const response = await server.handleNodeRequestAndResponse(request, reply, context);
    for (const [name, value] of response.headers) reply.header(name, value);
    if (response.headers.get('content-type')?.startsWith('text/html')) reply.removeHeader('content-security-policy');
    const text = await response.text(); // Not the stream: to pump it costs more than all else about the answer's way out.
    return reply.code(response.status).header('cache-control', 'no-store').send(text);
  }

  /** Says in the headers what is left of the caller's quota (draft-ietf-httpapi-ratelimit-headers-07). */
  async function tellStanding(request: FastifyRequest, reply: FastifyReply) {
    const standing = accounts.get(request)?.standing;
    if (!standing) return;
    reply
      .header('ratelimit-limit', standing.limit)
      .header('ratelimit-remaining', standing.remaining)
      .header('ratelimit-reset', standing.resetSeconds);
    if (standing.isRefused) reply.header('retry-after', standing.resetSeconds);
  }
}

function isMultipart({ headers }: FastifyRequest): boolean {
  return /^multipart\//i.test(headers['content-type'] ?? '');
}

/** What is refused before Yoga sees it, and what breaks outside of Yoga. */
function answerFault(error: FastifyError | GraphQLError | RateLimitError, request: FastifyRequest, reply: FastifyReply) {
  if (error instanceof RateLimitError) {
    reply.headers(rateLimitHeaders(error.refusal));
    return sendError(reply, 429, 'RATE_LIMITED', error.message, request.id);
  }
  if (error instanceof GraphQLError) return sendError(reply, 429, 'RATE_LIMITED', error.message, request.id);
  if (error.statusCode === 413) return sendError(reply, 413, 'BAD_USER_INPUT', 'The request is larger than this server takes.', request.id);
  if (error.statusCode === 415)
    return sendError(reply, 415, 'BAD_USER_INPUT', 'The content type is application/json, or multipart/form-data for uploads.', request.id);
  if (error.statusCode && error.statusCode < 500)
    return sendError(reply, error.statusCode, 'BAD_USER_INPUT', 'The request could not be read.', request.id);
  request.log.error({ err: error, requestId: request.id }, 'graphql fault');
  const { status, headers } = failureOf(error);
  return sendError(reply.headers(headers), status, 'INTERNAL', 'Something went wrong on our side.', request.id);
}

function sendError(reply: FastifyReply, status: number, code: ErrorCode, message: string, requestId: string) {
  const account = accounts.get(reply.request);
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ errors: [{ message, extensions: { code, requestId } }], ...(account && statement(account)) });
}

/** Makes every error, wherever it comes from, one that may leave: with a code of the list and the request's own id. */
function publicErrors({ config, log }: Infrastructure): Plugin<ServerContext> {
  return {
    onResultProcess: ({ result, setResult, serverContext }) => {
      if (Array.isArray(result) || Symbol.asyncIterator in result) return;
      const { request_ } = serverContext as unknown as ServerContext;
      const report = { requestId: request_.id, log, suggestions: !config.production };
      try {
        assertAnswerable(result.data);
      } catch (error) {
        return setResult({ ...result, data: null, errors: [publicError(error, report)] });
      }
      if (result.errors) setResult({ ...result, errors: result.errors.map((error) => publicError(error, report)) });
    },
  };
}
