/** Sessions at the issuer: what lets a person sign in once for every application of an environment. */
import type { Session } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { newId, randomToken } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { announceLogout } from '../backchannel-logout/service.ts';
import { action, type Context, type Infrastructure, inTransaction, type Scope, scopeOfRow } from '../context.ts';
import { revokeGrants } from '../grants/service.ts';
import { endProvedAttempts } from '../sign-in-attempts/service.ts';
import { userScope } from '../users/service.ts';

export type { Session };

/** A session ends after this long, whatever is done in it. */
export const SESSION_SECONDS = 30 * 24 * 3600;

/** By what a person was proved: the methods' names (RFC 8176), and which second factors for whose sign-ins. */
export interface Proved {
  readonly amr: readonly string[];
  readonly mfaProofs: readonly string[];
}

/** A session for a person who has just proved who they are. The token goes into the cookie and nowhere else. */
export interface Started {
  readonly session: Session;
  readonly token: string;
}

/** The browser in which a person has just proved who they are. */
export interface Browser {
  /** SHA-256 of its own token. */
  readonly hash: string;
  /** What its cookie of a session holds. */
  readonly sessionToken: string | undefined;
  /** Seconds without activity after which its session is over for what the person signs in to. */
  readonly inactivityTimeout: number;
}

/**
 * Starts a browser's session. A browser has one: the person's own goes on, with the grants that it has, as of now and by
 * a new token; anybody else's ends. Called in a transaction that holds the user, so that of several sign-ins at once the
 * last one's token is what lives.
 */
export async function startSessionIn(ctx: Context, scope: Scope, browser: Browser, userId: string, proved: Proved): Promise<Started> {
  const { environmentId } = scope;
  const { hash: browserHash, sessionToken } = browser;
  const tokenHash = sessionToken ? sha256(sessionToken) : undefined;
  const had = await ctx.db.session.findMany({
    where: { environmentId, OR: [{ browserHash }, ...(tokenHash ? [{ tokenHash }] : [])] },
  });
  const shown = had.find((session) => session.tokenHash === tokenHash);
  const own = [shown, ...had].find((session) => session?.userId === userId);
  for (const session of had) if (session !== own) await endSession(ctx, scope, session);
  const { token, begun } = beginning(ctx, proved);
  if (own) {
    const isOpen = own === shown && own.expiresAt > ctx.clock.now() && !isIdle(ctx, own, browser.inactivityTimeout);
    const kept = isOpen ? keptProofs(own, begun.mfaProofs) : undefined;
    const data = { ...begun, ...kept, browserHash };
    const [session] = await ctx.db.session.updateManyAndReturn({ where: { environmentId, id: own.id }, data });
    if (session) return { session, token };
  }
  const id = newId('session');
  return { session: await ctx.db.session.create({ data: { environmentId, id, userId, browserHash, ...begun } }), token };
}

/** Starts a session that is no browser's, or not known to be one's. */
export async function startSession(ctx: Context, environmentId: string, userId: string, proved: Proved): Promise<Started> {
  const { token, begun } = beginning(ctx, proved);
  return { session: await ctx.db.session.create({ data: { environmentId, id: newId('session'), userId, ...begun } }), token };
}

/** What a sign-in makes of a session, be it a new one. */
function beginning(ctx: Context, { amr, mfaProofs }: Proved) {
  const now = ctx.clock.now();
  const token = randomToken();
  const begun = {
    tokenHash: sha256(token),
    authTime: now,
    amr: [...amr],
    mfaProofs: [...mfaProofs],
    lastActiveAt: now,
    expiresAt: later(now, SESSION_SECONDS),
    ip: ctx.origin.ip ?? null,
    userAgent: ctx.origin.userAgent?.slice(0, 400) ?? null,
  };
  return { token, begun };
}

/**
 * The second factors of an open session that a sign-in did not ask for again: whoever has the session is let in with them
 * anyway, so they are kept, but for no longer than they were good. What was asked for again is what it is now.
 */
function keptProofs(session: Session, proved: readonly string[]): Partial<Pick<Session, 'mfaProofs' | 'expiresAt'>> {
  const placeOf = (proof: string) => proof.split('/')[0];
  const asked = new Set(proved.map(placeOf));
  const earlier = session.mfaProofs.filter((proof) => !asked.has(placeOf(proof)));
  return earlier.length === 0 ? {} : { mfaProofs: [...proved, ...earlier], expiresAt: session.expiresAt };
}

/** Counts a sign-in by the session as activity in it, and holds it to the end of the transaction: whoever ends it finds what
 * is issued in it by then. False for one that has ended. */
export async function noteUse(ctx: Context, { environmentId, id, lastActiveAt }: Session): Promise<boolean> {
  const now = ctx.clock.now();
  if (lastActiveAt <= later(now, -60))
    return (await ctx.db.session.updateMany({ where: { environmentId, id }, data: { lastActiveAt: now } })).count === 1;
  const held = await ctx.db.$queryRaw<
    unknown[]
  >`SELECT 1 FROM sessions WHERE environment_id = ${environmentId} AND id = ${id} FOR KEY SHARE`;
  return held.length === 1;
}

/**
 * Counts what comes to its end in the session as activity in it, and notes how else its person has been proved. A
 * session that gains a second factor by it has a new token from then on: who knew the one before, which was good for
 * less, is not let in with the factor of another. Called in a transaction, which holds the session to its end.
 * @returns undefined for a session that has ended
 */
export async function addProofs(
  ctx: Context,
  { environmentId, id }: Session,
  added: Proved,
): Promise<{ session: Session; token?: string } | undefined> {
  const where = { environmentId, id };
  const [session] = await ctx.db.session.updateManyAndReturn({ where, data: { lastActiveAt: ctx.clock.now() } });
  if (!session) return undefined;
  const amr = [...new Set([...session.amr, ...added.amr])];
  const mfaProofs = [...new Set([...session.mfaProofs, ...added.mfaProofs])];
  const token = mfaProofs.length > session.mfaProofs.length ? randomToken() : undefined;
  const change = { amr, mfaProofs, ...(token && { tokenHash: sha256(token) }) };
  if (token || amr.length > session.amr.length) await ctx.db.session.updateMany({ where, data: change });
  return { session: { ...session, ...change }, ...(token && { token }) };
}

/** Takes the second factors back that the user has proved in sessions: the next authorization asks again. */
export async function forgetMfaInSessions(ctx: Context, environmentId: string, userId: string): Promise<void> {
  await ctx.db.session.updateMany({ where: { environmentId, userId }, data: { mfaProofs: [] } });
}

/** Was nothing done in it for `inactivityTimeout` seconds? For who says so, it is over. */
export function isIdle(ctx: Context, { lastActiveAt }: Session, inactivityTimeout: number): boolean {
  return lastActiveAt <= later(ctx.clock.now(), -inactivityTimeout);
}

/** The living session behind a cookie. It may be idle. */
export async function findSession(ctx: Context, environmentId: string, token: string | undefined): Promise<Session | undefined> {
  if (!token) return undefined;
  const session = await ctx.db.session.findFirst({
    where: { environmentId, tokenHash: sha256(token) },
    include: { user: { select: { isSuspended: true } } },
  });
  return session && session.expiresAt > ctx.clock.now() && !session.user.isSuspended ? session : undefined;
}

/** The session behind a cookie even when it lives no more: signing out ends what is left of it. */
export async function findAnySession(ctx: Context, environmentId: string, token: string | undefined): Promise<Session | undefined> {
  if (!token) return undefined;
  return (
    (await ctx.db.session.findUnique({ where: { environmentId_tokenHash: { environmentId, tokenHash: sha256(token) } } })) ?? undefined
  );
}

/** Signs a person out: the session ends, and with it every refresh token that was issued in it.
 * @returns true for the one caller that ended it, false for every other, however parallel */
export async function endSession(ctx: Context, scope: { environmentId: string; businessId: string }, session: Session): Promise<boolean> {
  const { environmentId, businessId } = scope;
  return inTransaction(ctx, async (tx) => {
    // Before its grants: a sign-in that ends in it at this moment holds it, and makes one.
    const { count } = await tx.db.session.deleteMany({ where: { environmentId, id: session.id } });
    if (count === 0) return false;
    if (tx.effects) tx.effects.sessions += 1;
    await announceLogout(tx, environmentId, { sessionId: session.id });
    await revokeGrants(tx, environmentId, { sessionId: session.id });
    await audit(tx, { businessId, environmentId, action: 'session.ended', target: { type: 'user', id: session.userId } });
    return true;
  });
}

/** Where a person is signed in, the latest sign-in first. */
export function sessionsOf({ database, clock }: Infrastructure, environmentId: string, userId: string): Promise<Session[]> {
  return database.prisma.session.findMany({
    where: { environmentId, userId, expiresAt: { gt: clock.now() } },
    orderBy: { id: 'desc' },
    take: 100,
  });
}

/** Signs a person out of one browser, as that person; false where there is no such session of theirs any more. */
export async function endOwnSession(ctx: Context, scope: Scope, userId: string, sessionId: string): Promise<boolean> {
  const session = await ctx.db.session.findFirst({ where: { environmentId: scope.environmentId, id: sessionId, userId } });
  return session !== null && endSession(ctx, scope, session);
}

/** Signs a person out everywhere, as that person. */
export async function endEverySession(ctx: Context, { environmentId, businessId }: Scope, userId: string): Promise<void> {
  await inTransaction(ctx, async (tx) => {
    await endAccessOfUser(tx, environmentId, userId);
    await audit(tx, { businessId, environmentId, action: 'user.sessions_ended', target: { type: 'user', id: userId } });
  });
}

/** Ends a session from outside, as an operator who does not trust it. Access tokens of it work until they expire. */
export const endUserSession = action({
  permission: 'delete:user_sessions',
  scope: (ctx, { sessionId }: { readonly sessionId: string }, permission) =>
    scopeOfRow(ctx, permission, 'session', 'sessionId', (environmentId) =>
      ctx.db.session.findFirst({ where: { ...(environmentId && { environmentId }), id: sessionId }, select: { environmentId: true } }),
    ),
  async run(ctx, { sessionId }, scope): Promise<{ deletedId: string }> {
    const session = await ctx.db.session.findUnique({ where: { environmentId_id: { environmentId: scope.environmentId, id: sessionId } } });
    if (session) await endSession(ctx, scope, session);
    return { deletedId: sessionId };
  },
});

/** Ends every session of a user, with every token that was issued to it. */
export const endUserSessions = action({
  permission: 'delete:user_sessions',
  scope: (ctx, { userId }: { readonly userId: string }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId }, { environmentId, businessId }): Promise<{ environmentId: string; id: string }> {
    await endAccessOfUser(ctx, environmentId, userId);
    await audit(ctx, { businessId, environmentId, action: 'user.sessions_ended', target: { type: 'user', id: userId } });
    return { environmentId, id: userId };
  },
});

/**
 * Ends every session of a user, and everything that was issued to it in any application; our own endpoints refuse its
 * access tokens from then on. Ends as well what the user is proved in and has not brought to its end, but the attempt
 * `sparedAttemptId`, in which that is asked for.
 */
export async function endAccessOfUser(ctx: Context, environmentId: string, userId: string, sparedAttemptId?: string): Promise<void> {
  const now = ctx.clock.now();
  if (ctx.effects) ctx.effects.sessions += await ctx.db.session.count({ where: { environmentId, userId, expiresAt: { gt: now } } });
  await ctx.db.user.updateMany({ where: { environmentId, id: userId }, data: { accessEndedAt: now } });
  await endProvedAttempts(ctx, environmentId, userId, sparedAttemptId);
  await ctx.db.session.deleteMany({ where: { environmentId, userId } });
  await announceLogout(ctx, environmentId, { userId });
  await revokeGrants(ctx, environmentId, { userId });
}

/** Ends what there was before a password was replaced: whoever got hold of it is not helped by it any more.
 * @param attemptId the attempt in which the person chose the other password */
export async function endAccessByReset(
  ctx: Context,
  { environmentId, businessId }: Scope,
  userId: string,
  attemptId: string,
): Promise<void> {
  await endAccessOfUser(ctx, environmentId, userId, attemptId);
  const details = { reason: 'password_reset' };
  await audit(ctx, { businessId, environmentId, action: 'user.sessions_ended', target: { type: 'user', id: userId }, details });
}

/** Ends every session in the environment, and everything that was issued there to anybody. */
export async function endAccessOfEnvironment(ctx: Context, environmentId: string): Promise<void> {
  if (ctx.effects) ctx.effects.sessions += await ctx.db.session.count({ where: { environmentId, expiresAt: { gt: ctx.clock.now() } } });
  await ctx.db.session.deleteMany({ where: { environmentId } });
  await announceLogout(ctx, environmentId, {});
  await revokeGrants(ctx, environmentId, {});
}

/** Deletes sessions that are over, in one small batch. Returns the number of rows. */
export async function deleteExpiredSessions(ctx: Context, batch = 1000): Promise<number> {
  const now = ctx.clock.now();
  const rows = await ctx.db.session.findMany({ where: { expiresAt: { lt: now } }, select: { environmentId: true, id: true }, take: batch });
  if (rows.length === 0) return 0;
  return (await ctx.db.session.deleteMany({ where: { OR: rows } })).count;
}
