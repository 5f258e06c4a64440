/** `Node` and its look-up. An id's prefix names its kind; it is searched only where the caller may read that kind. */
import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import { businessesWith, environmentsWith } from '../access/authorize.ts';
import type { PermissionName } from '../access/permissions.ts';
import type { PrismaClient } from '../db/client.ts';
import type { Context } from '../features/context.ts';
import type { Tenant } from '../kernel/actor.ts';
import { type IdKind, kindOf } from '../kernel/ids.ts';
import { builder } from './builder.ts';
import type { GraphContext } from './context.ts';

/** How the nodes of one kind are found. */
interface NodeKind {
  readonly typeName: string;
  /** What reading them takes. */
  readonly permission: PermissionName;
  /** What they belong to: the column that the search is confined by. `self` for the tenants themselves. */
  readonly tenant: 'environmentId' | 'businessId' | { readonly self: 'environment' | 'business' };
  // biome-ignore lint/suspicious/noExplicitAny: each model's arguments differ; the selection and the condition fit all
  readonly find: (prisma: PrismaClient, query: any) => Promise<{ id: string } | null>;
  /** What a caller who holds the permission reads of them, where that is not all of the tenant's. */
  readonly besides?: (ctx: Context) => Promise<object>;
}

const kinds = new Map<IdKind, NodeKind>();

/** Says how to find the nodes of a kind. */
export function registerNode(kind: IdKind, found: NodeKind): void {
  kinds.set(kind, found);
}

const rows = new Map<string, readonly IdKind[]>();

/** Says which ids make the key of a type whose values are rows of lists but no nodes, as of what joins two nodes. */
export function registerRow(typeName: string, key: readonly IdKind[]): void {
  rows.set(typeName, key);
}

/** Is `key` what a cursor of this type's lists holds: an id, or a tenant's id and the ids within it? */
export function isKeyOf(typeName: string, key: unknown): boolean {
  const expected = keyOf(typeName);
  if (!expected) return false;
  const ids: unknown[] = expected.length > 1 && Array.isArray(key) ? key : [key];
  return ids.length === expected.length && ids.every((id, at) => typeof id === 'string' && kindOf(id) === expected[at]);
}

function keyOf(typeName: string): readonly IdKind[] | undefined {
  const [kind, found] = [...kinds].find(([, candidate]) => candidate.typeName === typeName) ?? [];
  if (!kind || !found) return rows.get(typeName);
  if (typeof found.tenant === 'object') return [kind];
  return [found.tenant === 'environmentId' ? 'environment' : 'business', kind];
}

/** What the nodes of a type belong to; undefined for a type whose values are no nodes. */
export function belongsTo(typeName: string): 'environment' | 'business' | undefined {
  for (const kind of kinds.values()) if (kind.typeName === typeName) return isOfBusiness(kind) ? 'business' : 'environment';
  return undefined;
}

/** The name of the type whose nodes have ids like this one. */
export function typeNameOf(id: string): string | undefined {
  return kinds.get(kindOf(id)!)?.typeName;
}

/**
 * The tenant of the row with this id, searched where the actor may read its kind or holds `permission`: elsewhere it is
 * as if it were not there.
 */
export async function tenantOfNode(ctx: Context, id: string, permission: PermissionName | undefined): Promise<Tenant | undefined> {
  const kind = kinds.get(kindOf(id)!);
  if (!kind) return undefined;
  const { actor, database } = ctx;
  const { tenant, find, besides } = kind;
  if (typeof tenant === 'object') return tenant.self === 'business' ? { businessId: id } : { environmentId: id };
  const tenants = (each: PermissionName) => (isOfBusiness(kind) ? businessesWith(actor, each) : environmentsWith(actor, each));
  const within = { in: [...tenants(kind.permission), ...(permission ? tenants(permission) : [])] };
  const row = await find(database.prisma, { where: { [tenant]: within, id, ...(await besides?.(ctx)) }, select: { [tenant]: true } });
  return (row as unknown as Tenant | null) ?? undefined;
}

function isOfBusiness({ tenant }: NodeKind): boolean {
  return tenant === 'businessId' || (typeof tenant === 'object' && tenant.self === 'business');
}

/** The row that a change has just answered with, read as the document asks for it; null when it is gone. */
export function findChanged(
  context: GraphContext,
  query: object,
  row: { readonly id: string; readonly environmentId?: string; readonly businessId?: string },
): Promise<{ id: string } | null> {
  const { tenant, find } = kinds.get(kindOf(row.id)!)!;
  const where = typeof tenant === 'object' ? { id: row.id } : { [tenant]: row[tenant], id: row.id };
  return find(context.services.database.prisma, { ...query, where });
}

/** The row with this id among the tenants where the caller holds the kind's permission; null for a missing and a foreign one alike. */
async function findNode(id: string, context: GraphContext, info: GraphQLResolveInfo): Promise<{ id: string } | null> {
  const kind = kinds.get(kindOf(id)!);
  if (!kind) return null;
  const { permission, tenant, typeName, besides } = kind;
  const { actor, database } = context.services;
  const within = { in: isOfBusiness(kind) ? businessesWith(actor, permission) : environmentsWith(actor, permission) };
  const where =
    typeof tenant === 'object' ? { AND: [{ id }, { id: within }] } : { [tenant]: within, id, ...(await besides?.(context.services)) };
  return kind.find(database.prisma, { ...queryFromInfo({ context, info, typeName }), where });
}

export const Node = builder.interfaceRef<{ id: string }>('Node').implement({
  description: 'Anything with an id of its own.',
  open: 'the fields of the types that implement it declare their own permissions',
  resolveType: (value) => kinds.get(kindOf(value.id)!)!.typeName,
  fields: (t) => ({ id: t.exposeID('id', { description: 'Sortable by birth; the same in the graph, in tokens and in logs.' }) }),
});

builder.queryField('node', (t) =>
  t.field({
    type: Node,
    nullable: true,
    description: 'The object with this id, or null where there is none within the caller’s reach.',
    open: 'each kind is searched only where the caller may read it',
    args: { id: t.arg.id({ required: true, description: 'Any id of the graph.' }) },
    resolve: (_root, { id }, context, info) => findNode(id, context, info),
  }),
);
