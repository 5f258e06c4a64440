/** Dynamic client registration (RFC 7591): off until an operator allows it, bounded, and without the rights of the business's own applications. */
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deleteUnusedClients, MAX_FROM_ADDRESS, MAX_IN_ENVIRONMENT, UNUSED_DAYS } from '../../src/features/dynamic-clients/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, postForm, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { newAddress, productionEnvironment } from '../signin/person.ts';

const gatehouse = startApp({ TRUST_PROXY: 'loopback' });
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const REDIRECT = 'https://agent.test/callback';

let token: string;
let environmentId: string;
beforeAll(async () => {
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  environmentId = (await productionEnvironment(gatehouse)).id;
});

const ALLOW = graphql(`
  mutation AllowDynamicRegistration($input: UpdateEnvironmentPoliciesInput!) {
    updateEnvironmentPolicies(input: $input) { errors { code } environment { policies { allowDynamicRegistration } } }
  }
`);

async function allow(allowDynamicRegistration: boolean): Promise<void> {
  const { data } = await ask(gatehouse, token, ALLOW, { input: { environmentId, allowDynamicRegistration } });
  expect(data?.updateEnvironmentPolicies).toEqual({ errors: [], environment: { policies: { allowDynamicRegistration } } });
}

let addresses = 0;
async function register(metadata: unknown, from = `198.51.100.${++addresses}`, issuer = gatehouse.quickstart.issuer) {
  const response = await fetch(`${issuer}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    body: JSON.stringify(metadata),
  });
  const text = await response.text();
  const body = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, headers: response.headers, body: body as Record<string, unknown> };
}

const discovery = async (issuer = gatehouse.quickstart.issuer) =>
  (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;

describe('until an operator allows it', () => {
  test('there is no such endpoint, in discovery or elsewhere', async () => {
    expect(await discovery()).not.toHaveProperty('registration_endpoint');
    expect((await register({ redirect_uris: [REDIRECT] })).status).toBe(404);
    expect(await prisma().application.count({ where: { isDynamic: true } })).toBe(0);
  });

  test('one environment allows it for itself alone, and can take it back', async () => {
    await allow(true);
    const { issuer, account } = gatehouse.quickstart;
    expect(await discovery()).toMatchObject({ registration_endpoint: `${issuer}/oauth2/register` });
    expect(await discovery(account.issuer)).not.toHaveProperty('registration_endpoint');
    expect((await register({ redirect_uris: [REDIRECT] }, undefined, account.issuer)).status).toBe(404);
    expect((await register({ redirect_uris: [REDIRECT] })).status).toBe(201);
    await allow(false);
    expect(await discovery()).not.toHaveProperty('registration_endpoint');
    expect((await register({ redirect_uris: [REDIRECT] })).status).toBe(404);
  });
});

describe('where it is allowed', () => {
  beforeEach(() => allow(true));
  afterEach(() => allow(false));

  test('a public client is registered without a secret, and the graph says that it did so itself', async () => {
    const { status, headers, body } = await register({
      client_name: 'An agent',
      redirect_uris: [REDIRECT, 'http://127.0.0.1/callback', 'com.agent.app:/callback'],
      client_uri: 'https://agent.test',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email admin',
      software_id: 'ignored',
    });
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(body).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      client_id_issued_at: expect.any(Number),
      client_name: 'An agent',
      redirect_uris: [REDIRECT, 'http://127.0.0.1/callback', 'com.agent.app:/callback'],
      client_uri: 'https://agent.test',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email',
    });
    const applicationId = `app_${body['client_id']}`;
    const { data } = await ask<{ node: object }, { id: string }>(
      gatehouse,
      token,
      'query ($id: ID!) { node(id: $id) { ... on Application { name isDynamic type } } }',
      { id: applicationId },
    );
    expect(data?.node).toEqual({ name: 'An agent', isDynamic: true, type: 'SPA' });
    const events = await prisma().auditEvent.findMany({ where: { targetId: applicationId } });
    expect(events.map(({ action }) => action)).toEqual(['application.registered']);
  });

  test('a client with keys has to prove itself by them', async () => {
    const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const keys = { token_endpoint_auth_method: 'private_key_jwt', redirect_uris: [REDIRECT] };
    const { status, body } = await register({ ...keys, jwks: { keys: [jwk] } });
    expect([status, body['token_endpoint_auth_method'], body['client_name']]).toEqual([201, 'private_key_jwt', 'agent.test']);
    expect(body).not.toHaveProperty('client_secret');
    for (const proof of [{} as Record<string, string>, { client_secret: '' }, { client_secret: 'x'.repeat(48) }]) {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: String(body['client_id']), ...proof };
      expect((await postToken(gatehouse.quickstart.issuer, form)).body.error).toBe('invalid_client');
    }
  });

  test.each([
    [{}],
    [{ redirect_uris: [] }],
    [{ redirect_uris: 'https://agent.test' }],
    [{ redirect_uris: [7] }],
    [{ redirect_uris: Array.from({ length: 11 }, (_, at) => `https://agent.test/${at}`) }],
    [{ redirect_uris: ['http://agent.test/callback'] }],
    [{ redirect_uris: ['https://*.agent.test/callback'] }],
    [{ redirect_uris: ['https://agent.test/#fragment'] }],
    [{ redirect_uris: ['https://user@agent.test/'] }],
    [{ redirect_uris: ['javascript:alert(1)'] }],
    [{ redirect_uris: [REDIRECT, 'data:text/html,x'] }],
  ])('redirect URIs such as %j are refused', async (metadata) => {
    const { status, body } = await register(metadata);
    expect([status, body]).toEqual([400, { error: 'invalid_redirect_uri', error_description: expect.any(String) }]);
  });

  test.each([
    ['nothing', null],
    ['a list', []],
    ['a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['a grant without a person', { grant_types: ['client_credentials'] }],
    ['another response type', { response_types: ['token'] }],
    ['a long name', { client_name: 'x'.repeat(101) }],
    ['a name that is none', { client_name: { en: 'x' } }],
    ['a name that reads backwards', { client_name: 'A\u202egent' }],
    ['a home that is no page', { client_uri: 'javascript:alert(1)' }],
    ['keys that are missing', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['keys at a private address', { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://169.254.169.254/keys' }],
    [
      'a private key',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })] },
      },
    ],
  ])('%s is refused', async (_what, metadata) => {
    const isObject = metadata !== null && !Array.isArray(metadata);
    const { status, body } = await register(isObject ? { redirect_uris: [REDIRECT], ...metadata } : metadata);
    expect([status, body]).toEqual([400, { error: 'invalid_client_metadata', error_description: expect.any(String) }]);
  });

  test('a form and a text that is no JSON register nothing', async () => {
    const url = `${gatehouse.quickstart.issuer}/oauth2/register`;
    expect((await postForm(url, { redirect_uris: REDIRECT }, { 'x-forwarded-for': '203.0.113.1' })).body?.['error']).toBe(
      'invalid_redirect_uri',
    );
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.1' };
    expect((await fetch(url, { method: 'POST', headers, body: '{' })).status).toBe(400);
  });

  test('it has to use PKCE, at its own redirect URIs, and its name is in no mail', async () => {
    const name = 'Prize <b>won</b>';
    const { body } = await register({ redirect_uris: [REDIRECT], client_name: name });
    const { issuer } = gatehouse.quickstart;
    const open = (parameters: Record<string, string> = {}, redirectUri = REDIRECT) =>
      userAgent(gatehouse.baseUrl).open(authorizationUrl({ issuer, clientId: String(body['client_id']), redirectUri, parameters }).url);
    expect((await open({ code_challenge: '', code_challenge_method: '' })).html).toContain('must use PKCE');
    expect((await open({}, 'https://evil.test')).html).toContain('Callback URL not allowed');
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(authorizationUrl({ issuer, clientId: String(body['client_id']), redirectUri: REDIRECT }).url);
    expect(page.html).toContain('Prize &lt;b&gt;won&lt;/b&gt;');
    expect(page.html).not.toContain('<b>won');
    const email = newAddress();
    const next = await agent.submit(page, 'switch', { flow: 'register' });
    await agent.submit(next, 'identify', { p_email: email });
    expect(JSON.stringify(await gatehouse.mailTo(email))).not.toContain('Prize');
  });

  test('it is never authorised for the management API, in the graph or past it', async () => {
    const { body } = await register({ redirect_uris: [REDIRECT] });
    const applicationId = `app_${body['client_id']}`;
    const api = await prisma().api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
    const { data } = await ask<{ updateApiApplications: { errors: { code: string }[] } }, object>(
      gatehouse,
      token,
      'mutation ($input: UpdateApiApplicationsInput!) { updateApiApplications(input: $input) { errors { code } } }',
      { input: { apiId: api.id, authorize: [{ applicationId, scopes: [] }] } },
    );
    expect(data?.updateApiApplications.errors).toEqual([{ code: 'DYNAMIC_APPLICATION' }]);

    await prisma().applicationApi.create({ data: { environmentId, applicationId, apiId: api.id, scopes: ['read:users'] } });
    gatehouse.app.infrastructure.lookups.forget();
    const { issuer, managementAudience, graphqlUrl } = gatehouse.quickstart;
    for (const resource of [managementAudience, graphqlUrl]) {
      const asked = authorizationUrl({ issuer, clientId: String(body['client_id']), redirectUri: REDIRECT, parameters: { resource } });
      expect((await userAgent(gatehouse.baseUrl).open(asked.url)).url).toContain('error=invalid_target');
    }
  });

  test('its pages may call, but not with the browser’s cookies', async () => {
    await register({ redirect_uris: ['https://pages.test/callback'] });
    const headers = { origin: 'https://pages.test' };
    const answer = await fetch(`${gatehouse.quickstart.issuer}/oauth2/token`, { method: 'OPTIONS', headers });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('no address registers without end, also in parallel, and another may go on', async () => {
    const many = await Promise.all(
      Array.from({ length: MAX_FROM_ADDRESS + 5 }, () => register({ redirect_uris: [REDIRECT] }, '203.0.113.7')),
    );
    expect(many.filter(({ status }) => status === 201)).toHaveLength(MAX_FROM_ADDRESS);
    const refused = many.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(5);
    expect(refused[0]!.body).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await register({ redirect_uris: [REDIRECT] }, '203.0.113.8')).status).toBe(201);
    gatehouse.advance(3601);
    expect((await register({ redirect_uris: [REDIRECT] }, '203.0.113.7')).status).toBe(201);
  });

  test('nor do many addresses together', async () => {
    gatehouse.advance(3601);
    await register({ redirect_uris: [REDIRECT] });
    await prisma().graphQuota.updateMany({ where: { environmentId, callerId: 'registrations' }, data: { leased: MAX_IN_ENVIRONMENT } });
    expect((await register({ redirect_uris: [REDIRECT] })).status).toBe(429);
    gatehouse.advance(3601);
  });

  test('what nobody has used for a month leaves, and what somebody has allowed stays', async () => {
    const unused = String((await register({ redirect_uris: [REDIRECT] })).body['client_id']);
    const used = String((await register({ redirect_uris: [REDIRECT] })).body['client_id']);
    const own = await prisma().application.count({ where: { isDynamic: false } });
    const user = await prisma().user.create({ data: { environmentId, id: `kp_${'a'.repeat(32)}` } });
    await prisma().consent.create({
      data: { environmentId, userId: user.id, applicationId: `app_${used}`, scopes: [], audiences: [], givenAt: new Date() },
    });
    await deleteUnusedClients(gatehouse.app.infrastructure);
    expect(await prisma().application.count({ where: { id: `app_${unused}` } })).toBe(1);
    await prisma().application.updateMany({ data: { createdAt: new Date(Date.now() - (UNUSED_DAYS + 1) * 86_400_000) } });
    expect(await deleteUnusedClients(gatehouse.app.infrastructure)).toBeGreaterThan(0);
    expect(await prisma().application.findMany({ where: { isDynamic: true }, select: { id: true } })).toEqual([{ id: `app_${used}` }]);
    expect(await prisma().application.count({ where: { isDynamic: false } })).toBe(own);
    const { issuer } = gatehouse.quickstart;
    const gone = authorizationUrl({ issuer, clientId: unused, redirectUri: REDIRECT });
    expect((await userAgent(gatehouse.baseUrl).open(gone.url)).html).toContain('Unknown application');
  });
});
