import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphError } from '../helpers/graph.ts';
import { digestOfEverything, type Machine, makeWorld, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let alpha: World;
let beta: World;
let owner: string;
let token: string;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha');
  beta = await makeWorld(gatehouse, 'beta');
  owner = await signInMember(gatehouse, alpha.businessId, 'owner@alpha.test', ['owner']);
  token = await tokenOf(alpha.production.machine);
});

const VIEWER = '{ viewer { kind } }';
const USERS = 'query Users($first: Int!) { environment { users(first: $first) { nodes { id } } } }';
const CREATE = 'mutation Create($name: String!) { createOrganization(input: { name: $name }) { organization { name } errors { code } } }';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const REGISTER = `mutation ($input: RegisterOperationInput!) {
  registerOperation(input: $input) { operation { id hash name document } errors { code path message } } }`;

async function tryToRegister(input: { environmentId?: string; name?: string; document: string }, bearer = owner) {
  const { data, errors } = await ask<
    Record<'registerOperation', { operation: { id: string; hash: string; name: string } | null; errors: object[] } | null>,
    object
  >(gatehouse, bearer, REGISTER, { input: { environmentId: alpha.ids.Environment, name: 'Operation', ...input } });
  return { ...data?.registerOperation, topLevel: errors };
}

async function register(document: string, environmentId: string = alpha.ids.Environment, bearer = owner): Promise<string> {
  const { operation, errors } = await tryToRegister({ environmentId, document }, bearer);
  expect(errors).toEqual([]);
  return operation!.id;
}

async function bind({ applicationId }: Machine, input: { isBoundToOperations?: boolean; operationIds?: string[] }, bearer = owner) {
  const document = `mutation ($input: UpdateApplicationOperationsInput!) {
    updateApplicationOperations(input: $input) { application { isBoundToOperations operations { id } } errors { code path } } }`;
  return ask<{ updateApplicationOperations: object | null }, object>(gatehouse, bearer, document, { input: { applicationId, ...input } });
}

interface Reply {
  readonly status: number;
  readonly data: unknown;
  readonly errors: readonly GraphError[];
}

async function send(body: object | string, { bearer = token, query = '', accept = '*/*' } = {}): Promise<Reply> {
  const isGet = query !== '';
  const response = await fetch(gatehouse.quickstart.graphqlUrl + query, {
    method: isGet ? 'GET' : 'POST',
    headers: {
      accept,
      ...(bearer && { authorization: `Bearer ${bearer}` }),
      ...(isGet ? { 'apollo-require-preflight': 'true' } : { 'content-type': 'application/json' }),
    },
    ...(!isGet && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const { data = null, errors = [] } = (await response.json()) as { data?: unknown; errors?: GraphError[] };
  return { status: response.status, data, errors };
}

const apollo = (document: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(document) } } });
const documentId = (document: string) => ({ documentId: `sha256:${sha256(document)}` });
const inUrl = (body: object) =>
  `?${new URLSearchParams(Object.entries(body).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]))}`;
const failed = (code: string, message?: string) => ({ data: null, errors: [{ extensions: { code }, ...(message && { message }) }] });
const notFound = failed('NOT_FOUND', 'PersistedQueryNotFound');
const notAllowed = failed('OPERATION_NOT_ALLOWED');
const MACHINE = { data: { viewer: { kind: 'MACHINE' } }, errors: [] };

describe('registering', () => {
  test('keeps a document as it is, under the hash that clients compute', async () => {
    const document = `\n# With a comment, and é\n  ${VIEWER} `;
    const { operation, errors } = await tryToRegister({ name: ' Who am I ', document });
    expect(errors).toEqual([]);
    expect(operation).toEqual({ id: expect.stringMatching(/^op_[0-9a-f]{32}$/), hash: sha256(document), name: 'Who am I', document });
    const listed = await ask(
      gatehouse,
      owner,
      `{ environment(id: "${alpha.ids.Environment}") { operations(last: 1) { totalCount nodes { id hash name document createdAt } } } }`,
    );
    expect(listed.data).toMatchObject({ environment: { operations: { nodes: [{ ...operation, createdAt: expect.any(String) }] } } });
  });

  test('again gives the one that is there its new name', async () => {
    const first = await tryToRegister({ name: 'Old', document: `${VIEWER} # twice` });
    const second = await tryToRegister({ name: 'New', document: `${VIEWER} # twice` });
    expect(second.operation).toEqual({ ...first.operation, name: 'New' });
  });

  test('of many at once answers for each', async () => {
    const document = `mutation ($input: RegisterOperationsInput!) {
      registerOperations(input: $input) { results { operation { hash } errors { code path } } errors { code } } }`;
    const items = [VIEWER, '{ shoes }', USERS].map((text) => ({
      environmentId: alpha.ids.Environment,
      name: 'One of many',
      document: text,
    }));
    const { data, errors } = await ask(gatehouse, owner, document, { input: { items } });
    expect({ data, errors }).toEqual({
      data: {
        registerOperations: {
          errors: [],
          results: [
            { operation: { hash: sha256(VIEWER) }, errors: [] },
            { operation: null, errors: [{ code: 'INVALID_DOCUMENT', path: ['document'] }] },
            { operation: { hash: sha256(USERS) }, errors: [] },
          ],
        },
      },
      errors: [],
    });
  });

  test.each([
    ['that is not GraphQL', '{ viewer {', 'INVALID_DOCUMENT'],
    ['that the schema does not know', '{ shoes }', 'INVALID_DOCUMENT'],
    ['with two operations', 'query A { viewer { kind } } query B { viewer { kind } }', 'INVALID_DOCUMENT'],
    ['with none', 'fragment A on Viewer { kind }', 'INVALID_DOCUMENT'],
    ['that is empty', '', 'INVALID_DOCUMENT'],
    [
      'beyond the limits of one that runs',
      `{ ${Array.from({ length: 21 }, (_, at) => `a${at}: viewer { kind }`).join(' ')} }`,
      'INVALID_DOCUMENT',
    ],
    ['that is too long', `{ viewer { kind } } # ${'x'.repeat(20_000)}`, 'TOO_LONG'],
  ])('refuses a document %s', async (_what, document, code) => {
    const before = await digestOfEverything(gatehouse);
    expect(await tryToRegister({ document })).toMatchObject({ operation: null, errors: [{ code, path: ['document'] }] });
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });
});

describe('a request that names a registered operation', () => {
  beforeAll(async () => {
    await register(VIEWER);
    await register(USERS);
    await register(CREATE);
  });

  test.each(['POST', 'GET'])('by %s, as Apollo’s persisted queries and as persisted documents do', async (method) => {
    for (const naming of [apollo, documentId]) {
      const ask_ = (body: object) => send(body, { query: method === 'GET' ? inUrl(body) : '' });
      expect(await ask_(naming(VIEWER))).toMatchObject({ status: 200, ...MACHINE });
      expect(await ask_({ ...naming(USERS), variables: { first: 1 }, operationName: 'Users' })).toMatchObject({
        data: { environment: { users: { nodes: [{ id: alpha.ids.User }] } } },
        errors: [],
      });
      expect(await ask_({ ...naming(USERS), variables: { first: 101 } })).toMatchObject(failed('BAD_USER_INPUT'));
    }
  });

  test('changes something by POST only', async () => {
    const body = { ...documentId(CREATE), variables: { name: 'By its hash' } };
    const before = await digestOfEverything(gatehouse);
    expect(await send(body, { query: inUrl(body) })).toMatchObject({ status: 405, ...notAllowed });
    expect(await digestOfEverything(gatehouse)).toBe(before);
    expect(await send(body)).toMatchObject({ data: { createOrganization: { organization: { name: 'By its hash' }, errors: [] } } });
  });

  test('is answered in the words that clients know when there is none, and registers nothing', async () => {
    const unknown = '{ viewer { scopes } }';
    for (const body of [apollo(unknown), documentId(unknown)]) {
      expect(await send(body)).toMatchObject({ status: 200, ...notFound });
      expect(await send(body, { query: inUrl(body), accept: 'application/graphql-response+json' })).toMatchObject({
        status: 400,
        ...notFound,
      });
    }
    // What a client does next: both together. It runs, and is not known the next time.
    expect(await send({ query: unknown, ...apollo(unknown) })).toMatchObject({ status: 200, errors: [] });
    expect(await send(apollo(unknown))).toMatchObject(notFound);
  });

  test('with another document than the hash’s is refused', async () => {
    for (const body of [apollo(VIEWER), documentId(VIEWER)])
      expect(await send({ query: '{ viewer { scopes } }', ...body })).toMatchObject(
        failed('BAD_USER_INPUT', 'The hash is not that of the document.'),
      );
  });

  test.each([
    { documentId: sha256(VIEWER) },
    { documentId: `sha256:${sha256(VIEWER).toUpperCase()}` },
    { documentId: 'sha256:' },
    { documentId: 42 },
    { documentId: { a: 1 } },
    { extensions: { persistedQuery: { version: 2, sha256Hash: sha256(VIEWER) } } },
    { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } },
    { extensions: { persistedQuery: 42 } },
    { extensions: { persistedQuery: {} } },
    { extensions: 'x' },
    { id: sha256(VIEWER) },
  ])('in another form is refused: %j', async (body) => {
    expect(await send(body)).toMatchObject(failed('BAD_USER_INPUT'));
  });

  test('finds what its caller reaches, and nothing of others', async () => {
    const secret = '{ viewer { kind scopes } }';
    const betaOwner = await signInMember(gatehouse, beta.businessId, 'owner@beta.test', ['owner']);
    await register(secret, beta.development.environmentId, betaOwner);
    expect(await send(documentId(secret), { bearer: betaOwner })).toMatchObject({ data: { viewer: { kind: 'TEAM_MEMBER' } } });
    expect(await send(documentId(secret), { bearer: await tokenOf(beta.development.machine) })).toMatchObject(MACHINE);
    for (const bearer of [await tokenOf(beta.production.machine), token, owner, ''])
      expect(await send(documentId(secret), { bearer })).toMatchObject(notFound);
  });
});

describe('a machine that is bound to its operations', () => {
  test('runs them and nothing else, from the next request of a token that it had before', async () => {
    const { machine } = alpha.development;
    const bearer = await tokenOf(machine);
    const [viewer, users] = [
      await register(VIEWER, machine && alpha.development.environmentId),
      await register(USERS, alpha.development.environmentId),
    ];
    const everything = [{ query: VIEWER }, { query: '{ viewer { scopes } }' }, documentId(USERS)];
    for (const body of everything) expect((await send({ variables: { first: 1 }, ...body }, { bearer })).errors).toEqual([]);

    expect(await bind(machine, { isBoundToOperations: true, operationIds: [viewer] })).toMatchObject({
      data: { updateApplicationOperations: { application: { isBoundToOperations: true, operations: [{ id: viewer }] }, errors: [] } },
    });
    for (const body of [documentId(VIEWER), apollo(VIEWER), { query: VIEWER }, { query: VIEWER, ...apollo(VIEWER) }])
      expect(await send(body, { bearer })).toMatchObject({ status: 200, ...MACHINE });
    expect(await send({}, { bearer, query: inUrl(documentId(VIEWER)) })).toMatchObject(MACHINE);
    const others = [
      ...[
        { query: '{ viewer { scopes } }' },
        { query: `${VIEWER} ` },
        { query: '{ __typename }' },
        { query: '{ __schema { queryType { name } } }' },
      ],
      ...[documentId(USERS), apollo(USERS), documentId('nothing'), {}, { query: '' }],
      ...[
        { query: '{ viewer { scopes } }', ...documentId(VIEWER) },
        { query: '{ viewer { scopes } }', ...apollo(VIEWER) },
      ],
    ];
    for (const body of others) {
      expect({ body, ...(await send(body, { bearer })) }).toMatchObject({ body, ...notAllowed });
      expect(await send(body, { bearer, accept: 'application/graphql-response+json' })).toMatchObject({ status: 403, ...notAllowed });
    }
    expect(await send({}, { bearer, query: inUrl({ query: '{ viewer { scopes } }' }) })).toMatchObject(notAllowed);
    expect((await send([{ query: '{ viewer { scopes } }' }], { bearer })).data).toBeNull();
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: '{ viewer { scopes } }' }));
    const uploaded = await fetch(gatehouse.quickstart.graphqlUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}` },
      body: form,
    });
    expect(await uploaded.json()).toMatchObject({ errors: notAllowed.errors });

    await bind(machine, { operationIds: [viewer, users] });
    expect((await send({ ...documentId(USERS), variables: { first: 1 } }, { bearer })).errors).toEqual([]);
    await ask(gatehouse, owner, `mutation { deleteOperation(input: { operationId: "${users}" }) { deletedId } }`);
    expect(await send({ ...documentId(USERS), variables: { first: 1 } }, { bearer })).toMatchObject(notAllowed);
    await bind(machine, { isBoundToOperations: false });
    expect((await send({ query: '{ viewer { scopes } }' }, { bearer })).errors).toEqual([]);
    expect(await send(documentId(VIEWER), { bearer })).toMatchObject(MACHINE);
  });

  test('runs nothing while its list is empty', async () => {
    const { machine } = alpha.development;
    const bearer = await tokenOf(machine);
    await bind(machine, { isBoundToOperations: true, operationIds: [] });
    expect(await send({ query: VIEWER }, { bearer })).toMatchObject(notAllowed);
    await bind(machine, { isBoundToOperations: false });
  });

  test('is bound to operations of its own environment only: another’s are like ones that were made up', async () => {
    const development = await register(USERS, alpha.development.environmentId);
    const before = await digestOfEverything(gatehouse);
    for (const id of [newId('operation'), beta.ids['Operation']!, beta.development.ids['Operation']!, development, alpha.ids.User]) {
      const { data, errors } = await bind(alpha.production.machine, { isBoundToOperations: true, operationIds: [id] });
      expect(data).toEqual({ updateApplicationOperations: null });
      expect(errors).toMatchObject([
        { message: 'There is no such operation.', extensions: { code: 'NOT_FOUND', inputPath: ['operationIds'] } },
      ]);
    }
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('is no public client, which has no tokens of its own', async () => {
    const made = await ask<{ createApplication: { application: { id: string } } }, object>(
      gatehouse,
      owner,
      `mutation { createApplication(input: { environmentId: "${alpha.ids.Environment}", name: "Front", type: SPA }) { application { id } } }`,
    );
    const applicationId = made.data!.createApplication.application.id;
    const { data } = await bind({ ...alpha.production.machine, applicationId }, { isBoundToOperations: true });
    expect(data).toEqual({ updateApplicationOperations: { application: null, errors: [{ code: 'NO_SECRET', path: ['applicationId'] }] } });
  });
});
