/** What each plan allows: the one table of limits. */

export const PLANS = ['free', 'pro', 'plus', 'scale', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];

export interface PlanLimits {
  readonly nonProductionEnvironments: number;
  /** Team roles beyond Owner and Admin. */
  readonly specialistRoles: boolean;
  /** Organizations with policies and a sender of their own. */
  readonly advancedOrganizations: boolean;
}

const LIMITS: Record<Plan, PlanLimits> = {
  free: { nonProductionEnvironments: 1, specialistRoles: false, advancedOrganizations: false },
  pro: { nonProductionEnvironments: 2, specialistRoles: true, advancedOrganizations: false },
  plus: { nonProductionEnvironments: 5, specialistRoles: true, advancedOrganizations: false },
  scale: { nonProductionEnvironments: 10, specialistRoles: true, advancedOrganizations: true },
  enterprise: { nonProductionEnvironments: 100, specialistRoles: true, advancedOrganizations: true },
};

export function planLimits(plan: string): PlanLimits {
  return LIMITS[plan as Plan] ?? LIMITS.free;
}
