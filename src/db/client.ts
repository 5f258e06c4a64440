/**
 * The one way to the database: Prisma's client for models, and prepared SQL for the few hot paths, over either the
 * embedded PGlite or a PostgreSQL server.
 */
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import type { Prisma } from './generated/client/client.ts';
import { PrismaClient } from './generated/client/client.ts';
import { withPlannedReads } from './reads/reads.ts';

export { Prisma } from './generated/client/client.ts';
export { countEach, findManyEach } from './reads/reads.ts';
export type { PrismaClient };

/** Prisma's client, or the same inside an interactive transaction. */
export type Db = PrismaClient | Prisma.TransactionClient;

export interface Database {
  readonly prisma: PrismaClient;
  readonly kind: 'embedded' | 'postgres';
  /** The driver itself, for what Prisma has no word for: migrations, the job queue. */
  readonly driver: PGlite | pg.Pool;
  /**
   * Runs one statement outside any transaction, prepared under `name` where it has one: a name has one text for ever.
   * int4, text, boolean, timestamptz (Date), text[] and json come back as JavaScript values.
   */
  query<Row>(name: string | undefined, text: string, values: readonly unknown[]): Promise<Row[]>;
  /** Runs a text of many statements without parameters. */
  script(text: string): Promise<void>;
  close(): Promise<void>;
}

/** There is no PostgreSQL server where it should be, or it does not let us in. */
export class DatabaseUnreachableError extends Error {
  /** Names the server and the database of `url`, and neither user nor password. */
  constructor(url: string, cause: NodeJS.ErrnoException) {
    const { host, pathname } = new URL(url);
    super(`The database ${host}${pathname} of DATABASE_URL cannot be used: ${cause.message || cause.code}`, { cause });
  }
}

/** What drivers, PostgreSQL (SQLSTATE) and Prisma call it. */
const AWAY = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['53300', '57P01', '57P02', '57P03'],
  ...['P1001', 'P1002', 'P1017', 'DatabaseNotReachable', 'ConnectionClosed', 'TooManyConnections'],
]);

/** Does the error say that the database could not be asked? In a moment it may answer again. */
export function isDatabaseAway(error: unknown): boolean {
  return namesOf(error).some((name) => AWAY.has(name)) || /^Connection terminated/.test((error as Error | undefined)?.message ?? '');
}

/** What Prisma calls them, of its own statements and of SQL. */
const LOST_TO_A_RIVAL = new Set(['P2002', 'UniqueConstraintViolation', 'P2034', 'TransactionWriteConflict']);

/** Does the error say that another transaction was first: with a unique key that was looked for in vain, or with locks (a deadlock)? */
export function isLostToARival(error: unknown): boolean {
  return namesOf(error).some((name) => LOST_TO_A_RIVAL.has(name));
}

function namesOf(error: unknown): string[] {
  const { code, meta } = (error ?? {}) as { code?: string; meta?: { driverAdapterError?: { cause?: { kind?: string } } } };
  return [code, meta?.driverAdapterError?.cause?.kind].filter((name) => name !== undefined);
}

/** A database on a PostgreSQL server. `max` bounds the connections of this process. */
export function connectPostgres(url: string, max = 10): Database {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on('error', () => {}); // An idle connection that breaks is replaced at the next query, which reports what is wrong.
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) });
  const query: Database['query'] = async (name, text, values) =>
    (await pool.query({ ...(name !== undefined && { name }), text, values: values as unknown[] })).rows;
  return {
    prisma: withPlannedReads(prisma, query),
    kind: 'postgres',
    driver: pool,
    query,
    script: async (text) => void (await pool.query(text)),
    close: async () => {
      await prisma.$disconnect();
      if (!pool.ended) await pool.end();
    },
  };
}

/** A database over an open PGlite, which it closes with itself. */
export async function connectEmbedded(pglite: PGlite): Promise<Database> {
  const { PrismaPGlite } = await import('pglite-prisma-adapter');
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(pglite) });
  const query: Database['query'] = async (_name, text, values) => (await pglite.query(text, values as unknown[])).rows as never;
  return {
    prisma: withPlannedReads(prisma, query),
    kind: 'embedded',
    driver: pglite,
    query,
    script: async (text) => void (await pglite.exec(text)),
    close: async () => {
      await prisma.$disconnect();
      if (!pglite.closed) await pglite.close();
    },
  };
}
