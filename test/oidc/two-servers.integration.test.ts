/** Two servers over one database, each with its own memory: what one changes holds at the other within two seconds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { connectPostgres } from '../../src/db/client.ts';
import { rotateApplicationSecret } from '../../src/features/applications/secrets/service.ts';
import { createApplication, deleteApplication } from '../../src/features/applications/service.ts';
import { replaceCallbackUrls } from '../../src/features/applications/urls/service.ts';
import { createContext } from '../../src/features/context.ts';
import { createEnvironment, deleteEnvironment } from '../../src/features/environments/service.ts';
import { startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';

const gatehouse = startApp();
const WITHIN = { timeout: 2000, interval: 20 };

let other: App;
let dataDir: string;
beforeAll(async () => {
  const { config, database } = gatehouse.app.infrastructure;
  dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-other-'));
  const shared = databaseKind === 'postgres' ? connectPostgres(config.databaseUrl!) : { ...database, close: async () => {} };
  other = await createApp({ ...config, dataDir }, { database: shared, log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await other?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const operator = () => createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });

async function make(type: 'm2m' | 'reg') {
  const environment = await operator().db.environment.findFirstOrThrow({ where: { isPrimary: true } });
  const { application, clientSecret } = await createApplication(operator(), { environmentId: environment.id, type, name: 'Watched' });
  return { id: application.id, clientId: application.id.slice('app_'.length), clientSecret: clientSecret! };
}

/** What the other server says to a client that authenticates at its token endpoint. */
async function errorFor({ clientId, clientSecret }: { clientId: string; clientSecret: string | undefined }): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret! });
  const answer = await other.fetch(new Request(`${gatehouse.baseUrl}/oauth2/token`, { method: 'POST', body: form }));
  return ((await answer.json()) as { error: string }).error;
}

const AUTHENTICATED = 'invalid_request'; // It asked for no audience.

describe('within two seconds the other server', () => {
  test('refuses a secret that was rotated, and takes the new one', async () => {
    const machine = await make('m2m');
    expect(await errorFor(machine)).toBe(AUTHENTICATED);
    const { clientSecret } = await rotateApplicationSecret(operator(), { applicationId: machine.id });
    await expect.poll(() => errorFor(machine), WITHIN).toBe('invalid_client');
    expect(await errorFor({ ...machine, clientSecret })).toBe(AUTHENTICATED);
  });

  test('knows no application that was deleted', async () => {
    const machine = await make('m2m');
    expect(await errorFor(machine)).toBe(AUTHENTICATED);
    await deleteApplication(operator(), { applicationId: machine.id });
    await expect.poll(() => errorFor(machine), WITHIN).toBe('invalid_client');
  });

  test('redirects to no callback URL that was taken away', async () => {
    const { id, clientId } = await make('reg');
    const redirectUri = 'https://watched.test/callback';
    const { url } = authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri });
    const status = async () => (await other.fetch(new Request(url))).status;
    await replaceCallbackUrls(operator(), { applicationId: id, urls: [redirectUri] });
    await expect.poll(status, WITHIN).toBe(302);
    await replaceCallbackUrls(operator(), { applicationId: id, urls: ['https://elsewhere.test/callback'] });
    await expect.poll(status, WITHIN).toBe(400);
  });

  test('is the issuer of no environment that was deleted', async () => {
    const { businessId } = await operator().db.environment.findFirstOrThrow({ where: { isPrimary: true } });
    const { id } = await createEnvironment(operator(), { businessId, name: 'Passing', domain: 'passing' });
    const status = async () => (await other.fetch(new Request(`${gatehouse.baseUrl}/e/passing/.well-known/openid-configuration`))).status;
    await expect.poll(status, WITHIN).toBe(200);
    await deleteEnvironment(operator(), { environmentId: id, confirmation: 'Passing' });
    await expect.poll(status, WITHIN).toBe(404);
  });

  if (databaseKind === 'postgres')
    test('refuses a rotated secret also when it lost its connection for such news just before', async () => {
      const machine = await make('m2m');
      expect(await errorFor(machine)).toBe(AUTHENTICATED);
      await operator().db
        .$queryRaw`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse_changes'`;
      await rotateApplicationSecret(operator(), { applicationId: machine.id });
      await expect.poll(() => errorFor(machine), WITHIN).toBe('invalid_client');
    });
});
