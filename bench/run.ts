/**
 * Measures us against our peers on this machine:
 *
 *   npm run bench                   every suite, as a table
 *   npm run bench -- oidc           only the suites named
 *   npm run bench -- oidc refresh es256     only the works of that suite whose names have these words
 *   npm run bench -- oidc --json    the figures as JSON on stdout
 *   npm run bench -- graph --users 50000    on a smaller database than the 1,000,000 users of the goals
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
import { graph } from './suites/graph.ts';
import { oidc } from './suites/oidc.ts';
import { pages } from './suites/pages.ts';

const SUITES: Record<string, Suite> = {
  oidc,
  graph,
  pages,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, users: { type: 'string', default: '1000000' } },
  allowPositionals: true,
});
const users = Number(values.users);
if (!Number.isInteger(users) || users < 1000) fail('--users is a number from 1000.');
const suites = positionals.filter((name) => Object.hasOwn(SUITES, name));
const words = positionals.filter((name) => !suites.includes(name));
if (words.length > 0 && suites.join() !== 'oidc')
  fail(`There is no suite ${words[0]}. Suites: ${Object.keys(SUITES).join(', ')}; only oidc takes words of what to measure.`);
const binaries = POSTGRES.find() ?? fail(POSTGRES.remedy);

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const machine = prepareMachine(binaries);
const postgres = await startPostgres(binaries);
const results: Result[] = [];
for (const name of suites.length > 0 ? suites : Object.keys(SUITES)) {
  results.push(...(await SUITES[name]!({ machine, postgres, directory, users, words, progress: (line) => console.error(line) })));
}
postgres.stop();
if (results.length === 0) fail(`Nothing that is measured has ${words.join(' and ')} in its name.`);
console.log(values.json ? JSON.stringify(results, null, 2) : table(results));

/** A line for each work, what only it has below it, and last the conditions that all of them share. */
function table(all: readonly Result[]): string {
  const shared = Object.entries(all[0]!.conditions).filter(([name, value]) => all.every(({ conditions }) => conditions[name] === value));
  const lines = all.flatMap(({ work, ours, peer, peerName, unit, ratio, conditions }) => [
    `${work}: ours ${figure(ours)} ${unit}, ${peerName} ${figure(peer)} ${unit}, ratio ${ratio.toFixed(2)}`,
    `  ${list(Object.entries(conditions).filter(([name]) => !shared.some(([common]) => common === name)))}`,
  ]);
  return [...lines, list(shared)].join('\n');
}

function list(conditions: readonly [string, string | number | boolean][]): string {
  return conditions.map(([name, value]) => `${name} ${typeof value === 'number' ? figure(value) : value}`).join(', ');
}

/** As many digits as a measurement can hold. */
function figure(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
