/** The parameters of a GET request, as GraphQL over HTTP has them: `documentId` too, and with a word for what is no JSON. */
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';

/** Reads the parameters of GET requests. */
export const getParameters: Plugin = {
  onRequestParse: ({ request: { method }, setRequestParser }) => {
    if (method === 'GET') setRequestParser((request) => parametersOf(new URL(request.url).searchParams));
  },
};

function parametersOf(search: URLSearchParams): GraphQLParams {
  const text = (name: string) => search.get(name) || undefined;
  const json = (name: string) => {
    const value = text(name);
    try {
      return value && JSON.parse(value);
    } catch {
      throw new GraphQLError(`The parameter "${name}" is not JSON.`, {
        extensions: { code: 'BAD_USER_INPUT', http: { spec: true, status: 400 } },
      });
    }
  };
  const parameters = { query: text('query'), operationName: text('operationName'), documentId: text('documentId') };
  return { ...parameters, variables: json('variables'), extensions: json('extensions') };
}
