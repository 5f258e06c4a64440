/**
 * What an operation selects, worked out once: which fields of an object, how each is resolved and completed. Rows of a
 * list share it, and so do requests that send the same document.
 */
import {
  BREAK,
  type DocumentNode,
  defaultFieldResolver,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLEnumType,
  GraphQLError,
  type GraphQLField,
  type GraphQLFieldResolver,
  GraphQLIncludeDirective,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  type GraphQLUnionType,
  getOperationAST,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type NamedTypeNode,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  visit,
} from 'graphql';
import { isIncluded } from '../cost.ts';

/** How a value becomes what the answer holds: the wrappers of a type taken off one by one. */
export type Shape =
  | { readonly kind: 'leaf'; readonly isNonNull: boolean; readonly type: GraphQLScalarType | GraphQLEnumType }
  | { readonly kind: 'object'; readonly isNonNull: boolean; readonly type: GraphQLObjectType }
  | { readonly kind: 'abstract'; readonly isNonNull: boolean; readonly type: GraphQLInterfaceType | GraphQLUnionType }
  | { readonly kind: 'list'; readonly isNonNull: boolean; readonly of: Shape };

/** A field of an object that the operation selects, under one name of the answer. */
export interface PlannedField {
  readonly name: string;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly parentType: GraphQLObjectType;
  readonly nodes: readonly FieldNode[];
  readonly resolve: GraphQLFieldResolver<unknown, unknown>;
  readonly shape: Shape;
  /** What it selects of the objects that it holds, by their type. */
  readonly selections: Map<GraphQLObjectType, Selection>;
}

export interface Selection {
  readonly fields: readonly PlannedField[];
  /** Whether a name among them means something to JavaScript: `__proto__` would change the object that it is set on. */
  readonly hasProto: boolean;
}

/** An operation of a document, against a schema. */
export interface PlannedOperation {
  readonly schema: GraphQLSchema;
  readonly definition: OperationDefinitionNode;
  readonly fragments: Record<string, FragmentDefinitionNode>;
  /** Whether variables decide what it selects, by `@skip` or `@include`: then each execution plans for itself. */
  readonly isConditional: boolean;
  root: Selection | undefined;
}

const operations = new WeakMap<DocumentNode, Map<string | null | undefined, PlannedOperation>>();

/** Plans an operation of the document, or says why there is none to plan. */
export function planOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | null | undefined,
): PlannedOperation | GraphQLError {
  const ofDocument = operations.get(document) ?? new Map<typeof name, PlannedOperation>();
  const known = ofDocument.get(name);
  if (known?.schema === schema) return known;
  const definition = getOperationAST(document, name);
  if (!definition)
    return new GraphQLError(
      name ? `Unknown operation named "${name}".` : 'Must provide operation name if query contains multiple operations.',
    );
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null);
  for (const each of document.definitions) if (each.kind === Kind.FRAGMENT_DEFINITION) fragments[each.name.value] = each;
  const planned = { schema, definition, fragments, isConditional: isConditional(document), root: undefined };
  operations.set(document, ofDocument.set(name, planned));
  return planned;
}

function isConditional(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive: ({ name }) => {
      found = name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name;
      return found ? BREAK : undefined;
    },
  });
  return found;
}

/** What the operation selects of its root, or why it has none. */
export function rootSelection(operation: PlannedOperation, variables: Record<string, unknown>): Selection | GraphQLError {
  if (operation.root) return operation.root;
  const { schema, definition } = operation;
  const type = schema.getRootType(definition.operation);
  if (!type) return new GraphQLError(`Schema is not configured to execute ${definition.operation} operation.`, { nodes: definition });
  const root = select(operation, variables, type, [definition]);
  if (!operation.isConditional) operation.root = root;
  return root;
}

/** What a field selects of an object of the type. */
export function subselection(
  operation: PlannedOperation,
  variables: Record<string, unknown>,
  { nodes, selections }: PlannedField,
  type: GraphQLObjectType,
): Selection {
  const known = selections.get(type);
  if (known) return known;
  const selection = select(operation, variables, type, nodes);
  selections.set(type, selection);
  return selection;
}

/** What the nodes select together of an object of the type: what has the same name in the answer is one field. */
function select(
  { schema, fragments }: PlannedOperation,
  variables: Record<string, unknown>,
  type: GraphQLObjectType,
  nodes: readonly { readonly selectionSet?: SelectionSetNode | undefined }[],
): Selection {
  const selected = new Map<string, FieldNode[]>();
  const spread = new Set<string>();
  const applies = (condition: NamedTypeNode | undefined) => {
    const conditionType = condition && schema.getType(condition.name.value);
    return !condition || conditionType === type || (isAbstractType(conditionType) && schema.isSubType(conditionType, type));
  };
  const collect = ({ selections }: SelectionSetNode) => {
    for (const selection of selections) {
      if (!isIncluded(selection, variables)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        const same = selected.get(name);
        if (same) same.push(selection);
        else selected.set(name, [selection]);
        continue;
      }
      const name = selection.kind === Kind.FRAGMENT_SPREAD ? selection.name.value : undefined;
      if (name !== undefined && spread.has(name)) continue;
      if (name !== undefined) spread.add(name);
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value]! : selection;
      if (applies(fragment.typeCondition)) collect(fragment.selectionSet);
    }
  };
  for (const { selectionSet } of nodes) if (selectionSet) collect(selectionSet);
  const fields = [...selected].map(([name, ofName]) => planField(schema, type, name, ofName));
  return { fields, hasProto: selected.has('__proto__') };
}

function planField(schema: GraphQLSchema, parentType: GraphQLObjectType, name: string, nodes: readonly FieldNode[]): PlannedField {
  const definition = definitionOf(schema, parentType, nodes[0]!.name.value);
  const { resolve = defaultFieldResolver, type } = definition;
  return { name, definition, parentType, nodes, resolve, shape: shapeOf(type), selections: new Map() };
}

function definitionOf(schema: GraphQLSchema, type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  if (type === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return type.getFields()[name]!; // The document is valid.
}

const shapes = new WeakMap<GraphQLOutputType, Shape>();

function shapeOf(type: GraphQLOutputType): Shape {
  const shape = shapes.get(type) ?? makeShape(type);
  shapes.set(type, shape);
  return shape;
}

function makeShape(given: GraphQLOutputType): Shape {
  const isNonNull = isNonNullType(given);
  const type = isNonNull ? given.ofType : given;
  if (isListType(type)) return { kind: 'list', isNonNull, of: shapeOf(type.ofType) };
  if (isLeafType(type)) return { kind: 'leaf', isNonNull, type };
  if (isObjectType(type)) return { kind: 'object', isNonNull, type };
  return { kind: 'abstract', isNonNull, type };
}
