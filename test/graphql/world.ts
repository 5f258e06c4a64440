/** Businesses with something of every kind in them, made by the services as the installation's operator, and callers of every kind. */
import type { TeamRole } from '../../src/access/team-roles.ts';
import { authorizeApplication, createApiRow } from '../../src/features/apis/service.ts';
import { createApplication } from '../../src/features/applications/service.ts';
import { createBusinessRow } from '../../src/features/businesses/service.ts';
import { type Context, createContext } from '../../src/features/context.ts';
import { accountEnvironment, createEnvironment } from '../../src/features/environments/service.ts';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import type { Plan } from '../../src/features/plans.ts';
import { createPermission, createRole } from '../../src/features/roles/service.ts';
import { addTeamMember, createInvitation } from '../../src/features/team/service.ts';
import { createUser, createUserRow } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { issuerOf } from '../../src/kernel/issuer.ts';
import type { TestApp } from '../helpers/app.ts';
import { postToken, teamToken } from '../helpers/user-agent.ts';

/** A machine that may be given tokens for an environment's management API. */
export interface Machine {
  readonly applicationId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuer: string;
}

/** An environment with one object of each type, by the name of the type. */
export interface EnvironmentWorld {
  readonly environmentId: string;
  readonly ids: Readonly<Record<EnvironmentType, string>>;
  readonly machine: Machine;
}

type EnvironmentType =
  | 'Environment'
  | 'User'
  | 'Identity'
  | 'Organization'
  | 'OrganizationMember'
  | 'Application'
  | 'Api'
  | 'Import'
  | 'ImportIssue';
type BusinessType = 'Business' | 'TeamMember' | 'TeamInvitation' | 'Role' | 'Permission';
export type NodeType = EnvironmentType | BusinessType;

/** A business with one object of each type and two environments. */
export interface World {
  readonly businessId: string;
  readonly ids: Readonly<Record<NodeType, string>>;
  readonly production: EnvironmentWorld;
  readonly development: EnvironmentWorld;
}

/** The installation's operator, who may do everything. */
export function operator(gatehouse: TestApp): Context {
  return createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
}

/** Makes a business whose every name and address begins with `name`. */
export async function makeWorld(gatehouse: TestApp, name: string, plan: Plan = 'scale'): Promise<World> {
  const ctx = operator(gatehouse);
  const { id: businessId } = await createBusinessRow(ctx, { name, region: 'ie', plan, domain: name });
  const permission = await createPermission(ctx, { businessId, key: `${name}:do`, name: 'Do', description: 'Does it.' });
  const role = await createRole(ctx, { businessId, key: `${name}-role`, name: 'Role', permissionIds: [permission.id] });
  const { memberId } = await makeMember(gatehouse, businessId, `${name}-first@team.test`, ['owner']);
  const { invitation } = await createInvitation(ctx, { businessId, email: `${name}-invited@team.test`, roles: ['admin'] });
  const shared = { businessId, roleId: role.id, permissionId: permission.id };
  const { id } = await ctx.db.environment.findFirstOrThrow({ where: { businessId, kind: 'production' } });
  const production = await fillEnvironment(gatehouse, name, { ...shared, environmentId: id });
  const made = await createEnvironment(ctx, { businessId, name: 'Development', domain: `${name}-dev` });
  const development = await fillEnvironment(gatehouse, `${name}-dev`, { ...shared, environmentId: made.id });
  const ids = { Business: businessId, TeamMember: memberId, TeamInvitation: invitation.id, Role: role.id, Permission: permission.id };
  return { businessId, ids: { ...ids, ...production.ids }, production, development };
}

async function fillEnvironment(
  gatehouse: TestApp,
  name: string,
  { businessId, environmentId, roleId, permissionId }: { businessId: string; environmentId: string; roleId: string; permissionId: string },
): Promise<EnvironmentWorld> {
  const ctx = operator(gatehouse);
  const user = await createUser(ctx, { environmentId, email: `${name}-user@people.test`, firstName: `${name}-user`, lastName: 'Person' });
  const organization = await createOrganization(ctx, { environmentId, name: `${name}-organization`, externalId: name, handle: name });
  const member = await addOrganizationMember(ctx, { organizationId: organization.id, userId: user.id, roleIds: [roleId] });
  await ctx.db.membershipPermission.create({ data: { environmentId, membershipId: member.id, businessId, permissionId } });
  const identity = await ctx.db.identity.findFirstOrThrow({ where: { environmentId, userId: user.id } });
  const api = await createApiRow(ctx, environmentId, { name: 'API', audience: `https://${name}.test`, scopes: [{ name: 'read:things' }] });
  const { application, clientSecret } = await createApplication(ctx, { environmentId, name: `${name}-machine`, type: 'm2m' });
  const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
  await authorizeApplication(ctx, environmentId, application.id, management.id);
  const imported = { environmentId, id: newId('import'), fileName: `${name}.csv`, state: 'completed', totalLines: 1, rejectedLines: 1 };
  await ctx.db.import.create({ data: imported });
  const issue = { environmentId, id: newId('importIssue'), importId: imported.id, line: 2, code: 'invalid_email', message: 'No address.' };
  await ctx.db.importIssue.create({ data: { ...issue, severity: 'rejected', column: 'email' } });
  const environment = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId } });
  return {
    environmentId,
    ids: {
      Environment: environmentId,
      User: user.id,
      Identity: identity.id,
      Organization: organization.id,
      OrganizationMember: member.id,
      Application: application.id,
      Api: api.id,
      Import: imported.id,
      ImportIssue: issue.id,
    },
    machine: {
      applicationId: application.id,
      clientId: application.id.slice('app_'.length),
      clientSecret: clientSecret!,
      issuer: issuerOf(ctx.config, environment),
    },
  };
}

/** Puts a person on a team; a new one, or one who is on another team already. */
export async function makeMember(
  gatehouse: TestApp,
  businessId: string,
  email: string,
  roles: readonly TeamRole[],
): Promise<{ userId: string; memberId: string }> {
  const ctx = operator(gatehouse);
  const account = await accountEnvironment(ctx);
  const known = await ctx.db.identity.findFirst({ where: { environmentId: account.id, normalized: email } });
  const scope = { environmentId: account.id, businessId: account.businessId };
  const userId =
    known?.userId ?? (await createUserRow(ctx, scope, { email, isEmailVerified: true, firstName: 'Team', lastName: 'Member' })).id;
  await addTeamMember(ctx, { businessId, accountEnvironmentId: account.id, userId, roles });
  const { id } = await ctx.db.teamMember.findUniqueOrThrow({ where: { businessId_userId: { businessId, userId } } });
  return { userId, memberId: id };
}

/** Puts a new person on a team and signs it in.
 * @returns its token for the management API */
export async function signInMember(gatehouse: TestApp, businessId: string, email: string, roles: readonly TeamRole[]): Promise<string> {
  await makeMember(gatehouse, businessId, email, roles);
  return teamToken(gatehouse, email);
}

/** A machine's token for its environment's management API; `scope` narrows it. */
export async function tokenOf({ issuer, clientId, clientSecret }: Machine, scope?: string): Promise<string> {
  const credentials = { client_id: clientId, client_secret: clientSecret };
  const form = { grant_type: 'client_credentials', ...credentials, audience: `${issuer}/api`, ...(scope && { scope }) };
  const { body } = await postToken(issuer, form);
  return body['access_token'];
}

/** A digest of every row of every table but the callers' quotas: two that are equal mean that nothing was changed. */
export async function digestOfEverything(gatehouse: TestApp): Promise<string> {
  const { database } = gatehouse.app.infrastructure;
  const tables = await database.query<{ name: string }>(
    'public-tables',
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'graph_quotas' ORDER BY 1`,
    [],
  );
  const digests = tables.map(({ name }) => `(SELECT md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) FROM "${name}" t)`);
  const [row] = await database.query<{ digest: string }>('digest', `SELECT concat(${digests.join(', ')}) AS digest`, []);
  return row!.digest;
}
