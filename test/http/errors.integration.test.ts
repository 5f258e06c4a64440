/** What goes wrong on our side: the reader learns that it did and a number to ask about, and nothing else. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { connectPostgres } from '../../src/db/client.ts';
import { startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { machineToken, postToken, userAgent } from '../helpers/user-agent.ts';
import { startWay } from '../helpers/way.ts';
import { requestOf } from '../signin/person.ts';

const gatehouse = startApp();
const SECRET = 'password authentication failed for user "gatehouse" at /srv/gatehouse/src/db/client.ts:42';

afterEach(() => {
  vi.restoreAllMocks();
});

function breakDatabase(): void {
  vi.spyOn(gatehouse.app.infrastructure.database, 'query').mockRejectedValue(new Error(SECRET));
}

/** Nothing of the fault is in the answer; everything of it is in the log, under the answer's number. */
function expectMasked(text: string, headers: Headers): void {
  expect(text).not.toMatch(/gatehouse"|\/srv\/|\.ts\b|node_modules|\bat \w+|Error:/);
  const line = gatehouse
    .log()
    .split('\n')
    .find((one) => one.includes(headers.get('x-request-id')!) && one.includes('request failed'));
  expect(line).toContain('password authentication failed');
  expect(headers.get('cache-control')).toBe('no-store');
}

test('a fault behind a page is a page with its reference', async () => {
  breakDatabase();
  const answer = await fetch(requestOf(gatehouse, 'spa').url, { redirect: 'manual' });
  const text = await answer.text();
  expect(answer.status).toBe(500);
  expect(text).toContain('Something went wrong');
  expect(text).toContain(`Reference <bdi>${answer.headers.get('x-request-id')}</bdi>`);
  expect(answer.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expectMasked(text, answer.headers);
});

test('a fault behind the token endpoint is an OAuth error', async () => {
  breakDatabase();
  const { status, body, headers } = await postToken(gatehouse.baseUrl, {
    grant_type: 'refresh_token',
    refresh_token: 'x',
    client_id: '0'.repeat(32),
  });
  expect([status, body]).toEqual([500, { error: 'server_error', error_description: expect.any(String) }]);
  expectMasked(JSON.stringify(body), headers);
});

test('a fault behind a public document is JSON', async () => {
  vi.spyOn(gatehouse.app.infrastructure.database.prisma.signingKey, 'findMany').mockImplementation(() => {
    throw new Error(SECRET);
  });
  gatehouse.advance(3600);
  const answer = await fetch(`${gatehouse.baseUrl}/.well-known/jwks`);
  const text = await answer.text();
  expect([answer.status, JSON.parse(text)]).toEqual([500, { error: expect.any(String), requestId: answer.headers.get('x-request-id') }]);
  expectMasked(text, answer.headers);
});

test('after a fault everything works as before', async () => {
  expect((await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa').url)).status).toBe(200);
});

test('every answer has a number of its own, which nobody else chooses', async () => {
  const paths = [
    '/healthz',
    '/readyz',
    '/nothing',
    '/oauth2/auth',
    '/.well-known/jwks',
    '/assets/gatehouse.css',
    '/%zz',
    `/signin/${'x'.repeat(500)}`,
    '/graphql',
  ];
  const ids = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(gatehouse.baseUrl + path, { headers: { 'x-request-id': 'chosen', 'request-id': 'chosen' } });
      return answer.headers.get('x-request-id');
    }),
  );
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  expect(new Set(ids).size).toBe(paths.length);
  expect(gatehouse.log()).not.toContain('chosen');
});

test.each([
  ['that is not encoded right', '/%zz', 400],
  ['whose part is not encoded right', '/signin/%E0%A4%A', 400],
  ['that has no end', `/signin/${'x'.repeat(500)}`, 414],
  ['that is not there', '/nothing', 404],
  ['that climbs out', '/nothing/../../etc/passwd', 404],
  ['that climbs out of the assets', '/assets/..%2f..%2fmain.ts', 404],
  ['that objects have by birth', '/constructor', 404],
])('an address %s is a page that says nothing of our insides', async (_what, path, status) => {
  // By hand, because fetch would tidy the path.
  const { port } = new URL(gatehouse.baseUrl);
  const answer = await new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
    const sent = httpRequest({ host: 'localhost', port, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    sent.on('error', reject).end();
  });
  expect(answer.status).toBe(status);
  expect(answer.headers['content-type']).toMatch(/^text\/html/);
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(answer.headers['referrer-policy']).toBe('no-referrer');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.headers['x-powered-by']).toBeUndefined();
  expect(answer.text).not.toMatch(/FST_|\bat \w+ \(|node_modules|statusCode/);
});

test('styles and icons are cached, and read again only when they changed', async () => {
  for (const path of ['/assets/gatehouse.css', '/e/account/assets/icon.svg']) {
    const first = await fetch(gatehouse.baseUrl + path);
    expect(first.status).toBe(200);
    const etag = first.headers.get('etag')!;
    expect((await fetch(gatehouse.baseUrl + path, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(gatehouse.baseUrl + path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  }
});

if (databaseKind === 'postgres') {
  let app: App;
  let way: Awaited<ReturnType<typeof startWay>>;
  let dataDir: string;
  beforeAll(async () => {
    const { config } = gatehouse.app.infrastructure;
    const url = new URL(config.databaseUrl!);
    way = await startWay(url.hostname, Number(url.port));
    url.port = String(way.port);
    dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-away-'));
    const databaseUrl = url.href;
    app = await createApp({ ...config, dataDir, databaseUrl }, { database: connectPostgres(databaseUrl), log: pino({ level: 'silent' }) });
  });
  afterAll(async () => {
    await app?.close();
    way?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const ask = (path: string, init?: RequestInit) => app.fetch(new Request(gatehouse.baseUrl + path, init));
  const refresh = () => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: gatehouse.application('spa').clientId });
    return ask('/oauth2/token', { method: 'POST', body });
  };
  const authorize = () => ask(requestOf(gatehouse, 'spa').url.slice(gatehouse.baseUrl.length));

  test('a database that is away is told of by 503 and when to ask again, to people and to programs, until it is back', async () => {
    const authorization = `Bearer ${await machineToken(gatehouse)}`;
    const body = JSON.stringify({ query: '{ __typename }' });
    const read = () => ask('/graphql', { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body });
    const statuses = async () => [(await refresh()).status, (await authorize()).status, (await read()).status];
    expect(await statuses()).toEqual([400, 302, 200]);
    way.close();
    const [token, page, graph] = [await refresh(), await authorize(), await read()];
    expect([graph.status, await graph.json()]).toEqual([503, { errors: [expect.objectContaining({ extensions: expect.any(Object) })] }]);
    expect([token.status, await token.json()]).toEqual([503, { error: 'temporarily_unavailable', error_description: expect.any(String) }]);
    const text = await page.text();
    expect([page.status, text]).toEqual([503, expect.stringContaining('Out of reach for a moment')]);
    expect(text).not.toMatch(/ECONNREFUSED|Connection terminated|\.ts\b/);
    for (const { headers } of [token, page, graph]) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await way.open();
    await expect.poll(statuses, { timeout: 10_000 }).toEqual([400, 302, 200]);
  });
}
