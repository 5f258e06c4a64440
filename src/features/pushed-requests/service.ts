/**
 * Pushed authorization requests (RFC 9126): what an application handed in by itself, for a browser that it sends with
 * nothing but a name for it. Each is fetched once, by its own application.
 */
import { deleteExpiredRows } from '../../db/expired-rows.ts';
import { later } from '../../kernel/clock.ts';
import { randomToken } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { applicationIdOf } from '../applications/service.ts';
import type { Infrastructure } from '../context.ts';

/** Seconds in which a pushed request can be fetched. */
export const PUSHED_REQUEST_SECONDS = 90;

const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const PURPOSE = 'pushed authorization request';

/** Keeps the parameters of a request.
 * @returns its `request_uri` */
export async function keepPushedRequest(
  { database, vault, clock }: Infrastructure,
  input: { environmentId: string; applicationId: string; parameters: string },
): Promise<string> {
  const { environmentId, applicationId, parameters } = input;
  const uri = `${PREFIX}${randomToken()}`;
  await database.query(
    'keep-pushed-request',
    'INSERT INTO pushed_requests (environment_id, request_hash, application_id, parameters, expires_at) VALUES ($1, $2, $3, $4, $5)',
    [environmentId, sha256(uri), applicationId, vault.seal(PURPOSE, parameters), later(clock.now(), PUSHED_REQUEST_SECONDS)],
  );
  return uri;
}

/** Is this the form of a `request_uri` of ours? */
export function isPushedRequestUri(uri: string): boolean {
  return uri.startsWith(PREFIX) && /^[A-Za-z0-9_-]{43}$/.test(uri.slice(PREFIX.length));
}

/** Takes a request's parameters, which only the first one gets that asks as its client; undefined for everybody else. */
export async function takePushedRequest(
  { database, vault, clock }: Infrastructure,
  environmentId: string,
  clientId: string,
  uri: string,
): Promise<string | undefined> {
  const [taken] = await database.query<{ parameters: string }>(
    'take-pushed-request',
    'DELETE FROM pushed_requests WHERE environment_id = $1 AND request_hash = $2 AND application_id = $3 AND expires_at > $4 RETURNING parameters',
    [environmentId, sha256(uri), applicationIdOf(clientId) ?? '', clock.now()],
  );
  return taken && vault.open(PURPOSE, taken.parameters);
}

/** Deletes requests that nobody fetched, in one small batch. Returns the number of rows. */
export function deleteExpiredPushedRequests(infrastructure: Infrastructure): Promise<number> {
  return deleteExpiredRows(infrastructure, { table: 'pushed_requests', key: 'request_hash', until: 'expires_at' });
}
