/** The headers that every response carries, as Helmet advises: the same for each, and so made once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Header names in lower case. A page adds its own content security policy. */
export function securityHeaders(baseUrl: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const collect = helmet({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: false, // Applications may open the pages in a popup and wait for it.
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: baseUrl.startsWith('https:') ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
  const response = { setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value), removeHeader: () => {} };
  collect({} as IncomingMessage, response as unknown as ServerResponse, () => {});
  return headers;
}
