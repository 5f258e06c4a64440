import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Infrastructure } from '../../src/features/context.ts';
import { createQuotas, deleteExpiredQuotas } from '../../src/features/quotas/service.ts';
import type { Actor } from '../../src/kernel/actor.ts';
import { freePort, startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { startProcess } from '../helpers/server-process.ts';
import { makeWorld, signInMember, tokenOf, type World } from './world.ts';

const QUOTA = 2000;
const ANONYMOUS_QUOTA = 20;
const gatehouse = startApp({ GRAPH_QUOTA: String(QUOTA), TRUST_PROXY: 'loopback' });
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
});
beforeEach(async () => {
  gatehouse.advance(61); // Nobody has used anything of this minute yet.
  token = await tokenOf(world.production.machine);
});

const page = (first: number) => `{ environment { users(first: ${first}) { nodes { id } } } }`;

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly cost: Record<string, number> | undefined;
  readonly limit: number;
  readonly remaining: number;
  readonly reset: number;
  readonly retryAfter: string | null;
}

async function send(document: string, { bearer = token, url = gatehouse.baseUrl, from = '192.0.2.1' } = {}): Promise<Reply> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': from,
      'x-forwarded-host': new URL(gatehouse.baseUrl).host,
      ...(bearer && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ query: document }),
  });
  const { errors, extensions } = (await response.json()) as {
    errors?: { extensions: { code: string } }[];
    extensions?: { cost: Record<string, number> };
  };
  return {
    status: response.status,
    code: errors?.[0]?.extensions.code,
    cost: extensions?.cost,
    limit: Number(response.headers.get('ratelimit-limit')),
    remaining: Number(response.headers.get('ratelimit-remaining')),
    reset: Number(response.headers.get('ratelimit-reset')),
    retryAfter: response.headers.get('retry-after'),
  };
}

describe('a known caller', () => {
  test('uses its units up, is refused with what it needs to know, and has them all again a minute later', async () => {
    const first = await send(page(100));
    expect(first).toMatchObject({ status: 200, code: undefined, limit: QUOTA, remaining: QUOTA - 100, retryAfter: null });
    expect(first.reset).toBeGreaterThan(50);
    expect(first.reset).toBeLessThanOrEqual(60);
    expect(first.cost).toEqual({ requested: 100, maximum: QUOTA, limit: QUOTA, remaining: QUOTA - 100, resetSeconds: first.reset });

    for (let sent = 1; sent < QUOTA / 100 - 1; sent++) expect(await send(page(100))).toMatchObject({ status: 200, code: undefined });
    expect(await send(page(99))).toMatchObject({ status: 200, remaining: 1 });
    expect(await send(page(1))).toMatchObject({ status: 200, code: undefined, remaining: 0 });
    const refused = await send(page(1));
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED', limit: QUOTA, remaining: 0, retryAfter: String(refused.reset) });
    expect(refused.cost).toEqual({ requested: 1, maximum: QUOTA, limit: QUOTA, remaining: 0, resetSeconds: refused.reset });

    gatehouse.advance(61);
    expect(await send(page(1))).toMatchObject({ status: 200, code: undefined, remaining: QUOTA - 1 });
  });

  test('is refused an operation that costs more than is left, and may still ask for less', async () => {
    for (let sent = 0; sent < 19; sent++) await send(page(100));
    const refused = await send(`{ environment { users(first: 50) { nodes { memberships(first: 2) { nodes { id } } } } } }`);
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED', cost: { requested: 150, remaining: 99 }, remaining: 99 });
    expect(refused.retryAfter).toBe(String(refused.reset));
    expect(await send(page(99))).toMatchObject({ status: 200, code: undefined, remaining: 0 });
  });

  test('pays for what is refused before it runs, but for no more than one unit', async () => {
    for (const document of [
      '{ viewer {',
      '{ shoes }',
      page(101),
      '{ businesses(first: 100) { nodes { roles(first: 100) { nodes { id } } } } }',
    ])
      await send(document);
    expect(await send(page(1))).toMatchObject({ remaining: QUOTA - 5 });
  });

  test('uses up nothing of another’s, nor of another environment’s machine, nor of an address', async () => {
    for (let sent = 0; sent < 20; sent++) await send(page(100));
    expect(await send(page(1))).toMatchObject({ status: 429 });
    expect(await send(page(1), { bearer: await tokenOf(world.development.machine) })).toMatchObject({ status: 200, remaining: QUOTA - 1 });
    expect(await send('{ viewer { kind } }', { bearer: '' })).toMatchObject({ status: 200, remaining: ANONYMOUS_QUOTA - 1 });
    const member = await signInMember(gatehouse, world.businessId, 'quota@team.test', ['owner']);
    expect(await send('{ viewer { kind } }', { bearer: member })).toMatchObject({ status: 200, remaining: QUOTA - 1 });
  });

  test('has one quota, however many tokens it has', async () => {
    await send(page(100));
    expect(await send(page(100), { bearer: await tokenOf(world.production.machine) })).toMatchObject({ remaining: QUOTA - 200 });
  });

  test('is not helped by asking many times at once', async () => {
    const replies = await Promise.all(Array.from({ length: 60 }, () => send(page(50))));
    const done = replies.filter(({ status }) => status === 200).length;
    expect(done * 50).toBeLessThanOrEqual(QUOTA);
    expect(done * 50).toBeGreaterThan(QUOTA - 100); // Each refusal costs a unit.
  });
});

describe('nobody in particular', () => {
  const nobody = (from: string) => send('{ viewer { kind } }', { bearer: '', from });

  test('is counted by the address, with a bad token or with none', async () => {
    for (let sent = 0; sent < ANONYMOUS_QUOTA - 1; sent++) await nobody('198.51.100.1');
    expect(await send('{ viewer { kind } }', { bearer: 'no.such.token', from: '198.51.100.1' })).toMatchObject({
      status: 401,
      remaining: 0,
    });
    const refused = await nobody('198.51.100.1');
    expect(refused).toMatchObject({ status: 429, code: 'RATE_LIMITED', limit: ANONYMOUS_QUOTA, remaining: 0, cost: undefined });
    expect(refused.retryAfter).toBe(String(refused.reset));
    expect(await nobody('198.51.100.2')).toMatchObject({ status: 200, remaining: ANONYMOUS_QUOTA - 1 });
    expect(await send(page(1), { from: '198.51.100.1' })).toMatchObject({ status: 200, code: undefined });
  });

  test('is one network, whichever of its IPv6 addresses it uses', async () => {
    await nobody('2001:db8:1:2::1');
    await nobody('2001:db8:1:2:ffff::2');
    expect(await nobody('2001:db8:1:2:3:4:5:6')).toMatchObject({ remaining: ANONYMOUS_QUOTA - 3 });
    expect(await nobody('2001:db8:1:3::1')).toMatchObject({ remaining: ANONYMOUS_QUOTA - 1 });
    await nobody('192.0.2.77');
    expect(await nobody('::ffff:192.0.2.77')).toMatchObject({ remaining: ANONYMOUS_QUOTA - 2 });
  });
});

describe('several processes on one database', () => {
  /** What another process knows: the same database, and nothing else. */
  const another = () => {
    let leases = 0;
    const { infrastructure } = gatehouse.app;
    const { database, config } = infrastructure;
    const counting: Infrastructure = {
      ...infrastructure,
      config: { ...config, graphQuota: 10_000 },
      database: {
        ...database,
        query: (name, text, values) => {
          if (name === 'lease-quota') leases++;
          return database.query(name, text, values);
        },
      },
    };
    return { quotas: createQuotas(counting)!, leases: () => leases };
  };
  const machine = (): Actor => ({
    kind: 'machine',
    applicationId: world.production.machine.applicationId,
    environmentId: world.production.environmentId,
    businessId: world.businessId,
    permissions: new Set(),
  });

  test('give a caller no more than its quota together, and ask the database seldom', async () => {
    const processes = [another(), another(), another()];
    let taken = 0;
    for (let turn = 0; turn < 12_000; turn++) {
      const { quotas } = processes[turn % processes.length]!;
      if (!(await quotas.take(machine(), '', 1)).isRefused) taken++;
    }
    expect(taken).toBe(10_000);
    const leases = processes.reduce((sum, process) => sum + process.leases(), 0);
    expect(leases).toBeLessThan(150);
    gatehouse.advance(61);
    expect(await processes[0]!.quotas.take(machine(), '', 1)).toMatchObject({ isRefused: false, remaining: 9_999 });
  });

  test('know of one another’s use with each lease', async () => {
    const [one, two] = [another(), another()];
    expect(await one.quotas.take(machine(), '', 9_000)).toMatchObject({ isRefused: false, remaining: 1_000 });
    expect(await two.quotas.take(machine(), '', 2_000)).toMatchObject({ isRefused: true, remaining: 1_000 });
    expect(await two.quotas.take(machine(), '', 1_000)).toMatchObject({ isRefused: false, remaining: 0 });
    const before = two.leases();
    expect(await two.quotas.take(machine(), '', 1)).toMatchObject({ isRefused: true });
    expect(two.leases()).toBe(before);
  });

  if (databaseKind === 'postgres') {
    test('are what an operator starts twice', async () => {
      const { config } = gatehouse.app.infrastructure;
      const port = await freePort();
      const second = startProcess('src/main.ts', {
        PORT: String(port),
        BASE_URL: config.baseUrl,
        DATABASE_URL: config.databaseUrl!,
        DATA_DIR: config.dataDir,
        SECRET_KEY: config.secretKey.toString('hex'),
        GRAPH_QUOTA: String(QUOTA),
        TRUST_PROXY: 'loopback',
      });
      try {
        const url = `http://localhost:${port}`;
        await second.ready(url);
        let done = 0;
        // Not the caller of the other tests: this process's clock was put forward, the other one's was not.
        const bearer = await tokenOf(world.development.machine);
        for (let turn = 0; turn < 60; turn++)
          if ((await send(page(50), { bearer, url: turn % 2 ? url : gatehouse.baseUrl })).status === 200) done++;
        expect(done * 50).toBeLessThanOrEqual(QUOTA);
        expect(done * 50).toBeGreaterThan(QUOTA - 200);
      } finally {
        await second.stop('SIGTERM');
      }
    });
  }
});

test('what is left of a minute that is over is cleaned away', async () => {
  const { infrastructure } = gatehouse.app;
  await send(page(1));
  const rows = () => infrastructure.database.prisma.graphQuota.count();
  const present = await rows();
  expect(present).toBeGreaterThan(0);
  await deleteExpiredQuotas(infrastructure);
  expect(await rows()).toBeGreaterThan(0); // This minute's.
  gatehouse.advance(61);
  expect(await deleteExpiredQuotas(infrastructure)).toBeGreaterThan(0);
  expect(await rows()).toBe(0);
});
