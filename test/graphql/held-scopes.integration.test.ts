/** Scopes of APIs that roles bring and members hold: in one environment, of the business's own APIs, and where they come from. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createApiScope } from '../../src/features/apis/scopes/service.ts';
import { createApi, managementScopes } from '../../src/features/apis/service.ts';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { digestOfEverything, type EnvironmentWorld, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const ADD_TO_ROLE = graphql(`mutation AddRoleScope($input: AddRoleScopeInput!) { addRoleScope(input: $input) {
  role { version } preview { rows { kind created updated deleted } } errors { code path }
} }`);
const REMOVE_FROM_ROLE = graphql(`mutation RemoveRoleScope($input: RemoveRoleScopeInput!) { removeRoleScope(input: $input) {
  role { version } preview { rows { kind created updated deleted } } errors { code path }
} }`);
const ADD_TO_MEMBER = graphql(`mutation AddMemberScope($input: AddMemberScopeInput!) { addMemberScope(input: $input) {
  member { scopes { name } } preview { rows { kind created deleted } } errors { code path }
} }`);
const REMOVE_FROM_MEMBER = graphql(`mutation RemoveMemberScope($input: RemoveMemberScopeInput!) { removeMemberScope(input: $input) {
  member { scopes { name } } preview { rows { kind created deleted } } errors { code path }
} }`);
const ROLE =
  graphql(`query ScopesOfRole($id: ID!, $first: Int = 10, $after: String, $environmentId: ID) { node(id: $id) { ... on Role { scopes(first: $first, after: $after, environmentId: $environmentId) {
  totalCount nodes { environmentId scope { name api { audience } } } pageInfo { endCursor hasNextPage }
} } } }`);
const MEMBER = graphql(`query ScopesOfMember($id: ID!) { node(id: $id) { ... on OrganizationMember {
  scopes { name api { audience } } effectiveScopes { scope { name api { audience } } isDirect roleKeys }
} } }`);

const gatehouse = startApp();
let world: World;
let other: World;
let owner: string;
/** Scopes of an API of each environment, by name. */
let production: Record<string, string>;
let development: Record<string, string>;

async function scopesOf({ environmentId }: EnvironmentWorld, audience: string): Promise<Record<string, string>> {
  const ctx = operator(gatehouse);
  const { id: apiId } = await createApi(ctx, { environmentId, name: 'Invoices', audience });
  const made: Record<string, string> = {};
  for (const verb of ['read', 'send', 'void']) made[verb] = (await createApiScope(ctx, { apiId, name: `${verb}:invoices` })).id;
  return made;
}

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  other = await makeWorld(gatehouse, 'beta');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  production = await scopesOf(world.production, 'https://invoices.test');
  development = await scopesOf(world.development, 'https://invoices-dev.test');
});

let made = 0;
async function newRole(): Promise<{ id: string; key: string }> {
  return createRole(operator(gatehouse), { businessId: world.businessId, key: `role-${++made}`, name: 'Role' });
}

async function newMember(roleIds: string[], { environmentId } = world.production): Promise<string> {
  const ctx = operator(gatehouse);
  const { id: userId } = await createUser(ctx, { environmentId, email: `person-${++made}@scopes.test` });
  const { id: organizationId } = await createOrganization(ctx, { environmentId, name: 'Members' });
  return (await addOrganizationMember(ctx, { organizationId, userId, roleIds })).id;
}

async function addToRole(roleId: string, scopeId: string | undefined, token = owner) {
  const { data, errors } = await ask(gatehouse, token, ADD_TO_ROLE, { input: { roleId, scopeId: scopeId! } });
  return { role: data?.addRoleScope?.role, codes: data?.addRoleScope?.errors.map(({ code }) => code), errors };
}

async function namesOf(roleId: string, token = owner, environmentId?: string): Promise<string[]> {
  const { data, errors } = await ask(gatehouse, token, ROLE, { id: roleId, environmentId });
  expect(errors).toEqual([]);
  const { scopes } = data!.node as Extract<typeof data extends { node?: infer N } | null ? N : never, { scopes?: unknown }>;
  expect(scopes!.totalCount).toBe(scopes!.nodes.length);
  return scopes!.nodes.map((row) => `${row.scope!.name} at ${row.scope!.api!.audience}`);
}

describe('a role', () => {
  test('brings other scopes in each environment; a machine is shown and changes only those of its own', async () => {
    const { id } = await newRole();
    for (const scopeId of [production['read'], development['send'], production['send']])
      expect(await addToRole(id, scopeId)).toMatchObject({ codes: [] });
    const [ofProduction, ofDevelopment] = [
      ['read:invoices at https://invoices.test', 'send:invoices at https://invoices.test'],
      ['send:invoices at https://invoices-dev.test'],
    ];
    expect((await namesOf(id)).sort()).toEqual([...ofProduction, ...ofDevelopment].sort());
    expect(await namesOf(id, owner, world.development.environmentId)).toEqual(ofDevelopment);
    expect(await namesOf(id, owner, other.production.environmentId)).toEqual([]);

    const machine = await tokenOf(world.development.machine);
    expect(await namesOf(id, machine)).toEqual(ofDevelopment);
    expect(await namesOf(id, machine, world.production.environmentId)).toEqual([]);
    const before = await digestOfEverything(gatehouse);
    const refused = await addToRole(id, production['void'], machine);
    expect(refused.errors[0]!.extensions.code).toBe('NOT_FOUND');
    const removed = await ask(gatehouse, machine, REMOVE_FROM_ROLE, { input: { roleId: id, scopeId: production['read']! } });
    expect(removed.errors[0]!.extensions.code).toBe('NOT_FOUND');
    expect(await digestOfEverything(gatehouse)).toBe(before);
    expect((await addToRole(id, development['void'], machine)).codes).toEqual([]);
    expect(await namesOf(id, machine)).toEqual([...ofDevelopment, 'void:invoices at https://invoices-dev.test']);
  });

  test('is paged through, each scope once', async () => {
    const { id } = await newRole();
    for (const scopeId of [...Object.values(production), ...Object.values(development)]) await addToRole(id, scopeId);
    const seen: string[] = [];
    let after: string | null | undefined;
    do {
      const { data } = await ask(gatehouse, owner, ROLE, { id, first: 4, after });
      const { scopes } = data!.node as never as {
        scopes: { nodes: { environmentId: string; scope: { name: string } }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
      };
      seen.push(...scopes.nodes.map(({ environmentId, scope }) => `${environmentId} ${scope.name}`));
      after = scopes.pageInfo.hasNextPage ? scopes.pageInfo.endCursor : undefined;
    } while (after);
    expect([seen.length, new Set(seen).size]).toEqual([6, 6]);
  });

  test('brings each scope once, however often it is added at the same moment, and counts its versions', async () => {
    const { id: roleId } = await newRole();
    const answers = await Promise.all([0, 1, 2, 3].map(() => addToRole(roleId, production['read'])));
    expect(answers.map(({ role }) => role!.version).every((version) => version! > 1)).toBe(true);
    expect(await namesOf(roleId)).toEqual(['read:invoices at https://invoices.test']);
    const input = { roleId, scopeId: production['send']!, expectedVersion: 5 };
    const rivals = await Promise.all([0, 1, 2].map(() => ask(gatehouse, owner, ADD_TO_ROLE, { input })));
    expect(rivals.flatMap(({ data }) => data!.addRoleScope!.errors.map(({ code }) => code))).toEqual(['CONFLICT', 'CONFLICT']);
    for (const version of [7, 8]) {
      const { data } = await ask(gatehouse, owner, REMOVE_FROM_ROLE, { input: { roleId, scopeId: production['read']! } });
      expect(data!.removeRoleScope).toEqual({ role: { version }, preview: null, errors: [] });
    }
    expect(await namesOf(roleId)).toEqual(['send:invoices at https://invoices.test']);
  });

  test('has no room for one scope too many, not even of two that are added at the same moment', async () => {
    const ctx = operator(gatehouse);
    const { environmentId, ids } = world.production;
    const { id: roleId } = await newRole();
    const scopes = Array.from({ length: 99 }, (_, at) => ({
      environmentId,
      id: `api_scope_${String(at).padStart(32, '0')}`,
      apiId: ids['Api']!,
      name: `many:${at}`,
    }));
    await ctx.db.apiScope.createMany({ data: scopes });
    const row = { environmentId, roleId, businessId: world.businessId };
    await ctx.db.roleScope.createMany({ data: scopes.map(({ id: scopeId }) => ({ ...row, scopeId })) });
    const answers = await Promise.all(['read', 'send', 'void'].map((verb) => addToRole(roleId, production[verb])));
    expect(answers.flatMap(({ codes }) => codes)).toEqual(['TOO_MANY', 'TOO_MANY']);
    expect(await ctx.db.roleScope.count({ where: row })).toBe(100);
    expect((await addToRole(roleId, development['read'])).codes).toEqual([]);
  });

  test('brings no scope of the management API, nor one of another business', async () => {
    const ctx = operator(gatehouse);
    const { id } = await newRole();
    const before = await digestOfEverything(gatehouse);
    for (const [{ environmentId }, expected] of [
      [world.production, { codes: ['MANAGEMENT_SCOPE'] }],
      [other.production, { errors: [{ extensions: { code: 'NOT_FOUND' } }] }],
    ] as const) {
      const api = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
      for (const scope of managementScopes(api).filter(({ name }) => ['read:users', 'delete:users'].includes(name)))
        expect(await addToRole(id, scope.id)).toMatchObject(expected);
    }
    expect(await addToRole(id, other.production.ids['ApiScope'])).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(await addToRole(other.ids.Role, production['read'])).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('is shown in a dry run with what would be written, and nothing is changed', async () => {
    const { id: roleId } = await newRole();
    await addToRole(roleId, production['read']);
    const before = await digestOfEverything(gatehouse);
    const role = { kind: 'roles', created: 0, updated: 1, deleted: 0 };
    const added = await ask(gatehouse, owner, ADD_TO_ROLE, { input: { roleId, scopeId: production['send']!, dryRun: true } });
    expect(added.data!.addRoleScope!.preview!.rows).toEqual([{ kind: 'role_scopes', created: 1, updated: 0, deleted: 0 }, role]);
    const removed = await ask(gatehouse, owner, REMOVE_FROM_ROLE, { input: { roleId, scopeId: production['read']!, dryRun: true } });
    expect(removed.data!.removeRoleScope!.preview!.rows).toEqual([{ kind: 'role_scopes', created: 0, updated: 0, deleted: 1 }, role]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('takes no new scope on a plan without them; what it brings stays, and can be taken away', async () => {
    const ctx = operator(gatehouse);
    const small = await makeWorld(gatehouse, 'small', 'plus');
    const token = await signInMember(gatehouse, small.businessId, 'owner@small.test', ['owner']);
    const { id: roleId } = await createRole(ctx, { businessId: small.businessId, key: 'new', name: 'New' });
    const [scopeId, organizationMemberId] = [small.ids['ApiScope']!, small.ids['OrganizationMember']!];
    expect((await addToRole(roleId, scopeId, token)).codes).toEqual([]);
    await ctx.db.business.update({ where: { id: small.businessId }, data: { plan: 'pro' } });
    expect((await addToRole(roleId, scopeId, token)).codes).toEqual(['PLAN_LIMIT']);
    const member = await ask(gatehouse, token, ADD_TO_MEMBER, { input: { organizationMemberId, scopeId } });
    expect(member.data!.addMemberScope!.errors).toEqual([{ code: 'PLAN_LIMIT', path: ['scopeId'] }]);
    expect(await namesOf(roleId, token)).toEqual(['read:things at https://small.test']);
    expect((await ask(gatehouse, token, REMOVE_FROM_ROLE, { input: { roleId, scopeId } })).data!.removeRoleScope!.errors).toEqual([]);
    expect(await namesOf(roleId, token)).toEqual([]);
  });
});

describe('a member', () => {
  test('holds what its roles bring in its environment and what it was given itself, each said once with where it comes from', async () => {
    const [clerk, boss] = [await newRole(), await newRole()];
    for (const scopeId of [production['read'], development['void']]) await addToRole(clerk.id, scopeId);
    for (const scopeId of [production['read'], production['send']]) await addToRole(boss.id, scopeId);
    const id = await newMember([clerk.id, boss.id]);
    for (const scopeId of [production['void']!, production['read']!, production['read']!]) {
      const { data } = await ask(gatehouse, owner, ADD_TO_MEMBER, { input: { organizationMemberId: id, scopeId } });
      expect(data!.addMemberScope!.errors).toEqual([]);
    }
    const api = { audience: 'https://invoices.test' };
    const read = { name: 'read:invoices', api };
    const gone = { name: 'void:invoices', api };
    const sent = { scope: { name: 'send:invoices', api }, isDirect: false, roleKeys: [boss.key] };
    expect((await ask(gatehouse, owner, MEMBER, { id })).data!.node).toEqual({
      scopes: [read, gone],
      effectiveScopes: [
        { scope: read, isDirect: true, roleKeys: [clerk.key, boss.key].sort() },
        sent,
        { scope: gone, isDirect: true, roleKeys: [] },
      ],
    });
    for (const [scopeId, left] of [
      [production['read']!, [{ name: 'void:invoices' }]],
      [production['send']!, [{ name: 'void:invoices' }]],
      [production['void']!, []],
    ] as const) {
      const { data } = await ask(gatehouse, owner, REMOVE_FROM_MEMBER, { input: { organizationMemberId: id, scopeId } });
      expect(data!.removeMemberScope).toEqual({ member: { scopes: left }, preview: null, errors: [] });
    }
    expect((await ask(gatehouse, owner, MEMBER, { id })).data!.node).toEqual({
      scopes: [],
      effectiveScopes: [{ scope: read, isDirect: false, roleKeys: [clerk.key, boss.key].sort() }, sent],
    });
    const details = { userId: expect.any(String), scopeId: production['void'] };
    const ctx = operator(gatehouse);
    expect(
      await ctx.db.auditEvent.findMany({
        where: { details: { path: ['scopeId'], equals: production['void']! }, action: { startsWith: 'organization.' } },
        orderBy: { id: 'asc' },
        select: { action: true, details: true },
      }),
    ).toEqual([
      { action: 'organization.member_scope_added', details },
      { action: 'organization.member_scope_removed', details },
    ]);
  });

  test('holds no scope of another environment, of another business or of the management API', async () => {
    const ctx = operator(gatehouse);
    const organizationMemberId = await newMember([]);
    const { environmentId } = world.production;
    const api = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
    const foreign = await ctx.db.api.findFirstOrThrow({ where: { environmentId: world.development.environmentId, isManagement: true } });
    const before = await digestOfEverything(gatehouse);
    for (const scopeId of [development['read']!, other.production.ids['ApiScope']!, managementScopes(foreign)[0]!.id]) {
      const { errors } = await ask(gatehouse, owner, ADD_TO_MEMBER, { input: { organizationMemberId, scopeId } });
      expect(errors[0]!.extensions.code).toBe('NOT_FOUND');
    }
    const input = { organizationMemberId, scopeId: managementScopes(api)[0]!.id };
    const { data } = await ask(gatehouse, owner, ADD_TO_MEMBER, { input });
    expect(data!.addMemberScope!.errors).toEqual([{ code: 'MANAGEMENT_SCOPE', path: ['scopeId'] }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('loses a scope with the role that brought it, and all of them with the membership', async () => {
    const ctx = operator(gatehouse);
    const { id: roleId } = await newRole();
    await addToRole(roleId, production['send']);
    const id = await newMember([roleId]);
    await ask(gatehouse, owner, ADD_TO_MEMBER, { input: { organizationMemberId: id, scopeId: production['read']! } });
    const dry = await ask(gatehouse, owner, REMOVE_FROM_MEMBER, {
      input: { organizationMemberId: id, scopeId: production['read']!, dryRun: true },
    });
    expect(dry.data!.removeMemberScope!.preview!.rows).toEqual([{ kind: 'membership_scopes', created: 0, deleted: 1 }]);
    await ask(gatehouse, owner, 'mutation ($id: ID!) { deleteRole(input: { roleId: $id }) { deletedId } }', { id: roleId });
    const { data } = await ask(gatehouse, owner, MEMBER, { id });
    expect(data!.node).toMatchObject({ effectiveScopes: [{ scope: { name: 'read:invoices' }, isDirect: true, roleKeys: [] }] });
    expect(await ctx.db.roleScope.count({ where: { roleId } })).toBe(0);
    const remove = 'mutation ($id: ID!) { removeOrganizationMember(input: { organizationMemberId: $id }) { deletedId } }';
    await ask(gatehouse, owner, remove, { id });
    expect(await ctx.db.membershipScope.count({ where: { membershipId: id } })).toBe(0);
  });
});

test('a scope of the management API leads to that API too', async () => {
  const query = '{ environment { apis(first: 20) { nodes { isManagement audience scopes { id api { audience isManagement } } } } } }';
  interface Apis {
    environment: { apis: { nodes: { isManagement: boolean; audience: string; scopes: { id: string; api: object }[] }[] } };
  }
  const { data, errors } = await ask<Apis, object>(gatehouse, await tokenOf(world.production.machine), query);
  expect(errors).toEqual([]);
  const { nodes } = data!.environment.apis;
  const { audience, scopes } = nodes.find(({ isManagement }) => isManagement)!;
  for (const { api } of scopes) expect(api).toEqual({ audience, isManagement: true });
  const one = 'query ($id: ID!) { node(id: $id) { ... on ApiScope { api { audience } } } }';
  expect((await ask(gatehouse, owner, one, { id: scopes[0]!.id })).data).toEqual({ node: { api: { audience } } });
});
