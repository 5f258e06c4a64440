/**
 * What each caller of the graph may still use of a minute, in cost units. A minute begins with a caller's first request.
 * All processes share a caller's row in the database, but seldom ask it: each leases a part of what is left, and serves
 * from that.
 */
import { deleteExpiredRows } from '../../db/expired-rows.ts';
import type { Actor } from '../../kernel/actor.ts';
import { later } from '../../kernel/clock.ts';
import { networkOf } from '../../kernel/network.ts';
import type { Context, Infrastructure } from '../context.ts';

const WINDOW_SECONDS = 60;
/** A lease is one part in so many of what is left, so that little is lost to processes that do not use theirs. */
const LEASE_PARTS = 10;
/** A network address without a token gets one part in so many of what a known caller gets. */
const ANONYMOUS_PARTS = 100;
/** Callers remembered at once; beyond that the oldest are forgotten. */
const MAX_CALLERS = 100_000;

/** Where a caller stands. */
export interface Standing {
  /** Units a minute. */
  readonly limit: number;
  readonly remaining: number;
  /** Until the minute is over. */
  readonly resetSeconds: number;
  /** Less was left than was asked for: nothing was taken. */
  readonly isRefused: boolean;
}

export interface Quotas {
  /** What a caller may use in a minute. */
  limitOf(actor: Actor): number;
  /** Takes `units` of what the caller, or for an anonymous one the address, has left. */
  take(actor: Actor, ip: string, units: number): Promise<Standing>;
}

interface Budget {
  /** Leased by this process and not used. */
  held: number;
  /** Leased by no process, as far as this one knows; it only ever gets less. */
  free: number;
  resetsAt: Date;
}

/** The quotas of this process's callers; undefined where the configuration sets none. */
export function createQuotas(infrastructure: Infrastructure): Quotas | undefined {
  const { clock, config } = infrastructure;
  const quota = config.graphQuota;
  if (quota === 0) return undefined;
  const budgets = new Map<string, Budget>();

  const limitOf = (actor: Actor) => (callerOf(actor) ? quota : Math.ceil(quota / ANONYMOUS_PARTS));

  const budgetOf = (key: string, limit: number, isLeased: boolean): Budget => {
    const now = clock.now();
    const known = budgets.get(key);
    if (known && known.resetsAt > now) return known;
    budgets.delete(key);
    for (const [oldest, { resetsAt }] of budgets) {
      if (resetsAt > now && budgets.size < MAX_CALLERS) break;
      budgets.delete(oldest);
    }
    const fresh = { held: isLeased ? 0 : limit, free: isLeased ? limit : 0, resetsAt: later(now, WINDOW_SECONDS) };
    budgets.set(key, fresh);
    return fresh;
  };

  return {
    limitOf,
    async take(actor, ip, units) {
      const caller = callerOf(actor);
      const limit = limitOf(actor);
      const budget = budgetOf(caller ? caller.join(' ') : networkOf(ip), limit, caller !== undefined);
      const standing = (isRefused: boolean): Standing => ({
        limit,
        remaining: budget.held + budget.free,
        resetSeconds: Math.max(1, Math.ceil((budget.resetsAt.getTime() - clock.now().getTime()) / 1000)),
        isRefused,
      });
      if (budget.held + budget.free < units) return standing(true);
      const own = Math.min(units, budget.held);
      budget.held -= own;
      const need = units - own;
      if (need === 0 || !caller) return standing(false);

      const { lease, leased, resetsAt } = await takeLease(infrastructure, caller, need, limit);
      if (budget.resetsAt.getTime() !== resetsAt.getTime()) Object.assign(budget, { held: 0, resetsAt });
      budget.free = limit - leased;
      budget.held += lease < need ? own : lease - need;
      return standing(lease < need);
    },
  };
}

/** What a caller is known by: its environment and its id. */
export function callerOf(actor: Actor): readonly [environmentId: string, callerId: string] | undefined {
  if (actor.kind === 'machine') return [actor.environmentId, actor.applicationId];
  return actor.kind === 'team' ? [actor.accountEnvironmentId, actor.userId] : undefined;
}

const LEASE = `INSERT INTO graph_quotas AS q (environment_id, caller_id, lease, leased, resets_at)
  VALUES ($1, $2, greatest($3::int, $4::int / ${LEASE_PARTS}), greatest($3::int, $4::int / ${LEASE_PARTS}), $6)
  ON CONFLICT (environment_id, caller_id) DO UPDATE SET
    (lease, leased, resets_at) = (SELECT n.lease, n.used + n.lease, n.resets_at FROM (
      SELECT w.used, w.resets_at,
        CASE WHEN w.used + $3::int > $4::int THEN 0 ELSE greatest($3::int, ($4::int - w.used) / ${LEASE_PARTS}) END AS lease
      FROM (SELECT CASE WHEN q.resets_at <= $5 THEN 0 ELSE q.leased END AS used,
        CASE WHEN q.resets_at <= $5 THEN $6 ELSE q.resets_at END AS resets_at) w) n)
  RETURNING lease, leased, resets_at AS "resetsAt"`;

/** Leases at least `need` of the caller's units, or none. */
async function takeLease(
  { database, clock }: Infrastructure,
  [environmentId, callerId]: readonly [string, string],
  need: number,
  limit: number,
): Promise<{ lease: number; leased: number; resetsAt: Date }> {
  const now = clock.now();
  const values = [environmentId, callerId, need, limit, now, later(now, WINDOW_SECONDS)];
  const [row] = await database.query<{ lease: number; leased: number; resetsAt: Date }>('lease-quota', LEASE, values);
  return row!;
}

/**
 * Counts one more of what a known caller may do `limit` times a minute; `what` names it.
 * @returns undefined while it may, else after how many seconds it may again
 */
export async function countAgainst(ctx: Context, what: string, limit: number): Promise<number | undefined> {
  const caller = callerOf(ctx.actor);
  return caller && count(ctx, caller[0], `${what} ${caller[1]}`, limit);
}

/** As {@link countAgainst}, for whoever comes from the same network address. */
export function countAgainstAddress(
  ctx: Context,
  environmentId: string,
  what: string,
  limit: number,
  seconds = WINDOW_SECONDS,
): Promise<number | undefined> {
  return count(ctx, environmentId, `${what} ${networkOf(ctx.origin.ip ?? '')}`, limit, seconds);
}

/** As {@link countAgainst}, for all callers of an environment together. */
export function countAgainstEnvironment(
  ctx: Context,
  environmentId: string,
  what: string,
  limit: number,
  seconds = WINDOW_SECONDS,
): Promise<number | undefined> {
  return count(ctx, environmentId, what, limit, seconds);
}

async function count(
  ctx: Context,
  environmentId: string,
  key: string,
  limit: number,
  seconds = WINDOW_SECONDS,
): Promise<number | undefined> {
  const now = ctx.clock.now();
  const end = later(now, seconds);
  const [row] = await ctx.db.$queryRaw<{ used: number; resetsAt: Date }[]>`
    INSERT INTO graph_quotas AS q (environment_id, caller_id, lease, leased, resets_at) VALUES (${environmentId}, ${key}, 1, 1, ${end})
    ON CONFLICT (environment_id, caller_id) DO UPDATE SET
      leased = CASE WHEN q.resets_at <= ${now} THEN 1 ELSE least(q.leased, ${limit}::int) + 1 END,
      resets_at = CASE WHEN q.resets_at <= ${now} THEN ${end} ELSE q.resets_at END
    RETURNING leased AS used, resets_at AS "resetsAt"`;
  return row!.used <= limit ? undefined : Math.max(1, Math.ceil((row!.resetsAt.getTime() - now.getTime()) / 1000));
}

/** Deletes what is left of minutes that are over.
 * @returns how many rows */
export function deleteExpiredQuotas(infrastructure: Infrastructure): Promise<number> {
  return deleteExpiredRows(infrastructure, { table: 'graph_quotas', key: 'caller_id', until: 'resets_at' });
}
