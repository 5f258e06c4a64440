/** How long the audit log is kept: as many days as the plan says. What is older is not read, and goes at the next cleanup. */
import { later } from '../../kernel/clock.ts';
import type { Context } from '../context.ts';
import { PLANS, planLimits } from '../plans.ts';

/** The oldest moment that a business on this plan still reads of. */
export function keptSince({ clock }: Pick<Context, 'clock'>, plan: string): Date {
  return later(clock.now(), -planLimits(plan).auditDays * 24 * 3600);
}

/**
 * Deletes events that are older than the plan of their business keeps them, in one small batch. A business can be
 * deleted on the free plan only: what is left of one is kept as on that. Returns the number of events.
 */
export async function deleteOldAuditEvents(ctx: Context, batch = 1000): Promise<number> {
  const since = PLANS.map((plan) => keptSince(ctx, plan));
  return ctx.db.$executeRaw`
    WITH RECURSIVE tenants AS (
      (SELECT business_id FROM audit_events ORDER BY business_id LIMIT 1)
      UNION ALL
      SELECT (SELECT e.business_id FROM audit_events e WHERE e.business_id > t.business_id ORDER BY e.business_id LIMIT 1)
      FROM tenants t WHERE t.business_id IS NOT NULL
    ), old AS (
      SELECT e.business_id, e.id
      FROM tenants t
      LEFT JOIN businesses b ON b.id = t.business_id
      JOIN unnest(${[...PLANS]}::text[], ${since}::timestamptz[]) AS kept(plan, since) ON kept.plan = coalesce(b.plan, 'free')
      CROSS JOIN LATERAL (
        SELECT business_id, id FROM audit_events WHERE business_id = t.business_id AND at < kept.since ORDER BY at, id LIMIT ${batch}
      ) e
      LIMIT ${batch}
    )
    DELETE FROM audit_events USING old WHERE audit_events.business_id = old.business_id AND audit_events.id = old.id`;
}
