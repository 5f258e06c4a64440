/** The two cookies of an environment: who the browser is, and its session. Neither is readable by scripts. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tenancy } from '../features/environments/directory.ts';
import { SESSION_SECONDS } from '../features/sessions/service.ts';
import { randomToken } from '../kernel/ids.ts';

// The name holds the environment, as the cookies of the issuer at the root reach the paths of all others.
const sessionName = (tenancy: Tenancy) => `gatehouse_session_${tenancy.domain}`;
const browserName = (tenancy: Tenancy) => `gatehouse_browser_${tenancy.domain}`;

/** The session cookie's token. */
export function sessionToken(request: FastifyRequest): string | undefined {
  return request.cookies[sessionName(request.tenancy)];
}

/** Hands the browser a session, which it forgets when it is closed unless the session is persistent. */
export function setSession(reply: FastifyReply, tenancy: Tenancy, token: string, isPersistent: boolean): void {
  reply.setCookie(sessionName(tenancy), token, { ...attributes(tenancy), ...(isPersistent && { maxAge: SESSION_SECONDS }) });
}

export function clearSession(reply: FastifyReply, tenancy: Tenancy): void {
  reply.clearCookie(sessionName(tenancy), attributes(tenancy));
}

/** The browser's own token, which sign-in attempts are bound to; a new one where it has none. */
export function browserToken(request: FastifyRequest, reply: FastifyReply): string {
  const known = knownBrowserToken(request);
  if (known) return known;
  const token = randomToken();
  reply.setCookie(browserName(request.tenancy), token, { ...attributes(request.tenancy), maxAge: SESSION_SECONDS });
  return token;
}

/** The browser's token, if it has one. */
export function knownBrowserToken(request: FastifyRequest): string | undefined {
  const token = request.cookies[browserName(request.tenancy)];
  return token && /^[A-Za-z0-9_-]{43}$/.test(token) ? token : undefined;
}

function attributes(tenancy: Tenancy) {
  return { path: tenancy.cookiePath, httpOnly: true, sameSite: 'lax' as const, secure: tenancy.issuer.startsWith('https:') };
}
