/**
 * A database of its own for each test: a copy of the migrated template that database-template.ts made, of the kind
 * that TEST_DATABASE names. Tests share nothing, so they may run in any order and side by side.
 */
import { openAsBlob } from 'node:fs';
import { inject } from 'vitest';
import { connectEmbedded, connectPostgres, type Database } from '../../src/db/client.ts';
import { createPGlite } from '../../src/db/embedded.ts';
import { administer, postgresUrl } from './postgres.ts';

export interface FreshDatabase {
  readonly database: Database;
  /** As DATABASE_URL: undefined for the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Closes the database and removes it. Close first what uses it, the job queue above all. */
  drop(): Promise<void>;
}

/** The kind of database under test. A test that fits only one kind: `if (databaseKind === 'postgres') test(…)`. */
export const databaseKind: Database['kind'] = process.env['TEST_DATABASE'] === 'postgres' ? 'postgres' : 'embedded';

/** Makes a database that is migrated, has the job queue's schema and holds no rows. */
export async function freshDatabase(): Promise<FreshDatabase> {
  return databaseKind === 'postgres' ? freshPostgres() : freshEmbedded();
}

async function freshEmbedded(): Promise<FreshDatabase> {
  const pglite = await createPGlite({ loadDataDir: await openAsBlob(inject('databaseTemplate')) });
  const database = await connectEmbedded(pglite);
  return { database, databaseUrl: undefined, drop: () => database.close() };
}

let made = 0;

async function freshPostgres(): Promise<FreshDatabase> {
  const name = `gatehouse_${process.pid}_${made++}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${inject('databaseTemplate')}`);
  const databaseUrl = postgresUrl(name);
  const database = connectPostgres(databaseUrl);
  const drop = async () => {
    await database.close();
    await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return { database, databaseUrl, drop };
}
