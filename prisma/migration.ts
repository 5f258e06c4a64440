/** Writes the next migration (`npm run migration -- <name>`) with Prisma's schema engine from its WASM package, which needs no download. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { PGlite } from '@electric-sql/pglite';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { createPGlite } from '../src/db/embedded.ts';
import { readMigrations } from '../src/db/migrate.ts';

const PRISMA_DIRECTORY = import.meta.dirname;

/** The SQL that leads from all migrations to the datamodel; empty when they agree. */
export async function diffFromMigrations(): Promise<string> {
  const pglite = await createPGlite();
  try {
    for (const migration of readMigrations()) await pglite.exec(migration.sql);
    const engine = await loadEngine(pglite);
    const { stdout } = await engine.diff({
      from: { tag: 'schemaDatasource', files: datamodel(), configDir: PRISMA_DIRECTORY },
      to: { tag: 'schemaDatamodel', files: datamodel() },
      script: true,
      exitCode: null,
      shadowDatabaseUrl: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    const sql = stdout ?? '';
    return /^\s*--[^\n]*empty migration/.test(sql) ? '' : sql.trim();
  } finally {
    await pglite.close();
  }
}

function datamodel(): { path: string; content: string }[] {
  const files = ['schema.prisma', ...readdirSync(join(PRISMA_DIRECTORY, 'models')).map((file) => `models/${file}`)];
  return files.map((file) => ({ path: join(PRISMA_DIRECTORY, file), content: readFileSync(join(PRISMA_DIRECTORY, file), 'utf8') }));
}

interface SchemaEngine {
  diff(input: object): Promise<{ stdout?: string | null }>;
}

async function loadEngine(pglite: PGlite): Promise<SchemaEngine> {
  const bindings = await import('@prisma/schema-engine-wasm/schema_engine_bg' as string);
  const wasm = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm/schema_engine_bg')
    .replace(/js$/, 'wasm');
  const { instance } = await WebAssembly.instantiate(readFileSync(wasm), { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
  return bindings.SchemaEngine.new(
    { datamodels: datamodel().map(({ path, content }) => [path, content]) },
    () => {},
    bindMigrationAwareSqlAdapterFactory(new PrismaPGlite(pglite)),
  );
}

if (import.meta.main) {
  const name = process.argv[2];
  if (!name || !/^[a-z0-9_]+$/.test(name)) {
    console.error('usage: npm run migration -- <name_in_snake_case>');
    process.exit(2);
  }
  const sql = await diffFromMigrations();
  if (!sql) {
    console.log('The migrations already lead to the datamodel.');
  } else {
    const number = String(readMigrations().length + 1).padStart(4, '0');
    const directory = join(PRISMA_DIRECTORY, 'migrations', `${number}_${name}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'migration.sql'), `${sql}\n`);
    console.log(`Wrote ${directory}/migration.sql: read it before you commit it.`);
  }
}
