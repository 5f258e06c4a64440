/** What members of organizations hold, where it comes from, and who holds a role. */
import { beforeAll, describe, expect, test } from 'vitest';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createPermission } from '../../src/features/permissions/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { digestOfEverything, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let owner: string;
/** Permissions and roles of the business, by key. */
const permissions: Record<string, string> = {};
const roles: Record<string, string> = {};

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  const ctx = operator(gatehouse);
  const { businessId } = world;
  for (const key of ['read', 'write', 'erase']) permissions[key] = (await createPermission(ctx, { businessId, key, name: key })).id;
  for (const [key, held] of [
    ['reader', ['read']],
    ['writer', ['read', 'write']],
  ] as const)
    roles[key] = (await createRole(ctx, { businessId, key, name: key, permissionIds: held.map((each) => permissions[each]!) })).id;
});

let people = 0;
async function newMember(roleIds: string[] = [], environmentId = world.ids.Environment!): Promise<{ id: string; userId: string }> {
  const ctx = operator(gatehouse);
  const { id: userId } = await createUser(ctx, { environmentId, email: `person-${++people}@members.test` });
  const organization = await createOrganization(ctx, { environmentId, name: 'Members' });
  return addOrganizationMember(ctx, { organizationId: organization.id, userId, roleIds });
}

const HELD = 'effectivePermissions { permission { key } isDirect roleKeys }';
interface Answer {
  member?: { effectivePermissions: { permission: { key: string }; isDirect: boolean; roleKeys: string[] }[] } | null;
  role?: { version: number; permissions: { key: string }[] } | null;
  preview?: { members: { memberId: string; gained: string[]; lost: string[] }[]; rows: object[] } | null;
  errors: { code?: string }[];
}

async function change(mutation: string, input: object, token = owner): Promise<Answer> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const fields =
    /Role(Permission|$)|Permissions$|Permission$/.test(mutation) && !mutation.includes('Member')
      ? 'role { version permissions { key } }'
      : '';
  const member = mutation.includes('Member') && !mutation.startsWith('removeOrganization') ? `member { ${HELD} }` : '';
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${fields} ${member} preview { members { memberId gained lost } rows { kind created deleted } } errors { ... on UserError { message } } } }`;
  const { data, errors } = await ask<Record<string, Answer>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  expect(data![mutation]!.errors).toEqual([]);
  return data![mutation]!;
}

/** What a member holds, as `key` with where it comes from. */
const held = ({ member }: Answer) =>
  Object.fromEntries(
    member!.effectivePermissions.map(({ permission, isDirect, roleKeys }) => [
      permission.key,
      [...(isDirect ? ['direct'] : []), ...roleKeys],
    ]),
  );

describe('a member', () => {
  test('holds what its roles bring and what it was given directly, each said once with where it comes from', async () => {
    const { id: organizationMemberId } = await newMember([roles['writer']!]);
    await change('addMemberRole', { organizationMemberId, roleId: roles['reader'] });
    await change('addMemberPermission', { organizationMemberId, permissionId: permissions['erase'] });
    const all = await change('addMemberPermission', { organizationMemberId, permissionId: permissions['read'] });
    expect(held(all)).toEqual({ erase: ['direct'], read: ['direct', 'reader', 'writer'], write: ['writer'] });
    await change('removeMemberRole', { organizationMemberId, roleId: roles['writer'] });
    expect(held(await change('removeMemberPermission', { organizationMemberId, permissionId: permissions['read'] }))).toEqual({
      erase: ['direct'],
      read: ['reader'],
    });
  });

  test('keeps what it has when it is given it again, and is without what it never had', async () => {
    const { id: organizationMemberId } = await newMember([roles['reader']!]);
    const again = await Promise.all([0, 1, 2].map(() => change('addMemberRole', { organizationMemberId, roleId: roles['reader'] })));
    for (const answer of again) expect(held(answer)).toEqual({ read: ['reader'] });
    expect(held(await change('removeMemberRole', { organizationMemberId, roleId: roles['writer'] }))).toEqual({ read: ['reader'] });
    expect(held(await change('updateOrganizationMember', { organizationMemberId }))).toEqual({ read: ['reader'] });
  });

  test('that two change as a whole at the same moment has what one of them said, not something of both', async () => {
    const { id: organizationMemberId } = await newMember();
    await Promise.all([
      change('updateOrganizationMember', { organizationMemberId, roleIds: [roles['reader']], permissionIds: [] }),
      change('updateOrganizationMember', { organizationMemberId, roleIds: [roles['writer']], permissionIds: [permissions['erase']] }),
    ]);
    const now = held(await change('updateOrganizationMember', { organizationMemberId }));
    expect([{ read: ['reader'] }, { erase: ['direct'], read: ['writer'], write: ['writer'] }]).toContainEqual(now);
  });

  test('is shown in a dry run with what it would gain and lose, and nothing is changed', async () => {
    const { id } = await newMember([roles['writer']!]);
    const dry = { organizationMemberId: id, dryRun: true };
    const before = await digestOfEverything(gatehouse);
    for (const [mutation, input, gained, lost] of [
      ['updateOrganizationMember', { roleIds: [roles['reader']], permissionIds: [permissions['erase']] }, ['erase'], ['write']],
      ['removeMemberRole', { roleId: roles['writer'] }, [], ['read', 'write']],
      ['addMemberPermission', { permissionId: permissions['erase'] }, ['erase'], []],
      ['removeOrganizationMember', {}, [], ['read', 'write']],
    ] as const) {
      const { preview } = await change(mutation, { ...dry, ...input });
      expect({ mutation, members: preview!.members }).toEqual({ mutation, members: [{ memberId: id, gained, lost }] });
    }
    for (const mutation of ['addMemberRole', 'removeMemberRole']) {
      const { preview } = await change(mutation, { ...dry, roleId: roles[mutation === 'addMemberRole' ? 'writer' : 'reader'] });
      expect(preview).toEqual({ members: [], rows: [] });
    }
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('is removed from its organization and stays a user; many are changed and removed at once', async () => {
    const made = [await newMember([roles['reader']!]), await newMember([roles['reader']!])];
    const items = (more: object) => made.map(({ id }) => ({ organizationMemberId: id, ...more }));
    const update = `mutation ($input: UpdateOrganizationMembersInput!) { updateOrganizationMembers(input: $input) { results { member { ${HELD} } errors { code } } } }`;
    const updated = await ask<{ updateOrganizationMembers: { results: Answer[] } }, object>(gatehouse, owner, update, {
      input: { items: items({ roleIds: [roles['writer']] }) },
    });
    expect(updated.data!.updateOrganizationMembers.results.map(held)).toEqual([0, 1].map(() => ({ read: ['writer'], write: ['writer'] })));
    const remove = `mutation ($input: RemoveOrganizationMembersInput!) { removeOrganizationMembers(input: $input) { results { deletedId } } }`;
    const removed = await ask(gatehouse, owner, remove, { input: { items: items({}) } });
    expect(removed).toMatchObject({
      data: { removeOrganizationMembers: { results: made.map(({ id }) => ({ deletedId: id })) } },
      errors: [],
    });
    const { db } = operator(gatehouse);
    expect(await db.membership.count({ where: { id: { in: made.map(({ id }) => id) } } })).toBe(0);
    expect(await db.user.count({ where: { id: { in: made.map(({ userId }) => userId) } } })).toBe(2);
    expect(await ask(gatehouse, owner, remove, { input: { items: items({}) } })).toMatchObject({
      data: { removeOrganizationMembers: { results: [null, null] } },
    });
  });
});

describe('a role', () => {
  const HOLDERS = `query ($id: ID!, $first: Int, $after: String, $environmentId: ID) { node(id: $id) { ... on Role {
    members(first: $first, after: $after, environmentId: $environmentId) { totalCount nodes { member { id } } pageInfo { endCursor hasNextPage } }
  } } }`;
  interface Holders {
    node: {
      members: { totalCount: number; nodes: { member: { id: string } | null }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
    };
  }

  test('lists who holds it, page by page, in the environments that the caller may see', async () => {
    const ctx = operator(gatehouse);
    const { id } = await createRole(ctx, { businessId: world.businessId, key: 'listed', name: 'Listed' });
    const production: string[] = [];
    for (let number = 0; number < 5; number++) production.push((await newMember([id])).id);
    const development = (await newMember([id], world.development.environmentId)).id;
    const all: string[] = [];
    for (let after: string | undefined, more = true; more; ) {
      const { data, errors } = await ask<Holders, object>(gatehouse, owner, HOLDERS, { id, first: 2, after });
      expect(errors).toEqual([]);
      const { nodes, totalCount, pageInfo } = data!.node.members;
      expect(totalCount).toBe(6);
      all.push(...nodes.map(({ member }) => member!.id));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect([...all].sort()).toEqual([...production, development].sort());
    expect(new Set(all).size).toBe(6);

    const machine = await tokenOf(world.production.machine);
    for (const [token, environmentId] of [
      [machine, undefined],
      [owner, world.ids.Environment],
    ] as const) {
      const { data } = await ask<Holders, object>(gatehouse, token, HOLDERS, { id, first: 10, environmentId });
      expect(data!.node.members.nodes.map(({ member }) => member!.id)).toEqual(production);
      expect(data!.node.members.totalCount).toBe(5);
    }
    const elsewhere = await ask<Holders, object>(gatehouse, machine, HOLDERS, { id, environmentId: world.development.environmentId });
    expect(elsewhere.data!.node.members).toMatchObject({ totalCount: 0, nodes: [] });
    const cursorOf = (ids: string[]) => btoa(`GPC:T:${JSON.stringify(ids.map((each) => `S:${each}`))}`);
    for (const after of [cursorOf([world.ids.Environment, production[0]!]), cursorOf([world.development.environmentId, development, id])])
      expect(await ask(gatehouse, machine, HOLDERS, { id, after })).toMatchObject({
        data: null,
        errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
      });
  });

  test('gains and loses one permission at a time, for everybody who holds it', async () => {
    const ctx = operator(gatehouse);
    const { id: roleId } = await createRole(ctx, { businessId: world.businessId, key: 'changing', name: 'Changing' });
    const { id: memberId } = await newMember([roleId]);
    const dry = await change('addRolePermission', { roleId, permissionId: permissions['erase'], dryRun: true });
    expect(dry.preview!.members).toEqual([{ memberId, gained: ['erase'], lost: [] }]);
    await change('addRolePermission', { roleId, permissionId: permissions['erase'] });
    const both = await change('addRolePermission', { roleId, permissionId: permissions['read'], expectedVersion: 2 });
    expect(both.role).toEqual({ version: 3, permissions: [{ key: 'erase' }, { key: 'read' }] });
    const removed = await change('removeRolePermission', { roleId, permissionId: permissions['erase'] });
    expect(removed.role).toEqual({ version: 4, permissions: [{ key: 'read' }] });
    const set = await change('setRolePermissions', { roleId, permissionIds: [permissions['write'], permissions['write']] });
    expect(set.role).toEqual({ version: 5, permissions: [{ key: 'write' }] });
    expect(held(await change('updateOrganizationMember', { organizationMemberId: memberId }))).toEqual({ write: ['changing'] });
  });

  test('that is new has the permissions that every new role gets, and what is in it of the platform’s own', async () => {
    const ctx = operator(gatehouse);
    const { businessId } = world;
    const usual = await createPermission(ctx, { businessId, key: 'usual', name: 'Usual', isDefault: true });
    const document = `mutation ($input: CreateRoleInput!) { createRole(input: $input) { errors { code } role {
      permissions { key } systemPermissions isCreatorRole isDefaultRole assignmentPermission { key }
    } } }`;
    const role = { businessId, key: 'new', name: 'New', permissionIds: [permissions['read'], usual.id], isCreatorRole: true };
    const systemPermissions = ['org:write:members', 'org:write:billing', 'org:write:members'];
    const { data } = await ask(gatehouse, owner, document, {
      input: { ...role, systemPermissions, assignmentPermissionId: permissions['write'] },
    });
    expect(data).toEqual({
      createRole: {
        errors: [],
        role: {
          permissions: [{ key: 'read' }, { key: 'usual' }],
          systemPermissions: ['org:write:billing', 'org:write:members'],
          isCreatorRole: true,
          isDefaultRole: false,
          assignmentPermission: { key: 'write' },
        },
      },
    });
    await ctx.db.permission.delete({ where: { businessId_id: { businessId, id: usual.id } } });
    const known = await ask(gatehouse, owner, '{ systemPermissions { key } }');
    expect(known.data).toEqual({
      systemPermissions: ['org:write:billing', 'org:write:members', 'org:read:authentication', 'org:write:authentication'].map((key) => ({
        key,
      })),
    });
  });
});

test('a deleted permission is lost by who holds it directly and by who holds it through a role', async () => {
  const ctx = operator(gatehouse);
  const { businessId } = world;
  const doomed = await createPermission(ctx, { businessId, key: 'doomed', name: 'Doomed' });
  const role = await createRole(ctx, { businessId, key: 'doomed', name: 'Doomed', permissionIds: [doomed.id] });
  const [through, direct, other] = [await newMember([role.id]), await newMember(), await newMember([roles['reader']!])];
  await change('addMemberPermission', { organizationMemberId: direct.id, permissionId: doomed.id });
  const remove = `mutation ($input: DeletePermissionInput!) { deletePermission(input: $input) { deletedId preview { members { memberId lost } } errors { code } } }`;
  const dry = await ask(gatehouse, owner, remove, { input: { permissionId: doomed.id, dryRun: true } });
  expect(dry.data).toEqual({
    deletePermission: {
      deletedId: null,
      errors: [],
      preview: { members: [through, direct].map(({ id }) => ({ memberId: id, lost: ['doomed'] })) },
    },
  });
  const renamed = `mutation ($input: UpdatePermissionInput!) { updatePermission(input: $input) { preview { members { memberId gained lost } } } }`;
  expect((await ask(gatehouse, owner, renamed, { input: { permissionId: doomed.id, key: 'saved', dryRun: true } })).data).toEqual({
    updatePermission: { preview: { members: [through, direct].map(({ id }) => ({ memberId: id, gained: ['saved'], lost: ['doomed'] })) } },
  });
  expect((await ask(gatehouse, owner, remove, { input: { permissionId: doomed.id } })).data).toMatchObject({
    deletePermission: { deletedId: doomed.id, errors: [] },
  });
  for (const { id } of [through, direct]) expect(held(await change('updateOrganizationMember', { organizationMemberId: id }))).toEqual({});
  expect(held(await change('updateOrganizationMember', { organizationMemberId: other.id }))).toEqual({ read: ['reader'] });
});
