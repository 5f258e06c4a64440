/** What APIs and authorisations are promised: nobody hands out what they do not hold, and what is taken counts at once. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { MACHINE_SCOPES } from '../../src/access/permissions.ts';
import { PERMISSIONS_OF_ROLE } from '../../src/access/team-roles.ts';
import { createApiScope } from '../../src/features/apis/scopes/service.ts';
import { authorizeApplication, createApi } from '../../src/features/apis/service.ts';
import { createApplication } from '../../src/features/applications/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { postToken } from '../helpers/user-agent.ts';
import { exchange, refresh, signUp } from '../signin/person.ts';
import { type Machine, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let owner: string;
let engineer: string;
let managementId: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  engineer = await signInMember(gatehouse, world.businessId, 'engineer@alpha.test', ['engineer']);
  const where = { environmentId: world.ids.Environment, isManagement: true };
  managementId = (await operator(gatehouse).db.api.findFirstOrThrow({ where })).id;
});

const SCOPES = graphql(`
  query ScopesOfApis($environmentId: ID!) {
    environment(id: $environmentId) { apis(first: 100) { nodes { id isManagement audience scopes { id name description } } } }
  }
`);
const SCOPE = graphql(`
  query OneScope($id: ID!) { node(id: $id) { id ... on ApiScope { name version createdAt } } }
`);
const AUTHORIZE = graphql(`
  mutation Authorize($input: UpdateApiApplicationsInput!) {
    updateApiApplications(input: $input) {
      errors { code path }
      api { applications { totalCount nodes { application { id } scopes } } }
      preview { rows { kind created updated deleted } }
    }
  }
`);
const ADD = graphql(`
  mutation OneScopeMore($input: AddApplicationScopeInput!) {
    addApplicationScope(input: $input) { errors { code } application { apis { nodes { api { id } scopes } } } }
  }
`);
const REMOVE = graphql(`
  mutation OneScopeLess($input: RemoveApplicationScopeInput!) {
    removeApplicationScope(input: $input) { errors { code } application { apis { nodes { api { id } scopes } } } }
  }
`);
const DELETE_SCOPE = graphql(`
  mutation NoMoreScope($input: DeleteApiScopeInput!) {
    deleteApiScope(input: $input) { errors { message } deletedId preview { rows { kind updated deleted } } }
  }
`);
const DELETE_API = graphql(`
  mutation NoMoreApi($input: DeleteApiInput!) { deleteApi(input: $input) { errors { code } deletedId } }
`);

/** A machine that is authorised for nothing yet. */
async function newMachine(): Promise<Machine> {
  const { application, clientSecret } = await createApplication(operator(gatehouse), {
    environmentId: world.ids.Environment,
    name: 'Machine',
    type: 'm2m',
  });
  const clientId = application.id.slice('app_'.length);
  return { applicationId: application.id, clientId, clientSecret: clientSecret!, issuer: world.production.machine.issuer };
}

describe('the management API', () => {
  test('shows the permissions of machines as its scopes, each with an id that finds it', async () => {
    const { data, errors } = await ask(gatehouse, owner, SCOPES, { environmentId: world.ids.Environment });
    expect(errors).toEqual([]);
    const api = data!.environment!.apis!.nodes.find(({ isManagement }) => isManagement)!;
    expect(api.scopes!.map(({ name }) => name)).toEqual(MACHINE_SCOPES);
    expect(new Set(api.scopes!.map(({ id }) => id)).size).toBe(MACHINE_SCOPES.length);
    for (const { id, name } of api.scopes!.slice(0, 3))
      expect(await ask(gatehouse, owner, SCOPE, { id })).toMatchObject({ data: { node: { id, name, version: 1 } }, errors: [] });

    const other = await makeWorld(gatehouse, 'beta');
    const stranger = await signInMember(gatehouse, other.businessId, 'owner@beta.test', ['owner']);
    expect(await ask(gatehouse, stranger, SCOPE, { id: api.scopes![0]!.id })).toMatchObject({ data: { node: null }, errors: [] });
    const marketing = await signInMember(gatehouse, world.businessId, 'marketing@alpha.test', ['marketing']);
    expect((await ask(gatehouse, marketing, SCOPE, { id: api.scopes![0]!.id })).data).toEqual({ node: null });
  });

  test('has scopes that nobody deletes', async () => {
    const { data } = await ask(gatehouse, owner, SCOPES, { environmentId: world.ids.Environment });
    const scopeId = data!.environment!.apis!.nodes.find(({ isManagement }) => isManagement)!.scopes![0]!.id;
    expect(await ask(gatehouse, owner, DELETE_SCOPE, { input: { scopeId } })).toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  });
});

describe('nobody hands out what they do not hold', () => {
  const notHeld = MACHINE_SCOPES.filter((scope) => !PERMISSIONS_OF_ROLE.engineer.has(scope));

  test('an Engineer makes a machine no stronger than itself, for any scope in any way', async () => {
    const { applicationId } = await newMachine();
    const apiId = managementId;
    expect(notHeld.length).toBeGreaterThan(20);
    for (const scope of notHeld) {
      const refused = { errors: [{ extensions: { code: 'FORBIDDEN', permission: scope } }] };
      const authorize = [{ applicationId, scopes: ['read:users', scope] }];
      expect(await ask(gatehouse, engineer, AUTHORIZE, { input: { apiId, authorize } })).toMatchObject(refused);
    }
    expect(await operator(gatehouse).db.applicationApi.count({ where: { applicationId } })).toBe(0);

    const held = MACHINE_SCOPES.filter((scope) => PERMISSIONS_OF_ROLE.engineer.has(scope));
    const { data, errors } = await ask(gatehouse, engineer, AUTHORIZE, {
      input: { apiId, authorize: [{ applicationId, scopes: held }] },
    });
    expect({ data: data?.updateApiApplications?.errors, errors }).toEqual({ data: [], errors: [] });
    for (const scope of notHeld.slice(0, 5))
      expect(await ask(gatehouse, engineer, ADD, { input: { apiId, applicationId, scope } })).toMatchObject({
        errors: [{ extensions: { code: 'FORBIDDEN', permission: scope } }],
      });
  });

  test('a machine makes itself no stronger', async () => {
    const machine = await newMachine();
    const ctx = operator(gatehouse);
    const scopes = ['update:apis', 'create:api_application_scopes', 'read:apis', 'read:applications'];
    await authorizeApplication(ctx, world.ids.Environment, machine.applicationId, managementId, scopes);
    const token = await tokenOf(machine);
    const { applicationId } = machine;
    const apiId = managementId;
    for (const answer of [
      await ask(gatehouse, token, ADD, { input: { apiId, applicationId, scope: 'delete:users' } }),
      await ask(gatehouse, token, AUTHORIZE, { input: { apiId, authorize: [{ applicationId, scopes: [...scopes, 'delete:users'] }] } }),
    ])
      expect(answer).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN', permission: 'delete:users' } }] });
    // Not even what its application holds, with a token that does not.
    const narrow = await tokenOf(machine, 'create:api_application_scopes');
    for (const scope of ['update:apis', 'read:users'])
      expect(await ask(gatehouse, narrow, ADD, { input: { apiId, applicationId, scope } })).toMatchObject({
        errors: [{ extensions: { permission: scope } }],
      });
  });

  test('what is held by somebody already may stay, and be taken', async () => {
    const { applicationId } = await newMachine();
    await authorizeApplication(operator(gatehouse), world.ids.Environment, applicationId, managementId, ['delete:users', 'read:users']);
    const input = { apiId: managementId, authorize: [{ applicationId, scopes: ['delete:users'] }] };
    const kept = await ask(gatehouse, engineer, AUTHORIZE, { input });
    expect(kept).toMatchObject({ data: { updateApiApplications: { errors: [] } }, errors: [] });
    const taken = await ask(gatehouse, engineer, REMOVE, { input: { apiId: managementId, applicationId, scope: 'delete:users' } });
    expect(taken.data?.removeApplicationScope?.application?.apis?.nodes).toEqual([{ api: { id: managementId }, scopes: [] }]);
  });
});

describe('what is taken away', () => {
  test('counts at once for tokens of the management API that were issued before', async () => {
    const machine = await newMachine();
    const { applicationId } = machine;
    const apiId = managementId;
    const authorize = [{ applicationId, scopes: ['read:environments', 'read:users'] }];
    await ask(gatehouse, owner, AUTHORIZE, { input: { apiId, authorize } });
    const token = await tokenOf(machine);
    const scopes = async () => (await ask(gatehouse, token, '{ viewer { scopes } }')).data;
    expect(await scopes()).toEqual({ viewer: { scopes: ['read:environments', 'read:users'] } });

    const dry = await ask(gatehouse, owner, AUTHORIZE, { input: { apiId, revoke: [applicationId], dryRun: true } });
    expect(dry.data?.updateApiApplications?.preview?.rows).toEqual([{ kind: 'application_apis', created: 0, updated: 0, deleted: 1 }]);
    expect(await scopes()).toEqual({ viewer: { scopes: ['read:environments', 'read:users'] } });

    await ask(gatehouse, owner, REMOVE, { input: { apiId, applicationId, scope: 'read:users' } });
    expect(await scopes()).toEqual({ viewer: { scopes: ['read:environments'] } });
    await ask(gatehouse, owner, ADD, { input: { apiId, applicationId, scope: 'read:roles' } });
    expect(await scopes()).toEqual({ viewer: { scopes: ['read:environments'] } });
    await ask(gatehouse, owner, AUTHORIZE, { input: { apiId, revoke: [applicationId] } });
    expect(await ask(gatehouse, token, '{ viewer { scopes } }')).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  test('is in no token that a person’s refresh token leads to', async () => {
    const ctx = operator(gatehouse);
    const person = await signUp(gatehouse, { kind: 'spa', parameters: { audience: 'https://api.acme.test' } });
    const { body } = await exchange(gatehouse, person.first);
    expect(decodeJwt(body.access_token).aud).toEqual(['https://api.acme.test']);
    const applicationId = `app_${gatehouse.application('spa').clientId}`;
    await ctx.db.applicationApi.deleteMany({ where: { applicationId } });
    gatehouse.app.infrastructure.lookups.forget();
    expect(decodeJwt((await refresh(gatehouse, body.refresh_token)).body.access_token).aud).toEqual([]);
  });

  test('of parallel changes of an application’s scopes none is lost', async () => {
    const ctx = operator(gatehouse);
    const environmentId = world.ids.Environment;
    const { id: apiId } = await createApi(ctx, { environmentId, name: 'Busy', audience: 'https://busy.test' });
    const names = Array.from({ length: 8 }, (_, at) => `read:${at}`);
    for (const name of names) await createApiScope(ctx, { apiId, name });
    const { applicationId } = await newMachine();
    await ask(gatehouse, owner, AUTHORIZE, { input: { apiId, authorize: [{ applicationId }] } });
    await Promise.all([...names, ...names].map((scope) => ask(gatehouse, owner, ADD, { input: { apiId, applicationId, scope } })));
    const { data } = await ask(gatehouse, owner, AUTHORIZE, { input: { apiId, authorize: [{ applicationId }] } });
    const { totalCount, nodes } = data!.updateApiApplications!.api!.applications!;
    expect({ totalCount, scopes: nodes[0]!.scopes!.toSorted() }).toEqual({ totalCount: 1, scopes: names });
  });
});

test('a deleted scope is gone from applications, keys, roles and members; a deleted API from everywhere', async () => {
  const ctx = operator(gatehouse);
  const environmentId = world.ids.Environment;
  const { id: apiId } = await createApi(ctx, { environmentId, name: 'Doomed', audience: 'https://doomed.test' });
  const scope = await createApiScope(ctx, { apiId, name: 'read:it' });
  await createApiScope(ctx, { apiId, name: 'write:it' });
  const machine = await newMachine();
  await authorizeApplication(ctx, environmentId, machine.applicationId, apiId);
  const key = { environmentId, id: `api_key_${'0'.repeat(32)}`, apiId, name: 'Key', kind: 'environment', keyHash: 'x', hint: 'x' };
  await ctx.db.apiKey.create({ data: { ...key, scopes: ['read:it', 'write:it'] } });
  await ctx.db.roleScope.create({ data: { businessId: world.businessId, roleId: world.ids.Role, environmentId, scopeId: scope.id } });
  const token = () =>
    postToken(machine.issuer, {
      grant_type: 'client_credentials',
      client_id: machine.clientId,
      client_secret: machine.clientSecret,
      audience: 'https://doomed.test',
    });
  expect((await token()).body.scope).toBe('read:it write:it');

  const dry = await ask(gatehouse, owner, DELETE_SCOPE, { input: { scopeId: scope.id, dryRun: true } });
  expect(dry.data?.deleteApiScope?.preview?.rows).toEqual([
    { kind: 'api_keys', updated: 1, deleted: 0 },
    { kind: 'api_scopes', updated: 0, deleted: 1 },
    { kind: 'application_apis', updated: 1, deleted: 0 },
    { kind: 'role_scopes', updated: 0, deleted: 1 },
  ]);
  expect((await ask(gatehouse, owner, DELETE_SCOPE, { input: { scopeId: scope.id } })).data?.deleteApiScope?.deletedId).toBe(scope.id);
  expect((await token()).body.scope).toBe('write:it');
  expect((await ctx.db.apiKey.findFirstOrThrow({ where: { id: key.id } })).scopes).toEqual(['write:it']);
  expect(await ctx.db.roleScope.count({ where: { scopeId: scope.id } })).toBe(0);

  expect((await ask(gatehouse, owner, DELETE_API, { input: { apiId } })).data?.deleteApi).toEqual({ errors: [], deletedId: apiId });
  expect((await token()).body.error).toBe('unauthorized_client');
  expect(await ctx.db.apiKey.count({ where: { id: key.id } })).toBe(0);
});
