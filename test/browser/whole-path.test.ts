/** The whole path of a newcomer, in real Chromium, with openid-client as the application and mail read from the mailbox. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import * as oidc from 'openid-client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { codeIn, freePort, startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask, upload } from '../helpers/graph.ts';
import { machineToken, postToken, teamToken } from '../helpers/user-agent.ts';

const gatehouse = startApp();
const browser = openBrowser();

const JANE = 'jane.roe@example.test';
const PASSWORD = 'correct horse battery';

let application: oidc.Configuration;
let home: string;
let applicationServer: Server;
beforeAll(async () => {
  const port = await freePort();
  home = `http://localhost:${port}`;
  applicationServer = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><title>app</title>'),
  );
  await new Promise<void>((resolve) => applicationServer.listen(port, 'localhost', resolve));
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({
    where: { type: 'spa' },
    data: { callbackUrls: { push: `${home}/callback` }, logoutUrls: { push: home } },
  });
  gatehouse.app.infrastructure.lookups.forget();
  application = await oidc.discovery(new URL(gatehouse.quickstart.issuer), gatehouse.application('spa').clientId, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
});
afterAll(() => applicationServer?.close());

/** Starts a sign-in of `relyingParty` and returns what finishes it: tokens, once the browser is at the callback. */
async function startSignIn(page: Page, relyingParty: oidc.Configuration, parameters: Record<string, string> = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(relyingParty, {
    redirect_uri: `${home}/callback`,
    scope: 'openid profile email offline',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  await page.goto(url.href);
  return async () => {
    await page.waitForURL(`${home}/callback?*`);
    return oidc.authorizationCodeGrant(relyingParty, new URL(page.url()), { pkceCodeVerifier, expectedState, expectedNonce });
  };
}

async function typeCode(page: Page, address: string, after = 0) {
  await page.locator('[name=p_confirmation_code]').waitFor();
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(address, { after })));
  await page.click('button[type=submit]');
}

test('a person signs up by mailed code, uses the application, signs out, and signs in again with the password', async () => {
  const page = await browser.newPage();
  const problems = capturing(page);

  const finish = await startSignIn(page, application, { prompt: 'create' });
  await page.fill('[name=p_first_name]', 'Jane');
  await page.fill('[name=p_last_name]', 'Roe');
  await page.fill('[name=p_email]', JANE);
  await page.click('button[type=submit]');
  await typeCode(page, JANE);
  await page.fill('[name=p_first_password]', PASSWORD);
  await page.fill('[name=p_second_password]', PASSWORD);
  await page.click('button[type=submit]');
  const tokens = await finish();

  const claims = tokens.claims()!;
  expect(claims).toMatchObject({ iss: gatehouse.baseUrl, email: JANE, email_verified: true, given_name: 'Jane', family_name: 'Roe' });
  expect(claims['org_codes']).toEqual([expect.stringMatching(/^org_[0-9a-f]{32}$/)]);
  const profile = await oidc.fetchUserInfo(application, tokens.access_token, claims.sub);
  expect(profile).toMatchObject({ sub: claims.sub, id: claims.sub, email: JANE, name: 'Jane Roe' });

  const refreshed = await oidc.refreshTokenGrant(application, tokens.refresh_token!);
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
  expect(refreshed.claims()?.sub).toBe(claims.sub);

  await page.goto(oidc.buildEndSessionUrl(application, { post_logout_redirect_uri: home, id_token_hint: refreshed.id_token! }).href);
  await page.waitForURL(`${home}/`);
  await expect(oidc.refreshTokenGrant(application, refreshed.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' });

  const finishAgain = await startSignIn(page, application);
  await page.fill('[name=p_email]', JANE);
  await page.click('button[type=submit]');
  await page.fill('[name=p_password]', PASSWORD);
  await page.click('button[type=submit]');
  expect((await finishAgain()).claims()?.sub).toBe(claims.sub);
  expect(await gatehouse.mailCount(JANE)).toBe(1);
  expect(problems).toEqual([]);
});

test('the Owner signs in at account by mailed code and reads the businesses', async () => {
  const page = await browser.newPage();
  const { account, owner } = gatehouse.quickstart;
  const dashboard = await oidc.discovery(new URL(account.issuer), account.applications[0]!.clientId, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
  const finish = await startSignIn(page, dashboard, { audience: account.managementAudience });
  await page.fill('[name=p_email]', owner.email);
  await page.click('button[type=submit]');
  await typeCode(page, owner.email);
  const { access_token } = await finish();
  const { data, errors } = await ask(gatehouse, access_token, graphql(`query Businesses { viewer { businesses { nodes { name } } } }`));
  expect(errors).toEqual([]);
  expect(data?.viewer?.businesses.nodes).toEqual([{ name: 'Acme' }]);
});

test('a member with only Marketing reads users, and no contacts', async () => {
  const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  const business = (await ask(gatehouse, owner, graphql(`query AcmeId { businesses { nodes { id environments { nodes { id } } } } }`)))
    .data!.businesses!.nodes[0]!;
  const invited = await ask(
    gatehouse,
    owner,
    graphql(`mutation Invite($input: InviteTeamMemberInput!) { inviteTeamMember(input: $input) { invitation { state } errors { code } } }`),
    { input: { businessId: business.id!, email: 'mark@acme.test', roles: ['MARKETING'] } },
  );
  expect(invited.errors).toEqual([]);
  const page = await browser.newPage();
  const link = /http\S+team-invitation\S+/.exec((await gatehouse.mailTo('mark@acme.test')).text)![0];
  await page.goto(link);
  await page.click('button[type=submit]');
  await typeCode(page, 'mark@acme.test', 1);
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();

  const { data, errors } = await ask(
    gatehouse,
    await teamToken(gatehouse, 'mark@acme.test'),
    graphql(`query MarketingUsers($id: ID!) { environment(id: $id) { users { totalCount nodes { firstName email } } } }`),
    { id: business.environments!.nodes[0]!.id },
  );
  expect(data?.environment?.users).toMatchObject({ totalCount: 1, nodes: [{ firstName: 'Jane', email: null }] });
  expect(errors).toMatchObject([
    { path: ['environment', 'users', 'nodes', 0, 'email'], extensions: { code: 'FORBIDDEN', permission: 'read:user_contacts' } },
  ]);
});

test('a machine reads and writes the graph; an import of the documented CSV lets its users in with their old passwords', async () => {
  const token = await machineToken(gatehouse);
  const made = await ask(
    gatehouse,
    token,
    graphql(
      `mutation MakeOrganization($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id name externalId } errors { code } } }`,
    ),
    { input: { name: 'ABC', externalId: 'abc001' } },
  );
  expect(made.data?.createOrganization).toMatchObject({ organization: { name: 'ABC', externalId: 'abc001' }, errors: [] });

  const md5 = (password: string) => createHash('md5').update(password).digest('hex');
  const csv = `email,first_name,last_name,email_verified,hashed_password,hashing_method,external_organization_id
bills@company.com,bill,smith,TRUE,${md5('bills old one')},md5,abc001
carlosg@company.com,carlos,garcia,TRUE,${md5('carlos old one')},md5,abc001
lliu@company.com,lee,liu,FALSE,${md5('lees old one')},md5,xyz002
`;
  // An Admin imports, as people do.
  const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  const { data } = await ask(gatehouse, token, graphql(`query OwnEnvironment { environment { id business { id } } }`));
  await ask(
    gatehouse,
    owner,
    graphql(`mutation InviteAdmin($input: InviteTeamMemberInput!) { inviteTeamMember(input: $input) { errors { code } } }`),
    {
      input: { businessId: data!.environment!.business!.id, email: 'ada@acme.test', roles: ['ADMIN'] },
    },
  );
  const admin = await teamToken(gatehouse, 'ada@acme.test');
  const started = await upload<{ importUsers: { import: { id: string } } }>(
    gatehouse,
    admin,
    'mutation ($input: ImportUsersInput!) { importUsers(input: $input) { import { id } errors { code } } }',
    { input: { environmentId: data!.environment!.id, file: null } },
    'variables.input.file',
    new File([csv], 'users.csv', { type: 'text/csv' }),
  );
  expect(started.errors).toEqual([]);
  const progress = graphql(`
    query Progress($id: ID!) { node(id: $id) { ... on Import { state createdUsers rejectedLines warnings issues { nodes { line code } } } } }
  `);
  await expect
    .poll(async () => (await ask(gatehouse, admin, progress, { id: started.data!.importUsers.import.id })).data?.node, { timeout: 20_000 })
    .toEqual({
      state: 'COMPLETED',
      createdUsers: 3,
      rejectedLines: 0,
      warnings: 1,
      issues: { nodes: [{ line: 4, code: 'organization_not_found' }] },
    });

  const page = await browser.newPage();
  const finish = await startSignIn(page, application);
  await page.fill('[name=p_email]', 'bills@company.com');
  await page.click('button[type=submit]');
  await page.fill('[name=p_password]', 'bills old one');
  await page.click('button[type=submit]');
  const tokens = await finish();
  expect(tokens.claims()).toMatchObject({
    email: 'bills@company.com',
    given_name: 'bill',
    org_codes: [made.data!.createOrganization!.organization!.id],
  });
});

test('a token of one environment finds nothing of another by id, list, search or count', async () => {
  const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  const environments = (
    await ask(gatehouse, owner, graphql(`query Environments { businesses { nodes { environments { nodes { id domain } } } } }`))
  ).data!.businesses!.nodes[0]!.environments!.nodes;
  const development = environments.find(({ domain }) => domain === 'acme-dev')!.id;
  const user = await ask(
    gatehouse,
    owner,
    graphql(`mutation MakeUser($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }`),
    { input: { environmentId: development, email: 'only.here@example.test', firstName: 'Onlyhere' } },
  );
  const machine = await machineToken(gatehouse);
  const { data } = await ask(
    gatehouse,
    machine,
    graphql(`
      query Foreign($user: ID!, $environment: ID!) {
        node(id: $user) { id }
        foreign: environment(id: $environment) { id }
        environment { users(search: "onlyhere") { totalCount nodes { id } } all: users { nodes { id } } }
      }
    `),
    { user: user.data!.createUser!.user!.id, environment: development },
  );
  expect(data).toMatchObject({ node: null, foreign: null, environment: { users: { totalCount: 0, nodes: [] } } });
  expect(data?.environment?.all?.nodes.map(({ id }) => id)).not.toContain(user.data!.createUser!.user!.id);

  // And the applications of one issuer are strangers at the other.
  const m2m = gatehouse.application('m2m');
  const foreign = await postToken(`${gatehouse.baseUrl}/e/acme-dev`, {
    grant_type: 'client_credentials',
    client_id: m2m.clientId,
    client_secret: m2m.clientSecret!,
    audience: `${gatehouse.baseUrl}/e/acme-dev/api`,
  });
  expect(foreign).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
});
