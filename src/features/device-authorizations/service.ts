/**
 * Device authorizations (RFC 8628): a device asks, shows a short code, and polls; a person types the code elsewhere and
 * decides. What must stay true: a code is decided once and consumed once; and a device waits longer each time that it does not wait.
 */
import { later } from '../../kernel/clock.ts';
import { randomConsonants, randomToken } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import type { Context, Infrastructure } from '../context.ts';
import { createGrant, GRANT_COLUMNS, type Grant } from '../grants/service.ts';
import { heldApiScopes } from '../held-scopes/service.ts';
import type { Attempt } from '../sign-in-attempts/service.ts';

/** Seconds that a device's codes live. */
export const DEVICE_SECONDS = 600;
/** Seconds between two polls, to begin with. */
export const POLL_SECONDS = 5;

/** What a device asks for. */
export interface DeviceRequest {
  readonly environmentId: string;
  readonly applicationId: string;
  readonly scopes: readonly string[];
  readonly apiScopes: readonly string[];
  readonly audiences: readonly string[];
}

/** Records what a device asks for, and returns its two codes: a secret for itself, and one for the person. */
export async function startDeviceAuthorization(
  { database, clock }: Infrastructure,
  { environmentId, applicationId, scopes, apiScopes, audiences }: DeviceRequest,
): Promise<{ deviceCode: string; userCode: string }> {
  const now = clock.now();
  const codes = { deviceCode: `dc_${randomToken()}`, userCode: randomConsonants(8) };
  await database.query(
    'start-device',
    `INSERT INTO device_authorizations (environment_id, device_code_hash, user_code, application_id, scopes, api_scopes, audiences, poll_interval, requested_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, ${POLL_SECONDS}, $8, $9)`,
    [environmentId, sha256(codes.deviceCode), codes.userCode, applicationId, scopes, apiScopes, audiences, now, later(now, DEVICE_SECONDS)],
  );
  return codes;
}

/** What a person typed as a device's code: case, spaces and dashes do not matter. */
export function normalizedUserCode(typed: string): string {
  return typed.toUpperCase().replace(/[\s\p{P}]/gu, '');
}

function undecided(ctx: Context, environmentId: string, userCode: string) {
  return { environmentId, userCode, grantId: null, deniedAt: null, consumedAt: null, expiresAt: { gt: ctx.clock.now() } };
}

/** The application, and what is asked for, of a code that waits for a decision; undefined for every other. */
export async function findWaitingDevice(ctx: Context, environmentId: string, userCode: string): Promise<DeviceRequest | undefined> {
  return (await ctx.db.deviceAuthorization.findFirst({ where: undecided(ctx, environmentId, userCode) })) ?? undefined;
}

/** What the person is asked to allow. */
export interface DeviceToConfirm {
  readonly userCode: string;
  readonly scopes: readonly string[];
  readonly apiScopes: readonly string[];
}

/** What the attempt's person would allow; undefined once the code is decided or has expired. */
export async function deviceToConfirm(
  ctx: Context,
  { environmentId, request, userId, organizationId }: Attempt,
): Promise<DeviceToConfirm | undefined> {
  const { userCode } = request;
  const device = userCode && userId ? await findWaitingDevice(ctx, environmentId, userCode) : undefined;
  if (!device) return undefined;
  const apiScopes = await heldApiScopes(ctx, environmentId, { ...device, userId: userId!, organizationId }, device.apiScopes);
  return { userCode: userCode!, scopes: device.scopes, apiScopes };
}

/** Lets the device have what it asked for, with those scopes of APIs that were confirmed; false when the code is not waiting any more. */
export async function allowDevice(
  ctx: Context,
  environmentId: string,
  { userCode, apiScopes }: DeviceToConfirm,
  session: { readonly id: string; readonly userId: string; readonly authTime: Date; readonly amr: readonly string[] },
  organizationId: string | null,
): Promise<boolean> {
  const where = undecided(ctx, environmentId, userCode);
  const device = await ctx.db.deviceAuthorization.findFirst({ where });
  if (!device) return false;
  const { applicationId, audiences, requestedAt } = device;
  const { userId, authTime, amr } = session;
  const grantId = await createGrant(ctx, {
    environmentId,
    applicationId,
    userId,
    organizationId,
    sessionId: session.id,
    scopes: [...device.scopes, ...apiScopes],
    audiences,
    authTime,
    amr,
    requestedAt,
  });
  const { count } = await ctx.db.deviceAuthorization.updateMany({ where, data: { grantId } });
  return count === 1;
}

/** Refuses the device; false when the code is not waiting any more. */
export async function refuseDevice(ctx: Context, environmentId: string, userCode: string): Promise<boolean> {
  const { count } = await ctx.db.deviceAuthorization.updateMany({
    where: undecided(ctx, environmentId, userCode),
    data: { deniedAt: ctx.clock.now() },
  });
  return count === 1;
}

interface Polled extends Omit<Grant, 'grantId'> {
  readonly grantId: string | null;
  readonly expiresAt: Date;
  readonly deniedAt: Date | null;
  readonly consumedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly isTooSoon: boolean;
}

/** Where a device's authorization stands. */
export type DeviceState = { readonly grant: Grant } | 'unknown' | 'consumed' | 'expired' | 'refused' | 'pending' | 'too_soon';

// The row is locked first, so that of two polls at once the second one is too soon.
const POLL = `WITH known AS (
    SELECT * FROM device_authorizations WHERE environment_id = $1 AND device_code_hash = $2 AND application_id = $3 FOR UPDATE
  ), judged AS (
    SELECT known.*, coalesce(polled_at > $4::timestamptz - make_interval(secs => poll_interval), false) AS is_too_soon FROM known
  ), polled AS (
    UPDATE device_authorizations d SET polled_at = $4, poll_interval = j.poll_interval + CASE WHEN j.is_too_soon THEN ${POLL_SECONDS} ELSE 0 END
    FROM judged j WHERE d.environment_id = $1 AND d.device_code_hash = $2 AND j.grant_id IS NULL AND j.denied_at IS NULL
  ) SELECT ${GRANT_COLUMNS}, j.expires_at AS "expiresAt", j.denied_at AS "deniedAt", j.consumed_at AS "consumedAt", j.is_too_soon AS "isTooSoon"
    FROM judged j LEFT JOIN grants g ON g.environment_id = j.environment_id AND g.id = j.grant_id`;

/** Notes that a device asks, and says how it stands. */
export async function pollDevice(
  { database, clock }: Infrastructure,
  environmentId: string,
  applicationId: string,
  deviceCode: string,
): Promise<DeviceState> {
  const now = clock.now();
  const [row] = await database.query<Polled>('poll-device', POLL, [environmentId, sha256(deviceCode), applicationId, now]);
  if (!row) return 'unknown';
  if (row.consumedAt) return 'consumed';
  if (row.expiresAt <= now) return 'expired';
  if (row.deniedAt || row.revokedAt) return 'refused';
  if (row.grantId !== null) return { grant: { ...row, grantId: row.grantId } };
  return row.isTooSoon ? 'too_soon' : 'pending';
}

/**
 * Consumes an allowed device code, and starts the family's refresh tokens when `refreshTokenLifetime` (seconds) is
 * given, bound to the key with the thumbprint `dpopJkt` when that is.
 * @returns the first refresh token ('' without one), or undefined when somebody consumed the code before
 */
export async function consumeDeviceCode(
  { database, clock }: Infrastructure,
  environmentId: string,
  deviceCode: string,
  refreshTokenLifetime: number | undefined,
  dpopJkt: string | undefined,
): Promise<string | undefined> {
  const now = clock.now();
  const token = refreshTokenLifetime === undefined ? '' : randomToken();
  const rows = await database.query(
    'consume-device-code',
    `WITH consumed AS (
       UPDATE device_authorizations SET consumed_at = $3 WHERE environment_id = $1 AND device_code_hash = $2 AND consumed_at IS NULL RETURNING grant_id
     ), first AS (
       INSERT INTO refresh_tokens (environment_id, token_hash, grant_id, created_at, expires_at)
       SELECT $1, $4, grant_id, $3, $5 FROM consumed WHERE $4 <> ''
     ), bound AS (
       UPDATE grants g SET dpop_jkt = $6 FROM consumed WHERE g.environment_id = $1 AND g.id = consumed.grant_id AND $6::text IS NOT NULL
     ) SELECT grant_id FROM consumed`,
    [environmentId, sha256(deviceCode), now, token && sha256(token), later(now, refreshTokenLifetime ?? 0), dpopJkt ?? null],
  );
  return rows.length === 1 ? token : undefined;
}

/** Deletes what no device can use any more, in one small batch. Returns the number of rows. */
export async function deleteExpiredDevices({ database, clock }: Infrastructure, batch = 1000): Promise<number> {
  const rows = await database.query(
    'delete-devices',
    'DELETE FROM device_authorizations WHERE (environment_id, device_code_hash) IN (SELECT environment_id, device_code_hash FROM device_authorizations WHERE expires_at < $1 LIMIT $2) RETURNING 1',
    [later(clock.now(), -3600), batch],
  );
  return rows.length;
}
