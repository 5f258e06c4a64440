/**
 * What most clients send: a JSON object that is posted, to be answered as JSON. Yoga runs its operation, but makes neither
 * a request of it nor a response, which took a third of a small operation's time. A result with errors goes on to Yoga,
 * which knows what status they have.
 */
import type { FastifyRequest } from 'fastify';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin, YogaServerInstance } from 'graphql-yoga';
import { assertAnswerable } from '../db/reads/budget.ts';

const JSON_ANSWER = 'application/json; charset=utf-8';
const GRAPHQL_ANSWER = 'application/graphql-response+json; charset=utf-8';

/** What the answer is called, as Yoga does, by what well-known clients send as `Accept`. */
const ANSWERS = new Map<string | undefined, string>([
  [undefined, JSON_ANSWER],
  ['*/*', JSON_ANSWER],
  ['application/json', JSON_ANSWER],
  ['application/json, text/plain, */*', JSON_ANSWER],
  ['application/graphql-response+json', GRAPHQL_ANSWER],
  ['application/graphql-response+json,application/json;q=0.9', GRAPHQL_ANSWER],
  ['application/graphql-response+json, application/json', GRAPHQL_ANSWER],
  ['application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed', GRAPHQL_ANSWER],
]);
const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;
/** What plugins are told of the request; what they go by is in the context. */
const POSTED = new Request('http://localhost/graphql', { method: 'POST' });

/** The result of an operation that has been run; Yoga only answers with it. */
interface Given {
  result?: ExecutionResult;
}

/** Makes Yoga answer with a result that is there already. */
export const givenResult: Plugin<Given> = {
  onParams: ({ context, setResult }) => {
    const { result } = context as unknown as Given;
    if (result) setResult(result);
  },
};

/** The content type of a plain request's answer. */
export function answerTypeOf({ headers }: FastifyRequest): string {
  return ANSWERS.get(headers.accept)!;
}

/** The result of a plain request's operation; undefined for any other request. It is in `context` from then on. */
export async function plainResult<Context extends Given>(
  // biome-ignore lint/suspicious/noExplicitAny: what resolvers are given is the schema's own
  yoga: YogaServerInstance<Context, any>,
  request: FastifyRequest,
  context: Context,
): Promise<ExecutionResult | undefined> {
  const params = paramsOf(request);
  if (!params) return undefined;
  try {
    context.result = (await yoga.getResultForParams({ params, request: POSTED }, context)) as ExecutionResult;
    assertAnswerable(context.result.data);
  } catch (error) {
    const refusal =
      error instanceof GraphQLError ? error : new GraphQLError('The operation could not be run.', { originalError: error as Error });
    context.result = { errors: [refusal] };
  }
  return context.result;
}

function paramsOf({ method, headers, body }: FastifyRequest): GraphQLParams | undefined {
  if (method !== 'POST' || !JSON_TYPE.test(headers['content-type'] ?? '') || !ANSWERS.has(headers.accept)) return undefined;
  try {
    const params: unknown = JSON.parse(body as string);
    return typeof params === 'object' && params !== null && !Array.isArray(params) ? params : undefined;
  } catch {
    return undefined;
  }
}
