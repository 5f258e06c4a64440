/**
 * Better Auth with its OAuth provider, as its documentation sets it up on PostgreSQL: ten connections as ours has, no rate
 * limit, which its own would be. As a program it serves; imported it makes the tables and what clients bring.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import pg from 'pg';
import { type Algorithm, CLIENTS, CODE_VERIFIER, RESOURCE, RESOURCE_SCOPES } from './node-oidc-provider.ts';

/** Where its endpoints begin. */
export const BASE_PATH = '/api/auth';
const SCOPES = ['openid', 'profile', 'email', 'offline_access'];

function createAuth(origin: string, database: pg.Pool, algorithm: Algorithm) {
  return betterAuth({
    baseURL: origin,
    basePath: BASE_PATH,
    secret: 'a secret that is as long as it has to be, and no less',
    database,
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: 'error', disabled: !import.meta.main }, // It would say that there are no tables before they are made.
    plugins: [
      jwt({
        disableSettingJwtHeader: true,
        jwks: { keyPairConfig: { alg: algorithm, ...(algorithm === 'RS256' && { modulusLength: 2048 }) } },
      }),
      oauthProvider({
        loginPage: '/sign-in',
        consentPage: '/consent',
        scopes: [...SCOPES, ...RESOURCE_SCOPES.split(' ')],
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
      }),
    ],
  });
}

/** The digest that it keeps of codes, tokens and secrets. */
const digest = (text: string) => createHash('sha256').update(text).digest('base64url');

/**
 * Makes the tables, the two clients, and codes: of one person named `code-0` and so on, for the API; and `person-0` and so
 * on, one of each of `count` people, for no API, so that the access token is the opaque one that userinfo takes.
 */
export async function seedBetterAuth(
  origin: string,
  databaseUrl: string,
  count: number,
  codes: number,
  algorithm: Algorithm,
): Promise<void> {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  try {
    const auth = createAuth(origin, pool, algorithm);
    await (await getMigrations(auth.options)).runMigrations();
    const { adapter, internalAdapter } = await auth.$context;
    const allowedScopes = [...SCOPES, ...RESOURCE_SCOPES.split(' ')];
    await adapter.create({ model: 'oauthResource', data: { identifier: RESOURCE, name: 'API', allowedScopes, createdAt: new Date() } });
    for (const client of Object.values(CLIENTS)) {
      await adapter.create({
        model: 'oauthClient',
        data: {
          clientId: client.client_id,
          clientSecret: digest(client.client_secret),
          name: client.client_id,
          redirectUris: client.redirect_uris,
          grantTypes: client.grant_types,
          tokenEndpointAuthMethod: client.token_endpoint_auth_method,
          scopes: client === CLIENTS.web ? allowedScopes : RESOURCE_SCOPES.split(' '),
          clientCredentialsScopes: client === CLIENTS.machine ? RESOURCE_SCOPES.split(' ') : [],
          createdAt: new Date(),
          updatedAt: new Date(),
        },
      });
      await adapter.create({ model: 'oauthClientResource', data: { clientId: client.client_id, resourceId: RESOURCE } });
    }
    const query = {
      client_id: CLIENTS.web.client_id,
      redirect_uri: CLIENTS.web.redirect_uris[0]!,
      response_type: 'code',
      code_challenge: digest(CODE_VERIFIER),
      code_challenge_method: 'S256',
    };
    for (let number = 0; number < count; number++) {
      const person = { name: `Bench ${number}`, email: `person-${number}@example.com`, emailVerified: true };
      const user = await internalAdapter.createUser(person, { method: 'email-password' });
      const session = await internalAdapter.createSession(user.id);
      const common = { type: 'authorization_code', userId: user.id, sessionId: session.id, authTime: Date.now() };
      const issue = (name: string, scope: string, resource?: readonly string[]) =>
        internalAdapter.createVerificationValue({
          identifier: digest(name),
          value: JSON.stringify({ ...common, query: { ...query, scope }, ...(resource && { resource }) }),
          expiresAt: new Date(Date.now() + 3_600_000),
        });
      await issue(`opaque-${number}`, SCOPES.join(' '));
      await issue(`person-${number}`, `${SCOPES.join(' ')} ${RESOURCE_SCOPES}`, [RESOURCE]);
    }
    await pool.query(
      `INSERT INTO verification (id, identifier, value, "expiresAt", "createdAt", "updatedAt")
       SELECT $3 || n, rtrim(translate(encode(sha256(('code-' || n)::bytea), 'base64'), '+/', '-_'), '='), value, "expiresAt", "createdAt", "updatedAt"
       FROM verification, generate_series(0, $2::int - 1) n WHERE identifier = $1`,
      [digest('person-0'), codes, randomUUID()],
    );
  } finally {
    await pool.end();
  }
}

if (import.meta.main) {
  const { DATABASE_URL, PORT, ALGORITHM } = process.env;
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
  const auth = createAuth(`http://127.0.0.1:${PORT}`, pool, ALGORITHM as Algorithm);
  createServer(toNodeHandler(auth)).listen(Number(PORT), '127.0.0.1');
}
