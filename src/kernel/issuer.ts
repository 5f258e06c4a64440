/** How environments and issuer URLs map to each other. Pure; the same rule serves routes, cookies, discovery and `iss`. */

export interface IssuerSettings {
  readonly baseUrl: string;
  readonly rootDomain: string | undefined;
}

/** The parts of an environment that its issuer depends on. */
export interface NamedEnvironment {
  readonly domain: string;
  readonly isPrimary: boolean;
}

/** The issuer's URL, with no trailing slash: what `iss` says, byte for byte. */
export function issuerOf(settings: IssuerSettings, environment: NamedEnvironment): string {
  if (environment.isPrimary) return settings.baseUrl;
  if (settings.rootDomain) return `${new URL(settings.baseUrl).protocol}//${environment.domain}.${settings.rootDomain}`;
  return `${settings.baseUrl}/e/${environment.domain}`;
}

/** What a request's host and path name. `path` is what is left for the routes. */
export type Address =
  | { readonly kind: 'primary'; readonly path: string }
  | { readonly kind: 'environment'; readonly domain: string; readonly path: string }
  | { readonly kind: 'unknown'; readonly path: string };

/** Reads a request's Host header and URL path. Hosts are compared without case; an unknown one names nothing. */
export function addressOf(settings: IssuerSettings, host: string | undefined, path: string): Address {
  const name = (host ?? '').toLowerCase();
  if (name === hostOf(settings.baseUrl)) {
    const match = /^\/e\/([a-z0-9-]{1,63})(?=[/?#]|$)/.exec(path);
    if (!match) return { kind: 'primary', path };
    if (settings.rootDomain) return { kind: 'unknown', path };
    const rest = path.slice(match[0].length);
    return { kind: 'environment', domain: match[1]!, path: rest.startsWith('/') ? rest : `/${rest}` };
  }
  if (settings.rootDomain && name.endsWith(`.${settings.rootDomain}`)) {
    const domain = name.slice(0, -settings.rootDomain.length - 1);
    if (/^[a-z0-9-]{1,63}$/.test(domain)) return { kind: 'environment', domain, path };
  }
  return { kind: 'unknown', path };
}

let lastUrl = '';
let lastHost = '';

/** Every request asks, and a process has one base URL. */
function hostOf(baseUrl: string): string {
  if (baseUrl !== lastUrl) {
    lastUrl = baseUrl;
    lastHost = new URL(baseUrl).host;
  }
  return lastHost;
}
