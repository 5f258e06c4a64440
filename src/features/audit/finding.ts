/** Which events of the audit log a caller reads: a machine those of its environment, nobody those that the plan no longer keeps. */
import { businessesWith } from '../../access/authorize.ts';
import { countEach, findManyEach, type Prisma } from '../../db/client.ts';
import type { Context } from '../context.ts';
import { inRange, type TimeRange } from '../search.ts';
import { keptSince } from './keeping.ts';

type Maybe<T> = T | null | undefined;

/** What events have in common; what is absent does not matter. */
export interface AuditEventFilter {
  readonly at?: Maybe<TimeRange>;
  readonly action?: Maybe<string>;
  readonly actorId?: Maybe<string>;
  readonly targetId?: Maybe<string>;
}

/** Where a list of events is: a business, one of its environments, or a user of one. */
export interface AuditPlace {
  readonly businessId: string;
  readonly plan: string;
  readonly environmentId?: string;
  readonly userId?: string;
}

/** The events of a place that a filter lets through and the actor may read. */
export function auditEventsWhere(ctx: Context, place: AuditPlace, filter: Maybe<AuditEventFilter>): Prisma.AuditEventWhereInput {
  const { businessId, userId, plan } = place;
  const { environmentId = place.environmentId } = ownEnvironment(ctx);
  const { at, action, actorId, targetId } = filter ?? {};
  return {
    // Not both: the database would take an environment for a small part of its business, and sort what it could walk.
    ...(environmentId ? { environmentId } : { businessId }),
    AND: [
      { at: { gte: keptSince(ctx, plan) } },
      ...(userId ? [{ OR: [{ actorId: userId }, { targetId: userId }] }] : []),
      ...(at ? [{ at: inRange(at) }] : []),
      ...(action == null ? [] : [{ action }]),
      ...(actorId == null ? [] : [{ actorId }]),
      ...(targetId == null ? [] : [{ targetId }]),
    ],
  };
}

/** The events of each query, by the query. */
export function auditEventsOfEach({ db }: Context, queries: readonly Prisma.AuditEventFindManyArgs[]) {
  return findManyEach(db.auditEvent, queries);
}

/** How many events each query is for, by the query. */
export function auditEventCountOfEach({ db }: Context, queries: readonly Prisma.AuditEventCountArgs[]) {
  return countEach(db.auditEvent, queries);
}

/** The events that the actor may read, wherever they are. */
export async function auditEventsWithinReach(ctx: Context): Promise<Prisma.AuditEventWhereInput> {
  const businesses = await ctx.db.business.findMany({
    where: { id: { in: businessesWith(ctx.actor, 'read:audit_log') } },
    select: { id: true, plan: true },
  });
  const kept = businesses.map(({ id, plan }) => ({ businessId: id, at: { gte: keptSince(ctx, plan) } }));
  return { AND: [ownEnvironment(ctx), kept.length > 0 ? { OR: kept } : { id: { in: [] } }] };
}

/** A machine belongs to one environment, and reads neither of the others nor of the business as a whole. */
function ownEnvironment({ actor }: Context): { environmentId?: string } {
  return actor.kind === 'machine' ? { environmentId: actor.environmentId } : {};
}
