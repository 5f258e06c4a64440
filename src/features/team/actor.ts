/** Turns a signed-in user of `account` into an actor with everything its team memberships grant, in one statement. */
import { isTeamRole, permissionsOf, type TeamRole } from '../../access/team-roles.ts';
import type { TeamActor } from '../../kernel/actor.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import type { Context, Infrastructure } from '../context.ts';
import { grantIdIn, liveTokenSql } from '../grants/service.ts';

/** One row a membership; a single one without a business for a person who is on no team. */
interface Row {
  businessId: string | null;
  roles: string[];
  environments: string[];
}

const MEMBERSHIPS = `SELECT m.business_id AS "businessId", m.roles,
  (SELECT coalesce(array_agg(e.id ORDER BY e.id), '{}') FROM environments e WHERE e.business_id = m.business_id) AS environments
  FROM users u LEFT JOIN team_members m ON m.account_environment_id = u.environment_id AND m.user_id = u.id
  WHERE u.environment_id = $1 AND u.id = $2 AND NOT u.is_suspended AND u.access_removed_at IS NULL
    AND ($3::timestamptz IS NULL OR u.access_ended_at IS NULL OR date_trunc('second', u.access_ended_at) <= $3)
    AND ($4::text IS NULL OR ${liveTokenSql('$1', '$5', '$2', '$4')})`;

/**
 * The actor that the user is now; one with no business has nothing it may do but make one. Undefined for a user who is
 * suspended or gone; for one whose access was ended since the token that it shows was issued; and for a revoked token.
 */
export async function teamActor(
  infrastructure: Infrastructure,
  accountEnvironmentId: string,
  userId: string,
  token?: { readonly issuedAt: Date; readonly jti: string },
): Promise<TeamActor | undefined> {
  const found = await infrastructure.database.query<Row>('team-memberships', MEMBERSHIPS, [
    accountEnvironmentId,
    userId,
    token?.issuedAt ?? null,
    token?.jti ?? null,
    token ? grantIdIn(token.jti) : null,
  ]);
  if (found.length === 0) return undefined;
  const rows = found.filter((row): row is Row & { businessId: string } => row.businessId !== null);
  return {
    kind: 'team',
    userId,
    accountEnvironmentId,
    businesses: new Map(
      rows.map((row) => [row.businessId, { roles: row.roles, permissions: permissionsOf(row.roles.filter(isTeamRole)) }]),
    ),
    environments: new Map(rows.flatMap((row) => row.environments.map((environmentId) => [environmentId, row.businessId]))),
  };
}

/**
 * The actor that a member of one of these businesses is there; what it may do in other businesses is left out.
 * @throws NotFoundError when none of them has the member
 * @throws InvalidInputError SUSPENDED
 */
export async function memberActor(ctx: Context, businessIds: readonly string[], teamMemberId: string): Promise<TeamActor> {
  const member = await ctx.db.teamMember.findFirst({
    where: { businessId: { in: [...businessIds] }, id: teamMemberId },
    select: { businessId: true, accountEnvironmentId: true, userId: true },
  });
  if (!member) throw new NotFoundError('team member', ['as', 'teamMemberId']);
  const actor = await teamActor(ctx, member.accountEnvironmentId, member.userId);
  if (!actor)
    throw new InvalidInputError('SUSPENDED', 'The person is suspended: it may do nothing until that ends.', ['as', 'teamMemberId']);
  return confined(actor, [member.businessId]);
}

/** The actor with these roles, and no others, in each of these businesses of its own. */
export function actorWithRoles(actor: TeamActor, businessIds: readonly string[], roles: readonly TeamRole[]): TeamActor {
  const grants = { roles, permissions: permissionsOf(roles) };
  return { ...confined(actor, businessIds), businesses: new Map(businessIds.map((businessId) => [businessId, grants])) };
}

function confined(actor: TeamActor, businessIds: readonly string[]): TeamActor {
  return {
    ...actor,
    businesses: new Map([...actor.businesses].filter(([businessId]) => businessIds.includes(businessId))),
    environments: new Map([...actor.environments].filter(([, businessId]) => businessIds.includes(businessId))),
  };
}
