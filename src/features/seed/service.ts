/**
 * What an installation begins with: the reserved `account` environment everywhere, outside production a business to try
 * things with, and the first callers of the graph, which nobody could make through the graph.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../db/generated/client/client.ts';
import { NotFoundError } from '../../kernel/errors.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { authorizeApplication, createApiRow, managementAudience } from '../apis/service.ts';
import { type ApplicationWithSecret, type CreateApplicationInput, createApplicationRow } from '../applications/service.ts';
import { createBusinessRow } from '../businesses/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction } from '../context.ts';
import { accountEnvironment, createEnvironment, createEnvironmentRow } from '../environments/service.ts';
import { addTeamMember } from '../team/service.ts';
import { createUserRow } from '../users/service.ts';

/** What a newcomer needs to know, kept in DATA_DIR/quickstart.json. */
export interface Quickstart {
  readonly issuer: string;
  readonly graphqlUrl: string;
  readonly managementAudience: string;
  readonly owner: { readonly email: string };
  readonly applications: readonly QuickstartApplication[];
  /** The issuer where team members sign in, and the application that their dashboards use. */
  readonly account: {
    readonly issuer: string;
    readonly managementAudience: string;
    readonly applications: readonly QuickstartApplication[];
  };
}

export interface QuickstartApplication {
  readonly name: string;
  readonly type: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly callbackUrls: readonly string[];
  readonly logoutUrls: readonly string[];
}

/** An application that the graph is used through, with what its makers have to know. */
export interface GraphCaller {
  readonly issuer: string;
  readonly managementAudience: string;
  readonly application: QuickstartApplication;
}

const PLATFORM_BUSINESS = 'biz_00000000000000000000000000000000';

/** Makes the `account` environment where it is missing. Several processes may call it at once. */
export async function ensureAccountEnvironment(infrastructure: Infrastructure): Promise<void> {
  const ctx = systemContext(infrastructure);
  await inTransaction(ctx, async (tx) => {
    await tx.db.business.createMany({
      data: [{ id: PLATFORM_BUSINESS, name: 'Gatehouse', region: 'au', plan: 'enterprise' }],
      skipDuplicates: true,
    });
    await tx.db.$queryRaw`SELECT id FROM businesses WHERE id = ${PLATFORM_BUSINESS} FOR UPDATE`;
    if (await tx.db.environment.findFirst({ where: { kind: 'account' } })) return;
    const account = await createEnvironmentRow(tx, {
      businessId: PLATFORM_BUSINESS,
      name: 'Account',
      domain: 'account',
      kind: 'account',
      organizationName: 'Gatehouse',
    });
    // Whoever is not invited has no business here.
    await tx.db.environment.update({ where: { id: account.id }, data: { allowSelfSignUp: false } });
    const scope = { environmentId: account.id, businessId: PLATFORM_BUSINESS };
    await createApplicationRow(tx, scope, { name: 'Gatehouse', type: 'reg' });
  });
}

/** Seeds an empty installation outside production. Returns what it made, or undefined when there was something. */
export async function seedQuickstart(infrastructure: Infrastructure): Promise<Quickstart | undefined> {
  const { config } = infrastructure;
  if (config.production) return undefined;
  const ctx = systemContext(infrastructure);
  const quickstart = await inTransaction(ctx, async (tx) => {
    await tx.db.$queryRaw`SELECT id FROM businesses WHERE id = ${PLATFORM_BUSINESS} FOR UPDATE`;
    if ((await tx.db.business.count()) > 1) return undefined;
    return seedAcme(tx);
  });
  if (quickstart) {
    const path = join(config.dataDir, 'quickstart.json');
    writeFileSync(path, `${JSON.stringify(quickstart, null, 2)}\n`, { mode: 0o600 });
    chmodSync(path, 0o600);
  }
  return quickstart;
}

/** Makes a machine that holds every scope of the graph in the environment with this domain.
 * @throws NotFoundError when no business has such an environment
 * @throws InvalidInputError REQUIRED or TOO_LONG */
export async function createMachine(ctx: Context, input: { readonly domain: string; readonly name: string }): Promise<GraphCaller> {
  return inTransaction(ctx, async (tx) =>
    createGraphCaller(tx, await environmentOfBusiness(tx, input.domain), { name: input.name, type: 'm2m' }),
  );
}

/** Makes an application of `account`, at which team members sign in to use the graph.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_URL or TOO_MANY_URLS */
export async function createDashboard(
  ctx: Context,
  input: Pick<CreateApplicationInput, 'name' | 'callbackUrls' | 'logoutUrls'> & { readonly type: 'reg' | 'spa' },
): Promise<GraphCaller> {
  return inTransaction(ctx, async (tx) => createGraphCaller(tx, await accountEnvironment(tx), input));
}

/** The environment with this domain, unless it is the platform's own.
 * @throws NotFoundError */
export async function environmentOfBusiness(ctx: Context, domain: string): Promise<Environment> {
  const environment = await ctx.db.environment.findUnique({ where: { domain } });
  if (!environment || environment.kind === 'account') throw new NotFoundError('environment of a business', ['domain']);
  return environment;
}

async function createGraphCaller(ctx: Context, environment: Environment, input: CreateApplicationInput): Promise<GraphCaller> {
  const { id: environmentId, businessId } = environment;
  const made = await createApplicationRow(ctx, { environmentId, businessId }, input);
  const { id: apiId } = await ctx.db.api.findFirstOrThrow({ where: { environmentId, isManagement: true } });
  await authorizeApplication(ctx, environmentId, made.application.id, apiId);
  const issuer = issuerOf(ctx.config, environment);
  return { issuer, managementAudience: managementAudience(issuer), application: describe(made) };
}

const OWNER_EMAIL = 'owner@acme.test';

async function seedAcme(ctx: Context): Promise<Quickstart> {
  const account = await accountEnvironment(ctx);
  const business = await createBusinessRow(ctx, { name: 'Acme', region: 'ie', plan: 'scale', domain: 'acme' });
  await createEnvironment(ctx, { businessId: business.id, name: 'Development', domain: 'acme-dev' });
  const production = await ctx.db.environment.findFirstOrThrow({ where: { businessId: business.id, kind: 'production' } });
  const scope = { environmentId: production.id, businessId: business.id };

  const owner = await createUserRow(
    ctx,
    { environmentId: account.id, businessId: account.businessId },
    { email: OWNER_EMAIL, isEmailVerified: true, firstName: 'Olive', lastName: 'Owner' },
  );
  await addTeamMember(ctx, { businessId: business.id, accountEnvironmentId: account.id, userId: owner.id, roles: ['owner'] });

  const api = await createApiRow(ctx, production.id, {
    name: 'Acme API',
    audience: 'https://api.acme.test',
    scopes: [
      { name: 'read:invoices', description: 'Read invoices' },
      { name: 'write:invoices', description: 'Write invoices' },
    ],
  });
  const web = { callbackUrls: ['http://localhost:8080/callback'], logoutUrls: ['http://localhost:8080'], emailSignIn: 'password' as const };
  const reg = describe(await createApplicationRow(ctx, scope, { name: 'Acme web', type: 'reg', ...web }));
  const spa = describe(await createApplicationRow(ctx, scope, { name: 'Acme app', type: 'spa', ...web }));
  const m2m = await createMachine(ctx, { domain: production.domain, name: 'Acme machine' });
  const device = describe(await createApplicationRow(ctx, scope, { name: 'Acme device', type: 'device' }));
  const applications = [reg, spa, m2m.application, device];
  for (const { clientId } of applications) await authorizeApplication(ctx, production.id, `app_${clientId}`, api.id);

  const dashboard = await createDashboard(ctx, {
    name: 'Dashboard',
    type: 'spa',
    callbackUrls: web.callbackUrls,
    logoutUrls: web.logoutUrls,
  });
  return {
    issuer: m2m.issuer,
    graphqlUrl: `${ctx.config.baseUrl}/graphql`,
    managementAudience: m2m.managementAudience,
    owner: { email: OWNER_EMAIL },
    applications,
    account: { issuer: dashboard.issuer, managementAudience: dashboard.managementAudience, applications: [dashboard.application] },
  };
}

function describe({ application, clientSecret }: ApplicationWithSecret): QuickstartApplication {
  return {
    name: application.name,
    type: application.type,
    clientId: application.id.slice('app_'.length),
    ...(clientSecret && { clientSecret }),
    callbackUrls: application.callbackUrls,
    logoutUrls: application.logoutUrls,
  };
}

function systemContext(infrastructure: Infrastructure): Context {
  return createContext(infrastructure, { kind: 'system', name: 'first start' });
}
