/**
 * Applies `prisma/migrations` at boot, in the `_prisma_migrations` table that Prisma's own command line reads, one
 * process at a time (advisory lock), each migration in a transaction.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import type { Database } from './client.ts';

export const MIGRATIONS_DIRECTORY = join(import.meta.dirname, '../../prisma/migrations');

/** The database is not as this version of Gatehouse needs it. */
export class MigrationError extends Error {}

/** The database was migrated by a newer version of Gatehouse. */
export class NewerDatabaseError extends MigrationError {}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

const LOCK = 72_707_369; // Prisma's own advisory lock, so that its command line and this code exclude one another.

const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

export function readMigrations(directory = MIGRATIONS_DIRECTORY): Migration[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

/** The names of the migrations that `database` still lacks.
 * @throws NewerDatabaseError when it holds one that this code does not know */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const [{ found }] = (await database.query<{ found: boolean }>(
    'migrations-table',
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS found`,
    [],
  )) as [{ found: boolean }];
  const applied = found
    ? await database.query<{ name: string }>(
        'migrations-applied',
        'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
        [],
      )
    : [];
  return missing(
    readMigrations(),
    applied.map((row) => row.name),
  ).map((migration) => migration.name);
}

/** Brings `database` up to date; several processes may call it at once. Returns the names it applied. */
export async function migrate(database: Database): Promise<string[]> {
  if (database.kind === 'embedded') {
    const pglite = database.driver as PGlite;
    return apply(async (sql, values) => {
      const results = values ? [await pglite.query(sql, values)] : await pglite.exec(sql);
      return results.flatMap((result) => result.rows) as Row[];
    });
  }
  const client = await (database.driver as pg.Pool).connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    return await apply(async (sql, values) => (values ? await client.query(sql, values) : await client.query(sql)).rows ?? []);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {});
    client.release();
  }
}

type Row = { name: string };
type Run = (sql: string, values?: unknown[]) => Promise<Row[]>;

async function apply(run: Run): Promise<string[]> {
  await run(TABLE);
  const applied = await run(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
    [],
  );
  const pending = missing(
    readMigrations(),
    applied.map((row) => row.name),
  );
  for (const migration of pending) {
    try {
      await run('BEGIN');
      await run(migration.sql);
      await run(
        `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count) VALUES ($1, $2, now(), $3, 1)`,
        [randomUUID(), migration.checksum, migration.name],
      );
      await run('COMMIT');
    } catch (error) {
      await run('ROLLBACK');
      throw new MigrationError(`Migration ${migration.name} failed: ${(error as Error).message}. The database is as it was before it.`, {
        cause: error,
      });
    }
  }
  return pending.map((migration) => migration.name);
}

function missing(known: Migration[], applied: string[]): Migration[] {
  const names = new Set(known.map((migration) => migration.name));
  const unknown = applied.filter((name) => !names.has(name));
  if (unknown.length > 0) {
    throw new NewerDatabaseError(
      `This database was migrated by a newer Gatehouse (it has ${unknown.join(', ')}). Start that version, or restore a backup from before it.`,
    );
  }
  const done = new Set(applied);
  return known.filter((migration) => !done.has(migration.name));
}
