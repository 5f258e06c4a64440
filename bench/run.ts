/**
 * Measures us against our peers on this machine:
 *
 *   npm run bench                   every suite, as a table
 *   npm run bench -- oidc           only the suites named
 *   npm run bench -- oidc --json    the figures as JSON on stdout
 *
 * What is compared, and how to read it: docs/benchmarks.md.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../test/helpers/postgres.ts';
import { POSTGRES } from '../test/helpers/programs.ts';
import { prepareMachine } from './machine.ts';
import type { Result, Suite } from './suite.ts';
import { oidc } from './suites/oidc.ts';

const SUITES: Record<string, Suite> = {
  oidc,
};

const { values, positionals } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true });
const unknown = positionals.find((name) => !Object.hasOwn(SUITES, name));
if (unknown) fail(`There is no suite ${unknown}. Suites: ${Object.keys(SUITES).join(', ')}.`);
const binaries = POSTGRES.find() ?? fail(POSTGRES.remedy);

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const machine = prepareMachine(binaries);
const postgres = await startPostgres(binaries);
const results: Result[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(SUITES)) {
  results.push(...(await SUITES[name]!({ machine, postgres, directory, progress: (line) => console.error(line) })));
}
postgres.stop();
console.log(values.json ? JSON.stringify(results, null, 2) : table(results));

function table(results: readonly Result[]): string {
  return results
    .map((result) => {
      const { work, ours, peer, peerName, unit, ratio, conditions } = result;
      return [
        `${work.padEnd(20)} ours ${figure(ours)} ${unit}   ${peerName} ${figure(peer)} ${unit}   ratio ${ratio.toFixed(2)}`,
        `  ${Object.entries(conditions)
          .map(([name, value]) => `${name} ${typeof value === 'number' ? figure(value) : value}`)
          .join(', ')}`,
      ].join('\n');
    })
    .join('\n');
}

function figure(value: number): string {
  return Number.isInteger(value) || value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
