/**
 * The programs that the tests need and npm does not bring: a PostgreSQL server and Chromium. They are looked for
 * where they usually are, and installed by `apt-get` where that is possible.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Program {
  /** Its Debian package. */
  readonly debianPackage: string;
  /** What to say when it is missing. */
  readonly remedy: string;
  /** Where it is, or undefined when it is missing. */
  find(): string | undefined;
}

/** PostgreSQL's server; found is the directory that holds `initdb`, `pg_ctl` and `postgres`. */
export const POSTGRES: Program = {
  debianPackage: 'postgresql',
  remedy: 'PostgreSQL is missing: apt-get install postgresql, or put initdb, pg_ctl and postgres of version 15 or newer on PATH',
  find: () =>
    [...searchPath(), ...debianPostgres()].find((directory) =>
      ['initdb', 'pg_ctl', 'postgres'].every((name) => isProgram(join(directory, name))),
    ),
};

/** Chromium; found is its executable. */
export const CHROMIUM: Program = {
  debianPackage: 'chromium',
  remedy: 'Chromium is missing: apt-get install chromium, or name its executable in CHROMIUM_PATH',
  find: () => {
    const onPath = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
      searchPath().map((directory) => join(directory, name)),
    );
    return [process.env['CHROMIUM_PATH'] ?? '', ...onPath].find(isProgram);
  },
};

/** Where `program` is; where it is missing and we are root on Debian or its kin, it is installed first. */
export function provide(program: Program): string | undefined {
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!program.find() && canInstall) {
    aptGet('update');
    aptGet('install', '-y', '--no-install-recommends', program.debianPackage);
  }
  return program.find();
}

function aptGet(...args: string[]): void {
  console.log(`apt-get ${args.join(' ')}`);
  const { status, stdout, stderr } = spawnSync('apt-get', args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    encoding: 'utf8',
  });
  if (status !== 0) console.log(stdout + stderr);
}

function searchPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter);
}

/** Debian keeps each version's server off PATH; the newest first. */
function debianPostgres(): string[] {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin'));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
