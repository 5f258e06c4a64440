/**
 * The real application on a database of its own, listening on a free port: what integration and browser tests talk to.
 * One application for a file of tests; the clock runs with the system's and can be put forward.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Quickstart, QuickstartApplication } from '../../src/features/seed/service.ts';
import type { DevelopmentMail } from '../../src/mail/mailbox.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';
import { keyPairs } from './key-pairs.ts';

export interface TestApp {
  readonly app: App;
  readonly baseUrl: string;
  readonly quickstart: Quickstart;
  /** Everything the server logged, as text. */
  readonly log: () => string;
  /** The same, line by line. */
  readonly logLines: () => Record<string, unknown>[];
  /** Puts the server's clock forward. */
  advance(seconds: number): void;
  /** The seeded application of a type. */
  application(type: 'reg' | 'spa' | 'm2m' | 'device'): QuickstartApplication;
  /** The newest mail to an address, waited for. */
  mailTo(address: string, options?: { after?: number }): Promise<DevelopmentMail>;
  /** How many mails an address has. */
  mailCount(address: string): Promise<number>;
}

/** Starts the application before the first test of the calling file, and closes it after the last. */
export function startApp(environment: Record<string, string> = {}): TestApp {
  let app: App;
  let fresh: FreshDatabase;
  let dataDir: string;
  let offset = 0;
  const lines: string[] = [];
  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
    fresh = await freshDatabase();
    const port = await freePort();
    const config = loadConfig({
      PORT: String(port),
      BASE_URL: `http://localhost:${port}`,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'info',
      GRAPH_QUOTA: '1000000000',
      ...Object.fromEntries(['AUTH', 'API', 'ADMIN'].map((name) => [`RATE_LIMIT_${name}`, '999999999,999999999,999999999'])),
      ...(fresh.databaseUrl && { DATABASE_URL: fresh.databaseUrl }),
      ...environment,
    });
    app = await createApp(config, {
      database: fresh.database,
      clock: { now: () => new Date(Date.now() + offset) },
      newKeyPair: keyPairs(),
      log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    });
    await app.server.listen({ port, host: 'localhost' });
  });
  afterAll(async () => {
    await app?.close();
    await fresh?.drop();
    if (dataDir) rmSync(dataDir, { recursive: true, force: true });
  });

  const mailsTo = async (address: string) => {
    const mails = (await (
      await app.fetch(new Request(`${app.infrastructure.config.baseUrl}/dev/mailbox.json`))
    ).json()) as DevelopmentMail[];
    return mails.filter((mail) => mail.to === address);
  };
  return {
    get app() {
      return app;
    },
    get baseUrl() {
      return app.infrastructure.config.baseUrl;
    },
    get quickstart() {
      if (!app.quickstart) throw new Error('The database was not empty: nothing was seeded.');
      return app.quickstart;
    },
    log: () => lines.join(''),
    logLines: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    advance: (seconds) => {
      offset += seconds * 1000;
    },
    application(type) {
      return this.quickstart.applications.find((application) => application.type === type)!;
    },
    async mailTo(address, { after = 0 } = {}) {
      for (let tries = 0; tries < 500; tries++) {
        const mails = await mailsTo(address);
        if (mails.length > after) return mails[0]!;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`No mail came to ${address}.`);
    },
    mailCount: async (address) => (await mailsTo(address)).length,
  };
}

/** The 6-digit code of a mail. */
export function codeIn(mail: DevelopmentMail): string {
  const code = /\b\d{6}\b/.exec(mail.text)?.[0];
  if (!code) throw new Error(`No code in: ${mail.text}`);
  return code;
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, 'localhost', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
