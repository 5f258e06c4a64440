/** The two cookies of an environment: who the browser is, and its session. Neither is readable by scripts. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tenancy } from '../features/environments/directory.ts';
import { SESSION_SECONDS } from '../features/sessions/service.ts';
import { randomToken } from '../kernel/ids.ts';

/**
 * The name holds the environment, as a host may have several. Over HTTPS it has the prefix that browsers take from this
 * very host alone: a neighbouring subdomain, or who answers in its name without TLS, can plant neither cookie.
 */
const nameOf = (what: 'session' | 'browser', { domain, issuer }: Tenancy) =>
  `${isSecure(issuer) ? '__Host-' : ''}gatehouse_${what}_${domain}`;
const isSecure = (issuer: string) => issuer.startsWith('https:');

/** The session cookie's token. */
export function sessionToken(request: FastifyRequest): string | undefined {
  return request.cookies[nameOf('session', request.tenancy)];
}

/** Hands the browser a session, which it forgets when it is closed unless the session is persistent. */
export function setSession(reply: FastifyReply, tenancy: Tenancy, token: string, isPersistent: boolean): void {
  reply.setCookie(nameOf('session', tenancy), token, { ...attributes(tenancy), ...(isPersistent && { maxAge: SESSION_SECONDS }) });
}

export function clearSession(reply: FastifyReply, tenancy: Tenancy): void {
  reply.clearCookie(nameOf('session', tenancy), attributes(tenancy));
}

/** The browser's own token, which sign-in attempts are bound to; a new one where it has none. */
export function browserToken(request: FastifyRequest, reply: FastifyReply): string {
  const known = knownBrowserToken(request);
  if (known) return known;
  const token = randomToken();
  reply.setCookie(nameOf('browser', request.tenancy), token, { ...attributes(request.tenancy), maxAge: SESSION_SECONDS });
  return token;
}

/** The browser's token, if it has one. */
export function knownBrowserToken(request: FastifyRequest): string | undefined {
  const token = request.cookies[nameOf('browser', request.tenancy)];
  return token && /^[A-Za-z0-9_-]{43}$/.test(token) ? token : undefined;
}

function attributes({ issuer }: Tenancy) {
  return { path: '/', httpOnly: true, sameSite: 'lax' as const, secure: isSecure(issuer) };
}
