import { beforeAll, describe, expect, test } from 'vitest';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { createUser } from '../../src/features/users/service.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer, upload } from '../helpers/graph.ts';
import { digestOfEverything, makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
const tokens = new Map<TeamRole, string>();

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'matrix', 'enterprise');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, world.businessId, `${role}@matrix.test`, [role]));
});

interface Case {
  readonly mutation: string;
  readonly permission: string;
  /** A good input that was not used before: everything in it begins with `name`. */
  readonly input: (name: string) => object | Promise<object>;
  /** What the audit log calls it. */
  readonly action: string;
}

const file = () => new File(['email\nimported@people.test\n'], 'people.csv', { type: 'text/csv' });

// biome-ignore format: a mutation, a line
const CASES: readonly Case[] = [
  { mutation: 'createEnvironment', permission: 'create:environments', action: 'environment.created', input: (name) => ({ businessId: world.businessId, name, domain: name }) },
  { mutation: 'createApplication', permission: 'create:applications', action: 'application.created', input: (name) => ({ environmentId: world.ids.Environment, name, type: 'REG' }) },
  { mutation: 'rotateApplicationSecret', permission: 'update:application_secrets', action: 'application.secret_rotated', input: () => ({ applicationId: world.ids.Application }) },
  { mutation: 'createOrganization', permission: 'create:organizations', action: 'organization.created', input: (name) => ({ environmentId: world.ids.Environment, name }) },
  { mutation: 'addOrganizationMember', permission: 'create:organization_users', action: 'organization.member_added', input: async (name) => ({ organizationId: world.ids.Organization, userId: await newUser(name) }) },
  { mutation: 'createPermission', permission: 'create:permissions', action: 'permission.created', input: (name) => ({ businessId: world.businessId, key: name, name }) },
  { mutation: 'createRole', permission: 'create:roles', action: 'role.created', input: (name) => ({ businessId: world.businessId, key: name, name }) },
  { mutation: 'createUser', permission: 'create:users', action: 'user.created', input: (name) => ({ environmentId: world.ids.Environment, email: `${name}@people.test` }) },
  { mutation: 'importUsers', permission: 'create:imports', action: 'import.created', input: () => ({ environmentId: world.ids.Environment, file: null }) },
  { mutation: 'inviteTeamMember', permission: 'create:team_members', action: 'team.member_invited', input: (name) => ({ businessId: world.businessId, email: `${name}@team.test`, roles: ['ENGINEER'] }) },
  { mutation: 'updateTeamMemberRoles', permission: 'update:team_members', action: 'team.roles_changed', input: async (name) => ({ teamMemberId: await newMember(name), roles: ['FINANCE'] }) },
];

async function newUser(name: string): Promise<string> {
  return (await createUser(operator(gatehouse), { environmentId: world.ids.Environment, email: `${name}@people.test` })).id;
}

async function newMember(name: string): Promise<string> {
  return (await makeMember(gatehouse, world.businessId, `${name}@team.test`, ['engineer'])).memberId;
}

type Answer = GraphAnswer<Record<string, { errors: readonly unknown[] } | null>>;

function mutate(token: string | undefined, mutation: string, input: object): Promise<Answer> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { code } } }`;
  if (mutation === 'importUsers') return upload(gatehouse, token!, document, { input }, 'variables.input.file', file());
  return ask(gatehouse, token, document, { input }) as Promise<Answer>;
}

const pairs = TEAM_ROLES.flatMap((role) =>
  CASES.map((each) => ({ ...each, role, name: `${role}-${each.mutation}`.toLowerCase().replaceAll('_', '-') })),
);
const isAllowed = ({ role, permission }: { role: TeamRole; permission: string }) =>
  (PERMISSIONS_OF_ROLE[role] as ReadonlySet<string>).has(permission);

test('these are all the mutations that take a permission, and the permissions that they take', () => {
  const gated = Object.values(schema.getMutationType()!.getFields()).filter((field) => field.extensions['permission']);
  expect(Object.fromEntries(CASES.map(({ mutation, permission }) => [mutation, permission]))).toEqual(
    Object.fromEntries(gated.map((field) => [field.name, field.extensions['permission']])),
  );
});

describe('denied: the permission is named, and nothing is changed', () => {
  test.each(pairs.filter((pair) => !isAllowed(pair)))('$role: $mutation', async ({ role, mutation, permission, input, name }) => {
    const wanted = await input(name);
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(tokens.get(role)!, mutation, wanted);
    expect(data).toEqual({ [mutation]: null });
    expect(errors).toMatchObject([{ path: [mutation], extensions: { code: 'FORBIDDEN', permission } }]);
    expect(errors).toHaveLength(1);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test.each(CASES)('a machine without the scope: $mutation', async ({ mutation, permission, input }) => {
    const wanted = await input(`machine-${mutation}`.toLowerCase());
    const token = await tokenOf(world.production.machine, 'read:users read:organizations');
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(token, mutation, wanted);
    expect(data).toEqual({ [mutation]: null });
    expect(errors).toMatchObject([{ path: [mutation], extensions: { code: 'FORBIDDEN', permission } }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  const sendable = CASES.filter(({ mutation }) => mutation !== 'importUsers');
  test.each(sendable)('nobody in particular: $mutation', async ({ mutation, input }) => {
    const wanted = await input(`nobody-${mutation}`.toLowerCase());
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(undefined, mutation, wanted);
    expect(data).toEqual({ [mutation]: null });
    expect(errors).toMatchObject([{ path: [mutation], extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });
});

describe('allowed: done, and written down with who did it', () => {
  test.each(pairs.filter(isAllowed))('$role: $mutation', async ({ role, mutation, action, input, name }) => {
    const { prisma } = gatehouse.app.infrastructure.database;
    const wanted = await input(name);
    const { data, errors } = await mutate(tokens.get(role)!, mutation, wanted);
    expect({ data, errors }).toEqual({ data: { [mutation]: { errors: [] } }, errors: [] });
    const identity = await prisma.identity.findFirstOrThrow({ where: { normalized: `${role}@matrix.test` } });
    const written = await prisma.auditEvent.findMany({
      where: { businessId: world.businessId, action, actorKind: 'team', actorId: identity.userId },
    });
    expect(written).toHaveLength(1);
  });
});
