/** `/graphql`: Yoga behind the one HTTP server, with a bearer token for who is asking. No cookie is ever read here. */

import { createFetch } from '@whatwg-node/fetch';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { createContext, type Infrastructure } from '../features/context.ts';
import { MAX_IMPORT_BYTES } from '../features/imports/csv.ts';
import { originOf } from '../http/server.ts';
import type { Actor } from '../kernel/actor.ts';
import { actorOf } from './actor.ts';
import type { GraphContext } from './context.ts';
import { type ErrorCode, publicError } from './errors.ts';
import { assertNoNul, depthLimit, MAX_TOKENS, noNul } from './limits.ts';
import { checkPages } from './page-limits.ts';
import { schema } from './schema.ts';

const JSON_LIMIT = 1024 * 1024;
const UPLOAD_LIMIT = MAX_IMPORT_BYTES + JSON_LIMIT;

interface ServerContext {
  readonly request_: FastifyRequest;
  readonly actor: Actor;
}

export function graphqlRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => Promise<void> {
  const { config } = infrastructure;
  const limits: Plugin<ServerContext> = {
    onParse: ({ parseFn, setParseFn }) => setParseFn((source, options) => parseFn(source, { ...options, maxTokens: MAX_TOKENS })),
    onValidate: ({ addValidationRule, context }) => {
      addValidationRule(depthLimit);
      addValidationRule(noNul);
      if (config.production && (context as unknown as ServerContext).actor.kind === 'anonymous')
        addValidationRule(NoSchemaIntrospectionCustomRule);
    },
    onExecute: ({ args, setResultAndStopExecution }) => {
      assertNoNul(args.variableValues);
      const errors = checkPages(args);
      if (errors.length > 0) setResultAndStopExecution({ errors });
    },
  };
  const yoga = createYoga<ServerContext, GraphContext>({
    schema,
    graphqlEndpoint: '/graphql',
    graphiql: !config.production && { title: 'Gatehouse', defaultQuery: '{ viewer { kind businesses { nodes { id name } } } }' },
    landingPage: false,
    logging: false,
    batching: false,
    cors: { origin: '*', credentials: false, methods: ['GET', 'POST', 'OPTIONS'], allowedHeaders: ['Content-Type', 'Authorization'] },
    context: ({ request_, actor }) => ({ services: createContext(infrastructure, actor, originOf(request_)) }),
    maxRequestBodySize: UPLOAD_LIMIT,
    maskedErrors: false, // By our own plugin, which every error passes on its way out.
    plugins: [limits, publicErrors(infrastructure)],
    fetchAPI: createFetch({
      useNodeFetch: true,
      formDataLimits: { fileSize: UPLOAD_LIMIT, files: 1, fields: 3, fieldSize: JSON_LIMIT },
    }),
  });

  return async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: JSON_LIMIT }, (_request, body, done) =>
      done(null, body),
    );
    routes.addContentTypeParser('multipart/form-data', { bodyLimit: UPLOAD_LIMIT }, (_request, _body, done) => done(null));
    routes.route({
      url: '/graphql',
      method: ['GET', 'POST', 'OPTIONS'],
      errorHandler: answerFault,
      handler: answer,
    });
  };

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const actor = await actorOf(infrastructure, request.headers.authorization);
    if (!actor) {
      reply.header('www-authenticate', 'Bearer error="invalid_token"');
      const message = 'The bearer token is not valid: it is malformed, expired, or not made out to the management API.';
      return sendError(reply, 401, 'UNAUTHENTICATED', message, request.id);
    }
    // A file is read before anything of the document runs: only from callers who are known.
    if (actor.kind === 'anonymous' && request.headers['content-type']?.startsWith('multipart/')) {
      reply.header('www-authenticate', 'Bearer');
      return sendError(reply, 401, 'UNAUTHENTICATED', 'A file is taken with a valid bearer token only.', request.id);
    }
    const response = await yoga.handleNodeRequestAndResponse(request, reply, { request_: request, actor });
    for (const [name, value] of response.headers) reply.header(name, value);
    if (response.headers.get('content-type')?.startsWith('text/html')) reply.removeHeader('content-security-policy');
    return reply.code(response.status).header('cache-control', 'no-store').send(response.body);
  }
}

/** What Fastify refuses before Yoga sees it, and what breaks outside of Yoga. */
function answerFault(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  if (error.statusCode === 413) return sendError(reply, 413, 'BAD_USER_INPUT', 'The request is larger than this server takes.', request.id);
  if (error.statusCode === 415)
    return sendError(reply, 415, 'BAD_USER_INPUT', 'The content type is application/json, or multipart/form-data for uploads.', request.id);
  if (error.statusCode && error.statusCode < 500)
    return sendError(reply, error.statusCode, 'BAD_USER_INPUT', 'The request could not be read.', request.id);
  request.log.error({ err: error, requestId: request.id }, 'graphql fault');
  return sendError(reply, 500, 'INTERNAL', 'Something went wrong on our side.', request.id);
}

function sendError(reply: FastifyReply, status: number, code: ErrorCode, message: string, requestId: string) {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ errors: [{ message, extensions: { code, requestId } }] });
}

/** Makes every error, wherever it comes from, one that may leave: with a code of the list and the request's own id. */
function publicErrors({ config, log }: Infrastructure): Plugin<ServerContext> {
  return {
    onResultProcess: ({ result, setResult, serverContext }) => {
      if (Array.isArray(result) || Symbol.asyncIterator in result || !result.errors) return;
      const { request_ } = serverContext as unknown as ServerContext;
      const report = { requestId: request_.id, log, suggestions: !config.production };
      setResult({ ...result, errors: result.errors.map((error) => publicError(error, report)) });
    },
  };
}
