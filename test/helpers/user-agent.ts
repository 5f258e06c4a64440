/**
 * A browser without a screen: keeps cookies, follows redirects within the issuer, and fills the hosted pages' forms by
 * their stable field names. Faster than Chromium where a test is not about the page itself.
 */
import { createHash, randomBytes } from 'node:crypto';
import { codeIn, type TestApp } from './app.ts';

export interface PageView {
  readonly status: number;
  readonly url: string;
  readonly html: string;
  readonly headers: Headers;
}

export interface UserAgent {
  /** Opens a URL, following redirects until a page or a URL outside the server. */
  open(url: string): Promise<PageView>;
  /** Submits the page's form that posts to `step`, with its hidden fields and `fields`. */
  submit(page: PageView, step: string, fields?: Record<string, string>): Promise<PageView>;
  readonly cookies: Map<string, string>;
}

/**
 * @param always headers that come with each request, as a proxy would add them
 * @param server where each request is sent, for servers that answer at one address
 */
export function userAgent(baseUrl: string, always: Readonly<Record<string, string>> = {}, server = () => baseUrl): UserAgent {
  const cookies = new Map<string, string>();
  const send = async (url: string, init: RequestInit = {}): Promise<PageView> => {
    if (new URL(url).origin !== baseUrl) return { status: 0, url, html: '', headers: new Headers() };
    const path = new URL(url).pathname;
    const cookie = [...cookies]
      .filter(([key]) => path.startsWith(key.split(' ')[1]!))
      .map(([key, value]) => `${key.split(' ')[0]}=${value}`)
      .join('; ');
    const response = await fetch(server() + url.slice(baseUrl.length), {
      ...init,
      redirect: 'manual',
      headers: { ...always, ...(init.headers as Record<string, string>), ...(cookie && { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ');
      const [name, value] = [pair!.slice(0, pair!.indexOf('=')), pair!.slice(pair!.indexOf('=') + 1)];
      const key = `${name} ${attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'}`;
      if (value) cookies.set(key, value);
      else cookies.delete(key);
    }
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location) return send(new URL(location, url).href);
    return { status: response.status, url, html: await response.text(), headers: response.headers };
  };
  return {
    cookies,
    open: (url) => send(url),
    submit: (page, step, fields = {}) => {
      const form = [...page.html.matchAll(/<form method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/gs)].find(([, action]) =>
        action!.endsWith(`/${step}`),
      );
      if (!form) throw new Error(`No form for ${step} on ${page.url}:\n${page.html}`);
      const hidden = [...form[2]!.matchAll(/<input type="hidden"[^>]*? name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        value!,
      ]);
      return send(new URL(form[1]!, page.url).href, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...Object.fromEntries(hidden), ...fields }).toString(),
      });
    },
  };
}

export interface AuthorizationInput {
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly parameters?: Record<string, string>;
}

/** An authorization URL with PKCE, state and nonce, and what is needed to go on from it. */
export function authorizationUrl({ issuer, clientId, redirectUri, parameters }: AuthorizationInput) {
  const verifier = randomBytes(32).toString('base64url');
  const query = {
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email offline',
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  };
  return { url: `${issuer}/oauth2/auth?${new URLSearchParams(query)}`, verifier, query };
}

/** What a token endpoint answers: tokens, or an error. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly token_type: string;
  readonly error?: string;
  readonly error_description?: string;
}

/** Posts a form to an endpoint of an issuer; the body is undefined where there is none. */
export async function postForm(url: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? (JSON.parse(text) as Record<string, unknown>) : undefined };
}

/** Posts a form to a token endpoint. */
export async function postToken(issuer: string, form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${issuer}/oauth2/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as TokenAnswer };
}

/** A machine's access token for the management API; `scope` narrows it. */
export async function machineToken(gatehouse: TestApp, scope = ''): Promise<string> {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { issuer, managementAudience } = gatehouse.quickstart;
  const { body } = await postToken(issuer, {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret!,
    audience: managementAudience,
    scope,
  });
  return body.access_token;
}

/** Signs a person in at `account` by a mailed code, and returns an access token for the management API. */
export async function teamToken(gatehouse: TestApp, email: string): Promise<string> {
  const { account } = gatehouse.quickstart;
  const [dashboard] = account.applications;
  const redirectUri = dashboard!.callbackUrls[0]!;
  const agent = userAgent(gatehouse.baseUrl);
  const { url, verifier } = authorizationUrl({
    issuer: account.issuer,
    clientId: dashboard!.clientId,
    redirectUri,
    parameters: { audience: account.managementAudience },
  });
  const after = await gatehouse.mailCount(email);
  const page = await agent.submit(await agent.open(url), 'identify', { p_email: email });
  const done = await agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
  const code = new URL(done.url).searchParams.get('code');
  if (!code) throw new Error(`The sign-in did not end: ${done.status} ${done.url}\n${done.html}`);
  const { body } = await postToken(account.issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    client_id: dashboard!.clientId,
    code_verifier: verifier,
  });
  return body.access_token;
}
