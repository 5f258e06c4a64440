import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer, upload } from '../helpers/graph.ts';
import { KINDS, MUTATIONS } from './cases/index.ts';
import { documentOf, everythingOf } from './every-field.ts';
import { digestOfEverything, makeWorld, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let alpha: World;
let beta: World;
/** Callers who may do everything within alpha: its Owner, and a machine of its production environment. */
let tokens: Record<'Owner' | 'machine', string>;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha');
  beta = await makeWorld(gatehouse, 'beta');
  tokens = {
    Owner: await signInMember(gatehouse, alpha.businessId, 'owner@alpha.test', ['owner']),
    machine: await tokenOf(alpha.production.machine),
  };
});

const CALLERS = ['Owner', 'machine'] as const;

const TYPES = Object.keys(KINDS);

const NODE = graphql(`
  query AnyNode($id: ID!) { node(id: $id) { __typename id } }
`);
const SEARCH = graphql(`
  query SearchOneEnvironment($id: ID!, $search: String!, $after: String) {
    environment(id: $id) {
      users(search: $search, after: $after) { totalCount nodes { id } }
      organizations(search: $search) { totalCount nodes { id } }
    }
  }
`);
const REACH = graphql(`
  query Reach($businessId: ID!) {
    businesses { totalCount nodes { id } }
    business(id: $businessId) { environments { totalCount nodes { id } } }
    viewer { businesses { totalCount nodes { id } } }
  }
`);

describe.each(CALLERS)('the %s of one business', (caller) => {
  test.each(TYPES)('finds its own %s by id, and another business’s as little as one that was made up', async (type) => {
    const own = await ask(gatehouse, tokens[caller], NODE, { id: alpha.ids[type]! });
    expect(own).toMatchObject({ data: { node: { __typename: type, id: alpha.ids[type] } }, errors: [] });
    const strangers = [beta.ids[type]!, beta.development.ids[type] ?? beta.ids[type]!, newId(KINDS[type]!)];
    for (const id of strangers)
      expect(await ask(gatehouse, tokens[caller], NODE, { id })).toMatchObject({ data: { node: null }, errors: [] });
  });

  test('reads null in the place of another business and its environments', async () => {
    for (const { Business, Environment } of [beta.ids, { Business: newId('business'), Environment: newId('environment') }]) {
      const document = `{ business(id: "${Business}") { id } environment(id: "${Environment}") { id } }`;
      expect(await ask(gatehouse, tokens[caller], document)).toMatchObject({ data: { business: null, environment: null }, errors: [] });
    }
  });

  test('counts and lists nothing of another business', async () => {
    const { data, errors } = await ask(gatehouse, tokens[caller], REACH, { businessId: alpha.businessId });
    expect(errors).toEqual([]);
    const own = { totalCount: 1, nodes: [{ id: alpha.businessId }] };
    expect(data?.businesses).toEqual(own);
    expect(data?.viewer?.businesses).toEqual(own);
    const environments = caller === 'Owner' ? [alpha.production, alpha.development] : [alpha.production];
    expect(data?.business?.environments).toEqual({
      totalCount: environments.length,
      nodes: environments.map(({ environmentId }) => ({ id: environmentId })),
    });
  });

  test('meets nothing of another business wherever it follows its own', async () => {
    const answer = await ask(gatehouse, tokens[caller], documentOf(everythingOf(alpha.ids)));
    expect(answer.errors).toEqual([]);
    const text = JSON.stringify(answer.data);
    expect(text).toContain('alpha-user@people.test');
    expect(text).not.toContain('beta');
    expect(TYPES.filter((type) => text.includes(beta.ids[type]!))).toEqual([]);
  });

  test('finds by search only what is in the environment that it searches', async () => {
    const nothing = { totalCount: 0, nodes: [] };
    const other = await ask(gatehouse, tokens[caller], SEARCH, { id: alpha.ids.Environment, search: 'beta' });
    expect(other).toMatchObject({ data: { environment: { users: nothing, organizations: nothing } }, errors: [] });
    const own = await ask(gatehouse, tokens[caller], SEARCH, { id: alpha.ids.Environment, search: 'ALPHA-USER@' });
    expect(own.data?.environment?.users).toEqual({ totalCount: 1, nodes: [{ id: alpha.ids.User }] });
  });

  test('learns nothing from the cursor of another business’s row', async () => {
    const cursor = (id: string) => btoa(`GPC:T:${JSON.stringify([`S:${beta.ids.Environment}`, `S:${id}`])}`);
    const [real, invented] = await Promise.all(
      [beta.ids.User, newId('user')].map((id) =>
        ask(gatehouse, tokens[caller], SEARCH, { id: alpha.ids.Environment, search: '', after: cursor(id) }),
      ),
    );
    expect(withoutRequestIds(real!)).toEqual(withoutRequestIds(invented!));
    expect(real).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

test('a machine of production sees nothing of the same business’s development', async () => {
  const answer = await ask(gatehouse, tokens.machine, documentOf(everythingOf(alpha.ids)));
  expect(JSON.stringify(answer.data)).not.toContain('alpha-dev');
  for (const [type, id] of Object.entries(alpha.development.ids).filter(([type]) => TYPES.includes(type))) {
    const { data, errors } = await ask(gatehouse, tokens.machine, NODE, { id });
    expect({ type, node: data?.node, errors }).toEqual({ type, node: null, errors: [] });
  }
  const { data } = await ask(gatehouse, tokens.machine, `{ environment(id: "${alpha.development.environmentId}") { id } }`);
  expect(data).toEqual({ environment: null });
});

const ATTEMPTS = MUTATIONS.flatMap(({ foreign = [], ...each }) => foreign.map((one) => ({ ...each, ...one })));

test('every mutation that takes a permission is tried with another tenant’s id', () => {
  const tried = ATTEMPTS.map(({ mutation }) => mutation);
  expect(MUTATIONS.filter(({ mutation, permission }) => permission && !tried.includes(mutation))).toEqual([]);
});

describe.each(CALLERS)('what the %s of one business tries to change in another', (caller) => {
  test.each(ATTEMPTS)(
    '$mutation with a foreign $type is as with one that was made up',
    async ({ mutation, selection, place, type, input, onlyForPeople }) => {
      const before = await digestOfEverything(gatehouse);
      const invented = await mutate(tokens[caller], mutation, selection, input(newId(KINDS[type]!), alpha));
      const development = beta.development.ids[type];
      const strangers = [beta.ids[type]!, ...(development ? [development] : [])];
      // A machine belongs to one environment: the other ones of its own business are foreign to it.
      if (caller === 'machine' && development) strangers.push(alpha.development.ids[type]!);
      for (const id of strangers)
        expect(withoutRequestIds(await mutate(tokens[caller], mutation, selection, input(id, alpha)))).toEqual(withoutRequestIds(invented));

      const code = caller === 'machine' && onlyForPeople ? 'FORBIDDEN' : 'NOT_FOUND';
      const path = code === 'FORBIDDEN' ? [mutation] : [mutation, ...place];
      const answer = path.length > 1 ? { errors: [], results: [null] } : null;
      expect(invented).toMatchObject({ data: { [mutation]: answer }, errors: [{ path, extensions: { code } }] });
      expect(await digestOfEverything(gatehouse)).toBe(before);
    },
  );
});

function mutate(token: string, mutation: string, selection: string, input: object): Promise<GraphAnswer<unknown>> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) ${selection} }`;
  if (mutation !== 'importUsers') return ask(gatehouse, token, document, { input });
  return upload(gatehouse, token, document, { input }, 'variables.input.file', new File(['email\nmine@people.test\n'], 'mine.csv'));
}

/** An answer as it is for everybody: what differs from request to request left out. */
function withoutRequestIds({ status, data, errors }: GraphAnswer<unknown>) {
  return { status, data, errors: errors.map(({ extensions: { requestId: _, ...extensions }, ...error }) => ({ ...error, extensions })) };
}
