/** The embedded database is open in one process at a time, and survives the process whatever ends it. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DatabaseInUseError, openEmbedded } from '../../src/db/embedded.ts';

let temporary: string;
/** A data directory with an initialised database. */
let initialised: string;
/** The data directory of the test at hand. */
let dataDir: string;

beforeAll(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'gatehouse-embedded-'));
  initialised = mkdtempSync(join(temporary, 'initialised-'));
  await openAndClose(initialised);
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));
beforeEach(() => {
  dataDir = mkdtempSync(join(temporary, 'data-'));
});

describe('a directory in use', () => {
  test('is refused to another process, which is told who has it and what to do', async () => {
    cpSync(initialised, dataDir, { recursive: true });
    const writer = startWriter();
    await once(writer.stdout, 'data');
    const refusal = openEmbedded(dataDir);
    await expect(refusal).rejects.toThrow(DatabaseInUseError);
    await expect(refusal).rejects.toThrow(`${dataDir} is in use by process ${writer.pid}. Stop it first`);
  });

  test('is refused to this process as well', async () => {
    cpSync(initialised, dataDir, { recursive: true });
    const { pglite, release } = await openEmbedded(dataDir);
    await expect(openEmbedded(dataDir)).rejects.toThrow(`process ${process.pid}`);
    await pglite.close();
    release();
    await openAndClose(dataDir);
  });

  test('on a disk shared with another machine is refused, with the file to delete should that be gone', async () => {
    writeLock('1 another-machine 1');
    await expect(openEmbedded(dataDir)).rejects.toThrow(/process 1 on another-machine.*delete .*database\.lock/);
  });
});

describe('a stale lock is taken over', () => {
  test.each([
    ['of a process that is gone', () => `${spawnSync('true').pid} ${hostname()} 1`],
    ['of a process whose number another has since', () => `${process.pid} ${hostname()} 1`],
    ['that was cut short', () => ''],
  ])('%s', async (_whose, lock) => {
    cpSync(initialised, dataDir, { recursive: true });
    writeLock(lock());
    const { pglite, release } = await openEmbedded(dataDir);
    expect(readFileSync(join(dataDir, 'database.lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    await pglite.close();
    release();
    expect(existsSync(join(dataDir, 'database.lock'))).toBe(false);
  });
});

test('an interrupted initialisation is done again', async () => {
  mkdirSync(join(dataDir, 'database.unfinished'));
  writeFileSync(join(dataDir, 'database.unfinished/PG_VERSION'), 'half');
  await openAndClose(dataDir);
  expect(existsSync(join(dataDir, 'database.unfinished'))).toBe(false);
  expect(readFileSync(join(dataDir, 'database/PG_VERSION'), 'utf8')).toMatch(/^\d+\s*$/);
});

test('nobody else on the machine comes to the files, which PGlite itself lets everybody write; nor to those of before', async () => {
  const directory = join(dataDir, 'database');
  await openAndClose(dataDir);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  chmodSync(directory, 0o755);
  await openAndClose(dataDir);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('no acknowledged row is lost when the process is killed, time after time', async () => {
  cpSync(initialised, dataDir, { recursive: true });
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const writer = startWriter();
    let output = '';
    writer.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await once(writer.stdout, 'data');
    await sleep(250);
    writer.kill('SIGKILL');
    await once(writer, 'close');
    const before = acknowledged;
    acknowledged = Number(output.trimEnd().split('\n').at(-1));
    expect(acknowledged).toBeGreaterThan(before);
  }
  const { pglite, release } = await openEmbedded(dataDir);
  const { rows } = await pglite.query<{ count: number; last: number }>('SELECT count(*)::int AS count, max(number) AS last FROM rows');
  await pglite.close();
  release();
  expect(rows[0]!.count).toBeGreaterThanOrEqual(acknowledged);
  expect(rows[0]!.count).toBe(rows[0]!.last);
});

async function openAndClose(directory: string): Promise<void> {
  const { pglite, release } = await openEmbedded(directory);
  await pglite.close();
  release();
}

function writeLock(text: string): void {
  writeFileSync(join(dataDir, 'database.lock'), text);
}

/** Another process that has the directory open and writes rows to it, until the test ends. */
function startWriter(): ChildProcessByStdio<null, Readable, null> {
  const script = join(import.meta.dirname, 'fixtures/write-rows.ts');
  const writer = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}
