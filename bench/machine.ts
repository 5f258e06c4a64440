/**
 * What a measurement runs on. Servers get the first core alone; this process, which makes the load, and PostgreSQL,
 * which it starts, get the others. So a server is measured by what one core of it can do.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';

/** Printed with every figure: without them it says nothing. */
export type Conditions = Record<string, string | number | boolean>;

export interface Machine {
  readonly conditions: Conditions;
  /** The command line that runs a script on the servers' core. */
  onServerCore(script: string, ...args: string[]): [program: string, ...args: string[]];
}

/** Moves this process, and so all it starts, off the servers' core, where the machine has two cores and taskset. */
export function prepareMachine(postgresBinaries: string): Machine {
  const cores = cpus();
  const others = cores.length > 2 ? `1-${cores.length - 1}` : '1';
  const pinned = cores.length > 1 && spawnSync('taskset', ['-a', '-c', '-p', others, String(process.pid)]).status === 0;
  const node: [string, ...string[]] = [process.execPath, '--disable-warning=ExperimentalWarning'];
  return {
    conditions: {
      cpu: cores[0]?.model.trim() ?? 'unknown',
      cores: cores.length,
      pinned,
      node: process.versions.node,
      postgres: `${version(postgresBinaries)}, fsync off`,
    },
    onServerCore: (script, ...args) => (pinned ? ['taskset', '-c', '0', ...node, script, ...args] : [...node, script, ...args]),
  };
}

function version(postgresBinaries: string): string {
  return execFileSync(join(postgresBinaries, 'postgres'), ['--version'], { encoding: 'utf8' }).match(/\d+(\.\d+)*/)![0];
}
