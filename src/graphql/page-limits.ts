/**
 * What a document may ask of lists, checked before anything runs: a page that is too large is refused, not cut, a cursor
 * is good for its own list only, and all pages together have a limit.
 */
import { parsePrismaCursor } from '@pothos/plugin-prisma';
import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  getArgumentValues,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Actor } from '../kernel/actor.ts';
import type { GraphContext } from './context.ts';
import { isKeyOf } from './node.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './pages.ts';

/** What the pages of one document may hold together. */
export const MAX_ROWS = 20_000;

/** For clients that take the status for what it says (GraphQL over HTTP): the document was not run. */
const NOT_RUN = { http: { spec: true, status: 400 } };

/** What is wrong with the pages that an operation asks for. Expects a valid document. */
export function checkPages({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs): GraphQLError[] {
  const { actor } = (contextValue as GraphContext).services;
  const operation = getOperationAST(document, operationName);
  const variables = operation && getVariableValues(schema, operation.variableDefinitions ?? [], variableValues ?? {}).coerced;
  if (!variables) return []; // Execution itself says what is wrong.
  const fragments = new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const errors: GraphQLError[] = [];
  const rowsOfFragments = new Map<string, number>(); // Each is measured once, however often it is spread.
  const rowsOfFragment = (name: string): number => {
    const { selectionSet, typeCondition } = fragments.get(name)!;
    const rows = rowsOfFragments.get(name) ?? rowsOf(selectionSet, schema.getType(typeCondition.name.value));
    rowsOfFragments.set(name, rows);
    return rows;
  };
  const rowsOf = (set: SelectionSetNode | undefined, type: GraphQLNamedType | null | undefined): number => {
    let rows = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) rows += rowsOfFragment(selection.name.value);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        rows += rowsOf(selection.selectionSet, selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : type);
      else {
        const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
        if (!field) continue; // Introspection.
        const inner = rowsOf(selection.selectionSet, getNamedType(field.type));
        const isPage = field.args.some(({ name }) => name === 'first');
        rows += isPage ? pageOf(selection, field, variables, actor, errors) * (1 + inner) : inner;
      }
    }
    return rows;
  };
  const rows = rowsOf(operation.selectionSet, schema.getRootType(operation.operation));
  if (rows > MAX_ROWS)
    errors.push(
      new GraphQLError(`The lists of the document may hold ${rows} rows; the limit is ${MAX_ROWS}. Ask for smaller pages.`, {
        nodes: operation,
        extensions: { code: 'QUERY_TOO_COMPLEX', ...NOT_RUN },
      }),
    );
  return errors;
}

/** The size of the page that a connection is asked for; what is wrong with it goes to `errors`. */
function pageOf(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  variables: Record<string, unknown>,
  actor: Actor,
  errors: GraphQLError[],
): number {
  const { first, last, after, before } = getArgumentValues(field, node, variables) as Record<'first' | 'last', number | null | undefined> &
    Record<'after' | 'before', string | null | undefined>;
  const refuse = (message: string) =>
    errors.push(new GraphQLError(message, { nodes: node, extensions: { code: 'BAD_USER_INPUT', ...NOT_RUN } }));

  const forward = first ?? after;
  const backward = last ?? before;
  if (forward != null && backward != null) refuse('A page is asked for with first and after, or with last and before.');
  for (const [name, size] of Object.entries({ first, last }))
    if (size != null && (size < 0 || size > MAX_PAGE)) refuse(`Argument "${name}" is a number from 0 to ${MAX_PAGE}.`);
  for (const [name, cursor] of Object.entries({ after, before }))
    if (cursor != null && !isCursorOf(field, cursor, actor)) refuse(`Argument "${name}" is not a cursor of this list.`);
  return Math.min(first ?? last ?? DEFAULT_PAGE, MAX_PAGE);
}

/** Is the cursor one that the list may have given to the actor? Another tenant's is like one that was made up. */
function isCursorOf(connection: GraphQLField<unknown, unknown>, cursor: string, actor: Actor): boolean {
  const type = getNamedType(connection.type);
  const node = isObjectType(type) ? getNamedType(type.getFields()['nodes']!.type) : undefined;
  try {
    const key = parsePrismaCursor(cursor);
    return isKeyOf(node?.name ?? '', key) && isWithinReach(actor, Array.isArray(key) ? key[0] : key);
  } catch {
    return false;
  }
}

function isWithinReach(actor: Actor, tenantId: string): boolean {
  if (actor.kind === 'machine') return tenantId === actor.environmentId || tenantId === actor.businessId;
  return actor.kind === 'team' && (actor.environments.has(tenantId) || actor.businesses.has(tenantId));
}
