/**
 * Grants: what a person allowed an application in one authorization, with the code and the refresh tokens born of it.
 * What must stay true: a code is consumed once; a refresh token has exactly one successor; once a grant is revoked
 * nothing of its family works; and nothing here is kept in a form that could be presented again.
 */
import { later } from '../../kernel/clock.ts';
import { randomToken, sortableHex } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction } from '../context.ts';
import { deleteExpiredRevocations } from './access-tokens.ts';
import { type Subject, subjectSql } from './subject.ts';

export { grantIdIn, liveTokenSql } from './access-tokens.ts';

/** Seconds an authorization code lives. */
export const CODE_SECONDS = 60;

export interface Grant {
  readonly grantId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly organizationId: string | null;
  readonly sessionId: string | null;
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  /** Seconds since 1970. */
  readonly authTime: number;
  /** By which methods the person was proved (RFC 8176). */
  readonly amr: readonly string[];
  readonly requestedAt: number;
  /** The thumbprint of the key that its refresh tokens are bound to (RFC 9449 §5). */
  readonly dpopJkt: string | null;
}

export interface CreateGrantInput extends Omit<Grant, 'grantId' | 'authTime' | 'requestedAt' | 'dpopJkt'> {
  readonly authTime: Date;
  readonly requestedAt: Date;
  readonly environmentId: string;
}

/** Records what a person allowed, and returns the grant's id. */
export async function createGrant(ctx: Context, { scopes, audiences, amr, ...grant }: CreateGrantInput): Promise<string> {
  const id = sortableHex();
  await ctx.db.grant.create({ data: { ...grant, id, scopes: [...scopes], audiences: [...audiences], amr: [...amr] } });
  return id;
}

export interface IssueCodeInput extends CreateGrantInput {
  readonly redirectUri: string;
  readonly codeChallenge: string | null;
  readonly nonce: string | null;
  /** The thumbprint of the key that has to be proved with the code (RFC 9449 §10). */
  readonly dpopJkt?: string | null;
}

/** Records the grant and returns its authorization code, which lives {@link CODE_SECONDS}. */
export async function issueCode(ctx: Context, input: IssueCodeInput): Promise<string> {
  const { redirectUri, codeChallenge, nonce, dpopJkt, ...grant } = input;
  const { environmentId } = grant;
  const code = randomToken();
  const id = await createGrant(ctx, grant);
  await ctx.db.authorizationCode.create({
    data: {
      environmentId,
      codeHash: sha256(code),
      grantId: id,
      redirectUri,
      codeChallenge,
      nonce,
      dpopJkt: dpopJkt ?? null,
      expiresAt: later(ctx.clock.now(), CODE_SECONDS),
    },
  });
  return code;
}

/** The organization of the user's last authorization in one, of all or of those in a session. */
export async function lastOrganizationOf(
  ctx: Context,
  environmentId: string,
  of: { readonly userId: string; readonly sessionId?: string },
): Promise<string | undefined> {
  const last = await ctx.db.grant.findFirst({
    where: { environmentId, ...of, organizationId: { not: null } },
    orderBy: { id: 'desc' },
    select: { organizationId: true },
  });
  return last?.organizationId ?? undefined;
}

/** SQL for the columns of a {@link Grant} `g`, and when it was revoked. */
export const GRANT_COLUMNS = `g.id AS "grantId", g.application_id AS "applicationId", g.user_id AS "userId", g.organization_id AS "organizationId",
  g.session_id AS "sessionId", g.scopes, g.audiences, g.amr, floor(extract(epoch FROM g.auth_time))::int AS "authTime", floor(extract(epoch FROM g.requested_at))::int AS "requestedAt", g.revoked_at AS "revokedAt", g.dpop_jkt AS "dpopJkt"`;

export interface PresentedCode extends Grant {
  readonly codeJkt: string | null;
  readonly redirectUri: string;
  readonly codeChallenge: string | null;
  readonly nonce: string | null;
  readonly expiresAt: Date;
  readonly consumedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The code's record, whatever its state; undefined for a code this environment never issued. */
export async function findCode(infrastructure: Infrastructure, environmentId: string, code: string): Promise<PresentedCode | undefined> {
  const rows = await infrastructure.database.query<PresentedCode>(
    'find-code',
    `SELECT ${GRANT_COLUMNS}, c.redirect_uri AS "redirectUri", c.code_challenge AS "codeChallenge", c.nonce, c.dpop_jkt AS "codeJkt", c.expires_at AS "expiresAt", c.consumed_at AS "consumedAt"
     FROM authorization_codes c JOIN grants g ON g.environment_id = c.environment_id AND g.id = c.grant_id
     WHERE c.environment_id = $1 AND c.code_hash = $2`,
    [environmentId, sha256(code)],
  );
  return rows[0];
}

/**
 * Consumes a code, and starts the family's refresh tokens when `refreshTokenLifetime` (seconds) is given, bound to the
 * key with the thumbprint `dpopJkt` when that is.
 * @returns the first refresh token ('' without one), or undefined when somebody consumed the code before
 */
export async function consumeCode(
  infrastructure: Infrastructure,
  environmentId: string,
  code: string,
  refreshTokenLifetime: number | undefined,
  dpopJkt?: string,
): Promise<string | undefined> {
  const now = infrastructure.clock.now();
  const token = refreshTokenLifetime === undefined ? '' : randomToken();
  const rows = await infrastructure.database.query(
    'consume-code',
    `WITH consumed AS (
       UPDATE authorization_codes SET consumed_at = $3 WHERE environment_id = $1 AND code_hash = $2 AND consumed_at IS NULL RETURNING grant_id
     ), first AS (
       INSERT INTO refresh_tokens (environment_id, token_hash, grant_id, created_at, expires_at)
       SELECT $1, $4, grant_id, $3, $5 FROM consumed WHERE $4 <> ''
     ), bound AS (
       UPDATE grants g SET dpop_jkt = $6 FROM consumed WHERE g.environment_id = $1 AND g.id = consumed.grant_id AND $6::text IS NOT NULL
     ) SELECT grant_id FROM consumed`,
    [environmentId, sha256(code), now, token && sha256(token), later(now, refreshTokenLifetime ?? 0), dpopJkt ?? null],
  );
  return rows.length === 1 ? token : undefined;
}

export interface FoundRefreshToken extends Grant {
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly rotatedAt: Date | null;
  readonly revokedAt: Date | null;
}

/** The refresh token's record, whatever its state; undefined for one this environment never issued. */
export async function findRefreshToken(
  infrastructure: Infrastructure,
  environmentId: string,
  token: string,
): Promise<FoundRefreshToken | undefined> {
  const [row] = await infrastructure.database.query<FoundRefreshToken>(
    'find-refresh-token',
    `SELECT ${GRANT_COLUMNS}, t.created_at AS "createdAt", t.expires_at AS "expiresAt", t.rotated_at AS "rotatedAt"
     FROM refresh_tokens t JOIN grants g ON g.environment_id = t.environment_id AND g.id = t.grant_id
     WHERE t.environment_id = $1 AND t.token_hash = $2`,
    [environmentId, sha256(token)],
  );
  return row;
}

/** As the database writes it into JSON: moments are ISO 8601 text. */
interface PresentedToken extends Grant {
  readonly expiresAt: string;
  readonly rotatedAt: string | null;
  readonly revokedAt: string | null;
}

interface Presentation {
  readonly token: PresentedToken;
  readonly wasRotated: boolean;
  /** Null for a deleted user. */
  readonly subject: Subject | null;
}

/** Why a refresh token was not honoured; for the log, the client learns only that the grant is invalid. */
export type RefreshRefusal = 'unknown' | 'other_client' | 'other_key' | 'revoked' | 'expired' | 'replayed';

// The update waits for a rival's commit and then sees its rotation: of any number of parallel calls one rotates.
const ROTATE = `WITH presented AS (
    SELECT ${GRANT_COLUMNS}, t.expires_at AS "expiresAt", t.rotated_at AS "rotatedAt"
    FROM refresh_tokens t JOIN grants g ON g.environment_id = t.environment_id AND g.id = t.grant_id
    WHERE t.environment_id = $1 AND t.token_hash = $2
  ), rotated AS (
    UPDATE refresh_tokens t SET rotated_at = $4 FROM presented p
    WHERE t.environment_id = $1 AND t.token_hash = $2 AND t.rotated_at IS NULL AND t.expires_at > $4
      AND p."revokedAt" IS NULL AND p."applicationId" = $3 AND (p."dpopJkt" IS NULL OR p."dpopJkt" = $9)
    RETURNING t.grant_id
  ), successor AS (
    INSERT INTO refresh_tokens (environment_id, token_hash, grant_id, created_at, expires_at)
    SELECT $1, $5, grant_id, $4, $6 FROM rotated
  ), active AS (
    UPDATE sessions s SET last_active_at = $4 FROM presented p, rotated
    WHERE s.environment_id = $1 AND s.id = p."sessionId" AND s.last_active_at <= $7
      AND s.last_active_at > coalesce((SELECT $4::timestamptz - make_interval(secs => o.session_inactivity_timeout) FROM organizations o
        WHERE o.environment_id = $1 AND o.id = p."organizationId" AND o.is_advanced), $8)
  ) SELECT row_to_json(presented) AS token, EXISTS (SELECT 1 FROM rotated) AS "wasRotated",
    (${subjectSql('$1', 'presented."userId"', 'presented."organizationId"')}) AS subject FROM presented`;

/**
 * Rotates a refresh token, and reads whom it is for in the same statement. It counts as activity in a session that is
 * not over for the application. A token's successor is derived from it under the server's key, so that a replay within the
 * grace window gets the same one again though only digests are kept. Later than that a replay revokes the family
 * (RFC 9700 §4.14.2).
 * @param input lifetime: seconds the successor lives; gracePeriod: seconds in which a replay gets it; inactivityTimeout: seconds
 * after which a session is over without activity
 */
export async function rotateRefreshToken(
  infrastructure: Infrastructure,
  input: {
    environmentId: string;
    businessId: string;
    applicationId: string;
    token: string;
    lifetime: number;
    gracePeriod: number;
    inactivityTimeout: number;
    /** The thumbprint of the key that was proved. */
    dpopJkt: string | undefined;
  },
): Promise<{ grant: Grant; subject: Subject | null; refreshToken: string } | { refused: RefreshRefusal }> {
  const { environmentId, applicationId, token } = input;
  const now = infrastructure.clock.now();
  const successor = successorOf(infrastructure, token);
  const [row] = await infrastructure.database.query<Presentation>('rotate-refresh-token', ROTATE, [
    environmentId,
    sha256(token),
    applicationId,
    now,
    sha256(successor),
    later(now, input.lifetime),
    later(now, -60),
    later(now, -input.inactivityTimeout),
    input.dpopJkt ?? null,
  ]);
  if (!row) return { refused: 'unknown' };
  const { token: grant, subject } = row;
  if (grant.applicationId !== applicationId) return { refused: 'other_client' };
  if (grant.dpopJkt !== null && grant.dpopJkt !== input.dpopJkt) return { refused: 'other_key' };
  if (grant.revokedAt) return { refused: 'revoked' };
  if (row.wasRotated) return { grant, subject, refreshToken: successor };
  if (new Date(grant.expiresAt) <= now) return { refused: 'expired' };
  if (grant.rotatedAt && new Date(grant.rotatedAt) < later(now, -input.gracePeriod)) {
    await revokeGrant(createContext(infrastructure, { kind: 'system', name: 'refresh' }), {
      ...input,
      grantId: grant.grantId,
      reason: 'refresh_token_replayed',
    });
    return { refused: 'replayed' };
  }
  return { grant, subject, refreshToken: await youngest(infrastructure, environmentId, successor) };
}

/** The end of the chain that starts at `token`: whoever comes late in the grace window gets what is current. */
async function youngest(infrastructure: Infrastructure, environmentId: string, token: string): Promise<string> {
  for (let current = token, steps = 0; steps < 100; steps++) {
    const [row] = await infrastructure.database.query<{ rotated: boolean }>(
      'is-rotated',
      'SELECT rotated_at IS NOT NULL AS rotated FROM refresh_tokens WHERE environment_id = $1 AND token_hash = $2',
      [environmentId, sha256(current)],
    );
    if (!row?.rotated) return current;
    current = successorOf(infrastructure, current);
  }
  return token;
}

function successorOf(infrastructure: Infrastructure, token: string): string {
  return infrastructure.vault.mac('refresh token successor', token).toString('base64url');
}

/** Ends a grant and its whole family at once. */
export async function revokeGrant(
  ctx: Context,
  input: { environmentId: string; businessId: string; grantId: string; reason: string },
): Promise<void> {
  const { environmentId, businessId, grantId, reason } = input;
  await inTransaction(ctx, async (tx) => {
    const { count } = await tx.db.grant.updateMany({
      where: { environmentId, id: grantId, revokedAt: null },
      data: { revokedAt: tx.clock.now() },
    });
    if (count === 1)
      await audit(tx, { businessId, environmentId, action: 'grant.revoked', target: { type: 'grant', id: grantId }, details: { reason } });
  });
}

/** Whose grants: of a user, an application, an organization or a session; of the whole environment when nothing is said. */
export type GrantOwner = Partial<Record<'userId' | 'applicationId' | 'organizationId' | 'sessionId', string>>;

/** Ends every living grant of `owner` in the environment, and with them their refresh tokens. */
export async function revokeGrants(ctx: Context, environmentId: string, owner: GrantOwner): Promise<void> {
  const now = ctx.clock.now();
  const living = { environmentId, ...owner, revokedAt: null };
  if (ctx.effects)
    ctx.effects.tokens += await ctx.db.refreshToken.count({
      where: { environmentId, rotatedAt: null, expiresAt: { gt: now }, grant: living },
    });
  await ctx.db.grant.updateMany({ where: living, data: { revokedAt: now } });
}

/**
 * Deletes what can never be used again, in small batches. A grant stays as long as an access token born of it may live.
 * Returns the number of rows.
 */
export async function deleteExpiredGrants(infrastructure: Infrastructure, batch = 1000): Promise<number> {
  const now = infrastructure.clock.now();
  const codes = await infrastructure.database.query(
    'delete-codes',
    `DELETE FROM authorization_codes WHERE (environment_id, code_hash) IN (SELECT environment_id, code_hash FROM authorization_codes WHERE expires_at < $1 LIMIT $2) RETURNING 1`,
    [later(now, -3600), batch],
  );
  const tokens = await infrastructure.database.query(
    'delete-refresh-tokens',
    `DELETE FROM refresh_tokens WHERE (environment_id, token_hash) IN (SELECT environment_id, token_hash FROM refresh_tokens WHERE expires_at < $1 LIMIT $2) RETURNING 1`,
    [now, batch],
  );
  // All grants have to be read for those that are over: once, when what hangs on them is gone.
  if (codes.length === batch || tokens.length === batch) return codes.length + tokens.length;
  const grants = await infrastructure.database.query(
    'delete-grants',
    `DELETE FROM grants WHERE (environment_id, id) IN (SELECT g.environment_id, g.id FROM grants g JOIN applications a ON a.environment_id = g.environment_id AND a.id = g.application_id
     WHERE g.created_at < $1::timestamptz - make_interval(secs => a.access_token_lifetime)
       AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.environment_id = g.environment_id AND t.grant_id = g.id)
       AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.environment_id = g.environment_id AND c.grant_id = g.id) LIMIT $2) RETURNING 1`,
    [later(now, -3600), batch],
  );
  return codes.length + tokens.length + grants.length + (await deleteExpiredRevocations(infrastructure, batch));
}
