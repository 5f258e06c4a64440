import { beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { makeWorld, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;
let userId: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  userId = (await prisma().identity.findFirstOrThrow({ where: { normalized: 'owner@alpha.test' } })).userId;
});

const prisma = () => gatehouse.app.infrastructure.database.prisma;

/** What the audit log says about the request that an answer came from. */
async function auditOf(answer: GraphAnswer<unknown>) {
  const requestId = answer.headers.get('x-request-id');
  const events = await prisma().auditEvent.findMany({ where: { requestId }, orderBy: { id: 'asc' } });
  for (const event of events) expect(event).toMatchObject({ actorKind: 'team', actorId: userId, ip: expect.stringMatching(/\S/) });
  return events.map(({ action, businessId, environmentId, targetType, targetId, details }) => ({
    action,
    businessId,
    environmentId,
    target: `${targetType} ${targetId}`,
    details,
  }));
}

describe('each mutation answers with what it made, and writes it down', () => {
  test('createBusiness: with a production environment, and the caller as its Owner', async () => {
    const answer = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewBusiness($input: CreateBusinessInput!) {
          createBusiness(input: $input) {
            errors { code }
            business {
              id name region plan
              environments { totalCount nodes { id name kind domain issuer organizations { nodes { name isDefault } } } }
              teamMembers { nodes { id email roles } }
            }
          }
        }
      `),
      { input: { name: ' Umbrella Ltd. ', region: 'UK' } },
    );
    expect(answer.errors).toEqual([]);
    const business = answer.data!.createBusiness!.business!;
    const [production] = business.environments!.nodes;
    expect(answer.data?.createBusiness).toEqual({
      errors: [],
      business: {
        id: expect.stringMatching(/^biz_/),
        name: 'Umbrella Ltd.',
        region: 'UK',
        plan: 'FREE',
        environments: {
          totalCount: 1,
          nodes: [
            {
              id: expect.stringMatching(/^env_/),
              name: 'Production',
              kind: 'PRODUCTION',
              domain: 'umbrella-ltd',
              issuer: `${gatehouse.baseUrl}/e/umbrella-ltd`,
              organizations: { nodes: [{ name: 'Umbrella Ltd.', isDefault: true }] },
            },
          ],
        },
        teamMembers: { nodes: [{ id: expect.stringMatching(/^team_/), email: 'owner@alpha.test', roles: ['OWNER'] }] },
      },
    });
    expect(await auditOf(answer)).toEqual([
      {
        action: 'business.created',
        businessId: business.id,
        environmentId: null,
        target: `business ${business.id}`,
        details: { region: 'uk', plan: 'free' },
      },
      {
        action: 'environment.created',
        businessId: business.id,
        environmentId: production!.id,
        target: `environment ${production!.id}`,
        details: { domain: 'umbrella-ltd' },
      },
      {
        action: 'team.member_added',
        businessId: business.id,
        environmentId: null,
        target: `team_member ${business.teamMembers!.nodes[0]!.id}`,
        details: { userId, roles: ['owner'] },
      },
    ]);
    const discovery = await fetch(`${gatehouse.baseUrl}/e/umbrella-ltd/.well-known/openid-configuration`);
    expect(await discovery.json()).toMatchObject({ issuer: `${gatehouse.baseUrl}/e/umbrella-ltd` });
  });

  test('createEnvironment', async () => {
    const answer = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewEnvironment($input: CreateEnvironmentInput!) {
          createEnvironment(input: $input) {
            errors { code }
            environment { id name kind issuer business { id } applications { totalCount } apis { nodes { isManagement } } }
          }
        }
      `),
      { input: { businessId: world.businessId, name: 'Staging', domain: 'alpha-staging' } },
    );
    expect(answer.errors).toEqual([]);
    const id = answer.data!.createEnvironment!.environment!.id;
    expect(answer.data?.createEnvironment).toEqual({
      errors: [],
      environment: {
        id: expect.stringMatching(/^env_/),
        name: 'Staging',
        kind: 'NON_PRODUCTION',
        issuer: `${gatehouse.baseUrl}/e/alpha-staging`,
        business: { id: world.businessId },
        applications: { totalCount: 0 },
        apis: { nodes: [{ isManagement: true }] },
      },
    });
    expect(await auditOf(answer)).toEqual([
      entry('environment.created', `environment ${id}`, { domain: 'alpha-staging' }, { environmentId: id }),
    ]);
  });

  test('createOrganization', async () => {
    const answer = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewOrganization($input: CreateOrganizationInput!) {
          createOrganization(input: $input) {
            errors { code }
            organization { id name externalId handle isDefault isSuspended isAutoMembershipEnabled members { totalCount } }
          }
        }
      `),
      { input: { environmentId: world.ids.Environment, name: ' Initech ', externalId: ' 42 ', handle: 'initech' } },
    );
    const id = answer.data?.createOrganization?.organization?.id;
    expect(answer.data?.createOrganization).toEqual({
      errors: [],
      organization: {
        id: expect.stringMatching(/^org_/),
        name: 'Initech',
        externalId: '42',
        handle: 'initech',
        isDefault: false,
        isSuspended: false,
        isAutoMembershipEnabled: false,
        members: { totalCount: 0 },
      },
    });
    expect(await auditOf(answer)).toEqual([entry('organization.created', `organization ${id}`)]);
  });

  test('createPermission and createRole, addOrganizationMember with both', async () => {
    const permission = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewPermission($input: CreatePermissionInput!) {
          createPermission(input: $input) { errors { code } permission { id key name description } }
        }
      `),
      { input: { businessId: world.businessId, key: 'read:reports', name: 'Read reports', description: 'All of them.' } },
    );
    const permissionId = permission.data!.createPermission!.permission!.id;
    expect(permission.data?.createPermission).toEqual({
      errors: [],
      permission: { id: permissionId, key: 'read:reports', name: 'Read reports', description: 'All of them.' },
    });
    expect(await auditOf(permission)).toEqual([
      entry('permission.created', `permission ${permissionId}`, { key: 'read:reports' }, { environmentId: null }),
    ]);

    const role = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewRole($input: CreateRoleInput!) {
          createRole(input: $input) { errors { code } role { id key name description isDefaultRole permissions { id key } } }
        }
      `),
      { input: { businessId: world.businessId, key: 'reader', name: 'Reader', permissionIds: [permissionId, permissionId] } },
    );
    const roleId = role.data!.createRole!.role!.id;
    expect(role.data?.createRole).toEqual({
      errors: [],
      role: {
        id: roleId,
        key: 'reader',
        name: 'Reader',
        description: null,
        isDefaultRole: false,
        permissions: [{ id: permissionId, key: 'read:reports' }],
      },
    });
    expect(await auditOf(role)).toEqual([
      entry('role.created', `role ${roleId}`, { key: 'reader', permissionIds: [permissionId] }, { environmentId: null }),
    ]);

    const person = await newUser('reader@people.test');
    const member = await ask(
      gatehouse,
      token,
      graphql(`
        mutation NewMember($input: AddOrganizationMemberInput!) {
          addOrganizationMember(input: $input) {
            errors { code }
            member { id user { id } organization { id } roles { id } permissions { id } }
          }
        }
      `),
      { input: { organizationId: world.ids.Organization, userId: person, roleIds: [roleId] } },
    );
    expect(member.data?.addOrganizationMember).toEqual({
      errors: [],
      member: {
        id: expect.stringMatching(/^om_/),
        user: { id: person },
        organization: { id: world.ids.Organization },
        roles: [{ id: roleId }],
        permissions: [],
      },
    });
    const details = { userId: person, roleIds: [roleId] };
    expect(await auditOf(member)).toEqual([entry('organization.member_added', `organization ${world.ids.Organization}`, details)]);
  });

  test('a new member without named roles has the default ones, and only those', async () => {
    const roles = { businessId: world.businessId, isDefaultRole: true };
    await ask(
      gatehouse,
      token,
      graphql(`mutation DefaultRole($input: CreateRoleInput!) { createRole(input: $input) { errors { code } } }`),
      {
        input: { ...roles, key: 'everybody', name: 'Everybody' },
      },
    );
    const keys = async (input: object) => {
      const { data } = await ask<{ addOrganizationMember: { member: { roles: { key: string }[] } } }, object>(
        gatehouse,
        token,
        'mutation ($input: AddOrganizationMemberInput!) { addOrganizationMember(input: $input) { member { roles { key } } } }',
        { input: { organizationId: world.ids.Organization, ...input } },
      );
      return data?.addOrganizationMember.member.roles.map(({ key }) => key);
    };
    expect(await keys({ userId: await newUser('default@people.test') })).toEqual(['everybody']);
    expect(await keys({ userId: await newUser('none@people.test'), roleIds: [] })).toEqual([]);
    await prisma().role.updateMany({ where: roles, data: { isDefaultRole: false } });
  });

  test('createUser: in the default organization, or in the one that is named', async () => {
    const document = graphql(`
      mutation NewUser($input: CreateUserInput!) {
        createUser(input: $input) {
          errors { code }
          user {
            id email firstName lastName providedId isSuspended totalSignIns lastSignedInAt
            identities { type value isPrimary isVerified }
            memberships { nodes { organization { isDefault id } } }
          }
        }
      }
    `);
    const input = { environmentId: world.ids.Environment, email: ' Jo@People.Test ', firstName: 'Jo', providedId: 'old-1' };
    const answer = await ask(gatehouse, token, document, { input });
    const id = answer.data?.createUser?.user?.id;
    expect(answer.data?.createUser).toMatchObject({
      errors: [],
      user: {
        id: expect.stringMatching(/^kp_[0-9a-f]{32}$/),
        email: 'Jo@People.Test',
        firstName: 'Jo',
        lastName: null,
        providedId: 'old-1',
        isSuspended: false,
        totalSignIns: 0,
        lastSignedInAt: null,
        identities: [{ type: 'EMAIL', value: 'Jo@People.Test', isPrimary: true, isVerified: false }],
        memberships: { nodes: [{ organization: { isDefault: true } }] },
      },
    });
    const joined = entry('organization.member_added', expect.stringMatching(/^organization org_/), { userId: id, roleIds: [] });
    expect(await auditOf(answer)).toEqual([entry('user.created', `user ${id}`), joined]);

    const named = {
      environmentId: world.ids.Environment,
      email: 'named@people.test',
      organizationId: world.ids.Organization,
      isEmailVerified: true,
    };
    const other = await ask(gatehouse, token, document, { input: named });
    expect(other.data?.createUser?.user).toMatchObject({
      identities: [{ isVerified: true }],
      memberships: { nodes: [{ organization: { id: world.ids.Organization } }] },
    });
  });

  test('a machine needs not name its own environment and business', async () => {
    const machine = await tokenOf(world.production.machine);
    const { data, errors } = await ask(
      gatehouse,
      machine,
      `mutation {
        createUser(input: { email: "by-machine@people.test" }) { errors { code } user { firstName } }
        createOrganization(input: { name: "By machine" }) { errors { code } }
        createRole(input: { key: "by-machine", name: "By machine" }) { errors { code } }
      }`,
    );
    expect(errors).toEqual([]);
    const none = { errors: [] };
    expect(data).toEqual({ createUser: { ...none, user: { firstName: null } }, createOrganization: none, createRole: none });
  });
});

/** The audit log's entry for something in the world, in its production environment unless it says otherwise. */
function entry(action: string, target: string, details: object = {}, where: { environmentId?: string | null } = {}) {
  return { action, businessId: world.businessId, environmentId: world.ids.Environment, target, details, ...where };
}

async function newUser(email: string): Promise<string> {
  const { data } = await ask<{ createUser: { user: { id: string } } }, object>(
    gatehouse,
    token,
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
    { input: { environmentId: world.ids.Environment, email } },
  );
  return data!.createUser.user.id;
}

test.each([
  ['application/json', '*/*'],
  ['application/json; charset=utf-8', 'application/json'],
  ['application/json', 'application/graphql-response+json'],
  ['application/json', 'application/graphql-response+json,application/json;q=0.9'],
])('what an operation with errors changes is changed once (%s, accepting %s)', async (type, accept) => {
  const name = `Once ${type} ${accept}`;
  const narrow = await signInMember(gatehouse, world.businessId, `${crypto.randomUUID()}@alpha.test`, ['finance']);
  const query = `mutation {
    createRole(input: { businessId: "${world.businessId}", key: "once", name: "Once" }) { role { id } }
    createBusiness(input: { name: "${name}", region: IE }) { business { name } }
  }`;
  const headers = { 'content-type': type, accept, authorization: `Bearer ${narrow}` };
  const answer = await fetch(gatehouse.quickstart.graphqlUrl, { method: 'POST', headers, body: JSON.stringify({ query }) });
  expect([answer.status, await answer.json()]).toMatchObject([
    200,
    {
      data: { createRole: null, createBusiness: { business: { name } } },
      errors: [{ path: ['createRole'], extensions: { code: 'FORBIDDEN' } }],
    },
  ]);
  expect(await prisma().business.count({ where: { name } })).toBe(1);
});
