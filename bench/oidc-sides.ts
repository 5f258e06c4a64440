/** The sides of the suite `oidc`: how each is started and what its clients send, alike for all of them. */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { startGatehouse } from './gatehouse.ts';
import type { LoadRequest } from './load.ts';
import { type Algorithm, CLIENTS, CODE_VERIFIER, RESOURCE, RESOURCE_SCOPES, seedPeer } from './peers/node-oidc-provider.ts';
import { createDatabase, freePort, type Server, startServer } from './server.ts';
import type { Bench } from './suite.ts';

type Form = Readonly<Record<string, string>>;

export interface Side {
  readonly server: Server;
  readonly token: string;
  readonly machine: Form;
  readonly web: Form;
  /** One of each virtual user. */
  readonly refreshTokens: readonly string[];
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

export async function startOurs(bench: Bench, needs: Needs): Promise<Side> {
  const { algorithm, users, codes } = needs;
  const databaseUrl = await createDatabase(bench.postgres, `gatehouse_${algorithm.toLowerCase()}`);
  const gatehouse = await startGatehouse(bench, databaseUrl);
  if (algorithm !== 'RS256') await gatehouse.signWith(algorithm);
  const credentials = (type: string) => {
    const { clientId, clientSecret } = gatehouse.quickstart.applications.find((application) => application.type === type)!;
    return { client_id: clientId, client_secret: clientSecret! };
  };
  const web = credentials('reg');
  const first = await gatehouse.signIn(users);
  await multiplyCodes(databaseUrl, codes);
  const tokens = await Promise.all(first.map((token) => refreshed(`${gatehouse.server.origin}/oauth2/token`, token, web)));
  return {
    server: gatehouse.server,
    token: '/oauth2/token',
    machine: { ...credentials('m2m'), audience: 'https://api.acme.test' },
    web,
    refreshTokens: tokens.map(({ refresh_token }) => refresh_token),
    accessTokens: tokens.map(({ access_token }) => access_token),
    code: (number) => ({ code: `code-${number}`, redirect_uri: gatehouse.callbackUrl, code_verifier: CODE_VERIFIER }),
    introspection: '/oauth2/introspect',
    userinfo: '/oauth2/v2/user_profile',
    discovery: '/.well-known/openid-configuration',
  };
}

export async function startPeer(bench: Bench, { algorithm, users, codes }: Needs): Promise<Side> {
  const databaseUrl = await createDatabase(bench.postgres, `node_oidc_provider_${algorithm.toLowerCase()}`);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const { refreshTokens, accessTokens } = await seedPeer(origin, databaseUrl, users, codes, algorithm);
  const environment = { DATABASE_URL: databaseUrl, PORT: String(port), ALGORITHM: algorithm };
  const credentials = ({ client_id, client_secret }: (typeof CLIENTS)['web' | 'machine']) => ({ client_id, client_secret });
  return {
    server: await startServer(bench.machine, 'bench/peers/node-oidc-provider.ts', origin, environment),
    token: '/token',
    machine: { ...credentials(CLIENTS.machine), resource: RESOURCE, scope: RESOURCE_SCOPES },
    web: credentials(CLIENTS.web),
    refreshTokens,
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

async function refreshed(url: string, token: string, client: Form): Promise<{ refresh_token: string; access_token: string }> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, ...client });
  return (await (await fetch(url, { method: 'POST', body })).json()) as { refresh_token: string; access_token: string };
}

export function post(path: string, form: Form): LoadRequest {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { method: 'POST', path, headers, body: new URLSearchParams(form).toString() };
}

export function get(path: string, headers: Record<string, string> = {}): LoadRequest {
  return { method: 'GET', path, headers, body: '' };
}
