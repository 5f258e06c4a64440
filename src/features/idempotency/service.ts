/**
 * Mutations that are done once however often they are sent (the Idempotency-Key header, as in the IETF draft of that
 * name): the key is written in the transaction of the change, so that both exist or neither, and a rival that sends the
 * same key at the same time waits for it.
 */
import { assertCan } from '../../access/authorize.ts';
import type { Actor } from '../../kernel/actor.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { sha256 } from '../../security/secrets.ts';
import { type Context, inTransaction, type Taken } from '../context.ts';

/** Seconds in which a replay gets the first result. */
export const REPLAY_SECONDS = 24 * 3600;

const PURPOSE = 'idempotent result';

export interface Once {
  /** Where in the document the mutation stands: one key serves all mutations of a request. */
  readonly place: string;
  /** What is asked for: a key that comes back with anything else is a mistake. Asked only where there is a key. */
  readonly request: () => Promise<unknown>;
}

/**
 * Runs `work` in a transaction, under the request's Idempotency-Key where it has one. A replay gets the first result,
 * as JSON keeps it (a Date as its text), and changes nothing; it takes what the first took, in a business that is still there.
 * @throws ForbiddenError
 * @throws InvalidInputError IDEMPOTENCY_KEY_REUSED when the key came with another request, IDEMPOTENCY_KEY_INVALID
 */
export async function once<Result>(ctx: Context, { place, request }: Once, work: (ctx: Context) => Promise<Result>): Promise<Result> {
  const caller = callerOf(ctx.actor);
  const { idempotencyKey: key } = ctx.origin;
  if (key === undefined || !caller) return work(ctx);
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    throw new InvalidInputError('IDEMPOTENCY_KEY_INVALID', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
  const row = { ...caller, keyHash: sha256(`${key} ${place}`) };
  // Keyed: a request may hold a password, which could be guessed from a plain digest.
  const fingerprint = ctx.vault.mac(PURPOSE, JSON.stringify(await request())).toString('hex');
  return inTransaction(ctx, async (tx) => {
    const now = tx.clock.now();
    const where = { environmentId_actorId_keyHash: row };
    const known = await tx.db.idempotencyKey.findUnique({ where });
    if (known && known.expiresAt > now) {
      if (known.fingerprint !== fingerprint)
        throw new InvalidInputError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for another request.');
      const { result, taken } = JSON.parse(tx.vault.open(PURPOSE, known.result)) as { result: Result; taken: Taken };
      await assertTaken(tx, taken);
      return result;
    }
    if (known) await tx.db.idempotencyKey.deleteMany({ where: row });
    // Before the work: a rival waits here, and finds the result when its own insert fails.
    await tx.db.idempotencyKey.create({ data: { ...row, fingerprint, result: '', expiresAt: later(now, REPLAY_SECONDS) } });
    const taken: Taken = {};
    const result = await work({ ...tx, taken });
    const kept = JSON.stringify({ result: result ?? null, taken });
    await tx.db.idempotencyKey.update({ where, data: { result: tx.vault.seal(PURPOSE, kept) } });
    return result;
  });
}

/** What was taken from the caller since the first request is not given to its replay. */
async function assertTaken(ctx: Context, { permission, businessId }: Taken): Promise<void> {
  if (!permission || !businessId) return;
  if (await ctx.db.business.findUnique({ where: { id: businessId }, select: { id: true } }))
    assertCan(ctx.actor, permission, { businessId });
}

/** Deletes keys that are over, in one small batch. Returns the number of rows. */
export async function deleteExpiredKeys(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.idempotencyKey.findMany({
    where: { expiresAt: { lt: ctx.clock.now() } },
    select: { environmentId: true, actorId: true, keyHash: true },
    take: batch,
  });
  return rows.length > 0 ? (await ctx.db.idempotencyKey.deleteMany({ where: { OR: rows } })).count : 0;
}

function callerOf(actor: Actor): { environmentId: string; actorId: string } | undefined {
  if (actor.kind === 'team') return { environmentId: actor.accountEnvironmentId, actorId: actor.userId };
  if (actor.kind === 'machine') return { environmentId: actor.environmentId, actorId: actor.applicationId };
  return undefined;
}
