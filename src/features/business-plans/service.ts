/** The plan that a business is on, and what it uses of what the plan allows. */
import type { Business } from '../../db/generated/client/client.ts';
import { InvalidInputError, InvalidInputErrors } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, lockBusiness, NEXT_VERSION } from '../context.ts';
import { PLAN_FEATURES, PLANS, type Plan, type PlanFeature, planHas, planLimits, wordsFor } from '../plans.ts';

/** What a business has; of each feature, how many things make use of it. */
export interface Usage extends Readonly<Record<PlanFeature, number>> {
  readonly businessId: string;
  readonly nonProductionEnvironments: number;
  readonly webhooks: number;
}

/** What each of the businesses uses, in one statement. */
export async function usageOf(ctx: Context, businessIds: readonly string[]): Promise<Map<string, Usage>> {
  const rows = await ctx.db.$queryRaw<Usage[]>`
    SELECT b.id AS "businessId",
      (SELECT count(*)::int FROM environments e WHERE e.business_id = b.id AND e.kind = 'non_production') AS "nonProductionEnvironments",
      (SELECT count(*)::int FROM environments e JOIN webhooks w ON w.environment_id = e.id WHERE e.business_id = b.id) AS webhooks,
      (SELECT count(*)::int FROM team_members m WHERE m.business_id = b.id AND NOT m.roles <@ '{owner,admin}')
        + (SELECT count(*)::int FROM team_invitations i WHERE i.business_id = b.id AND NOT i.roles <@ '{owner,admin}'
             AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ${ctx.clock.now()}) AS "specialistRoles",
      (SELECT count(*)::int FROM team_policies p WHERE p.business_id = b.id AND p.mfa_policy <> 'off') AS "teamMfa",
      (SELECT count(*)::int FROM environments e JOIN api_keys k ON k.environment_id = e.id
        WHERE e.business_id = b.id AND k.revoked_at IS NULL) AS "apiKeys",
      (SELECT count(*)::int FROM environments e WHERE e.business_id = b.id AND e.passkey_policy <> 'off') AS passkeys,
      (SELECT count(*)::int FROM environments e WHERE e.business_id = b.id AND (e.brand->'isBadgeHidden')::boolean) AS "hiddenBadge",
      b.is_terms_acceptance_explicit::int AS "explicitTermsAcceptance",
      (SELECT count(*)::int FROM environments e JOIN applications a ON a.environment_id = e.id
        WHERE e.business_id = b.id AND a.previous_secret_hash IS NOT NULL) AS "previousSecrets",
      (SELECT count(*)::int FROM environments e JOIN api_scopes s ON s.environment_id = e.id WHERE e.business_id = b.id) AS "customScopes",
      (SELECT count(*)::int FROM environments e JOIN applications a ON a.environment_id = e.id
        WHERE e.business_id = b.id AND a.organization_id IS NOT NULL) AS "organizationMachines",
      (SELECT count(*)::int FROM environments e JOIN organizations o ON o.environment_id = e.id
        WHERE e.business_id = b.id AND o.is_advanced) AS "advancedOrganizations",
      (SELECT count(*)::int FROM team_policies p WHERE p.business_id = b.id AND p.sso_protocol <> 'off') AS "teamSso"
    FROM businesses b WHERE b.id = ANY(${[...businessIds]})`;
  return new Map(rows.map((row) => [row.businessId, row]));
}

export interface UpdateBusinessPlanInput {
  readonly businessId: string;
  readonly plan: Plan;
  readonly expectedVersion?: number | null | undefined;
}

/** Moves a business to another plan, at once.
 * @throws InvalidInputErrors on the way down: one `…_IN_USE` for each thing that is used beyond what the smaller plan allows */
export const updateBusinessPlan = action({
  permission: 'update:billing',
  scope: (ctx, input: UpdateBusinessPlanInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Business> {
    await lockBusiness(ctx, businessId);
    const { plan: before } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId }, select: { plan: true } });
    if (PLANS.indexOf(input.plan) < PLANS.indexOf(before as Plan)) {
      const usage = (await usageOf(ctx, [businessId])).get(businessId)!;
      const mistakes = excess(usage, input.plan);
      if (mistakes.length > 0) throw new InvalidInputErrors(mistakes);
    }
    const business = await ctx.db.business.update({
      where: { id: businessId, ...atVersion(input) },
      data: { plan: input.plan, ...NEXT_VERSION },
    });
    await audit(ctx, {
      businessId,
      action: 'business.plan_changed',
      target: { type: 'business', id: businessId },
      details: { before, after: input.plan },
    });
    return business;
  },
});

/** What is used beyond what the plan allows. */
function excess(usage: Usage, plan: Plan): InvalidInputError[] {
  const inUse = (code: string, message: string) => new InvalidInputError(code, message, ['plan']);
  const { nonProductionEnvironments, webhooks } = planLimits(plan);
  return [
    ...(usage.nonProductionEnvironments > nonProductionEnvironments
      ? [
          inUse(
            'NON_PRODUCTION_ENVIRONMENTS_IN_USE',
            `The ${plan} plan allows ${nonProductionEnvironments} of the ${usage.nonProductionEnvironments} non-production environments.`,
          ),
        ]
      : []),
    ...(webhooks !== null && usage.webhooks > webhooks
      ? [inUse('WEBHOOKS_IN_USE', `The ${plan} plan allows ${webhooks} of the ${usage.webhooks} webhooks.`)]
      : []),
    ...PLAN_FEATURES.filter((feature) => usage[feature] > 0 && !planHas(plan, feature)).map((feature) =>
      inUse(codeOf(feature), `The business uses ${wordsFor(feature)}, and the ${plan} plan comes without.`),
    ),
  ];
}

/** The code of the mistake that the feature is in use: `API_KEYS_IN_USE`. */
export function codeOf(feature: PlanFeature): string {
  return `${feature.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}_IN_USE`;
}
