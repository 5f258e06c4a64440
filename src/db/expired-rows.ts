/** Rows that hold for a time only. */
import type { Clock } from '../kernel/clock.ts';
import type { Database } from './client.ts';

/** A table of environments' rows: what tells those of one environment apart, and until when one holds. */
export interface ShortLived {
  readonly table: string;
  readonly key: string;
  readonly until: string;
  /** Rows that another process holds are left to it. */
  readonly skipsHeld?: boolean;
}

/** Deletes rows whose time is over, in one small batch. Returns their number. */
export async function deleteExpiredRows(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  { table, key, until, skipsHeld = false }: ShortLived,
): Promise<number> {
  const [row] = await database.query<{ deleted: number }>(
    `delete-expired-${table}`,
    `WITH deleted AS (DELETE FROM ${table} WHERE (environment_id, ${key}) IN
       (SELECT environment_id, ${key} FROM ${table} WHERE ${until} <= $1 LIMIT 1000${skipsHeld ? ' FOR UPDATE SKIP LOCKED' : ''}) RETURNING 1)
     SELECT count(*)::int AS deleted FROM deleted`,
    [clock.now()],
  );
  return row!.deleted;
}
