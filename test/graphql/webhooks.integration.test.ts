/** Webhooks: real receivers are told what happens, signed, once it is committed. How they are told again: webhook-deliveries. */
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { EVENT_TYPES } from '../../src/features/events/service.ts';
import { createWebhook } from '../../src/features/webhooks/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { startReceiver, waitFor } from '../helpers/receiver.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { identify, newAddress, signUp } from '../signin/person.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

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

const types = Object.keys(EVENT_TYPES) as (keyof typeof EVENT_TYPES)[];

async function hook(
  path: string,
  eventTypes: readonly (keyof typeof EVENT_TYPES)[] = types,
  environmentId: string = world.ids.Environment,
) {
  return createWebhook(operator(gatehouse), { environmentId, name: path, url: `${receiver.url}${path}`, eventTypes });
}

async function mutate(name: string, input: object, selection: string, by = token) {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${name}(input: $input) { errors { __typename message } ${selection} } }`;
  const { data, errors } = await ask<Record<string, Record<string, never>>, object>(gatehouse, by, document, { input });
  expect(errors).toEqual([]);
  expect(data![name]!['errors']).toEqual([]);
  return data![name]!;
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

test('every type is told to who wants it and to nobody else, as a JWT of the issuer', { timeout: 60_000 }, async () => {
  const { ids } = world;
  const environmentId = ids.Environment;
  for (const type of types) await hook(`/${type}`, [type]);
  const make = async (name: string, input: object, field: string) => {
    const made = (await mutate(name, input, `${field} { id }`)) as Record<string, { id: string }>;
    return made[field]!.id;
  };
  const userId = await make('createUser', { environmentId, email: 'every@acme.test' }, 'user');
  const organizationId = await make('createOrganization', { environmentId, name: 'Every' }, 'organization');
  const roleId = await make('createRole', { businessId: world.businessId, key: 'every', name: 'Every' }, 'role');
  const permissionId = await make('createPermission', { businessId: world.businessId, key: 'every', name: 'Every' }, 'permission');
  await mutate('updateUser', { userId, firstName: 'Eve' }, 'user { id }');
  await mutate('updateOrganization', { organizationId, name: 'All' }, 'organization { id }');
  await mutate('updateRole', { roleId, name: 'All' }, 'role { id }');
  await mutate('updatePermission', { permissionId, name: 'All' }, 'permission { id }');
  const passkey = { credentialId: 'every', publicKey: new Uint8Array(1), counter: 0, isSyncable: true, isBackedUp: true, name: 'Phone' };
  const passkeyId = `passkey_${'0'.repeat(31)}1`;
  await operator(gatehouse).db.passkey.create({ data: { ...passkey, environmentId, id: passkeyId, userId } });
  await mutate('deletePasskey', { passkeyId }, 'deletedId');
  const contact = { environmentId, email: 'Reader@acme.test', firstName: 'Rea' };
  const subscriberId = await make('createSubscriber', contact, 'subscriber');
  await make('createAccessRequest', contact, 'accessRequest');
  await mutate('deleteUser', { userId, level: 'ERASE' }, 'deletedId');
  await mutate('deleteOrganization', { organizationId }, 'deletedId');
  await mutate('deleteRole', { roleId }, 'deletedId');
  await mutate('deletePermission', { permissionId }, 'deletedId');
  const person = { email: 'Reader@acme.test', first_name: 'Rea', last_name: null, user_id: null };
  const organization = { code: organizationId, handle: null, external_id: null };
  const role = { id: roleId, key: 'every', description: null, is_default_role: false };
  const permission = { id: permissionId, key: 'every', description: null };
  const expected: Partial<Record<(typeof types)[number], object>> = {
    'user.created': { user: expect.objectContaining({ id: userId, first_name: null }) },
    'user.updated': { user: expect.objectContaining({ id: userId, first_name: 'Eve' }) },
    'user.deleted': { user: { id: userId } },
    'passkey.removed': { passkey: { id: passkeyId, user_id: userId, name: 'Phone' } },
    'organization.created': { organization: { ...organization, name: 'Every' } },
    'organization.updated': { organization: { ...organization, name: 'All', is_allow_registrations: false } },
    'organization.deleted': { organization: { code: organizationId } },
    'role.created': { role: { ...role, name: 'Every' } },
    'role.updated': { role: { ...role, name: 'All' } },
    'role.deleted': { role: { id: roleId } },
    'permission.created': { permission: { ...permission, name: 'Every' } },
    'permission.updated': { permission: { ...permission, name: 'All' } },
    'permission.deleted': { permission: { id: permissionId } },
    'subscriber.created': { subscriber: { id: subscriberId, ...person } },
    'access_request.created': { access_request: person },
  };
  for (const [type, data] of Object.entries(expected)) {
    const { claims, headers } = await told(`/${type}`, type);
    expect({ type, data: claims['data'] }).toEqual({ type, data });
    expect(headers['content-type']).toBe('application/jwt');
  }
  expect(received.map(({ path }) => path).sort()).toEqual(
    Object.keys(expected)
      .map((type) => `/${type}`)
      .sort(),
  );
  // What only people at the sign-in pages do is told of in the next test.
  const atSignIn = types.filter((type) => !(type in expected));
  expect(atSignIn).toEqual(['user.authenticated', 'user.authentication_failed', 'passkey.added']);
});

test('a person who signs up and signs in is told of as the user', async () => {
  const { environmentId } = await operator(gatehouse).db.application.findFirstOrThrow({
    where: { id: `app_${gatehouse.application('spa').clientId}` },
  });
  await createWebhook(operator(gatehouse), { environmentId, name: 'People', url: `${receiver.url}/people`, eventTypes: types });
  const email = newAddress('heard');
  await signUp(gatehouse, { email });
  const keys = createRemoteJWKSet(new URL(`${gatehouse.baseUrl}/.well-known/jwks.json`));
  const claimed = async (type: string) => {
    const { body } = await waitFor(() => received.find((each) => claimsOf(each.body).type === type));
    return (await jwtVerify(body, keys, { algorithms: ['RS256'] })).payload;
  };
  expect(await claimed('user.created')).toMatchObject({ source: 'user', data: { user: { email } } });
  expect(await claimed('user.authenticated')).toMatchObject({ source: 'user', data: { user: { id: expect.stringMatching(/^kp_/) } } });

  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, email);
  await agent.submit(page, 'password', { p_password: 'not the right one' });
  expect(await claimed('user.authentication_failed')).toMatchObject({ source: 'user', data: { user: { id: expect.any(String) } } });
});

test('the server says what webhooks can be told of', async () => {
  const { data } = await ask<{ eventTypes: { name: string; description: string }[] }, object>(
    gatehouse,
    token,
    '{ eventTypes { type name description } }',
  );
  expect(data!.eventTypes.map(({ name }) => name)).toEqual(types);
});
