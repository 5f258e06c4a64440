/** Our own side: the server as `npm start` runs it, on a database of its own, with the people that a suite needs. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openInfrastructure } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { createContext, type Infrastructure, inTransaction } from '../src/features/context.ts';
import { tenancyOfIssuer } from '../src/features/environments/directory.ts';
import { consumeCode, issueCode } from '../src/features/grants/service.ts';
import { joinOpenOrganization } from '../src/features/organizations/service.ts';
import type { Quickstart } from '../src/features/seed/service.ts';
import { rotateSigningKey } from '../src/features/signing-keys/service.ts';
import { createUserRow } from '../src/features/users/service.ts';
import type { SigningAlgorithm } from '../src/security/jwt.ts';
import { freePort, type Server, startServer } from './server.ts';
import type { Bench } from './suite.ts';

/** The arguments of Node in `npm start`. */
const START = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { scripts: { start: string } }
).scripts.start
  .split(' ')
  .slice(1) as [string, ...string[]];

export interface Gatehouse {
  readonly server: Server;
  readonly quickstart: Quickstart;
  /** Starts it anew as it runs in production, where it makes no quickstart. Returns the server in the place of the first. */
  restartInProduction(): Promise<Server>;
  /** Starts another process over the same database; it takes requests for the first one's host. */
  startAnother(): Promise<Server>;
  /** Where the seeded web application takes its answers. */
  readonly callbackUrl: string;
  /** Works on its database as another process of it does. */
  run<T>(work: (infrastructure: Infrastructure) => Promise<T>): Promise<T>;
  /** Replaces the key that the seeded issuer signs with. */
  signWith(algorithm: SigningAlgorithm): Promise<void>;
  /** Lets `count` new people sign in to the seeded web application, for the seeded API. Returns a refresh token of each. */
  signIn(count: number): Promise<string[]>;
}

export async function startGatehouse(bench: Bench, databaseUrl: string): Promise<Gatehouse> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const dataDir = mkdtempSync(join(bench.directory, 'gatehouse-'));
  const environment = {
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    HOST: '127.0.0.1',
    BASE_URL: origin,
    DATA_DIR: dataDir,
    LOG_LEVEL: 'error',
    // Counted as ever, and never used up.
    GRAPH_QUOTA: '1000000000',
    ...Object.fromEntries(['AUTH', 'API', 'ADMIN'].map((name) => [`RATE_LIMIT_${name}`, '999999999,999999999,999999999'])),
  };
  const server = await startServer(bench.machine, START, origin, environment);
  const quickstart = JSON.parse(readFileSync(join(dataDir, 'quickstart.json'), 'utf8')) as Quickstart;
  const restartInProduction = async () => {
    await server.stop();
    const secrets = { SECRET_KEY: readFileSync(join(dataDir, 'secret.key'), 'utf8').trim(), SMTP_URL: 'smtp://127.0.0.1:9' };
    return startServer(bench.machine, START, origin, { ...environment, ...secrets, NODE_ENV: 'production' });
  };
  const startAnother = async () => {
    const anotherPort = await freePort();
    return startServer(bench.machine, START, `http://127.0.0.1:${anotherPort}`, { ...environment, PORT: String(anotherPort) });
  };
  return {
    server,
    startAnother,
    quickstart,
    callbackUrl: quickstart.applications.find(({ type }) => type === 'reg')!.callbackUrls[0]!,
    restartInProduction,
    run: (work) => within(environment, work),
    signWith: (algorithm) =>
      within(environment, async (infrastructure) => {
        const { environmentId } = (await tenancyOfIssuer(infrastructure, quickstart.issuer))!;
        const ctx = createContext(infrastructure, { kind: 'system', name: 'bench' });
        await rotateSigningKey(ctx, { environmentId, algorithm, isCompromised: true }); // So that it signs at once.
      }),
    signIn: (count) => within(environment, (infrastructure) => signIn(infrastructure, quickstart, count)),
  };
}

async function within<T>(environment: Record<string, string>, work: (infrastructure: Infrastructure) => Promise<T>): Promise<T> {
  const { infrastructure, close } = await openInfrastructure(loadConfig(environment), { log: pino({ level: 'error' }) });
  try {
    return await work(infrastructure);
  } finally {
    await close();
  }
}

async function signIn(infrastructure: Infrastructure, quickstart: Quickstart, count: number): Promise<string[]> {
  const ctx = createContext(infrastructure, { kind: 'system', name: 'bench' });
  const scope = (await tenancyOfIssuer(infrastructure, quickstart.issuer))!;
  const application = quickstart.applications.find(({ type }) => type === 'reg')!;
  const tokens: string[] = [];
  for (let number = 0; number < count; number++) {
    const code = await inTransaction(ctx, async (tx) => {
      const names = { firstName: 'Bench', lastName: `Number ${number}` };
      const user = await createUserRow(tx, scope, { email: `bench-${number}@example.com`, isEmailVerified: true, ...names });
      const now = infrastructure.clock.now();
      return issueCode(tx, {
        environmentId: scope.environmentId,
        applicationId: `app_${application.clientId}`,
        userId: user.id,
        organizationId: (await joinOpenOrganization(tx, scope, user.id, undefined)) ?? null,
        sessionId: null,
        scopes: ['openid', 'profile', 'email', 'offline'],
        audiences: ['https://api.acme.test'],
        authTime: now,
        amr: [],
        requestedAt: now,
        redirectUri: application.callbackUrls[0]!,
        codeChallenge: null,
        nonce: null,
      });
    });
    tokens.push((await consumeCode(infrastructure, scope.environmentId, code, 86_400))!);
  }
  return tokens;
}
