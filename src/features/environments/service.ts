/** Environments: each is a tenant with users, organizations, applications, keys and an issuer of its own. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { createManagementApi } from '../apis/service.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, environmentScope, lockBusiness, NEXT_VERSION } from '../context.ts';
import { createOrganizationRow } from '../organizations/service.ts';
import { assertRoomOnPlan } from '../plans.ts';
import { endAccessOfEnvironment } from '../sessions/service.ts';
import { createSigningKey } from '../signing-keys/service.ts';
import { changedText, requireText } from '../text.ts';

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
      domain: await freeDomain(ctx, input.domain, businessId),
      kind: 'non_production',
      organizationName,
    });
  },
});

export interface UpdateEnvironmentInput {
  readonly environmentId?: string | null | undefined;
  readonly name?: string | null | undefined;
  /** Says that real people use it; of the production environment only. */
  readonly isLive?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes an environment. Its kind, and the domain that names its issuer, stay as they are.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, NOT_PRODUCTION or CONFLICT */
export const updateEnvironment = action({
  permission: 'update:environments',
  scope: (ctx, input: UpdateEnvironmentInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<Environment> {
    const { kind } = await existing(ctx, environmentId);
    if (input.isLive != null && kind !== 'production')
      throw new InvalidInputError('NOT_PRODUCTION', 'Only the production environment is live or not.', ['isLive']);
    const environment = await ctx.db.environment.update({
      where: { id: environmentId, ...atVersion(input) },
      data: { name: changedText(input.name, 'name'), isLive: input.isLive ?? undefined, ...NEXT_VERSION },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'environment.updated',
      target: { type: 'environment', id: environmentId },
      details: { fields: Object.keys(input).sort() },
    });
    return environment;
  },
});

export interface DeleteEnvironmentInput {
  readonly environmentId: string;
  /** The environment's name, typed by whoever deletes it. */
  readonly confirmation?: string | null | undefined;
}

/**
 * Deletes a non-production environment and everything in it: whoever is signed in there is so no more, and no token
 * works. Its domain stays reserved for the business.
 * @throws InvalidInputError NOT_DELETABLE or WRONG_CONFIRMATION
 */
export const deleteEnvironment = action({
  permission: 'delete:environments',
  scope: (ctx, input: DeleteEnvironmentInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<{ deletedId: string }> {
    await lockBusiness(ctx, businessId);
    const environment = await existing(ctx, environmentId);
    if (environment.kind !== 'non_production')
      throw new InvalidInputError('NOT_DELETABLE', 'A business keeps its production environment for as long as it is there.');
    assertConfirmed(ctx, input.confirmation, environment.name);
    await deleteEnvironmentRow(ctx, environment);
    await audit(ctx, { businessId, action: 'environment.deleted', target: { type: 'environment', id: environmentId } });
    return { deletedId: environmentId };
  },
});

/** Deletes an environment with everything in it, and reserves its domain; the caller has checked the permission. */
export async function deleteEnvironmentRow(ctx: Context, { id, businessId, domain }: Environment): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM environments WHERE id = ${id} FOR UPDATE`;
  await endAccessOfEnvironment(ctx, id);
  const reserved = { businessId, reservedAt: ctx.clock.now() };
  await ctx.db.reservedDomain.upsert({ where: { domain }, create: { domain, ...reserved }, update: reserved });
  await ctx.db.environment.delete({ where: { id } });
}

/** Whoever destroys what cannot be brought back types its name. A dry run may leave that out, as it destroys nothing.
 * @throws InvalidInputError WRONG_CONFIRMATION */
export function assertConfirmed(ctx: Context, confirmation: string | null | undefined, name: string): void {
  if (confirmation === name || (confirmation == null && ctx.effects)) return;
  throw new InvalidInputError('WRONG_CONFIRMATION', 'Type the name, exactly as it is, to delete it.', ['confirmation']);
}

async function existing(ctx: Context, environmentId: string): Promise<Environment> {
  const environment = await ctx.db.environment.findUnique({ where: { id: environmentId } });
  if (!environment) throw new NotFoundError('environment', ['environmentId']);
  return environment;
}

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

/** Checks that `domain` may name a new environment, of the business where there is one already.
 * @throws InvalidInputError INVALID_DOMAIN or DOMAIN_TAKEN */
export async function freeDomain(ctx: Context, domain: string, businessId?: string): Promise<string> {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)) {
    throw new InvalidInputError(
      'INVALID_DOMAIN',
      'A domain is 1 to 63 lower-case letters, digits and dashes, with no dash at either end.',
      ['domain'],
    );
  }
  if (!(await isDomainFree(ctx, domain, businessId))) throw new InvalidInputError('DOMAIN_TAKEN', 'This domain is in use.', ['domain']);
  return domain;
}

/** Is the domain no environment's, and reserved for no other business? */
export async function isDomainFree(ctx: Context, domain: string, businessId?: string): Promise<boolean> {
  if (domain === 'account') return false;
  if (await ctx.db.environment.findUnique({ where: { domain }, select: { id: true } })) return false;
  const reserved = await ctx.db.reservedDomain.findUnique({ where: { domain } });
  return !reserved || reserved.businessId === businessId;
}

/** Lets the domain of a deleted environment be used again, by anybody. False when it was not reserved. */
export async function freeReservedDomain(ctx: Context, domain: string): Promise<boolean> {
  return (await ctx.db.reservedDomain.deleteMany({ where: { domain } })).count === 1;
}

/** The reserved environment whose users are the team members of every business.
 * @throws Error before the first start has made it */
export async function accountEnvironment(ctx: Context): Promise<Environment> {
  const environment = await ctx.db.environment.findFirst({ where: { kind: 'account' } });
  if (!environment) throw new Error('The account environment is missing: this database was never initialised.');
  return environment;
}
