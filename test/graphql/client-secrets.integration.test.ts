import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { MACHINE_SCOPES } from '../../src/access/permissions.ts';
import { PERMISSIONS_OF_ROLE } from '../../src/access/team-roles.ts';
import { createApiScope } from '../../src/features/apis/scopes/service.ts';
import { authorizeApplication, createApi } from '../../src/features/apis/service.ts';
import { createApplication } from '../../src/features/applications/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { postToken } from '../helpers/user-agent.ts';
import { digestOfEverything, type Machine, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let owner: string;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  token = await signInMember(gatehouse, world.businessId, 'engineer@alpha.test', ['engineer']);
});

const CREATE = graphql(`
  mutation NewApplication($input: CreateApplicationInput!) {
    createApplication(input: $input) {
      errors { code }
      clientSecret
      application { id clientId name type emailSignIn callbackUrls logoutUrls accessTokenLifetime }
    }
  }
`);
const ROTATE = graphql(`
  mutation NewSecret($id: ID!) {
    rotateApplicationSecret(input: { applicationId: $id }) { errors { code path } clientSecret application { id } }
  }
`);
const KEYS = graphql(`
  mutation OwnKeys($input: UpdateApplicationKeysInput!) {
    updateApplicationKeys(input: $input) { errors { code } application { id } }
  }
`);
const input = () => ({
  environmentId: world.ids.Environment,
  name: 'Web',
  callbackUrls: ['https://app.test/cb'],
  logoutUrls: ['https://app.test'],
});

test('a client secret is shown when the application is made, and has what SDKs expect of one', async () => {
  const answer = await ask(gatehouse, token, CREATE, { input: { ...input(), type: 'REG' } });
  const { application, clientSecret } = answer.data!.createApplication!;
  expect(clientSecret).toMatch(/^[A-Za-z0-9]{40,60}$/);
  expect(application).toEqual({
    id: `app_${application!.clientId}`,
    clientId: expect.stringMatching(/^[0-9a-f]{32}$/),
    name: 'Web',
    type: 'REG',
    emailSignIn: 'CODE',
    callbackUrls: ['https://app.test/cb'],
    logoutUrls: ['https://app.test'],
    accessTokenLifetime: 86_400,
  });
  expect(await auditOf(answer)).toMatchObject([{ action: 'application.created', targetId: application!.id, details: { type: 'reg' } }]);
});

test.each(['SPA', 'DEVICE'] as const)('no secret is given to a public client: %s', async (type) => {
  const { data } = await ask(gatehouse, token, CREATE, { input: { ...input(), type } });
  expect(data?.createApplication).toMatchObject({ errors: [], clientSecret: null, application: { type } });
});

test('a secret stops working at once when it is rotated, and is kept nowhere', async () => {
  const { issuer, clientId, clientSecret: old, applicationId } = world.production.machine;
  const grant = async (secret: string) =>
    (await postToken(issuer, { grant_type: 'client_credentials', client_id: clientId, client_secret: secret, audience: `${issuer}/api` }))
      .status;
  expect(await grant(old)).toBe(200);

  const answer = await ask(gatehouse, owner, ROTATE, { id: applicationId });
  const { clientSecret, application } = answer.data!.rotateApplicationSecret!;
  expect(application).toEqual({ id: applicationId });
  expect(clientSecret).toMatch(/^[A-Za-z0-9]{40,60}$/);
  expect(clientSecret).not.toBe(old);
  expect([await grant(old), await grant(clientSecret!)]).toEqual([401, 200]);
  expect(await auditOf(answer)).toMatchObject([{ action: 'application.secret_rotated', targetId: applicationId, details: {} }]);

  for (const secret of [old, clientSecret!]) {
    expect(gatehouse.log()).not.toContain(secret);
    expect(await rowsWith(secret)).toEqual([]);
  }
});

test('there is nothing to rotate where there is no secret', async () => {
  const { data } = await ask(gatehouse, token, CREATE, { input: { ...input(), type: 'SPA' } });
  const before = await digestOfEverything(gatehouse);
  const answer = await ask(gatehouse, token, ROTATE, { id: data!.createApplication!.application!.id });
  expect(answer.data?.rotateApplicationSecret).toEqual({
    errors: [{ code: 'NO_SECRET', path: ['applicationId'] }],
    clientSecret: null,
    application: null,
  });
  expect(await digestOfEverything(gatehouse)).toBe(before);
});

describe('nobody comes by the proof of an application that may do more in the graph than they', () => {
  const jwks = { keys: [{ ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'mine' }] };

  /** A machine of the environment with these scopes of its management API. */
  async function machineWith(scopes: readonly string[], apis: readonly string[] = []): Promise<Machine> {
    const ctx = operator(gatehouse);
    const environmentId = world.ids.Environment;
    const { application, clientSecret } = await createApplication(ctx, { environmentId, name: 'Machine', type: 'm2m' });
    const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
    if (scopes.length > 0) await authorizeApplication(ctx, environmentId, application.id, management.id, scopes);
    for (const apiId of apis) await authorizeApplication(ctx, environmentId, application.id, apiId);
    const { issuer } = world.production.machine;
    return { applicationId: application.id, clientId: application.id.slice('app_'.length), clientSecret: clientSecret!, issuer };
  }

  /** Every way to a proof of an application, one after the other. */
  async function attempts(of: string, applicationId: string): Promise<GraphAnswer<object>[]> {
    const answers: GraphAnswer<object>[] = [await ask(gatehouse, of, ROTATE, { id: applicationId })];
    for (const keys of [{ jwks }, { jwks: null }, { jwksUri: 'https://mine.test/keys' }])
      answers.push(await ask(gatehouse, of, KEYS, { input: { applicationId, ...keys } }));
    return answers;
  }

  async function expectRefused(of: string, applicationId: string, permission: string): Promise<void> {
    const before = await digestOfEverything(gatehouse);
    for (const { data, errors } of await attempts(of, applicationId)) {
      expect(Object.values(data!)).toEqual([null]);
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', permission } }]);
    }
    expect(await digestOfEverything(gatehouse)).toBe(before);
  }

  async function expectGiven(of: string, applicationId: string): Promise<void> {
    for (const { data, errors } of await attempts(of, applicationId))
      expect({ data: data && Object.values(data), errors }).toMatchObject({ data: [{ errors: [] }], errors: [] });
  }

  test('not a machine that may rotate secrets and nothing else', async () => {
    const thief = await tokenOf(await machineWith(['update:application_secrets']));
    const strong = await machineWith(['update:application_secrets', 'delete:users']);
    await expectRefused(thief, strong.applicationId, 'delete:users');
    expect((await ask(gatehouse, await tokenOf(strong), '{ viewer { kind } }')).errors).toEqual([]);
  });

  test('not an Engineer, of a machine that may do what an Engineer may not', async () => {
    const beyond = MACHINE_SCOPES.find((scope) => !PERMISSIONS_OF_ROLE.engineer.has(scope))!;
    await expectRefused(token, (await machineWith(['read:users', beyond])).applicationId, beyond);
  });

  test('not with a token that is good for less than its application', async () => {
    const machine = await machineWith(['update:application_secrets', 'read:users']);
    await expectRefused(await tokenOf(machine, 'update:application_secrets'), machine.applicationId, 'read:users');
    await expectGiven(await tokenOf(machine), machine.applicationId);
  });

  test('not of a web application either, and not before the ordinary permission is asked', async () => {
    const ctx = operator(gatehouse);
    const environmentId = world.ids.Environment;
    const { application } = await createApplication(ctx, { environmentId, name: 'Web', type: 'reg' });
    const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
    await authorizeApplication(ctx, environmentId, application.id, management.id, ['delete:users']);
    await expectRefused(await tokenOf(await machineWith(['update:application_secrets'])), application.id, 'delete:users');
    await expectRefused(await tokenOf(await machineWith(['delete:users'])), application.id, 'update:application_secrets');
  });

  test('who holds all of it may, and anybody with the permission where there is nothing of the graph', async () => {
    const holder = await tokenOf(await machineWith(['update:application_secrets', 'read:users', 'read:roles']));
    await expectGiven(holder, (await machineWith(['read:roles', 'read:users'])).applicationId);
    const ctx = operator(gatehouse);
    const environmentId = world.ids.Environment;
    const { id: apiId } = await createApi(ctx, { environmentId, name: 'Own', audience: 'https://own.test' });
    await createApiScope(ctx, { apiId, name: 'delete:users' });
    await expectGiven(holder, (await machineWith([], [apiId])).applicationId);
    await expectGiven(token, (await machineWith([])).applicationId);
  });
});

function auditOf(answer: GraphAnswer<unknown>) {
  const requestId = answer.headers.get('x-request-id');
  return gatehouse.app.infrastructure.database.prisma.auditEvent.findMany({ where: { requestId } });
}

/** The tables, the job queue's among them, that hold a text anywhere. */
async function rowsWith(text: string): Promise<string[]> {
  const { database } = gatehouse.app.infrastructure;
  const tables = await database.query<{ name: string }>(
    'every-table',
    `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
      WHERE table_schema IN ('public', 'pgboss') AND table_type = 'BASE TABLE'`,
    [],
  );
  const found = await Promise.all(
    tables.map(async ({ name }) => ({
      name,
      rows: await database.query(`search ${name}`, `SELECT 1 FROM ${name} t WHERE strpos(t::text, $1) > 0`, [text]),
    })),
  );
  return found.filter(({ rows }) => rows.length > 0).map(({ name }) => name);
}
