/** What the authorization endpoint refuses: on a page, never by sending the browser anywhere. */
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { userAgent } from '../helpers/user-agent.ts';
import { organization, requestOf } from '../signin/person.ts';

const gatehouse = startApp();

/** Opens a URL and follows nothing. */
const open = (url: string) => fetch(url, { redirect: 'manual' });

async function expectRefusal(url: string, words: RegExp): Promise<void> {
  const answer = await open(url);
  const page = await answer.text();
  expect(answer.status, url).toBe(400);
  expect(answer.headers.get('location')).toBeNull();
  expect(answer.headers.getSetCookie()).toEqual([]);
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(page).toMatch(words);
  expect(page).toContain(`Reference <bdi>${answer.headers.get('x-request-id')}</bdi>`);
  expect(page).not.toMatch(/<script|<a |http-equiv/i);
}

/** Is the request taken, so that the pages open? */
async function isTaken(url: string): Promise<boolean> {
  return (await userAgent(gatehouse.baseUrl).open(url)).html.includes('name="p_email"');
}

const CALLBACK = 'http://localhost:8080/callback';

test('the usual request is taken', async () => {
  expect(await isTaken(requestOf(gatehouse, 'spa').url)).toBe(true);
  expect(await isTaken(requestOf(gatehouse, 'reg').url)).toBe(true);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['no client', { client_id: '' }, /client_id is missing/],
  ['a client that is not there', { client_id: '0'.repeat(32) }, /Unknown application/],
  ['a client id that is none', { client_id: `' OR 1=1 --` }, /Unknown application/],
  ['an application id in place of the client id', { client_id: `app_${'0'.repeat(32)}` }, /Unknown application/],
  ['no redirect URI', { redirect_uri: '' }, /redirect_uri is missing/],
  ['no response type', { response_type: '' }, /response_type must be code/],
  ['the implicit flow', { response_type: 'token' }, /response_type must be code/],
  ['the hybrid flow', { response_type: 'code id_token' }, /response_type must be code/],
  ['an unknown response mode', { response_mode: 'web_message' }, /response_mode/],
  ['no proof key from a public client', { code_challenge: '', code_challenge_method: '' }, /must use PKCE/],
  ['a plain proof key', { code_challenge_method: 'plain' }, /must be S256/],
  ['a proof key of no method, which would be plain', { code_challenge_method: '' }, /must be S256/],
  ['a method without a proof key', { code_challenge: '' }, /without a code_challenge/],
  ['a proof key that is no SHA-256', { code_challenge: 'a'.repeat(42) }, /not a SHA-256/],
  ['a proof key of another alphabet', { code_challenge: '+'.repeat(43) }, /not a SHA-256/],
  ['an unknown prompt', { prompt: 'push' }, /prompt must be/],
  ['an unknown prompt among others', { prompt: 'login push' }, /prompt must be/],
  ['the prompt none beside another', { prompt: 'none login' }, /none stands alone/],
  ['a malformed connection', { connection_id: 'google' }, /connection_id is not/],
  ['an endless hint of a token', { id_token_hint: 'x'.repeat(8193) }, /id_token_hint is too long/],
  ['a malformed age', { max_age: '-1' }, /max_age/],
  ['an age that is no number', { max_age: '1e3' }, /max_age/],
  ['a malformed organization', { org_code: 'acme' }, /not an organization code/],
  ['an organization code with more behind it', { org_code: `org_${'0'.repeat(32)}' --` }, /not an organization code/],
  ['a pushed request that never was', { request_uri: `urn:ietf:params:oauth:request_uri:${'x'.repeat(43)}` }, /request_uri is unknown/],
  ['an endless state', { state: 'x'.repeat(4097) }, /state is too long/],
  ['an endless nonce', { nonce: 'x'.repeat(1025) }, /nonce is too long/],
  ['an endless scope', { scope: 'x'.repeat(1025) }, /scope is too long/],
  ['an endless challenge', { code_challenge: 'x'.repeat(129) }, /code_challenge is too long/],
  ['an endless hint', { login_hint: `${'x'.repeat(320)}@mail.test` }, /login_hint is too long/],
  ['an endless client id', { client_id: 'x'.repeat(3000) }, /client_id is too long/],
  ['an endless redirect URI', { redirect_uri: `${CALLBACK}?${'x'.repeat(2048)}` }, /redirect_uri is too long/],
  ['a state that no database can keep', { state: 'a\0b' }, /state holds/],
  ['a nonce that no database can keep', { nonce: '\0' }, /nonce holds/],
])('%s is refused on a page', async (_what, parameters, words) => {
  await expectRefusal(requestOf(gatehouse, 'spa', parameters).url, words);
});

test.each([
  ['request', 'eyJhbGciOiJub25lIn0.e30.', 'request_not_supported'],
  ['request_uri', 'https://evil.test/request', 'request_uri_not_supported'],
])('the application that sends a %s is told that it is not supported, whatever else it left to it', async (name, given, error) => {
  const left = { code_challenge: '', code_challenge_method: '', nonce: '', scope: 'openid' };
  for (const [mode, read] of [
    ['query', (url: URL) => url.searchParams],
    ['fragment', (url: URL) => new URLSearchParams(url.hash.slice(1))],
  ] as const) {
    const { url } = requestOf(gatehouse, 'spa', { ...left, [name]: given, state: 'outside', response_mode: mode });
    const answer = await fetch(url, { redirect: 'manual' });
    const location = new URL(answer.headers.get('location')!);
    expect([answer.status, `${location.origin}${location.pathname}`]).toEqual([302, CALLBACK]);
    expect(Object.fromEntries(read(location))).toEqual({
      error,
      error_description: expect.any(String),
      state: 'outside',
      iss: gatehouse.quickstart.issuer,
    });
  }
  await expectRefusal(requestOf(gatehouse, 'spa', { ...left, [name]: given, redirect_uri: 'https://evil.test/' }).url, /not one of/);
});

test('a refusal stays a page with prompt=none: only what a silent request may learn goes back', async () => {
  await expectRefusal(requestOf(gatehouse, 'spa', { prompt: 'none', response_type: 'token' }).url, /response_type/);
  await expectRefusal(requestOf(gatehouse, 'spa', { prompt: 'none', redirect_uri: 'https://evil.test/' }).url, /not one of/);
});

test.each(['m2m', 'device'] as const)('people do not sign in to a client of type %s', async (type) => {
  const { url } = requestOf(gatehouse, 'spa', { client_id: gatehouse.application(type).clientId });
  await expectRefusal(url, /Wrong kind of application/);
});

test('an application of another environment is unknown', async () => {
  const { url } = requestOf(gatehouse, 'spa', { client_id: gatehouse.quickstart.account.applications[0]!.clientId });
  await expectRefusal(url, /Unknown application/);
  await expectRefusal(requestOf(gatehouse, 'spa').url.replace('/oauth2', '/e/account/oauth2'), /Unknown application/);
});

test.each([
  'https://evil.test/callback',
  '//evil.test/callback',
  '/callback',
  'callback',
  'http://localhost:8080',
  'http://localhost:8080/',
  'http://localhost:8080/callback.evil.test',
  'http://localhost:8080/callback/extra',
  'http://localhost:8080/callback//',
  'http://localhost:8080/callback/..',
  'http://localhost:8080/x/../callback',
  'http://localhost:8080/callback?next=https://evil.test',
  'http://localhost:8080/callback?',
  'http://localhost:8080/callback#',
  'http://localhost:8080/callback#fragment',
  'http://localhost:8080/callback%2f',
  'http://localhost:8080/callback%20',
  ' http://localhost:8080/callback',
  'http://localhost:8080/callback ',
  'http://localhost:8080/callback\t',
  'http://localhost:8080/callback\n',
  'http://localhost:8080/callback\0',
  'http://localhost:8080/Callback',
  'http://LOCALHOST:8080/callback',
  'HTTP://localhost:8080/callback',
  'https://localhost:8080/callback',
  'http://localhost:8081/callback',
  'http://localhost/callback',
  'http://127.0.0.1:8080/callback',
  'http://localhost.:8080/callback',
  'http://localhost:8080@evil.test/callback',
  'http://localhost:8080:x@evil.test/callback',
  'http://evil.test/http://localhost:8080/callback',
  'http://evil.test#http://localhost:8080/callback',
  'http://evil.test\\@localhost:8080/callback',
  'http://localhost:8080\\callback',
  'http://localhost:8080.evil.test/callback',
  'http:localhost:8080/callback',
  'javascript:alert(1)//http://localhost:8080/callback',
  'data:text/html,<script>alert(1)</script>',
  '*',
])('nobody is sent to %j', async (redirectUri) => {
  await expectRefusal(requestOf(gatehouse, 'spa', { redirect_uri: redirectUri }).url, /not one of|holds a character/);
});

test('the one slash at the end that libraries trim or add makes no difference', async () => {
  expect(await isTaken(requestOf(gatehouse, 'spa', { redirect_uri: `${CALLBACK}/` }).url)).toBe(true);
});

test.each([
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'prompt',
  'start_page',
  'login_hint',
  'max_age',
  'org_code',
])('%s given twice is refused, even when both say the same', async (name) => {
  const { url, query } = requestOf(gatehouse, 'spa');
  const value = (query as Record<string, string>)[name] ?? 'x';
  const once = new URL(url);
  once.searchParams.set(name, value);
  await expectRefusal(`${once}&${new URLSearchParams({ [name]: value })}`, new RegExp(`${name} is given more than once`));
});

test('an audience may be repeated, or come as one list', async () => {
  const { url } = requestOf(gatehouse, 'spa');
  expect(await isTaken(`${url}&audience=https://api.acme.test&audience=https://other.test`)).toBe(true);
  expect(await isTaken(`${url}&audience=https://api.acme.test%20https://other.test`)).toBe(true);
});

test('what is unknown or empty is as if it were not there', async () => {
  const { url } = requestOf(gatehouse, 'spa');
  for (const more of [
    'supports_reauth=true&post_login_redirect_url=%2Fdashboard',
    'post_login_redirect_url=a&post_login_redirect_url=b',
    `utm_source=${'x'.repeat(9000)}`,
    '__proto__=x&constructor=y&toString=z&toString=z',
    'unknown=%00',
    'audience=&prompt=&login_hint=&org_code=&org_name=&max_age=&response_mode=&start_page=',
    '=&&==',
    'scope2=%E0%A4%A',
  ])
    expect(await isTaken(`${url}&${more}`), more).toBe(true);
});

test('an organization that is not there is no reason to say so to a stranger', async () => {
  const known = await organization(gatehouse, 'Known');
  for (const code of [known, `org_${'f'.repeat(32)}`])
    expect(await isTaken(requestOf(gatehouse, 'spa', { org_code: code }).url)).toBe(true);
});

test('what a request says is never markup on a page', async () => {
  const markup = '"><img src=x onerror=alert(1)>';
  for (const name of ['client_id', 'redirect_uri', 'state', 'login_hint', 'prompt', 'org_code', 'scope', 'response_mode']) {
    const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', { [name]: markup }).url);
    expect(page.html).not.toContain('<img');
  }
});

test('only GET opens the endpoint', async () => {
  const { url } = requestOf(gatehouse, 'spa');
  for (const method of ['PUT', 'DELETE', 'PATCH']) expect((await fetch(url, { method })).status).toBe(404);
});
