/** Asks `explainAccess`, and compares what it says with what the same operation meets when it runs. */
import { expect } from 'vitest';
import type { ExplainInShortQuery, ExplainInShortQueryVariables, ExplainQuery, ExplainQueryVariables } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import type { TestApp } from '../helpers/app.ts';
import type { GraphError } from '../helpers/graph.ts';
import { ask } from '../helpers/graph.ts';

export const EXPLAIN = graphql(`
  query Explain($document: String!, $operationName: String, $variables: JSON, $as: ExplainAccessAs, $tenantId: ID) {
    explainAccess(document: $document, operationName: $operationName, variables: $variables, as: $as, tenantId: $tenantId) {
      kind isAllowed
      coordinates {
        coordinate path permission openBecause isAllowed refusal businessId environmentId grantedBy { teamRoles scope } grantableBy
      }
    }
  }
`);

/** What is compared with an operation that runs: of a thousand fields, the rest takes as long as the operation. */
const EXPLAIN_IN_SHORT = graphql(`
  query ExplainInShort($document: String!, $variables: JSON) {
    explainAccess(document: $document, variables: $variables) {
      isAllowed
      coordinates { coordinate path permission isAllowed refusal businessId }
    }
  }
`);

export type Explanation = NonNullable<ExplainQuery['explainAccess']>;
export type Coordinate = Explanation['coordinates'][number];
export type ShortExplanation = NonNullable<ExplainInShortQuery['explainAccess']>;
type ShortCoordinate = ShortExplanation['coordinates'][number];

/** The explanation, which there must be. */
export async function explained(gatehouse: TestApp, token: string | undefined, variables: ExplainQueryVariables): Promise<Explanation> {
  const { data, errors } = await ask(gatehouse, token, EXPLAIN, variables);
  expect(errors).toEqual([]);
  return data!.explainAccess!;
}

/** What an explanation says of each field for who asks, without by whom it is granted. */
export async function explainedInShort(
  gatehouse: TestApp,
  token: string | undefined,
  variables: ExplainInShortQueryVariables,
): Promise<ShortExplanation> {
  const { data, errors } = await ask(gatehouse, token, EXPLAIN_IN_SHORT, variables);
  expect(errors).toEqual([]);
  return data!.explainAccess!;
}

/** What is said of each field, as `path: permission`, `open` or why not. */
export function summary({ coordinates }: Explanation): Record<string, string> {
  return Object.fromEntries(coordinates.map(({ path, refusal, permission }) => [path.join('.'), refusal ?? permission ?? 'open']));
}

/** What an operation met when it ran. */
export interface Ran {
  readonly data: unknown;
  readonly errors: readonly GraphError[];
}

/** The refusals that were met, each once however many rows met it, as `path: permission`. */
export function refusalsMet({ errors }: Ran): string[] {
  const forbidden = errors.filter(({ extensions }) => extensions.code === 'FORBIDDEN');
  return distinct(forbidden.map(({ path, extensions }) => `${namesOf(path)}: ${extensions.permission}`));
}

/** The refusals that the explanation says will be met by whatever of the operation is reached: what is above was given. Of
 * several permissions that a mutation takes, the first that is not held is met. */
export function refusalsForetold({ coordinates }: ShortExplanation, { data }: Ran): string[] {
  const firstOfRoot = coordinates.find(({ isAllowed, path }) => !isAllowed && path.length === 1);
  const forbidden = coordinates.filter(
    (each) => each.refusal === 'FORBIDDEN' && isReached(data, each.path.slice(0, -1)) && !isLater(each, firstOfRoot),
  );
  return distinct(forbidden.map(({ path, permission }) => `${path.join('.')}: ${permission}`));
}

/** Does another refusal of the same mutation come before it? */
function isLater({ coordinate, permission }: ShortCoordinate, first: ShortCoordinate | undefined): boolean {
  return coordinate.startsWith('Mutation.') && coordinate === first?.coordinate && permission !== first.permission;
}

/** The fields that were given although the explanation denies them. */
export function givenInSpite({ coordinates }: ShortExplanation, { data }: Ran): string[] {
  return coordinates.filter(({ isAllowed, path }) => !isAllowed && isReached(data, path)).map(({ path }) => path.join('.'));
}

function isReached(value: unknown, path: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((each) => isReached(each, path));
  if (value === null || value === undefined) return false;
  const [key, ...below] = path;
  return key === undefined || isReached((value as Record<string, unknown>)[key], below);
}

function namesOf(path: GraphError['path']): string {
  return (path ?? []).filter((part) => typeof part === 'string').join('.');
}

function distinct(texts: string[]): string[] {
  return [...new Set(texts)].sort();
}
