import { beforeAll, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { postToken } from '../helpers/user-agent.ts';
import { digestOfEverything, makeWorld, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
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

  const answer = await ask(gatehouse, token, ROTATE, { id: applicationId });
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
