/** The server process from outside: its first start, its stop, a kill, a second process, and production. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Quickstart } from '../src/features/seed/service.ts';
import { freePort } from './helpers/app.ts';
import { type ServerProcess, startProcess } from './helpers/server-process.ts';

const started: ServerProcess[] = [];
const directories: string[] = [];
afterEach(async () => {
  await Promise.all(
    started.splice(0).map(({ child, stop }) => (child.exitCode === null && child.signalCode === null ? stop('SIGKILL') : null)),
  );
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function start(file: string, environment: Record<string, string>, args: string[] = [], directory?: string): ServerProcess {
  const server = startProcess(file, environment, args, directory);
  started.push(server);
  return server;
}

async function freshEnvironment() {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-main-'));
  directories.push(directory);
  const port = await freePort();
  return { environment: { PORT: String(port), DATA_DIR: directory }, url: `http://localhost:${port}`, directory };
}

function createUser(url: string, quickstart: Quickstart, email: string): Promise<unknown> {
  const { clientId, clientSecret } = quickstart.applications.find(({ type }) => type === 'm2m')!;
  return createUserAs(url, clientId, clientSecret!, email);
}

async function createUserAs(url: string, clientId: string, clientSecret: string, email: string): Promise<unknown> {
  const tokens = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      audience: `${url}/api`,
    }),
  });
  const { access_token } = (await tokens.json()) as { access_token: string };
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { email } errors { code } } }',
      variables: { input: { email } },
    }),
  });
  return ((await answer.json()) as { data: { createUser: unknown } }).data.createUser;
}

test('a first start asks nothing, explains itself, and keeps every row through kill -9; a second process is refused', {
  timeout: 180_000,
}, async () => {
  const { environment, url, directory } = await freshEnvironment();
  const first = start('src/main.ts', environment);
  await first.ready(url);
  expect(first.output()).toContain(`Gatehouse is ready at ${url}`);
  expect(first.output()).toContain('owner@acme.test');

  const links = [...(await (await fetch(url)).text()).matchAll(/<li><a href="([^"]+)"/g)].map(([, path]) => path);
  expect(links).toEqual(['/graphql', '/dev/mailbox', '/.well-known/openid-configuration']);

  const path = join(directory, 'quickstart.json');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const quickstart = JSON.parse(readFileSync(path, 'utf8')) as Quickstart;
  expect(quickstart).toMatchObject({
    issuer: url,
    graphqlUrl: `${url}/graphql`,
    managementAudience: `${url}/api`,
    owner: { email: 'owner@acme.test' },
  });
  expect(quickstart.applications.map(({ type }) => type)).toEqual(['reg', 'spa', 'm2m', 'device']);
  for (const { type, clientId, clientSecret } of quickstart.applications) {
    expect(clientId).toMatch(/^[0-9a-f]{32}$/);
    if (type === 'reg' || type === 'm2m') expect(clientSecret).toMatch(/^[A-Za-z0-9]{40,60}$/);
    else expect(clientSecret).toBeUndefined();
  }

  const second = start('src/main.ts', { ...environment, PORT: String(await freePort()) });
  expect(await second.ended()).toBe(1);
  expect(second.output()).toContain(`${directory} is in use by process ${first.child.pid}`);

  expect(await createUser(url, quickstart, 'kept@example.test')).toMatchObject({ user: { email: 'kept@example.test' }, errors: [] });
  await first.stop('SIGKILL');

  const again = start('src/main.ts', environment);
  await again.ready(url);
  expect(again.output()).not.toContain('This was the first start');
  expect(await createUser(url, quickstart, 'kept@example.test')).toMatchObject({ user: null, errors: [{ code: 'EMAIL_TAKEN' }] });
  expect(await again.stop('SIGTERM')).toBe(0);
  expect(readFileSync(path, 'utf8')).toContain(quickstart.applications[0]!.clientId);
});

test('production names everything that is missing at once, and starts nothing', async () => {
  const { environment } = await freshEnvironment();
  const server = start('src/main.ts', { ...environment, NODE_ENV: 'production', LOG_LEVEL: 'loud' });
  expect(await server.ended()).toBe(1);
  for (const name of ['LOG_LEVEL', 'SECRET_KEY', 'SMTP_URL', 'BASE_URL']) expect(server.output()).toContain(name);
  expect(server.output()).not.toContain('    at ');
});

test('production seeds nothing, has no mailbox and no GraphiQL; commands make its Owners and the first callers of the graph', {
  timeout: 180_000,
}, async () => {
  const { environment, url } = await freshEnvironment();
  const production = { ...environment, NODE_ENV: 'production', BASE_URL: url, SECRET_KEY: 'ab'.repeat(32), SMTP_URL: 'smtp://localhost:1' };
  const command = async (...args: string[]) => {
    const process = start('src/cli.ts', production, args);
    expect({ code: await process.ended(), output: process.output() }).toMatchObject({ code: 0 });
    return process.output();
  };
  const linkIn = (output: string) => new RegExp(`${url}/e/account/team-invitation/[A-Za-z0-9_-]{43}`).exec(output)?.[0];
  const first = await command('create-owner', '--email', 'first@example.test', '--business', 'First Company', '--region', 'ie');
  expect(first).toContain('first-company');
  const link = linkIn(first);
  expect(linkIn(await command('invite-owner', '--email', 'second@example.test', '--domain', 'first-company'))).not.toBe(link);
  const machine = await command('create-machine', '--domain', 'first-company');
  const dashboard = await command('create-dashboard', '--callback-url', 'https://dashboard.example.test/callback');
  const shown = (output: string, label: string) => new RegExp(`^${label} +(\\S+)$`, 'm').exec(output)?.[1] ?? '';
  expect(shown(dashboard, 'Audience')).toBe(`${url}/e/account/api`);
  expect(dashboard).not.toContain('Client secret');

  const mistaken = start('src/main.ts', { ...production, SECRET_KEY: 'cd'.repeat(32) });
  expect(await mistaken.ended()).toBe(1);
  expect(mistaken.output()).toContain('SECRET_KEY is not the key that this database was sealed with');
  expect(mistaken.output()).not.toContain('    at ');

  const server = start('src/main.ts', production);
  await server.ready(url);
  expect(server.output()).not.toContain('first start');
  for (const path of ['/', '/dev/mailbox.json']) expect((await fetch(url + path)).status).toBe(404);
  expect((await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } })).headers.get('content-type')).not.toContain('text/html');
  const opened = await fetch(link!, { redirect: 'manual' });
  expect(opened.status).toBe(302);
  expect(opened.headers.get('location')).toContain(`${url}/e/account/signin/`);
  expect(
    await createUserAs(shown(machine, 'Issuer'), shown(machine, 'Client id'), shown(machine, 'Client secret'), 'kept@example.test'),
  ).toMatchObject({ user: { email: 'kept@example.test' } });
  const signIn = new URLSearchParams({
    client_id: shown(dashboard, 'Client id'),
    redirect_uri: 'https://dashboard.example.test/callback',
    response_type: 'code',
    scope: 'openid',
    state: 'a-state-of-its-own',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const atSignIn = await fetch(`${shown(dashboard, 'Issuer')}/oauth2/auth?${signIn}`, { redirect: 'manual' });
  expect(atSignIn.headers.get('location')).toContain(`${url}/e/account/signin/`);
  expect(await server.stop('SIGTERM')).toBe(0);
});

test('.env adds what the environment does not say', async () => {
  const { environment, directory } = await freshEnvironment();
  writeFileSync(join(directory, '.env'), 'LOG_LEVEL=loud\nPORT=never\n');
  const server = start('src/main.ts', environment, [], directory);
  expect(await server.ended()).toBe(1);
  expect(server.output()).toContain('LOG_LEVEL must be');
  expect(server.output()).not.toContain('PORT');
});

test('a port in use is one line, and the first start is still to come', async () => {
  const { environment, directory } = await freshEnvironment();
  const other = createServer().listen(Number(environment.PORT));
  onTestFinished(() => void other.close());
  const server = start('src/main.ts', environment);
  expect(await server.ended()).toBe(1);
  expect(server.output()).toMatch(/EADDRINUSE.*PORT and HOST/);
  expect(server.output()).not.toContain('    at ');
  expect(existsSync(join(directory, 'database'))).toBe(false);
});

describe('what the operator can mend is said without a stack', () => {
  test.each([
    ['a database that is away', { DATABASE_URL: 'postgres://user:hidden@localhost:1/gatehouse' }, /localhost:1\/gatehouse.*ECONNREFUSED/],
    ['a data directory that is a file', { DATA_DIR: import.meta.filename }, /DATA_DIR must be a directory/],
  ])('%s', { timeout: 60_000 }, async (_what, broken, words) => {
    const { environment } = await freshEnvironment();
    const server = start('src/main.ts', { ...environment, ...broken });
    expect(await server.ended()).toBe(1);
    expect(server.output()).toMatch(words);
    expect(server.output()).not.toMatch(/ {4}at |hidden/);
  });

  test('an option that there is not', async () => {
    const { environment, directory } = await freshEnvironment();
    const server = start('src/main.ts', environment, ['--nomigrate']);
    expect(await server.ended()).toBe(1);
    expect(server.output()).toMatch(/Unknown option '--nomigrate'.*\n.*--no-migrate/);
    expect(server.output()).not.toContain('    at ');
    expect(readdirSync(directory)).toEqual([]);
  });

  test('pending migrations', async () => {
    const { environment } = await freshEnvironment();
    const server = start('src/main.ts', environment, ['--no-migrate']);
    expect(await server.ended()).toBe(1);
    expect(server.output()).toContain('npm run cli -- migrate');
    expect(server.output()).not.toContain('    at ');
  });
});

describe('a command that is called wrongly does nothing, and says how it is called', () => {
  test.each([
    [['bogus'], 2, 'There is no command bogus'],
    [['migrate', '--help'], 0, 'apply pending migrations'],
    [['print-schema', '--chek'], 2, "Unknown option '--chek'"],
    [['create-owner', '--business', 'Acme'], 2, '--email is needed'],
    [['create-owner', '--email', 'a@b.test', '--business', 'B', '--region', 'moon'], 2, '--region is one of au, us, ca, ie, uk'],
  ])('%j', async (args, code, words) => {
    const { environment, directory } = await freshEnvironment();
    const command = start('src/cli.ts', environment, args);
    expect(await command.ended()).toBe(code);
    expect(command.output()).toContain(words);
    expect(readdirSync(directory)).toEqual([]);
  });
});
