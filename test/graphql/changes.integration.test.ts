/** What holds for every mutation: a dry run shows and takes back, a version guards, a replay is answered with the first result. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createBusinessRow } from '../../src/features/businesses/service.ts';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createPermission } from '../../src/features/permissions/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { digestOfEverything, makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});

const PREVIEW = `preview {
  rows { kind created updated deleted } endedSessions revokedTokens members { memberId userId gained lost } teamMembers { memberId gained lost }
}`;
const DELETE_ROLE = `mutation ($input: DeleteRoleInput!) { deleteRole(input: $input) { deletedId ${PREVIEW} errors { message } } }`;
const UPDATE_ROLE = `mutation ($input: UpdateRoleInput!) { updateRole(input: $input) { role { name version } ${PREVIEW} errors { code message path } } }`;

describe('a dry run', () => {
  test('shows what would be deleted and who would lose what, and changes nothing', async () => {
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await ask(gatehouse, token, DELETE_ROLE, { input: { roleId: world.ids.Role, dryRun: true } });
    expect(errors).toEqual([]);
    const members = [world.production, world.development].map(({ ids }) => ({
      memberId: ids['OrganizationMember'],
      userId: ids['User'],
    }));
    expect(data).toEqual({
      deleteRole: {
        deletedId: null,
        errors: [],
        preview: {
          rows: [
            { kind: 'membership_roles', created: 0, updated: 0, deleted: 2 },
            { kind: 'organization_invitation_roles', created: 0, updated: 0, deleted: 2 },
            { kind: 'role_permissions', created: 0, updated: 0, deleted: 1 },
            { kind: 'role_scopes', created: 0, updated: 0, deleted: 2 },
            { kind: 'roles', created: 0, updated: 0, deleted: 1 },
          ],
          endedSessions: 0,
          revokedTokens: 0,
          members: [], // Both hold the permission directly as well.
          teamMembers: [],
        },
      },
    });
    expect(await digestOfEverything(gatehouse)).toBe(before);

    const ctx = operator(gatehouse);
    const held = await ctx.db.membershipPermission.findMany();
    await ctx.db.membershipPermission.deleteMany();
    const again = await ask<{ deleteRole: { preview: { members: unknown } } }, object>(gatehouse, token, DELETE_ROLE, {
      input: { roleId: world.ids.Role, dryRun: true },
    });
    expect(again.data!.deleteRole.preview.members).toEqual(members.map((member) => ({ ...member, gained: [], lost: ['alpha:do'] })));
    await ctx.db.membershipPermission.createMany({ data: held });
  });

  test('does as the change itself does: the same rows, no more and no fewer', async () => {
    const ctx = operator(gatehouse);
    const { businessId } = world;
    const environmentId = world.ids.Environment;
    const permission = await createPermission(ctx, { businessId, key: 'gained', name: 'Gained' });
    const role = await createRole(ctx, { businessId, key: 'promised', name: 'Promised' });
    const organization = await createOrganization(ctx, { environmentId, name: 'Promised' });
    const members = [];
    for (const name of ['one', 'two']) {
      const { id: userId } = await createUser(ctx, { environmentId, email: `${name}@promised.test` });
      members.push(await addOrganizationMember(ctx, { organizationId: organization.id, userId, roleIds: [role.id] }));
    }
    const input = { roleId: role.id, name: 'Kept', permissionIds: [permission.id] };
    const dry = await ask<{ updateRole: { role: unknown; preview: object } }, object>(gatehouse, token, UPDATE_ROLE, {
      input: { ...input, dryRun: true },
    });
    expect(dry.data!.updateRole).toMatchObject({
      role: null,
      preview: {
        rows: [
          { kind: 'role_permissions', created: 1, updated: 0, deleted: 0 },
          { kind: 'roles', created: 0, updated: 1, deleted: 0 },
        ],
        members: members.map(({ id, userId }) => ({ memberId: id, userId, gained: ['gained'], lost: [] })),
      },
    });
    const real = await ask(gatehouse, token, UPDATE_ROLE, { input });
    expect(real.data).toMatchObject({ updateRole: { role: { name: 'Kept', version: 2 }, preview: null, errors: [] } });
    expect(await ctx.db.rolePermission.count({ where: { roleId: role.id } })).toBe(1);
  });

  test('finds the same mistakes, and takes the same permission', async () => {
    const wrong = await ask(gatehouse, token, UPDATE_ROLE, { input: { roleId: world.ids.Role, name: ' ', dryRun: true } });
    expect(wrong.data).toMatchObject({ updateRole: { errors: [{ code: 'REQUIRED', path: ['name'] }], preview: null } });
    const reader = await tokenOf(world.production.machine, 'read:roles');
    const denied = await ask(gatehouse, reader, DELETE_ROLE, { input: { roleId: world.ids.Role, dryRun: true } });
    expect(denied).toMatchObject({ data: { deleteRole: null }, errors: [{ extensions: { permission: 'delete:roles' } }] });
  });

  test('does not show who would lose what to a caller who may not read that', async () => {
    const deleter = await tokenOf(world.production.machine, 'delete:roles');
    const { data, errors } = await ask(gatehouse, deleter, DELETE_ROLE, { input: { roleId: world.ids.Role, dryRun: true } });
    expect(data).toMatchObject({ deleteRole: { preview: { members: null, teamMembers: null, endedSessions: 0 } } });
    expect(errors.map(({ extensions }) => extensions.permission).sort()).toEqual([
      'read:organization_user_permissions',
      'read:team_members',
    ]);
  });
});

describe('an update with the version that was read', () => {
  test('is done once, when two send it at the same moment; the other is told', async () => {
    const ctx = operator(gatehouse);
    const role = await createRole(ctx, { businessId: world.businessId, key: 'contested', name: 'Contested' });
    const answers = await Promise.all(
      ['Left', 'Right'].map((name) =>
        ask<{ updateRole: { errors: { code: string }[] } }, object>(gatehouse, token, UPDATE_ROLE, {
          input: { roleId: role.id, name, expectedVersion: 1 },
        }),
      ),
    );
    expect(answers.map(({ data }) => data!.updateRole.errors.map(({ code }) => code)).sort()).toEqual([[], ['CONFLICT']]);
    expect((await ctx.db.role.findFirstOrThrow({ where: { id: role.id } })).version).toBe(2);
  });
});

describe('an Idempotency-Key', () => {
  const CREATE = `mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id } errors { code } } }`;
  const APPLICATION = `mutation ($input: CreateApplicationInput!) { createApplication(input: $input) { application { id } clientSecret errors { code } } }`;

  async function send(key: string, document: string, input: object, as = token) {
    const response = await fetch(gatehouse.quickstart.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${as}`, 'idempotency-key': key },
      body: JSON.stringify({ query: document, variables: { input } }),
    });
    const { data, errors = [] } = (await response.json()) as { data: never; errors?: { message: string; extensions: { code: string } }[] };
    return { data, errors };
  }
  const organization = (name: string) => ({ environmentId: world.ids.Environment, name });
  const countOf = (name: string) => operator(gatehouse).db.organization.count({ where: { name } });

  test('makes a replay, and twenty at once, answer with the first result', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('burst', CREATE, organization('Once'))));
    answers.push(await send('burst', CREATE, organization('Once')));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveLength(1);
    expect(answers[0]).toMatchObject({
      data: { createOrganization: { organization: { id: expect.stringMatching(/^org_/) }, errors: [] } },
      errors: [],
    });
    expect(await countOf('Once')).toBe(1);
  });

  test('gives a lost secret again, which nobody could read in the database', async () => {
    const input = { environmentId: world.ids.Environment, name: 'Lost answer', type: 'M2M' };
    const first = await send('secret', APPLICATION, input);
    expect(await send('secret', APPLICATION, input)).toEqual(first);
    const { clientSecret } = (first.data as { createApplication: { clientSecret: string } }).createApplication;
    expect(clientSecret).toMatch(/^\w{48}$/);
    expect(JSON.stringify(await operator(gatehouse).db.idempotencyKey.findMany())).not.toContain(clientSecret);
  });

  test('gives nothing again to who may not do it any more, though it may elsewhere', async () => {
    const other = await makeWorld(gatehouse, 'elsewhere');
    const { memberId } = await makeMember(gatehouse, world.businessId, 'mover@team.test', ['engineer']);
    const mover = await signInMember(gatehouse, other.businessId, 'mover@team.test', ['engineer']);
    const input = { environmentId: world.ids.Environment, name: 'Left behind', type: 'M2M' };
    await send('left', APPLICATION, input, mover);
    await operator(gatehouse).db.teamMember.updateMany({ where: { id: memberId }, data: { roles: ['finance'] } });
    expect(await send('left', APPLICATION, input, mover)).toMatchObject({
      data: { createApplication: null },
      errors: [{ extensions: { code: 'FORBIDDEN', permission: 'create:applications' } }],
    });
    await operator(gatehouse).db.teamMember.updateMany({ where: { id: memberId }, data: { roles: ['engineer'] } });
    expect(await send('left', APPLICATION, input, mover)).toMatchObject({ data: { createApplication: { errors: [] } }, errors: [] });
    await operator(gatehouse).db.teamMember.deleteMany({ where: { id: memberId } });
    expect(await send('left', APPLICATION, input, mover)).toMatchObject({
      data: { createApplication: null },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
  });

  test('is refused with another request', async () => {
    await send('reused', CREATE, organization('First'));
    const { data, errors } = await send('reused', CREATE, organization('Second'));
    expect({ data, codes: errors.map(({ extensions }) => extensions.code) }).toEqual({
      data: { createOrganization: null },
      codes: ['BAD_USER_INPUT'],
    });
    expect(await countOf('Second')).toBe(0);
  });

  test('is each caller’s own', async () => {
    const machine = await tokenOf(world.production.machine);
    await send('shared', CREATE, organization('Whose'));
    await send('shared', CREATE, organization('Whose'), machine);
    expect(await countOf('Whose')).toBe(2);
  });

  test('keeps nothing of a mutation that failed: mended, it is done', async () => {
    expect(await send('mended', CREATE, organization(' '))).toMatchObject({
      data: { createOrganization: { errors: [{ code: 'REQUIRED' }] } },
    });
    expect(await send('mended', CREATE, organization('Mended'))).toMatchObject({ data: { createOrganization: { errors: [] } } });
  });

  test('serves every mutation of a document by itself', async () => {
    const document = `mutation ($input: CreateOrganizationInput!) {
      a: createOrganization(input: $input) { organization { id } } b: createOrganization(input: $input) { organization { id } }
    }`;
    const first = await send('both', document, organization('Both'));
    expect(await send('both', document, organization('Both'))).toEqual(first);
    expect(await countOf('Both')).toBe(2);
  });

  test('is good for a day', async () => {
    await send('yesterday', CREATE, organization('Daily'));
    gatehouse.advance(24 * 3600 + 1);
    token = await signInMember(gatehouse, world.businessId, 'other-owner@alpha.test', ['owner']);
    const machine = await tokenOf(world.production.machine);
    await send('yesterday', CREATE, organization('Daily'), machine);
    await send('yesterday', CREATE, organization('Daily'), machine);
    expect(await countOf('Daily')).toBe(2);
  });
});

describe('a bulk mutation', () => {
  test('does each item by itself, with a result for each in its order', async () => {
    const ctx = operator(gatehouse);
    const other = await createBusinessRow(ctx, { name: 'Other', region: 'ie', domain: 'other-bulk' });
    const foreign = await ctx.db.environment.findFirstOrThrow({ where: { businessId: other.id } });
    const document = `mutation ($input: CreateUsersInput!) {
      createUsers(input: $input) { results { user { email } errors { code path } } errors { code } }
    }`;
    const user = (email: string, environmentId = world.ids.Environment) => ({ environmentId, email });
    const items = [
      user('first@bulk.test'),
      user('not an address'),
      user('third@bulk.test', foreign.id),
      user('first@bulk.test'),
      user('last@bulk.test'),
    ];
    const { data, errors } = await ask(gatehouse, token, document, { input: { items } });
    expect(data).toEqual({
      createUsers: {
        errors: [],
        results: [
          { user: { email: 'first@bulk.test' }, errors: [] },
          { user: null, errors: [{ code: 'INVALID_EMAIL', path: ['email'] }] },
          null,
          { user: null, errors: [{ code: 'EMAIL_TAKEN', path: ['email'] }] },
          { user: { email: 'last@bulk.test' }, errors: [] },
        ],
      },
    });
    expect(errors).toMatchObject([{ path: ['createUsers', 'results', 2], extensions: { code: 'NOT_FOUND' } }]);
  });
});
