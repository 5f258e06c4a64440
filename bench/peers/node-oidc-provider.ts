/**
 * node-oidc-provider with a PostgreSQL adapter: one table with a row for each model, prepared statements, ten
 * connections as ours has. As a program it serves; imported it seeds, through the provider's own models.
 */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import pg from 'pg';

export const RESOURCE = 'https://api.example.com';
export const RESOURCE_SCOPES = 'read:invoices write:invoices';

const MACHINE = {
  client_id: 'machine',
  client_secret: 'a-secret-that-is-as-long-as-the-ones-of-our-own-side',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_post',
};
const WEB = {
  client_id: 'web',
  client_secret: 'a-secret-that-is-as-long-as-the-ones-of-our-own-side',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: ['https://app.example.com/callback'],
  token_endpoint_auth_method: 'client_secret_post',
};
export const CLIENTS = { machine: MACHINE, web: WEB };

/** As a client library makes it; every code is for its challenge. */
export const CODE_VERIFIER = 'a-code-verifier-that-is-long-enough-for-the-rfc';

export type Algorithm = 'RS256' | 'ES256';

const SCHEMA = `CREATE TABLE oidc_models (
    id text NOT NULL, type text NOT NULL, payload jsonb NOT NULL, grant_id text, user_code text, uid text,
    expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (id, type));
  CREATE INDEX ON oidc_models (grant_id);
  CREATE INDEX ON oidc_models (uid)`;

type Payload = Record<string, unknown> & { grantId?: string; userCode?: string; uid?: string };
type Row = { payload: Payload; expires_at: Date | null; consumed_at: Date | null };

function createAdapter(pool: pg.Pool) {
  const query = async (name: string, text: string, values: unknown[]) => (await pool.query<Row>({ name, text, values })).rows;
  const found = ([row]: Row[]): Payload | undefined => {
    if (!row || (row.expires_at && row.expires_at < new Date())) return undefined;
    return { ...row.payload, ...(row.consumed_at && { consumed: Math.floor(row.consumed_at.getTime() / 1000) }) };
  };
  const columns = 'payload, expires_at, consumed_at';
  return (type: string) => ({
    async upsert(id: string, payload: Payload, expiresIn?: number) {
      await query(
        'upsert',
        `INSERT INTO oidc_models (id, type, payload, grant_id, user_code, uid, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id, type) DO UPDATE SET payload = $3, grant_id = $4, user_code = $5, uid = $6, expires_at = $7`,
        [
          id,
          type,
          payload,
          payload.grantId ?? null,
          payload.userCode ?? null,
          payload.uid ?? null,
          expiresIn ? new Date(Date.now() + expiresIn * 1000) : null,
        ],
      );
    },
    find: async (id: string) => found(await query('find', `SELECT ${columns} FROM oidc_models WHERE id = $1 AND type = $2`, [id, type])),
    findByUid: async (uid: string) =>
      found(await query('find-by-uid', `SELECT ${columns} FROM oidc_models WHERE uid = $1 AND type = $2`, [uid, type])),
    findByUserCode: async (code: string) =>
      found(await query('find-by-user-code', `SELECT ${columns} FROM oidc_models WHERE user_code = $1 AND type = $2`, [code, type])),
    async consume(id: string) {
      await query('consume', 'UPDATE oidc_models SET consumed_at = now() WHERE id = $1 AND type = $2', [id, type]);
    },
    async destroy(id: string) {
      await query('destroy', 'DELETE FROM oidc_models WHERE id = $1 AND type = $2', [id, type]);
    },
    async revokeByGrantId(grantId: string) {
      await query('revoke', 'DELETE FROM oidc_models WHERE grant_id = $1', [grantId]);
    },
  });
}

function createProvider(issuer: string, pool: pg.Pool, algorithm: Algorithm): Provider {
  const { privateKey } =
    algorithm === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const provider = new Provider(issuer, {
    adapter: createAdapter(pool),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: algorithm, use: 'sig' }] },
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    scopes: ['openid', 'offline_access', 'profile', 'email', ...RESOURCE_SCOPES.split(' ')],
    claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name'], email: ['email', 'email_verified'] },
    ttl: { AccessToken: 3600, ClientCredentials: 3600, IdToken: 3600, RefreshToken: 86_400, Grant: 86_400 },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    cookies: { keys: ['a key that signs no cookie in these works'] },
    findAccount: (_ctx: object, id: string) => ({
      accountId: id,
      claims: async () => ({
        sub: id,
        name: `Bench ${id}`,
        given_name: 'Bench',
        family_name: id,
        email: `${id}@example.com`,
        email_verified: true,
      }),
    }),
    features: {
      devInteractions: { enabled: process.env['PAGES'] === 'on' },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: RESOURCE_SCOPES,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3600,
          jwt: { sign: { alg: algorithm } },
        }),
      },
    },
  });
  provider.on('server_error', (_ctx, error) => console.error(error));
  return provider;
}

export interface PeerTokens {
  /** One of each person. */
  readonly refreshTokens: readonly string[];
  /** Opaque, for userinfo: as the peer issues them where no API is asked for. */
  readonly accessTokens: readonly string[];
  /** Codes are named `code-0` and so on. */
  readonly codes: number;
}

/** Makes the table, the two clients, `count` people's grants and `codes` authorization codes. */
export async function seedNodeOidcProvider(
  issuer: string,
  databaseUrl: string,
  count: number,
  codes: number,
  algorithm: Algorithm,
): Promise<PeerTokens> {
  const pool = new pg.Pool({ connectionString: databaseUrl });
  try {
    await pool.query(SCHEMA);
    for (const client of [MACHINE, WEB]) await createAdapter(pool)('Client').upsert(client.client_id, client);
    const provider = createProvider(issuer, pool, algorithm);
    const client = await provider.Client.find(WEB.client_id);
    const refreshTokens: string[] = [];
    const accessTokens: string[] = [];
    for (let number = 0; number < count; number++) {
      const accountId = `person-${number}`;
      const grant = new provider.Grant({ clientId: WEB.client_id, accountId });
      grant.addOIDCScope('openid offline_access profile email');
      grant.addResourceScope(RESOURCE, RESOURCE_SCOPES);
      const now = Math.floor(Date.now() / 1000);
      const scope = 'openid offline_access profile email';
      const common = { client, accountId, grantId: await grant.save(), gty: 'authorization_code', claims: {}, authTime: now };
      const withApi = { ...common, scope: `${scope} ${RESOURCE_SCOPES}`, resource: RESOURCE };
      refreshTokens.push(await new provider.RefreshToken({ ...withApi, iiat: now, rotations: 0 }).save());
      accessTokens.push(await new provider.AccessToken({ ...common, scope }).save());
      if (number > 0) continue;
      const codeChallenge = createHash('sha256').update(CODE_VERIFIER).digest('base64url');
      const pkce = { codeChallenge, codeChallengeMethod: 'S256' };
      const code = await new provider.AuthorizationCode({ ...withApi, ...pkce, redirectUri: WEB.redirect_uris[0] }).save();
      await pool.query(
        `INSERT INTO oidc_models (id, type, payload, grant_id, expires_at)
         SELECT 'code-' || n, type, payload || jsonb_build_object('jti', 'code-' || n, 'exp', (payload ->> 'exp')::int + 3600), grant_id, now() + interval '1 hour'
         FROM oidc_models, generate_series(0, $2::int - 1) n WHERE id = $1 AND type = 'AuthorizationCode'`,
        [code, codes],
      );
    }
    return { refreshTokens, accessTokens, codes };
  } finally {
    await pool.end();
  }
}

if (import.meta.main) {
  const { DATABASE_URL, PORT, ALGORITHM } = process.env;
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
  const provider = createProvider(`http://127.0.0.1:${PORT}`, pool, ALGORITHM as Algorithm);
  createServer(provider.callback()).listen(Number(PORT), '127.0.0.1');
}
