/**
 * Runs an operation as the specification says (GraphQL, section 6). Yoga's own executor works out for every field of
 * every row what is the same for all of them: here that is planned once (plan.ts), and what a resolver may want to know
 * of its field is made when it asks. Of what Yoga's executor has besides, the schema uses nothing: no `@defer`, no
 * `@stream`, no subscriptions.
 */
import {
  defaultTypeResolver,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
  getVariableValues,
  isObjectType,
  locatedError,
  OperationTypeNode,
} from 'graphql';
import {
  type PlannedField,
  type PlannedOperation,
  planOperation,
  rootSelection,
  type Selection,
  type Shape,
  subselection,
} from './plan.ts';

type Path = GraphQLResolveInfo['path'];
type Awaitable<T> = T | Promise<T>;

/** One run of an operation. */
interface Execution {
  readonly planned: PlannedOperation;
  readonly variables: Record<string, unknown>;
  readonly context: unknown;
  readonly rootValue: unknown;
  /** What fields are called with: the same for every row. */
  readonly calls: Map<PlannedField, object>;
  readonly errors: GraphQLError[];
}

const NO_ARGUMENTS = Object.freeze({});
/** As many as graphql-js tells of. */
const MAX_VARIABLE_ERRORS = 50;

/** Runs an operation of a valid document. What is wrong with a field is told in `errors`; the promise is never rejected. */
export function execute(args: ExecutionArgs): Awaitable<ExecutionResult> {
  const { schema, document, operationName, variableValues, contextValue, rootValue } = args;
  const planned = planOperation(schema, document, operationName);
  if (planned instanceof GraphQLError) return { errors: [asBadRequest(planned)] };
  const { definition } = planned;
  const variables = getVariableValues(schema, definition.variableDefinitions ?? [], variableValues ?? {}, {
    maxErrors: MAX_VARIABLE_ERRORS,
  });
  if (variables.errors) return { errors: variables.errors.map(asBadRequest) };
  const execution: Execution = { planned, variables: variables.coerced, context: contextValue, rootValue, calls: new Map(), errors: [] };
  const answer = (data: Record<string, unknown> | null) => (execution.errors.length > 0 ? { errors: execution.errors, data } : { data });
  const fail = (error: unknown) => {
    execution.errors.push(error as GraphQLError);
    return answer(null);
  };
  try {
    const data = executeRoot(execution);
    return isPromise(data) ? data.then(answer, fail) : answer(data);
  } catch (error) {
    return fail(error);
  }
}

function executeRoot(execution: Execution): Awaitable<Record<string, unknown>> {
  const { planned, variables, rootValue } = execution;
  const selection = rootSelection(planned, variables);
  if (selection instanceof GraphQLError) throw selection;
  return planned.definition.operation === OperationTypeNode.MUTATION
    ? executeInTurn(execution, selection, rootValue)
    : executeSelection(execution, selection, rootValue, undefined);
}

/** The fields of a mutation: each begins when the one before it has ended. */
async function executeInTurn(execution: Execution, { fields }: Selection, root: unknown): Promise<Record<string, unknown>> {
  const entries: [string, unknown][] = [];
  for (const field of fields) entries.push([field.name, await executeField(execution, field, root, undefined)]);
  return Object.fromEntries(entries);
}

function executeSelection(
  execution: Execution,
  { fields, hasProto }: Selection,
  parent: unknown,
  path: Path | undefined,
): Awaitable<Record<string, unknown>> {
  const data: Record<string, unknown> = hasProto ? Object.create(null) : {};
  let pending: string[] | undefined;
  try {
    for (const field of fields) {
      const value = executeField(execution, field, parent, path);
      data[field.name] = value;
      if (isPromise(value)) pending = [...(pending ?? []), field.name];
    }
  } catch (error) {
    if (!pending) throw error;
    return afterAll(Object.values(data), error);
  }
  if (!pending) return data;
  const names = pending;
  return Promise.all(names.map((name) => data[name])).then((values) => {
    for (const [index, name] of names.entries()) data[name] = values[index];
    return data;
  });
}

function executeField(execution: Execution, field: PlannedField, parent: unknown, above: Path | undefined): unknown {
  const info = new FieldInfo(execution, field, above);
  try {
    const value = field.resolve(parent, argumentsOf(execution, field), execution.context, info);
    const completed = isPromise(value)
      ? value.then((resolved) => complete(execution, field, field.shape, resolved, info, undefined))
      : complete(execution, field, field.shape, value, info, undefined);
    return isPromise(completed) ? completed.then(undefined, (error) => failed(execution, field, field.shape, error, info.path)) : completed;
  } catch (error) {
    return failed(execution, field, field.shape, error, info.path);
  }
}

function argumentsOf({ calls, variables }: Execution, field: PlannedField): object {
  const { definition, nodes } = field;
  if (definition.args.length === 0) return NO_ARGUMENTS;
  const known = calls.get(field);
  if (known) return known;
  const call = Object.freeze(getArgumentValues(definition, nodes[0]!, variables));
  calls.set(field, call);
  return call;
}

/** Null with an error, where null is allowed; else the error goes on to what holds the value. */
function failed({ errors }: Execution, { nodes }: PlannedField, { isNonNull }: Shape, raw: unknown, path: Path): null {
  const error = locatedError(raw, nodes, pathKeys(path));
  if (isNonNull) throw error;
  errors.push(error);
  return null;
}

/** Makes of what a resolver returned what the answer holds. `path` is the item's when the value is one of a list. */
function complete(
  execution: Execution,
  field: PlannedField,
  shape: Shape,
  value: unknown,
  info: FieldInfo,
  path: Path | undefined,
): unknown {
  if (value instanceof Error) throw value;
  if (value === null || value === undefined) {
    if (shape.isNonNull) throw new Error(`Cannot return null for non-nullable field ${field.parentType.name}.${field.definition.name}.`);
    return null;
  }
  switch (shape.kind) {
    case 'leaf': {
      const serialized = shape.type.serialize(value);
      if (serialized === null || serialized === undefined)
        throw new Error(`${shape.type.name} made nothing of a value of ${field.definition.name}.`);
      return serialized;
    }
    case 'object':
      return completeObject(execution, field, shape.type, value, info, path ?? info.path);
    case 'list':
      return completeList(execution, field, shape, value, info, path ?? info.path);
    case 'abstract':
      return completeAbstract(execution, field, shape, value, info, path ?? info.path);
  }
}

function completeObject(
  execution: Execution,
  field: PlannedField,
  type: GraphQLObjectType,
  value: unknown,
  info: FieldInfo,
  path: Path,
): Awaitable<Record<string, unknown>> {
  const isOne = type.isTypeOf ? type.isTypeOf(value, execution.context, info) : true;
  const select = (isOfType: boolean) => {
    if (!isOfType)
      throw new GraphQLError(`Expected a value of type "${type.name}" for ${field.parentType.name}.${field.definition.name}.`, {
        nodes: field.nodes,
      });
    return executeSelection(execution, subselection(execution.planned, execution.variables, field, type), value, path);
  };
  return isPromise(isOne) ? isOne.then(select) : select(isOne);
}

function completeList(
  execution: Execution,
  field: PlannedField,
  { of }: Extract<Shape, { kind: 'list' }>,
  value: unknown,
  info: FieldInfo,
  path: Path,
): Awaitable<unknown[]> {
  if (typeof value !== 'object' || !(Symbol.iterator in (value as object)))
    throw new GraphQLError(`Expected a list for ${field.parentType.name}.${field.definition.name}.`);
  const given = Array.isArray(value) ? value : Array.from(value as Iterable<unknown>);
  const items: unknown[] = [];
  let isPending = false;
  try {
    for (const item of given) {
      const completed = completeItem(execution, field, of, item, info, { prev: path, key: items.length, typename: undefined });
      isPending ||= isPromise(completed);
      items.push(completed);
    }
  } catch (error) {
    if (!isPending) throw error;
    return afterAll(items, error);
  }
  return isPending ? Promise.all(items) : items;
}

/** Fails with the error when what has begun has ended, so that nothing of it is left running or rejected unheard. */
function afterAll(begun: readonly unknown[], error: unknown): Promise<never> {
  return Promise.allSettled(begun).then(() => Promise.reject(error));
}

function completeItem(execution: Execution, field: PlannedField, of: Shape, item: unknown, info: FieldInfo, path: Path): unknown {
  try {
    const completed = isPromise(item)
      ? item.then((resolved) => complete(execution, field, of, resolved, info, path))
      : complete(execution, field, of, item, info, path);
    return isPromise(completed) ? completed.then(undefined, (error) => failed(execution, field, of, error, path)) : completed;
  } catch (error) {
    return failed(execution, field, of, error, path);
  }
}

function completeAbstract(
  execution: Execution,
  field: PlannedField,
  { type }: Extract<Shape, { kind: 'abstract' }>,
  value: unknown,
  info: FieldInfo,
  path: Path,
): Awaitable<Record<string, unknown>> {
  const { schema } = execution.planned;
  const select = (name: string | undefined) => {
    const runtimeType = name === undefined ? undefined : schema.getType(name);
    if (!isObjectType(runtimeType) || !schema.isSubType(type, runtimeType))
      throw new GraphQLError(`Runtime Object type "${name}" is not a possible type for "${type.name}".`, { nodes: field.nodes });
    return completeObject(execution, field, runtimeType, value, info, path);
  };
  const name = (type.resolveType ?? defaultTypeResolver)(value, execution.context, info, type);
  return isPromise(name) ? name.then(select) : select(name);
}

/** What a resolver is told about its field. */
class FieldInfo implements GraphQLResolveInfo {
  readonly #execution: Execution;
  readonly #field: PlannedField;
  readonly #above: Path | undefined;
  #path: Path | undefined;

  constructor(execution: Execution, field: PlannedField, above: Path | undefined) {
    this.#execution = execution;
    this.#field = field;
    this.#above = above;
  }

  /** The same object at every call: others keep by it what they know of the place. */
  get path() {
    this.#path ??= { prev: this.#above, key: this.#field.name, typename: this.#field.parentType.name };
    return this.#path;
  }
  get fieldName() {
    return this.#field.definition.name;
  }
  get fieldNodes() {
    return this.#field.nodes;
  }
  get returnType() {
    return this.#field.definition.type;
  }
  get parentType() {
    return this.#field.parentType;
  }
  get schema() {
    return this.#execution.planned.schema;
  }
  get fragments() {
    return this.#execution.planned.fragments;
  }
  get operation() {
    return this.#execution.planned.definition;
  }
  get rootValue() {
    return this.#execution.rootValue;
  }
  get variableValues() {
    return this.#execution.variables;
  }
}

function pathKeys(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let link: Path | undefined = path; link; link = link.prev) keys.push(link.key);
  return keys.reverse();
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Nothing has run: over HTTP that is no answer to the operation. */
function asBadRequest({ message, nodes, originalError, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes, originalError, extensions: { ...extensions, http: { status: 400 } } });
}
