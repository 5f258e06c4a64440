/** What a caller might tell from an answer that it may not read: from counts, cursors, searches, fragments and errors. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { EXPLAIN } from './explained.ts';
import { makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let alpha: World;
let beta: World;
/** An Engineer of alpha, who may read there what it may not in beta, where it is in Marketing. */
let both: string;
let marketing: string;
let owner: string;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha', 'enterprise');
  beta = await makeWorld(gatehouse, 'beta', 'enterprise');
  await makeMember(gatehouse, alpha.businessId, 'both@team.test', ['engineer']);
  both = await signInMember(gatehouse, beta.businessId, 'both@team.test', ['marketing']);
  marketing = await signInMember(gatehouse, alpha.businessId, 'marketing@alpha.test', ['marketing']);
  owner = await signInMember(gatehouse, alpha.businessId, 'owner@alpha.test', ['owner']);
});

/** An answer as it is for everybody: what differs from request to request left out. */
function plain({ status, data, errors }: GraphAnswer<unknown>) {
  return { status, data, errors: errors.map(({ extensions: { requestId: _, ...extensions }, ...error }) => ({ ...error, extensions })) };
}

const read = async (token: string, document: string, variables: object = {}) =>
  plain(await ask<unknown, object>(gatehouse, token, document, variables));
const cursorOf = (...key: string[]) => btoa(`GPC:T:${JSON.stringify(key.map((part) => `S:${part}`))}`);

describe('a cursor', () => {
  test('of a row that may not be read tells nothing about it, in a list that may', async () => {
    // Made after beta's role: a list that begins there is another than one that begins nowhere.
    await createRole(operator(gatehouse), { businessId: alpha.businessId, key: 'later', name: 'Later' });
    for (const [argument, size] of [
      ['after', 'first: 5'],
      ['before', 'last: 5'],
    ]) {
      const document = `query ($id: ID!, $cursor: String!) { business(id: $id) { roles(${size}, ${argument}: $cursor) { totalCount nodes { id } } } }`;
      const answers = [beta.ids.Role, newId('role')].map((id) =>
        read(both, document, { id: alpha.businessId, cursor: cursorOf(beta.businessId, id) }),
      );
      const [real, invented] = await Promise.all(answers);
      expect(real).toEqual(invented);
      const own = await read(both, document, { id: alpha.businessId, cursor: cursorOf(alpha.businessId, alpha.ids.Role) });
      expect(own).toMatchObject({ data: { business: { roles: { totalCount: 2, nodes: argument === 'after' ? [{}] : [] } } }, errors: [] });
    }
  });

  test('of a business or an environment elsewhere is like one that was made up', async () => {
    const document = '{ businesses(after: "CURSOR") { nodes { id environments(after: "INNER") { nodes { id } } } } }';
    const at = (business: string, environment: string) =>
      read(owner, document.replace('CURSOR', btoa(`GPC:S:${business}`)).replace('INNER', btoa(`GPC:S:${environment}`)));
    expect(await at(beta.businessId, beta.ids.Environment)).toEqual(await at(newId('business'), newId('environment')));
  });
});

describe('a list that may not be read', () => {
  const LIST = `query ($id: ID!) {
    business(id: $id) {
      ...Counted
      some: roles(first: 1) { nodes { key } }
      none: roles(first: 0) { pageInfo { hasNextPage } edges { cursor } }
    }
  }
  fragment Counted on Business { roles { totalCount } ... on Node { ... on Business { more: roles { totalCount edges { node { id } } } } } }`;

  test('says neither how long it is nor whether it is empty, under any name', async () => {
    const full = await read(both, LIST, { id: beta.businessId });
    expect(full).toMatchObject({ data: { business: { roles: null, some: null, none: null, more: null } } });
    expect(full.errors.map(({ path, extensions }) => [path?.join('.'), extensions.code])).toEqual(
      expect.arrayContaining(['roles', 'some', 'none', 'more'].map((name) => [`business.${name}`, 'FORBIDDEN'])),
    );
    expect(full.errors).toHaveLength(4);
  });

  test('is refused in the same words in a business that has nothing of it', async () => {
    const empty = await makeWorld(gatehouse, 'empty', 'enterprise');
    await makeMember(gatehouse, empty.businessId, 'both@team.test', ['finance']);
    await operator(gatehouse).db.membershipRole.deleteMany({
      where: { environmentId: { in: [empty.ids.Environment, empty.development.environmentId] } },
    });
    await operator(gatehouse).db.role.deleteMany({ where: { businessId: empty.businessId } });
    expect(await read(both, LIST, { id: empty.businessId })).toEqual(await read(both, LIST, { id: beta.businessId }));
  });
});

describe('a search', () => {
  const SEARCH = 'query ($id: ID!, $search: String!) { environment(id: $id) { users(search: $search) { totalCount nodes { id } } } }';

  test('by an address finds nobody where addresses may not be read, though they may elsewhere', async () => {
    const own = await read(both, SEARCH, { id: alpha.ids.Environment, search: 'alpha-user@people' });
    expect(own).toMatchObject({ data: { environment: { users: { totalCount: 1 } } } });
    const other = await read(both, SEARCH, { id: beta.ids.Environment, search: 'beta-user@people' });
    expect(other).toEqual(await read(both, SEARCH, { id: beta.ids.Environment, search: 'nobody-user@people' }));
    expect(other).toMatchObject({ data: { environment: { users: { totalCount: 0, nodes: [] } } }, errors: [] });
  });

  test('under several names counts for each what it searches for, whatever else is asked of the same rows', async () => {
    await createUser(operator(gatehouse), { environmentId: alpha.ids.Environment, email: 'second@people.test', firstName: 'Second' });
    const document = `query ($id: ID!) {
      environment(id: $id) {
        all: users { totalCount nodes { firstName } }
        one: users(search: "Second") { totalCount }
        none: users(search: "second@people.test") { totalCount nodes { id email } }
        again: users(search: "Second", first: 1) { totalCount nodes { firstName } }
      }
    }`;
    const { data } = await ask<{ environment: Record<string, { totalCount: number }> }, object>(gatehouse, marketing, document, {
      id: alpha.ids.Environment,
    });
    const counts = Object.entries(data!.environment).map(([name, { totalCount }]) => [name, totalCount]);
    expect(Object.fromEntries(counts)).toEqual({ all: 2, one: 1, none: 0, again: 1 });
  });
});

describe('a fragment', () => {
  test('on an interface opens no field of the type that is met', async () => {
    const document = `query ($id: ID!) {
      environment(id: $id) { users(first: 1) { nodes { ... on Node { id ... on User { email ...Contacts } } } edges { node { ...Contacts } } } }
    }
    fragment Contacts on User { mine: email identities { ... on Node { id ... on Identity { value } } } }`;
    const { data, errors } = await read(marketing, document, { id: alpha.ids.Environment });
    expect(JSON.stringify(data)).not.toContain('@');
    expect(JSON.stringify(data)).not.toContain(alpha.ids.Identity);
    expect(data).toMatchObject({ environment: { users: { nodes: [{ email: null, mine: null, identities: null }] } } });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(Array(5).fill('FORBIDDEN'));
  });

  test('on another type than an id names finds nothing of it', async () => {
    const document =
      'query ($id: ID!) { node(id: $id) { ... on User { email memberships { totalCount } } ... on Organization { members { totalCount } } } }';
    expect(await read(owner, document, { id: alpha.ids.Role })).toMatchObject({ data: { node: {} }, errors: [] });
  });
});

describe('node(id)', () => {
  test('finds for each caller only kinds that it may read there, whatever it may read elsewhere', async () => {
    const document = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    for (const type of ['Role', 'Permission', 'Identity', 'Api', 'Import', 'ImportIssue'] as const) {
      const hidden = await read(both, document, { id: beta.ids[type] });
      expect({ type, ...hidden }).toEqual({ type, status: 200, data: { node: null }, errors: [] });
    }
    expect(await read(both, document, { id: alpha.ids.Role })).toMatchObject({ data: { node: { __typename: 'Role' } } });
  });

  test('with the id of what has no type finds nothing', async () => {
    const delivery = await operator(gatehouse).db.webhookDelivery.findFirstOrThrow({ where: { environmentId: alpha.ids.Environment } });
    expect(await read(owner, 'query ($id: ID!) { node(id: $id) { __typename } }', { id: delivery.id })).toMatchObject({
      data: { node: null },
      errors: [],
    });
  });
});

describe('an explanation', () => {
  test('is made of rows that the caller may read, and of others only that they are not there', async () => {
    const mutation = 'mutation ($id: ID!) { createRole(input: { key: "k", name: "n", permissionIds: [$id] }) { role { name } } }';
    const explain = (id: string) => read(both, EXPLAIN.toString(), { document: mutation, variables: { id } });
    expect(await explain(beta.ids.Permission)).toEqual(await explain(newId('permission')));
    expect(JSON.stringify(await explain(alpha.ids.Permission))).toContain(alpha.businessId);
  });

  test('of a caller without a permission does not tell whether there is what it asks for', async () => {
    const token = await tokenOf(alpha.production.machine, 'read:environments');
    for (const [type, mutation] of [
      ['Application', 'rotateApplicationSecret(input: { applicationId: $id }) { clientSecret }'],
      ['User', 'addOrganizationMember(input: { organizationId: "none", userId: $id }) { member { createdAt } }'],
      ['Organization', 'addOrganizationMember(input: { organizationId: $id, userId: "none" }) { member { createdAt } }'],
    ] as const) {
      const document = `mutation ($id: ID!) { ${mutation} }`;
      const explain = (id: string) => read(token, EXPLAIN.toString(), { document, variables: { id } });
      expect(await explain(alpha.ids[type])).toEqual(await explain(alpha.ids[type].replace(/.{12}$/, 'ffffffffffff')));
    }
  });
});

describe('an input that goes on and on', () => {
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const post = async (body: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${owner}` };
    const response = await fetch(gatehouse.quickstart.graphqlUrl, { method: 'POST', headers, body });
    return (await response.json()) as { errors: { extensions: { code: string } }[] };
  };

  test.each([
    ['as a variable of a query', `{"query":"query ($id: ID!) { node(id: $id) { id } }","variables":{"id":${deep(400_000)}}}`],
    ['as a variable that is not declared', `{"query":"{ viewer { kind } }","variables":{"id":${deep(400_000)}}}`],
    [
      'as a variable of what is explained',
      `{"query":"query ($v: JSON) { explainAccess(document: \\"query ($id: ID!) { node(id: $id) { id } }\\", variables: $v) { isAllowed } }","variables":{"v":{"id":${deep(400_000)}}}}`,
    ],
  ])('%s is refused, and no fault of ours', async (_where, body) => {
    const { errors } = await post(body);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  });
});
