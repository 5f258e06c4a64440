/**
 * Which contacts lead into an account: whoever proves by a code that an address or a number is theirs gets in. One that is
 * verified always does. But anybody's contact can be added to any account by who manages identities. So one that nobody
 * has proved does only while none of the account's is proved, and nothing that its person gets in by is older: then it is
 * what the account was made with, as by an import. Else it is somebody's word, and no more.
 */
import { Prisma } from '../../db/client.ts';
import type { Context } from '../context.ts';
import { comparable } from '../text.ts';
import type { IdentityType } from './identities.ts';

const isOfUser = (row: string) => Prisma.raw(`${row}.environment_id = i.environment_id AND ${row}.user_id = i.user_id`);
const isOlder = (row: string) => Prisma.raw(`${row}.created_at < i.created_at`);

/** Of the identity `i`. A username proves nothing by itself: it says who is meant. */
const LEADS_IN = Prisma.sql`(i.is_verified OR i.type = 'username' OR NOT (
  EXISTS (SELECT 1 FROM identities o WHERE ${isOfUser('o')} AND (o.is_verified OR (${isOlder('o')}
    AND (o.type <> 'username' OR EXISTS (SELECT 1 FROM passwords p WHERE ${isOfUser('p')})))))
  OR EXISTS (SELECT 1 FROM passkeys k WHERE ${isOfUser('k')} AND ${isOlder('k')})
  OR EXISTS (SELECT 1 FROM mfa_factors f WHERE ${isOfUser('f')} AND ${isOlder('f')})))`;

/** Whose an identity is, and whether it leads into the account: where it does not, nobody is to be found by it but with a password. */
export interface WayIn {
  readonly userId: string;
  readonly leadsIn: boolean;
}

/** The way in that an identity is, compared without case; undefined for one that nobody has. */
export async function findWayIn(ctx: Context, environmentId: string, type: IdentityType, value: string): Promise<WayIn | undefined> {
  const [found] = await ctx.db.$queryRaw<WayIn[]>`SELECT i.user_id AS "userId", ${LEADS_IN} AS "leadsIn" FROM identities i
    WHERE i.environment_id = ${environmentId} AND i.type = ${type} AND i.normalized = ${comparable(value)}`;
  return found;
}

/** The address that codes for a user go to; undefined for one without an address that leads in. */
export async function addressOf(ctx: Context, environmentId: string, userId: string): Promise<string | undefined> {
  const [found] = await ctx.db.$queryRaw<{ value: string }[]>`SELECT i.value FROM identities i
    WHERE i.environment_id = ${environmentId} AND i.user_id = ${userId} AND i.type = 'email' AND ${LEADS_IN}
    ORDER BY i.is_primary DESC, i.created_at, i.id LIMIT 1`;
  return found?.value;
}
