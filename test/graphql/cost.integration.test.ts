import { beforeAll, describe, expect, test } from 'vitest';
import { MAX_COST } from '../../src/graphql/cost.ts';
import { MAX_ANONYMOUS_LENGTH } from '../../src/graphql/limits.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { makeWorld, operator, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
});

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly cost: { readonly requested: number; readonly maximum: number } };
}

async function send(document: string, variables?: object, bearer: string | undefined = token): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const body = JSON.stringify({ query: document, variables });
  return (await fetch(gatehouse.quickstart.graphqlUrl, { method: 'POST', headers, body })).json() as Promise<Answer>;
}

async function costOf(document: string, variables?: object): Promise<number | undefined> {
  const { errors, extensions } = await send(document, variables);
  expect(errors ?? []).toEqual([]);
  return extensions?.cost.requested;
}

const users = (args: string, inner: string) => `{ environment { users${args} { nodes { ${inner} } } } }`;

describe('what is counted', () => {
  test.each([
    ['a page of one', users('(first: 1)', 'id'), 1],
    ['a page of a hundred costs a hundred times as much', users('(first: 100)', 'id'), 100],
    ['a page from the end', users('(last: 7)', 'id'), 7],
    ['a page of no said size', users('', 'id'), 20],
    ['a page whose size is null', users('(first: null)', 'id'), 20],
    ['a page of nothing is an operation still', users('(first: 0)', 'id'), 1],
    ['however many scalars and single objects', users('(first: 3)', 'id firstName lastName email createdAt'), 3],
    ['single objects alone', '{ viewer { kind application { id name } } environment { id business { id name } } }', 1],
    ['by edges', '{ environment { users(first: 5) { edges { cursor node { id } } pageInfo { endCursor } } } }', 5],
    ['by edges and by nodes', '{ environment { users(first: 5) { edges { node { id } } nodes { id } } } }', 5],
    ['a count costs 10, once a list', '{ environment { users(first: 5) { totalCount nodes { id } } } }', 15],
    ['pages in pages multiply', users('(first: 4)', 'memberships(first: 3) { nodes { id } }'), 4 * (1 + 3)],
    [
      'counts in pages too',
      users('(first: 4)', 'memberships(first: 3) { totalCount nodes { organization { members(first: 2) { nodes { id } } } } }'),
      4 * (1 + 10 + 3 * (1 + 2)),
    ],
    ['a list without pages is taken for five rows', users('(first: 2)', 'identities { value }'), 2 * (1 + 5)],
    [
      'lists in lists multiply',
      users('(first: 1)', 'memberships(first: 1) { nodes { roles { permissions { key } } } }'),
      1 + 1 + 5 * (1 + 5),
    ],
    ['under whatever name', '{ environment { a: users(first: 2) { nodes { id } } b: users(first: 2) { nodes { id } } } }', 4],
    ['a fragment wherever it is spread', `{ environment { ...A ...A } } fragment A on Environment { users(first: 2) { nodes { id } } }`, 4],
    [
      'a fragment on the page itself',
      `{ environment { users(first: 6) { ...A } } } fragment A on EnvironmentUsersConnection { totalCount nodes { ... on User { id } } }`,
      16,
    ],
    ['what is behind a type that a node may have', '{ node(id: "x") { ... on Environment { users(first: 9) { nodes { id } } } } }', 9],
    ['questions about the schema', '{ __schema { queryType { name } } __type(name: "User") { name } viewer { __typename } }', 20],
    ['a mutation', 'mutation { createOrganization(input: { name: "" }) { errors { code message path } } }', 10],
    [
      'what is read after a mutation',
      'mutation { createOrganization(input: { name: "" }) { organization { members(first: 8) { nodes { id } } } } }',
      18,
    ],
    [
      'a mutation of many, and what is read after each',
      `mutation { createOrganizations(input: { items: [{ name: "" }, { name: "" }, { name: "" }] }) {
         results { organization { members(first: 8) { nodes { id } } } errors { message } } errors { message } } }`,
      3 * (10 + 8),
    ],
  ])('%s', async (_what, document, cost) => {
    expect(await costOf(document)).toBe(cost);
  });

  test('with the variables that it is sent with, and not what they leave out', async () => {
    const document = `query ($first: Int = 30, $all: Boolean!) {
      environment { users(first: $first) { nodes { id memberships(first: 2) @include(if: $all) { nodes { id } } } } organizations @skip(if: $all) { nodes { id } } } }`;
    expect(await costOf(document, { all: false })).toBe(30 + 20);
    expect(await costOf(document, { all: true, first: 3 })).toBe(3 * (1 + 2));
    expect(await costOf(document, { all: false, first: null })).toBe(20 + 20);
  });
});

describe('what is told', () => {
  test('in every answer to a known caller, done or refused', async () => {
    const cost = (requested: number) => ({ cost: { requested, maximum: MAX_COST } });
    expect(
      await send(users('(first: 100)', 'memberships(first: 100) { nodes { organization { members(first: 2) { nodes { id } } } } }')),
    ).toMatchObject({
      errors: [{ extensions: { code: 'QUERY_TOO_COMPLEX' } }],
      extensions: cost(100 * (1 + 100 * (1 + 2))),
    });
    for (const document of ['{ viewer {', '{ shoes }', users('(first: 101)', 'id')])
      expect(await send(document)).toMatchObject({
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
        extensions: { cost: { maximum: MAX_COST } },
      });
    expect(await send('{ viewer { kind } business { id } }')).toMatchObject({ extensions: cost(1) });
  });

  test('before anything runs, to who asks what an operation would cost', async () => {
    const explain = 'query ($document: String!, $variables: JSON) { explainAccess(document: $document, variables: $variables) { cost } }';
    const document = `query ($first: Int!) ${users('(first: $first)', 'memberships(first: 3) { nodes { id } }')}`;
    const explained = async (text: string, variables?: object) => (await send(explain, { document: text, variables })).data;
    expect(await explained(document, { first: 50 })).toEqual({ explainAccess: { cost: await costOf(document, { first: 50 }) } });
    expect(await explained(document)).toEqual({ explainAccess: { cost: null } });
    expect(await explained(document, { first: 'many' })).toEqual({ explainAccess: { cost: null } });
    const doubling = `{ environment { ...F0 } } ${Array.from({ length: 60 }, (_, at) => `fragment F${at} on Environment { ...F${at + 1} ...F${at + 1} }`).join(' ')} fragment F60 on Environment { users { nodes { id } } }`;
    expect(await explained(doubling)).toEqual({ explainAccess: { cost: 2 ** 31 - 1 } });
  });

  test('to nobody else', async () => {
    expect(await send('{ viewer { kind } }', {}, '')).toEqual({
      data: { viewer: null },
      errors: [expect.objectContaining({ path: ['viewer'] })],
    });
  });
});

test('a long document is read from known callers only', async () => {
  const long = (length: number) => '{ viewer { kind } } #'.padEnd(length, 'x');
  expect((await send(long(MAX_ANONYMOUS_LENGTH), {}, '')).errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect((await send(long(MAX_ANONYMOUS_LENGTH + 1), {}, '')).errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
  expect((await send(long(MAX_ANONYMOUS_LENGTH + 1))).errors).toBeUndefined();
});

test('a document that is laid out to be slow to compare is refused for it', async () => {
  const { errors } = await send(`{ viewer { ${'scopes '.repeat(3900)} } }`);
  expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }]);
});

test('what few rows hold is not more than there is memory for', { timeout: 60_000 }, async () => {
  const { db } = operator(gatehouse);
  const { businessId } = world;
  const environmentId = world.ids.Environment;
  const definitions = Array.from({ length: 50 }, (_, at) => {
    const property = { businessId, id: newId('property'), key: `long.${at}`, name: 'Long', type: 'single_line_text' };
    return { ...property, context: 'user', isPrivate: true };
  });
  await db.property.createMany({ data: definitions });
  const people = Array.from({ length: 100 }, () => ({ environmentId, id: newId('user'), searchContacts: '' }));
  await db.user.createMany({ data: people });
  const value = 'x'.repeat(2000);
  for (const { id: propertyId } of definitions)
    await db.userPropertyValue.createMany({
      data: people.map(({ id: userId }) => ({ environmentId, userId, businessId, propertyId, value })),
    });

  const page = (size: number) => `users(last: ${size}) { nodes { properties { value } } }`;
  const pages = (size: (at: number) => number) => Array.from({ length: 8 }, (_, at) => `page${at}: ${page(size(at))}`).join(' ');
  const one = await send(`{ environment { ${page(100)} } }`);
  expect(one.errors).toBeUndefined();
  expect(JSON.stringify(one.data).length).toBeGreaterThan(9_000_000);
  // Read eight times, and read once for eight names.
  for (const size of [(at: number) => 100 - at, () => 100]) {
    const { errors, data } = await send(`{ environment { ${pages(size)} } }`);
    expect(new Set(errors!.map(({ extensions: { code } }) => code))).toEqual(new Set(['QUERY_TOO_COMPLEX']));
    expect(JSON.stringify(data ?? null).length).toBeLessThan(64 * 1024 * 1024);
  }
});
