/**
 * Which callback and logout URLs may be registered, and when a request's URL is one of them. Comparison is letter for
 * letter (RFC 9700 §2.1) with three exceptions: one `*` in the leftmost label of a host stands for a part of one label,
 * a loopback URL without a port for every port (RFC 8252 §7.3), and a slash at the end may be there or not.
 */
import { getDomain, parse } from 'tldts';

const MAX_LENGTH = 2000;

/** Schemes that browsers act on themselves, instead of handing the URL to an application. */
const NOT_FOR_APPLICATIONS = new Set(
  ['javascript', 'data', 'vbscript', 'file', 'filesystem', 'blob', 'about', 'view-source', 'intent', 'ftp', 'ws', 'wss', 'mailto'].map(
    (scheme) => `${scheme}:`,
  ),
);

/** What is wrong with a URL as a callback or logout URL, in a sentence; undefined when it may be registered. */
export function checkCallbackUrl(text: string): string | undefined {
  const stars = text.split('*').length - 1;
  if (stars > 1) return 'A URL has at most one wildcard.';
  return stars === 0 ? checkUrl(text) : (checkUrl(text.replace('*', 'x')) ?? checkWildcard(text));
}

/** As {@link checkCallbackUrl}, for a single page on the web. */
export function checkWebUrl(text: string): string | undefined {
  if (text.includes('*')) return 'This URL has no wildcard.';
  return /^https?:/.test(text) ? checkUrl(text) : 'This is not an http or https URL.';
}

function checkUrl(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `A URL has at most ${MAX_LENGTH} characters.`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\s\\\u0000-\u001f\u007f]/.test(text)) return 'A URL has no spaces, backslashes or control characters.';
  if (!URL.canParse(text)) return 'This is not an absolute URL.';
  const url = new URL(text);
  if (text.includes('#')) return 'A URL has no fragment.';
  if (url.username || url.password || text.split(/[/?]/)[2]?.includes('@')) return 'A URL has no user or password.';
  if (NOT_FOR_APPLICATIONS.has(url.protocol)) return 'This scheme cannot be a callback.';
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return /^[a-z][a-z0-9+.-]*:\//.test(text) ? undefined : 'An application’s own scheme is in lower case and followed by a slash.';
  // Only what browsers would send is compared with what they send.
  if (!`${text}/`.replace('?', '/').startsWith(`${url.origin}/`))
    return 'A host is in lower case, international names as xn--…, without the scheme’s own port.';
  if (url.hostname.endsWith('.')) return 'A host has no dot at its end.';
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'Plain http is for localhost only.';
  return undefined;
}

/** Of a URL that is good with a letter in the place of its wildcard. */
function checkWildcard(text: string): string | undefined {
  const place = /^https?:\/\/([a-z0-9-]*)\*([a-z0-9-]*)\.([^:/?]+)/.exec(text);
  if (!place) return 'A wildcard is in the leftmost label of the host of an http or https URL.';
  const [, prefix, suffix, rest] = place;
  // What the Public Suffix List says of a host that matches: whose is it?
  const host = `x.${rest}`;
  const domain = getDomain(host);
  const tenant = parse(host, { allowPrivateDomains: true }).domain;
  if (!domain || domain === host || !tenant)
    return 'A wildcard stands below a domain of somebody’s own, not directly below a public suffix.';
  if (tenant === host && !prefix && !suffix) return 'On shared hosting a wildcard needs a prefix or suffix that is your own.';
  return undefined;
}

/** Is `url` one of the registered ones? */
export function isRegistered(registered: readonly string[], url: string): boolean {
  const wanted = withoutSlash(url);
  return registered.some((candidate) => {
    const known = withoutSlash(candidate);
    return matches(known, wanted) || matches(known, withoutLoopbackPort(wanted));
  });
}

/** Is `origin` the origin of one of the registered URLs? A loopback URL counts with its own port only. */
export function isRegisteredOrigin(registered: readonly string[], origin: string): boolean {
  return registered.some((url) => matches(new URL(url).origin, origin));
}

/** Are two redirect URIs of requests the same? A slash at the end is none: common SDKs trim it from one request and not from the next. */
export function sameRedirectUri(a: string, b: string): boolean {
  return withoutSlash(a) === withoutSlash(b);
}

/** Is `url` the pattern, with a part of one host label in the place of a wildcard? */
function matches(pattern: string, url: string): boolean {
  const [before, after, ...more] = pattern.split('*') as [string, string?, ...string[]];
  if (after === undefined || more.length > 0) return pattern === url;
  if (!url.startsWith(before) || !url.endsWith(after)) return false;
  const part = url.slice(before.length, url.length - after.length);
  const label = `${before.slice(before.lastIndexOf('/') + 1)}${part}${after.slice(0, after.indexOf('.'))}`;
  return /^[a-z0-9-]+$/.test(part) && /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label);
}

function withoutSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}

function withoutLoopbackPort(url: string): string {
  if (!URL.canParse(url)) return url; // There is no port beyond 65535.
  return url.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):([1-9]\d{0,4})(?=[/?]|$)/, '$1');
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1' || hostname === '[::1]';
}
