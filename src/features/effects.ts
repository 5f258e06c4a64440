/**
 * What a change does beyond the row it names: what a dry run shows. A dry run is the change itself, run in a
 * transaction that is rolled back, so it cannot promise anything else than what the change would do.
 */
import { isTeamRole, permissionsOf } from '../access/team-roles.ts';
import type { Prisma } from '../db/client.ts';
import type { Context } from './context.ts';

/** Rows of one table. */
export interface RowEffect {
  readonly table: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

/** What one member gains and loses, as sorted permission keys. */
export interface MemberEffect {
  readonly memberId: string;
  readonly userId: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

export interface Effects {
  /** The tenant that the change is made in. */
  scope: { readonly businessId: string; readonly environmentId?: string } | undefined;
  rows: readonly RowEffect[];
  /** Sessions that end. */
  sessions: number;
  /** Refresh tokens that stop working. */
  tokens: number;
  /** At most {@link MAX_WATCHED} of those whose permissions change. */
  members: MemberEffect[];
  teamMembers: MemberEffect[];
}

/** Members whose permissions a dry run compares; a change that concerns more is shown for the oldest of them. */
export const MAX_WATCHED = 1000;

export function noEffects(): Effects {
  return { scope: undefined, rows: [], sessions: 0, tokens: 0, members: [], teamMembers: [] };
}

/** Keeps its own books, which are no effect of the change. */
const BOOKS = new Set(['audit_events', 'idempotency_keys', '_prisma_migrations']);

interface TableCount {
  readonly table: string;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

/** Runs `change` and returns the rows that this transaction wrote by it, cascades included. */
export async function countingRows(ctx: Context, change: () => Promise<void>): Promise<RowEffect[]> {
  // PostgreSQL's own count; it may still hold what the connection's last transactions wrote, hence the difference.
  const count = async () =>
    new Map(
      (
        await ctx.db.$queryRaw<TableCount[]>`
          SELECT relname AS table, n_tup_ins::int AS created, n_tup_upd::int AS updated, n_tup_del::int AS deleted
          FROM pg_stat_xact_user_tables WHERE schemaname = current_schema()`
      ).map((row) => [row.table, row]),
    );
  const before = await count();
  await change();
  const after = await count();
  return [...after.values()]
    .map((row) => {
      const { created = 0, updated = 0, deleted = 0 } = before.get(row.table) ?? {};
      return { table: row.table, created: row.created - created, updated: row.updated - updated, deleted: row.deleted - deleted };
    })
    .filter(({ table, created, updated, deleted }) => created + updated + deleted > 0 && !BOOKS.has(table))
    .sort((a, b) => (a.table < b.table ? -1 : 1));
}

/** Runs `change`; in a dry run, notes what the organization members found by `where` gain and lose by it. */
export async function watchingMembers<T>(ctx: Context, where: Prisma.MembershipWhereInput, change: () => Promise<T>): Promise<T> {
  const { effects } = ctx;
  if (!effects) return change();
  const members = await ctx.db.membership.findMany({
    where,
    select: { environmentId: true, id: true, userId: true },
    orderBy: { id: 'asc' },
    take: MAX_WATCHED,
  });
  const before = await permissionsOfMembers(ctx, members);
  const result = await change();
  const after = await permissionsOfMembers(ctx, members);
  for (const { id, userId } of members) note(effects.members, id, userId, before.get(id), after.get(id));
  return result;
}

/** As {@link watchingMembers}, for members of a business's team. */
export async function watchingTeam<T>(ctx: Context, where: Prisma.TeamMemberWhereInput, change: () => Promise<T>): Promise<T> {
  const { effects } = ctx;
  if (!effects) return change();
  const read = async () => ctx.db.teamMember.findMany({ where, select: { id: true, userId: true, roles: true }, take: MAX_WATCHED });
  const before = await read();
  const result = await change();
  const after = new Map((await read()).map((member) => [member.id, member.roles]));
  const granted = (roles: readonly string[] | undefined) => new Set<string>(permissionsOf((roles ?? []).filter(isTeamRole)));
  for (const { id, userId, roles } of before) note(effects.teamMembers, id, userId, granted(roles), granted(after.get(id)));
  return result;
}

function note(
  list: MemberEffect[],
  memberId: string,
  userId: string,
  before: ReadonlySet<string> = new Set(),
  after: ReadonlySet<string> = new Set(),
): void {
  const gained = [...after].filter((key) => !before.has(key)).sort();
  const lost = [...before].filter((key) => !after.has(key)).sort();
  if (gained.length + lost.length > 0) list.push({ memberId, userId, gained, lost });
}

/** The permission keys that each member holds, through roles and directly, by membership id. */
async function permissionsOfMembers(
  ctx: Context,
  members: readonly { environmentId: string; id: string }[],
): Promise<Map<string, Set<string>>> {
  const rows = await ctx.db.$queryRaw<{ id: string; keys: string[] }[]>`
    SELECT m.id, array_agg(DISTINCT p.key) AS keys
    FROM unnest(${members.map((member) => member.environmentId)}::text[], ${members.map((member) => member.id)}::text[]) AS m(environment_id, id)
    JOIN LATERAL (
      SELECT rp.business_id, rp.permission_id FROM membership_roles mr
        JOIN role_permissions rp ON rp.business_id = mr.business_id AND rp.role_id = mr.role_id
       WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id
      UNION ALL
      SELECT mp.business_id, mp.permission_id FROM membership_permissions mp
       WHERE mp.environment_id = m.environment_id AND mp.membership_id = m.id
    ) held ON true JOIN permissions p ON p.business_id = held.business_id AND p.id = held.permission_id
    GROUP BY m.id`;
  return new Map(rows.map(({ id, keys }) => [id, new Set(keys)]));
}
