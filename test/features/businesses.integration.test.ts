import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openInfrastructure } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { createBusiness } from '../../src/features/businesses/service.ts';
import { type Context, createContext, type Infrastructure } from '../../src/features/context.ts';
import { accountEnvironment } from '../../src/features/environments/service.ts';
import { ensureAccountEnvironment } from '../../src/features/seed/service.ts';
import { createUserRow } from '../../src/features/users/service.ts';
import { freshDatabase } from '../helpers/database.ts';

/** An installation without any business, as production starts. */
let infrastructure: Infrastructure;
let person: Context;
let close: () => Promise<void>;

beforeEach(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  const fresh = await freshDatabase();
  const config = loadConfig({ DATA_DIR: dataDir, ...(fresh.databaseUrl && { DATABASE_URL: fresh.databaseUrl }) });
  const opened = await openInfrastructure(config, { database: fresh.database, log: pino({ level: 'silent' }) });
  infrastructure = opened.infrastructure;
  close = async () => {
    await opened.close();
    await fresh.drop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  await ensureAccountEnvironment(infrastructure);
  const system = createContext(infrastructure, { kind: 'system', name: 'test' });
  const account = await accountEnvironment(system);
  const scope = { environmentId: account.id, businessId: account.businessId };
  const { id: userId } = await createUserRow(system, scope, { email: 'founder@team.test', isEmailVerified: true });
  const actor = { kind: 'team', userId, accountEnvironmentId: account.id, businesses: new Map(), environments: new Map() } as const;
  person = createContext(infrastructure, actor);
});

afterEach(() => close());

const primaries = () => infrastructure.database.prisma.environment.findMany({ where: { isPrimary: true } });
const domainOf = async (businessId: string) =>
  (await infrastructure.database.prisma.environment.findFirstOrThrow({ where: { businessId } })).domain;

test('the first business has the base URL for its issuer, and no later one', async () => {
  const first = await createBusiness(person, { name: 'First', region: 'ie' });
  await createBusiness(person, { name: 'Second', region: 'ie' });
  expect(await primaries()).toMatchObject([{ businessId: first.id, kind: 'production', domain: 'first' }]);
});

test('of several first businesses at the same moment, one has the base URL', async () => {
  await Promise.all(Array.from({ length: 4 }, (_, rival) => createBusiness(person, { name: `Rival ${rival}`, region: 'ie' })));
  expect(await primaries()).toHaveLength(1);
  expect(await infrastructure.database.prisma.teamMember.count({ where: { roles: { has: 'owner' } } })).toBe(4);
});

test.each([
  ['Acme & Sons, Ltd.', 'acme-sons-ltd'],
  ['Müller & Zoë', 'muller-zoe'],
  ['アクメ', 'business'],
  ['Account', 'account-2'],
  [`${'x'.repeat(39)} and more`, 'x'.repeat(39)],
])('the domain of %s is %s', async (name, domain) => {
  const { id } = await createBusiness(person, { name, region: 'ie' });
  expect(await domainOf(id)).toBe(domain);
});
