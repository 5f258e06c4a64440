/** `/graphql`: Yoga behind the one HTTP server, with a bearer token for who is asking. No cookie is ever read here. */

import { createFetch } from '@whatwg-node/fetch';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { createContext, type Infrastructure } from '../features/context.ts';
import { MAX_IMPORT_BYTES } from '../features/imports/csv.ts';
import { originOf } from '../http/server.ts';
import type { Actor } from '../kernel/actor.ts';
import { actorOf } from './actor.ts';
import type { GraphContext } from './context.ts';
import { publicError } from './errors.ts';
import { depthLimit, MAX_TOKENS } from './limits.ts';
import { schema } from './schema.ts';

const JSON_LIMIT = 1024 * 1024;

interface ServerContext {
  readonly request_: FastifyRequest;
  readonly actor: Actor;
}

export function graphqlRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => Promise<void> {
  const { config, log } = infrastructure;
  const limits: Plugin<ServerContext> = {
    onParse: ({ params }) => {
      params.options = { ...params.options, maxTokens: MAX_TOKENS };
    },
    onValidate: ({ addValidationRule, context }) => {
      addValidationRule(depthLimit);
      if (config.production && (context as unknown as ServerContext).actor.kind === 'anonymous')
        addValidationRule(NoSchemaIntrospectionCustomRule);
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
    maskedErrors: {
      maskError: (error) => publicError(error, 'unknown', log),
    },
    plugins: [limits, withRequestIds(infrastructure)],
    fetchAPI: createFetch({
      useNodeFetch: true,
      formDataLimits: { fileSize: MAX_IMPORT_BYTES, files: 1, fields: 3, fieldSize: JSON_LIMIT },
    }),
  });

  return async (routes) => {
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: JSON_LIMIT }, (_request, body, done) =>
      done(null, body),
    );
    routes.addContentTypeParser('multipart/form-data', { bodyLimit: MAX_IMPORT_BYTES + JSON_LIMIT }, (_request, _body, done) => done(null));
    routes.route({
      url: '/graphql',
      method: ['GET', 'POST', 'OPTIONS'],
      config: { errors: 'json' },
      handler: (request, reply) => answer(request, reply),
    });
  };

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    if (Number(request.headers['content-length'] ?? 0) > MAX_IMPORT_BYTES + JSON_LIMIT)
      return sendError(reply, 413, 'BAD_USER_INPUT', 'The request is larger than this server takes.', request.id);
    const actor = await actorOf(infrastructure, request.headers.authorization);
    if (!actor) {
      reply.header('www-authenticate', 'Bearer error="invalid_token"');
      return sendError(
        reply,
        401,
        'UNAUTHENTICATED',
        'The bearer token is not valid: it is malformed, expired, or not made out to the management API.',
        request.id,
      );
    }
    const response = await yoga.handleNodeRequestAndResponse(request, reply, { request_: request, actor });
    for (const [name, value] of response.headers) reply.header(name, value);
    if (response.headers.get('content-type')?.startsWith('text/html')) reply.removeHeader('content-security-policy');
    return reply.code(response.status).header('cache-control', 'no-store').send(response.body);
  }
}

function sendError(reply: FastifyReply, status: number, code: string, message: string, requestId: string) {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ errors: [{ message, extensions: { code, requestId } }] });
}

/** Puts the request's own id into the errors that left execution. */
function withRequestIds({ log }: Infrastructure): Plugin<ServerContext> {
  return {
    onResultProcess: ({ result, setResult, serverContext }) => {
      if (Array.isArray(result) || Symbol.asyncIterator in result || !result.errors) return;
      const { request_ } = serverContext as unknown as ServerContext;
      setResult({ ...result, errors: result.errors.map((error) => publicError(error, request_?.id ?? 'unknown', log)) });
    },
  };
}
