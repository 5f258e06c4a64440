import { beforeAll, describe, expect, test } from 'vitest';
import { createOrganization } from '../../src/features/organizations/service.ts';
import { createUser, refreshSearchContacts } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, tokenOf, type World } from './world.ts';

const SEARCH = graphql(`
  query Search($search: String!) {
    environment {
      users(search: $search) { totalCount nodes { id firstName } }
      organizations(search: $search) { totalCount nodes { id name } }
    }
  }
`);

const gatehouse = startApp();
let world: World;
let token: string;
let ada: string;
let acme: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
  const ctx = operator(gatehouse);
  const environmentId = world.ids.Environment;
  const input = { environmentId, email: 'countess@engines.test', firstName: 'Ada', lastName: 'de Lovelace-King', providedId: 'Legacy|77' };
  ada = (await createUser(ctx, input)).id;
  await addIdentity(environmentId, ada, 'phone', '+353861234567');
  await addIdentity(environmentId, ada, 'username', 'enchantress_1');
  acme = (await createOrganization(ctx, { environmentId, name: 'Acme & Söhne', externalId: 'CRM-0042', handle: 'acme-gmbh' })).id;
  await createUser(ctx, { environmentId, email: 'somebody@else.test', firstName: 'Cantor', lastName: 'Wade' });
});

async function addIdentity(environmentId: string, userId: string, type: string, normalized: string) {
  const { db } = operator(gatehouse);
  await db.identity.create({ data: { environmentId, id: newId('identity'), userId, type, value: normalized, normalized } });
  await refreshSearchContacts(operator(gatehouse), environmentId, userId);
}

async function found(search: string) {
  const { data, errors } = await ask(gatehouse, token, SEARCH, { search });
  expect(errors).toEqual([]);
  const { users, organizations } = data!.environment!;
  expect(users!.totalCount).toBe(users!.nodes.length);
  expect(organizations!.totalCount).toBe(organizations!.nodes.length);
  return { users: users!.nodes.map(({ id }) => id), organizations: organizations!.nodes.map(({ id }) => id) };
}

describe('a user is found', () => {
  test.each([
    ['a part of a name', 'ovelac'],
    ['both names', 'ada de lo'],
    ['the provided id', 'legacy|77'],
    ['a part of the address', 'tess@eng'],
    ['a part of the phone number', '86123'],
    ['the phone number', '+353861234567'],
    ['a part of the username', 'tress_1'],
    ['the first letters of a first name', 'AD'],
    ['the first letter of a later word of the name', 'l'],
    ['the first letters of the address', 'co'],
    ['the first letters of the username', 'en'],
    ['a text with spaces around it', '  lovelace '],
  ])('by %s', async (_what, search) => {
    expect((await found(search)).users).toEqual([ada]);
  });

  test('by its id, by how that begins, and by eight digits of it or more', async () => {
    expect((await found(ada)).users).toEqual([ada]);
    expect((await found(ada.slice(20))).users).toEqual([ada]);
    expect((await found(ada.slice(-8))).users).toEqual([ada]);
    expect((await found(ada.slice(-7))).users).toEqual([]);
    expect((await found(ada.toUpperCase())).users).toEqual([ada]);
    expect((await found(ada.slice(0, -1))).users).toContain(ada);
    expect((await found('kp_')).users).toHaveLength(3);
    expect((await found(`kp_f${ada.slice(4)}`)).users).toEqual([]);
  });

  test('by no identity that is gone', async () => {
    const environmentId = world.ids.Environment;
    const ctx = operator(gatehouse);
    await addIdentity(environmentId, ada, 'email', 'former@engines.test');
    expect((await found('former@')).users).toEqual([ada]);
    await ctx.db.identity.deleteMany({ where: { environmentId, normalized: 'former@engines.test' } });
    await refreshSearchContacts(ctx, environmentId, ada);
    expect((await found('former@')).users).toEqual([]);
    expect((await found('countess@')).users).toEqual([ada]);
  });

  test.each(['da', 'ce', '@', '+', '%', '___', '. ', 'a'.repeat(501)])('not by %j', async (search) => {
    expect(await found(search)).toEqual({ users: [], organizations: [] });
  });
});

describe('an organization is found', () => {
  test.each([
    ['a part of its name', 'me & sö'],
    ['its external id', 'crm-0042'],
    ['a part of its handle', 'me-gm'],
    ['the first letters of a word', 'sö'],
  ])('by %s', async (_what, search) => {
    expect((await found(search)).organizations).toEqual([acme]);
  });

  test('by its id, and by how that begins', async () => {
    expect((await found(acme)).organizations).toEqual([acme]);
    expect((await found('org_')).organizations).toHaveLength(3);
    expect((await found('org_')).users).toEqual([]);
  });
});

describe('among many users', () => {
  beforeAll(async () => {
    const { database } = gatehouse.app.infrastructure;
    await database.script(`
      INSERT INTO users (environment_id, id, first_name, last_name, search_contacts)
      SELECT '${world.ids.Environment}', 'kp_' || md5(n::text), 'Maria' || n, 'Muster' || n % 97, ' maria' || n || '@many.test' FROM generate_series(1, 30000) n`);
    await database.script('VACUUM ANALYZE users');
  });

  test.each(['maria777@', 'maria12345', 'nobody at all', 'zq'])('the one for %j reads the trigram index, and no list', async (search) => {
    const plan = await planOf(() => found(search));
    expect(plan).toContain('users_search');
    expect(plan).not.toMatch(/Seq Scan on users|users_environment_id_created_at_id_idx/);
  });

  test('one that nearly all match reads the list in its order, no further than its page', async () => {
    const plan = await planOf(() => ask(gatehouse, token, '{ environment { users(search: "maria") { nodes { id } } } }'));
    expect(plan).toContain('users_environment_id_created_at_id_idx');
    expect(plan).not.toMatch(/Seq Scan on users|users_search/);
  });
});

/** How the database runs the statement that reads users. */
async function planOf(run: () => Promise<unknown>): Promise<string> {
  const { database } = gatehouse.app.infrastructure;
  const driver = database.driver as unknown as { query(...args: unknown[]): Promise<{ rows: object[] }> };
  const query = driver.query.bind(driver);
  const sent: [text: string, values: unknown[]][] = [];
  driver.query = (...args) => {
    const [statement, values] = args as [string | { text: string; values: unknown[] }, unknown[]];
    sent.push(typeof statement === 'string' ? [statement, values] : [statement.text, statement.values ?? values]);
    return query(...args);
  };
  try {
    await run();
  } finally {
    driver.query = query;
  }
  const [text, values] = sent.find(([statement]) => statement.includes('"users"') && statement.includes('search_text'))!;
  const { rows } = await query(`EXPLAIN ${text}`, values);
  return rows.map((row) => Object.values(row)[0]).join('\n');
}
