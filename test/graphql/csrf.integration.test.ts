/** What a page of another site can make a signed-in person's browser send does nothing. test/browser/cross-site.test.ts sends it from a real one. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { authorizationUrl, userAgent } from '../helpers/user-agent.ts';
import { digestOfEverything, makeWorld, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
/** Of the installation's Owner, who is signed in. */
let cookie: string;
const signIn = () => {
  const { account } = gatehouse.quickstart;
  const { clientId, callbackUrls } = account.applications[0]!;
  return authorizationUrl({ issuer: account.issuer, clientId, redirectUri: callbackUrls[0]! }).url;
};

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  const { email } = gatehouse.quickstart.owner;
  const agent = userAgent(gatehouse.baseUrl);
  const page = await agent.submit(await agent.open(signIn()), 'identify', { p_email: email });
  await agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email)) });
  expect(new URL((await agent.open(signIn())).url).searchParams.get('code')).toBeTruthy(); // The cookies alone sign it in.
  cookie = [...agent.cookies].map(([key, value]) => `${key.split(' ')[0]}=${value}`).join('; ');
  expect(cookie).toMatch(/\w=\w/);
});

const MUTATION = 'mutation { createBusiness(input: { name: "Forged", region: IE }) { business { id } errors { code } } }';
const json = JSON.stringify({ query: MUTATION });
const form = (parts: Record<string, string | Blob>) => {
  const body = new FormData();
  for (const [name, value] of Object.entries(parts)) body.set(name, value);
  return body;
};

async function send(init: RequestInit, query = '') {
  const response = await fetch(`${gatehouse.baseUrl}/graphql${query}`, {
    method: 'POST',
    ...init,
    headers: { cookie, origin: 'https://elsewhere.test', 'sec-fetch-site': 'cross-site', ...(init.headers as Record<string, string>) },
  });
  expect(response.headers.getSetCookie()).toEqual([]);
  const text = await response.text();
  const { data = null, errors = [] } = text ? JSON.parse(text) : {};
  return { status: response.status, data, errors, headers: response.headers };
}

/** Texts are sent as bytes where no type is given, as fetch would give one to a string. */
const typed = (type: string | undefined, body: string): RequestInit =>
  type === undefined ? { body: new TextEncoder().encode(body) } : { headers: { 'content-type': type }, body };

// biome-ignore format: an attack, a line
const ATTACKS: readonly [what: string, init: () => RequestInit, query?: string][] = [
  ['a form', () => ({ body: new URLSearchParams({ query: MUTATION }) })],
  ['a form whose only field is JSON (enctype text/plain)', () => typed('text/plain', json.replace('}"}', '}","x":"="}'))],
  ['a form with a file', () => ({ body: form({ operations: json, map: '{"0":["variables.x"]}', 0: new Blob(['x']) }) })],
  ['a form with a file and a type in capitals', () => typed('MULTIPART/FORM-DATA; boundary=x', `--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${json}\r\n--x--`)],
  ['JSON that says it is text', () => typed('text/plain;charset=UTF-8', json)],
  ['JSON that says it is text, and JSON as a parameter', () => typed('text/plain; application/json', json)],
  ['JSON that says it is text, and JSON after a comma', () => typed('text/plain, application/json', json)],
  ['JSON that says it is a form', () => typed('application/x-www-form-urlencoded; a=application/json', json)],
  ['JSON without a type', () => typed(undefined, json)],
  ['nothing, with the document in the URL', () => ({}), `?query=${encodeURIComponent(MUTATION)}`],
  ['text, with the document in the URL', () => typed('text/plain', 'x'), `?query=${encodeURIComponent(MUTATION)}`],
  ['a link to a mutation', () => ({ method: 'GET' }), `?query=${encodeURIComponent(MUTATION)}`],
  ['a link to a query', () => ({ method: 'GET' }), `?query=${encodeURIComponent('{ viewer { kind } }')}`],
  ['an image at a query', () => ({ method: 'GET', headers: { accept: 'image/*' } }), `?query=${encodeURIComponent('{ viewer { kind } }')}`],
  ['a link to a registered operation', () => ({ method: 'GET' }), `?documentId=sha256:${'0'.repeat(64)}`],
];

describe('a request that a browser sends for any page', () => {
  test.each(ATTACKS)('is refused: %s', async (_what, init, query) => {
    const before = await digestOfEverything(gatehouse);
    const { status, data, errors } = await send(init(), query);
    expect([401, 403]).toContain(status);
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: status === 401 ? 'UNAUTHENTICATED' : 'OPERATION_NOT_ALLOWED' } }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('is refused with the credentials that a browser adds by itself', async () => {
    const { status, errors } = await send({ ...typed('text/plain', json), headers: { authorization: `Basic ${btoa('owner:x')}` } });
    expect({ status, errors }).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});

describe('a request that a browser asks about first', () => {
  test('is told that anybody may send it, without cookies', async () => {
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' };
    const { status, headers: answered } = await send({ method: 'OPTIONS', headers });
    expect(status).toBe(204);
    expect(answered.get('access-control-allow-origin')).toBe('*');
    expect(answered.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
    expect(answered.get('access-control-allow-credentials')).toBeNull();
  });

  test('can be read, and so can what is refused before anything runs', async () => {
    const { status, headers } = await send({ headers: { 'content-type': 'application/json', authorization: 'Bearer x.y.z' }, body: json });
    expect(status).toBe(401);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
    expect((await send(typed('application/json', '{"query":"{ __typename }"}'))).headers.get('access-control-allow-origin')).toBe('*');
  });

  test('is nobody’s, whatever cookies come with it', async () => {
    const before = await digestOfEverything(gatehouse);
    const nobody = { data: { viewer: null }, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };
    const query = JSON.stringify({ query: '{ viewer { kind user { email } } }' });
    expect(await send(typed('application/json', query))).toMatchObject(nobody);
    expect(await send({ method: 'GET', headers: { 'apollo-require-preflight': 'true' } }, '?query={viewer{kind}}')).toMatchObject(nobody);
    expect(await send(typed('application/json', json))).toMatchObject({
      data: { createBusiness: null },
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const uploading = { headers: { 'apollo-require-preflight': 'true' }, body: form({ operations: json }) };
    expect(await send(uploading)).toMatchObject({ status: 401, data: null });
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('is the token’s', async () => {
    const authorization = `Bearer ${await tokenOf(world.production.machine)}`;
    const viewer = { data: { viewer: { kind: 'MACHINE' } }, errors: [] };
    expect(await send({ method: 'GET', headers: { authorization } }, '?query={viewer{kind}}')).toMatchObject(viewer);
    const operations = JSON.stringify({ query: '{ viewer { kind } }' });
    expect(await send({ headers: { authorization }, body: form({ operations, map: '{}' }) })).toMatchObject(viewer);
  });
});

test('no part of the graph reads or writes a cookie', () => {
  const root = join(import.meta.dirname, '../..');
  const files = globSync('src/{graphql/*,features/**/graphql*}.ts', { cwd: root });
  expect(files.length).toBeGreaterThan(20);
  const reading = files.filter((file) => /cookies?\b/i.test(readFileSync(join(root, file), 'utf8').replace(/\/\*.*?\*\/|\/\/.*$/gms, '')));
  expect(reading).toEqual([]);
});
