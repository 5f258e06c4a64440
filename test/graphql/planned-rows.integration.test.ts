/** A row says in a list what it says alone, though in a list most of it is read without looking up how it was planned. */
import { beforeAll, expect, test } from 'vitest';
import { addOrganizationMember, createOrganization } from '../../src/features/organizations/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;
const users: string[] = [];

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
  const ctx = operator(gatehouse);
  const { businessId } = world;
  const environmentId = world.ids.Environment;
  const organizationIds: string[] = [];
  const roleIds: string[] = [];
  for (let number = 0; number < 3; number++) {
    organizationIds.push((await createOrganization(ctx, { environmentId, name: `Organization ${number}` })).id);
    roleIds.push((await createRole(ctx, { businessId, key: `role-${number}`, name: `Role ${number}` })).id);
  }
  // The first belongs to nothing, and some have what others lack.
  for (let number = 0; number < 8; number++) {
    const contacts = number % 3 === 2 ? {} : { phone: `+6155511100${number}` };
    const { id: userId } = await createUser(ctx, { environmentId, email: `p${number}@people.test`, username: `p${number}`, ...contacts });
    users.push(userId);
    for (const organizationId of organizationIds.slice(0, number % 4))
      await addOrganizationMember(ctx, { organizationId, userId, roleIds: roleIds.slice(0, (number + 1) % 3) });
  }
});

const MEMBER = 'organization { id name } roles { key }';

test.each([
  ['what rows hold', 'email memberships(first: 3) { nodes { organization { id name } roles { key permissions { key } } } }'],
  ['selections of one relation that cannot be one', 'email phone username identities { type value }'],
  [
    'pages of one list that differ',
    `few: memberships(first: 1) { nodes { ${MEMBER} } } all: memberships { totalCount nodes { ${MEMBER} } }`,
  ],
  [
    'one list from both ends',
    `memberships(last: 1) { edges { cursor node { ${MEMBER} } } } early: memberships(first: 2) { edges { cursor } }`,
  ],
  ['rows by way of fragments', `...U memberships(first: 2) { nodes { createdAt ...M } }`],
  [
    'lists below lists',
    `memberships(first: 3) { nodes { organization { members(first: 2) { nodes { roles { key } user { email phone } } } } } }`,
  ],
  ['rows of the audit log', `activity { totalCount nodes { actor { application { id name } } environment { id name } } }`],
])('%s', async (_what, fields) => {
  const document = (root: string) => `{ ${root} }
    fragment Row on User { id ${fields} }
    ${fields.includes('...') ? `fragment U on User { email phone memberships(first: 2) { nodes { ...M } } } fragment M on OrganizationMember { ${MEMBER} }` : ''}`;
  const whole = await ask(gatehouse, token, document('environment { users(first: 12) { nodes { ...Row } } }'), {});
  expect(whole.errors).toEqual([]);
  const nodes = (whole.data as { environment: { users: { nodes: { id: string }[] } } }).environment.users.nodes;
  expect(nodes.filter(({ id }) => users.includes(id))).toHaveLength(users.length);
  for (const row of nodes) {
    const alone = await ask(gatehouse, token, document(`node(id: "${row.id}") { ...Row }`), {});
    expect(alone.errors).toEqual([]);
    expect(row).toEqual((alone.data as { node: object }).node);
  }
});
