/**
 * The whole check of the project, for developers and CI alike: `npm test`.
 *
 *   npm test                          every step, in the order of STEPS below
 *   npm test -- unit                  only the steps named, any number of them
 *   npm test -- embedded test/oidc    what follows the names goes to Vitest: files, `-t <name>`, `--bail 1`, …
 *
 * A run goes through all its steps whatever fails, so that it shows everything that is wrong. Nothing is left out in
 * silence: PostgreSQL and Chromium are installed where that is possible; else their absence is a failure, or with
 * ALLOW_SKIP=1 a skip that the summary lists.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import type { JsonTestResult, JsonTestResults } from 'vitest/node';
import { startPostgres } from './helpers/postgres.ts';
import { CHROMIUM, POSTGRES, type Program, provide } from './helpers/programs.ts';

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** Why something failed or was left out, when no test says so. */
  note?: string;
  /** What each test that failed says of it. */
  failures?: string[];
}

type Step = () => Promise<Outcome>;

const STEPS: Record<string, Step> = {
  client: command('prisma', 'generate'),
  schema: command('node', '--disable-warning=ExperimentalWarning', 'src/cli.ts', 'print-schema', '--check'),
  codegen: command('graphql-codegen', '--config', 'codegen.ts'),
  types: command('tsc', '--noEmit'),
  style: command('biome', 'check'),
  unit: () => vitest('unit'),
  embedded: () => vitest('embedded'),
  postgres: needing(POSTGRES, async (binaries) => {
    const server = await startPostgres(binaries);
    try {
      return await vitest('postgres', { TEST_POSTGRES_URL: server.url('postgres') });
    } finally {
      server.stop();
    }
  }),
  browser: needing(CHROMIUM, (executable) => vitest('browser', { CHROMIUM_PATH: executable })),
};

const root = join(import.meta.dirname, '..');
const temporary = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
const environment = {
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
  TMPDIR: temporary, // So that what an interrupted test leaves behind goes too.
  CHECKPOINT_DISABLE: '1', // Prisma's command line would look for a newer version of itself.
};
let child: ChildProcess | undefined;

process.on('exit', () => {
  child?.kill();
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const { names, vitestArguments } = parseArguments(process.argv.slice(2));
const lines: string[] = [];
const failures: string[] = [];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const name of names) {
  console.log(`── ${name}`);
  const start = performance.now();
  const outcome = await STEPS[name]!().catch((error: Error) => failure(error.message));
  const line = summary(name, performance.now() - start, outcome);
  console.log(`${line}\n`);
  lines.push(line);
  failures.push(...(outcome.failures ?? []).map((what) => `✗ ${name}: ${what}`));
  total.passed += outcome.passed;
  total.failed += outcome.failed;
  total.skipped += outcome.skipped;
}
if (lines.length > 1) console.log([...failures, ...lines, ''].join('\n')); // Failures once more: a log's end is what people read.
console.log(`tests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
const maySkip = process.env['ALLOW_SKIP'] === '1' || vitestArguments.length > 0;
process.exitCode = total.failed > 0 || (total.skipped > 0 && !maySkip) ? 1 : 0;

function parseArguments(given: string[]): { names: string[]; vitestArguments: string[] } {
  const end = given.findIndex((argument) => !Object.hasOwn(STEPS, argument));
  const names = end < 0 ? given : given.slice(0, end);
  if (given.length > 0 && names.length === 0) {
    console.error(`usage: npm test -- [step …] [arguments of vitest]\nsteps: ${Object.keys(STEPS).join(', ')}`);
    process.exit(2);
  }
  return { names: names.length > 0 ? names : Object.keys(STEPS), vitestArguments: given.slice(names.length) };
}

function summary(name: string, milliseconds: number, { passed, failed, skipped, note }: Outcome): string {
  const counts = Object.entries({ passed, failed, skipped }).filter(([, count]) => count > 0);
  const result = note ?? (counts.map(([what, count]) => `${count} ${what}`).join(', ') || 'ok');
  const mark = failed > 0 ? '✗' : skipped > 0 ? '!' : '✓';
  return `${mark} ${name.padEnd(9)}${(milliseconds / 1000).toFixed(1).padStart(7)} s  ${result}`;
}

function failure(note: string): Outcome {
  return { passed: 0, failed: 1, skipped: 0, note };
}

/** A step that is one command, whose output shows only when it fails. */
function command(program: string, ...args: string[]): Step {
  return async () => {
    const { status, output } = await run(program, args, {}, 'pipe');
    if (status === 0) return { passed: 0, failed: 0, skipped: 0 };
    console.log(output.trimEnd());
    return failure(`${[program, ...args].join(' ')} ended with ${status}`);
  };
}

/** A step that needs `program`, and is given where that is. */
function needing(program: Program, step: (path: string) => Promise<Outcome>): Step {
  return async () => {
    const path = provide(program);
    if (path) return step(path);
    return process.env['ALLOW_SKIP'] === '1'
      ? { passed: 0, failed: 0, skipped: 1, note: `left out: ${program.remedy}` }
      : failure(program.remedy);
  };
}

async function vitest(project: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const file = join(temporary, `${project}.json`);
  const reporters = ['default', 'json', './test/helpers/second-tries.ts'].map((name) => `--reporter=${name}`);
  reporters.push(`--outputFile.json=${file}`);
  const { status } = await run('vitest', ['run', '--project', project, ...reporters, ...vitestArguments], env, 'inherit');
  if (!existsSync(file)) return failure(`vitest ended with ${status}`);
  const results = JSON.parse(readFileSync(file, 'utf8')) as JsonTestResults;
  return {
    passed: results.numPassedTests,
    failed: Math.max(results.numFailedTests, status === 0 ? 0 : 1), // Fails without a failed test: a file that does not load, a stray rejection.
    skipped: results.numPendingTests + results.numTodoTests,
    failures: results.testResults.flatMap(failuresOf),
  };
}

function failuresOf({ name, status, message, assertionResults }: JsonTestResult): string[] {
  const file = relative(root, name);
  const tests = assertionResults.filter((test) => test.status === 'failed');
  if (tests.length === 0) return status === 'failed' ? [`${file}\n${head(message)}`] : [];
  return tests.map(({ fullName, failureMessages }) => `${file} > ${fullName}\n${failureMessages?.map(head).join('\n')}`);
}

/** The beginning of an error, with our own lines of its stack alone. */
function head(error: string): string {
  const lines = error.split('\n').filter((line) => !/^ +at (.*node_modules|new Promise)/.test(line));
  return lines.slice(0, 15).join('\n').slice(0, 1500);
}

function run(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  stdio: 'pipe' | 'inherit',
): Promise<{ status: number | string; output: string }> {
  return new Promise((resolve, reject) => {
    const started = spawn(program, args, { cwd: root, env: { ...environment, ...env }, stdio: ['ignore', stdio, stdio] });
    child = started;
    let output = '';
    for (const stream of [started.stdout, started.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
    started.on('error', reject);
    started.on('close', (code, signal) => {
      child = undefined;
      resolve({ status: code ?? signal!, output });
    });
  });
}
