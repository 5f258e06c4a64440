/** How webhooks are told again until they have answered, by one process at a time; when that ends, and what is left of it. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deleteOldEvents, EVENT_DAYS } from '../../src/features/events/service.ts';
import { createOrganization } from '../../src/features/organizations/service.ts';
import { CLAIM_SECONDS, type DeliveryKey, deliver, FAILING_SECONDS, RETRY_SECONDS } from '../../src/features/webhooks/delivering.ts';
import { createWebhook } from '../../src/features/webhooks/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { startReceiver, waitFor } from '../helpers/receiver.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
const receiver = startReceiver();
const { received } = receiver;
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});
beforeEach(async () => void (await operator(gatehouse).db.webhook.deleteMany()));

async function graph<Data>(document: string, by = token): Promise<Data> {
  const { data, errors } = await ask<Data, object>(gatehouse, by, document);
  expect(errors).toEqual([]);
  return data!;
}

const createPermission = (key: string) =>
  graph(`mutation { createPermission(input: { businessId: "${world.businessId}", key: "${key}", name: "Told" }) { errors { code } } }`);

async function hook(path: string) {
  const url = `${receiver.url}${path}`;
  return createWebhook(operator(gatehouse), {
    environmentId: world.ids.Environment,
    name: 'Hook',
    url,
    eventTypes: ['permission.created'],
  });
}

/** An event on its way to a webhook, whose attempts the test makes itself: the queue knows nothing of it. */
async function pending(path = '/hook'): Promise<DeliveryKey> {
  const { environmentId, id: webhookId } = await hook(path);
  return { environmentId, webhookId, eventId: await eventFor(environmentId, webhookId) };
}

async function eventFor(environmentId: string, webhookId: string): Promise<string> {
  const { db, clock } = operator(gatehouse);
  const data = { environmentId, id: newId('event'), type: 'permission.created', source: 'admin', data: { permission: { id: 'perm' } } };
  const { id: eventId } = await db.event.create({ data: { ...data, createdAt: clock.now() } });
  await db.webhookDelivery.create({ data: { environmentId, webhookId, eventId, id: newId('webhookDelivery') } });
  return eventId;
}

const attempt = (key: DeliveryKey, number: number) => deliver(gatehouse.app.infrastructure, key, number);

/** How long the queue waits before an attempt of the event, for each job that it has. */
async function waitsBefore({ eventId }: DeliveryKey, number: number): Promise<number[]> {
  const rows = await gatehouse.app.infrastructure.database.query<{ seconds: number }>(
    'jobs-of-attempt',
    `SELECT round(extract(epoch FROM start_after - created_on))::int AS seconds FROM pgboss.job
     WHERE name = 'webhook' AND data->>'eventId' = $1 AND (data->>'attempt')::int = $2`,
    [eventId, number],
  );
  return rows.map(({ seconds }) => seconds);
}

/** Lets the queue make now what it has still to make of the event. */
async function makeDue({ eventId }: DeliveryKey): Promise<void> {
  await gatehouse.app.infrastructure.database.query(
    'due-jobs',
    `UPDATE pgboss.job SET start_after = now() WHERE name = 'webhook' AND data->>'eventId' = $1`,
    [eventId],
  );
}

async function jobsLeft({ eventId }: DeliveryKey): Promise<number> {
  const [row] = await gatehouse.app.infrastructure.database.query<{ jobs: number }>(
    'jobs-left',
    `SELECT count(*)::int AS jobs FROM pgboss.job WHERE name = 'webhook' AND data->>'eventId' = $1 AND state <> 'completed'`,
    [eventId],
  );
  return row!.jobs;
}

async function stateOf({ eventId }: DeliveryKey) {
  const { node } = await graph<{ node: { deliveries: { state: string; attempts: number; statusCode: number | null }[] } }>(
    `{ node(id: "${eventId}") { ... on Event { deliveries { state attempts statusCode } } } }`,
  );
  return node.deliveries[0]!;
}

const webhookOf = async ({ webhookId }: DeliveryKey) =>
  (
    await graph<{ node: { isEnabled: boolean; failingSince: string | null; version: number } }>(
      `{ node(id: "${webhookId}") { ... on Webhook { isEnabled failingSince version } } }`,
    )
  ).node;

describe('an attempt that failed', () => {
  test('is made again by the queue after five seconds, with the same webhook-id', { timeout: 60_000 }, async () => {
    await hook('/again');
    receiver.status = 500;
    await createPermission('again');
    const first = await waitFor(() => received[0]);
    const at = Date.now();
    receiver.status = 200;
    const second = await waitFor(() => received[1]);
    expect(Date.now() - at).toBeGreaterThan(4_500);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    const eventId = (await operator(gatehouse).db.event.findFirstOrThrow({ orderBy: { id: 'desc' } })).id;
    const key = { environmentId: world.ids.Environment, webhookId: '', eventId };
    const done = await waitFor(async () => ((await stateOf(key)).state === 'DELIVERED' ? stateOf(key) : undefined));
    expect(done).toEqual({ state: 'DELIVERED', attempts: 2, statusCode: 200 });
  });

  test('is made again after 5 s, 30 s, 2 min, 10 min, 1 h, 4 h and every 12 h, to within 36 h; then it is given up', async () => {
    expect(RETRY_SECONDS).toEqual([5, 30, 120, 600, 3600, 14_400, 43_200, 43_200]);
    const total = RETRY_SECONDS.reduce((sum: number, each) => sum + each, 0);
    expect([total <= 36 * 3600, total + 12 * 3600 > 36 * 3600]).toEqual([true, true]);
    const key = await pending('/never');
    receiver.status = 302;
    for (const [number, seconds] of RETRY_SECONDS.entries()) {
      await attempt(key, number);
      expect(await waitsBefore(key, number + 1)).toEqual([seconds]);
      expect(await stateOf(key)).toEqual({ state: 'PENDING', attempts: number + 1, statusCode: 302 });
    }
    const last = RETRY_SECONDS.length;
    await attempt(key, last);
    await attempt(key, last);
    await attempt(key, last + 1);
    expect(await waitsBefore(key, last + 1)).toEqual([]);
    expect(await stateOf(key)).toEqual({ state: 'GIVEN_UP', attempts: last + 1, statusCode: 302 });
    // Each attempt was made once, and none went where the answers said.
    expect(received.map(({ path }) => path)).toEqual(Array(last + 1).fill('/never'));
  });
});

describe('one attempt', () => {
  test('is sent once, however many processes make it at the same moment', async () => {
    const key = await pending();
    receiver.delay = 500;
    await Promise.all([1, 2, 3, 4, 5].map(() => attempt(key, 0)));
    expect(received).toHaveLength(1);
    expect(await stateOf(key)).toEqual({ state: 'DELIVERED', attempts: 1, statusCode: 200 });
    await attempt(key, 0);
    expect(received).toHaveLength(1);
  });

  test('that is lost with its process is sent again when that process has had its time, with the same webhook-id', async () => {
    const key = await pending();
    const { db, clock } = operator(gatehouse);
    const claimedUntil = new Date(clock.now().getTime() + CLAIM_SECONDS * 1000);
    await db.webhookDelivery.updateMany({ where: { eventId: key.eventId }, data: { claimedUntil } });
    await attempt(key, 0);
    expect(received).toHaveLength(0);
    expect(await waitsBefore(key, 0)).toEqual([CLAIM_SECONDS]);
    gatehouse.advance(CLAIM_SECONDS + 1);
    await Promise.all([attempt(key, 0), attempt(key, 0)]);
    const { id } = await db.webhookDelivery.findFirstOrThrow({ where: { eventId: key.eventId } });
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([id]);
    expect(await stateOf(key)).toMatchObject({ state: 'DELIVERED', attempts: 1 });
  });

  test('of a server in production does not go to its own machine', async () => {
    const key = await pending();
    const { infrastructure } = gatehouse.app;
    await deliver({ ...infrastructure, config: { ...infrastructure.config, production: true } }, key, 0);
    expect(received).toEqual([]);
    expect(await stateOf(key)).toEqual({ state: 'PENDING', attempts: 1, statusCode: null });
  });
});

describe('a webhook', () => {
  test('that has failed for 72 hours is disabled and shown as that, one that succeeds in between is not', async () => {
    const key = await pending('/failing');
    const { environmentId, webhookId } = key;
    const once = async (status: number) => {
      receiver.status = status;
      const eventId = await eventFor(environmentId, webhookId);
      await attempt({ ...key, eventId }, 0);
      return { ...key, eventId };
    };
    await once(500);
    expect(await webhookOf(key)).toEqual({ isEnabled: true, failingSince: expect.stringMatching(/Z$/), version: 1 });
    gatehouse.advance(FAILING_SECONDS / 2);
    token = await signInMember(gatehouse, world.businessId, 'owner2@alpha.test', ['owner']);
    await once(200);
    expect(await webhookOf(key)).toEqual({ isEnabled: true, failingSince: null, version: 1 });
    await once(500);
    gatehouse.advance(FAILING_SECONDS - 60);
    token = await signInMember(gatehouse, world.businessId, 'owner3@alpha.test', ['owner']);
    await once(500);
    expect(await webhookOf(key)).toMatchObject({ isEnabled: true });
    gatehouse.advance(120);
    const last = await once(500);
    expect(await webhookOf(key)).toEqual({ isEnabled: false, failingSince: expect.stringMatching(/Z$/), version: 2 });
    const { db } = operator(gatehouse);
    expect(await db.auditEvent.count({ where: { action: 'webhook.disabled', targetId: webhookId } })).toBe(1);
    // It is sent nothing more: what was on its way is given up when it is due, and stays so.
    expect(await stateOf(last)).toMatchObject({ state: 'GIVEN_UP', attempts: 1 });
    const before = received.length;
    await attempt(last, 1);
    await attempt(key, 0);
    await createPermission('unheard');
    expect(received).toHaveLength(before);
    receiver.status = 200;
    await graph(`mutation { updateWebhook(input: { webhookId: "${webhookId}", isEnabled: true }) { errors { code } } }`);
    expect(await webhookOf(key)).toEqual({ isEnabled: true, failingSince: null, version: 3 });
    for (const each of [last, key]) expect(await stateOf(each)).toMatchObject({ state: 'GIVEN_UP' });
    await attempt(last, 1);
    expect(received).toHaveLength(before);
  });

  test('that is deleted is sent nothing more, neither what is on its way nor by the queue', { timeout: 30_000 }, async () => {
    const { id: webhookId, environmentId } = await hook('/deleted');
    receiver.status = 500;
    await createPermission('deleted');
    await waitFor(() => received[0]);
    const { eventId } = await operator(gatehouse).db.webhookDelivery.findFirstOrThrow({ where: { webhookId } });
    const key = { environmentId, webhookId, eventId };
    await waitFor(async () => ((await waitsBefore(key, 1)).length === 1 ? true : undefined));
    await graph(`mutation { deleteWebhook(input: { webhookId: "${webhookId}" }) { deletedId } }`);
    expect(await operator(gatehouse).db.webhookDelivery.count({ where: { webhookId } })).toBe(0);
    await attempt(key, 1);
    await makeDue(key);
    await waitFor(async () => ((await jobsLeft(key)) === 0 ? true : undefined));
    expect(received).toHaveLength(1);
  });

  test('that is deleted while an attempt is made is not written to, and harms nobody', async () => {
    const key = await pending();
    receiver.delay = 300;
    receiver.status = 500;
    const made = attempt(key, 0);
    await waitFor(() => received[0]);
    await graph(`mutation { deleteWebhook(input: { webhookId: "${key.webhookId}" }) { deletedId } }`);
    await made;
    expect(await waitsBefore(key, 1)).toEqual([]);
  });

  test('that is deleted while something happens does not undo what happens', async () => {
    const { id: webhookId, environmentId } = await hook('/leaving');
    const { database } = gatehouse.app.infrastructure;
    const deleting = database.prisma.$transaction(async (tx) => {
      await tx.webhook.delete({ where: { environmentId_id: { environmentId, id: webhookId } } });
      await new Promise((done) => setTimeout(done, 1_000));
    });
    await new Promise((done) => setTimeout(done, 200));
    expect(await createPermission('leaving')).toEqual({ createPermission: { errors: [] } });
    await deleting;
    expect(await operator(gatehouse).db.permission.count({ where: { businessId: world.businessId, key: 'leaving' } })).toBe(1);
  });

  test('is one on the free plan, in all environments together, even of many that are made at the same moment', async () => {
    const small = await makeWorld(gatehouse, 'small', 'free');
    await operator(gatehouse).db.webhook.deleteMany();
    const owner = await signInMember(gatehouse, small.businessId, 'owner@small.test', ['owner']);
    const places = [small.production, small.development, small.production, small.development];
    const create = ({ environmentId }: { environmentId: string }) =>
      graph<{ createWebhook: { errors: { code: string }[] } }>(
        `mutation { createWebhook(input: { environmentId: "${environmentId}", name: "One", url: "${receiver.url}/one", eventTypes: [ROLE_CREATED] }) { errors { code } } }`,
        owner,
      );
    const answers = await Promise.all(places.map(create));
    expect(answers.flatMap(({ createWebhook: { errors } }) => errors.map(({ code }) => code))).toEqual(Array(3).fill('PLAN_LIMIT'));
    const where = { environment: { businessId: small.businessId } };
    expect(await operator(gatehouse).db.webhook.count({ where })).toBe(1);
    expect((await create(small.production)).createWebhook.errors).toHaveLength(1);
  });
});

test('events are kept for 30 days with their deliveries, and deleted in batches', async () => {
  const key = await pending();
  const { environmentId, webhookId } = key;
  const ctx = operator(gatehouse);
  await ctx.db.event.deleteMany({ where: { id: { not: key.eventId } } });
  const daysAgo = (seconds: number) => new Date(ctx.clock.now().getTime() - seconds * 1000);
  const kept = await eventFor(environmentId, webhookId);
  await ctx.db.event.updateMany({ where: { id: kept }, data: { createdAt: daysAgo(EVENT_DAYS * 24 * 3600 - 60) } });
  for (let made = 0; made < 5; made++) {
    const old = await eventFor(environmentId, webhookId);
    await ctx.db.event.updateMany({ where: { id: old }, data: { createdAt: daysAgo(EVENT_DAYS * 24 * 3600 + 60) } });
  }
  const batches = [
    await deleteOldEvents(ctx, 2),
    await deleteOldEvents(ctx, 2),
    await deleteOldEvents(ctx, 2),
    await deleteOldEvents(ctx, 2),
  ];
  expect(batches).toEqual([2, 2, 1, 0]);
  const left = [key.eventId, kept].sort();
  expect((await ctx.db.event.findMany({ orderBy: { id: 'asc' } })).map(({ id }) => id)).toEqual(left);
  expect((await ctx.db.webhookDelivery.findMany({ orderBy: { eventId: 'asc' } })).map(({ eventId }) => eventId)).toEqual(left);
});

test('the log holds nothing of what is sent, nor where to, not even at the lowest level and when it fails', async () => {
  const { infrastructure, server } = gatehouse.app;
  const level = infrastructure.log.level;
  infrastructure.log.level = 'trace';
  (server.log as { level: string }).level = 'trace';
  const path = '/services/T0NOBODYKNOWS?key=K0NOBODYKNOWS';
  const { id: webhookId } = await hook(path);
  await graph(`mutation { updateWebhook(input: { webhookId: "${webhookId}", eventTypes: [USER_CREATED] }) { errors { code } } }`);
  for (const status of [500, 200]) {
    receiver.status = status;
    const input = `environmentId: "${world.ids.Environment}", email: "nobody-knows-${status}@acme.test", firstName: "Nobodyknows"`;
    await graph(`mutation { createUser(input: { ${input} }) { errors { code } } }`);
    await waitFor(() => received.find(({ body }) => Buffer.from(body.split('.')[1]!, 'base64url').includes(`nobody-knows-${status}`)));
  }
  await waitFor(async () =>
    (await operator(gatehouse).db.webhookDelivery.count({ where: { webhookId, attempts: { gt: 0 } } })) === 2 ? true : undefined,
  );
  await operator(gatehouse).db.webhook.updateMany({ where: { id: webhookId }, data: { url: `http://localhost:9${path}` } });
  const { environmentId, eventId } = await operator(gatehouse).db.webhookDelivery.findFirstOrThrow({
    where: { webhookId, deliveredAt: null },
  });
  await attempt({ environmentId, webhookId, eventId }, 1);
  infrastructure.log.level = level;
  expect(received[0]!.path).toBe(path);
  const log = gatehouse.log();
  expect(log.length).toBeGreaterThan(1000);
  const jwts = received.flatMap(({ body }) => body.split('.'));
  for (const secret of ['NOBODYKNOWS', 'Nobodyknows', 'nobody-knows', ...jwts.slice(1, 3)]) expect(log).not.toContain(secret);
  const output = await infrastructure.database.query<{ text: string }>(
    'outputs',
    `SELECT coalesce(string_agg(data::text || coalesce(output::text, ''), ' '), '') AS text FROM pgboss.job WHERE name = 'webhook'`,
    [],
  );
  expect(output[0]!.text).toContain(webhookId);
  for (const secret of ['NOBODYKNOWS', 'Nobodyknows', 'nobody-knows']) expect(output[0]!.text).not.toContain(secret);
});

test('a receiver that never answers holds up the webhooks of no other environment', { retry: 2 }, async () => {
  const ctx = operator(gatehouse);
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => silent.listen(0, 'localhost', resolve));
  try {
    const { environmentId } = world.development;
    const url = `http://localhost:${(silent.address() as AddressInfo).port}/`;
    await createWebhook(ctx, { environmentId, name: 'Silent', url, eventTypes: ['organization.created'] });
    for (let at = 0; at < 40; at++) await createOrganization(ctx, { environmentId, name: 'Told to nobody' });
    await waitFor(() => sockets[0]);
    await hook('/quick');
    await createPermission('quick');
    await waitFor(() => received.find(({ path }) => path === '/quick'));
    // Those that were to be told before have not had their turn.
    expect(sockets.length).toBeLessThan(20);
  } finally {
    await ctx.db.webhook.deleteMany();
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});
