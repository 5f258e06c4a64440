/**
 * What each plan allows: the one table. A service asks {@link assertPlanHas} before it makes something that only some
 * plans have, and {@link assertRoomOnPlan} before it makes one more of what a plan has so many of.
 */
import { InvalidInputError } from '../kernel/errors.ts';
import { type Context, lockBusiness } from './context.ts';

/** From the smallest on: a plan has everything that those before it have. */
export const PLANS = ['free', 'pro', 'plus', 'scale', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];

export interface PlanLimits {
  readonly nonProductionEnvironments: number;
  /** In all environments together; null: any number. */
  readonly webhooks: number | null;
  /** Days that the audit log is kept. */
  readonly auditDays: number;
}

// biome-ignore format: a table
const LIMITS: Record<Plan, PlanLimits> = {
  free:       { nonProductionEnvironments: 1,   webhooks: 1,    auditDays: 1 },
  pro:        { nonProductionEnvironments: 2,   webhooks: null, auditDays: 7 },
  plus:       { nonProductionEnvironments: 5,   webhooks: null, auditDays: 14 },
  scale:      { nonProductionEnvironments: 10,  webhooks: null, auditDays: 30 },
  enterprise: { nonProductionEnvironments: 100, webhooks: null, auditDays: 365 },
};

/** What only some plans have: the first plan that does, and how a sentence calls it. */
// biome-ignore format: a table
const FEATURES = {
  specialistRoles:         { from: 'pro',   words: 'team roles besides Owner and Admin' },
  teamMfa:                 { from: 'pro',   words: 'a second factor for the team' },
  apiKeys:                 { from: 'pro',   words: 'API keys' },
  passkeys:                { from: 'pro',   words: 'passkeys' },
  hiddenBadge:             { from: 'pro',   words: 'pages that do not say what they are made with' },
  explicitTermsAcceptance: { from: 'pro',   words: 'explicit acceptance of the terms' },
  previousSecrets:         { from: 'pro',   words: 'client secrets that go on working after a rotation' },
  customScopes:            { from: 'plus',  words: 'scopes of custom APIs' },
  organizationMachines:    { from: 'plus',  words: 'machine applications of one organization' },
  advancedOrganizations:   { from: 'scale', words: 'organizations with policies of their own' },
  teamSso:                 { from: 'scale', words: 'single sign-on for the team' },
} as const satisfies Record<string, { from: Plan; words: string }>;

export type PlanFeature = keyof typeof FEATURES;
export const PLAN_FEATURES = Object.keys(FEATURES) as PlanFeature[];

export function planLimits(plan: string): PlanLimits {
  return LIMITS[plan as Plan] ?? LIMITS.free;
}

export function planHas(plan: string, feature: PlanFeature): boolean {
  return PLANS.indexOf(plan as Plan) >= PLANS.indexOf(FEATURES[feature].from);
}

/** How a sentence calls the feature. */
export function wordsFor(feature: PlanFeature): string {
  return FEATURES[feature].words;
}

/** Holds until the transaction ends: a change of the plan waits for it.
 * @throws InvalidInputError PLAN_LIMIT, about `path`, unless the business's plan has the feature */
export async function assertPlanHas(ctx: Context, businessId: string, feature: PlanFeature, path: readonly string[] = []): Promise<void> {
  const [business] = await ctx.db.$queryRaw<{ plan: string }[]>`SELECT plan FROM businesses WHERE id = ${businessId} FOR SHARE`;
  if (!business || planHas(business.plan, feature)) return;
  const { from, words } = FEATURES[feature];
  throw new InvalidInputError(
    'PLAN_LIMIT',
    `The ${business.plan} plan comes without ${words}. Choose the ${from} plan or a larger one.`,
    path,
  );
}

/** Of what a plan has so many: what one is called, and where they are counted. */
const ROOMS = {
  nonProductionEnvironments: {
    words: 'non-production environment',
    count: (ctx: Context, businessId: string) => ctx.db.environment.count({ where: { businessId, kind: 'non_production' } }),
  },
  webhooks: {
    words: 'webhook',
    count: (ctx: Context, businessId: string) => ctx.db.webhook.count({ where: { environment: { businessId } } }),
  },
};

/** Holds until the transaction ends: of two that take the last place, the second waits, and finds it taken.
 * @throws InvalidInputError PLAN_LIMIT, about `path`, unless the business may have one more */
export async function assertRoomOnPlan(
  ctx: Context,
  businessId: string,
  room: keyof typeof ROOMS,
  path: readonly string[] = [],
): Promise<void> {
  await lockBusiness(ctx, businessId);
  const { plan } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId }, select: { plan: true } });
  const allowed = planLimits(plan)[room];
  const { words, count } = ROOMS[room];
  if (allowed !== null && (await count(ctx, businessId)) >= allowed)
    throw new InvalidInputError('PLAN_LIMIT', `The ${plan} plan allows ${allowed} ${words}${allowed === 1 ? '' : 's'}.`, path);
}
