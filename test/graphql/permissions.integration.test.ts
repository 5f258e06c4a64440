import { type GraphQLObjectType, isObjectType } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { MACHINE_SCOPES } from '../../src/access/permissions.ts';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { refreshSearchContacts } from '../../src/features/users/service.ts';
import { schema } from '../../src/graphql/schema.ts';
import { newId } from '../../src/kernel/ids.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { FEATURES } from './cases/index.ts';
import { documentOf, everythingOf, reachable, type Selected } from './every-field.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const PEOPLE = graphql(`
  query People($environmentId: ID!, $search: String) {
    environment(id: $environmentId) {
      users(search: $search, first: 1) { totalCount nodes { id firstName email identities { value } } }
    }
  }
`);

const MAY_BE_ABSENT = new Set(FEATURES.flatMap(({ mayBeAbsent }) => mayBeAbsent ?? []));

const gatehouse = startApp();
let world: World;
const tokens = new Map<TeamRole, string>();

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'matrix');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, world.businessId, `${role}@matrix.test`, [role]));
});

/** What an answer shows, walked beside what was asked. */
interface Reading {
  /** The fields that were given. */
  readonly given: Set<string>;
  /** The refusals that there must be, as `path: permission`. */
  readonly refusals: string[];
}

function walk(fields: readonly Selected[], value: unknown, path: string, held: ReadonlySet<string>, reading: Reading): Reading {
  for (const { name, coordinate, permission, children } of fields) {
    const at = path + name;
    const answer = (value as Record<string, unknown>)[name];
    if (permission && !held.has(permission)) {
      expect(answer, at).toBeNull();
      reading.refusals.push(`${at}: ${permission}`);
      continue;
    }
    reading.given.add(coordinate);
    if (children.length === 0 || (answer === null && MAY_BE_ABSENT.has(coordinate))) continue;
    expect(answer, at).not.toBeNull();
    const { nodes } = answer as { nodes?: unknown[] };
    const rows = nodes ?? answer;
    const start = nodes ? `${at}.nodes` : at;
    if (Array.isArray(rows)) for (const [index, row] of rows.entries()) walk(children, row, `${start}.${index}.`, held, reading);
    else walk(children, rows, `${at}.`, held, reading);
  }
  return reading;
}

describe('reading', () => {
  test.each(TEAM_ROLES)('%s is given each field that the matrix allows, and a named refusal in the place of each other', async (role) => {
    const held = PERMISSIONS_OF_ROLE[role];
    const fields = everythingOf(world.ids);
    const { data, errors } = await ask(gatehouse, tokens.get(role), documentOf(fields));
    const { given, refusals } = walk(fields, data, '', held, { given: new Set(), refusals: [] });

    expect([...given].sort()).toEqual(reachable(fields, held));
    expect(errors.map(({ path, extensions }) => `${path?.join('.')}: ${extensions.permission}`).sort()).toEqual(refusals.sort());
    for (const { message, extensions } of errors)
      expect({ message, extensions }).toEqual({
        message: `This needs the permission ${extensions.permission}.`,
        extensions: { code: 'FORBIDDEN', permission: extensions.permission, requestId: expect.stringMatching(/\S/) },
      });
  });

  test.each([
    'read:environments read:users',
    'read:environments read:users read:user_contacts read:organization_users read:organizations',
    'read:businesses read:environments read:roles read:imports read:applications',
    MACHINE_SCOPES.join(' '),
  ])('a machine is given what its scopes say: %s', async (scopes) => {
    const held = new Set(scopes.split(' '));
    const fields = everythingOf(world.ids);
    const token = await tokenOf(world.production.machine, scopes);
    const { data, errors } = await ask(gatehouse, token, documentOf(fields));
    const { given, refusals } = walk(fields, data, '', held, { given: new Set(), refusals: [] });

    expect([...given].sort()).toEqual(reachable(fields, held));
    expect(errors.map(({ path, extensions }) => `${path?.join('.')}: ${extensions.permission}`).sort()).toEqual(refusals.sort());
  });

  test('these are all the fields that there are', () => {
    const gated = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && type !== schema.getMutationType() && type.name !== 'ChangePreview')
      .flatMap((type) => Object.values((type as GraphQLObjectType).getFields()).map((field) => ({ type, field })))
      .filter(({ field }) => field.extensions['permission'])
      .map(({ type, field }) => `${type.name}.${field.name}`);
    const reached = reachable(everythingOf(world.ids), PERMISSIONS_OF_ROLE.owner);
    const roots = FEATURES.flatMap((feature) => feature.roots ?? []);
    expect(gated.filter((name) => !reached.includes(name)).sort()).toEqual(['Query.businesses', ...roots].sort());
  });

  test('a member with only Marketing reads people, but not how to reach them', async () => {
    const { data, errors } = await ask(gatehouse, tokens.get('marketing'), PEOPLE, { environmentId: world.ids.Environment });
    expect(data?.environment?.users?.totalCount).toBe(1);
    expect(data?.environment?.users?.nodes).toEqual([{ id: world.ids.User, firstName: 'matrix-user', email: null, identities: null }]);
    expect(errors.map(({ path, extensions }) => ({ path, permission: extensions.permission }))).toEqual([
      { path: ['environment', 'users', 'nodes', 0, 'email'], permission: 'read:user_contacts' },
      { path: ['environment', 'users', 'nodes', 0, 'identities'], permission: 'read:user_contacts' },
    ]);
  });

  test.each(['matrix-user@', 'people.test', '+35386', '5551', 'nick_of', 'ni'])(
    'a search for %j finds nobody by a contact that the caller may not read',
    async (text) => {
      const { db } = operator(gatehouse);
      const environmentId = world.ids.Environment;
      for (const [type, normalized] of [
        ['phone', '+353865551234'],
        ['username', 'nick_of_user'],
      ] as const) {
        const identity = { environmentId, userId: world.ids.User, type, value: normalized, normalized };
        await db.identity.createMany({ data: [{ ...identity, id: newId('identity') }], skipDuplicates: true });
      }
      await refreshSearchContacts(operator(gatehouse), environmentId, world.ids.User);
      const search = { environmentId, search: text };
      const asMarketing = await ask(gatehouse, tokens.get('marketing'), PEOPLE, search);
      expect(asMarketing.data?.environment?.users).toEqual({ totalCount: 0, nodes: [] });
      const asSupport = await ask(gatehouse, tokens.get('customer_success'), PEOPLE, search);
      expect(asSupport.data?.environment?.users).toMatchObject({ totalCount: 1, nodes: [{ email: 'matrix-user@people.test' }] });
      await db.identity.deleteMany({ where: { environmentId, type: { in: ['phone', 'username'] } } });
      await refreshSearchContacts(operator(gatehouse), environmentId, world.ids.User);
    },
  );

  test('a node of a kind that the caller may not read is as if it were not there', async () => {
    const asMarketing = await ask(gatehouse, tokens.get('marketing'), `{ node(id: "${world.ids.Identity}") { __typename } }`);
    expect(asMarketing).toMatchObject({ data: { node: null }, errors: [] });
    const asSupport = await ask(gatehouse, tokens.get('customer_success'), `{ node(id: "${world.ids.Identity}") { __typename } }`);
    expect(asSupport.data).toEqual({ node: { __typename: 'Identity' } });
  });

  test('a list of businesses holds those of the caller, whatever its role', async () => {
    for (const token of tokens.values()) {
      const { data } = await ask(gatehouse, token, '{ businesses { totalCount nodes { id name } } }');
      expect(data).toEqual({ businesses: { totalCount: 1, nodes: [{ id: world.businessId, name: 'matrix' }] } });
    }
  });
});
