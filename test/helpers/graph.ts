/** Sends documents to the management graph. Documents made with `graphql(…)` are typed from schema.graphql. */
import type { TypedDocumentString } from '../generated/graphql.ts';
import type { TestApp } from './app.ts';

export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string; readonly permission?: string; readonly requestId: string };
}

export interface GraphAnswer<Result> {
  readonly status: number;
  readonly data: Result | null;
  readonly errors: readonly GraphError[];
  readonly headers: Headers;
}

/** Sends a document with a bearer token; `undefined` asks as nobody. */
export async function ask<Result, Variables>(
  gatehouse: TestApp,
  token: string | undefined,
  document: TypedDocumentString<Result, Variables> | string,
  variables?: Variables,
): Promise<GraphAnswer<Result>> {
  const response = await fetch(gatehouse.quickstart.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const { data = null, errors = [] } = (await response.json()) as { data?: Result | null; errors?: GraphError[] };
  return { status: response.status, data, errors, headers: response.headers };
}

/** Sends an upload by the GraphQL multipart request specification; the file goes to `path`, as `variables.input.file`. */
export async function upload<Result>(
  gatehouse: TestApp,
  token: string,
  document: string,
  variables: object,
  path: string,
  file: File,
  headers: Record<string, string> = {},
): Promise<GraphAnswer<Result>> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: document, variables }));
  form.set('map', JSON.stringify({ 0: [path] }));
  form.set('0', file);
  const response = await fetch(gatehouse.quickstart.graphqlUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: form,
  });
  const { data = null, errors = [] } = (await response.json()) as { data?: Result | null; errors?: GraphError[] };
  return { status: response.status, data, errors, headers: response.headers };
}
