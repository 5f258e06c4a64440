/**
 * The embedded database: PGlite in DATA_DIR/database. Three things must stay true: only one process has the directory
 * open (two would corrupt it), a first initialisation that was cut short leaves nothing behind that looks finished, and
 * nobody else on the machine comes into the directory: PGlite makes its files with a mode that lets everybody write them.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { PGlite, PGliteOptions } from '@electric-sql/pglite';

/** The directory is open in another process. */
export class DatabaseInUseError extends Error {}

/** A PGlite with the extensions that the migrations create: none other can open a database of ours. A process on PostgreSQL never loads it. */
export async function createPGlite(options: PGliteOptions = {}): Promise<PGlite> {
  const [{ PGlite }, { btree_gin }, { pg_trgm }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('@electric-sql/pglite/contrib/btree_gin'),
    import('@electric-sql/pglite/contrib/pg_trgm'),
  ]);
  return lettingOthersIn(await PGlite.create({ ...options, extensions: { btree_gin, pg_trgm } }));
}

/** Milliseconds of statements in a row, between which the event loop has a turn. */
const TURN = 10;

/** Statements run on this thread, and what comes after one goes on before the event loop does: a job that does nothing else
 * would keep out every request until its end. */
function lettingOthersIn(pglite: PGlite): PGlite {
  const run = pglite.execProtocolStream.bind(pglite);
  let turn = performance.now();
  pglite.execProtocolStream = async (...statement) => {
    if (performance.now() - turn > TURN) {
      await setImmediate();
      turn = performance.now();
    }
    return run(...statement);
  };
  return pglite;
}

/**
 * Opens the embedded database of `dataDir`, making it first where there is none.
 * @returns the database, and what gives the directory back once it is closed
 * @throws DatabaseInUseError while another process holds the directory
 */
export async function openEmbedded(dataDir: string): Promise<{ pglite: PGlite; release: () => void }> {
  const release = lock(join(dataDir, 'database.lock'), dataDir);
  try {
    const directory = join(dataDir, 'database');
    if (!existsSync(directory)) await initialise(dataDir, directory);
    if (statSync(directory).mode & 0o077) chmodSync(directory, 0o700);
    return { pglite: await createPGlite({ dataDir: directory }), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function initialise(dataDir: string, directory: string): Promise<void> {
  const unfinished = join(dataDir, 'database.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const pglite = await createPGlite({ dataDir: unfinished });
  await pglite.close();
  renameSync(unfinished, directory);
}

/** Takes `path` for this process. A lock whose process is gone is taken over. */
function lock(path: string, dataDir: string): () => void {
  const mine = `${process.pid} ${hostname()} ${startOf(process.pid) ?? ''}\n`;
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      return () => {
        if (readLock(path) === mine) unlinkSync(path);
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = readLock(path);
    const holder = parseHolder(found);
    if (holder && isAlive(holder)) {
      throw new DatabaseInUseError(
        `${dataDir} is in use by process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`}. ` +
          `Stop it first, or give this one its own DATA_DIR; several processes need DATABASE_URL=postgres://….` +
          (holder.host === hostname() ? '' : ` If that machine is gone for good, delete ${path}.`),
      );
    }
    removeStale(path, found);
  }
  throw new DatabaseInUseError(`${dataDir} is being opened by another process.`);
}

/** Removes the lock that was found stale, and puts back the one that another process took in the meantime. */
function removeStale(path: string, found: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // Another process was faster.
  }
  if (readLock(aside) === found) unlinkSync(aside);
  else renameSync(aside, path);
}

interface Holder {
  pid: number;
  host: string;
  start: string | undefined;
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseHolder(lock: string): Holder | undefined {
  const [pid, host, start] = lock.trim().split(' ');
  return pid && host ? { pid: Number(pid), host, start } : undefined;
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // A shared disk: we cannot see that machine's processes.
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const start = startOf(holder.pid);
  return !start || !holder.start || start === holder.start; // A pid that was given to another program since.
}

/** When a process started, in the kernel's ticks; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
