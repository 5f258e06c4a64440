import { beforeAll, describe, expect, test } from 'vitest';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeMember, makeWorld, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let alpha: World;
let beta: World;
const tokens = new Map<TeamRole, string>();
/** An Engineer of alpha who is in Marketing at beta. */
let both: string;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha', 'enterprise');
  beta = await makeWorld(gatehouse, 'beta', 'enterprise');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, alpha.businessId, `${role}@alpha.test`, [role]));
  await makeMember(gatehouse, alpha.businessId, 'both@team.test', ['engineer']);
  both = await signInMember(gatehouse, beta.businessId, 'both@team.test', ['marketing']);
});

describe('viewerPermissions', () => {
  const document = `query ($business: ID!, $environment: ID!) {
    business(id: $business) { viewerPermissions environments { nodes { viewerPermissions } } }
    environment(id: $environment) { viewerPermissions }
  }`;
  interface Held {
    readonly business: { viewerPermissions: string[]; environments: { nodes: { viewerPermissions: string[] }[] } };
    readonly environment: { viewerPermissions: string[] };
  }

  test.each(TEAM_ROLES)('are, for %s, those of the matrix', async (role) => {
    const variables = { business: alpha.businessId, environment: alpha.ids.Environment };
    const { data } = await ask<Held, object>(gatehouse, tokens.get(role), document, variables);
    const held = [...PERMISSIONS_OF_ROLE[role]].sort();
    expect(data!.business.viewerPermissions).toEqual(held);
    expect(data!.environment.viewerPermissions).toEqual(held);
    expect(data!.business.environments.nodes.map(({ viewerPermissions }) => viewerPermissions)).toEqual([held, held]);
  });

  test('are, for a machine, its scopes', async () => {
    const token = await tokenOf(alpha.production.machine, 'read:users read:businesses read:environments');
    const { data } = await ask<Held, object>(gatehouse, token, document, {
      business: alpha.businessId,
      environment: alpha.ids.Environment,
    });
    expect(data!.environment.viewerPermissions).toEqual(['read:businesses', 'read:environments', 'read:users']);
    expect(data!.business.viewerPermissions).toEqual(['read:businesses', 'read:environments', 'read:users']);
  });

  test('are, for a person with two businesses, each business’s own', async () => {
    const { data } = await ask<{ businesses: { nodes: { id: string; viewerPermissions: string[] }[] } }, object>(
      gatehouse,
      both,
      '{ businesses { nodes { id viewerPermissions } } }',
    );
    const of = (role: TeamRole) => [...PERMISSIONS_OF_ROLE[role]].sort();
    expect(data!.businesses.nodes).toEqual([
      { id: alpha.businessId, viewerPermissions: of('engineer') },
      { id: beta.businessId, viewerPermissions: of('marketing') },
    ]);
  });
});
