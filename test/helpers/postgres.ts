/**
 * A throw-away PostgreSQL server for one run of the tests. Nothing of it may outlive the process: it is stopped and
 * its files are removed at the latest when the process exits, and it listens on this machine alone.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

export interface PostgresServer {
  /** The URL of one of its databases, which need not exist yet. */
  url(database: string): string;
  /** Stops it and removes its files; a second call does nothing. */
  stop(): void;
}

/** Starts a server with the programs in `binaries`. It trusts every local connection and does not survive a power cut. */
export async function startPostgres(binaries: string): Promise<PostgresServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-postgres-'));
  const owner = unprivileged();
  if (owner) chownSync(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(binaries, program), args, { ...owner, cwd: directory, stdio: 'pipe', encoding: 'utf8' });

  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    process.off('exit', stop);
    try {
      run('pg_ctl', 'stop', '-D', data, '-m', 'immediate');
    } catch {
      // It never started.
    }
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', stop);

  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: directory,
    max_connections: 300,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
  };
  run('initdb', '-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '--auth=trust', '--no-sync');
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  run('pg_ctl', 'start', '-D', data, '-w', '-l', join(directory, 'log'), '-o', options.join(' '));
  return { url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`, stop };
}

/** The URL of `database` on the running server, which `test/run.ts` names in TEST_POSTGRES_URL. */
export function postgresUrl(database: string): string {
  const server = process.env['TEST_POSTGRES_URL'];
  if (!server) throw new Error('TEST_POSTGRES_URL is not set: start these tests with `npm test -- postgres`');
  const url = new URL(server);
  url.pathname = database;
  return url.href;
}

/** Runs statements that no transaction may hold, one after the other, as the server's superuser. */
export async function administer(...statements: string[]): Promise<void> {
  const client = new pg.Client(postgresUrl('postgres'));
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** PostgreSQL refuses to run as root: then it runs as the first of these users that there is. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, user], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {}
  }
  throw new Error('PostgreSQL cannot run as root, and there is no user postgres or nobody');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
