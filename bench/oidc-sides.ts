/** The sides of the suite `oidc`: how each is started and what its clients send, alike for all of them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { LoadRequest } from './connection.ts';
import { startGatehouse } from './gatehouse.ts';
import { BASE_PATH, seedBetterAuth } from './peers/better-auth.ts';
import { type Algorithm, CLIENTS, CODE_VERIFIER, RESOURCE, RESOURCE_SCOPES, seedNodeOidcProvider } from './peers/node-oidc-provider.ts';
import { createDatabase, freePort, type Server, startServer } from './server.ts';
import type { Bench } from './suite.ts';

type Form = Readonly<Record<string, string>>;

export interface Side {
  readonly name: string;
  readonly server: Server;
  readonly token: string;
  readonly machine: Form;
  readonly web: Form;
  /** One of each virtual user: the last that it was given. */
  readonly refreshTokens: string[];
  /** One of each virtual user. */
  readonly accessTokens: readonly string[];
  /** What exchanges the `number`th code; each can be exchanged once. */
  code(number: number): Form;
  readonly introspection: string;
  readonly userinfo: string;
  readonly discovery: string;
}

/** The algorithm, how many virtual users there are, and how many codes they will need. */
export interface Needs {
  readonly algorithm: Algorithm;
  readonly users: number;
  readonly codes: number;
}

/** Our own side, of which there can be another process over the same database. */
export interface OurSide extends Side {
  startAnother(): Promise<Server>;
}

export async function startOurs(bench: Bench, needs: Needs): Promise<OurSide> {
  const { algorithm, users, codes } = needs;
  const databaseUrl = await createDatabase(bench.postgres, `gatehouse_${algorithm.toLowerCase()}`);
  const gatehouse = await startGatehouse(bench, databaseUrl);
  if (algorithm !== 'RS256') await gatehouse.signWith(algorithm);
  const ownCredentials = (type: string) => {
    const { clientId, clientSecret } = gatehouse.quickstart.applications.find((application) => application.type === type)!;
    return { client_id: clientId, client_secret: clientSecret! };
  };
  const web = ownCredentials('reg');
  const first = await gatehouse.signIn(users);
  await multiplyCodes(databaseUrl, codes);
  const tokens = await Promise.all(
    first.map((token) =>
      tokensFor(`${gatehouse.server.origin}/oauth2/token`, { grant_type: 'refresh_token', refresh_token: token, ...web }),
    ),
  );
  return {
    name: 'ours',
    server: gatehouse.server,
    startAnother: gatehouse.startAnother,
    token: '/oauth2/token',
    machine: { ...ownCredentials('m2m'), audience: 'https://api.acme.test' },
    web,
    refreshTokens: tokens.map(({ refresh_token }) => refresh_token),
    accessTokens: tokens.map(({ access_token }) => access_token),
    code: (number) => ({ code: `code-${number}`, redirect_uri: gatehouse.callbackUrl, code_verifier: CODE_VERIFIER }),
    introspection: '/oauth2/introspect',
    userinfo: '/oauth2/v2/user_profile',
    discovery: '/.well-known/openid-configuration',
  };
}

export async function startNodeOidcProvider(bench: Bench, { algorithm, users, codes }: Needs): Promise<Side> {
  const databaseUrl = await createDatabase(bench.postgres, `node_oidc_provider_${algorithm.toLowerCase()}`);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { refreshTokens, accessTokens } = await seedNodeOidcProvider(origin, databaseUrl, users, codes, algorithm);
  const environment = { DATABASE_URL: databaseUrl, PORT: String(port), ALGORITHM: algorithm };
  return {
    name: `node-oidc-provider ${versionOf('oidc-provider')}`,
    server: await startServer(bench.machine, 'bench/peers/node-oidc-provider.ts', origin, environment),
    token: '/token',
    machine: { ...credentials(CLIENTS.machine), resource: RESOURCE, scope: RESOURCE_SCOPES },
    web: credentials(CLIENTS.web),
    refreshTokens: [...refreshTokens],
    accessTokens,
    code: (number) => ({
      code: `code-${number}`,
      redirect_uri: CLIENTS.web.redirect_uris[0]!,
      code_verifier: CODE_VERIFIER,
      resource: RESOURCE,
    }),
    introspection: '/token/introspection',
    userinfo: '/me',
    discovery: '/.well-known/openid-configuration',
  };
}

export async function startBetterAuth(bench: Bench, { algorithm, users, codes }: Needs): Promise<Side> {
  const databaseUrl = await createDatabase(bench.postgres, `better_auth_${algorithm.toLowerCase()}`);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  await seedBetterAuth(origin, databaseUrl, users, codes, algorithm);
  const environment = { DATABASE_URL: databaseUrl, PORT: String(port), ALGORITHM: algorithm };
  const server = await startServer(bench.machine, 'bench/peers/better-auth.ts', origin, environment);
  const web = credentials(CLIENTS.web);
  const code = (name: string): Form => ({ code: name, redirect_uri: CLIENTS.web.redirect_uris[0]!, code_verifier: CODE_VERIFIER });
  const exchanged = (name: string) =>
    tokensFor(`${origin}${BASE_PATH}/oauth2/token`, { grant_type: 'authorization_code', ...code(name), ...web });
  const numbers = Array.from({ length: users }, (_, number) => number);
  const withApi = await Promise.all(numbers.map((number) => exchanged(`person-${number}`)));
  const withoutApi = await Promise.all(numbers.map((number) => exchanged(`opaque-${number}`)));
  return {
    name: `Better Auth ${versionOf('better-auth')}`,
    server,
    token: `${BASE_PATH}/oauth2/token`,
    machine: { ...credentials(CLIENTS.machine), resource: RESOURCE, scope: RESOURCE_SCOPES },
    web,
    refreshTokens: withApi.map(({ refresh_token }) => refresh_token),
    accessTokens: withoutApi.map(({ access_token }) => access_token),
    code: (number) => code(`code-${number}`),
    introspection: `${BASE_PATH}/oauth2/introspect`,
    userinfo: `${BASE_PATH}/oauth2/userinfo`,
    discovery: `${BASE_PATH}/.well-known/openid-configuration`,
  };
}

function credentials({ client_id, client_secret }: (typeof CLIENTS)['web' | 'machine']): Form {
  return { client_id, client_secret };
}

function versionOf(name: string): string {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** Codes like the ones that people were given, an hour long, each with a grant of its own. */
async function multiplyCodes(databaseUrl: string, codes: number): Promise<void> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const challenge = createHash('sha256').update(CODE_VERIFIER).digest('base64url');
  await client.query(
    `WITH one AS (SELECT g.*, c.redirect_uri FROM grants g JOIN authorization_codes c ON c.environment_id = g.environment_id AND c.grant_id = g.id LIMIT 1),
     numbers AS (SELECT generate_series(0, $1::int - 1) AS n),
     more AS (INSERT INTO grants (environment_id, id, application_id, user_id, organization_id, session_id, scopes, audiences, auth_time, requested_at)
       SELECT environment_id, to_char(n, 'FM00000000000000000000000000000000'), application_id, user_id, organization_id, session_id, scopes, audiences, auth_time, requested_at FROM one, numbers)
     INSERT INTO authorization_codes (environment_id, code_hash, grant_id, redirect_uri, code_challenge, expires_at)
     SELECT environment_id, encode(sha256(('code-' || n)::bytea), 'hex'), to_char(n, 'FM00000000000000000000000000000000'), redirect_uri, $2, now() + interval '1 hour' FROM one, numbers`,
    [codes, challenge],
  );
  await client.end();
}

async function tokensFor(url: string, form: Form): Promise<{ refresh_token: string; access_token: string }> {
  return (await (await fetch(url, { method: 'POST', body: new URLSearchParams(form) })).json()) as {
    refresh_token: string;
    access_token: string;
  };
}

export function post(path: string, form: Form): LoadRequest {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', path, headers, body: new URLSearchParams(form).toString() };
}

export function get(path: string, headers: Record<string, string> = {}): LoadRequest {
  return { method: 'GET', path, headers, body: '' };
}
