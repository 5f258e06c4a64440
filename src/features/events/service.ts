/**
 * Events: what happened, as webhooks tell it. An event is written in the transaction that did the thing, at its end, so
 * that it says how things are after all of the change; and only where an enabled webhook wants it.
 */
import type { Actor } from '../../kernel/actor.ts';
import { later } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { type Context, inTransaction } from '../context.ts';
import { dataOf } from './data.ts';
import { type EventType, eventTypeOf } from './types.ts';

export { EVENT_TYPES, type EventType, permissionsToRead } from './types.ts';

/** Days that an event can be read. */
export const EVENT_DAYS = 30;

/** What the audit log has just been told. */
interface Happening {
  readonly businessId: string;
  readonly environmentId?: string | undefined;
  readonly action: string;
  readonly target?: { readonly type: string; readonly id: string };
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Has webhooks told of what an entry of the audit log says, once a transaction for each thing. */
export async function tellWebhooks(ctx: Context, happening: Happening): Promise<void> {
  const type = eventTypeOf(happening.action);
  const { target, details } = happening;
  if (!type || !target) return;
  const id = target.type === 'identity' ? String(details?.['userId']) : target.id;
  if (!ctx.beforeCommit) return inTransaction(ctx, (tx) => recordEvent(tx, type, happening, id));
  const key = `event ${type} ${id}`;
  if (!ctx.beforeCommit.has(key)) ctx.beforeCommit.set(key, () => recordEvent(ctx, type, happening, id));
}

async function recordEvent(
  ctx: Context,
  type: EventType,
  { businessId, environmentId, details = {} }: Happening,
  id: string,
): Promise<void> {
  const webhooks = await ctx.db.webhook.findMany({
    where: { ...(environmentId ? { environmentId } : { environment: { businessId } }), isEnabled: true, eventTypes: { has: type } },
    select: { environmentId: true, id: true },
  });
  const there = webhooks.length > 0 ? await lockWebhooks(ctx, webhooks) : [];
  for (const told of new Set(there.map((webhook) => webhook.environmentId))) {
    const data = await dataOf(ctx, type, { businessId, environmentId: told, id, details });
    if (!data) continue;
    const eventId = newId('event');
    await ctx.db.event.create({
      data: { environmentId: told, id: eventId, type, source: sourceOf(ctx.actor), data: data as object, createdAt: ctx.clock.now() },
    });
    for (const webhook of there.filter(({ environmentId: each }) => each === told)) {
      const key = { environmentId: told, webhookId: webhook.id, eventId };
      await ctx.db.webhookDelivery.create({ data: { ...key, id: newId('webhookDelivery') } });
      await ctx.jobs.enqueue(ctx.db, 'webhook', { ...key, attempt: 0 }, { group: told });
    }
  }
}

/** Those that are there still, kept there until the transaction ends: without its webhook a delivery cannot be written. */
async function lockWebhooks<W extends { environmentId: string; id: string }>(ctx: Context, webhooks: readonly W[]): Promise<W[]> {
  const rows = await ctx.db.$queryRaw<{ id: string }[]>`SELECT id FROM webhooks
    WHERE environment_id = ANY(${webhooks.map(({ environmentId }) => environmentId)}) AND id = ANY(${webhooks.map(({ id }) => id)})
    ORDER BY id FOR KEY SHARE`;
  const there = new Set(rows.map(({ id }) => id));
  return webhooks.filter(({ id }) => there.has(id));
}

function sourceOf(actor: Actor): 'admin' | 'api' | 'user' {
  if (actor.kind === 'machine') return 'api';
  return actor.kind === 'team' || actor.kind === 'system' ? 'admin' : 'user';
}

/** Deletes events that are over, with their deliveries, in one small batch. Returns the number of events. */
export async function deleteOldEvents(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.event.findMany({
    where: { createdAt: { lt: later(ctx.clock.now(), -EVENT_DAYS * 24 * 3600) } },
    select: { environmentId: true, id: true },
    orderBy: { createdAt: 'asc' },
    take: batch,
  });
  return rows.length > 0 ? (await ctx.db.event.deleteMany({ where: { OR: rows } })).count : 0;
}
