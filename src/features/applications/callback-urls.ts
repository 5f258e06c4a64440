/** Which callback and logout URLs may be registered, and when a request's URL is one of them. */

/**
 * What is wrong with a URL as a callback, in a sentence; undefined when it may be registered. Plain http is for
 * loopback hosts only; custom schemes are for native applications (RFC 8252 §7.1).
 */
export function checkCallbackUrl(text: string): string | undefined {
  if (text.length > 2000) return 'A URL has at most 2000 characters.';
  if (/[\s*]/.test(text)) return 'A URL has no spaces and no wildcard.';
  if (!URL.canParse(text)) return 'This is not an absolute URL.';
  const url = new URL(text);
  if (url.hash || text.includes('#')) return 'A URL has no fragment.';
  if (url.username || url.password) return 'A URL has no user or password.';
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'Plain http is for localhost only.';
  if (['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:'].includes(url.protocol)) return 'This scheme cannot be a callback.';
  return undefined;
}

/**
 * Is `url` registered? Exact comparison (RFC 9700 §2.1), but for one slash at the end, which common SDKs trim from
 * one request and not from the next.
 */
export function isRegistered(registered: readonly string[], url: string): boolean {
  const wanted = withoutSlash(url);
  return registered.some((candidate) => withoutSlash(candidate) === wanted);
}

/** Are two redirect URIs the same, by the rule of {@link isRegistered}? */
export function sameRedirectUri(a: string, b: string): boolean {
  return withoutSlash(a) === withoutSlash(b);
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1' || hostname === '[::1]';
}
