/** Planned reads answer as Prisma does: the same query goes both ways, on rows with ties, nulls and odd characters. */
import type { PGlite } from '@electric-sql/pglite';
import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countEach, type Database, findManyEach, Prisma } from '../../src/db/client.ts';
import { PrismaClient } from '../../src/db/generated/client/client.ts';
import { type Model, readModels } from '../../src/db/reads/datamodel.ts';
import { newId } from '../../src/kernel/ids.ts';
import { databaseKind, type FreshDatabase, freshDatabase } from '../helpers/database.ts';
import { JOINING, NAMES, queryMaker, randomNumbers, WITH_ROWS } from './random-queries.ts';

let fresh: FreshDatabase;
let database: Database;
let prisma: PrismaClient;
let models: ReadonlyMap<string, Model>;
/** What was sent by planned reads. */
const planned: string[] = [];

beforeAll(async () => {
  fresh = await freshDatabase();
  ({ database } = fresh);
  const driver = database.driver;
  prisma = new PrismaClient({
    adapter: databaseKind === 'embedded' ? new PrismaPGlite(driver as PGlite) : new PrismaPg(driver as pg.Pool),
  });
  models = readModels(prisma);
  await fill();
  listen(driver as unknown as { query(...args: unknown[]): unknown });
});
afterAll(async () => {
  await prisma.$disconnect();
  await fresh.drop();
});

/** Prisma sends nothing that begins so. */
function listen(driver: { query(...args: unknown[]): unknown }): void {
  const query = driver.query.bind(driver);
  driver.query = (...args) => {
    const [statement] = args as [string | { text: string }];
    const text = typeof statement === 'string' ? statement : statement.text;
    if (text.startsWith('SELECT (SELECT coalesce(json_agg(')) planned.push(text);
    return query(...args);
  };
}

/** Two environments of one business, and one of another, with rows in all that people, organizations and roles consist of. */
async function fill(): Promise<void> {
  const random = randomNumbers(7);
  const some = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const when = () => new Date(Date.UTC(2026, 0, 1) + Math.floor(random() * 4) * 1001);
  for (const [number, environments] of [2, 1].entries()) {
    const business = await prisma.business.create({
      data: { id: newId('business'), name: `B${number}`, region: 'ie', plan: 'scale', createdAt: when(), updatedAt: when() },
    });
    const businessId = business.id;
    const roles = Array.from({ length: 5 }, (_, index) => ({
      businessId,
      id: newId('role'),
      key: `role-${(index * 3) % 5}`,
      name: some(NAMES),
      description: some([null, 'What it is for']),
      createdAt: when(),
      updatedAt: when(),
    }));
    const permissions = Array.from({ length: 4 }, (_, index) => ({
      businessId,
      id: newId('permission'),
      key: `p:${index}`,
      name: some(NAMES),
      createdAt: when(),
      updatedAt: when(),
    }));
    await prisma.role.createMany({ data: roles });
    await prisma.permission.createMany({ data: permissions });
    await prisma.rolePermission.createMany({
      data: roles.flatMap(({ id: roleId }) =>
        permissions.filter(() => random() < 0.5).map(({ id: permissionId }) => ({ businessId, roleId, permissionId })),
      ),
    });
    for (let index = 0; index < environments; index++) {
      const environment = { id: newId('environment'), businessId, name: `E${index}`, kind: index ? 'non_production' : 'production' };
      await prisma.environment.create({ data: { ...environment, domain: `d-${number}-${index}`, createdAt: when(), updatedAt: when() } });
      await fillEnvironment(environment.id, businessId, roles, permissions, random, some, when);
    }
  }
}

async function fillEnvironment(
  environmentId: string,
  businessId: string,
  roles: readonly { id: string }[],
  permissions: readonly { id: string }[],
  random: () => number,
  some: <T>(values: readonly T[]) => T,
  when: () => Date,
): Promise<void> {
  const users = Array.from({ length: 25 }, (_, index) => ({
    environmentId,
    id: newId('user'),
    firstName: some([null, ...NAMES]),
    lastName: some([null, ...NAMES]),
    providedId: some([null, `provided-${index}`]),
    isSuspended: random() < 0.3,
    totalSignIns: Math.floor(random() * 5),
    lastSignedInAt: some([null, when()]),
    createdAt: when(),
    updatedAt: when(),
  }));
  const organizations = Array.from({ length: 6 }, () => ({
    environmentId,
    id: newId('organization'),
    name: some(NAMES),
    createdAt: when(),
    updatedAt: when(),
  }));
  await prisma.user.createMany({ data: users });
  await prisma.organization.createMany({ data: organizations });
  await prisma.identity.createMany({
    data: users.flatMap(({ id: userId }, index) =>
      ['email', 'phone', 'username'].slice(0, index % 4).map((type) => {
        const value = `${some(NAMES)}${index}@${type}.test`;
        return {
          environmentId,
          id: newId('identity'),
          userId,
          type,
          value,
          normalized: value.toLowerCase(),
          isPrimary: true,
          createdAt: when(),
        };
      }),
    ),
  });
  const memberships = users.flatMap(({ id: userId }) =>
    organizations
      .filter(() => random() < 0.4)
      .map(({ id: organizationId }) => ({ environmentId, id: newId('membership'), userId, organizationId, createdAt: when() })),
  );
  await prisma.membership.createMany({ data: memberships });
  const held = memberships.flatMap(({ id: membershipId }) =>
    roles.filter(() => random() < 0.4).map(({ id }) => ({ environmentId, businessId, membershipId, roleId: id })),
  );
  await prisma.membershipRole.createMany({ data: held });
  await prisma.membershipPermission.createMany({
    data: memberships
      .slice(0, 9)
      .map(({ id: membershipId }) => ({ environmentId, businessId, membershipId, permissionId: some(permissions).id })),
  });
  await prisma.application.create({
    data: {
      environmentId,
      id: newId('application'),
      name: 'App',
      type: 'reg',
      callbackUrls: ['https://a.test/"x"', ''],
      logoutUrls: [],
      createdAt: when(),
      updatedAt: when(),
    },
  });
  await prisma.auditEvent.create({
    data: {
      businessId,
      id: newId('auditEvent'),
      environmentId,
      at: when(),
      action: 'x',
      actorKind: 'system',
      actorId: 'x',
      details: { a: [1, null, 'é'] },
    },
  });
}

interface Delegate {
  findMany(query?: object): Promise<Record<string, unknown>[]>;
  findFirst(query?: object): Promise<Record<string, unknown> | null>;
  count(query: { where?: object | undefined }): Promise<number>;
}
const onlyWhere = ({ where }: { where?: object }) => ({ where });
const delegateOf = (client: PrismaClient, model: string) => Reflect.get(client, model[0]!.toLowerCase() + model.slice(1)) as Delegate;

test.each(WITH_ROWS)('%s: forty queries at random have the answers that Prisma gives', async (name) => {
  const model = models.get(name)!;
  const rows = new Map<string, Record<string, unknown>[]>();
  for (const each of [...WITH_ROWS, ...JOINING]) rows.set(each, await delegateOf(prisma, each).findMany());
  const { query } = queryMaker(name.length * 31 + name.charCodeAt(0), models, rows);
  const answers = new Map<object, unknown[]>();
  for (let number = 0; number < 40; number++) {
    const asked = query(model);
    planned.length = 0;
    const ours = await delegateOf(database.prisma, name).findMany(asked);
    expect(planned, JSON.stringify(asked)).toHaveLength(1);
    expect(ours, JSON.stringify(asked, null, 1)).toEqual(await delegateOf(prisma, name).findMany(asked));
    const { take: _take, cursor: _cursor, ...first } = asked as { take?: number; cursor?: object };
    expect(await delegateOf(database.prisma, name).findFirst(first)).toEqual(await delegateOf(prisma, name).findFirst(first));
    answers.set(asked, ours);
  }
  expect([...answers.values()].flat().length).toBeGreaterThan(20);
  expect(await findManyEach(delegateOf(database.prisma, name), [...answers.keys()])).toEqual(answers);
  for (const [{ where }, number] of await countEach(delegateOf(database.prisma, name), [...answers.keys()].map(onlyWhere)))
    expect(number, JSON.stringify(where)).toBe(await delegateOf(prisma, name).count({ where }));
});

test.each<[string, object]>([
  ['distinct', { distinct: ['firstName'], orderBy: [{ firstName: 'asc' }] }],
  ['a negation', { where: { NOT: { isSuspended: true } }, orderBy: { id: 'asc' } }],
  ['a list of all', { where: { identities: { every: { isPrimary: true } } }, orderBy: { id: 'asc' } }],
  ['an order with nulls first', { orderBy: [{ firstName: { sort: 'asc', nulls: 'first' } }, { id: 'asc' }] }],
])('%s is left to Prisma', async (_what, query) => {
  planned.length = 0;
  const ours = await delegateOf(database.prisma, 'User').findMany(query);
  expect(planned).toEqual([]);
  expect(ours).toEqual(await delegateOf(prisma, 'User').findMany(query));
  expect(ours.length).toBeGreaterThan(0);
});

test('a query that Prisma refuses is refused', async () => {
  await expect(delegateOf(database.prisma, 'User').findMany({ where: { noSuchField: 1 } })).rejects.toBeInstanceOf(
    Prisma.PrismaClientValidationError,
  );
  await expect(delegateOf(database.prisma, 'User').findMany({ select: { id: true, password: { select: {} } } })).rejects.toThrow();
});

test('values are parameters: no text of a caller is ever part of a statement', async () => {
  planned.length = 0;
  const evil = `x'"\\; DROP TABLE users; --`;
  for (const contains of [evil, '%']) await database.prisma.user.findMany({ where: { firstName: { contains } }, select: { id: true } });
  expect(planned).toHaveLength(2);
  expect(planned[0]).toBe(planned[1]);
  expect(planned.join()).not.toContain('DROP');
});

test('a transaction reads by its own connection, what it has written included', async () => {
  planned.length = 0;
  const names = await database.prisma.$transaction(async (tx) => {
    const business = await tx.business.create({ data: { id: newId('business'), name: 'Unseen', region: 'ie', plan: 'free' } });
    return tx.business.findMany({ where: { id: business.id }, select: { name: true } });
  });
  expect(names).toEqual([{ name: 'Unseen' }]);
  expect(planned).toEqual([]);
});

test('the columns and relations that statements are made of are those of the database', async () => {
  const columns = await database.query<{ of: string; type: string }>(
    'columns',
    `SELECT format('%I.%I', table_name, column_name) AS of, udt_name::text AS type FROM information_schema.columns WHERE table_schema = 'public'`,
    [],
  );
  const types = new Map(columns.map(({ of, type }) => [of.replaceAll('"', ''), type]));
  const udt: Record<string, string> = {
    String: 'text',
    Int: 'int4',
    BigInt: 'int8',
    Boolean: 'bool',
    DateTime: 'timestamptz',
    Json: 'jsonb',
    Bytes: 'bytea',
  };
  const plain = (name: string) => name.replaceAll('"', '');
  for (const { table, columns: ofModel } of models.values())
    for (const { name, type, isList } of ofModel.values())
      expect(types.get(plain(`${table}.${name}`)), `${table}.${name}`).toBe(`${isList ? '_' : ''}${udt[type] ?? type}`);

  const foreign = await database.query<{ pairs: string }>(
    'foreign-keys',
    `SELECT string_agg(format('%s.%s=%s.%s', c.conrelid::regclass, a.attname, c.confrelid::regclass, f.attname), ' ' ORDER BY k.n) AS pairs
       FROM pg_constraint c, unnest(c.conkey, c.confkey) WITH ORDINALITY k(here, there, n), pg_attribute a, pg_attribute f
      WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
        AND a.attrelid = c.conrelid AND a.attnum = k.here AND f.attrelid = c.confrelid AND f.attnum = k.there GROUP BY c.oid`,
    [],
  );
  const known = new Set(foreign.map(({ pairs }) => pairs));
  const unknown = [...models.values()].flatMap(({ table, relations }) =>
    [...relations.values()].filter(({ target, on }) => {
      const there = models.get(target)!.table;
      const forward = on.map((pair) => plain(`${table}.${pair.here}=${there}.${pair.there}`)).join(' ');
      const back = on.map((pair) => plain(`${there}.${pair.there}=${table}.${pair.here}`)).join(' ');
      return !known.has(forward) && !known.has(back);
    }),
  );
  expect(unknown).toEqual([]);
});
