/** Businesses: the customers of this installation. Whoever makes one is its first Owner. */
import type { Business } from '../../db/generated/client/client.ts';
import { InvalidInputError, UnauthenticatedError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, inTransaction, lockBusiness } from '../context.ts';
import { accountEnvironment, createEnvironmentRow, freeDomain } from '../environments/service.ts';
import { PLANS, type Plan } from '../plans.ts';
import { createSystemProperties } from '../properties/service.ts';
import { addTeamMember } from '../team/service.ts';
import { requireText } from '../text.ts';

/** Where a business's data lives; fixed at creation. */
export const REGIONS = ['au', 'us', 'ca', 'ie', 'uk'] as const;
export type Region = (typeof REGIONS)[number];

export interface CreateBusinessInput {
  readonly name: string;
  readonly region: Region;
  readonly plan?: Plan | null | undefined;
  /** Names the issuer of the production environment. Absent: made from the name. */
  readonly domain?: string | null | undefined;
}

/**
 * Makes a business with its production environment; the signed-in person becomes its Owner.
 * @throws UnauthenticatedError unless a person of the `account` environment asks
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_DOMAIN or DOMAIN_TAKEN
 */
export async function createBusiness(ctx: Context, input: CreateBusinessInput): Promise<Business> {
  const { actor } = ctx;
  if (actor.kind !== 'team') throw new UnauthenticatedError('Only a signed-in team member can make a business.');
  return inTransaction(ctx, async (tx) => {
    const business = await createBusinessRow(tx, input);
    await addTeamMember(tx, {
      businessId: business.id,
      accountEnvironmentId: actor.accountEnvironmentId,
      userId: actor.userId,
      roles: ['owner'],
    });
    return business;
  });
}

/** Writes a business and its production environment. The first one's issuer is the base URL itself. */
export async function createBusinessRow(ctx: Context, input: CreateBusinessInput): Promise<Business> {
  const name = requireText(input.name, 'name');
  if (!REGIONS.includes(input.region))
    throw new InvalidInputError('INVALID_REGION', `A region is one of ${REGIONS.join(', ')}.`, ['region']);
  if (input.plan && !PLANS.includes(input.plan))
    throw new InvalidInputError('INVALID_PLAN', `A plan is one of ${PLANS.join(', ')}.`, ['plan']);
  // One at a time in the whole installation: only the first is primary, and a name made into a domain is still free.
  await lockBusiness(ctx, (await accountEnvironment(ctx)).businessId);
  const domain = input.domain ? await freeDomain(ctx, input.domain) : await domainFrom(ctx, name);
  const business = await ctx.db.business.create({
    data: { id: newId('business'), name, region: input.region, plan: input.plan ?? 'free' },
  });
  await audit(ctx, {
    businessId: business.id,
    action: 'business.created',
    target: { type: 'business', id: business.id },
    details: { region: business.region, plan: business.plan },
  });
  await createSystemProperties(ctx, business.id);
  const isPrimary = (await ctx.db.environment.count({ where: { kind: 'production' } })) === 0;
  await createEnvironmentRow(ctx, {
    businessId: business.id,
    name: 'Production',
    domain,
    kind: 'production',
    isPrimary,
    organizationName: name,
  });
  return business;
}

async function domainFrom(ctx: Context, name: string): Promise<string> {
  const base =
    name
      .toLowerCase()
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 40)
      .replace(/^-+|-+$/g, '') || 'business';
  for (let number = 1; ; number++) {
    const domain = number === 1 ? base : `${base}-${number}`;
    if (domain !== 'account' && !(await ctx.db.environment.findUnique({ where: { domain }, select: { id: true } }))) return domain;
  }
}
