import { beforeAll, describe, expect, test } from 'vitest';
import { createApplication } from '../../src/features/applications/service.ts';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser, refreshSearchContacts } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { explained } from './explained.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let foreign: World;
let token: string;
/** The ids of the people below, as they were made. */
const made: string[] = [];
let roleId: string;
let permissionId: string;

interface Person {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSignedInAt: Date | null;
}
let people: Person[];
let organizations: { id: string; name: string; createdAt: Date }[];

const day = (number: number) => new Date(Date.UTC(2026, 0, number));

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  foreign = await makeWorld(gatehouse, 'beta');
  token = await tokenOf(world.production.machine);
  const ctx = operator(gatehouse);
  const environmentId = world.ids.Environment;
  permissionId = world.ids.Permission;
  roleId = (await createRole(ctx, { businessId: world.businessId, key: 'rare', name: 'Rare' })).id;
  // Ties in both columns, and people who have never signed in.
  const signIns = [null, day(9), day(5), null, day(5), day(5), day(7), null, day(30)];
  for (const [at, lastSignedInAt] of signIns.entries()) {
    const { id } = await createUser(ctx, {
      environmentId,
      email: `Person-${at}@people.test`,
      firstName: `Person ${at}`,
      providedId: `old-${at}`,
    });
    made.push(id);
    await ctx.db.user.update({
      where: { environmentId_id: { environmentId, id } },
      data: { lastSignedInAt, createdAt: day(1 + Math.floor(at / 3)), isSuspended: at % 4 === 1 },
    });
    const member = await addOrganizationMember(ctx, {
      organizationId: world.ids.Organization,
      userId: id,
      roleIds: at === 4 ? [roleId] : [],
    });
    await ctx.db.membership.updateMany({ where: { id: member.id }, data: { createdAt: day(1 + (at % 3)) } });
  }
  for (const [type, normalized] of [
    ['phone', '+353861'],
    ['username', 'two'],
  ] as const) {
    const identity = { environmentId, id: newId('identity'), userId: made[2]!, type, value: normalized, normalized };
    await ctx.db.identity.create({ data: identity });
  }
  await refreshSearchContacts(ctx, environmentId, made[2]!);
  for (const name of ['Zebra', 'acme', 'Acme', 'Acme', 'Åkesson', 'Mid']) await createOrganization(ctx, { environmentId, name });
  await ctx.db.organization.updateMany({
    where: { environmentId, name: 'Mid' },
    data: { isSuspended: true, handle: 'mid', createdAt: day(2) },
  });
  await ctx.db.user.updateMany({ where: { environmentId, id: world.ids.User }, data: { createdAt: day(20) } });
  people = await ctx.db.user.findMany({ where: { environmentId } });
  organizations = await ctx.db.organization.findMany({ where: { environmentId } });
});

interface Page {
  readonly totalCount?: number;
  readonly nodes: { id: string }[];
  readonly pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean; hasPreviousPage: boolean };
}

/** Where a list is, as the type and the field that lead to it. */
const PLACES = {
  users: 'Environment',
  organizations: 'Environment',
  applications: 'Environment',
  imports: 'Environment',
  members: 'Organization',
  roles: 'Business',
  permissions: 'Business',
} as const;
type List = keyof typeof PLACES;

/** Asks for a page of a list of the business, of its environment or of its organization. */
async function answer(list: List, args: string, { as = token, fields = 'totalCount nodes { id }' } = {}) {
  const type = PLACES[list];
  const document = `{ at: node(id: "${world.ids[type]}") { ... on ${type} { list: ${list}(${args}) { ${fields} } } } }`;
  return ask<{ at: { list: Page } }, never>(gatehouse, as, document);
}

async function idsOf(list: List, args: string): Promise<string[]> {
  const { data, errors } = await answer(list, args);
  expect(errors).toEqual([]);
  const ids = data!.at.list.nodes.map(({ id }) => id);
  expect(data!.at.list.totalCount).toBe(ids.length);
  return ids;
}

/** All ids of a list, read in pages from its start or its end. */
async function readThrough(list: List, args: string, size: number, from: 'start' | 'end'): Promise<string[]> {
  const ids: string[] = [];
  const fields = 'nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }';
  for (let [place, pages] = [from === 'start' ? `first: ${size}` : `last: ${size}`, 0]; place; pages++) {
    const { data, errors } = await answer(list, `${args} ${place}`, { fields });
    expect(errors).toEqual([]);
    const { nodes, pageInfo } = data!.at.list;
    const found = nodes.map(({ id }) => id);
    if (from === 'start') ids.push(...found);
    else ids.unshift(...found);
    if (from === 'start') place = pageInfo.hasNextPage ? `first: ${size} after: "${pageInfo.endCursor}"` : '';
    else place = pageInfo.hasPreviousPage ? `last: ${size} before: "${pageInfo.startCursor}"` : '';
    if (pages > 30) throw new Error('The list has no end.');
  }
  return ids;
}

/** The ids in the order of a key, then of the ids, as bytes. */
function sorted<Row extends { id: string }>(rows: readonly Row[], key: (row: Row) => number | string, direction: 'ASC' | 'DESC'): string[] {
  const compare = (a: number | string, b: number | string) => (a < b ? -1 : a > b ? 1 : 0);
  const ids = [...rows].sort((a, b) => compare(key(a), key(b)) || compare(a.id, b.id)).map(({ id }) => id);
  return direction === 'ASC' ? ids : ids.reverse();
}

const DIRECTIONS = ['ASC', 'DESC'] as const;
const ENDS = ['start', 'end'] as const;
const SIZES = [1, 3, 4, 100];
const each = DIRECTIONS.flatMap((direction) => ENDS.flatMap((end) => SIZES.map((size) => [direction, end, size] as const)));

describe('users sorted', () => {
  test.each(each)('by their last sign-in, %s, from the %s, in pages of %i', async (direction, end, size) => {
    const args = `orderBy: { field: LAST_SIGNED_IN_AT direction: ${direction} }`;
    expect(await readThrough('users', args, size, end)).toEqual(
      sorted(people, ({ lastSignedInAt }) => lastSignedInAt?.getTime() ?? 0, direction),
    );
  });

  test.each(each)('by when they were made, %s, from the %s, in pages of %i', async (direction, end, size) => {
    const args = `orderBy: { field: CREATED_AT direction: ${direction} }`;
    expect(await readThrough('users', args, size, end)).toEqual(sorted(people, ({ createdAt }) => createdAt.getTime(), direction));
  });

  test.each(each)('and narrowed by a search and a filter, %s, from the %s, in pages of %i', async (direction, end, size) => {
    const args = `search: "person" filter: { isSuspended: false } orderBy: { field: LAST_SIGNED_IN_AT direction: ${direction} }`;
    const { db } = operator(gatehouse);
    const rows = await db.user.findMany({ where: { environmentId: world.ids.Environment, isSuspended: false } });
    expect(await readThrough('users', args, size, end)).toEqual(
      sorted(rows, ({ lastSignedInAt }) => lastSignedInAt?.getTime() ?? 0, direction),
    );
  });
});

describe('organizations sorted', () => {
  test.each(each)('by name, %s, from the %s, in pages of %i', async (direction, end, size) => {
    const args = `orderBy: { field: NAME direction: ${direction} }`;
    const all = await readThrough('organizations', args, size, end);
    expect([...all].sort()).toEqual(organizations.map(({ id }) => id).sort());
    expect(all).toEqual(await idsOf('organizations', args));
    const names = all.map((id) => organizations.find((organization) => organization.id === id)!.name);
    const [first, second] = direction === 'ASC' ? ['Acme', 'Zebra'] : ['Zebra', 'Acme'];
    expect(names.indexOf(first!)).toBeLessThan(names.indexOf(second!));
  });
});

describe('members sorted', () => {
  test.each(each)('by when they joined, %s, from the %s, in pages of %i', async (direction, end, size) => {
    const where = { environmentId: world.ids.Environment, organizationId: world.ids.Organization };
    const rows = await operator(gatehouse).db.membership.findMany({ where });
    const args = `orderBy: { field: CREATED_AT direction: ${direction} }`;
    expect(await readThrough('members', args, size, end)).toEqual(sorted(rows, ({ createdAt }) => createdAt.getTime(), direction));
  });
});

describe('users filtered', () => {
  const names = async (filter: string) => {
    const { data, errors } = await answer('users', `filter: { ${filter} } first: 100`, { fields: 'totalCount nodes { id }' });
    expect(errors).toEqual([]);
    const { nodes, totalCount } = data!.at.list;
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ id }) => made.indexOf(id)).sort();
  };

  test.each([
    ['createdAt: { before: "2026-01-02T00:00:00Z" }', [0, 1, 2]],
    ['createdAt: { from: "2026-01-02T00:00:00Z" before: "2026-01-03T00:00:00Z" }', [3, 4, 5]],
    ['createdAt: { from: "2026-01-03T00:00:00Z" before: "2026-01-04T00:00:00Z" }', [6, 7, 8]],
    ['lastSignedInAt: { from: "2026-01-07T00:00:00Z" }', [1, 6, 8]],
    ['lastSignedInAt: { before: "2026-01-07T00:00:00Z" } isSuspended: false', [-1, 0, 2, 3, 4, 7]],
    ['lastSignedInAt: { from: "2026-01-01T00:00:00Z" before: "2026-01-07T00:00:00Z" }', [2, 4, 5]],
    ['isSuspended: true', [1, 5]],
    ['providedId: "old-6"', [6]],
    ['providedId: "old-"', []],
    ['email: "PERSON-3@people.test"', [3]],
    ['email: " person-3@people.test "', [3]],
    ['email: "person-3"', []],
    ['email: "+353861"', []],
    ['phone: "+353861"', [2]],
    ['username: "Two"', [2]],
    ['username: "two" phone: "+353861"', [2]],
    ['username: "two" email: "person-3@people.test"', []],
    ['isSuspended: null email: null createdAt: null organizationId: null providedId: "old-6"', [6]],
    ['createdAt: {} isSuspended: true', [1, 5]],
  ])('by { %s } are %j', async (filter, expected) => {
    expect(await names(filter)).toEqual(expected);
  });

  test('by an organization are its members, and nobody for another tenant’s', async () => {
    expect(await idsOf('users', `filter: { organizationId: "${world.ids.Organization}" }`)).toHaveLength(made.length + 1);
    expect(await idsOf('users', `filter: { organizationId: "${(await organizationNamed('Zebra')).id}" }`)).toEqual([]);
    expect(await idsOf('users', `filter: { organizationId: "${foreign.ids.Organization}" }`)).toEqual([]);
  });

  test.each([
    ['email: "person-3@people.test"', 'read:user_contacts'],
    ['phone: "+353861"', 'read:user_contacts'],
    ['username: "two"', 'read:user_contacts'],
  ])('by { %s } take %s', async (filter, permission) => {
    const marketing = await signInMember(gatehouse, world.businessId, `marketing-${filter.length}@alpha.test`, ['marketing']);
    const { data, errors } = await answer('users', `filter: { ${filter} }`, { as: marketing });
    expect(data?.at.list).toBeNull();
    expect(errors.map(({ path, extensions }) => ({ path, code: extensions.code, permission: extensions.permission }))).toEqual([
      { path: ['at', 'list'], code: 'FORBIDDEN', permission },
    ]);
    const without = await answer('users', 'filter: { providedId: "old-6" email: null }', { as: marketing });
    expect(without).toMatchObject({ errors: [], data: { at: { list: { totalCount: 1 } } } });
  });

  test('by a contact are explained to take what they take', async () => {
    const document = 'query ($email: String) { environment { users(filter: { email: $email }) { totalCount } } }';
    const narrow = await tokenOf(world.production.machine, 'read:environments read:users');
    const permissions = async (variables: object) => {
      const { coordinates } = await explained(gatehouse, narrow, { document, variables });
      const users = coordinates.filter(({ coordinate }) => coordinate === 'Environment.users');
      return users.map(({ permission, isAllowed }) => ({ permission, isAllowed }));
    };
    const reading = { permission: 'read:users', isAllowed: true };
    expect(await permissions({})).toEqual([reading]);
    expect(await permissions({ email: null })).toEqual([reading]);
    expect(await permissions({ email: 'person-3@people.test' })).toEqual([reading, { permission: 'read:user_contacts', isAllowed: false }]);
  });

  test('by an organization take read:organization_users', async () => {
    const narrow = await tokenOf(world.production.machine, 'read:environments read:users read:organizations');
    const { data, errors } = await answer('users', `filter: { organizationId: "${world.ids.Organization}" }`, { as: narrow });
    expect(data?.at.list).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', permission: 'read:organization_users' } }]);
  });
});

async function organizationNamed(name: string) {
  return organizations.find((organization) => organization.name === name)!;
}

describe('organizations filtered', () => {
  test.each([
    ['isSuspended: true', ['Mid']],
    ['handle: "mid"', ['Mid']],
    ['externalId: "alpha"', ['alpha-organization']],
    ['externalId: "beta"', []],
    ['createdAt: { before: "2026-01-03T00:00:00Z" }', ['Mid']],
  ])('by { %s } are %j', async (filter, names) => {
    const ids = await idsOf('organizations', `filter: { ${filter} }`);
    expect(ids.map((id) => organizations.find((organization) => organization.id === id)!.name)).toEqual(names);
  });
});

describe('members filtered', () => {
  const userOf = async (id: string) =>
    (await operator(gatehouse).db.membership.findFirstOrThrow({ where: { environmentId: world.ids.Environment, id } })).userId;

  test('by a role are those who hold it there', async () => {
    const ids = await idsOf('members', `filter: { roleId: "${roleId}" }`);
    expect(await Promise.all(ids.map(userOf))).toEqual([made[4]]);
    expect(await idsOf('members', `filter: { roleId: "${foreign.ids.Role}" }`)).toEqual([]);
  });

  test('by a permission are those who hold it there directly', async () => {
    const ids = await idsOf('members', `filter: { permissionId: "${permissionId}" }`);
    expect(await Promise.all(ids.map(userOf))).toEqual([world.ids.User]);
  });

  test('by a time are those who joined in it, and by a search those whom it finds', async () => {
    const filter = 'filter: { createdAt: { before: "2026-01-02T00:00:00Z" } }';
    expect(await Promise.all((await idsOf('members', filter)).map(userOf))).toEqual([made[0], made[3], made[6]].sort());
    expect(await Promise.all((await idsOf('members', `${filter} search: "person 3"`)).map(userOf))).toEqual([made[3]]);
    expect(await idsOf('members', 'search: "nobody here"')).toEqual([]);
    expect(await idsOf('members', 'search: "@"')).toEqual([]);
    expect(await idsOf('members', 'search: " "')).toHaveLength(made.length + 1);
  });

  test.each([
    ['search: "person"', 'read:users'],
    ['filter: { roleId: "role_x" }', 'read:organization_user_roles'],
    ['filter: { permissionId: "perm_x" }', 'read:organization_user_permissions'],
  ])('by %s take %s', async (args, permission) => {
    const narrow = await tokenOf(world.production.machine, 'read:environments read:organizations read:organization_users');
    const { data, errors } = await answer('members', args, { as: narrow });
    expect(data?.at.list).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', permission } }]);
  });
});

describe('the small lists', () => {
  test('of applications are narrowed by type, time and a part of the name or the client id', async () => {
    const { applicationId, clientId } = world.production.machine;
    const spa = (await createApplication(operator(gatehouse), { environmentId: world.ids.Environment, name: '100% Web', type: 'spa' }))
      .application.id;
    expect(await idsOf('applications', 'filter: { type: M2M }')).toEqual([applicationId]);
    expect(await idsOf('applications', 'filter: { type: SPA } search: "0% w"')).toEqual([spa]);
    expect(await idsOf('applications', 'filter: { type: DEVICE }')).toEqual([]);
    expect(await idsOf('applications', 'filter: { createdAt: { before: "2026-01-01T00:00:00Z" } }')).toEqual([]);
    expect(await idsOf('applications', `search: "${clientId.slice(4, 20)}"`)).toContain(applicationId);
    expect(await idsOf('applications', 'search: "%w"')).toEqual([]);
    const all = await operator(gatehouse).db.application.findMany({ where: { environmentId: world.ids.Environment } });
    expect(await idsOf('applications', 'orderBy: { field: CREATED_AT, direction: DESC }')).toEqual(
      sorted(all, ({ createdAt }) => createdAt.getTime(), 'DESC'),
    );
  });

  test('of imports are narrowed by state', async () => {
    expect(await idsOf('imports', 'filter: { state: COMPLETED }')).toEqual([world.ids.Import]);
    expect(await idsOf('imports', 'filter: { state: FAILED }')).toEqual([]);
    expect(await idsOf('imports', 'orderBy: { field: CREATED_AT }')).toEqual([world.ids.Import]);
  });

  test('of roles and permissions are searched by key and name, and sorted by key', async () => {
    expect(await idsOf('roles', 'search: "RARE"')).toEqual([roleId]);
    expect(await idsOf('roles', 'orderBy: { field: KEY direction: DESC }')).toEqual([roleId, world.ids.Role]);
    expect(await idsOf('roles', 'orderBy: { field: KEY }')).toEqual([world.ids.Role, roleId]);
    expect(await idsOf('permissions', 'search: "alpha:d"')).toEqual([permissionId]);
    expect(await idsOf('permissions', 'search: "alpha_d" orderBy: { field: KEY }')).toEqual([]);
  });
});
