/** What the tests of imports run on: a business with two environments of the same organizations, on the embedded database. */
import { pino } from 'pino';
import { connectEmbedded } from '../../../src/db/client.ts';
import { createPGlite } from '../../../src/db/embedded.ts';
import { startLookups } from '../../../src/db/lookups.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { createContext, type Infrastructure } from '../../../src/features/context.ts';
import { runImport } from '../../../src/features/imports/run-import.ts';
import { importUsers } from '../../../src/features/imports/service.ts';
import { startJobs } from '../../../src/jobs/queue.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import { createVault } from '../../../src/security/secrets.ts';

/** Starts with nobody in either environment; `empty()` brings that back. */
export async function startImports() {
  const database = await connectEmbedded(await createPGlite());
  await migrate(database);
  const log = pino({ level: 'silent' });
  const jobs = await startJobs(database, undefined, log);
  const vault = createVault(Buffer.alloc(32, 7));
  const lookups = await startLookups(database, log);
  const infrastructure = { database, lookups, jobs, vault, log, clock: systemClock, config: {} } as unknown as Infrastructure;
  const { prisma } = database;

  await prisma.business.create({ data: { id: 'biz', name: 'Company', region: 'eu', plan: 'free' } });
  for (const [key, isDefaultRole] of [
    ['admin', false],
    ['editor', false],
    ['member', true],
  ] as const) {
    await prisma.role.create({ data: { businessId: 'biz', id: `role_${key}`, key, name: key, isDefaultRole } });
  }
  await prisma.permission.create({ data: { businessId: 'biz', id: 'perm_read', key: 'read:reports', name: 'Read reports' } });
  for (const environmentId of ['env', 'other']) {
    await prisma.environment.create({
      data: { id: environmentId, businessId: 'biz', name: environmentId, kind: 'non_production', domain: environmentId },
    });
    for (const externalId of ['main', 'abc001', 'xyz002']) {
      const isMain = externalId === 'main';
      await prisma.organization.create({
        data: { environmentId, id: `org_${externalId}`, name: externalId, externalId, isDefault: isMain, isAutoMembershipEnabled: isMain },
      });
    }
  }

  const ctx = createContext(infrastructure, { kind: 'system', name: 'test' });
  const upload = async (csv: string, environmentId = 'env') =>
    importUsers(ctx, { environmentId, fileName: 'users.csv', content: new TextEncoder().encode(csv) });
  const keyOf = (row: { environmentId: string; id: string }) => ({ environmentId: row.environmentId, importId: row.id });
  const result = (row: { environmentId: string; id: string }) =>
    prisma.import.findUniqueOrThrow({
      where: { environmentId_id: { environmentId: row.environmentId, id: row.id } },
      include: { issues: { orderBy: [{ line: 'asc' }, { id: 'asc' }] }, chunks: { orderBy: { index: 'asc' } } },
    });
  return {
    infrastructure,
    prisma,
    ctx,
    upload,
    keyOf,
    result,
    /** Uploads and applies a file. */
    async run(csv: string, environmentId = 'env') {
      const row = await upload(csv, environmentId);
      await runImport(infrastructure, keyOf(row));
      return result(row);
    },
    /** Each user by the first email, as `abc001 admin editor +read:reports` for each membership. */
    async memberships(environmentId = 'env') {
      const users = await prisma.user.findMany({
        where: { environmentId },
        include: {
          identities: { where: { type: 'email' } },
          memberships: {
            include: { organization: true, roles: { include: { role: true } }, permissions: { include: { permission: true } } },
            orderBy: { organization: { name: 'asc' } },
          },
        },
      });
      return Object.fromEntries(
        users.map((user) => [
          user.identities[0]?.normalized ?? user.id,
          user.memberships.map(({ organization, roles, permissions }) =>
            [
              organization.name,
              ...roles.map(({ role }) => role.key).sort(),
              ...permissions.map(({ permission }) => `+${permission.key}`),
            ].join(' '),
          ),
        ]),
      );
    },
    async passwordOf(email: string) {
      const identity = await prisma.identity.findFirstOrThrow({
        where: { environmentId: 'env', normalized: email },
        include: { user: { include: { password: true } } },
      });
      return identity.user.password;
    },
    async empty() {
      await prisma.user.deleteMany();
      await prisma.import.deleteMany();
      await prisma.auditEvent.deleteMany();
    },
    async stop() {
      await jobs.close();
      await database.close();
    },
  };
}

export type Imports = Awaited<ReturnType<typeof startImports>>;
export type ImportResult = Awaited<ReturnType<Imports['result']>>;

export const NOTHING = { created: 0, updated: 0, unchanged: 0, rejected: 0, warnings: 0 };

export function counts(row: ImportResult): typeof NOTHING {
  return {
    created: row.createdUsers,
    updated: row.updatedUsers,
    unchanged: row.unchangedUsers,
    rejected: row.rejectedLines,
    warnings: row.warnings,
  };
}

/** Each issue as `2 warning role_not_found`. */
export function codes(row: ImportResult): string[] {
  return row.issues.map(({ line, severity, code }) => `${line} ${severity} ${code}`);
}
