/** What becomes of an environment's mail: kept for some days, without what a mail said. */
import { later } from '../../kernel/clock.ts';
import type { Context } from '../context.ts';

export const MAIL_DAYS = 7;

/** Deletes deliveries that are older than {@link MAIL_DAYS}, in one small batch. Returns the number of rows. */
export async function deleteOldMailDeliveries(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.mailDelivery.findMany({
    where: { createdAt: { lt: later(ctx.clock.now(), -MAIL_DAYS * 24 * 3600) } },
    select: { environmentId: true, id: true },
    take: batch,
  });
  return rows.length > 0 ? (await ctx.db.mailDelivery.deleteMany({ where: { OR: rows } })).count : 0;
}
