import { beforeAll, describe, expect, test } from 'vitest';
import { createApplication } from '../../src/features/applications/service.ts';
import { graphql } from '../generated/index.ts';
import { codeIn, startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { type Machine, makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
});

const WHO = graphql(`
  query Who($environmentId: ID!, $businessId: ID!) {
    viewer { kind }
    environment(id: $environmentId) { users { totalCount } organizations { totalCount } }
    business(id: $businessId) { name }
  }
`);

const who = (token: string | undefined) =>
  ask(gatehouse, token, WHO, { environmentId: world.ids.Environment, businessId: world.businessId });

const REFUSED = {
  status: 401,
  data: null,
  errors: [
    { message: expect.stringContaining('bearer token'), extensions: { code: 'UNAUTHENTICATED', requestId: expect.stringMatching(/\S/) } },
  ],
};

describe('a token that is not for the graph is refused before anything is read', () => {
  test('one of no form at all', async () => {
    const machine = await tokenOf(world.production.machine);
    const [header, payload, signature] = machine.split('.');
    const unsigned = `${btoa('{"alg":"none"}').replaceAll('=', '')}.${payload}.`;
    for (const token of [
      'x',
      'a.b.c',
      unsigned,
      `${header}.${payload}.${signature!.slice(0, -4)}AAAA`,
      `${header}.${payload}`,
      `${machine} x`,
    ])
      expect(await who(token)).toMatchObject(REFUSED);
    expect((await who('x')).headers.get('www-authenticate')).toBe(
      `Bearer error="invalid_token", resource_metadata="${gatehouse.baseUrl}/.well-known/oauth-protected-resource/graphql"`,
    );
  });

  test('a machine’s for another API', async () => {
    const { applicationId, issuer, clientId, clientSecret } = world.production.machine;
    await authorize(applicationId, world.ids.Api!, ['read:things']);
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience: 'https://alpha.test' };
    const { body } = await postToken(issuer, form);
    expect(body['scope']).toBe('read:things');
    expect(await who(body['access_token'])).toMatchObject(REFUSED);
  });

  test('an end user’s, even when the application may ask for the management API', async () => {
    const ctx = operator(gatehouse);
    const callbackUrls = ['http://localhost:8080/callback'];
    const { application } = await createApplication(ctx, { environmentId: world.ids.Environment, name: 'App', type: 'spa', callbackUrls });
    expect(await who(await endUserToken(application.id, {}))).toMatchObject(REFUSED);

    const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId: world.ids.Environment, isManagement: true } });
    await authorize(application.id, management.id, ['read:users']);
    const { issuer } = world.production.machine;
    expect(await who(await endUserToken(application.id, { audience: `${issuer}/api` }))).toMatchObject(REFUSED);
  });

  test('an ID token, though it is signed by the same issuer', async () => {
    const { body } = await signIn(
      gatehouse.quickstart.account.issuer,
      gatehouse.quickstart.account.applications[0]!.clientId,
      'owner@acme.test',
      {},
    );
    expect(await who(body['id_token'])).toMatchObject(REFUSED);
  });

  test('one that has expired', async () => {
    const token = await tokenOf(world.production.machine);
    expect(await who(token)).toMatchObject({ status: 200, errors: [] });
    gatehouse.advance(86_401);
    expect(await who(token)).toMatchObject(REFUSED);
  });
});

describe('a token’s power ends', () => {
  test('with the application', async () => {
    const machine = await newMachine();
    const token = await tokenOf(machine);
    expect(await who(token)).toMatchObject({ status: 200, errors: [] });
    await prisma().application.delete({ where: { environmentId_id: key(machine.applicationId) } });
    gatehouse.app.infrastructure.lookups.forget();
    expect(await who(token)).toMatchObject(REFUSED);
  });

  test('with the application’s authorisation for the management API', async () => {
    const machine = await newMachine();
    const token = await tokenOf(machine);
    await prisma().applicationApi.deleteMany({ where: { applicationId: machine.applicationId } });
    gatehouse.app.infrastructure.lookups.forget();
    expect(await who(token)).toMatchObject(REFUSED);
  });

  test('scope by scope', async () => {
    const machine = await newMachine();
    const token = await tokenOf(machine);
    const scopes = ['read:businesses', 'read:environments', 'read:organizations'];
    await prisma().applicationApi.updateMany({ where: { applicationId: machine.applicationId }, data: { scopes } });
    gatehouse.app.infrastructure.lookups.forget();
    const { data, errors } = await who(token);
    expect(data?.environment).toEqual({ users: null, organizations: { totalCount: expect.any(Number) } });
    expect(errors).toMatchObject([{ path: ['environment', 'users'], extensions: { code: 'FORBIDDEN', permission: 'read:users' } }]);
  });

  test('and never grows beyond the scopes that it was issued with', async () => {
    const token = await tokenOf(await newMachine(), 'read:environments read:organizations');
    const { data, errors } = await who(token);
    expect(data).toMatchObject({ environment: { users: null, organizations: {} }, business: null });
    expect(errors.map(({ extensions }) => extensions.permission).sort()).toEqual(['read:businesses', 'read:users']);
  });

  test('with the place on the team', async () => {
    const token = await signInMember(gatehouse, world.businessId, 'leaver@team.test', ['admin']);
    expect(await who(token)).toMatchObject({ status: 200, errors: [] });
    await prisma().teamMember.deleteMany({ where: { user: { identities: { some: { normalized: 'leaver@team.test' } } } } });
    const { data, errors } = await who(token);
    expect(data).toEqual({ viewer: { kind: 'TEAM_MEMBER' }, environment: null, business: null });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  });

  test('with a role', async () => {
    const { memberId } = await makeMember(gatehouse, world.businessId, 'demoted@team.test', ['admin']);
    const token = await teamToken(gatehouse, 'demoted@team.test');
    const invite = `mutation { inviteTeamMember(input: { businessId: "${world.businessId}", email: "x@team.test", roles: [ADMIN] }) { errors { code } } }`;
    expect(await ask(gatehouse, token, invite)).toMatchObject({ errors: [] });
    await prisma().teamMember.updateMany({ where: { id: memberId }, data: { roles: ['read_only'] } });
    expect(await ask(gatehouse, token, invite)).toMatchObject({ errors: [{ extensions: { permission: 'create:team_members' } }] });
  });

  test.each(['suspended', 'deleted'] as const)('with the person: %s', async (what) => {
    const email = `${what}@team.test`;
    const { userId } = await makeMember(gatehouse, world.businessId, email, ['owner']);
    const token = await teamToken(gatehouse, email);
    expect(await who(token)).toMatchObject({ status: 200, errors: [] });
    if (what === 'suspended') await prisma().user.updateMany({ where: { id: userId }, data: { isSuspended: true } });
    else await prisma().user.deleteMany({ where: { id: userId } });
    expect(await who(token)).toMatchObject(REFUSED);
    const found = `mutation { createBusiness(input: { name: "Mine", region: IE }) { errors { code } } }`;
    expect(await ask(gatehouse, token, found)).toMatchObject(REFUSED);
  });
});

const prisma = () => gatehouse.app.infrastructure.database.prisma;
const key = (id: string) => ({ environmentId: world.ids.Environment, id });

async function authorize(applicationId: string, apiId: string, scopes: string[]): Promise<void> {
  const row = { environmentId: world.ids.Environment, applicationId, apiId };
  await prisma().applicationApi.upsert({
    where: { environmentId_applicationId_apiId: row },
    create: { ...row, scopes },
    update: { scopes },
  });
}

/** A second machine of the production environment, with all the scopes of the first. */
async function newMachine(): Promise<Machine> {
  const { machine } = world.production;
  const { application, clientSecret } = await createApplication(operator(gatehouse), {
    environmentId: world.ids.Environment,
    name: 'Machine',
    type: 'm2m',
  });
  const granted = await prisma().applicationApi.findFirstOrThrow({
    where: { applicationId: machine.applicationId, api: { isManagement: true } },
  });
  await authorize(application.id, granted.apiId, granted.scopes);
  return { ...machine, applicationId: application.id, clientId: application.id.slice('app_'.length), clientSecret: clientSecret! };
}

async function endUserToken(applicationId: string, parameters: Record<string, string>): Promise<string> {
  const { body } = await signIn(world.production.machine.issuer, applicationId.slice('app_'.length), 'alpha-user@people.test', {
    org_code: world.ids.Organization,
    ...parameters,
  });
  expect(body['access_token']).toMatch(/^ey/);
  return body['access_token'];
}

/** Signs a person in by a mailed code, and answers with the token response. */
async function signIn(issuer: string, clientId: string, email: string, parameters: Record<string, string>) {
  const redirectUri = 'http://localhost:8080/callback';
  const agent = userAgent(gatehouse.baseUrl);
  const { url, verifier } = authorizationUrl({ issuer, clientId, redirectUri, parameters });
  const after = await gatehouse.mailCount(email);
  const page = await agent.submit(await agent.open(url), 'identify', { p_email: email });
  const done = await agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
  const code = new URL(done.url).searchParams.get('code')!;
  return postToken(issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id: clientId,
    code_verifier: verifier,
  });
}
