/**
 * Follows an operation through the schema as execution would, and judges each field by what execution judges it by: the
 * field's own declaration, and `can`. Nothing of the operation is run.
 */
import {
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  valueFromASTUntyped,
} from 'graphql';
import { holdsAnywhere } from '../access/authorize.ts';
import type { PermissionName } from '../access/permissions.ts';
import type { Context } from '../features/context.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Operation } from './access-operation.ts';
import { enter, may, type Place, type Start, startOf } from './access-places.ts';
import { policyOf } from './policy.ts';

/** What one explanation may hold: fields, times the businesses that each is judged in. */
export const MAX_JUDGEMENTS = 5000;

/** What the actor would meet in the place of a field. */
export type Refusal = 'FORBIDDEN' | 'NOT_FOUND' | 'UNAUTHENTICATED';

/** Whether the actor may use a field in a place. */
export interface Judgement {
  readonly coordinate: string;
  /** Response keys, from the root field's on. */
  readonly path: readonly string[];
  readonly permission: PermissionName | undefined;
  /** Why the field takes no permission. */
  readonly open: string | undefined;
  /** Absent when it may be used. */
  readonly refusal: Refusal | undefined;
  readonly place: Place;
  /** Who was judged. */
  readonly actor: Actor;
}

/** A field as execution collects it: all selections that answer under one key. */
interface Selected {
  readonly key: string;
  readonly owner: GraphQLNamedType;
  readonly field: GraphQLField<unknown, unknown>;
  readonly nodes: FieldNode[];
}

/**
 * Judges every field of an operation for the context's actor, in document order. What no id names is judged `within`
 * that place; without one, in every business of the actor.
 * @throws GraphQLError QUERY_TOO_COMPLEX beyond {@link MAX_JUDGEMENTS}
 */
export async function judgeOperation(ctx: Context, operation: Operation, within: Place | undefined): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  const { schema, definition, variables } = operation;
  for (const root of fieldsOf(operation, schema.getRootType(definition.operation)!, [definition.selectionSet])) {
    const start = await startOf(ctx, root.field, root.nodes[0]!, variables, within);
    judge(operation, root, [], { actor: ctx.actor, ...start }, start.places, judgements);
  }
  return judgements;
}

function judge(
  operation: Operation,
  { key, owner, field, nodes }: Selected,
  above: readonly string[],
  start: Start & { actor: Actor },
  parents: readonly Place[],
  into: Judgement[],
): void {
  const { actor } = start;
  const { permission, argumentPermissions, open } = policyOf(field);
  const permissions = permission ? [permission, ...(argumentPermissions?.(argumentsOf(nodes[0]!, operation)) ?? [])] : [];
  const path = [...above, key];
  const places = parents.map((place) => enter(actor, place, owner.name));
  const about = { coordinate: `${owner.name}.${field.name}`, path, permission, open, actor };
  const isRoot = above.length === 0;
  // What the arguments take besides is asked for where something has been found.
  for (const [index, needed] of permissions.entries())
    for (const place of places)
      into.push({ ...about, permission: needed, place, refusal: refusalOf(start, needed, place, isRoot && index === 0) });
  if (!permission) into.push({ ...about, place: places.length === 1 ? places[0]! : {}, refusal: start.refusal });
  if (into.length > MAX_JUDGEMENTS)
    throw new GraphQLError(`An explanation holds at most ${MAX_JUDGEMENTS} coordinates. Name one tenant, or ask for less.`, {
      extensions: { code: 'QUERY_TOO_COMPLEX' },
    });
  const type = getNamedType(field.type);
  // An id tells the type of what a root field finds.
  const met = isRoot && isAbstractType(type) && start.typeName ? operation.schema.getType(start.typeName)! : type;
  const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  for (const inner of fieldsOf(operation, met, sets)) judge(operation, inner, path, start, places, into);
}

/** What a field is called with, as far as it is known: a variable without a value leaves its argument out. */
function argumentsOf({ arguments: given }: FieldNode, { variables }: Operation): Record<string, unknown> {
  return Object.fromEntries((given ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value, variables)]));
}

function refusalOf(start: Start & { actor: Actor }, permission: PermissionName, place: Place, isRoot: boolean): Refusal | undefined {
  const { actor, refusal, isOfRow } = start;
  if (!refusal && may(actor, permission, place)) return undefined;
  if (!isRoot) return refusal ?? 'FORBIDDEN';
  if (!holdsAnywhere(actor, permission)) return 'FORBIDDEN';
  return refusal ?? (isOfRow ? 'NOT_FOUND' : 'FORBIDDEN');
}

/** The fields that a value of the type is asked for, by the rules of execution; each fragment is entered once. */
function fieldsOf(operation: Operation, type: GraphQLNamedType, sets: readonly SelectionSetNode[]): Iterable<Selected> {
  const { schema, fragments } = operation;
  const collected = new Map<string, Selected>();
  const entered = new Set<string>();
  const collect = (set: SelectionSetNode, owner: GraphQLNamedType): void => {
    for (const selection of set.selections.filter((each) => isIncluded(operation, each))) {
      if (selection.kind === Kind.FIELD) {
        const field = isObjectType(owner) || isInterfaceType(owner) ? owner.getFields()[selection.name.value] : undefined;
        if (!field) continue; // Introspection.
        const key = selection.alias?.value ?? selection.name.value;
        const known = collected.get(`${owner.name} ${key}`);
        if (known) known.nodes.push(selection);
        else collected.set(`${owner.name} ${key}`, { key, owner, field, nodes: [selection] });
      } else {
        const isSpread = selection.kind === Kind.FRAGMENT_SPREAD;
        if (isSpread && entered.has(`${owner.name} ${selection.name.value}`)) continue;
        if (isSpread) entered.add(`${owner.name} ${selection.name.value}`);
        const fragment = isSpread ? fragments.get(selection.name.value)! : selection;
        const narrowed = narrow(schema, owner, fragment.typeCondition && schema.getType(fragment.typeCondition.name.value)!);
        if (narrowed) collect(fragment.selectionSet, narrowed);
      }
    }
  };
  for (const set of sets) collect(set, type);
  return collected.values();
}

/** What a value of the type is known to be within a fragment on `condition`; undefined when the fragment is not for it. */
function narrow(schema: GraphQLSchema, type: GraphQLNamedType, condition: GraphQLNamedType | undefined): GraphQLNamedType | undefined {
  if (!condition || condition === type) return type;
  if (isAbstractType(type)) return condition;
  return isAbstractType(condition) && isObjectType(type) && schema.isSubType(condition, type) ? type : undefined;
}

function isIncluded({ variables }: Operation, { directives }: SelectionNode): boolean {
  const condition = (name: string) => {
    const directive = directives?.find((each) => each.name.value === name);
    return directive && valueFromASTUntyped(directive.arguments![0]!.value, variables);
  };
  return condition('skip') !== true && condition('include') !== false;
}
