/**
 * An application that uses Gatehouse, at http://localhost:8080: the smallest back-end web application with openid-client.
 * Start Gatehouse first, then `npm run example`. It finds its client id and secret in data/quickstart.json.
 * `npm run example -- team` is for the team instead of for users: owner@acme.test gets a token for the graph.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as oidc from 'openid-client';

const home = 'http://localhost:8080';
const isForTeam = process.argv.includes('team');
const quickstart = JSON.parse(readFileSync(`${process.env['DATA_DIR'] || './data'}/quickstart.json`, 'utf8'));
const { issuer, managementAudience, applications } = isForTeam ? quickstart.account : quickstart;
const { clientId, clientSecret } = applications[0];
const authentication = clientSecret ? undefined : oidc.None();
const gatehouse = await oidc.discovery(new URL(issuer), clientId, clientSecret, authentication, { execute: [oidc.allowInsecureRequests] });

// One visitor is enough for an example. A real application keeps these in a session of its own.
let pending = { pkceCodeVerifier: '', expectedState: '' };
let idToken: string | undefined;
let shown: unknown;

createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.statusCode = 500;
    show(response, '<a href="/">Start again</a>', { error: error.message, ...error.cause });
  });
}).listen(8080, 'localhost', () => console.log(`An application is at ${home}`));

async function answer(request: IncomingMessage, response: ServerResponse) {
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
        ...(isForTeam && { audience: managementAudience }),
      }),
    );
  }
  if (url.pathname === '/callback') {
    const tokens = await oidc.authorizationCodeGrant(gatehouse, url, pending);
    idToken = tokens.id_token;
    shown = isForTeam
      ? { forGraphiQL: { authorization: `Bearer ${tokens.access_token}` } }
      : { claims: tokens.claims(), profile: await oidc.fetchUserInfo(gatehouse, tokens.access_token, tokens.claims()!.sub) };
    return goTo('/');
  }
  if (url.pathname === '/sign-out') {
    const location = oidc.buildEndSessionUrl(gatehouse, { post_logout_redirect_uri: home, ...(idToken && { id_token_hint: idToken }) });
    shown = idToken = undefined;
    return goTo(location);
  }
  const signIn = `${isForTeam ? '' : '<a href="/sign-in?new">Sign up</a> or '}<a href="/sign-in">sign in</a>`;
  show(response, shown ? '<a href="/sign-out">Sign out</a>' : signIn, shown);
}

function show(response: ServerResponse, links: string, told: unknown) {
  const text = told
    ? `<pre style="white-space: pre-wrap; overflow-wrap: anywhere">${JSON.stringify(told, null, 2).replaceAll('<', '&lt;')}</pre>`
    : '';
  response
    .setHeader('content-type', 'text/html; charset=utf-8')
    .end(`<!doctype html><title>Example</title><h1>An application</h1><p>${links}</p>${text}`);
}
