/**
 * How many requests there may be in a minute: from one network address, for one account, in one environment
 * (docs/decisions/rate-limits.md). Each process counts in memory, and tells the database of a twentieth of a limit at a
 * time, when it learns what the others have counted. So who stays below a twentieth costs no statement at all, and no
 * request ever waits for one.
 */

import type { Logger } from 'pino';
import type { Config, RateLimit, RequestClass } from '../../config.ts';
import type { Database } from '../../db/client.ts';
import { deleteExpiredRows } from '../../db/expired-rows.ts';
import type { Clock } from '../../kernel/clock.ts';
import { networkOf } from '../../kernel/network.ts';

const WINDOW_SECONDS = 60;
/** The database is told of one part in so many of a limit at a time. */
const SLICES = 20;
/** Counters in memory at once; beyond that the oldest are forgotten. */
const MAX_COUNTERS = 200_000;

/** Why a request is refused. */
export interface RateLimitRefusal {
  /** Requests a minute. */
  readonly limit: number;
  /** Until there are any again. */
  readonly resetSeconds: number;
}

/** Whose request it is, as far as is known. */
export interface Requester {
  readonly ip?: string | undefined;
  readonly account?: string | undefined;
}

export interface RateLimits {
  /** Counts a request, in its environment and for each part of the requester that is given; in none of them when it is refused.
   * @param environmentId empty for what belongs to no environment, which is then not counted as one */
  take(requestClass: RequestClass, environmentId: string, requester: Requester): RateLimitRefusal | undefined;
  /** Waits until what was counted is with the database, as far as it is told. */
  settled(): Promise<void>;
}

interface Counter {
  readonly environmentId: string;
  readonly key: string;
  readonly limit: number;
  readonly slice: number;
  /** Counted by all processes, as the database last said. */
  shared: number;
  /** On the way to the database. */
  sent: number;
  /** Counted here since. */
  own: number;
}

export function createRateLimits(options: { limits: Config['rateLimits']; database: Database; clock: Clock; log: Logger }): RateLimits {
  const { limits, database, clock, log } = options;
  const counters = new Map<string, Counter>();
  const due = new Set<Counter>();
  let minute = 0;
  let sending: Promise<void> | undefined;

  const counterOf = (requestClass: RequestClass, kind: keyof RateLimit, environmentId: string, who: string): Counter | undefined => {
    const limit = limits[requestClass][kind];
    if (limit === 0) return undefined;
    const key = `${requestClass} ${kind} ${who}`;
    const name = `${environmentId} ${key}`;
    const known = counters.get(name);
    if (known) return known;
    if (counters.size >= MAX_COUNTERS) counters.delete(counters.keys().next().value!);
    const counter = { environmentId, key, limit, slice: Math.ceil(limit / SLICES), shared: 0, sent: 0, own: 0 };
    counters.set(name, counter);
    return counter;
  };

  const send = async () => {
    while (due.size > 0) {
      const batch = [...due];
      const endsAt = new Date((minute + 1) * WINDOW_SECONDS * 1000);
      due.clear();
      for (const counter of batch) {
        counter.sent = counter.own;
        counter.own = 0;
      }
      try {
        const values = [batch.map((one) => one.environmentId), batch.map((one) => one.key), batch.map((one) => one.sent), endsAt];
        const rows = await database.query<{ environmentId: string; key: string; used: number }>('count-requests', COUNT, values);
        const used = new Map(rows.map((row) => [`${row.environmentId} ${row.key}`, row.used]));
        for (const counter of batch) {
          counter.shared = used.get(`${counter.environmentId} ${counter.key}`) ?? counter.shared + counter.sent;
          counter.sent = 0;
        }
      } catch (error) {
        for (const counter of batch) {
          counter.own += counter.sent;
          counter.sent = 0;
        }
        log.warn({ err: error }, 'requests are counted by this process alone');
      }
    }
    sending = undefined;
  };

  return {
    take(requestClass, environmentId, { ip, account }) {
      const now = clock.now().getTime();
      const current = Math.floor(now / (WINDOW_SECONDS * 1000));
      if (current !== minute) {
        minute = current;
        counters.clear();
        due.clear();
      }
      const concerned = [
        ip === undefined ? undefined : counterOf(requestClass, 'address', environmentId, networkOf(ip)),
        account === undefined ? undefined : counterOf(requestClass, 'account', environmentId, account),
        environmentId === '' || ip === undefined ? undefined : counterOf(requestClass, 'environment', environmentId, ''),
      ];
      for (const counter of concerned) {
        if (counter && counter.shared + counter.sent + counter.own >= counter.limit)
          return { limit: counter.limit, resetSeconds: Math.ceil(((minute + 1) * WINDOW_SECONDS * 1000 - now) / 1000) };
      }
      for (const counter of concerned) {
        if (!counter) continue;
        counter.own++;
        if (counter.own >= counter.slice) due.add(counter);
      }
      if (due.size > 0) sending ??= send();
      return undefined;
    },
    settled: async () => sending,
  };
}

/** Always in the same order, so that no two processes wait for each other. */
const COUNT = `INSERT INTO rate_limits AS r (environment_id, key, used, resets_at)
  SELECT environment_id, key, used, $4 FROM unnest($1::text[], $2::text[], $3::int[]) AS n (environment_id, key, used)
  ORDER BY environment_id, key
  ON CONFLICT (environment_id, key) DO UPDATE SET
    used = CASE WHEN r.resets_at < excluded.resets_at THEN excluded.used ELSE r.used + excluded.used END,
    resets_at = greatest(r.resets_at, excluded.resets_at)
  RETURNING environment_id AS "environmentId", key, used`;

/** Deletes the counts of minutes that are over, in one small batch.
 * @returns how many rows */
export function deleteOldCounts(parts: { database: Database; clock: Clock }): Promise<number> {
  return deleteExpiredRows(parts, { table: 'rate_limits', key: 'key', until: 'resets_at', skipsHeld: true });
}
