/**
 * Cross-site request forgery: what a page of another site can make a browser send without asking this server first (a
 * CORS preflight) must not do anything. Such "simple" requests are forms, text, and GET, and none has a header of ours.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** The content types of the Fetch standard's simple requests. */
const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

/** Headers that say nothing but that the browser asked first; Apollo's names, which clients know. */
export const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'x-apollo-operation-name'] as const;

/**
 * Could a browser have sent a request with these headers across sites without a preflight? Not with a bearer token,
 * which no browser adds by itself.
 */
export function isSimple(headers: IncomingHttpHeaders): boolean {
  if (/^Bearer /i.test(headers.authorization ?? '')) return false;
  if (PREFLIGHT_HEADERS.some((name) => headers[name])) return false;
  const type = headers['content-type']?.split(/[;,]/)[0]?.trim().toLowerCase();
  return !type || SIMPLE_TYPES.includes(type);
}
