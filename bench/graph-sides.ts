/** The sides of the suite `graph`: how each is started, and how it is asked for what all of them answer alike. */
import { readFileSync } from 'node:fs';
import type { LoadRequest } from './connection.ts';
import { startGatehouse } from './gatehouse.ts';
import { type GraphData, seedGraph } from './graph-data.ts';
import { answerTo } from './load.ts';
import { createDatabase, freePort, type Server, startServer } from './server.ts';
import type { Bench } from './suite.ts';

/** A list that is asked for page by page. */
export type ListName = 'organizations' | 'members' | 'users';

export interface Side {
  readonly name: string;
  readonly server: Server;
  /** The first users, each with memberships, organization and roles. */
  page(first: number): LoadRequest;
  /** One user with identities, memberships, organizations, roles and what these permit. */
  user(): LoadRequest;
}

/** A side that has cursors. */
export interface PagedSide extends Side {
  /** A page of `first` rows. Its data holds `edges { cursor }` with `last`. */
  list(name: ListName, page: { first: number; after?: string } | { last: number }): LoadRequest;
}

export interface SearchingSide {
  readonly server: Server;
  search(term: string): LoadRequest;
}

export interface Sides {
  readonly data: GraphData;
  readonly ours: PagedSide & SearchingSide;
  readonly postgraphile: PagedSide;
  readonly plain: PagedSide & SearchingSide;
  readonly sql: Side;
  stop(): Promise<void>;
}

/** Seeds ours, and starts the others over the same tables. */
export async function startSides(bench: Bench): Promise<Sides> {
  const databaseUrl = await createDatabase(bench.postgres, 'gatehouse_graph');
  const gatehouse = await startGatehouse(bench, databaseUrl);
  const size = { users: bench.users, organizations: Math.max(bench.users / 100, 10) };
  const machine = gatehouse.quickstart.applications.find(({ type }) => type === 'm2m')!;
  const data = await seedGraph(databaseUrl, machine.clientId, size, bench.progress);
  const server = await gatehouse.restartInProduction();
  const answer = await answerTo(server.origin, {
    method: 'POST',
    path: '/oauth2/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: machine.clientId,
      client_secret: machine.clientSecret!,
      audience: gatehouse.quickstart.managementAudience,
    }).toString(),
  });
  const { access_token } = JSON.parse(answer) as { access_token: string };
  const environment = { DATABASE_URL: databaseUrl, ENVIRONMENT_ID: data.environmentId, NODE_ENV: 'production', GRAPHILE_ENV: 'production' };
  const start = async (script: string) => {
    const port = await freePort();
    return startServer(bench.machine, `bench/peers/${script}.ts`, `http://127.0.0.1:${port}`, { ...environment, PORT: String(port) });
  };
  const ours = ourSide(server, access_token, data);
  const postgraphile = postgraphileSide(await start('postgraphile'), data);
  const plain = plainSide(await start('plain-pothos'), data);
  const sql = sqlSide(await start('hand-written-sql'), data);
  const stop = async () => void (await Promise.all([ours, postgraphile, plain, sql].map(({ server }) => server.stop())));
  return { data, ours, postgraphile, plain, sql, stop };
}

function ourSide(server: Server, token: string, data: GraphData): PagedSide & SearchingSide {
  const ask = graphql({ authorization: `Bearer ${token}` });
  const row = {
    organizations: 'id name externalId createdAt',
    members: 'createdAt user { id firstName } roles { key }',
    users: 'id firstName lastName createdAt',
  };
  const connection = (name: ListName, args: string) =>
    name === 'members'
      ? `node(id: "${data.largeOrganizationId}") { ... on Organization { list: members${args} } }`
      : `environment { list: ${name}${args} }`;
  return {
    name: 'ours',
    server,
    page: (first) =>
      ask(
        `query ($first: Int!) { environment { users(first: $first) { nodes { id email createdAt
          memberships { nodes { organization { id name } roles { key } } } } } } }`,
        { first },
      ),
    user: () =>
      ask(
        `query ($id: ID!) { node(id: $id) { ... on User { id firstName lastName providedId createdAt identities { value isPrimary isVerified }
          memberships { nodes { createdAt organization { id name externalId } roles { key name permissions { key } } } } } } }`,
        { id: data.userId },
      ),
    list: (name, page) => ask(`query ($first: Int, $after: String, $last: Int) { ${connection(name, pageOf(row[name]))} }`, page),
    search: (term) =>
      ask('query ($term: String!) { environment { users(first: 20, search: $term) { nodes { id firstName lastName email } } } }', { term }),
  };
}

function postgraphileSide(server: Server, data: GraphData): PagedSide {
  const ask = graphql({});
  const environment = `environmentId: "${data.environmentId}"`;
  const email = 'email: identitiesByEnvironmentIdAndUserIdList(first: 1, condition: { type: "email" }) { value }';
  const oldestFirst = 'orderBy: [CREATED_AT_ASC, ROW_ID_ASC]';
  const roles = (fields: string) =>
    `roles: membershipRolesByEnvironmentIdAndMembershipIdList { role: roleByBusinessIdAndRoleId { ${fields} } }`;
  const list = {
    organizations: (args: string) => `list: allOrganizations(condition: { ${environment} }, ${oldestFirst}, ${args}`,
    members: (args: string) =>
      `list: allMemberships(condition: { ${environment}, organizationId: "${data.largeOrganizationId}" }, ${oldestFirst}, ${args}`,
    users: (args: string) => `list: allUsers(condition: { ${environment} }, ${oldestFirst}, ${args}`,
  };
  const row = {
    organizations: 'id: rowId name externalId createdAt',
    members: `createdAt user: userByEnvironmentIdAndUserId { id: rowId firstName } ${roles('key')}`,
    users: 'id: rowId firstName lastName createdAt',
  };
  return {
    name: `PostGraphile ${version('postgraphile')}`,
    server,
    page: (first) =>
      ask(
        `query ($first: Int!) { users: allUsersList(condition: { ${environment} }, first: $first, ${oldestFirst}) { id: rowId ${email} createdAt
          memberships: membershipsByEnvironmentIdAndUserIdList(${oldestFirst}) {
            organization: organizationByEnvironmentIdAndOrganizationId { id: rowId name } ${roles('key')} } } }`,
        { first },
      ),
    user: () =>
      ask(
        `query ($id: String!) { user: userByEnvironmentIdAndRowId(${environment}, rowId: $id) { id: rowId firstName lastName providedId createdAt
          identities: identitiesByEnvironmentIdAndUserIdList { value isPrimary isVerified }
          memberships: membershipsByEnvironmentIdAndUserIdList(${oldestFirst}) { createdAt
            organization: organizationByEnvironmentIdAndOrganizationId { id: rowId name externalId }
            ${roles('key name permissions: rolePermissionsByBusinessIdAndRoleIdList { permission: permissionByBusinessIdAndPermissionId { key } }')} } } }`,
        { id: data.userId },
      ),
    list: (name, page) => ask(`query ($first: Int, $after: Cursor, $last: Int) { ${list[name](pageOf(row[name]).slice(1))} }`, page),
  };
}

function plainSide(server: Server, data: GraphData): PagedSide & SearchingSide {
  const ask = graphql({});
  const row = {
    organizations: 'id name externalId createdAt',
    members: 'createdAt user { id firstName } roles { key }',
    users: 'id firstName lastName createdAt',
  };
  const connection = (name: ListName, args: string) =>
    name === 'members'
      ? `list: members(organizationId: "${data.largeOrganizationId}", ${args.slice(1)}`
      : `list: ${name === 'users' ? 'userPages' : name}${args}`;
  return {
    name: `Yoga + Pothos + Prisma ${version('@prisma/client')} with joins`,
    server,
    page: (first) =>
      ask('query ($first: Int!) { users(first: $first) { id email createdAt memberships { organization { id name } roles { key } } } }', {
        first,
      }),
    user: () =>
      ask(
        `query ($id: ID!) { user(id: $id) { id firstName lastName providedId createdAt identities { value isPrimary isVerified }
          memberships { createdAt organization { id name externalId } roles { key name permissions { key } } } } }`,
        { id: data.userId },
      ),
    list: (name, page) => ask(`query ($first: Int, $after: String, $last: Int) { ${connection(name, pageOf(row[name]))} }`, page),
    search: (term) => ask('query ($term: String!) { users(first: 20, search: $term) { id firstName lastName email } }', { term }),
  };
}

function sqlSide(server: Server, data: GraphData): Side {
  const get = (path: string): LoadRequest => ({ method: 'GET', path, headers: {}, body: '' });
  return {
    name: 'one hand-written statement over HTTP',
    server,
    page: (first) => get(`/users/${first}`),
    user: () => get(`/user/${data.userId}`),
  };
}

function pageOf(fields: string): string {
  return `(first: $first, after: $after, last: $last) { edges { cursor node { ${fields} } } pageInfo { hasNextPage endCursor } }`;
}

function graphql(headers: Record<string, string>) {
  return (query: string, variables: object): LoadRequest => ({
    method: 'POST',
    path: '/graphql',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
}

function version(name: string): string {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
