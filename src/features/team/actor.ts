/** Turns a signed-in user of `account` into an actor with everything its team memberships grant, in one statement. */
import { isTeamRole, permissionsOf } from '../../access/team-roles.ts';
import type { TeamActor } from '../../kernel/actor.ts';
import type { Infrastructure } from '../context.ts';

interface Row {
  businessId: string;
  roles: string[];
  environments: string[];
}

const MEMBERSHIPS = `SELECT m.business_id AS "businessId", m.roles,
  (SELECT coalesce(array_agg(e.id ORDER BY e.id), '{}') FROM environments e WHERE e.business_id = m.business_id) AS environments
  FROM team_members m JOIN users u ON u.environment_id = m.account_environment_id AND u.id = m.user_id
  WHERE m.account_environment_id = $1 AND m.user_id = $2 AND NOT u.is_suspended`;

/** The actor that the user is now; one with no business has nothing it may do but make one. */
export async function teamActor(infrastructure: Infrastructure, accountEnvironmentId: string, userId: string): Promise<TeamActor> {
  const rows = await infrastructure.database.query<Row>('team-memberships', MEMBERSHIPS, [accountEnvironmentId, userId]);
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
