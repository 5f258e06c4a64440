/** The server as its own process, as `npm start` runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Everything it printed so far, on both outputs. */
  output(): string;
  /** Waits until it answers at `url`, or fails with what it printed. */
  ready(url: string): Promise<void>;
  /** Sends a signal and waits for the end; the exit code, or null after a kill. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** Waits for the end. */
  ended(): Promise<number | null>;
}

/** Starts a source file of the project with an environment of its own: nothing of the tests' environment but PATH, and no `.env` but that of `directory`. */
export function startProcess(
  file: string,
  environment: Record<string, string>,
  args: string[] = [],
  directory = import.meta.dirname,
): ServerProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, file), ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    output: () => printed,
    ended: () => exit,
    stop: (signal) => {
      child.kill(signal);
      return exit;
    },
    async ready(url) {
      for (let tries = 0; tries < 600; tries++) {
        if (child.exitCode !== null) throw new Error(`The process ended with ${child.exitCode}:\n${printed}`);
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        if (answer?.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`The process did not get ready:\n${printed}`);
    },
  };
}
