/**
 * What an operation costs, measured before anything runs, with its variables: a row of a page costs 1 and what is
 * selected of it, times the page's size; a field of weights.ts costs what it says; everything else costs nothing.
 */
import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLNamedType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getOperationAST,
  getVariableValues,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Actor } from '../kernel/actor.ts';
import type { GraphContext } from './context.ts';
import { NOT_RUN, type PageArguments, pageSize } from './page-limits.ts';
import { LIST_SIZE, SIZED_FIELDS, weightOf } from './weights.ts';

/** What one operation may cost. */
export const MAX_COST = 20_000;
/** What every operation costs at least. */
export const MIN_COST = 1;
/** Counting ends here: the largest number that a GraphQL Int holds. */
const MAX_COUNTED = 2 ** 31 - 1;
/** What it costs to ask the schema about itself. */
const INTROSPECTION_COST = 10;

export interface Measure {
  readonly cost: number;
  /** What is wrong with the pages that it asks for. */
  readonly errors: readonly GraphQLError[];
}

/** What a mutation of many items is called with. */
interface BulkArguments {
  readonly input: { readonly items: readonly unknown[] };
}

/** What a selection costs: `rows` is the part that a connection's rows hold, which its page multiplies. */
interface Sum {
  once: number;
  rows: number;
}

/** A valid operation. */
interface Operation {
  readonly schema: GraphQLSchema;
  readonly definition: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

/** What an operation costs that is about to run. */
export function measureExecution({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs): Measure {
  const definition = getOperationAST(document, operationName);
  const fragments = new Map(
    document.definitions
      .filter((each): each is FragmentDefinitionNode => each.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  );
  const { actor } = (contextValue as GraphContext).services;
  const measured = definition && measure({ schema, definition, fragments }, variableValues ?? {}, actor);
  return measured ?? { cost: MIN_COST, errors: [] }; // Execution itself says what is wrong.
}

/** What an operation costs the actor with these variables; undefined when they do not fit it. */
export function measure({ schema, definition, fragments }: Operation, given: object, actor: Actor): Measure | undefined {
  const variables = getVariableValues(schema, definition.variableDefinitions ?? [], given as Record<string, unknown>).coerced;
  if (!variables) return undefined;
  const errors: GraphQLError[] = [];
  const ofFragments = new Map<string, Sum>(); // Each is measured once, however often it is spread.
  const ofFragment = (name: string): Sum => {
    const { selectionSet, typeCondition } = fragments.get(name)!;
    const sum = ofFragments.get(name) ?? ofSet(selectionSet, schema.getType(typeCondition.name.value));
    ofFragments.set(name, sum);
    return sum;
  };
  const ofSet = (set: SelectionSetNode | undefined, type: GraphQLNamedType | null | undefined): Sum => {
    const sum = { once: 0, rows: 0 };
    for (const selection of set?.selections ?? []) {
      if (!isIncluded(selection, variables)) continue;
      const { once, rows } = ofSelection(selection, type);
      sum.once += once;
      sum.rows += rows;
    }
    return sum;
  };
  const ofSelection = (selection: SelectionNode, type: GraphQLNamedType | null | undefined): Sum => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
    if (selection.kind === Kind.INLINE_FRAGMENT)
      return ofSet(selection.selectionSet, selection.typeCondition ? schema.getType(selection.typeCondition.name.value) : type);
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[selection.name.value] : undefined;
    if (!field) return { once: /^__(schema|type)$/.test(selection.name.value) ? INTROSPECTION_COST : 0, rows: 0 };
    const cost = ofField(selection, field);
    return isObjectType(type) && isConnection(type) && SIZED_FIELDS.includes(field.name)
      ? { once: 0, rows: cost }
      : { once: cost, rows: 0 };
  };
  const ofField = (node: FieldNode, field: GraphQLField<unknown, unknown>): number => {
    const { cost, holds } = weightOf(field);
    const { once, rows } = ofSet(node.selectionSet, getNamedType(field.type));
    if (holds === 'one') return (cost ?? 0) + once;
    if (holds === 'list') return (cost ?? LIST_SIZE) + LIST_SIZE * once;
    const args = getArgumentValues(field, node, variables);
    if (holds === 'items') return Math.max(1, (args as unknown as BulkArguments).input.items.length) * ((cost ?? 0) + once);
    return (cost ?? 0) + once + pageSize(args as PageArguments, node, field, actor, errors) * (1 + rows);
  };
  const { once } = ofSet(definition.selectionSet, schema.getRootType(definition.operation));
  return { cost: Math.min(Math.max(once, MIN_COST), MAX_COUNTED), errors };
}

/** Says that an operation costs more than one may. */
export function tooComplex(cost: number, limit: number): GraphQLError {
  return new GraphQLError(`The operation costs ${cost}; the limit is ${limit}. Ask for smaller pages or for fewer fields.`, {
    extensions: { code: 'QUERY_TOO_COMPLEX', ...NOT_RUN },
  });
}

function isConnection(type: { readonly name: string }): boolean {
  return type.name.endsWith('Connection');
}

/** Whether `@skip` and `@include` leave a selection in the operation. */
export function isIncluded(selection: SelectionNode, variables: Record<string, unknown>): boolean {
  if (!selection.directives?.length) return true;
  if (getDirectiveValues(GraphQLSkipDirective, selection, variables)?.['if'] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, selection, variables)?.['if'] !== false;
}
