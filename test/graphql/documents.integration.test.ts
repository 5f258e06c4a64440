import { beforeAll, describe, expect, test } from 'vitest';
import { MAX_COST } from '../../src/graphql/cost.ts';
import { ERROR_CODES } from '../../src/graphql/errors.ts';
import { MAX_ALIASES, MAX_DEPTH, MAX_DIRECTIVES, MAX_ROOT_FIELDS, MAX_TOKENS } from '../../src/graphql/limits.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import type { GraphError } from '../helpers/graph.ts';
import { makeWorld, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
});

interface Reply {
  readonly status: number;
  readonly data: unknown;
  readonly errors: readonly (GraphError & { locations?: unknown })[];
}

/** Sends a request as it is, and holds every error to what all errors promise. */
async function send(init: RequestInit, query = ''): Promise<Reply> {
  const response = await fetch(gatehouse.quickstart.graphqlUrl + query, {
    method: 'POST',
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
  });
  const text = await response.text();
  expect(response.status).toBeLessThan(500);
  expect(response.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json/);
  expect(text).not.toMatch(/node_modules|\.ts:\d|prisma|Prisma|SELECT /);
  const { data = null, errors = [] } = JSON.parse(text);
  for (const { message, extensions } of errors) {
    expect(message).toMatch(/\S/);
    expect(ERROR_CODES).toContain(extensions.code);
    expect(extensions.code).not.toBe('INTERNAL');
    expect(extensions.requestId).toBe(response.headers.get('x-request-id'));
    expect(Object.keys(extensions).filter((name) => !['code', 'requestId', 'permission', 'inputPath'].includes(name))).toEqual([]);
  }
  return { status: response.status, data, errors };
}

const sendJson = (body: unknown) =>
  send({ headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) });
const query = (document: string, variables?: object) => sendJson({ query: document, variables });
const codes = ({ errors }: Reply) => errors.map(({ extensions }) => extensions.code);
/** An answer to a document that was not run at all. */
const refused = (code: string, message: RegExp | string = /./) => ({
  data: null,
  errors: [{ message: typeof message === 'string' ? message : expect.stringMatching(message), extensions: { code } }],
});

describe('a document that cannot be run', () => {
  test.each([
    ['is not GraphQL', '{ viewer { ', /^Syntax Error/],
    ['is empty', '', /./],
    ['names an unknown field', '{ viewer { kind shoeSize } }', /Cannot query field "shoeSize"/],
    ['names an unknown argument', '{ environment(name: "x") { id } }', /Unknown argument "name"/],
    ['leaves an argument out', '{ node { id } }', /argument "id" of type "ID!" is required/],
    ['gives an argument of another type', '{ node(id: { a: 1 }) { id } }', /ID cannot represent/],
    ['names an unknown value of an enum', 'mutation { createBusiness(input: { name: "x", region: MOON }) { errors { code } } }', /MOON/],
    ['has fragments that go round in circles', '{ ...A } fragment A on Query { ...A }', /Cannot spread fragment "A" within itself/],
    ['has two operations and no name for one', 'query A { viewer { kind } } query B { viewer { kind } }', /operation/],
    ['is a subscription', 'subscription { users { id } }', /./],
  ])('because it %s', async (_why, document, message) => {
    expect(await query(document)).toMatchObject(refused('BAD_USER_INPUT', message));
  });

  test('because it is too deep', async () => {
    const nest = (depth: number) =>
      `{ node(id: "x") { ${'... on Environment { business { environments(first: 1) { nodes { '.repeat(depth)} id ${'} } } } '.repeat(depth)} } }`;
    expect(await query(nest(4))).toMatchObject({ data: { node: null }, errors: [] });
    expect(await query(nest(5))).toMatchObject(refused('QUERY_TOO_COMPLEX', `The document nests deeper than ${MAX_DEPTH} fields.`));
    const inFragments = `{ node(id: "x") { ...A } } fragment A on Environment { business { environments { nodes { ...B } } } }
      fragment B on Environment { business { environments { nodes { ...C } } } } fragment C on Environment { business { environments { nodes { ...D } } } }
      fragment D on Environment { business { environments { nodes { ...E } } } } fragment E on Environment { business { environments { nodes { id } } } }`;
    expect(await query(inFragments)).toMatchObject(refused('QUERY_TOO_COMPLEX'));
  });

  test('because it is too long', async () => {
    const aliases = Array.from({ length: MAX_TOKENS / 5 + 1 }, (_, at) => `a${at}: viewer { kind }`).join(' ');
    expect(await query(`{ ${aliases} }`)).toMatchObject(refused('QUERY_TOO_COMPLEX', /4000 tokens/));
  });

  test('because it costs too much', async () => {
    const everybody = `{ businesses(first: 100) { nodes { environments(first: 100) { nodes { users(first: 100) { nodes { id } } } } } } }`;
    expect(await query(everybody)).toMatchObject(
      refused('QUERY_TOO_COMPLEX', `The operation costs 1010100; the limit is ${MAX_COST}. Ask for smaller pages or for fewer fields.`),
    );
    const most = ['a', 'b']
      .map((alias) => `${alias}: businesses(first: 100) { nodes { environments(first: 99) { nodes { id } } } }`)
      .join(' ');
    expect(await query(`{ ${most} }`)).toMatchObject({ errors: [] });
    expect(await query(`{ ${most} businesses(first: 1) { nodes { id } } }`)).toMatchObject(refused('QUERY_TOO_COMPLEX', /costs 20001;/));
  });

  test('because it has too many root fields, by whatever fragments', async () => {
    const fields = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: viewer { kind }`).join(' ');
    expect(await query(`{ ${fields(MAX_ROOT_FIELDS)} }`)).toMatchObject({ errors: [] });
    const message = `The operation has more than ${MAX_ROOT_FIELDS} fields at its root.`;
    expect(await query(`{ ${fields(MAX_ROOT_FIELDS)} viewer { kind } }`)).toMatchObject(refused('QUERY_TOO_COMPLEX', message));
    const half = fields(MAX_ROOT_FIELDS / 2);
    const spread = `{ ${half} ...A ... on Query { c: viewer { kind } } } fragment A on Query { ...B ...B } fragment B on Query { ${half.replaceAll('a', 'b')} }`;
    expect(await query(spread)).toMatchObject(refused('QUERY_TOO_COMPLEX', message));
  });

  test('because it has too many aliases, wherever they are', async () => {
    const aliases = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: kind`).join(' ');
    expect(await query(`{ viewer { ${aliases(MAX_ALIASES)} } }`)).toMatchObject({ errors: [] });
    const spread = `{ viewer { ${aliases(MAX_ALIASES)} ...A } } fragment A on Viewer { b: kind }`;
    expect(await query(spread)).toMatchObject(refused('QUERY_TOO_COMPLEX', `The document has more than ${MAX_ALIASES} aliases.`));
    const guesses = Array.from({ length: 100 }, (_, at) => `a${at}: createRole(input: { key: "k${at}", name: "x" }) { errors { code } }`);
    expect(await query(`mutation { ${guesses.join(' ')} }`)).toMatchObject({ data: null, errors: [{}, {}] });
    expect(await query('{ business { roles { totalCount } } }')).toMatchObject({ data: { business: { roles: { totalCount: 1 } } } });
  });

  test('because it has too many directives', async () => {
    const fields = (count: number) => 'kind @include(if: true) '.repeat(count);
    expect(await query(`{ viewer { ${fields(MAX_DIRECTIVES)} } }`)).toMatchObject({ errors: [] });
    const message = `The document has more than ${MAX_DIRECTIVES} directives.`;
    expect(await query(`{ viewer { ${fields(MAX_DIRECTIVES + 1)} } }`)).toMatchObject(refused('QUERY_TOO_COMPLEX', message));
  });

  test('because it asks the schema about itself in circles', async () => {
    const circles = `{ __schema { types { ${'fields { type { '.repeat(5)} name ${'} } '.repeat(5)} } } }`;
    expect(await query(circles)).toMatchObject(refused('BAD_USER_INPUT', /introspection depth/i));
  });

  test('is measured without being spread out', async () => {
    const doubling = (innermost: string) =>
      `{ ...F0 } ${Array.from({ length: 60 }, (_, at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`).join(' ')} fragment F60 on Query { ${innermost} }`;
    expect(await query(doubling('viewer { kind }'))).toMatchObject({ data: { viewer: { kind: 'MACHINE' } }, errors: [] });
    expect(await query(doubling('businesses(first: 1) { totalCount }'))).toMatchObject(refused('QUERY_TOO_COMPLEX'));
  });

  test('because a variable does not fit', async () => {
    const document = 'query ($id: ID!, $first: Int) { environment(id: $id) { users(first: $first) { totalCount } } }';
    const { Environment: id } = world.ids;
    for (const variables of [{}, { id: null }, { id: { a: 1 } }, { id, first: 'ten' }, { id, first: 1.5 }, { id, first: 2 ** 40 }])
      expect(await query(document, variables)).toMatchObject(refused('BAD_USER_INPUT', /^Variable "\$(id|first)"/));
    expect(await query(document, { id, first: 1, unused: true })).toMatchObject({ errors: [] });
  });

  test('because of a character that no text can hold', async () => {
    const literal = await query('{ environment { users(search: "\\u0000") { totalCount } } }');
    expect(literal).toMatchObject(refused('BAD_USER_INPUT', /NUL/));
    const document = 'query ($id: ID, $search: String) { environment(id: $id) { users(search: $search) { totalCount } } }';
    expect(await query(document, { search: '\0' })).toMatchObject(refused('BAD_USER_INPUT', /NUL/));
    expect(await query(document, { id: 'env_\0' })).toMatchObject(refused('BAD_USER_INPUT', /NUL/));
    expect(await query(document, { search: '\ud800' })).toMatchObject({ data: { environment: { users: { totalCount: 0 } } }, errors: [] });
    const flag =
      'mutation ($value: JSON!) { createFeatureFlag(input: { key: "k", name: "N", type: JSON, overrideLevels: [], defaultValue: $value }) { errors { code } } }';
    expect(await query(flag, { value: { '\0': 1 } })).toMatchObject(refused('BAD_USER_INPUT', /NUL/));
  });

  test('but half of a character, where it were kept, is a mistake', async () => {
    const flag = `mutation ($type: FeatureFlagType!, $value: JSON!) {
      createFeatureFlag(input: { key: "half", name: "Half", type: $type, overrideLevels: [], defaultValue: $value }) { errors { code } }
    }`;
    const mistaken = (mutation: string, code: string) => ({ data: { [mutation]: { errors: [{ code }] } }, errors: [] });
    for (const [type, value] of [
      ['STRING', '\ud800'],
      ['JSON', { a: ['\udfff'] }],
      ['JSON', { '\ud800': 1 }],
    ] as const)
      expect(await query(flag, { type, value })).toMatchObject(mistaken('createFeatureFlag', 'INVALID_VALUE'));
    const api = 'mutation ($audience: String!) { createApi(input: { name: "Half", audience: $audience }) { errors { code } } }';
    expect(await query(api, { audience: 'https://\ud83d.test' })).toMatchObject(mistaken('createApi', 'INVALID_TEXT'));
    expect(await query(flag, { type: 'JSON', value: { whole: '😀 \\ud800' } })).toMatchObject({
      data: { createFeatureFlag: { errors: [] } },
    });
  });
});

describe('a request that is none', () => {
  test.each([
    ['is not JSON', '{"query": '],
    ['is empty', ''],
    ['is null', 'null'],
    ['is a number', '42'],
    ['has no document', '{}'],
    ['has a document that is no text', '{"query": 42}'],
    ['has variables that are none', '{"query": "{ viewer { kind } }", "variables": "none"}'],
    ['has members that mean nothing', '{"query": "{ viewer { kind } }", "extra": 1}'],
    ['is a batch', '[{"query": "{ viewer { kind } }"}, {"query": "{ viewer { kind } }"}]'],
  ])('because it %s', async (_why, body) => {
    expect(await sendJson(body)).toMatchObject(refused('BAD_USER_INPUT'));
  });

  test('because it is larger than the server takes', async () => {
    const reply = await sendJson({ query: '{ viewer { kind } }', variables: { x: 'x'.repeat(2 * 1024 * 1024) } });
    expect(reply).toMatchObject({ status: 413, ...refused('BAD_USER_INPUT') });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/graphql', 'application/xml'])(
    'because it is %s',
    async (type) => {
      const reply = await send({ headers: { 'content-type': type }, body: '{"query":"{ viewer { kind } }"}' });
      expect(reply).toMatchObject({ status: 415, ...refused('BAD_USER_INPUT', /application\/json/) });
    },
  );

  test('because it is a form without the parts that an upload has', async () => {
    for (const parts of [{}, { operations: 'x' }, { operations: '{}', map: 'x' }, { operations: '[]' }]) {
      const body = new FormData();
      for (const [name, value] of Object.entries(parts)) body.set(name, value);
      expect(codes(await send({ body }))).toEqual(['BAD_USER_INPUT']);
    }
  });

  test('because it changes something by GET', async () => {
    const mutation = 'mutation { createOrganization(input: { name: "By GET" }) { errors { code } } }';
    const reply = await send({ method: 'GET' }, `?query=${encodeURIComponent(mutation)}`);
    expect(reply).toMatchObject({ status: 405, ...refused('OPERATION_NOT_ALLOWED') });
    const read = await send(
      { method: 'GET', headers: { accept: 'application/json' } },
      `?query=${encodeURIComponent('{ viewer { kind } }')}`,
    );
    expect(read).toMatchObject({ status: 200, data: { viewer: { kind: 'MACHINE' } }, errors: [] });
    for (const parameter of ['variables={', 'extensions={', 'variables=42'])
      expect(await send({ method: 'GET' }, `?query={viewer{kind}}&${parameter}`)).toMatchObject(refused('BAD_USER_INPUT'));
  });
});

test('outside production a mistyped name is answered with those that are like it', async () => {
  expect((await query('{ viewr { kind } }')).errors[0]?.message).toBe('Cannot query field "viewr" on type "Query". Did you mean "viewer"?');
});

test('the status says that nothing was run to a client that knows it may', async () => {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const status = async (body: object) => (await send({ headers, body: JSON.stringify(body) })).status;
  for (const document of [
    '{ viewer {',
    '{ nothing }',
    '{ environment { users(first: 101) { totalCount } } }',
    '{ node(id: "\\u0000") { id } }',
  ])
    expect(await status({ query: document })).toBe(400);
  expect(await status({})).toBe(400);
  expect(await status({ query: '{ viewer { kind } business { id } }' })).toBe(200);
});

test.each([
  ['*/*', 'application/json'],
  ['application/json, text/plain, */*', 'application/json'],
  ['application/graphql-response+json,application/json;q=0.9', 'application/graphql-response+json'],
  ['application/graphql-response+json, application/json', 'application/graphql-response+json'],
  [
    'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
    'application/graphql-response+json',
  ],
])('who accepts %s is answered with %s, in success and failure', async (accept, type) => {
  for (const document of ['{ viewer { kind } }', '{ viewer { kind } business { id } }']) {
    const headers = { 'content-type': 'application/json', accept, authorization: `Bearer ${token}` };
    const answer = await fetch(gatehouse.quickstart.graphqlUrl, { method: 'POST', headers, body: JSON.stringify({ query: document }) });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
  }
});

describe('a page', () => {
  const users = (args: string) =>
    query(`{ environment { name users(${args}) { totalCount nodes { id } pageInfo { startCursor hasNextPage } } } }`);

  test.each(['first: 101', 'first: -1', 'last: 101', 'last: -5', 'first: 2147483647'])('is not of any size: %s', async (args) => {
    expect(await users(args)).toMatchObject(refused('BAD_USER_INPUT', /^Argument "(first|last)" is a number from 0 to 100\.$/));
    const [name, size] = args.split(': ');
    const variable = await query(`query ($size: Int) { environment { users(${name}: $size) { totalCount } } }`, { size: Number(size) });
    expect(variable).toMatchObject(refused('BAD_USER_INPUT'));
  });

  test('may be of a hundred, of one, and of none', async () => {
    for (const args of ['first: 100', 'first: 1', 'last: 1'])
      expect(await users(args)).toMatchObject({ data: { environment: { users: { nodes: [{}] } } } });
    expect(await users('first: 0')).toMatchObject({ data: { environment: { users: { totalCount: 1, nodes: [] } } }, errors: [] });
  });

  test('goes one way', async () => {
    const { data } = await users('first: 1');
    const cursor = (data as { environment: { users: { pageInfo: { startCursor: string } } } }).environment.users.pageInfo.startCursor;
    expect(await users(`after: "${cursor}"`)).toMatchObject({ data: { environment: { users: { totalCount: 1, nodes: [] } } }, errors: [] });
    for (const args of [
      'first: 1, last: 1',
      `first: 1, before: "${cursor}"`,
      `after: "${cursor}", last: 1`,
      `after: "${cursor}", before: "${cursor}"`,
    ])
      expect(await users(args)).toMatchObject(
        refused('BAD_USER_INPUT', 'A page is asked for with first and after, or with last and before.'),
      );
  });

  test('begins at a cursor of the same list', async () => {
    const { Environment, User, Organization } = world.ids;
    const tuple = (...parts: string[]) => btoa(`GPC:T:${JSON.stringify(parts)}`);
    const wrong = [
      ...['', 'x', btoa('x'), btoa('GPC:'), btoa('GPC:X:1'), btoa('GPC:N:1'), btoa('GPC:T:{'), btoa('GPC:T:{}'), btoa('GPC:J:[1,{}]')],
      ...[btoa(`GPC:S:${User}`), tuple(), tuple(`S:${Environment}`), tuple(`S:${User}`, `S:${Environment}`), tuple('N:1', 'N:2')],
      ...[
        tuple(`S:${Environment}`, `S:${Organization}`),
        tuple(`S:${Environment}`, `S:${User}`, 'S:x'),
        tuple(`S:${Environment}`, 'S:kp_\\u0000'),
      ],
      ...[tuple(`S:${world.development.environmentId}`, `S:${User}`)],
    ];
    for (const cursor of wrong)
      expect({ cursor, ...(await users(`after: "${cursor}"`)) }).toMatchObject({
        cursor,
        ...refused('BAD_USER_INPUT', 'Argument "after" is not a cursor of this list.'),
      });
    const ofBusinesses = await query(`{ businesses(before: "${tuple(`S:${Environment}`, `S:${User}`)}") { totalCount } }`);
    expect(ofBusinesses).toMatchObject(refused('BAD_USER_INPUT'));
    const gone = await users(`after: "${tuple(`S:${Environment}`, `S:${newId('user')}`)}"`);
    expect(gone).toMatchObject({ data: { environment: { users: { nodes: [] } } }, errors: [] });
  });
});

describe('an id', () => {
  const IDS = [
    '',
    ' ',
    'x',
    '42',
    '__proto__',
    'kp_',
    'kp_xyz',
    `KP_${'0'.repeat(32)}`,
    `what_${'0'.repeat(32)}`,
    'x'.repeat(10_000),
    '\u{1F600}',
  ];

  test.each(IDS)('that is none finds nothing: %j', async (id) => {
    const found = await query('query ($id: ID!) { node(id: $id) { id } environment(id: $id) { id } business(id: $id) { id } }', { id });
    expect(found).toMatchObject({ data: { node: null, environment: null, business: null }, errors: [] });
  });

  test('of another kind is like one that was made up', async () => {
    const { User, Environment, Organization } = world.ids;
    expect(await query(`{ environment(id: "${User}") { id } business(id: "${Environment}") { id } }`)).toMatchObject({
      data: { environment: null, business: null },
      errors: [],
    });
    const inputs = {
      createOrganization: `{ environmentId: "${Organization}", name: "x" }`,
      addOrganizationMember: `{ organizationId: "${Environment}", userId: "${User}" }`,
      createRole: `{ businessId: "${Environment}", key: "x", name: "x" }`,
      rotateApplicationSecret: `{ applicationId: "${User}" }`,
      createUser: `{ email: "x@people.test", organizationId: "${User}" }`,
    };
    for (const [mutation, input] of Object.entries(inputs)) {
      const reply = await query(`mutation { ${mutation}(input: ${input}) { errors { code } } }`);
      expect(reply).toMatchObject({ data: { [mutation]: null }, errors: [{ path: [mutation], extensions: { code: 'NOT_FOUND' } }] });
    }
  });
});
