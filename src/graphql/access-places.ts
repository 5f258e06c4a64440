/**
 * Where an operation reads and writes: the tenant that a root field names by the ids in its arguments, and how the tenant
 * changes on the way down. What is out of the actor's reach is the same as what is not there.
 */
import { type FieldNode, type GraphQLField, type GraphQLInputType, getNamedType, isInputObjectType, valueFromASTUntyped } from 'graphql';
import { can, holdsAnywhere } from '../access/authorize.ts';
import type { PermissionName } from '../access/permissions.ts';
import { permissionsOf } from '../access/team-roles.ts';
import type { Context } from '../features/context.ts';
import type { Actor, Tenant } from '../kernel/actor.ts';
import { kindOf } from '../kernel/ids.ts';
import type { Operation } from './access-operation.ts';
import { belongsTo, tenantOfNode, typeNameOf } from './node.ts';
import { policyOf } from './policy.ts';

/** A business as a whole, or environments of it; neither for a person who is on no team. */
export interface Place {
  readonly businessId?: string;
  readonly environmentIds?: readonly string[];
}

/** Where a root field begins. */
export interface Start {
  /** Several when the field names no tenant, or does not name it yet. */
  readonly places: readonly Place[];
  /** Why nothing of the field can be reached, whatever is held. */
  readonly refusal?: 'NOT_FOUND' | 'UNAUTHENTICATED';
  /** The type of what an id of the arguments names. */
  readonly typeName?: string | undefined;
  /** Was it found by a row's own id? Such a look-up does not search where the permission is not held. */
  readonly isOfRow?: boolean;
  /** What the caller becomes by the field itself. */
  readonly actor?: Actor;
}

const NOWHERE: Place = {};

/** Stands for the id of a business that is yet to be made, and for its environment's. */
const NEW = 'new';

/** Does the actor hold `permission` over all of the place? */
export function may(actor: Actor, permission: PermissionName, { businessId, environmentIds }: Place): boolean {
  if (environmentIds)
    return environmentIds.length > 0 && environmentIds.every((environmentId) => can(actor, permission, { environmentId }));
  return businessId !== undefined && can(actor, permission, { businessId });
}

/** The place of a tenant within the actor's reach. */
export function placeOf(actor: Actor, tenant: Tenant): Place | undefined {
  if ('businessId' in tenant) return businessesOf(actor).includes(tenant.businessId) ? tenant : undefined;
  const businessId = environmentsOf(actor).get(tenant.environmentId);
  return businessId === undefined ? undefined : { businessId, environmentIds: [tenant.environmentId] };
}

/** Where a value of the type is, that is met in `place`: a role belongs to the business, a user to an environment of it. */
export function enter(actor: Actor, place: Place, typeName: string): Place {
  const { businessId, environmentIds } = place;
  const tenant = belongsTo(typeName);
  if (businessId === undefined || !tenant) return place;
  if (tenant === 'business') return { businessId };
  if (environmentIds) return place;
  return { businessId, environmentIds: [...environmentsOf(actor)].filter(([, owner]) => owner === businessId).map(([id]) => id) };
}

/** Where a root field begins for the caller. `within` is the place to judge in where the field itself names none. */
export async function startOf(
  ctx: Context,
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Operation['variables'],
  within: Place | undefined,
): Promise<Start> {
  const { actor } = ctx;
  if (field.extensions['makesOwner']) return startOfNew(actor);
  const { permission } = policyOf(field);
  if (field.extensions['forPeople'] && actor.kind !== 'team' && (!permission || holdsAnywhere(actor, permission)))
    return { places: [NOWHERE], refusal: 'UNAUTHENTICATED' };
  const everywhere = within ? [within] : everyPlaceOf(actor);
  const given = idsGiven(field, node, variables);
  const id = given.ids.find(namesTenant) ?? given.ids.find(kindOf);
  if (id) {
    const tenant = await tenantOfNode(ctx, id, permission);
    const place = tenant && placeOf(actor, tenant);
    const typeName = typeNameOf(id);
    const isOfRow = !namesTenant(id);
    return place ? { places: [place], typeName, isOfRow } : { places: [NOWHERE], refusal: 'NOT_FOUND', typeName };
  }
  if (given.ids.length > 0) return { places: [NOWHERE], refusal: 'NOT_FOUND' };
  if (given.isOpen) return { places: everywhere };
  // Ids may be left out by machines, who mean their own environment.
  if (given.areTaken && permission)
    return actor.kind === 'machine' ? { places: everyPlaceOf(actor) } : { places: [NOWHERE], refusal: 'NOT_FOUND' };
  const allowed = permission ? everywhere.filter((place) => may(actor, permission, place)) : [];
  return { places: allowed.length > 0 ? allowed : everywhere };
}

function namesTenant(id: string): boolean {
  return ['business', 'environment'].includes(kindOf(id) ?? '');
}

/** Whoever makes a business is its Owner in the same answer. */
function startOfNew(actor: Actor): Start {
  if (actor.kind !== 'team') return { places: [NOWHERE], refusal: 'UNAUTHENTICATED' };
  const owner = { roles: ['owner'], permissions: permissionsOf(['owner']) };
  return {
    places: [{ businessId: NEW }],
    actor: { ...actor, businesses: new Map([[NEW, owner]]), environments: new Map([[NEW, NEW]]) },
  };
}

function everyPlaceOf(actor: Actor): readonly Place[] {
  if (actor.kind === 'machine') return [{ businessId: actor.businessId, environmentIds: [actor.environmentId] }];
  const places = businessesOf(actor).map((businessId) => ({ businessId }));
  return places.length > 0 ? places : [NOWHERE];
}

function businessesOf(actor: Actor): string[] {
  if (actor.kind === 'machine') return [actor.businessId];
  return actor.kind === 'team' ? [...actor.businesses.keys()] : [];
}

function environmentsOf(actor: Actor): ReadonlyMap<string, string> {
  if (actor.kind === 'machine') return new Map([[actor.environmentId, actor.businessId]]);
  return actor.kind === 'team' ? actor.environments : new Map();
}

interface IdsGiven {
  /** In the order in which the schema declares the arguments. */
  readonly ids: readonly string[];
  /** Is there one that a variable without a value stands for? */
  readonly isOpen: boolean;
  /** Does the field take ids at all? */
  readonly areTaken: boolean;
}

function idsGiven(field: GraphQLField<unknown, unknown>, node: FieldNode, variables: Operation['variables']): IdsGiven {
  const ids: string[] = [];
  let isOpen = false;
  const collect = (type: GraphQLInputType, value: unknown): void => {
    const named = getNamedType(type);
    if (Array.isArray(value)) for (const each of value) collect(type, each);
    else if (value === undefined) isOpen ||= takesIds(named);
    else if (named.name === 'ID') {
      if (typeof value === 'string' || typeof value === 'number') ids.push(String(value));
    } else if (isInputObjectType(named) && value !== null && typeof value === 'object') {
      for (const inner of Object.values(named.getFields()))
        if (Object.hasOwn(value, inner.name)) collect(inner.type, (value as Record<string, unknown>)[inner.name]);
    }
  };
  for (const argument of field.args) {
    const given = node.arguments?.find(({ name }) => name.value === argument.name);
    if (given) collect(argument.type, valueFromASTUntyped(given.value, variables));
  }
  return { ids, isOpen, areTaken: field.args.some(({ type }) => takesIds(type)) };
}

function takesIds(type: GraphQLInputType, above: readonly string[] = []): boolean {
  const named = getNamedType(type);
  if (named.name === 'ID') return true;
  if (!isInputObjectType(named) || above.includes(named.name)) return false;
  return Object.values(named.getFields()).some((inner) => takesIds(inner.type, [...above, named.name]));
}
