/**
 * The failures in a row that lock an account: one count for passwords, mailed codes, recovery codes and second factors
 * together, kept in the database. An address that nobody has is counted and locked alike, so that a lock tells nothing.
 *
 * A try is taken before anything is checked and given back when the proof was right, so any number of parallel guesses,
 * in any number of transactions and processes, gets no more tries than a row of single ones. A right proof does not
 * forget the failures before it: only the end of a sign-in does. Who knows a password cannot go on guessing a second
 * factor by typing the password again.
 */
import { Prisma } from '../../db/client.ts';
import { later } from '../../kernel/clock.ts';
import { audit } from '../audit/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction } from '../context.ts';

type Scope = { readonly environmentId: string; readonly businessId: string };

/** Whose tries they are: a user's, or an address's that no user has. */
export type Suspect = { readonly userId: string } | { readonly address: string };

const COLUMNS = {
  user: { table: Prisma.raw('users'), id: Prisma.raw('id'), failures: Prisma.raw('failed_sign_ins') },
  address: { table: Prisma.raw('address_failures'), id: Prisma.raw('address'), failures: Prisma.raw('failures') },
};

/** What was guessed at, as the audit log names it. */
export type Proof = 'password' | 'code' | 'passkey' | 'recovery_code' | 'mfa';

/**
 * Checks a proof as one of the suspect's tries, of which the environment's policy says how many there are. `check` says
 * `wrong` for a failure; whatever else it says is none. It has to run outside of a transaction that may be rolled back.
 * @returns what `check` said, or `locked`: then it was not asked
 */
export async function tryProof<R extends string>(
  ctx: Context,
  scope: Scope,
  suspect: Suspect,
  proof: Proof,
  check: () => Promise<R>,
): Promise<R | 'locked'> {
  const taken = await takeTry(ctx, scope, suspect);
  if (!taken) return 'locked';
  const result = await check();
  if (result === 'wrong') await noteFailure(ctx, scope, suspect, proof, taken.lockedFor);
  else await giveBackTry(ctx, scope, suspect);
  return result;
}

/** Ends the lock and forgets all failures: at the end of a sign-in, and when an operator says so. */
export async function forgetFailures(ctx: Context, { environmentId }: Pick<Scope, 'environmentId'>, suspect: Suspect): Promise<void> {
  if ('address' in suspect) await ctx.db.addressFailure.deleteMany({ where: { environmentId, address: suspect.address.toLowerCase() } });
  else await ctx.db.user.updateMany({ where: { environmentId, id: suspect.userId }, data: { failedSignIns: 0, lockedUntil: null } });
}

/** Deletes the counts of addresses that nobody has tried for a day, in one small batch.
 * @returns how many rows */
export async function deleteOldFailures(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.addressFailure.findMany({
    where: { countedAt: { lt: later(ctx.clock.now(), -24 * 3600) } },
    select: { environmentId: true, address: true },
    take: batch,
  });
  return rows.length > 0 ? (await ctx.db.addressFailure.deleteMany({ where: { OR: rows } })).count : 0;
}

/** By a job, for users and for addresses that nobody has alike: to write it down at once would take longer for a user. */
async function noteFailure(
  ctx: Context,
  { environmentId, businessId }: Scope,
  suspect: Suspect,
  method: Proof,
  lockedFor: number | null,
): Promise<void> {
  const { ip = null, requestId = null } = ctx.origin;
  const userId = 'userId' in suspect ? suspect.userId : null;
  await ctx.jobs.enqueue(ctx.db, 'sign_in_failed', { environmentId, businessId, userId, method, lockedFor, ip, requestId });
}

/** Has failures written to the audit log, and webhooks told. Of an address that nobody has there is nothing to say. */
export async function registerFailureJobs(infrastructure: Infrastructure): Promise<void> {
  await infrastructure.jobs.work('sign_in_failed', async ({ environmentId, businessId, userId, method, lockedFor, ip, requestId }) => {
    if (userId === null) return;
    const origin = { ...(ip !== null && { ip }), ...(requestId !== null && { requestId }) };
    const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, origin);
    const event = { businessId, environmentId, target: { type: 'user', id: userId } };
    await inTransaction(ctx, async (tx) => {
      await audit(tx, { ...event, action: 'user.authentication_failed', details: { method } });
      if (lockedFor !== null) await audit(tx, { ...event, action: 'user.locked', details: { seconds: lockedFor } });
    });
  });
}

/** A try, and for how many seconds it has locked the account until it is given back; undefined while the account is locked. */
type Try = { readonly lockedFor: number | null };

async function takeTry(ctx: Context, { environmentId }: Scope, suspect: Suspect): Promise<Try | undefined> {
  const now = ctx.clock.now();
  const { failures } = 'address' in suspect ? COLUMNS.address : COLUMNS.user;
  const policy = (column: string) => Prisma.sql`(SELECT ${Prisma.raw(column)} FROM environments WHERE id = t.environment_id)`;
  const times = Prisma.sql`CASE WHEN t.locked_until IS NULL THEN t.${failures} + 1 ELSE 1 END`;
  const lock = Prisma.sql`${now}::timestamptz + make_interval(secs => ${policy('lock_seconds')})`;
  const counting = Prisma.sql`SET ${failures} = ${times}, locked_until = CASE WHEN ${times} >= ${policy('max_failures')} THEN ${lock} END
    WHERE (t.locked_until IS NULL OR t.locked_until <= ${now})`;
  const taken = Prisma.sql`RETURNING CASE WHEN t.locked_until IS NOT NULL THEN ${policy('lock_seconds')} END AS "lockedFor"`;
  // One statement also for an address: between two, somebody's success may take the row away.
  const [row] = await ctx.db.$queryRaw<Try[]>(
    'address' in suspect
      ? Prisma.sql`INSERT INTO address_failures AS t (environment_id, address, counted_at, failures, locked_until)
          SELECT id, ${suspect.address.toLowerCase()}, ${now}, 1,
                 CASE WHEN max_failures <= 1 THEN ${now}::timestamptz + make_interval(secs => lock_seconds) END
            FROM environments WHERE id = ${environmentId}
          ON CONFLICT (environment_id, address) DO UPDATE ${counting} ${taken}`
      : Prisma.sql`UPDATE users t ${counting} AND t.environment_id = ${environmentId} AND t.id = ${suspect.userId} ${taken}`,
  );
  return row;
}

/** Takes one try back, and with it the lock, as fewer than the policy's number are left. */
async function giveBackTry(ctx: Context, { environmentId }: Scope, suspect: Suspect): Promise<void> {
  const { table, id, failures } = 'address' in suspect ? COLUMNS.address : COLUMNS.user;
  const who = 'address' in suspect ? suspect.address.toLowerCase() : suspect.userId;
  await ctx.db.$executeRaw`UPDATE ${table} SET ${failures} = greatest(${failures} - 1, 0), locked_until = NULL
    WHERE environment_id = ${environmentId} AND ${id} = ${who}`;
}
