/**
 * Whether access tokens that were issued still count. A person's token ends with its grant, whose id begins its `jti`;
 * any token may be revoked by itself.
 */
import { randomToken } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, type Infrastructure, inTransaction } from '../context.ts';
import { type Person, personSql } from './subject.ts';

/** A new `jti` that names the grant which the token is for. */
export function jtiOf(grantId: string): string {
  return `${grantId}.${randomToken(12)}`;
}

/** The grant that a `jti` names; '' for a token without one. */
export function grantIdIn(jti: string): string {
  return /^([0-9a-f]{32})\./.exec(jti)?.[1] ?? '';
}

/** SQL for whether a person's token counts. The arguments are SQL expressions. A grant that is gone counts as revoked. */
export const liveTokenSql = (environmentId: string, grantId: string, userId: string, jti: string) =>
  `(EXISTS (SELECT 1 FROM grants g WHERE g.environment_id = ${environmentId} AND g.id = ${grantId} AND g.user_id = ${userId} AND g.revoked_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.environment_id = ${environmentId} AND r.jti = ${jti}))`;

const FIND = `${personSql('$1', '$2')} WHERE ${liveTokenSql('$1', '$3', '$2', '$4')}`;

/** The person that a token speaks for, in one statement; undefined when the token, or the person's access, is over. */
export async function personOfToken(
  infrastructure: Infrastructure,
  environmentId: string,
  token: { readonly sub: string; readonly jti: string; readonly iat: number },
): Promise<Person | undefined> {
  const values = [environmentId, token.sub, grantIdIn(token.jti), token.jti];
  const [row] = await infrastructure.database.query<{ person: Person }>('person-of-token', FIND, values);
  return row?.person.hasAccess && token.iat >= (row.person.tokensCountFrom ?? 0) ? row.person : undefined;
}

/** The session that a person's token was issued in, if it was in one. */
export async function sessionOfToken({ db }: Context, environmentId: string, jti: string): Promise<string | null> {
  const grant = await db.grant.findUnique({
    where: { environmentId_id: { environmentId, id: grantIdIn(jti) } },
    select: { sessionId: true },
  });
  return grant?.sessionId ?? null;
}

/** Was a machine's token revoked? There are few such, and they are kept in memory. */
export async function isMachineTokenRevoked(infrastructure: Infrastructure, environmentId: string, jti: string): Promise<boolean> {
  const revoked = await infrastructure.lookups.find(environmentId, 'revoked machine tokens', async () => {
    const rows = await infrastructure.database.query<{ jti: string }>(
      'revoked-machine-tokens',
      'SELECT jti FROM revoked_tokens WHERE environment_id = $1 AND is_machine',
      [environmentId],
    );
    return new Set(rows.map((row) => row.jti));
  });
  return revoked!.has(jti);
}

/** Ends one access token before its time, for the application that it was issued to. */
export async function revokeAccessToken(
  ctx: Context,
  { environmentId, businessId }: { readonly environmentId: string; readonly businessId: string },
  token: { readonly jti: string; readonly exp: number; readonly applicationId: string; readonly isMachine: boolean },
): Promise<void> {
  const { jti, exp, applicationId, isMachine } = token;
  await inTransaction(ctx, async (tx) => {
    const { count } = await tx.db.revokedToken.createMany({
      data: { environmentId, jti, isMachine, expiresAt: new Date(exp * 1000) },
      skipDuplicates: true,
    });
    if (count === 0) return;
    const target = isMachine ? { type: 'application', id: applicationId } : { type: 'grant', id: grantIdIn(jti) };
    const details = { jti, reason: 'revoked_by_client' };
    await audit(tx, { businessId, environmentId, action: 'access_token.revoked', target, details });
  });
  if (isMachine) ctx.lookups.forget(environmentId);
}

/** Forgets revoked tokens that have expired, in one small batch. Returns the number of rows. */
export async function deleteExpiredRevocations({ database, clock }: Infrastructure, batch = 1000): Promise<number> {
  const rows = await database.query(
    'delete-revoked-tokens',
    'DELETE FROM revoked_tokens WHERE (environment_id, jti) IN (SELECT environment_id, jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2) RETURNING 1',
    [clock.now(), batch],
  );
  return rows.length;
}
