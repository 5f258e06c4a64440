/** Environments: each is a tenant with users, organizations, applications, keys and an issuer of its own. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { createManagementApi } from '../apis/service.ts';
import { audit } from '../audit/service.ts';
import { action, businessScope, type Context } from '../context.ts';
import { createOrganizationRow } from '../organizations/service.ts';
import { assertRoomOnPlan } from '../plans.ts';
import { createSigningKey } from '../signing-keys/service.ts';
import { requireText } from '../text.ts';

export interface CreateEnvironmentInput {
  readonly businessId?: string | null | undefined;
  readonly name: string;
  /** Lower-case letters, digits and dashes; unique in the whole installation, as it names the issuer. */
  readonly domain: string;
}

/** Makes a non-production environment with its signing key, its management API and its default organization.
 * @throws InvalidInputError PLAN_LIMIT, REQUIRED, TOO_LONG, INVALID_DOMAIN or DOMAIN_TAKEN */
export const createEnvironment = action({
  permission: 'create:environments',
  scope: (ctx, input: CreateEnvironmentInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }) {
    await assertRoomOnPlan(ctx, businessId, 'nonProductionEnvironments');
    const { name: organizationName } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId } });
    return createEnvironmentRow(ctx, {
      businessId,
      name: requireText(input.name, 'name'),
      domain: await freeDomain(ctx, input.domain),
      kind: 'non_production',
      organizationName,
    });
  },
});

/** Writes an environment and everything that it is born with; the caller has checked the permission. */
export async function createEnvironmentRow(
  ctx: Context,
  input: {
    businessId: string;
    name: string;
    domain: string;
    kind: 'production' | 'non_production' | 'account';
    isPrimary?: boolean;
    organizationName: string;
  },
): Promise<Environment> {
  const environment = await ctx.db.environment.create({
    data: {
      id: newId('environment'),
      businessId: input.businessId,
      name: input.name,
      domain: input.domain,
      kind: input.kind,
      isPrimary: input.isPrimary ?? false,
    },
  });
  await createSigningKey(ctx, environment.id);
  await createManagementApi(ctx, environment.id);
  if (input.kind !== 'account') {
    await createOrganizationRow(ctx, environment.id, { name: input.organizationName, isDefault: true, isAutoMembershipEnabled: true });
  }
  await audit(ctx, {
    businessId: input.businessId,
    environmentId: environment.id,
    action: 'environment.created',
    target: { type: 'environment', id: environment.id },
    details: { domain: input.domain },
  });
  return environment;
}

/** Checks that `domain` may name a new environment.
 * @throws InvalidInputError INVALID_DOMAIN or DOMAIN_TAKEN */
export async function freeDomain(ctx: Context, domain: string): Promise<string> {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)) {
    throw new InvalidInputError(
      'INVALID_DOMAIN',
      'A domain is 1 to 63 lower-case letters, digits and dashes, with no dash at either end.',
      ['domain'],
    );
  }
  if (domain === 'account' || (await ctx.db.environment.findUnique({ where: { domain }, select: { id: true } }))) {
    throw new InvalidInputError('DOMAIN_TAKEN', 'This domain is in use.', ['domain']);
  }
  return domain;
}

/** The reserved environment whose users are the team members of every business.
 * @throws Error before the first start has made it */
export async function accountEnvironment(ctx: Context): Promise<Environment> {
  const environment = await ctx.db.environment.findFirst({ where: { kind: 'account' } });
  if (!environment) throw new Error('The account environment is missing: this database was never initialised.');
  return environment;
}

/** How an environment lets people in; `codeLifetime` in seconds. */
export function signInPolicy(ctx: Context, environmentId: string): Promise<{ codeLifetime: number; allowSelfSignUp: boolean }> {
  return ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId }, select: { codeLifetime: true, allowSelfSignUp: true } });
}
