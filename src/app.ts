/** The composition root: everything a process has is made here, once, and closed in the opposite order. */
import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import { type Config, ConfigError } from './config.ts';
import { connectEmbedded, connectPostgres, type Database, DatabaseUnreachableError } from './db/client.ts';
import { DatabaseInUseError, openEmbedded } from './db/embedded.ts';
import { startLookups } from './db/lookups.ts';
import { MigrationError, migrate, pendingMigrations } from './db/migrate.ts';
import { registerLogoutJobs } from './features/backchannel-logout/service.ts';
import { startCleanup } from './features/cleanup/jobs.ts';
import type { Infrastructure } from './features/context.ts';
import { mailStrangers } from './features/email-senders/service.ts';
import { registerImportJobs } from './features/imports/jobs.ts';
import { createRateLimits } from './features/rate-limits/service.ts';
import { ensureAccountEnvironment, type Quickstart, seedQuickstart } from './features/seed/service.ts';
import { registerFailureJobs } from './features/sign-in-failures/service.ts';
import { startKeyRotation } from './features/signing-keys/jobs.ts';
import { assertSecretKey, WrongSecretKeyError } from './features/signing-keys/service.ts';
import { registerLeadJobs } from './features/subscribers/leads.ts';
import { registerWebhookJobs } from './features/webhooks/jobs.ts';
import { graphqlRoutes } from './graphql/server.ts';
import { assetRoutes } from './http/assets.ts';
import { brandRoutes } from './http/brand.ts';
import { devMailboxRoutes } from './http/dev-mailbox.ts';
import { healthRoutes } from './http/health.ts';
import { createServer, environmentRoutes, platformRoutes } from './http/server.ts';
import { startPageRoutes } from './http/start-page.ts';
import { startJobs } from './jobs/queue.ts';
import { type Clock, systemClock } from './kernel/clock.ts';
import { startMail } from './mail/sender.ts';
import { protectedResourceRoutes } from './oidc/protected-resource.ts';
import { oidcRoutes } from './oidc/routes.ts';
import { hasMailbox, startTexts } from './phone/sender.ts';
import { newKeyPair } from './security/key-pairs.ts';
import { createVault } from './security/secrets.ts';
import { deviceRoutes } from './signin/device.ts';
import { invitationRoutes } from './signin/invitation.ts';
import { leadRoutes } from './signin/leads.ts';
import { portalRoutes } from './signin/portal.ts';
import { previewRoutes } from './signin/previews.ts';
import { signInRoutes } from './signin/routes.ts';

/** What a test may bring itself. */
export interface Overrides {
  readonly database?: Database;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly newKeyPair?: typeof newKeyPair;
  /** False leaves pending migrations to the operator: the start is refused while there are some. */
  readonly migrate?: boolean;
}

export interface App {
  readonly server: FastifyInstance;
  readonly infrastructure: Infrastructure;
  /** What the first start made; undefined on every later one. */
  readonly quickstart: Quickstart | undefined;
  /** Answers a request as if it had come over the network. */
  fetch(request: Request): Promise<Response>;
  /** Finishes the requests in flight, then the jobs, then closes the database. */
  close(): Promise<void>;
}

/** The database and the few things that services need, without a server: what the command line works with. */
export async function openInfrastructure(
  config: Config,
  overrides: Overrides = {},
): Promise<{ infrastructure: Infrastructure; close(): Promise<void> }> {
  const log = overrides.log ?? createLog(config);
  const { database, release } = overrides.database ? { database: overrides.database, release: () => {} } : await openDatabase(config);
  const closing = async () => {
    await database.close();
    release();
  };
  try {
    if (overrides.migrate ?? true) {
      const applied = await migrate(database);
      if (applied.length > 0) log.info({ applied }, 'migrated');
    } else {
      const pending = await pendingMigrations(database);
      if (pending.length > 0)
        throw new MigrationError(`Migrations are pending: ${pending.join(', ')}. Apply them with npm run cli -- migrate.`);
    }
    const vault = createVault(config.secretKey);
    await assertSecretKey({ database, vault });
    const jobs = await startJobs(database, config.databaseUrl, log);
    const lookups = await startLookups(database, log);
    const clock = overrides.clock ?? systemClock;
    const rateLimits = createRateLimits({ limits: config.rateLimits, database, clock, log });
    const infrastructure: Infrastructure = {
      config,
      database,
      lookups,
      vault,
      clock,
      jobs,
      log,
      rateLimits,
      newKeyPair: overrides.newKeyPair ?? newKeyPair,
    };
    return {
      infrastructure,
      close: async () => {
        await jobs.close();
        await lookups.close();
        await rateLimits.settled();
        await closing();
      },
    };
  } catch (error) {
    await closing();
    throw error;
  }
}

/** Is it something that the operator can mend, and that its message says in full? */
export function isOperatorError(error: unknown): error is Error {
  return [ConfigError, DatabaseInUseError, DatabaseUnreachableError, MigrationError, WrongSecretKeyError].some(
    (kind) => error instanceof kind,
  );
}

/** The whole application over `config`, not yet listening. */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const { infrastructure, close } = await openInfrastructure(config, overrides);
  try {
    await ensureAccountEnvironment(infrastructure);
    const quickstart = await seedQuickstart(infrastructure);
    const server = await createServer(infrastructure);
    healthRoutes(server, infrastructure);
    await environmentRoutes(server, infrastructure, (routes) => {
      assetRoutes(routes);
      brandRoutes(routes, infrastructure);
      oidcRoutes(infrastructure)(routes);
      signInRoutes(infrastructure)(routes);
      deviceRoutes(infrastructure)(routes);
      leadRoutes(infrastructure)(routes);
      portalRoutes(infrastructure)(routes);
      previewRoutes(infrastructure)(routes);
      invitationRoutes(infrastructure)(routes);
    });
    await platformRoutes(server, infrastructure, async (routes) => {
      protectedResourceRoutes(routes, infrastructure);
      await graphqlRoutes(infrastructure)(routes);
      if (hasMailbox(config)) devMailboxRoutes(routes, infrastructure);
      if (!config.production) startPageRoutes(routes, infrastructure);
    });
    const mail = await startMail({ ...infrastructure, settings: config, strangers: mailStrangers(infrastructure) });
    await startTexts({ ...infrastructure, settings: config });
    await registerImportJobs(infrastructure);
    await registerWebhookJobs(infrastructure);
    await registerLogoutJobs(infrastructure);
    await registerFailureJobs(infrastructure);
    await registerLeadJobs(infrastructure);
    await startCleanup(infrastructure);
    await startKeyRotation(infrastructure);
    await server.ready();
    return {
      server,
      infrastructure,
      quickstart,
      fetch: (request) => inject(server, request),
      close: async () => {
        await server.close();
        await close();
        mail.close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** JSON lines. What is secret is never given to the log: `test/http` reads what a whole sign-in leaves there. */
export function createLog(config: Pick<Config, 'logLevel'>): Logger {
  return pino({ level: config.logLevel });
}

async function openDatabase(config: Config): Promise<{ database: Database; release: () => void }> {
  if (config.databaseUrl) {
    const database = connectPostgres(config.databaseUrl);
    try {
      await database.query(undefined, 'SELECT 1', []);
    } catch (error) {
      await database.close();
      throw new DatabaseUnreachableError(config.databaseUrl, error as NodeJS.ErrnoException);
    }
    return { database, release: () => {} };
  }
  const { pglite, release } = await openEmbedded(config.dataDir);
  return { database: await connectEmbedded(pglite), release };
}

async function inject(server: FastifyInstance, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined;
  const answer = await server.inject({
    method: request.method as 'GET',
    url: url.pathname + url.search,
    headers: { host: url.host, ...Object.fromEntries(request.headers) },
    ...(body && { payload: body }),
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const one of [value].flat()) if (one !== undefined) headers.append(name, String(one));
  return new Response([101, 204, 205, 304].includes(answer.statusCode) ? null : new Uint8Array(answer.rawPayload), {
    status: answer.statusCode,
    headers,
  });
}
