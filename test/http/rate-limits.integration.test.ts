/** Requests a minute: who is refused, who is not, how it is said, and that several processes share the count. */
import { describe, expect, test } from 'vitest';
import type { RateLimit } from '../../src/config.ts';
import { createRateLimits, deleteOldCounts, type Requester } from '../../src/features/rate-limits/service.ts';
import { startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress, requestOf } from '../signin/person.ts';

const gatehouse = startApp({
  TRUST_PROXY: 'loopback',
  RATE_LIMIT_AUTH: '30,10,200',
  RATE_LIMIT_API: '20,12,100',
  RATE_LIMIT_ADMIN: '15,1000,1000',
});

let networks = 0;
const newNetwork = () => `198.51.${++networks}.7`;
const nextMinute = () => gatehouse.advance(60);

const send = (path: string, ip: string, init: RequestInit = {}) =>
  fetch(`${gatehouse.baseUrl}${path}`, { redirect: 'manual', ...init, headers: { 'x-forwarded-for': ip, ...init.headers } });
const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });
const statusesOf = async (times: number, one: () => Promise<Response>) => {
  const statuses: number[] = [];
  for (let turn = 0; turn < times; turn++) statuses.push((await one()).status);
  return statuses;
};
const authorize = (ip: string) => send(requestOf(gatehouse, 'spa').url.slice(gatehouse.baseUrl.length), ip);

const expectHeaders = (answer: Response, limit: number) => {
  const reset = Number(answer.headers.get('ratelimit-reset'));
  expect(reset).toBeGreaterThan(0);
  expect(reset).toBeLessThanOrEqual(60);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': '0',
    'retry-after': String(reset),
  });
};

describe('one network address', () => {
  test('gets so many of the pages a minute, then a page that says when there are more', async () => {
    nextMinute();
    const ip = newNetwork();
    expect(new Set(await statusesOf(30, () => authorize(ip)))).toEqual(new Set([302]));
    const refused = await authorize(ip);
    expect(refused.status).toBe(429);
    expectHeaders(refused, 30);
    expect(refused.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(await refused.text()).toMatch(/There were too many requests\. Wait a minute/);
    for (const path of ['/device', '/signin/aaaaaaaaaaaaaaaaaaaaaaaa', '/logout']) expect((await send(path, ip)).status).toBe(429);
    expect((await send('/oauth2/device/auth', ip, form({ client_id: gatehouse.application('device').clientId }))).status).toBe(429);
    expect((await authorize(newNetwork())).status).toBe(302);
    nextMinute();
    expect((await authorize(ip)).status).toBe(302);
  });

  test('gets so many of the protocol’s endpoints, then an OAuth error that other origins can read', async () => {
    nextMinute();
    const ip = newNetwork();
    const poll = () => send('/oauth2/token', ip, form({ grant_type: 'refresh_token', client_id: 'nobody', refresh_token: 'x' }));
    expect(new Set(await statusesOf(20, poll))).toEqual(new Set([401]));
    const refused = await poll();
    expect(refused.status).toBe(429);
    expectHeaders(refused, 20);
    expect(await refused.json()).toEqual({ error: 'temporarily_unavailable', error_description: expect.stringMatching(/too many/) });
    expect((await send('/oauth2/userinfo', ip)).status).toBe(429);
    expect((await send('/account_api/v1/get_portal_link', ip)).status).toBe(429);
    const { origin } = new URL(gatehouse.application('spa').callbackUrls[0]!);
    const elsewhere = await send('/oauth2/token', ip, { ...form({}), headers: { origin } });
    expect([elsewhere.status, elsewhere.headers.get('access-control-allow-origin')]).toEqual([429, origin]);
    expect((await authorize(ip)).status).toBe(302); // Another class.
  });

  test('gets so many of the graph, then a GraphQL error', async () => {
    nextMinute();
    const ip = newNetwork();
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ __typename }"}' };
    expect(new Set(await statusesOf(15, () => send('/graphql', ip, init)))).toEqual(new Set([200]));
    const refused = await send('/graphql', ip, init);
    expect(refused.status).toBe(429);
    expectHeaders(refused, 15);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED', requestId: expect.any(String) } }] });
  });

  test('is the half of an IPv6 address that the subscriber cannot choose', async () => {
    nextMinute();
    let host = 0;
    await statusesOf(30, () => authorize(`2001:db8:5:1::${++host}`));
    expect((await authorize('2001:db8:5:1:ffff:ffff:ffff:ffff')).status).toBe(429);
    expect((await authorize('2001:db8:5:2::1')).status).toBe(302);
  });

  test('is believed of a trusted proxy alone, and only what that has seen itself', async () => {
    nextMinute();
    const ip = newNetwork();
    let claimed = 0;
    expect((await statusesOf(31, () => authorize(`203.0.113.${++claimed}, ${ip}`))).at(-1)).toBe(429);
  });

  test('is not counted for what every page loads, and what is published', async () => {
    nextMinute();
    const ip = newNetwork();
    await statusesOf(31, () => authorize(ip));
    for (const path of ['/assets/gatehouse.css', '/.well-known/openid-configuration', '/.well-known/jwks', '/healthz'])
      expect((await send(path, ip)).status).toBe(200);
  });
});

test('one account gets so many steps a minute, from wherever they come', async () => {
  nextMinute();
  const email = newAddress();
  const agents = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const ip = newNetwork();
      const agent = userAgent(gatehouse.baseUrl, { 'x-forwarded-for': ip });
      return (await identify(gatehouse, agent, email)).page.status;
    }),
  );
  expect(agents.filter((status) => status === 429)).toHaveLength(2);
});

test('an application that proves itself gets so many answers a minute; who names it only uses none of them up', async () => {
  nextMinute();
  const { clientId, clientSecret } = gatehouse.application('reg');
  const ask = (client_secret: string) =>
    send('/oauth2/token', newNetwork(), form({ grant_type: 'refresh_token', refresh_token: 'x', client_id: clientId, client_secret }));
  expect(new Set(await statusesOf(20, () => ask('a guess')))).toEqual(new Set([401]));
  expect(new Set(await statusesOf(12, () => ask(clientSecret!)))).toEqual(new Set([400]));
  expect((await ask(clientSecret!)).status).toBe(429);
});

test('one environment gets so many a minute, and no other is the worse for it', async () => {
  nextMinute();
  const statuses = await statusesOf(105, () => send('/oauth2/userinfo', newNetwork()));
  expect(statuses.filter((status) => status === 429)).toHaveLength(5);
  expect((await send('/e/account/oauth2/userinfo', newNetwork())).status).toBe(401);
});

describe('several processes', () => {
  const limit = 100;
  const ofAddress: RateLimit = { address: limit, account: 0, environment: 0 };
  const startProcess = (database = gatehouse.app.infrastructure.database) => {
    const { clock, log } = gatehouse.app.infrastructure;
    let statements = 0;
    const query = (...args: Parameters<typeof database.query>) => {
      statements++;
      return database.query(...args);
    };
    const counting = { ...database, query };
    const limits = createRateLimits({
      limits: { auth: ofAddress, api: ofAddress, admin: ofAddress },
      database: counting as typeof database,
      clock,
      log,
    });
    const burst = async (times: number, requester: Requester) => {
      let taken = 0;
      for (let turn = 0; turn < times; turn++) {
        if (!limits.take('auth', 'env_shared', requester)) taken++;
        if (turn % 10 === 9) await limits.settled();
      }
      await limits.settled();
      return taken;
    };
    return { burst, statements: () => statements };
  };

  test('let through what one would, and a twentieth more for each', async () => {
    nextMinute();
    const ip = newNetwork();
    const processes = [startProcess(), startProcess(), startProcess()];
    let taken = 0;
    for (let round = 0; round < 20; round++) for (const { burst } of processes) taken += await burst(10, { ip });
    expect(taken).toBeGreaterThanOrEqual(limit);
    expect(taken).toBeLessThanOrEqual(limit + processes.length * (limit / 20 + 10));
    const late = startProcess();
    let more = 0;
    for (let turn = 0; turn < 50; turn++) more += await late.burst(1, { ip });
    expect(more).toBe(limit / 20);
  });

  test('do not ask the database for who stays below a twentieth', async () => {
    nextMinute();
    const { burst, statements } = startProcess();
    for (let people = 0; people < 200; people++) expect(await burst(4, { ip: newNetwork() })).toBe(4);
    expect(statements()).toBe(0);
  });

  test('ask it once for many', async () => {
    nextMinute();
    const { burst, statements } = startProcess();
    const people = Array.from({ length: 50 }, newNetwork);
    await Promise.all(people.map((ip) => burst(5, { ip })));
    expect(statements()).toBeLessThanOrEqual(3);
  });

  test('go on by themselves when the database does not answer', async () => {
    nextMinute();
    const { database } = gatehouse.app.infrastructure;
    const broken = { ...database, query: () => Promise.reject(new Error('The database is gone.')) } as typeof database;
    expect(await startProcess(broken).burst(200, { ip: newNetwork() })).toBe(limit);
    expect(gatehouse.log()).toContain('requests are counted by this process alone');
  });
});

test('what is left of a minute that is over is cleaned away', async () => {
  nextMinute();
  const { infrastructure } = gatehouse.app;
  const ip = newNetwork();
  await statusesOf(5, () => authorize(ip));
  await infrastructure.rateLimits.settled();
  const rows = () => infrastructure.database.prisma.rateLimit.count({ where: { key: { contains: ip } } });
  expect(await rows()).toBe(1);
  await deleteOldCounts(infrastructure);
  expect(await rows()).toBe(1);
  nextMinute();
  await deleteOldCounts(infrastructure);
  expect(await rows()).toBe(0);
  if (databaseKind === 'postgres') {
    const [table] = await infrastructure.database.query<{ kind: string }>(
      'kind',
      "SELECT relpersistence AS kind FROM pg_class WHERE relname = 'rate_limits'",
      [],
    );
    expect(table?.kind).toBe('u');
  }
});
