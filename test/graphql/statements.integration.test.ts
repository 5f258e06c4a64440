import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { FEATURES } from './cases/index.ts';
import { listsOf } from './every-field.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;
/** The texts that the database was sent. */
const statements: string[] = [];

/** Rows in each list: more than the small page holds, and no more than the large one. */
const ROWS = 12;
const SMALL = 1;
const LARGE = 20;
/** Statements that say who asks: the application of the token, and the person's memberships. */
const WHO_ASKS = 2;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha', 'enterprise');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  const ctx = operator(gatehouse);
  const { businessId, ids } = world;
  const environmentId = ids.Environment;
  for (let row = 0; row < ROWS; row++)
    for (const { addRow } of FEATURES) await addRow?.({ gatehouse, ctx, name: 'alpha', businessId, environmentId, ids }, row);
  const organizations = await ctx.db.organization.findMany({ where: { environmentId } });
  const users = await ctx.db.user.findMany({ where: { environmentId } });
  await ctx.db.membership.createMany({
    data: organizations.flatMap(({ id: organizationId }) =>
      users.map(({ id: userId }) => ({ environmentId, id: newId('membership'), organizationId, userId })),
    ),
    skipDuplicates: true,
  });
  listen();
});

/** Notes what every user of the driver sends it, the job queue's polling left out. */
function listen(): void {
  const driver = gatehouse.app.infrastructure.database.driver as unknown as { query(...args: unknown[]): unknown };
  const query = driver.query.bind(driver);
  driver.query = (...args) => {
    const [statement] = args as [string | { text: string }];
    const text = typeof statement === 'string' ? statement : statement.text;
    if (!/pgboss/.test(text)) statements.push(text);
    return query(...args);
  };
}

const LISTS = Object.assign({}, ...FEATURES.map(({ lists }) => lists)) as Record<string, string>;

/** The least of several measures: what is read and kept for some seconds (keys, environments) is not the list's. */
async function leastOf(fields: string, first: number) {
  const measures = [await measure(fields, first), await measure(fields, first), await measure(fields, first)];
  return measures.reduce((least, each) => (each.statements < least.statements ? each : least));
}

/** How many statements a document takes, and how many objects it shows. */
async function measure(fields: string, first: number): Promise<{ statements: number; objects: number }> {
  const ids = { $environmentId: `"${world.ids.Environment}"`, $businessId: `"${world.businessId}"` };
  const document = `query ($first: Int!) { ${fields} }`.replaceAll(
    /\$(environmentId|businessId)/g,
    (name) => ids[name as keyof typeof ids],
  );
  statements.length = 0;
  const { data, errors } = await ask(gatehouse, token, document, { first });
  expect(errors).toEqual([]);
  return { statements: statements.length, objects: JSON.stringify(data).split('{').length };
}

test.each(Object.entries(LISTS))('%s take two statements at most, however large the page', async (_what, fields) => {
  const small = await leastOf(fields, SMALL);
  const large = await leastOf(fields, LARGE);
  expect(large.objects).toBeGreaterThan(small.objects);
  expect(large.statements).toBe(small.statements);
  expect(large.statements).toBeLessThanOrEqual(WHO_ASKS + 2);
});

const EVERY_LIST = [
  ...listsOf('Business').map(({ name, text }) => [name, `business(id: $businessId) { ${text} }`] as const),
  ...listsOf('Environment').map(({ name, text }) => [name, `environment(id: $environmentId) { ${text} }`] as const),
];

test.each(EVERY_LIST)('%s with every field of its rows takes no more statements for a larger page', async (_name, fields) => {
  const [half, whole] = [await leastOf(fields, ROWS / 2), await leastOf(fields, ROWS)];
  expect(whole.statements).toBe(half.statements);
});

const COUNTED = Object.entries(LISTS).filter(([, fields]) => fields.includes('totalCount'));

test.each(COUNTED)('%s are counted only when it is asked for', async (_what, fields) => {
  await measure(fields, SMALL);
  expect(statements.join('\n')).toMatch(/count\(/i);
  await measure(fields.replaceAll('totalCount', ''), SMALL);
  expect(statements.length).toBeGreaterThan(0);
  expect(statements.join('\n')).not.toMatch(/count\(/i);
});
