/**
 * What every service function is given, and the one way to write a service that changes something: {@link action}
 * checks the permission before it looks for anything, then runs in one transaction with its audit row.
 */
import type { Logger } from 'pino';
import { assertCan, businessesWith, can, environmentsWith, holdsAnywhere, refusal } from '../access/authorize.ts';
import type { PermissionName } from '../access/permissions.ts';
import type { Config } from '../config.ts';
import { type Database, type Db, isLostToARival, Prisma } from '../db/client.ts';
import { ALL_ENVIRONMENTS, type Lookups } from '../db/lookups.ts';
import type { JobQueue } from '../jobs/queue.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { InvalidInputError, NotFoundError } from '../kernel/errors.ts';
import type { Language } from '../languages/languages.ts';
import type { newKeyPair } from '../security/key-pairs.ts';
import type { Vault } from '../security/secrets.ts';
import { countingRows, type Effects, noEffects } from './effects.ts';
import type { RateLimits } from './rate-limits/service.ts';

/** What the process has, one of each. */
export interface Infrastructure {
  readonly config: Config;
  readonly database: Database;
  readonly lookups: Lookups;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly jobs: JobQueue;
  readonly log: Logger;
  readonly rateLimits: RateLimits;
  readonly newKeyPair: typeof newKeyPair;
}

/** Where a call came from; absent parts for jobs and the command line. */
export interface Origin {
  readonly requestId?: string | undefined;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** The language that the person at the browser is spoken to in. */
  readonly language?: Language | undefined;
  /** The request's Idempotency-Key header. */
  readonly idempotencyKey?: string | undefined;
}

export interface Context extends Infrastructure {
  readonly actor: Actor;
  /** The transaction where there is one, else the client. */
  readonly db: Db;
  readonly origin: Origin;
  /** How long a transaction may take, where that is not the usual half minute. */
  readonly transactionSeconds?: number;
  /** In a transaction, what is done last of all in it: by a key that keeps it from being done twice. A dry run never comes to it. */
  readonly beforeCommit?: Map<string, () => Promise<void>>;
  /** In a dry run, where a change notes what it does. */
  readonly effects?: Effects;
  /** For a change that may be replayed, where it notes what it took. */
  readonly taken?: Taken;
}

/** What the first action of a change took of the actor, and where. */
export interface Taken {
  permission?: PermissionName;
  businessId?: string;
}

/** The tenant an action works in. */
export interface Scope {
  readonly businessId: string;
  readonly environmentId: string;
}

export function createContext(infrastructure: Infrastructure, actor: Actor, origin: Origin = {}): Context {
  return { ...infrastructure, actor, origin, db: infrastructure.database.prisma };
}

/** The same caller's context for another actor, as when the server acts on a person's behalf. */
export function actingAs(ctx: Context, actor: Actor): Context {
  return { ...ctx, actor };
}

const TRANSACTION_TRIES = 5;
const TRANSACTION_SECONDS = 30;

/**
 * Runs `work` in one transaction; joins the one that is open already. When a rival commits the same unique key in the
 * meantime, or wins a deadlock, `work` runs again: its own checks then find what the rival wrote, and say so in their own words.
 */
export async function inTransaction<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  if (ctx.db !== ctx.database.prisma) return work(ctx);
  const timeout = (ctx.transactionSeconds ?? TRANSACTION_SECONDS) * 1000;
  for (let tries = 1; ; tries++) {
    try {
      return await ctx.database.prisma.$transaction((db) => toTheEnd({ ...ctx, db }, work), { maxWait: 10_000, timeout });
    } catch (error) {
      if (!isLostToARival(error) || tries === TRANSACTION_TRIES) throw error;
    }
  }
}

async function toTheEnd<T>(ctx: Context, work: (ctx: Context) => Promise<T>): Promise<T> {
  const beforeCommit = new Map<string, () => Promise<void>>();
  const result = await work({ ...ctx, beforeCommit });
  for (const last of beforeCommit.values()) await last();
  return result;
}

/** Ends a transaction that was only to show what it does. */
class DryRun extends Error {}

/** Runs `work` as it would be run, and takes everything back: the answer is what it would have done. */
export async function dryRun(ctx: Context, work: (ctx: Context) => Promise<unknown>): Promise<Effects> {
  let effects = noEffects();
  try {
    await inTransaction(ctx, async (tx) => {
      effects = noEffects();
      effects.rows = await countingRows(tx, async () => void (await work({ ...tx, effects })));
      throw new DryRun();
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  return effects;
}

/** Lets one transaction a business through at a time: what is counted before a write is still so after it. */
export async function lockBusiness(ctx: Context, businessId: string): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM businesses WHERE id = ${businessId} FOR NO KEY UPDATE`;
}

/** What every update of a row with a version counts up. */
export const NEXT_VERSION = { version: { increment: 1 } } as const;

/** The condition that a row is still the one which the caller read: for the `where` of its update, with {@link NEXT_VERSION} in the `data`. */
export function atVersion(input: { readonly expectedVersion?: number | null | undefined }): { version?: number } {
  return input.expectedVersion == null ? {} : { version: input.expectedVersion };
}

/** A row that an update did not find (P2025). */
function isMissing(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2025';
}

/** A service function that changes something, with the permission it needs. */
export interface Action<Input, Result> {
  (ctx: Context, input: Input): Promise<Result>;
  /** Does what comes before the transaction, for who may; what it returns does the rest, as a part of a transaction too. */
  readonly prepare: (ctx: Context, input: Input) => Promise<(ctx: Context) => Promise<Result>>;
  readonly permission: PermissionName;
  /** What an input takes besides: nobody does by one permission, as a part of something else, what another one is for. */
  readonly besides: (input: Input) => readonly PermissionName[];
}

/**
 * Makes an action. `scope` finds the tenant within the actor's reach ({@link environmentScope} and its kin): a tenant
 * outside it does not exist for the actor. Inside, the permission is asserted before `run` starts, and what the input
 * takes `besides`.
 *
 * An update that names the version it is for ({@link atVersion}) and does not find it is refused with CONFLICT.
 *
 * What takes too long for a transaction is done by `prepare`, before one is opened and after the same checks; `run` is
 * given what came of it.
 */
export function action<Input, Result, S extends { businessId: string }, Prepared = undefined>(definition: {
  permission: PermissionName;
  besides?: (input: Input) => readonly PermissionName[];
  scope: (ctx: Context, input: Input, permission: PermissionName) => Promise<S>;
  prepare?: (ctx: Context, input: Input) => Promise<Prepared>;
  run: (ctx: Context, input: Input, scope: S, prepared: Prepared) => Promise<Result>;
}): Action<Input, Result> {
  const { permission, besides = () => [], scope, run } = definition;
  const admit = async (ctx: Context, input: Input): Promise<S> => {
    const found = await scope(ctx, input, permission);
    for (const needed of besides(input)) assertCan(ctx.actor, needed, found);
    return found;
  };
  const prepare = async (ctx: Context, input: Input) => {
    assertAnywhere(ctx.actor, permission);
    if (definition.prepare) await admit(ctx, input);
    const prepared = (await definition.prepare?.(ctx, input)) as Prepared;
    return (later: Context) => perform(later, input, prepared);
  };
  const perform = async (ctx: Context, input: Input, prepared: Prepared): Promise<Result> => {
    let found: S | undefined;
    const result = await inTransaction(ctx, async (tx) => {
      found = await admit(tx, input);
      if (tx.effects) tx.effects.scope = found;
      if (tx.taken && !tx.taken.permission) Object.assign(tx.taken, { permission, businessId: found.businessId } satisfies Taken);
      return run(tx, input, found, prepared).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        const { expectedVersion } = input as { expectedVersion?: number | null };
        if (expectedVersion == null) throw new NotFoundError('object'); // Deleted since it was found.
        throw new InvalidInputError('CONFLICT', 'Somebody else has changed this since you read it. Read it again.', ['expectedVersion']);
      });
    });
    forgetChanged(ctx, found!);
    return result;
  };
  const call = async (ctx: Context, input: Input) => (await prepare(ctx, input))(ctx);
  return Object.assign(call, { prepare, permission, besides });
}

/** The caller's next request meets what has changed, before the database tells of it. */
function forgetChanged({ lookups }: Context, scope: { readonly businessId: string } | Scope): void {
  for (const changed of 'environmentId' in scope ? [scope.environmentId, ALL_ENVIRONMENTS] : [undefined]) lookups.forget(changed);
}

function assertAnywhere(actor: Actor, permission: PermissionName): void {
  if (!holdsAnywhere(actor, permission)) throw refusal(actor, permission);
}

/** The environment an input names; a machine may leave it out and means its own. */
export async function environmentScope(ctx: Context, environmentId: string | null | undefined, permission: PermissionName): Promise<Scope> {
  const id = environmentId ?? (ctx.actor.kind === 'machine' ? ctx.actor.environmentId : undefined);
  if (!id || !isReachable(ctx.actor, id)) throw new NotFoundError('environment', ['environmentId']);
  if (!can(ctx.actor, permission, { environmentId: id })) throw refusal(ctx.actor, permission);
  const environment = await ctx.db.environment.findUnique({ where: { id }, select: { businessId: true } });
  if (!environment) throw new NotFoundError('environment', ['environmentId']);
  return { environmentId: id, businessId: environment.businessId };
}

function isReachable(actor: Actor, environmentId: string): boolean {
  if (actor.kind === 'system') return true;
  if (actor.kind === 'machine') return actor.environmentId === environmentId;
  return actor.kind === 'team' && actor.environments.has(environmentId);
}

/** The business an input names; a machine may leave it out and means its own. */
export async function businessScope(
  ctx: Context,
  businessId: string | null | undefined,
  permission: PermissionName,
): Promise<{ businessId: string }> {
  const { actor } = ctx;
  const id = businessId ?? (actor.kind === 'machine' ? actor.businessId : undefined);
  const reachable =
    actor.kind === 'system' ||
    (actor.kind === 'machine' ? actor.businessId === id : actor.kind === 'team' && actor.businesses.has(id ?? ''));
  if (!id || !reachable) throw new NotFoundError('business', ['businessId']);
  if (!can(actor, permission, { businessId: id })) throw refusal(actor, permission);
  return { businessId: id };
}

/** The scope of a row found by `find` among the businesses in which the actor holds the permission. */
export async function scopeOfBusinessRow(
  ctx: Context,
  permission: PermissionName,
  what: string,
  path: string,
  find: (businessId: { in: string[] } | undefined) => Promise<{ businessId: string } | null>,
): Promise<{ businessId: string }> {
  const row = await find(ctx.actor.kind === 'system' ? undefined : { in: businessesWith(ctx.actor, permission) });
  if (!row) throw new NotFoundError(what, [path]);
  return businessScope(ctx, row.businessId, permission);
}

/** The scope of a row found by `find` among the environments in which the actor holds the permission. */
export async function scopeOfRow(
  ctx: Context,
  permission: PermissionName,
  what: string,
  path: string,
  find: (environmentId: { in: string[] } | undefined) => Promise<{ environmentId: string } | null>,
): Promise<Scope> {
  const row = await find(ctx.actor.kind === 'system' ? undefined : { in: environmentsWith(ctx.actor, permission) });
  if (!row) throw new NotFoundError(what, [path]);
  return environmentScope(ctx, row.environmentId, permission);
}
