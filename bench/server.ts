/** Servers under measurement: child processes on the servers' core, each on a database of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresServer } from '../test/helpers/postgres.ts';
import type { Machine } from './machine.ts';

const root = join(import.meta.dirname, '..');

export interface Server {
  readonly origin: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts `command`, a script or the arguments of Node that end with one, with `environment` and nothing else of ours, and waits until it answers.
 * @param origin where it will listen, as its environment tells it
 * @throws Error when it ends, or is silent for half a minute
 */
export async function startServer(
  machine: Machine,
  command: string | readonly [string, ...string[]],
  origin: string,
  environment: Record<string, string>,
): Promise<Server> {
  const [script, ...more] = [command].flat() as [string, ...string[]];
  const [program, ...args] = machine.onServerCore(script, ...more);
  const child = spawn(program, args, {
    cwd: root,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const kill = () => child.kill();
  process.on('exit', kill);
  const ended = once(child, 'exit');
  for (const deadline = performance.now() + 30_000; !(await answers(origin)); await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}.`);
    if (performance.now() > deadline) throw new Error(`${command} does not answer.`);
  }
  return {
    origin,
    pid: child.pid!,
    async stop() {
      process.off('exit', kill);
      child.kill();
      await ended;
    },
  };
}

/** How long a server's process has had a core, as Linux counts it: in hundredths of a second. NaN elsewhere. */
export function cpuSeconds({ pid }: Server): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return Number.NaN;
  const fields = readFileSync(path, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function answers(origin: string): Promise<boolean> {
  return fetch(origin).then(
    () => true,
    () => false,
  );
}

/** Makes an empty database; returns its URL. */
export async function createDatabase(postgres: PostgresServer, name: string): Promise<string> {
  const client = new pg.Client(postgres.url('postgres'));
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  return postgres.url(name);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
