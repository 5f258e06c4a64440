/** Transactions that come in each other's way, and long ones: each is done in the end. The embedded database runs one at a time. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deleteBusiness } from '../../src/features/businesses/service.ts';
import { type Context, createContext, inTransaction } from '../../src/features/context.ts';
import { createEnvironmentRow, deleteEnvironment } from '../../src/features/environments/service.ts';
import { importUsers } from '../../src/features/imports/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { makeWorld, signInMember } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { ask } from '../helpers/graph.ts';
import { waitFor } from '../helpers/receiver.ts';

const gatehouse = startApp();
let ctx: Context;

beforeAll(async () => {
  ctx = createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
  for (const id of ['one', 'two']) await create(ctx, id);
});

const create = (tx: Context, id: string) => tx.db.business.create({ data: { id, name: id, region: 'eu', plan: 'free' } });

type Steps = [first: (tx: Context) => Promise<unknown>, second: (tx: Context) => Promise<unknown>];

/** Runs two transactions, each of which begins with its first step before either goes on to its second. */
async function beside(...steps: Steps[]) {
  let runs = 0;
  const all = Promise.withResolvers<void>();
  await Promise.all(
    steps.map(([first, second]) =>
      inTransaction(ctx, async (tx) => {
        await first(tx);
        if (++runs === steps.length) all.resolve();
        await all.promise;
        await second(tx);
      }),
    ),
  );
  return runs;
}

if (databaseKind === 'postgres')
  describe('of two transactions, one is run again', () => {
    test.each<[how: string, take: (tx: Context, id: string) => Promise<unknown>]>([
      ['lock', (tx, id) => tx.db.$queryRaw`SELECT id FROM businesses WHERE id = ${id} FOR NO KEY UPDATE`],
      ['update', (tx, id) => tx.db.business.update({ where: { id }, data: { name: 'Touched' } })],
      ['update by SQL', (tx, id) => tx.db.$executeRaw`UPDATE businesses SET name = 'Written' WHERE id = ${id}`],
    ])('that %s the same rows in opposite orders', async (_how, take) => {
      const inOrder = (first: string, second: string): Steps => [(tx) => take(tx, first), (tx) => take(tx, second)];
      expect(await beside(inOrder('one', 'two'), inOrder('two', 'one'))).toBe(3);
    });

    test.each<[how: string, create: (tx: Context, id: string) => Promise<unknown>]>([
      ['create', create],
      [
        'create by SQL',
        (tx, id) =>
          tx.db.$executeRaw`INSERT INTO businesses (id, name, region, plan, updated_at) VALUES (${id}, 'SQL', 'eu', 'free', now())`,
      ],
    ])('that %s what neither found', async (how, make) => {
      const id = `new-${how}`;
      let made = 0;
      const once = (): Steps => {
        let found: object | null;
        return [
          async (tx) => (found = await tx.db.business.findUnique({ where: { id } })),
          async (tx) => {
            if (found) return;
            await make(tx, id);
            made++;
          },
        ];
      };
      expect(await beside(once(), once())).toBe(3);
      expect(made).toBe(1);
    });
  });

const people = (count: number) =>
  new TextEncoder().encode(`email\n${Array.from({ length: count }, (_, at) => `person${at}@people.test\n`).join('')}`);

test.each(['environment', 'business'] as const)('the %s of users that are being imported can be deleted at any moment', async (what) => {
  const { prisma } = ctx.database;
  for (let round = 0; round < 3; round++) {
    const business = await create(ctx, newId('business'));
    const environment = await inTransaction(ctx, (tx) =>
      createEnvironmentRow(tx, {
        businessId: business.id,
        name: 'Test',
        domain: business.id,
        kind: 'non_production',
        organizationName: 'Test',
      }),
    );
    await importUsers(ctx, { environmentId: environment.id, fileName: 'people.csv', content: people(5000) });
    await waitFor(async () => ((await prisma.user.count({ where: { environmentId: environment.id } })) > round * 1000 ? true : undefined));
    if (what === 'environment') await deleteEnvironment(ctx, { environmentId: environment.id, confirmation: 'Test' });
    else await deleteBusiness(ctx, { businessId: business.id, confirmation: business.name });
    expect(await prisma.environment.count({ where: { id: environment.id } })).toBe(0);
  }
  expect(gatehouse.log()).not.toContain('deadlock');
});

if (databaseKind === 'postgres')
  test('who deletes an environment of very many users is given the time', async () => {
    const { ids, businessId } = await makeWorld(gatehouse, 'large');
    const owner = await signInMember(gatehouse, businessId, 'owner@large.test', ['owner']);
    const { prisma } = ctx.database;
    await prisma.environment.update({ where: { id: ids.Environment }, data: { name: 'Large', kind: 'non_production' } });
    await prisma.$executeRaw`CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(31); RETURN OLD; END'`;
    await prisma.$executeRaw`CREATE TRIGGER takes_long BEFORE DELETE ON environments FOR EACH ROW EXECUTE FUNCTION take_long()`;
    const answer = await ask<{ deleteEnvironment: object }, object>(
      gatehouse,
      owner,
      `mutation { deleteEnvironment(input: { environmentId: "${ids.Environment}", confirmation: "Large" }) { deletedId errors { code } } }`,
    );
    expect(answer).toMatchObject({ data: { deleteEnvironment: { deletedId: ids.Environment, errors: [] } }, errors: [] });
  });
