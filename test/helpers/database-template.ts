/**
 * Vitest's global setup for the projects with a database: migrates one template, which `freshDatabase` copies for each
 * test. Embedded, it is a dump in a temporary file; on PostgreSQL, a database that nobody can be connected to.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { connectEmbedded, connectPostgres, type Database } from '../../src/db/client.ts';
import { createPGlite } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';
import { startJobs } from '../../src/jobs/queue.ts';
import { administer, postgresUrl } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Embedded: the file of the dump. PostgreSQL: the name of the database. */
    databaseTemplate: string;
  }
}

export async function setup(project: TestProject): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-template-'));
  const make = project.config.env['TEST_DATABASE'] === 'postgres' ? makePostgresTemplate : makeEmbeddedTemplate;
  project.provide('databaseTemplate', await make(directory));
  return () => rmSync(directory, { recursive: true, force: true });
}

async function makeEmbeddedTemplate(directory: string): Promise<string> {
  const pglite = await createPGlite();
  const database = await connectEmbedded(pglite);
  await prepare(database, undefined);
  const dump = await pglite.dumpDataDir('none');
  await database.close();
  const path = join(directory, 'template.tar');
  writeFileSync(path, await dump.bytes());
  return path;
}

async function makePostgresTemplate(): Promise<string> {
  const name = 'gatehouse_template';
  await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, `CREATE DATABASE ${name}`);
  const database = connectPostgres(postgresUrl(name));
  await prepare(database, postgresUrl(name));
  await database.close();
  await administer(
    `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  );
  return name;
}

async function prepare(database: Database, databaseUrl: string | undefined): Promise<void> {
  await migrate(database);
  const jobs = await startJobs(database, databaseUrl, pino({ level: 'silent' }));
  await jobs.close();
}
