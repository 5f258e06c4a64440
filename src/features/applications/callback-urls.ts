/**
 * Which callback and logout URLs may be registered, and when a request's URL is one of them. Comparison is letter for
 * letter (RFC 9700 §2.1) with four exceptions: one `*` in the leftmost label of a host stands for a part of one label,
 * `{organization.handle}` in its place for the handle of an organization, a loopback URL without a port for every port
 * (RFC 8252 §7.3), and a slash at the end may be there or not.
 */
import { getDomain, parse } from 'tldts';

const MAX_LENGTH = 2000;

/** What stands for an organization's handle in a URL. */
const HANDLE = '{organization.handle}';

/** Schemes that browsers act on themselves, instead of handing the URL to an application. */
const NOT_FOR_APPLICATIONS = new Set(
  ['javascript', 'data', 'vbscript', 'file', 'filesystem', 'blob', 'about', 'view-source', 'intent', 'ftp', 'ws', 'wss', 'mailto'].map(
    (scheme) => `${scheme}:`,
  ),
);

/** What is wrong with a URL as a callback or logout URL, in a sentence; undefined when it may be registered. */
export function checkCallbackUrl(text: string): string | undefined {
  const [open, ...more] = text.match(/\*|\{organization\.handle\}/g) ?? [];
  if (more.length > 0) return 'A URL has at most one wildcard, or one place for a handle.';
  if (!open) return checkUrl(text);
  return checkUrl(text.replace(open, 'x')) ?? (open === HANDLE ? checkHandle(text) : checkWildcard(text));
}

/** As {@link checkCallbackUrl}, for a page on the web that starts a sign-in. */
export function checkLoginUri(text: string): string | undefined {
  if (text.includes('*')) return 'This URL has no wildcard.';
  return /^https?:/.test(text) ? checkCallbackUrl(text) : 'This is not an http or https URL.';
}

/** As {@link checkCallbackUrl}, for a single page on the web. */
export function checkWebUrl(text: string): string | undefined {
  return isOpen(text) ? 'This URL has no wildcard, and no place for a handle.' : checkLoginUri(text);
}

/** Does the URL stand for several? */
export function isOpen(text: string): boolean {
  return text.includes('*') || text.includes(HANDLE);
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
  if (/[{}]/.test(url.host)) return `A host has no braces but for ${HANDLE}.`;
  if (url.hostname.endsWith('.')) return 'A host has no dot at its end.';
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return 'Plain http is for localhost only.';
  return undefined;
}

/** Of a URL that is good with a letter in the place of its wildcard. */
function checkWildcard(text: string): string | undefined {
  const place = /^https?:\/\/([a-z0-9-]*)\*([a-z0-9-]*)\.([^:/?]+)/.exec(text);
  if (!place) return 'A wildcard is in the leftmost label of the host of an http or https URL.';
  const [, prefix, suffix, rest] = place;
  return checkRest(rest!, Boolean(prefix || suffix));
}

/** Of a URL that is good with a letter in the place of a handle. */
function checkHandle(text: string): string | undefined {
  const [, rest] = /^https?:\/\/\{organization\.handle\}\.([^:/?]+)/.exec(text) ?? [];
  if (!rest) return 'A handle is the whole leftmost label of the host of an http or https URL.';
  return rest === 'localhost' ? undefined : checkRest(rest, false);
}

/** Whose are the hosts one label below `rest`? */
function checkRest(rest: string, isNamed: boolean): string | undefined {
  // What the Public Suffix List says of a host that matches: whose is it?
  const host = `x.${rest}`;
  const domain = getDomain(host);
  const tenant = parse(host, { allowPrivateDomains: true }).domain;
  if (!domain || domain === host || !tenant)
    return 'A wildcard or a handle stands below a domain of somebody’s own, not directly below a public suffix.';
  if (tenant === host && !isNamed)
    return 'On shared hosting a wildcard needs a prefix or suffix that is your own, and there is no place for a handle.';
  return undefined;
}

/** Is `url` one of the registered ones, whoever it is for? */
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

/**
 * The handle for which `url` is one of the registered ones, where it is none for everybody. Whether an organization has it
 * is not known here.
 */
export function handleIn(registered: readonly string[], url: string): string | undefined {
  const handle = firstLabelOf(url);
  if (handle === undefined || isRegistered(registered, url)) return undefined;
  const wanted = withoutSlash(url);
  return registered.some((known) => known.includes(HANDLE) && withoutSlash(withHandle(known, handle)) === wanted) ? handle : undefined;
}

/** As {@link handleIn}, for the origin of a page. */
export function originHandleIn(registered: readonly string[], origin: string): string | undefined {
  const handle = firstLabelOf(origin);
  if (handle === undefined || isRegisteredOrigin(registered, origin)) return undefined;
  return registered.some((known) => known.includes(HANDLE) && new URL(withHandle(known, handle)).origin === origin) ? handle : undefined;
}

/** The URL with a handle in the place for it. */
function withHandle(url: string, handle: string): string {
  return url.replace(HANDLE, handle);
}

/** A login URI for an organization with this handle; undefined where one is wanted and there is none. */
export function loginUriWith(loginUri: string, handle: string | null | undefined): string | undefined {
  if (!loginUri.includes(HANDLE)) return loginUri;
  return handle ? withHandle(loginUri, handle) : undefined;
}

/** Where who was to go back to `redirectUri` starts again: with the same handle. */
export function loginUriFor(
  { loginUri, callbackUrls }: { readonly loginUri: string | null; readonly callbackUrls: readonly string[] },
  redirectUri: string,
): string | null {
  return (loginUri && loginUriWith(loginUri, handleIn(callbackUrls, redirectUri))) || null;
}

/** Are two redirect URIs of requests the same? A slash at the end is none: common SDKs trim it from one request and not from the next. */
export function sameRedirectUri(a: string, b: string): boolean {
  return withoutSlash(a) === withoutSlash(b);
}

/** Is `url` the pattern, with a part of one host label in the place of a wildcard? */
function matches(pattern: string, url: string): boolean {
  const [before, after, ...more] = pattern.split('*') as [string, string?, ...string[]];
  if (pattern.includes(HANDLE)) return false;
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

/** The first label of the host, where it may be the handle of an organization. */
function firstLabelOf(url: string): string | undefined {
  return /^https?:\/\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\./.exec(url)?.[1];
}
