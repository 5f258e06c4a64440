/** Who is behind the ids of actors in the audit log, where they are still there and the caller may read them. */
import { businessesWith, environmentsWith } from '../../access/authorize.ts';
import type { Context } from '../context.ts';

/** A row that the graph reads the rest of by itself. */
interface EnvironmentKey {
  readonly environmentId: string;
  readonly id: string;
}

/** A person on a business's team. */
export function memberKey({ businessId, userId }: { readonly businessId: string; readonly userId: string }): string {
  return `${businessId} ${userId}`;
}

/** The memberships of the people on teams, by {@link memberKey}. */
export async function membersBehind(ctx: Context, keys: readonly string[]) {
  const members = await ctx.db.teamMember.findMany({
    where: {
      businessId: { in: businessesWith(ctx.actor, 'read:team_members') },
      userId: { in: keys.map((key) => key.split(' ')[1]!) },
    },
    select: { businessId: true, id: true, userId: true },
  });
  return new Map(members.map((member) => [memberKey(member), member]));
}

/** The applications with these ids. */
export async function applicationsBehind(ctx: Context, ids: readonly string[]) {
  const environmentId = { in: environmentsWith(ctx.actor, 'read:applications') };
  return byId(
    await ctx.db.application.findMany({ where: { environmentId, id: { in: [...ids] } }, select: { environmentId: true, id: true } }),
  );
}

/** The users with these ids. */
export async function usersBehind(ctx: Context, ids: readonly string[]) {
  const environmentId = { in: environmentsWith(ctx.actor, 'read:users') };
  return byId(await ctx.db.user.findMany({ where: { environmentId, id: { in: [...ids] } }, select: { environmentId: true, id: true } }));
}

function byId(rows: readonly EnvironmentKey[]): ReadonlyMap<string, EnvironmentKey> {
  return new Map(rows.map((row) => [row.id, row]));
}
