/**
 * Work that outlives a request, in the same database: a job is written in the transaction that causes it, and runs
 * after that transaction committed, in this process or another.
 */
import type { PGlite } from '@electric-sql/pglite';
import { fromPglite, fromPrisma, type JobResult, type JobWithMetadata, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Database, Db } from '../db/client.ts';

/** What each queue carries. Payloads may be read by whoever reads the database: seal what is secret. */
export interface Queues {
  /** From the platform's server. */
  mail: { sealed: string };
  /** From servers that businesses have named, however slow. */
  custom_mail: { sealed: string };
  text: { sealed: string };
  import: { environmentId: string; importId: string };
  backchannel_logout: { environmentId: string; applicationId: string; sessionId: string; userId: string };
  /** What somebody typed to be let in, or for news. */
  lead: { sealed: string };
  sign_in_failed: SignInFailed;
  webhook: { environmentId: string; webhookId: string; eventId: string; attempt: number };
  cleanup: Record<string, never>;
  'signing-keys': Record<string, never>;
}

/** A wrong proof: whose, where one has the address that was typed; of what; and from where. */
export interface SignInFailed {
  readonly environmentId: string;
  readonly businessId: string;
  readonly userId: string | null;
  readonly method: string;
  /** Seconds, where the account was locked by it. */
  readonly lockedFor: number | null;
  readonly ip: string | null;
  readonly requestId: string | null;
}

export type QueueName = keyof Queues;

interface QueueSettings {
  /** Tries after the first one. */
  readonly retries: number;
  /** Seconds a try may take before it is taken for lost. */
  readonly expires: number;
  /** Seconds without a sign of life after which a try is taken for lost: for work that may run long. */
  readonly heartbeat?: number;
  /** Jobs that this process runs side by side. */
  readonly parallel: number;
  /** Jobs of one group that it runs side by side: so that a slow group leaves room for the others. */
  readonly parallelInGroup?: number;
}

const SETTINGS: Record<QueueName, QueueSettings> = {
  mail: { retries: 8, expires: 60, parallel: 10 },
  custom_mail: { retries: 8, expires: 60, parallel: 16, parallelInGroup: 2 },
  text: { retries: 4, expires: 60, parallel: 8, parallelInGroup: 4 },
  import: { retries: 20, expires: 24 * 3600, heartbeat: 60, parallel: 1 },
  backchannel_logout: { retries: 10, expires: 60, parallel: 16, parallelInGroup: 4 },
  lead: { retries: 8, expires: 60, parallel: 4 },
  sign_in_failed: { retries: 8, expires: 60, parallel: 20 },
  webhook: { retries: 3, expires: 60, parallel: 16, parallelInGroup: 4 },
  cleanup: { retries: 0, expires: 300, parallel: 1 },
  'signing-keys': { retries: 0, expires: 900, parallel: 1 },
};

/** One try of a job. */
export interface Attempt {
  /** When it fails there is no other. */
  readonly isLast: boolean;
}

export interface JobOptions {
  /** Keeps one waiting job a key. */
  readonly key?: string;
  /** Seconds to wait before the first try. */
  readonly delay?: number;
  /** What the job shares its place with, on a queue that has groups. */
  readonly group?: string;
}

export interface JobQueue {
  /** Writes a job with `db`: inside a transaction it exists only if that commits. */
  enqueue<Q extends QueueName>(db: Db, queue: Q, data: Queues[Q], options?: JobOptions): Promise<void>;
  /** Runs `handler` for each job of `queue`. A throw is a try that failed. */
  work<Q extends QueueName>(queue: Q, handler: (data: Queues[Q], attempt: Attempt) => Promise<void>): Promise<void>;
  /** Puts a job on `queue` by a cron expression (UTC). */
  schedule<Q extends QueueName>(queue: Q, cron: string, data: Queues[Q]): Promise<void>;
  /** Lets running jobs finish, then stops. */
  close(): Promise<void>;
}

/** Installs the queue's own schema (`pgboss`) where it is missing, and starts it. */
export async function startJobs(database: Database, databaseUrl: string | undefined, log: Logger): Promise<JobQueue> {
  const boss = new PgBoss({
    ...(database.kind === 'embedded'
      ? { db: fromPglite(database.driver as PGlite), backend: 'pglite' as const }
      : { connectionString: databaseUrl!, max: 3 }),
    useListenNotify: true,
    registerInstance: false,
    persistQueueStats: false,
  });
  boss.on('error', errorLog(log));
  boss.on('warning', (warning) => log.debug({ warning: warning.message }, 'job queue'));
  await boss.start();
  for (const [name, settings] of Object.entries(SETTINGS)) {
    await boss.createQueue(name, {
      policy: 'standard',
      notify: true,
      retryLimit: settings.retries,
      retryBackoff: true,
      retryDelay: 2,
      retryDelayMax: 60,
      expireInSeconds: settings.expires,
      ...(settings.heartbeat && { heartbeatSeconds: settings.heartbeat }),
      deleteAfterSeconds: 24 * 3600,
    });
  }
  return {
    enqueue: async (db, queue, data, { key, delay, group } = {}) => {
      await boss.send(queue, data, {
        db: fromPrisma(db),
        ...(key && { singletonKey: key }),
        ...(delay && { startAfter: delay }),
        ...(group && { group: { id: group } }),
      });
    },
    work: async (queue, handler) => {
      const { parallel, parallelInGroup } = SETTINGS[queue];
      const options = {
        // A worker goes on without a pause only after a full batch of more than one.
        ...(parallelInGroup
          ? { batchSize: 2, localConcurrency: parallel / 2, localGroupConcurrency: parallelInGroup }
          : { batchSize: parallel }),
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 2,
        notifyPollingIntervalSeconds: 5,
        includeMetadata: true as const,
        perJobResults: true as const,
      };
      await boss.work(queue, options, (jobs: JobWithMetadata<Queues[typeof queue]>[]) =>
        Promise.all(
          jobs.map(async ({ id, data, retryCount, retryLimit }): Promise<JobResult> => {
            try {
              await handler(data, { isLast: retryCount >= retryLimit });
              return { id, status: 'completed' };
            } catch (error) {
              return { id, status: 'failed', output: { message: (error as Error).message } };
            }
          }),
        ),
      );
    },
    schedule: async (queue, cron, data) => {
      await boss.schedule(queue, cron, data);
    },
    close: () => boss.stop({ graceful: true, timeout: 10_000, close: true }),
  };
}

const QUIET_SECONDS = 60;

/** Writes an error down once a minute, with how often it was met since: while the database is away each worker meets it every few seconds. */
export function errorLog(log: Pick<Logger, 'error'>): (error: Error & { readonly code?: unknown }) => void {
  const met = new Map<unknown, number>();
  return (error) => {
    const kind = error.code ?? error.message;
    const times = met.get(kind);
    met.set(kind, (times ?? 0) + 1);
    if (times !== undefined) return;
    log.error({ err: error }, 'job queue');
    setTimeout(() => {
      const again = met.get(kind)! - 1;
      met.delete(kind);
      if (again > 0) log.error({ code: error.code, again, seconds: QUIET_SECONDS }, 'job queue, again');
    }, QUIET_SECONDS * 1000).unref();
  };
}
