/** The first start: the reserved `account` environment everywhere, and outside production a business to try things with. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issuerOf } from '../../kernel/issuer.ts';
import { authorizeApplication, createApiRow, managementAudience } from '../apis/service.ts';
import { type ApplicationWithSecret, createApplicationRow } from '../applications/service.ts';
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
  const management = await ctx.db.api.findFirstOrThrow({ where: { environmentId: production.id, isManagement: true } });
  const web = { callbackUrls: ['http://localhost:8080/callback'], logoutUrls: ['http://localhost:8080'], emailSignIn: 'password' as const };
  const made = {
    reg: await createApplicationRow(ctx, scope, { name: 'Acme web', type: 'reg', ...web }),
    spa: await createApplicationRow(ctx, scope, { name: 'Acme app', type: 'spa', ...web }),
    m2m: await createApplicationRow(ctx, scope, { name: 'Acme machine', type: 'm2m' }),
    device: await createApplicationRow(ctx, scope, { name: 'Acme device', type: 'device' }),
  };
  for (const { application } of [made.reg, made.spa, made.m2m, made.device])
    await authorizeApplication(ctx, production.id, application.id, api.id);
  await authorizeApplication(ctx, production.id, made.m2m.application.id, management.id);

  const dashboard = await createApplicationRow(
    ctx,
    { environmentId: account.id, businessId: account.businessId },
    {
      name: 'Dashboard',
      type: 'spa',
      callbackUrls: ['http://localhost:8080/callback'],
      logoutUrls: ['http://localhost:8080'],
    },
  );
  const accountApi = await ctx.db.api.findFirstOrThrow({ where: { environmentId: account.id, isManagement: true } });
  await authorizeApplication(ctx, account.id, dashboard.application.id, accountApi.id);

  const issuer = issuerOf(ctx.config, production);
  const accountIssuer = issuerOf(ctx.config, account);
  return {
    issuer,
    graphqlUrl: `${ctx.config.baseUrl}/graphql`,
    managementAudience: managementAudience(issuer),
    owner: { email: OWNER_EMAIL },
    applications: Object.values(made).map(describe),
    account: { issuer: accountIssuer, managementAudience: managementAudience(accountIssuer), applications: [describe(dashboard)] },
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
