/** The migrations lead to the datamodel, are applied once, and never to a database that a newer version made. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diffFromMigrations } from '../../prisma/migration.ts';
import { connectPostgres } from '../../src/db/client.ts';
import { migrate, NewerDatabaseError, pendingMigrations, readMigrations } from '../../src/db/migrate.ts';
import { databaseKind, type FreshDatabase, freshDatabase } from '../helpers/database.ts';
import { administer, postgresUrl } from '../helpers/postgres.ts';

let fresh: FreshDatabase;
beforeEach(async () => {
  fresh = await freshDatabase();
});
afterEach(() => fresh.drop());

test('the migrations and the datamodel agree', async () => {
  expect(await diffFromMigrations()).toBe('');
});

test('a migrated database has nothing pending, and migrating it again applies nothing', async () => {
  expect(await pendingMigrations(fresh.database)).toEqual([]);
  expect(await migrate(fresh.database)).toEqual([]);
});

test("each migration is recorded in the form that Prisma's own command line reads", async () => {
  const recorded = await fresh.database.query(
    'recorded',
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, applied_steps_count AS steps
     FROM _prisma_migrations ORDER BY migration_name`,
    [],
  );
  expect(recorded).toEqual(readMigrations().map(({ name, checksum }) => ({ name, checksum, finished: true, steps: 1 })));
});

/** Rows that go when an operator deletes what they refer to, of which there are few, or which are kept for minutes. */
const FEW = [
  'application_apis → apis',
  'applications → organizations',
  'device_authorizations → applications',
  'properties → property_categories',
  'pushed_requests → applications',
  'role_permissions → permissions',
  'roles → permissions',
  'sign_in_attempts → applications',
];

test('what refers to a row is found by an index when that row goes', async () => {
  const rows = await fresh.database.query<{ reference: string }>(
    'references-without-index',
    `SELECT DISTINCT c.conrelid::regclass || ' → ' || c.confrelid::regclass AS reference FROM pg_constraint c
     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS (
       SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
         AND (SELECT array_agg(a) FROM unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) a) @> c.conkey)
     ORDER BY reference`,
    [],
  );
  expect(rows.map(({ reference }) => reference)).toEqual(FEW);
});

test('a database with a migration that this version does not know is refused, by name', async () => {
  await fresh.database.script(
    `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('x', '', now(), '9999_from_the_future')`,
  );
  await expect(migrate(fresh.database)).rejects.toThrow(NewerDatabaseError);
  await expect(pendingMigrations(fresh.database)).rejects.toThrow(/9999_from_the_future/);
});

test('a migration that was rolled back counts as not applied', async () => {
  await fresh.database.script(
    `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${readMigrations().at(-1)!.name}'`,
  );
  expect(await pendingMigrations(fresh.database)).toEqual([readMigrations().at(-1)!.name]);
});

test('a migration that fails leaves nothing behind', async () => {
  const first = readMigrations()[0]!.name;
  await fresh.database.script(`DELETE FROM _prisma_migrations WHERE migration_name = '${first}'`); // Its tables are there already.
  await expect(migrate(fresh.database)).rejects.toThrow(`Migration ${first} failed`);
  expect(await pendingMigrations(fresh.database)).toEqual([first]);
  expect(await fresh.database.query('usable', 'SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
});

if (databaseKind === 'postgres') {
  test('processes that migrate at the same time all succeed, and apply each migration once', async () => {
    const name = `gatehouse_concurrent_${process.pid}`;
    await administer(`CREATE DATABASE ${name}`);
    const processes = Array.from({ length: 3 }, () => connectPostgres(postgresUrl(name), 2));
    try {
      const applied = await Promise.all(processes.map(migrate));
      expect(applied.flat()).toEqual(readMigrations().map((migration) => migration.name));
    } finally {
      await Promise.all(processes.map((database) => database.close()));
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
}
