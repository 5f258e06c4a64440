/** Businesses with something of every kind in them, made by the services as the installation's operator, and callers of every kind. */
import type { TeamRole } from '../../src/access/team-roles.ts';
import type { Database } from '../../src/db/client.ts';
import { authorizeApplication } from '../../src/features/apis/service.ts';
import { createApplication } from '../../src/features/applications/service.ts';
import { createBusinessRow } from '../../src/features/businesses/service.ts';
import { type Context, createContext } from '../../src/features/context.ts';
import { accountEnvironment, createEnvironment } from '../../src/features/environments/service.ts';
import type { Plan } from '../../src/features/plans.ts';
import { addTeamMember } from '../../src/features/team/service.ts';
import { createUserRow } from '../../src/features/users/service.ts';
import { issuerOf } from '../../src/kernel/issuer.ts';
import type { TestApp } from '../helpers/app.ts';
import { postToken, teamToken } from '../helpers/user-agent.ts';
import { FEATURES } from './cases/index.ts';

/** A machine that may be given tokens for an environment's management API. */
export interface Machine {
  readonly applicationId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuer: string;
}

/** Ids by the name of the type, and of other things by names in lower case. */
type Ids = Readonly<
  Record<'Business' | 'Environment' | 'User' | 'Organization' | 'Application' | 'Role' | 'Permission' | 'TeamMember', string> &
    Record<string, string>
>;

/** An environment with one object of each type. */
export interface EnvironmentWorld {
  readonly environmentId: string;
  /** What belongs to the environment. */
  readonly ids: Readonly<Record<string, string>>;
  readonly machine: Machine;
}

/** A business with one object of each type and two environments. */
export interface World {
  readonly name: string;
  readonly businessId: string;
  /** What belongs to the business and to its production environment. */
  readonly ids: Ids;
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
  let ids: Record<string, string> = { Business: businessId };
  for (const { fillBusiness } of FEATURES) ids = { ...ids, ...(await fillBusiness?.({ gatehouse, ctx, name, businessId, ids })) };
  const { id } = await ctx.db.environment.findFirstOrThrow({ where: { businessId, kind: 'production' } });
  const production = await fillEnvironment(gatehouse, name, { businessId, environmentId: id, ids });
  const made = await createEnvironment(ctx, { businessId, name: 'Development', domain: `${name}-dev` });
  const development = await fillEnvironment(gatehouse, `${name}-dev`, { businessId, environmentId: made.id, ids });
  return { name, businessId, ids: { ...ids, ...production.ids } as unknown as Ids, production, development };
}

async function fillEnvironment(
  gatehouse: TestApp,
  name: string,
  { businessId, environmentId, ids: ofBusiness }: { businessId: string; environmentId: string; ids: Readonly<Record<string, string>> },
): Promise<EnvironmentWorld> {
  const ctx = operator(gatehouse);
  const { application, clientSecret } = await createApplication(ctx, { environmentId, name: `${name}-machine`, type: 'm2m' });
  const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
  await authorizeApplication(ctx, environmentId, application.id, management.id);
  let ids: Record<string, string> = { Application: application.id };
  for (const feature of FEATURES)
    ids = {
      ...ids,
      ...(await feature.fillEnvironment?.({ gatehouse, ctx, name, businessId, environmentId, ids: { ...ofBusiness, ...ids } })),
    };
  const environment = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId } });
  return {
    environmentId,
    ids,
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

/** What asks a database for its digest. */
const statements = new WeakMap<Database, Promise<string>>();

/**
 * How many rows are in each table but the callers' quotas, and the sum of the transactions that wrote them (`xmin`): two
 * digests that are equal mean that nothing was written, not even a row as it was. A later transaction has a greater
 * number, so that what comes in the place of what went makes the sum greater.
 */
export async function digestOfEverything(gatehouse: TestApp): Promise<string> {
  const { database } = gatehouse.app.infrastructure;
  if (!statements.has(database)) statements.set(database, statementOfDigest(database));
  const [row] = await database.query<{ digest: string }>('digest', await statements.get(database)!, []);
  return row!.digest;
}

async function statementOfDigest(database: Database): Promise<string> {
  const names = await database.query<{ name: string }>(
    undefined,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> 'graph_quotas' ORDER BY 1`,
    [],
  );
  const digests = names.map(({ name }) => `(SELECT concat(count(*), '/', sum(xmin::text::bigint)) FROM "${name}")`);
  return `SELECT concat_ws(' ', ${digests.join(', ')}) AS digest`;
}
