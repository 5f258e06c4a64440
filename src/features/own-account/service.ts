/** What people see of their own account on the hosted pages, and change: as themselves, and nobody else's. */
import { NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { actingAs, type Context, inTransaction, NEXT_VERSION, type Scope } from '../context.ts';
import { deviceName } from '../passkeys/service.ts';
import { endOwnSession, endSession, type Session, sessionsOf } from '../sessions/service.ts';
import { optionalText } from '../text.ts';

export interface OwnAccount {
  readonly firstName: string | null;
  readonly lastName: string | null;
  /** What the person signs in with: addresses, numbers and names. */
  readonly identities: readonly { readonly value: string }[];
  readonly sessions: readonly OwnSession[];
  readonly passkeys: readonly { readonly id: string; readonly name: string }[];
  readonly factors: readonly OwnFactor[];
}

export interface OwnSession {
  readonly id: string;
  /** The browser and its system, where they are known. */
  readonly device: string | undefined;
  readonly ip: string | null;
  readonly lastActiveAt: Date;
  readonly isCurrent: boolean;
}

/** A second factor, and by what it is told from others: a masked address or number. */
export interface OwnFactor {
  readonly type: 'authenticator_app' | 'email' | 'sms';
  readonly label: string | null;
}

/** @param session the one in which the person asks */
export async function readOwnAccount(ctx: Context, session: Session): Promise<OwnAccount> {
  const { environmentId, userId } = session;
  const found = await ctx.db.user.findFirst({
    where: { environmentId, id: userId },
    select: {
      firstName: true,
      lastName: true,
      identities: { select: { value: true }, orderBy: [{ type: 'asc' }, { id: 'asc' }] },
      passkeys: { select: { id: true, name: true }, orderBy: { id: 'asc' } },
      mfaFactors: { where: { secret: { not: null } }, select: { type: true, label: true }, orderBy: { id: 'asc' } },
    },
  });
  if (!found) throw new NotFoundError('user', ['userId']);
  const { mfaFactors, ...user } = found;
  return {
    ...user,
    factors: mfaFactors as OwnFactor[],
    sessions: (await sessionsOf(ctx, environmentId, userId)).map(({ id, userAgent, ip, lastActiveAt }) => ({
      ...{ id, ip, lastActiveAt, isCurrent: id === session.id },
      device: deviceName(userAgent ?? ''),
    })),
  };
}

/** Changes the person's name.
 * @throws InvalidInputError TOO_LONG or INVALID_TEXT */
export async function renameSelf(
  ctx: Context,
  { environmentId, businessId }: Scope,
  userId: string,
  names: { readonly firstName: string | null; readonly lastName: string | null },
): Promise<void> {
  const firstName = optionalText(names.firstName, 'firstName');
  const lastName = optionalText(names.lastName, 'lastName');
  await inTransaction(asSelf(ctx, environmentId, userId), async (tx) => {
    await tx.db.user.updateMany({
      where: { environmentId, id: userId },
      data: { firstName, lastName, updatedAt: tx.clock.now(), ...NEXT_VERSION },
    });
    const details = { fields: ['firstName', 'lastName'] };
    await audit(tx, { businessId, environmentId, action: 'user.updated', target: { type: 'user', id: userId }, details });
  });
}

/** Ends one of the person's sessions; one that is over, or somebody else's, is left as it is. */
export async function endSessionOfSelf(ctx: Context, scope: Scope, { environmentId, userId }: Session, sessionId: string): Promise<void> {
  await endOwnSession(asSelf(ctx, environmentId, userId), scope, userId, sessionId);
}

/** Ends every session of the person but this one. */
export async function endOtherSessions(ctx: Context, scope: Scope, { id, environmentId, userId }: Session): Promise<void> {
  await inTransaction(asSelf(ctx, environmentId, userId), async (tx) => {
    // Held, so that of several requests at once each session is ended by one.
    await tx.db.$queryRaw`SELECT id FROM sessions WHERE environment_id = ${environmentId} AND user_id = ${userId} ORDER BY id FOR UPDATE`;
    const others = await tx.db.session.findMany({ where: { environmentId, userId, id: { not: id } } });
    for (const session of others) await endSession(tx, scope, session);
  });
}

function asSelf(ctx: Context, environmentId: string, userId: string): Context {
  return actingAs(ctx, { kind: 'user', environmentId, userId });
}
