/**
 * What nearly every request asks for and hardly anything changes: environments, their keys, their applications. Answers
 * are kept until the database tells that something about the environment changed, whichever process changed it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Database } from './client.ts';

/** What answers hang on: an environment by its id, or the list of all environments. */
export type LookupScope = string;
export const ALL_ENVIRONMENTS: LookupScope = 'environments';

export interface Lookups {
  /** The answer that is kept under `key`, else `load`'s own, which is kept unless it is undefined. */
  find<Answer>(scope: LookupScope, key: string, load: () => Promise<Answer | undefined>): Promise<Answer | undefined>;
  /** Drops what is known of `scope`, or everything: the next to ask is told what the database says. */
  forget(scope?: LookupScope): void;
  close(): Promise<void>;
}

/** Triggers announce the scope of each row that is written or deleted (migration `announced_changes`). */
const CHANNEL = 'gatehouse_changes';
/** A connection that says nothing for so long is lost: then nothing is kept until there is another. */
const HEARTBEAT = 1000;
const MAX_ANSWERS = 100_000;

export async function startLookups(database: Database, log: Logger): Promise<Lookups> {
  const scopes = new Map<LookupScope, Map<string, Promise<unknown>>>();
  let answers = 0;
  let hears = false;
  const forget = (scope?: LookupScope) => {
    answers -= scope === undefined ? answers : (scopes.get(scope)?.size ?? 0);
    if (scope === undefined) scopes.clear();
    else scopes.delete(scope);
  };
  const hearing = (now: boolean) => {
    hears = now;
    forget();
  };
  const stop =
    database.kind === 'embedded'
      ? await listenEmbedded(database.driver as PGlite, forget, hearing)
      : listenPostgres(database.driver as pg.Pool, forget, hearing, log);

  return {
    find<Answer>(scope: LookupScope, key: string, load: () => Promise<Answer | undefined>) {
      const kept = scopes.get(scope)?.get(key) as Promise<Answer | undefined> | undefined;
      if (kept) return kept;
      const answer = load();
      if (!hears) return answer;
      if (answers >= MAX_ANSWERS) forget();
      const ofScope = scopes.get(scope) ?? new Map<string, Promise<unknown>>();
      scopes.set(scope, ofScope);
      ofScope.set(key, answer);
      answers++;
      const drop = () => {
        if (scopes.get(scope) === ofScope && ofScope.delete(key)) answers--;
      };
      answer.then((found) => found === undefined && drop(), drop);
      return answer;
    },
    forget,
    close: stop,
  };
}

async function listenEmbedded(pglite: PGlite, forget: (scope: string) => void, hearing: (now: boolean) => void) {
  const stop = await pglite.listen(CHANNEL, forget);
  hearing(true);
  return async () => {
    hearing(false);
    if (!pglite.closed) await stop();
  };
}

/** Listens on a connection of its own, and on a new one whenever that is lost. */
function listenPostgres(pool: pg.Pool, forget: (scope: string) => void, hearing: (now: boolean) => void, log: Logger) {
  const closing = new AbortController();
  const untilLost = async () => {
    const client = new pg.Client({ ...pool.options, application_name: CHANNEL, query_timeout: 2 * HEARTBEAT, keepAlive: true });
    const lost = new Promise<never>((_, reject) => client.on('error', reject).on('end', () => reject(new Error('The connection ended.'))));
    lost.catch(() => {});
    try {
      client.on('notification', ({ payload }) => forget(payload!));
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      hearing(true);
      for (;;) {
        await Promise.race([delay(HEARTBEAT, undefined, { signal: closing.signal }), lost]);
        await client.query('SELECT 1');
      }
    } finally {
      hearing(false);
      await client.end().catch(() => {});
    }
  };
  const listening = (async () => {
    while (!closing.signal.aborted) {
      await untilLost().catch((err: unknown) => closing.signal.aborted || log.warn({ err }, 'no word of changes from the database'));
      await delay(HEARTBEAT, undefined, { signal: closing.signal }).catch(() => {});
    }
  })();
  return async () => {
    closing.abort();
    await listening;
  };
}
