/** What a caller may not do is not done for it as a part of something that it may: nobody gains more than they hold. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addOrganizationMember } from '../../src/features/organizations/service.ts';
import { subscribers } from '../../src/features/subscribers/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { createWebhook, updateWebhook } from '../../src/features/webhooks/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask, upload } from '../helpers/graph.ts';
import { waitFor } from '../helpers/receiver.ts';
import { explained } from './explained.ts';
import { digestOfEverything, makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let marketing: string;
/** In Marketing here, and an Owner of another business. */
let both: string;
beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha', 'enterprise');
  const other = await makeWorld(gatehouse, 'beta', 'enterprise');
  marketing = await signInMember(gatehouse, world.businessId, 'marketing@alpha.test', ['marketing']);
  await makeMember(gatehouse, other.businessId, 'both@team.test', ['owner']);
  both = await signInMember(gatehouse, world.businessId, 'both@team.test', ['marketing']);
});

// Else they are told of what the tests make, in the middle of the next one.
beforeEach(async () => void (await operator(gatehouse).db.webhook.deleteMany()));

const machine = (...scopes: string[]) => tokenOf(world.production.machine, scopes.join(' '));

interface Sent {
  readonly data: Record<string, { errors: readonly { code?: string }[]; results?: unknown[] } | null> | null;
  readonly errors: readonly { path?: readonly (string | number)[]; extensions: { code: string; permission?: string } }[];
}

function documentOf(mutation: string): string {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  return `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { __typename message path } } }`;
}

const send = (token: string, mutation: string, input: object): Promise<Sent> =>
  ask(gatehouse, token, documentOf(mutation), { input }) as Promise<Sent>;

const forbidden = (mutation: string, permission: string) => ({
  data: { [mutation]: null },
  errors: [{ path: [mutation], extensions: { code: 'FORBIDDEN', permission } }],
});

async function expectNothingDone(attempt: () => Promise<unknown>, met: object) {
  const before = await digestOfEverything(gatehouse);
  expect(await attempt()).toMatchObject(met);
  expect(await digestOfEverything(gatehouse)).toBe(before);
}

let made = 0;
async function newUser(): Promise<string> {
  return (await createUser(operator(gatehouse), { environmentId: world.ids.Environment, email: `user-${++made}@people.test` })).id;
}
const newMember = async () => {
  const wanted = { organizationId: world.ids.Organization, userId: await newUser(), roleIds: [] };
  return (await addOrganizationMember(operator(gatehouse), wanted)).id;
};
const newContact = async () =>
  (await subscribers.create(operator(gatehouse), { environmentId: world.ids.Environment, email: `contact-${++made}@people.test` })).id;

interface Attempt {
  readonly mutation: string;
  /** What the mutation itself takes. */
  readonly held: string;
  /** What the input takes besides. */
  readonly missing: readonly string[];
  readonly input: () => object | Promise<object>;
}

const ROLES = 'create:organization_user_roles';

const ATTEMPTS: readonly (readonly [what: string, attempt: Attempt])[] = [
  [
    'a member with a role',
    {
      mutation: 'addOrganizationMember',
      held: 'create:organization_users',
      missing: [ROLES],
      input: async () => ({ organizationId: world.ids.Organization, userId: await newUser(), roleIds: [world.ids.Role] }),
    },
  ],
  [
    'another role of a member',
    {
      mutation: 'updateOrganizationMember',
      held: 'update:organization_users',
      missing: [ROLES, 'delete:organization_user_roles'],
      input: async () => ({ organizationMemberId: await newMember(), roleIds: [world.ids.Role] }),
    },
  ],
  [
    'another permission of a member',
    {
      mutation: 'updateOrganizationMember',
      held: 'update:organization_users',
      missing: ['create:organization_user_permissions', 'delete:organization_user_permissions'],
      input: async () => ({ organizationMemberId: await newMember(), permissionIds: [world.ids.Permission] }),
    },
  ],
  [
    'no role of a member any more',
    {
      mutation: 'updateOrganizationMember',
      held: 'update:organization_users',
      missing: ['delete:organization_user_roles'],
      input: async () => ({ organizationMemberId: await newMember(), roleIds: [] }),
    },
  ],
  [
    'an invitation with a role',
    {
      mutation: 'createOrganizationInvitation',
      held: 'create:organization_invites',
      missing: [ROLES],
      input: () => ({
        organizationId: world.ids.Organization,
        email: `invited-${++made}@people.test`,
        roleIds: [world.ids.Role],
        sendEmail: false,
      }),
    },
  ],
  [
    'a role for whoever joins an organization',
    {
      mutation: 'updateOrganizationPolicies',
      held: 'update:organizations',
      missing: [ROLES],
      input: () => ({ organizationId: world.ids.Organization, defaultRoleIds: [world.ids.Role] }),
    },
  ],
  [
    'a role that allows something',
    {
      mutation: 'createRole',
      held: 'create:roles',
      missing: ['update:role_permissions'],
      input: () => ({ businessId: world.businessId, key: `role-${++made}`, name: 'Role', permissionIds: [world.ids.Permission] }),
    },
  ],
  [
    'what a role allows',
    {
      mutation: 'updateRole',
      held: 'update:roles',
      missing: ['update:role_permissions'],
      input: () => ({ roleId: world.ids.Role, permissionIds: [world.ids.Permission] }),
    },
  ],
  [
    'a user in an organization',
    {
      mutation: 'createUser',
      held: 'create:users',
      missing: ['create:organization_users'],
      input: () => ({
        environmentId: world.ids.Environment,
        email: `placed-${++made}@people.test`,
        organizationId: world.ids.Organization,
      }),
    },
  ],
  [
    'a contact that becomes a member of an organization',
    {
      mutation: 'convertSubscriber',
      held: 'update:subscribers',
      missing: ['create:users', 'create:organization_users'],
      input: async () => ({ subscriberId: await newContact(), organizationId: world.ids.Organization }),
    },
  ],
  [
    'a webhook that is told of people',
    {
      mutation: 'createWebhook',
      held: 'create:webhooks',
      missing: [
        'read:users',
        'read:user_contacts',
        'read:organization_users',
        'read:organization_user_roles',
        'read:organization_user_permissions',
      ],
      input: () => ({ environmentId: world.ids.Environment, name: 'Spy', url: 'https://spy.test/', eventTypes: ['USER_CREATED'] }),
    },
  ],
  [
    'a webhook that is told of subscribers',
    {
      mutation: 'createWebhook',
      held: 'create:webhooks',
      missing: ['read:subscribers'],
      input: () => ({ environmentId: world.ids.Environment, name: 'Spy', url: 'https://spy.test/', eventTypes: ['SUBSCRIBER_CREATED'] }),
    },
  ],
];

describe.each(ATTEMPTS)('%s', (_what, { mutation, held, missing, input }) => {
  test.each(missing)('takes %s, besides what it is a part of', async (permission) => {
    const wanted = await input();
    const token = await machine(held, ...missing.filter((each) => each !== permission));
    await expectNothingDone(() => send(token, mutation, wanted), forbidden(mutation, permission));
    const { coordinates, isAllowed } = await explained(gatehouse, token, {
      document: documentOf(mutation),
      variables: { input: wanted },
    });
    expect({ isAllowed, refused: coordinates.filter(({ refusal }) => refusal) }).toMatchObject({
      isAllowed: false,
      refused: [{ path: [mutation], permission, refusal: 'FORBIDDEN' }],
    });
  });

  test('is done for who holds all of it', async () => {
    const { data, errors } = await send(await machine(held, ...missing), mutation, await input());
    expect({ data, errors }).toEqual({ data: { [mutation]: { errors: [] } }, errors: [] });
  });
});

test('of many items, the one that takes more is refused, and the others are done', async () => {
  const items = [[], [world.ids.Role]].map((roleIds) => ({
    organizationId: world.ids.Organization,
    email: `many-${++made}@people.test`,
    roleIds,
    sendEmail: false,
  }));
  const document = `mutation ($input: CreateOrganizationInvitationsInput!) {
    createOrganizationInvitations(input: $input) { errors { message } results { errors { message } } } }`;
  expect(await ask(gatehouse, await machine('create:organization_invites'), document, { input: { items } })).toMatchObject({
    data: { createOrganizationInvitations: { errors: [], results: [{ errors: [] }, null] } },
    errors: [{ path: ['createOrganizationInvitations', 'results', 1], extensions: { code: 'FORBIDDEN', permission: ROLES } }],
  });
});

test('Marketing, which writes the lists of contacts, takes itself into no organization by them', async () => {
  const own = { environmentId: world.ids.Environment, email: 'marketing@elsewhere.test' };
  const entry = 'mutation ($input: CreateSubscriberInput!) { createSubscriber(input: $input) { subscriber { id } } }';
  const { data } = await ask<{ createSubscriber: { subscriber: { id: string } } }, object>(gatehouse, marketing, entry, { input: own });
  const input = { subscriberId: data!.createSubscriber.subscriber.id, organizationId: world.ids.Organization };
  await expectNothingDone(() => send(marketing, 'convertSubscriber', input), forbidden('convertSubscriber', 'create:users'));
});

test('what is held in another business does not count', async () => {
  const input = { subscriberId: await newContact(), organizationId: world.ids.Organization };
  await expectNothingDone(() => send(both, 'convertSubscriber', input), forbidden('convertSubscriber', 'create:users'));
  const { coordinates } = await explained(gatehouse, both, { document: documentOf('convertSubscriber'), variables: { input } });
  expect(coordinates.filter(({ refusal }) => refusal)).toMatchObject([
    { permission: 'create:users', refusal: 'FORBIDDEN' },
    { permission: 'create:organization_users', refusal: 'FORBIDDEN' },
  ]);
});

describe('a webhook that somebody else made', () => {
  const hook = (isEnabled = true) =>
    createWebhook(operator(gatehouse), {
      environmentId: world.ids.Environment,
      name: 'Theirs',
      url: 'https://theirs.test/',
      eventTypes: ['user.created'],
    }).then(async (webhook) => {
      if (!isEnabled) await updateWebhook(operator(gatehouse), { webhookId: webhook.id, isEnabled });
      return webhook.id;
    });

  test.each([
    ['moved', true, { url: 'https://spy.test/' }],
    ['enabled', false, { isEnabled: true }],
    ['told of more', true, { eventTypes: ['USER_CREATED', 'ROLE_CREATED'] }],
  ])('is not %s by who may not read what it is told', async (_what, isEnabled, change) => {
    const webhookId = await hook(isEnabled);
    const token = await machine('update:webhooks', 'read:webhooks');
    const met = forbidden('updateWebhook', 'read:users');
    await expectNothingDone(() => send(token, 'updateWebhook', { webhookId, ...change }), met);
  });

  test('is renamed and disabled', async () => {
    const input = { webhookId: await hook(), name: 'Mine', isEnabled: false };
    expect(await send(await machine('update:webhooks'), 'updateWebhook', input)).toMatchObject({
      data: { updateWebhook: { errors: [] } },
      errors: [],
    });
  });
});

describe('an import', () => {
  // Else it writes in the middle of the next test.
  afterEach(async () => {
    const unfinished = { where: { state: { in: ['queued', 'running'] } } };
    await waitFor(async () => (await operator(gatehouse).db.import.count(unfinished)) === 0 || undefined);
  });

  const FILES: readonly (readonly [permission: string, file: string])[] = [
    ['create:users', 'email\nimported-1@people.test'],
    ['update:user_contacts', 'email,email_verified\nimported-2@people.test,TRUE'],
    ['update:user_passwords', `email,hashed_password,hashing_method\nimported-3@people.test,${'0'.repeat(64)},sha256`],
    ['create:organization_users', 'email,external_organization_id\nimported-4@people.test,acme'],
    ['create:organization_user_roles', 'email,external_organization_id,role_key\nimported-5@people.test,acme,admin'],
    ['create:organization_user_permissions', 'email,external_organization_id,permission_key\nimported-6@people.test,acme,read:all'],
  ];
  const importFile = (token: string, text: string) => {
    const input = { environmentId: world.ids.Environment, file: null };
    return upload(gatehouse, token, documentOf('importUsers'), { input }, 'variables.input.file', new File([text], 'people.csv'));
  };
  const scopes = ['create:imports', ...FILES.map(([permission]) => permission)];

  test.each(FILES)('takes %s for what it does of that kind', async (permission, text) => {
    const without = await machine(...scopes.filter((scope) => scope !== permission));
    await expectNothingDone(() => importFile(without, text), forbidden('importUsers', permission));
    expect(await importFile(await machine(...scopes), text)).toMatchObject({ data: { importUsers: { errors: [] } }, errors: [] });
  });

  test('takes no more than that', async () => {
    const some = await machine('create:imports', 'create:users');
    expect(await importFile(some, 'email,email_verified\nimported-7@people.test,FALSE')).toMatchObject({
      data: { importUsers: { errors: [] } },
      errors: [],
    });
  });
});
