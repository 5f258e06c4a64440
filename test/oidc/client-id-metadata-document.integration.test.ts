/** Clients whose id is the URL of their metadata: off until an operator allows it, and no more than what the document says. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DOCUMENT_SECONDS, MAX_READ_FOR_ADDRESS } from '../../src/features/dynamic-clients/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { headingOf, type Person, productionEnvironment, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const REDIRECT = 'https://agent.test/callback';

/** What the agent's own server answers with, by path, and how often it was asked. */
const documents = new Map<string, { status?: number; headers?: Record<string, string>; body: string }>();
let reads = 0;
let server: Server;
let origin: string;
let token: string;
let environmentId: string;
let person: Person;
beforeAll(async () => {
  server = createServer((request, response) => {
    reads++;
    const { status = 200, headers = {}, body } = documents.get(request.url!) ?? { status: 404, body: '' };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  environmentId = (await productionEnvironment(gatehouse)).id;
  person = await signUp(gatehouse);
});
afterAll(() => server.close());

const ALLOW = graphql(`
  mutation AllowMetadataDocuments($input: UpdateEnvironmentPoliciesInput!) {
    updateEnvironmentPolicies(input: $input) { errors { code } environment { policies { allowMetadataDocuments } } }
  }
`);

const COPY = graphql(`
  mutation CopyPolicies($input: CopyEnvironmentConfigurationInput!) { copyEnvironmentConfiguration(input: $input) { errors { code } } }
`);

async function allow(allowMetadataDocuments: boolean): Promise<void> {
  const { data } = await ask(gatehouse, token, ALLOW, { input: { environmentId, allowMetadataDocuments } });
  expect(data?.updateEnvironmentPolicies).toEqual({ errors: [], environment: { policies: { allowMetadataDocuments } } });
}

let paths = 0;
/** Puts a document up; its client_id is its URL unless it says otherwise. */
function publish(metadata: object = {}, more: { status?: number; headers?: Record<string, string> } = {}): string {
  const path = `/client-${++paths}.json`;
  const url = `${origin}${path}`;
  documents.set(path, {
    ...more,
    body: JSON.stringify({ client_id: url, client_name: 'An agent', redirect_uris: [REDIRECT], ...metadata }),
  });
  return url;
}

const requestOf = (clientId: string, redirectUri = REDIRECT) =>
  authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri });
const open = (clientId: string, redirectUri?: string, agent = person.agent) => agent.open(requestOf(clientId, redirectUri).url);
const discovery = async () => (await (await fetch(`${gatehouse.quickstart.issuer}/.well-known/openid-configuration`)).json()) as object;

test('until an operator allows it, nothing is read', async () => {
  expect(await discovery()).not.toHaveProperty('client_id_metadata_document_supported');
  expect(headingOf(await open(publish()))).toBe('Unknown application');
  expect(reads).toBe(0);
});

test('one environment allows it for itself, and can take it back', async () => {
  await allow(true);
  expect(await discovery()).toMatchObject({ client_id_metadata_document_supported: true });
  await allow(false);
  expect(await discovery()).not.toHaveProperty('client_id_metadata_document_supported');
});

test('a copy of the environment’s policies carries both ways in which applications come by themselves', async () => {
  const { businessId } = await productionEnvironment(gatehouse);
  const both = { allowDynamicRegistration: true, allowMetadataDocuments: true };
  const { id: targetEnvironmentId } = await prisma().environment.findFirstOrThrow({ where: { businessId, id: { not: environmentId } } });
  await ask(gatehouse, token, ALLOW, { input: { environmentId, ...both } });
  const { data, errors } = await ask(gatehouse, token, COPY, {
    input: { sourceEnvironmentId: environmentId, targetEnvironmentId, parts: ['POLICIES'] },
  });
  expect([errors, data?.copyEnvironmentConfiguration?.errors]).toEqual([[], []]);
  expect(await prisma().environment.findUniqueOrThrow({ where: { id: targetEnvironmentId } })).toMatchObject(both);
  await ask(gatehouse, token, ALLOW, { input: { environmentId, allowDynamicRegistration: false } });
});

test('the person is asked, and the client gets tokens by its URL; the document is read once an hour', async () => {
  await allow(true);
  const clientId = publish();
  const request = requestOf(clientId);
  reads = 0;
  const page = await person.agent.open(request.url);
  expect(headingOf(page)).toBe('Allow An agent?');
  expect(page.html).toContain(`It comes from <strong><bdi>${new URL(origin).host}</bdi></strong>`);
  const { url } = await person.agent.submit(page, 'consent', { p_decision: 'allow' });
  const { status, body } = await postToken(
    gatehouse.quickstart.issuer,
    {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: new URL(url).searchParams.get('code')!,
      redirect_uri: REDIRECT,
      code_verifier: request.verifier,
    },
    { origin: 'https://agent.test' },
  );
  expect(status).toBe(200);
  expect(JSON.parse(atob(body.access_token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')))).toMatchObject({ azp: clientId });
  expect((await open(clientId)).url).toContain('code=');
  expect(reads).toBe(1);
  const row = await prisma().application.findFirstOrThrow({ where: { metadataUrl: clientId } });
  const asked = await ask<{ node: object }, { id: string }>(
    gatehouse,
    token,
    'query ($id: ID!) { node(id: $id) { ... on Application { clientId isDynamic } } }',
    { id: row.id },
  );
  expect(asked.data?.node).toEqual({ clientId, isDynamic: true });
  expect(headingOf(await open(row.id.slice('app_'.length)))).toBe('Unknown application');

  documents.set(new URL(clientId).pathname, {
    body: JSON.stringify({ client_id: clientId, redirect_uris: ['https://moved.test/callback'] }),
  });
  gatehouse.advance(DOCUMENT_SECONDS + 1);
  expect(headingOf(await open(clientId))).toBe('Callback URL not allowed');
  expect(reads).toBe(2);
});

beforeEach(() => {
  gatehouse.advance(61);
});

test.each([
  ['of another client_id', () => publish({ client_id: 'https://bank.test/client.json' })],
  ['without a client_id', () => publish({ client_id: undefined })],
  ['with a secret', () => publish({ client_secret: 'x' })],
  ['that authenticates by a secret', () => publish({ token_endpoint_auth_method: 'client_secret_post' })],
  ['without redirect URIs', () => publish({ redirect_uris: [] })],
  ['with a wildcard', () => publish({ redirect_uris: ['https://*.agent.test/'] })],
  [
    'that is no JSON',
    () => {
      const url = publish();
      documents.set(new URL(url).pathname, { body: '<html>' });
      return url;
    },
  ],
  ['that is longer than it may be', () => publish({ padding: 'x'.repeat(5 * 1024) })],
  ['that is elsewhere', () => publish({}, { status: 302, headers: { location: publish() } })],
  ['that is a page', () => publish({}, { headers: { 'content-type': 'text/html' } })],
  ['that is missing', () => `${origin}/missing.json`],
  ['at a private address', () => 'https://10.0.0.1/client.json'],
  ['at the address of a cloud’s own data', () => 'https://169.254.169.254/client.json'],
  ['at a private address in disguise', () => 'https://[::ffff:a00:1]/client.json'],
  ['whose name leads nowhere', () => 'https://nobody.invalid/client.json'],
  ['at plain http', () => 'http://agent.test/client.json'],
  ['at no path', () => `${origin}/`],
  ['at a path with dots', () => `${origin}/a/../client.json`],
  ['with a fragment', () => `${publish()}#x`],
  ['with a password', () => publish().replace('//', '//me:secret@')],
])('a document %s makes no client', async (_what, make) => {
  await allow(true);
  const before = await prisma().application.count();
  const page = await open(make());
  expect([page.status, headingOf(page)]).toEqual([400, 'This application cannot be used']);
  expect(await prisma().application.count()).toBe(before);
});

test('many at once make one client of a document, and it is audited once', async () => {
  await allow(true);
  const clientId = publish();
  const pages = await Promise.all(Array.from({ length: 6 }, () => open(clientId)));
  expect(new Set(pages.map(headingOf))).toEqual(new Set(['Allow An agent?']));
  const [row, ...more] = await prisma().application.findMany({ where: { metadataUrl: clientId } });
  expect(more).toEqual([]);
  expect(await prisma().auditEvent.count({ where: { action: 'application.registered', targetId: row!.id } })).toBe(1);
});

describe('pushed authorization requests', () => {
  const push = async (query: Record<string, string>) => {
    const response = await fetch(`${gatehouse.quickstart.issuer}/oauth2/par`, { method: 'POST', body: new URLSearchParams(query) });
    return { status: response.status, body: (await response.json()) as { request_uri: string; error: string } };
  };
  const queryOf = (clientId: string) => Object.fromEntries(new URL(requestOf(clientId).url).searchParams);

  test('a client that was never seen before hands one in, and the person is asked', async () => {
    await allow(true);
    const clientId = publish();
    const { status, body } = await push(queryOf(clientId));
    expect(status).toBe(201);
    const named = new URLSearchParams({ client_id: clientId, request_uri: body.request_uri });
    const page = await person.agent.open(`${gatehouse.quickstart.issuer}/oauth2/auth?${named}`);
    expect(headingOf(page)).toBe('Allow An agent?');
  });

  test('a client with keys has to prove itself by them', async () => {
    await allow(true);
    const clientId = publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${origin}/keys.json` });
    expect(await push(queryOf(clientId))).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('a document that makes no client is refused', async () => {
    await allow(true);
    expect(await push(queryOf(`${origin}/missing.json`))).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('nothing is read where it is not allowed', async () => {
    await allow(false);
    reads = 0;
    expect(await push(queryOf(publish()))).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(reads).toBe(0);
  });
});

test('a redirect URI that the document does not list is refused', async () => {
  await allow(true);
  expect(headingOf(await open(publish(), 'https://evil.test/callback'))).toBe('Callback URL not allowed');
});

test('what the document says is escaped', async () => {
  await allow(true);
  const page = await open(publish({ client_name: '<img src=x onerror=alert(1)>' }));
  expect(page.html).toContain('&lt;img');
  expect(page.html).not.toContain('<img src=x');
});

test('nobody has documents read without end', async () => {
  await allow(true);
  const pages = await Promise.all(
    Array.from({ length: MAX_READ_FOR_ADDRESS + 4 }, () => open(publish(), REDIRECT, userAgent(gatehouse.baseUrl))),
  );
  expect(pages.filter(({ status }) => status === 429)).toHaveLength(4);
});
