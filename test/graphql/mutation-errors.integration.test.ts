import { isEnumType } from 'graphql';
import { beforeAll, expect, test } from 'vitest';
import { createApplication } from '../../src/features/applications/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { digestOfEverything, makeMember, makeWorld, operator, type World } from './world.ts';

const gatehouse = startApp();
/** A business that may have everything. */
let large: World;
/** A business on the free plan, whose only Owner is the caller. */
let small: World;
let token: string;
let caller: { memberId: string };
let publicClient: string;

beforeAll(async () => {
  large = await makeWorld(gatehouse, 'large');
  small = await makeWorld(gatehouse, 'small', 'free');
  await makeMember(gatehouse, large.businessId, 'owner@team.test', ['owner']);
  caller = await makeMember(gatehouse, small.businessId, 'owner@team.test', ['owner']);
  const ctx = operator(gatehouse);
  await ctx.db.teamMember.updateMany({ where: { id: small.ids.TeamMember }, data: { roles: ['admin'] } });
  await createUser(ctx, { environmentId: large.ids.Environment, email: 'provided@people.test', providedId: 'old-1' });
  const { application } = await createApplication(ctx, { environmentId: large.ids.Environment, name: 'App', type: 'spa' });
  publicClient = application.id;
  token = await teamToken(gatehouse, 'owner@team.test');
});

interface Mistake {
  readonly mutation: string;
  readonly code: string;
  readonly path: readonly string[];
  /** What is wrong, and the rest of the input. */
  readonly input: () => object;
}

const LONG = 'x'.repeat(201);
const BELL = 'ding\u0007';

const business = () => ({ name: 'New', region: 'IE' });
const environment = () => ({ businessId: large.businessId, name: 'New', domain: 'new' });
const application = () => ({ environmentId: large.ids.Environment, name: 'New', type: 'REG' });
const organization = () => ({ environmentId: large.ids.Environment, name: 'New' });
const member = () => ({ organizationId: large.ids.Organization, userId: large.ids.User });
const permission = () => ({ businessId: large.businessId, key: 'new', name: 'New' });
const user = () => ({ environmentId: large.ids.Environment, email: 'new@people.test' });
const invitation = () => ({ businessId: large.businessId, email: 'new@team.test', roles: ['ADMIN'] });

// biome-ignore format: a mistake, a line
const MISTAKES: readonly Mistake[] = [
  { mutation: 'createBusiness', code: 'REQUIRED', path: ['name'], input: () => ({ ...business(), name: ' ' }) },
  { mutation: 'createBusiness', code: 'TOO_LONG', path: ['name'], input: () => ({ ...business(), name: LONG }) },
  { mutation: 'createBusiness', code: 'INVALID_TEXT', path: ['name'], input: () => ({ ...business(), name: BELL }) },
  { mutation: 'createBusiness', code: 'INVALID_DOMAIN', path: ['domain'], input: () => ({ ...business(), domain: 'Not a domain' }) },
  { mutation: 'createBusiness', code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ ...business(), domain: 'large' }) },
  { mutation: 'createBusiness', code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ ...business(), domain: 'account' }) },

  { mutation: 'createEnvironment', code: 'REQUIRED', path: ['name'], input: () => ({ ...environment(), name: '' }) },
  { mutation: 'createEnvironment', code: 'TOO_LONG', path: ['name'], input: () => ({ ...environment(), name: LONG }) },
  { mutation: 'createEnvironment', code: 'INVALID_TEXT', path: ['name'], input: () => ({ ...environment(), name: BELL }) },
  { mutation: 'createEnvironment', code: 'INVALID_DOMAIN', path: ['domain'], input: () => ({ ...environment(), domain: '-dash' }) },
  { mutation: 'createEnvironment', code: 'INVALID_DOMAIN', path: ['domain'], input: () => ({ ...environment(), domain: 'x'.repeat(64) }) },
  { mutation: 'createEnvironment', code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ ...environment(), domain: 'small' }) },
  { mutation: 'createEnvironment', code: 'PLAN_LIMIT', path: [], input: () => ({ ...environment(), businessId: small.businessId }) },

  { mutation: 'createApplication', code: 'REQUIRED', path: ['name'], input: () => ({ ...application(), name: '\t' }) },
  { mutation: 'createApplication', code: 'TOO_LONG', path: ['name'], input: () => ({ ...application(), name: LONG }) },
  { mutation: 'createApplication', code: 'INVALID_TEXT', path: ['name'], input: () => ({ ...application(), name: BELL }) },
  { mutation: 'createApplication', code: 'INVALID_URL', path: ['callbackUrls', '1'], input: () => ({ ...application(), callbackUrls: ['https://a.test', 'http://a.test'] }) },
  { mutation: 'createApplication', code: 'INVALID_URL', path: ['logoutUrls', '0'], input: () => ({ ...application(), logoutUrls: ['javascript:alert(1)'] }) },
  { mutation: 'createApplication', code: 'TOO_MANY_URLS', path: ['callbackUrls'], input: () => ({ ...application(), callbackUrls: Array.from({ length: 101 }, (_, at) => `https://a.test/${at}`) }) },

  { mutation: 'rotateApplicationSecret', code: 'NO_SECRET', path: ['applicationId'], input: () => ({ applicationId: publicClient }) },

  { mutation: 'createOrganization', code: 'REQUIRED', path: ['name'], input: () => ({ ...organization(), name: '' }) },
  { mutation: 'createOrganization', code: 'TOO_LONG', path: ['name'], input: () => ({ ...organization(), name: LONG }) },
  { mutation: 'createOrganization', code: 'TOO_LONG', path: ['externalId'], input: () => ({ ...organization(), externalId: LONG }) },
  { mutation: 'createOrganization', code: 'INVALID_TEXT', path: ['externalId'], input: () => ({ ...organization(), externalId: BELL }) },
  { mutation: 'createOrganization', code: 'EXTERNAL_ID_TAKEN', path: ['externalId'], input: () => ({ ...organization(), externalId: 'large' }) },
  { mutation: 'createOrganization', code: 'INVALID_HANDLE', path: ['handle'], input: () => ({ ...organization(), handle: 'No Handle' }) },
  { mutation: 'createOrganization', code: 'HANDLE_TAKEN', path: ['handle'], input: () => ({ ...organization(), handle: 'large' }) },

  { mutation: 'addOrganizationMember', code: 'ALREADY_MEMBER', path: ['userId'], input: member },
  { mutation: 'addOrganizationMember', code: 'TOO_MANY', path: ['roleIds'], input: () => ({ ...member(), roleIds: Array(101).fill(large.ids.Role) }) },

  { mutation: 'createPermission', code: 'REQUIRED', path: ['name'], input: () => ({ ...permission(), name: '' }) },
  { mutation: 'createPermission', code: 'TOO_LONG', path: ['description'], input: () => ({ ...permission(), description: 'x'.repeat(1001) }) },
  { mutation: 'createPermission', code: 'INVALID_TEXT', path: ['description'], input: () => ({ ...permission(), description: BELL }) },
  { mutation: 'createPermission', code: 'INVALID_KEY', path: ['key'], input: () => ({ ...permission(), key: 'no key' }) },
  { mutation: 'createPermission', code: 'INVALID_KEY', path: ['key'], input: () => ({ ...permission(), key: 'x'.repeat(65) }) },
  { mutation: 'createPermission', code: 'KEY_TAKEN', path: ['key'], input: () => ({ ...permission(), key: 'large:do' }) },

  { mutation: 'createRole', code: 'REQUIRED', path: ['name'], input: () => ({ ...permission(), name: '' }) },
  { mutation: 'createRole', code: 'TOO_LONG', path: ['name'], input: () => ({ ...permission(), name: LONG }) },
  { mutation: 'createRole', code: 'INVALID_TEXT', path: ['name'], input: () => ({ ...permission(), name: BELL }) },
  { mutation: 'createRole', code: 'INVALID_KEY', path: ['key'], input: () => ({ ...permission(), key: '' }) },
  { mutation: 'createRole', code: 'KEY_TAKEN', path: ['key'], input: () => ({ ...permission(), key: 'large-role' }) },
  { mutation: 'createRole', code: 'TOO_MANY', path: ['permissionIds'], input: () => ({ ...permission(), permissionIds: Array(101).fill(large.ids.Permission) }) },

  { mutation: 'createUser', code: 'REQUIRED', path: ['email'], input: () => ({ ...user(), email: ' ' }) },
  { mutation: 'createUser', code: 'TOO_LONG', path: ['email'], input: () => ({ ...user(), email: `${'x'.repeat(60)}@${'y'.repeat(200)}.test` }) },
  { mutation: 'createUser', code: 'TOO_LONG', path: ['lastName'], input: () => ({ ...user(), lastName: LONG }) },
  { mutation: 'createUser', code: 'INVALID_TEXT', path: ['firstName'], input: () => ({ ...user(), firstName: BELL }) },
  { mutation: 'createUser', code: 'INVALID_EMAIL', path: ['email'], input: () => ({ ...user(), email: 'nobody at people.test' }) },
  { mutation: 'createUser', code: 'EMAIL_TAKEN', path: ['email'], input: () => ({ ...user(), email: 'Large-User@People.Test' }) },
  { mutation: 'createUser', code: 'PROVIDED_ID_TAKEN', path: ['providedId'], input: () => ({ ...user(), providedId: 'old-1' }) },

  { mutation: 'inviteTeamMember', code: 'REQUIRED', path: ['email'], input: () => ({ ...invitation(), email: '' }) },
  { mutation: 'inviteTeamMember', code: 'TOO_LONG', path: ['lastName'], input: () => ({ ...invitation(), lastName: LONG }) },
  { mutation: 'inviteTeamMember', code: 'INVALID_TEXT', path: ['firstName'], input: () => ({ ...invitation(), firstName: BELL }) },
  { mutation: 'inviteTeamMember', code: 'INVALID_EMAIL', path: ['email'], input: () => ({ ...invitation(), email: 'somebody' }) },
  { mutation: 'inviteTeamMember', code: 'NO_ROLES', path: ['roles'], input: () => ({ ...invitation(), roles: [] }) },
  { mutation: 'inviteTeamMember', code: 'ALREADY_MEMBER', path: ['email'], input: () => ({ ...invitation(), email: 'Large-First@Team.Test' }) },
  { mutation: 'inviteTeamMember', code: 'PLAN_LIMIT', path: ['roles'], input: () => ({ ...invitation(), businessId: small.businessId, roles: ['ENGINEER'] }) },

  { mutation: 'updateTeamMemberRoles', code: 'NO_ROLES', path: ['roles'], input: () => ({ teamMemberId: large.ids.TeamMember, roles: [] }) },
  { mutation: 'updateTeamMemberRoles', code: 'PLAN_LIMIT', path: ['roles'], input: () => ({ teamMemberId: small.ids.TeamMember, roles: ['ADMIN', 'FINANCE'] }) },
  { mutation: 'updateTeamMemberRoles', code: 'LAST_OWNER', path: ['roles'], input: () => ({ teamMemberId: caller.memberId, roles: ['ADMIN'] }) },
];

test('these are all the codes that the schema names', () => {
  const named = Object.keys(schema.getMutationType()!.getFields())
    .filter((mutation) => mutation !== 'importUsers') // Its codes are about files.
    .flatMap((mutation) => {
      const codes = schema.getType(`${mutation[0]!.toUpperCase()}${mutation.slice(1)}ErrorCode`);
      return isEnumType(codes) ? codes.getValues().map(({ name }) => `${mutation} ${name}`) : [];
    });
  expect([...new Set(MISTAKES.map(({ mutation, code }) => `${mutation} ${code}`))].sort()).toEqual(named.sort());
});

test.each(MISTAKES)('$mutation answers $code about $path, and changes nothing', async ({ mutation, code, path, input }) => {
  const before = await digestOfEverything(gatehouse);
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { ... on UserError { message path } code } } }`;
  const { data, errors } = await ask(gatehouse, token, document, { input: input() });
  expect(errors).toEqual([]);
  expect(data).toEqual({ [mutation]: { errors: [{ code, path, message: expect.stringMatching(/^[A-Z].*\.$/) }] } });
  expect(await digestOfEverything(gatehouse)).toBe(before);
});

test('text of just the length that is allowed is taken, with the space around it cut off', async () => {
  const document =
    'mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { errors { code } organization { name } } }';
  const { data } = await ask(gatehouse, token, document, { input: { ...organization(), name: ` ${'x'.repeat(200)} ` } });
  expect(data).toEqual({ createOrganization: { errors: [], organization: { name: 'x'.repeat(200) } } });
});
