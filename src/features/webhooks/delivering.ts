/** Tells one webhook of one event: an attempt, and when the next one is made. */
import { later } from '../../kernel/clock.ts';
import { signJwt } from '../../security/jwt.ts';
import { postToStranger } from '../../security/strangers.ts';
import { audit } from '../audit/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction } from '../context.ts';
import { signingKeys } from '../signing-keys/service.ts';

/** Seconds between an attempt that failed and the next one: the last is made within 36 hours of the first. */
export const RETRY_SECONDS = [5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 12 * 3600] as const;

/** A webhook whose every attempt has failed for so long is disabled. */
export const FAILING_SECONDS = 72 * 3600;

export interface DeliveryKey {
  readonly environmentId: string;
  readonly webhookId: string;
  readonly eventId: string;
}

/** An attempt has its process to itself for so many seconds: longer than it takes, and less than after which the queue takes it for lost. */
export const CLAIM_SECONDS = 30;

/** Makes the attempt with this number, from 0 on, unless it is not wanted any more, was made already, or is being made by another process. */
export async function deliver(infrastructure: Infrastructure, key: DeliveryKey, attempt: number): Promise<void> {
  const ctx = createContext(infrastructure, { kind: 'system', name: 'webhooks' });
  const delivery = await ctx.db.webhookDelivery.findUnique({
    where: { environmentId_webhookId_eventId: key },
    select: { id: true, webhook: { select: { url: true, isEnabled: true } }, event: true },
  });
  if (!delivery) return;
  if (!delivery.webhook.isEnabled) {
    await ctx.db.webhookDelivery.updateMany({ where: toMake(key, attempt), data: { givenUpAt: ctx.clock.now() } });
    return;
  }
  if (!(await claim(ctx, key, attempt))) return;
  const { signer } = await signingKeys(infrastructure, key.environmentId);
  const { id, type, source, data, createdAt } = delivery.event;
  const now = ctx.clock.now().toISOString();
  const body = await signJwt(signer, { type, event_id: id, source, timestamp: now, event_timestamp: createdAt.toISOString(), data });
  const status = await postToStranger(
    new URL(delivery.webhook.url),
    { headers: { 'content-type': 'application/jwt', 'webhook-id': delivery.id, 'user-agent': 'Gatehouse-Webhooks' }, body },
    { allowLoopback: !infrastructure.config.production },
  ).catch(() => null);
  await inTransaction(ctx, (tx) => note(tx, key, attempt, status));
}

/** The delivery while this attempt is still to be made. */
function toMake(key: DeliveryKey, attempt: number) {
  return { ...key, attempts: attempt, deliveredAt: null, givenUpAt: null };
}

/** Takes the attempt for this process. One that another process has is looked at again later: that process may be lost. */
async function claim(ctx: Context, key: DeliveryKey, attempt: number): Promise<boolean> {
  const now = ctx.clock.now();
  const { count } = await ctx.db.webhookDelivery.updateMany({
    where: { ...toMake(key, attempt), OR: [{ claimedUntil: null }, { claimedUntil: { lte: now } }] },
    data: { claimedUntil: later(now, CLAIM_SECONDS) },
  });
  if (count === 0 && (await ctx.db.webhookDelivery.count({ where: toMake(key, attempt) })) > 0)
    await ctx.jobs.enqueue(ctx.db, 'webhook', { ...key, attempt }, { delay: CLAIM_SECONDS, group: key.environmentId });
  return count > 0;
}

/** Writes down how an attempt ended, and sees to what follows from it. */
async function note(ctx: Context, key: DeliveryKey, attempt: number, statusCode: number | null): Promise<void> {
  const now = ctx.clock.now();
  const isDelivered = statusCode !== null && statusCode >= 200 && statusCode < 300;
  const delay = RETRY_SECONDS[attempt];
  const { count } = await ctx.db.webhookDelivery.updateMany({
    where: { ...key, attempts: attempt, deliveredAt: null },
    data: {
      attempts: attempt + 1,
      statusCode,
      lastAttemptAt: now,
      claimedUntil: null,
      deliveredAt: isDelivered ? now : null,
      givenUpAt: isDelivered || delay !== undefined ? null : now,
    },
  });
  if (count === 0) return;
  const { environmentId, webhookId } = key;
  const where = { environmentId, id: webhookId };
  if (isDelivered) {
    await ctx.db.webhook.updateMany({ where: { ...where, failingSince: { not: null } }, data: { failingSince: null } });
    return;
  }
  if (delay !== undefined) await ctx.jobs.enqueue(ctx.db, 'webhook', { ...key, attempt: attempt + 1 }, { delay, group: environmentId });
  await ctx.db.webhook.updateMany({ where: { ...where, failingSince: null }, data: { failingSince: now } });
  const disabled = await ctx.db.webhook.updateMany({
    where: { ...where, isEnabled: true, failingSince: { lte: later(now, -FAILING_SECONDS) } },
    data: { isEnabled: false, version: { increment: 1 } },
  });
  if (disabled.count === 0) return;
  const { businessId } = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId }, select: { businessId: true } });
  await audit(ctx, { businessId, environmentId, action: 'webhook.disabled', target: { type: 'webhook', id: webhookId } });
}
