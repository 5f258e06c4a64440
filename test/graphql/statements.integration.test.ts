import { beforeAll, expect, test } from 'vitest';
import { createApiRow } from '../../src/features/apis/service.ts';
import { createApplication } from '../../src/features/applications/service.ts';
import { createOrganization } from '../../src/features/organizations/service.ts';
import { createPermission, createRole } from '../../src/features/roles/service.ts';
import { createInvitation } from '../../src/features/team/service.ts';
import { createUser } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeMember, makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;
/** The texts that the database was sent. */
const statements: string[] = [];

/** Rows in each list: more than the small page holds, and no more than the large one. */
const ROWS = 12;
const SMALL = 1;
const LARGE = 20;
/** Statements that say who asks: the application of the token, and the person's memberships. */
const WHO_ASKS = 2;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha', 'enterprise');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  const ctx = operator(gatehouse);
  const { businessId } = world;
  const environmentId = world.ids.Environment;
  for (let row = 0; row < ROWS; row++) {
    const permission = await createPermission(ctx, { businessId, key: `do:${row}`, name: 'Do' });
    await createRole(ctx, { businessId, key: `role-${row}`, name: 'Role', permissionIds: [permission.id], isDefaultRole: true });
    await createOrganization(ctx, { environmentId, name: `Organization ${row}` });
    await createUser(ctx, { environmentId, email: `user-${row}@people.test`, organizationId: world.ids.Organization });
    await makeMember(gatehouse, businessId, `member-${row}@team.test`, ['engineer']);
    await createInvitation(ctx, { businessId, email: `invited-${row}@team.test`, roles: ['admin'] });
    await createApplication(ctx, { environmentId, name: 'App', type: 'spa' });
    await createApiRow(ctx, environmentId, { name: 'API', audience: `https://${row}.test`, scopes: [{ name: 'read' }] });
    const importId = newId('import');
    await ctx.db.import.create({ data: { environmentId, id: importId, fileName: 'x.csv', state: 'completed', totalLines: 1 } });
    const issue = { environmentId, id: newId('importIssue'), importId, line: row, severity: 'warning', code: 'x', message: 'x' };
    await ctx.db.importIssue.create({ data: issue });
  }
  const organizations = await ctx.db.organization.findMany({ where: { environmentId } });
  const users = await ctx.db.user.findMany({ where: { environmentId } });
  await ctx.db.membership.createMany({
    data: organizations.flatMap(({ id: organizationId }) =>
      users.map(({ id: userId }) => ({ environmentId, id: newId('membership'), organizationId, userId })),
    ),
    skipDuplicates: true,
  });
  listen();
});

/** Notes what every user of the driver sends it, the job queue's polling left out. */
function listen(): void {
  const driver = gatehouse.app.infrastructure.database.driver as unknown as { query(...args: unknown[]): unknown };
  const query = driver.query.bind(driver);
  driver.query = (...args) => {
    const [statement] = args as [string | { text: string }];
    const text = typeof statement === 'string' ? statement : statement.text;
    if (!/pgboss/.test(text)) statements.push(text);
    return query(...args);
  };
}

const LISTS: Record<string, string> = {
  'users with their memberships, organizations and roles': `environment(id: $environmentId) { users(first: $first) { totalCount nodes {
    id firstName email identities { value } memberships(first: $first) { nodes { organization { name } roles { key permissions { key } } permissions { key } } }
  } } }`,
  'organizations with their members': `environment(id: $environmentId) { organizations(first: $first) { totalCount nodes {
    name members(first: $first) { totalCount nodes { user { firstName email } roles { key } } }
  } } }`,
  'applications and APIs': `environment(id: $environmentId) {
    applications(first: $first) { nodes { name callbackUrls } } apis(first: $first) { nodes { name audience scopes } }
  }`,
  'imports with their issues': `environment(id: $environmentId) { imports(first: $first) { nodes { state issues(first: $first) { totalCount nodes { line message } } } } }`,
  'a business with its environments': `business(id: $businessId) { name environments(first: $first) { totalCount nodes { name issuer users(first: $first) { totalCount nodes { email } } } } }`,
  'a team with its invitations': `business(id: $businessId) {
    teamMembers(first: $first) { totalCount nodes { email firstName roles } } teamInvitations(first: $first) { nodes { email state } }
  }`,
  'roles with their permissions': `business(id: $businessId) { roles(first: $first) { totalCount nodes { key permissions { key } } } permissions(first: $first) { nodes { key } } }`,
  'all businesses with their environments and teams': `businesses(first: $first) { totalCount nodes {
    name environments(first: $first) { nodes { name } } teamMembers(first: $first) { nodes { email } }
  } }`,
};

/** The least of several measures: what is read and kept for some seconds (keys, environments) is not the list's. */
async function leastOf(fields: string, first: number) {
  const measures = [await measure(fields, first), await measure(fields, first), await measure(fields, first)];
  return measures.reduce((least, each) => (each.statements < least.statements ? each : least));
}

/** How many statements a document takes, and how many objects it shows. */
async function measure(fields: string, first: number): Promise<{ statements: number; objects: number }> {
  const ids = { $environmentId: `"${world.ids.Environment}"`, $businessId: `"${world.businessId}"` };
  const document = `query ($first: Int!) { ${fields} }`.replaceAll(
    /\$(environmentId|businessId)/g,
    (name) => ids[name as keyof typeof ids],
  );
  statements.length = 0;
  const { data, errors } = await ask(gatehouse, token, document, { first });
  expect(errors).toEqual([]);
  return { statements: statements.length, objects: JSON.stringify(data).split('{').length };
}

test.each(Object.entries(LISTS))('%s take two statements at most, however large the page', async (_what, fields) => {
  const small = await leastOf(fields, SMALL);
  const large = await leastOf(fields, LARGE);
  expect(large.objects).toBeGreaterThan(small.objects);
  expect(large.statements).toBe(small.statements);
  expect(large.statements).toBeLessThanOrEqual(WHO_ASKS + 2);
});
