/** How failures are told: which status they have, which headers, and for the protocol's endpoints which JSON. */
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestClass } from '../config.ts';
import { isDatabaseAway } from '../db/client.ts';
import type { Infrastructure } from '../features/context.ts';
import type { RateLimitRefusal, Requester } from '../features/rate-limits/service.ts';
import { describe, OAuthError, type OAuthErrorCode, type PageErrorName } from '../oidc/errors.ts';
import { SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';

export type Headers = Readonly<Record<string, string | number>>;

/** There were more requests in a minute than may be. */
export class RateLimitError extends Error {
  readonly refusal: RateLimitRefusal;

  constructor(refusal: RateLimitRefusal) {
    super(`There were too many requests. Try again in ${refusal.resetSeconds} seconds.`);
    this.refusal = refusal;
  }
}

/** Counts a request.
 * @throws RateLimitError when there were too many */
export function limitRate(
  { rateLimits }: Pick<Infrastructure, 'rateLimits'>,
  requestClass: RequestClass,
  environmentId: string,
  requester: Requester,
): void {
  const refusal = rateLimits.take(requestClass, environmentId, requester);
  if (refusal) throw new RateLimitError(refusal);
}

/** When there may be requests again (draft-ietf-httpapi-ratelimit-headers-07). */
export function rateLimitHeaders({ limit, resetSeconds }: RateLimitRefusal): Headers {
  return { 'ratelimit-limit': limit, 'ratelimit-remaining': 0, 'ratelimit-reset': resetSeconds, 'retry-after': resetSeconds };
}

/** Seconds after which who met no database may ask again. */
const AWAY_SECONDS = 10;

interface Failure {
  readonly status: number;
  readonly about: PageErrorName;
  readonly code: 'temporarily_unavailable' | 'server_error' | 'invalid_request';
  readonly headers: Headers;
}

/** How an error is told that no check of ours has made. */
export function failureOf(error: unknown): Failure {
  const { statusCode: status = 500 } = (error ?? {}) as { readonly statusCode?: number };
  if (status >= 400 && status < 500) {
    const about = status === 413 ? 'too_large' : status === 415 ? 'unsupported' : 'unreadable';
    return { status, about, code: 'invalid_request', headers: {} };
  }
  if (isDatabaseAway(error))
    return { status: 503, about: 'unavailable', code: 'temporarily_unavailable', headers: { 'retry-after': AWAY_SECONDS } };
  return { status: 500, about: 'fault', code: 'server_error', headers: {} };
}

/** An error of the protocol's endpoints (RFC 6749 §5.2), to whoever sent a request with these headers. */
export function oauthFailure(
  error: unknown,
  asked: IncomingHttpHeaders,
): { readonly status: number; readonly headers: Headers; readonly body: { readonly error: string; readonly error_description: string } } {
  if (error instanceof RateLimitError) return told('temporarily_unavailable', error.message, 429, rateLimitHeaders(error.refusal));
  if (error instanceof OAuthError) {
    const { code, message, status, retryAfter } = error;
    return told(code, message, status, {
      ...(status === 401 && { 'www-authenticate': code === 'invalid_client' ? 'Basic realm="token"' : tokenChallenge(asked, code) }),
      ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
    });
  }
  const { status, about, code, headers } = failureOf(error);
  return told(code, describe(about), status, headers);
}

function told(error: string, error_description: string, status: number, headers: Headers) {
  return { status, headers: { ...headers, 'cache-control': 'no-store' }, body: { error, error_description } };
}

/** In the scheme of the token that was refused (RFC 6750 §3, RFC 9449 §7.1).
 * @param resourceMetadata where the resource describes itself (RFC 9728 §5.1) */
export function tokenChallenge({ authorization }: IncomingHttpHeaders, error: OAuthErrorCode, resourceMetadata?: string): string {
  const metadata = resourceMetadata ? `, resource_metadata="${resourceMetadata}"` : '';
  if (!/^DPoP\b/i.test(authorization ?? '')) return `Bearer error="${error}"${metadata}`;
  return `DPoP error="${error}", algs="${SIGNATURE_ALGORITHMS.join(' ')}"${metadata}`;
}
