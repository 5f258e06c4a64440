/** Webhooks: real receivers are told what happens, signed, once it is committed, and again until they have answered. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { deleteOldEvents, EVENT_DAYS, EVENT_TYPES } from '../../src/features/events/service.ts';
import { deliver, FAILING_SECONDS, RETRY_SECONDS } from '../../src/features/webhooks/delivering.ts';
import { createWebhook } from '../../src/features/webhooks/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress, signUp } from '../signin/person.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
const received: Received[] = [];
/** What the receiver answers. */
let status = 200;
let server: Server;
let receiver: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      received.push({ path: request.url!, headers: request.headers, body });
      response.writeHead(status).end('thanks');
    });
  });
  await new Promise<void>((done) => server.listen(0, 'localhost', done));
  receiver = `http://localhost:${(server.address() as AddressInfo).port}`;
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});
afterAll(() => void server.close());
beforeEach(async () => {
  status = 200;
  await operator(gatehouse).db.webhook.deleteMany();
  received.length = 0;
});

const types = Object.keys(EVENT_TYPES) as (keyof typeof EVENT_TYPES)[];

async function hook(
  path: string,
  eventTypes: readonly (keyof typeof EVENT_TYPES)[] = types,
  environmentId: string = world.ids.Environment,
) {
  return createWebhook(operator(gatehouse), { environmentId, name: path, url: `${receiver}${path}`, eventTypes });
}

async function mutate(name: string, input: object, selection: string, by = token) {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { errors { __typename message } ${selection} } }`;
  const { data, errors } = await ask<Record<string, Record<string, never>>, object>(gatehouse, by, document, { input });
  expect(errors).toEqual([]);
  expect(data![name]!['errors']).toEqual([]);
  return data![name]!;
}

async function waitFor<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('It did not come.');
}

/** The claims of what `path` was told, checked with the issuer's published keys. */
async function told(path: string, type: string, count = 1) {
  const [first] = await waitFor(() => {
    const found = received.filter((each) => each.path === path && claimsOf(each.body).type === type);
    return found.length >= count ? [found[count - 1]!] : undefined;
  });
  const keys = createRemoteJWKSet(new URL(`${world.production.machine.issuer}/.well-known/jwks.json`));
  const { payload } = await jwtVerify(first!.body, keys, { algorithms: ['RS256'] });
  return { claims: payload as Record<string, unknown>, headers: first!.headers };
}

function claimsOf(jwt: string): { type: string; event_id: string } {
  return JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString());
}

async function eventsOf(environmentId: string = world.ids.Environment) {
  return operator(gatehouse).db.event.findMany({ where: { environmentId, deliveries: { some: {} } }, orderBy: { id: 'asc' } });
}

test('a receiver is told of a new user as it is at the end of the change, in a JWT of the issuer', async () => {
  await hook('/users', ['user.created']);
  const { user } = await mutate(
    'createUser',
    { environmentId: world.ids.Environment, email: 'Jane@acme.test', firstName: 'Jane', organizationId: world.ids.Organization },
    'user { id }',
  );
  const { id } = user as unknown as { id: string };
  const { claims, headers } = await told('/users', 'user.created');
  expect(headers['content-type']).toBe('application/jwt');
  expect(headers['webhook-id']).toMatch(/^delivery_[0-9a-f]{32}$/);
  expect(decodeProtectedHeader(received[0]!.body)).toMatchObject({ alg: 'RS256' });
  expect(claims).toEqual({
    type: 'user.created',
    event_id: expect.stringMatching(/^event_[0-9a-f]{32}$/),
    source: 'admin',
    timestamp: expect.stringMatching(/Z$/),
    event_timestamp: expect.stringMatching(/Z$/),
    data: {
      user: {
        id,
        email: 'Jane@acme.test',
        first_name: 'Jane',
        last_name: null,
        phone: null,
        username: null,
        is_password_reset_requested: false,
        is_suspended: false,
        organizations: [{ code: world.ids.Organization, roles: null, permissions: null }],
      },
    },
  });
  expect(received).toHaveLength(1);
  // Nor can what a receiver holds be used as a token.
  const { errors } = await ask(gatehouse, received[0]!.body, '{ viewer { __typename } businesses { nodes { id } } }');
  expect(errors[0]?.extensions.code).toMatch(/UNAUTHENTICATED|BAD_USER_INPUT/);
  // The graph shows the event as it was delivered.
  const delivered = await waitFor(async () => {
    const document = `{ node(id: "${claims['event_id']}") { ... on Event { type source data deliveries { state attempts statusCode header } } } }`;
    const { data } = await ask<{ node: { deliveries: { state: string }[]; data: object } }, object>(gatehouse, token, document);
    return data!.node.deliveries[0]!.state === 'DELIVERED' ? data!.node : undefined;
  });
  expect(delivered).toEqual({
    type: 'USER_CREATED',
    source: 'ADMIN',
    data: claims['data'],
    deliveries: [{ state: 'DELIVERED', attempts: 1, statusCode: 200, header: headers['webhook-id'] }],
  });
});

test('a change that is taken back, or only shown, tells nobody', async () => {
  await hook('/nobody');
  const before = (await eventsOf()).length;
  const input = { environmentId: world.ids.Environment, email: 'jane@acme.test' };
  const document = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { message } } }';
  const { data } = await ask<{ createUser: { errors: object[] } }, object>(gatehouse, token, document, { input });
  expect(data!.createUser.errors).toHaveLength(1);
  const preview = 'mutation ($input: DeleteRoleInput!) { deleteRole(input: $input) { preview { __typename } } }';
  const shown = await ask(gatehouse, token, preview, { input: { roleId: world.ids.Role, dryRun: true } });
  expect(shown.errors).toEqual([]);
  expect(shown.data).toEqual({ deleteRole: { preview: { __typename: expect.any(String) } } });
  expect(await eventsOf()).toHaveLength(before);
});

test('what nobody wants is not written down, nor what only a disabled webhook or another environment wants', async () => {
  const { id: webhookId } = await hook('/off', ['organization.created']);
  await mutate('updateWebhook', { webhookId, isEnabled: false }, 'webhook { isEnabled }');
  await hook('/elsewhere', ['organization.created'], world.development.environmentId);
  const count = () => operator(gatehouse).db.event.count();
  const before = await count();
  await mutate('createOrganization', { environmentId: world.ids.Environment, name: 'Unheard' }, 'organization { id }');
  expect(await count()).toBe(before);
  await mutate('updateWebhook', { webhookId, isEnabled: true }, 'webhook { isEnabled }');
  await mutate('createOrganization', { environmentId: world.ids.Environment, name: 'Heard' }, 'organization { id }');
  const { claims } = await told('/off', 'organization.created');
  expect(claims['data']).toMatchObject({ organization: { name: 'Heard', handle: null, external_id: null } });
  expect(received).toHaveLength(1);
});

test('organizations, roles and permissions tell what they are; a program is the source of what it does', async () => {
  await hook('/all');
  await hook('/development', ['role.created'], world.development.environmentId);
  const machine = await tokenOf(world.production.machine);
  const { organization } = await mutate('createOrganization', { name: 'Acme', handle: 'acme-told' }, 'organization { id }', machine);
  const { id } = organization as unknown as { id: string };
  expect((await told('/all', 'organization.created')).claims).toMatchObject({
    source: 'api',
    data: { organization: { code: id, name: 'Acme', handle: 'acme-told', external_id: null } },
  });
  await mutate('updateOrganization', { organizationId: id, name: 'Acme 2' }, 'organization { id }');
  expect((await told('/all', 'organization.updated')).claims['data']).toMatchObject({
    organization: { code: id, name: 'Acme 2', is_allow_registrations: false },
  });
  await mutate('deleteOrganization', { organizationId: id }, 'deletedId');
  expect((await told('/all', 'organization.deleted')).claims['data']).toEqual({ organization: { code: id } });
  await mutate('createPermission', { businessId: world.businessId, key: 'told', name: 'Told' }, 'permission { id }');
  expect((await told('/all', 'permission.created')).claims['data']).toEqual({
    permission: { id: expect.stringMatching(/^perm_/), key: 'told', name: 'Told', description: null },
  });
  const { role } = await mutate('createRole', { businessId: world.businessId, key: 'told', name: 'Told' }, 'role { id }');
  const roleId = (role as unknown as { id: string }).id;
  const named = { id: roleId, key: 'told', name: 'Told', description: null, is_default_role: false };
  expect((await told('/all', 'role.created')).claims['data']).toEqual({ role: named });
  // The environments of a business share its roles: each is told, by its own issuer.
  await waitFor(() => received.find((each) => each.path === '/development'));
  await mutate('deleteRole', { roleId }, 'deletedId');
  expect((await told('/all', 'role.deleted')).claims['data']).toEqual({ role: { id: roleId } });
});

test('a person who signs up and signs in is told of as the user', async () => {
  const { environmentId } = await operator(gatehouse).db.application.findFirstOrThrow({
    where: { id: `app_${gatehouse.application('spa').clientId}` },
  });
  await createWebhook(operator(gatehouse), { environmentId, name: 'People', url: `${receiver}/people`, eventTypes: types });
  const email = newAddress('heard');
  await signUp(gatehouse, { email });
  const claimed = (type: string) => waitFor(() => received.map(({ body }) => claimsOf(body)).find((claims) => claims.type === type));
  expect(await claimed('user.created')).toMatchObject({ source: 'user', data: { user: { email } } });
  expect(await claimed('user.authenticated')).toMatchObject({ source: 'user', data: { user: { id: expect.stringMatching(/^kp_/) } } });

  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, email);
  await agent.submit(page, 'password', { p_password: 'not the right one' });
  expect(await claimed('user.authentication_failed')).toMatchObject({ source: 'user', data: { user: { id: expect.any(String) } } });
});

test('the queue tries again after some seconds, with the same webhook-id', { timeout: 60_000 }, async () => {
  await hook('/again', ['permission.created']);
  status = 500;
  await mutate('createPermission', { businessId: world.businessId, key: 'again', name: 'Again' }, 'permission { id }');
  await waitFor(() => received[0]);
  status = 200;
  const second = await waitFor(() => received[1]);
  expect(second.headers['webhook-id']).toBe(received[0]!.headers['webhook-id']);
  expect(claimsOf(second.body).event_id).toBe(claimsOf(received[0]!.body).event_id);
  const delivery = await waitFor(async () =>
    operator(gatehouse)
      .db.webhookDelivery.findFirstOrThrow({ where: { eventId: claimsOf(second.body).event_id } })
      .then((row) => (row.deliveredAt ? row : undefined)),
  );
  expect(delivery).toMatchObject({ attempts: 2, statusCode: 200 });
});

/** An event for a webhook, whose attempts the test makes itself. */
async function pending(path: string) {
  const { environmentId, id: webhookId } = await hook(path, ['role.deleted']);
  const ctx = operator(gatehouse);
  const event = { environmentId, id: `event_${'0'.repeat(20)}${Math.random().toString(16).slice(2, 14).padEnd(12, '0')}` };
  await ctx.db.event.create({
    data: { ...event, type: 'role.deleted', source: 'admin', data: { role: { id: 'role' } }, createdAt: ctx.clock.now() },
  });
  await ctx.db.webhookDelivery.create({ data: { environmentId, webhookId, eventId: event.id, id: `delivery_${event.id.slice(6)}` } });
  return { environmentId, webhookId, eventId: event.id };
}

test('the last attempt is made within 36 hours of the first, and it is the last', async () => {
  expect(RETRY_SECONDS.slice(0, 7)).toEqual([5, 30, 120, 600, 3600, 14_400, 43_200]);
  const total = RETRY_SECONDS.reduce((sum: number, each) => sum + each, 0);
  expect(total).toBeLessThanOrEqual(36 * 3600);
  expect(total + RETRY_SECONDS.at(-1)!).toBeGreaterThan(36 * 3600);
  const key = await pending('/never');
  status = 302;
  const { infrastructure } = gatehouse.app;
  for (let attempt = 0; attempt <= RETRY_SECONDS.length; attempt++) await deliver(infrastructure, key, attempt);
  await deliver(infrastructure, key, RETRY_SECONDS.length); // Again: it was made already.
  expect(received.filter(({ path }) => path === '/never')).toHaveLength(RETRY_SECONDS.length + 1);
  const { data } = await ask<object, object>(
    gatehouse,
    token,
    `{ node(id: "${key.eventId}") { ... on Event { deliveries { state attempts statusCode } } } }`,
  );
  expect(data).toEqual({ node: { deliveries: [{ state: 'GIVEN_UP', attempts: RETRY_SECONDS.length + 1, statusCode: 302 }] } });
});

test('two processes that make the same attempt count it once', async () => {
  const key = await pending('/twice');
  await Promise.all([1, 2, 3].map(() => deliver(gatehouse.app.infrastructure, key, 0)));
  const ctx = operator(gatehouse);
  const delivery = await ctx.db.webhookDelivery.findFirstOrThrow({ where: { eventId: key.eventId } });
  expect(delivery).toMatchObject({ attempts: 1, statusCode: 200, deliveredAt: expect.any(Date) });
  const ids = new Set(received.filter(({ path }) => path === '/twice').map(({ headers }) => headers['webhook-id']));
  expect(ids.size).toBe(1);
});

test('a webhook that has failed for 72 hours is disabled, one that succeeds in between is not', async () => {
  const { infrastructure } = gatehouse.app;
  const ctx = operator(gatehouse);
  const key = await pending('/failing');
  const state = () =>
    ctx.db.webhook.findFirstOrThrow({ where: { id: key.webhookId }, select: { isEnabled: true, failingSince: true, version: true } });
  const attempts = async (count: number) => {
    await ctx.db.webhookDelivery.updateMany({ where: { eventId: key.eventId }, data: { attempts: count, deliveredAt: null } });
    await deliver(infrastructure, key, count);
  };
  status = 500;
  await attempts(7);
  expect(await state()).toMatchObject({ isEnabled: true, failingSince: expect.any(Date) });
  gatehouse.advance(FAILING_SECONDS / 2);
  status = 200;
  await attempts(7);
  expect(await state()).toMatchObject({ isEnabled: true, failingSince: null });
  status = 500;
  await attempts(7);
  gatehouse.advance(FAILING_SECONDS - 60);
  await attempts(7);
  expect(await state()).toMatchObject({ isEnabled: true });
  gatehouse.advance(120);
  await attempts(7);
  expect(await state()).toMatchObject({ isEnabled: false, version: 2 });
  expect(await ctx.db.auditEvent.count({ where: { action: 'webhook.disabled', targetId: key.webhookId } })).toBe(1);
  // What is still in the queue is not sent.
  const before = received.length;
  await attempts(7);
  expect(received).toHaveLength(before);
  token = await signInMember(gatehouse, world.businessId, 'owner2@alpha.test', ['owner']);
  await mutate('updateWebhook', { webhookId: key.webhookId, isEnabled: true }, 'webhook { isEnabled }');
  expect(await state()).toMatchObject({ isEnabled: true, failingSince: null });
});

test('events are kept for 30 days', async () => {
  const key = await pending('/old');
  const ctx = operator(gatehouse);
  const old = await pending('/older');
  await ctx.db.event.updateMany({
    where: { id: old.eventId },
    data: { createdAt: new Date(ctx.clock.now().getTime() - (EVENT_DAYS * 24 * 3600 + 60) * 1000) },
  });
  while ((await deleteOldEvents(ctx, 2)) > 0);
  expect(await ctx.db.event.count({ where: { id: { in: [key.eventId, old.eventId] } } })).toBe(1);
  expect(await ctx.db.webhookDelivery.count({ where: { eventId: { in: [key.eventId, old.eventId] } } })).toBe(1);
});

test('the server says what webhooks can be told of', async () => {
  const { data } = await ask<{ eventTypes: { name: string; description: string }[] }, object>(
    gatehouse,
    token,
    '{ eventTypes { type name description } }',
  );
  expect(data!.eventTypes.map(({ name }) => name)).toEqual(types);
});
