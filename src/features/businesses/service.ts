/** Businesses: the customers of this installation. Whoever makes one is its first Owner. */
import type { Business } from '../../db/generated/client/client.ts';
import { InvalidInputError, UnauthenticatedError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, inTransaction, lockBusiness, NEXT_VERSION } from '../context.ts';
import { watchingTeam } from '../effects.ts';
import {
  accountEnvironment,
  assertConfirmed,
  createEnvironmentRow,
  deleteEnvironmentRow,
  freeDomain,
  isDomainFree,
} from '../environments/service.ts';
import { assertPlanHas, PLANS, type Plan } from '../plans.ts';
import { createSystemProperties } from '../properties/service.ts';
import { addTeamMember } from '../team/service.ts';
import { changedOptionalText, changedOptionalUrl, changedText, requireEmail, requireText } from '../text.ts';
import { INDUSTRIES } from './industries.ts';
import { timezones } from './timezones.ts';

export { INDUSTRIES, timezones };

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
    if (await isDomainFree(ctx, domain)) return domain;
  }
}

export interface UpdateBusinessInput {
  readonly businessId?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly phone?: string | null | undefined;
  /** A key of {@link INDUSTRIES}. */
  readonly industry?: string | null | undefined;
  /** One of {@link timezones}. */
  readonly timezone?: string | null | undefined;
  readonly termsUrl?: string | null | undefined;
  readonly privacyUrl?: string | null | undefined;
  readonly isTermsAcceptanceExplicit?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a business's details. Its region and its domains stay as they are.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_EMAIL, INVALID_PHONE, INVALID_INDUSTRY, INVALID_TIMEZONE, INVALID_URL, PLAN_LIMIT or CONFLICT */
export const updateBusiness = action({
  permission: 'update:businesses',
  scope: (ctx, input: UpdateBusinessInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Business> {
    const { isTermsAcceptanceExplicit } = input;
    if (isTermsAcceptanceExplicit) await assertPlanHas(ctx, businessId, 'explicitTermsAcceptance', ['isTermsAcceptanceExplicit']);
    const business = await ctx.db.business.update({
      where: { id: businessId, ...atVersion(input) },
      data: {
        name: changedText(input.name, 'name'),
        email: input.email ? requireEmail(input.email, 'email') : changedOptionalText(input.email, 'email'),
        phone: changedPhone(input.phone),
        industry: changedChoice(input.industry, 'industry', Object.keys(INDUSTRIES)),
        timezone: changedChoice(input.timezone, 'timezone', timezones()),
        termsUrl: changedOptionalUrl(input.termsUrl, 'termsUrl'),
        privacyUrl: changedOptionalUrl(input.privacyUrl, 'privacyUrl'),
        isTermsAcceptanceExplicit: isTermsAcceptanceExplicit ?? undefined,
        ...NEXT_VERSION,
      },
    });
    await audit(ctx, {
      businessId,
      action: 'business.updated',
      target: { type: 'business', id: businessId },
      details: { fields: Object.keys(input).sort() },
    });
    return business;
  },
});

function changedPhone(text: string | null | undefined): string | null | undefined {
  const phone = changedOptionalText(text, 'phone')?.replace(/[\s().-]/g, '');
  if (phone && !/^\+[1-9]\d{6,14}$/.test(phone))
    throw new InvalidInputError('INVALID_PHONE', 'A phone number has its country code, as +61 555 111 555.', ['phone']);
  return text === undefined ? undefined : phone || null;
}

function changedChoice(
  key: string | null | undefined,
  field: 'industry' | 'timezone',
  choices: readonly string[],
): string | null | undefined {
  if (key && !choices.includes(key))
    throw new InvalidInputError(`INVALID_${field.toUpperCase()}`, `There is no such ${field} in the list.`, [field]);
  return key === '' ? null : key;
}

export interface EnterPerkCodeInput {
  readonly businessId: string;
  readonly code: string;
}

/** Notes a partner's code, and when: people at support check it and credit what it is worth.
 * @throws InvalidInputError REQUIRED, TOO_LONG or INVALID_TEXT */
export const enterPerkCode = action({
  permission: 'update:billing',
  scope: (ctx, input: EnterPerkCodeInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Business> {
    const business = await ctx.db.business.update({
      where: { id: businessId },
      data: { perkCode: requireText(input.code, 'code', 100), perkCodeEnteredAt: ctx.clock.now(), ...NEXT_VERSION },
    });
    await audit(ctx, { businessId, action: 'business.perk_code_entered', target: { type: 'business', id: businessId } });
    return business;
  },
});

export interface DeleteBusinessInput {
  readonly businessId: string;
  /** The business's name, typed by whoever deletes it. */
  readonly confirmation?: string | null | undefined;
}

/**
 * Deletes a business with its environments and everything in them: whoever is signed in anywhere is so no more, and no
 * token works. Its domains stay reserved.
 * @throws InvalidInputError NOT_FREE unless it is on the free plan, PLATFORM for the platform's own, WRONG_CONFIRMATION
 */
export const deleteBusiness = action({
  permission: 'delete:businesses',
  scope: (ctx, input: DeleteBusinessInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<{ deletedId: string }> {
    await lockBusiness(ctx, businessId);
    const { name, plan, environments } = await ctx.db.business.findUniqueOrThrow({
      where: { id: businessId },
      include: { environments: true },
    });
    if (environments.some(({ kind }) => kind === 'account'))
      throw new InvalidInputError('PLATFORM', 'This business is the platform itself: all other businesses’ teams sign in there.');
    if (plan !== 'free') throw new InvalidInputError('NOT_FREE', 'Only a business on the free plan can be deleted: move it there first.');
    assertConfirmed(ctx, input.confirmation, name);
    await watchingTeam(ctx, { businessId }, async () => {
      for (const environment of environments) await deleteEnvironmentRow(ctx, environment);
      await ctx.db.business.delete({ where: { id: businessId } });
    });
    await audit(ctx, { businessId, action: 'business.deleted', target: { type: 'business', id: businessId } });
    return { deletedId: businessId };
  },
});
