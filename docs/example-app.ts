/**
 * An application that uses Gatehouse, at http://localhost:8080: the smallest back-end web application with openid-client.
 * Start Gatehouse first, then `npm run example`. It finds its client id and secret in data/quickstart.json.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import * as oidc from 'openid-client';

const home = 'http://localhost:8080';
const { issuer, applications } = JSON.parse(readFileSync(`${process.env['DATA_DIR'] ?? './data'}/quickstart.json`, 'utf8'));
const { clientId, clientSecret } = applications.find(({ type }: { type: string }) => type === 'reg');
const gatehouse = await oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute: [oidc.allowInsecureRequests] });

// One visitor is enough for an example. A real application keeps these in a session of its own.
let pending = { pkceCodeVerifier: '', expectedState: '' };
let idToken: string | undefined;
let shown: unknown;

createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', home);
  const goTo = (location: URL | string) => response.writeHead(302, { location: String(location) }).end();
  if (url.pathname === '/sign-in') {
    pending = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState() };
    return goTo(
      oidc.buildAuthorizationUrl(gatehouse, {
        redirect_uri: `${home}/callback`,
        scope: 'openid profile email offline',
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: pending.expectedState,
        ...(url.searchParams.has('new') && { prompt: 'create' }),
      }),
    );
  }
  if (url.pathname === '/callback') {
    const tokens = await oidc.authorizationCodeGrant(gatehouse, url, pending);
    idToken = tokens.id_token;
    shown = { claims: tokens.claims(), profile: await oidc.fetchUserInfo(gatehouse, tokens.access_token, tokens.claims()!.sub) };
    return goTo('/');
  }
  if (url.pathname === '/sign-out') {
    const location = oidc.buildEndSessionUrl(gatehouse, { post_logout_redirect_uri: home, ...(idToken && { id_token_hint: idToken }) });
    shown = idToken = undefined;
    return goTo(location);
  }
  const links = shown ? '<a href="/sign-out">Sign out</a>' : '<a href="/sign-in?new">Sign up</a> or <a href="/sign-in">sign in</a>';
  const told = shown ? `<pre>${JSON.stringify(shown, null, 2).replaceAll('<', '&lt;')}</pre>` : '';
  response
    .setHeader('content-type', 'text/html; charset=utf-8')
    .end(`<!doctype html><title>Example</title><h1>An application</h1><p>${links}</p>${told}`);
}).listen(8080, 'localhost', () => console.log(`An application is at ${home}`));
