/** Signing in once for every application, and what a request may ask for instead. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { authorizationUrl, type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  isSignedIn,
  type Kind,
  newAddress,
  organization,
  PASSWORD,
  type Person,
  requestOf,
  signIn,
  signUp,
  suspend,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();

const isSignIn = (page: PageView) => page.html.includes('<h1>Sign in</h1>');
const isSignUp = (page: PageView) => page.html.includes('<h1>Create your account</h1>');
const parametersOf = ({ url }: PageView) => Object.fromEntries(new URL(url).searchParams);

test('who is signed in passes straight through, to every application of the environment', async () => {
  const person = await signUp(gatehouse, { kind: 'spa' });
  const spa = await person.authorize('spa');
  const reg = await person.authorize('reg');
  for (const answer of [spa, reg]) {
    expect(answer.url.origin + answer.url.pathname).toBe('http://localhost:8080/callback');
    expect(Object.fromEntries(answer.url.searchParams)).toEqual({
      code: answer.code,
      state: answer.sent['state'],
      scope: 'openid profile email offline',
      iss: gatehouse.baseUrl,
    });
  }
  const [first, second] = [await exchange(gatehouse, spa), await exchange(gatehouse, reg, 'reg')];
  expect(decodeJwt(second.body['access_token']).sub).toBe(decodeJwt(first.body['access_token']).sub);
});

test('a session is good for its own environment only', async () => {
  const { agent } = await signUp(gatehouse);
  const { account } = gatehouse.quickstart;
  const [dashboard] = account.applications;
  const { url } = authorizationUrl({ issuer: account.issuer, clientId: dashboard!.clientId, redirectUri: dashboard!.callbackUrls[0]! });
  const stolen = [...agent.cookies].find(([name]) => name.startsWith('gatehouse_session_acme '))![1];
  agent.cookies.set('gatehouse_session_account /', stolen);
  expect(isSignIn(await agent.open(url))).toBe(true);
});

test('state comes back to the letter', async () => {
  const { authorize } = await signUp(gatehouse);
  for (const state of ['a b&c=d"<e>#?%25+', 'grüße 🎉', 'x'.repeat(4096), 'eyJhIjoiYiJ9'])
    expect((await authorize('spa', { state })).url.searchParams.get('state')).toBe(state);
  expect((await authorize('spa', { state: '' })).url.searchParams.has('state')).toBe(false);
});

test('response_mode=fragment keeps the answer out of the query', async () => {
  const { authorize } = await signUp(gatehouse);
  const { url, code, sent } = await authorize('spa', { response_mode: 'fragment' });
  expect(url.search).toBe('');
  expect(Object.fromEntries(new URLSearchParams(url.hash.slice(1)))).toMatchObject({ code, state: sent['state'], iss: gatehouse.baseUrl });
});

test('prompt=none answers a stranger with login_required and shows no page', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const { url, query } = requestOf(gatehouse, 'spa', { prompt: 'none' });
  const answer = await agent.open(url);
  expect(answer.url).toMatch(/^http:\/\/localhost:8080\/callback\?/);
  expect(parametersOf(answer)).toEqual({
    error: 'login_required',
    error_description: 'User authentication is required',
    state: query.state,
    iss: gatehouse.baseUrl,
  });
  const fragment = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none', response_mode: 'fragment' }).url);
  expect(new URL(fragment.url).search).toBe('');
  expect(new URL(fragment.url).hash).toContain('error=login_required');
});

test('prompt=none answers who is signed in with a code', async () => {
  const { authorize } = await signUp(gatehouse);
  expect((await exchange(gatehouse, await authorize('spa', { prompt: 'none' }))).status).toBe(200);
});

test('prompt=none shows no page where another request would ask or refuse', async () => {
  const person = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  const silent = async (parameters = {}) => {
    const answer = await person.agent.open(requestOf(gatehouse, 'spa', { prompt: 'none', ...parameters }).url);
    expect(answer.url).toMatch(/^http:\/\/localhost:8080\/callback\?/);
    return parametersOf(answer);
  };
  const closed = await organization(gatehouse, 'Closed');
  expect(await silent({ org_code: closed })).toMatchObject({ error: 'access_denied' });
  expect(await silent({ org_code: `org_${'e'.repeat(32)}` })).toMatchObject({ error: 'access_denied' });
  const second = await organization(gatehouse, 'Second', { members: [userId] });
  expect(await silent({ org_code: second })).toHaveProperty('code');
  await suspend(gatehouse, { organizationId: second });
  expect(await silent({ org_code: second })).toMatchObject({ error: 'access_denied' });
  await suspend(gatehouse, { userId });
  expect(await silent()).toMatchObject({ error: 'login_required' });
});

test('prompt=none is refused to the application where a second factor is required that nobody can set up', async () => {
  const { agent } = await signUp(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  const policy = async (mfaPolicy: string) => {
    await prisma.environment.updateMany({ where: { isPrimary: true }, data: { mfaPolicy, mfaFactors: [] } });
    gatehouse.app.infrastructure.lookups.forget();
  };
  await policy('required');
  const silent = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url);
  const { status } = await agent.open(requestOf(gatehouse, 'spa').url);
  await policy('off');
  expect(parametersOf(silent)).toMatchObject({ error: 'access_denied', iss: gatehouse.baseUrl });
  expect(status).toBe(403);
});

describe('prompt=none of a person in several organizations', () => {
  const members = async (person: Person, ...names: string[]) => {
    const userId = await userIdOf(gatehouse, person.email);
    const ids: string[] = [];
    for (const name of names) ids.push(await organization(gatehouse, name, { members: [userId] }));
    return ids;
  };
  const silent = (agent: UserAgent, parameters = {}) => agent.open(requestOf(gatehouse, 'spa', { prompt: 'none', ...parameters }).url);
  const tokenOf = async (person: Person, kind: Kind = 'spa') =>
    decodeJwt((await exchange(gatehouse, await person.authorize(kind, { prompt: 'none' }), kind)).body['access_token']);

  test('is for the one that the session was used for last, by whichever application', async () => {
    const person = await signUp(gatehouse);
    const [first, second] = await members(person, 'One', 'Two');
    await person.authorize('reg', { org_code: second! });
    expect(await tokenOf(person)).toMatchObject({ org_code: second });
    await person.authorize('spa', { org_code: first!, prompt: 'none' });
    expect(await tokenOf(person, 'reg')).toMatchObject({ org_code: first });
    expect(headingOf(await person.agent.open(requestOf(gatehouse, 'spa').url))).toBe('Choose an organization');
  });

  test('does not follow what another session of the person was used for', async () => {
    const person = await signUp(gatehouse);
    const [first, second] = await members(person, 'One', 'Two');
    await person.authorize('spa', { org_code: first! });
    const { page } = await signIn(gatehouse, person.email, { parameters: { org_code: second! } });
    expect(isSignedIn(page)).toBe(true);
    expect(await tokenOf(person)).toMatchObject({ org_code: first });
  });

  test('has to ask where the session has none that still counts', async () => {
    const person = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, person.email);
    const { prisma } = gatehouse.app.infrastructure.database;
    await prisma.membership.deleteMany({ where: { userId } });
    await prisma.grant.updateMany({ where: { userId }, data: { organizationId: null } });
    const [first, second, third] = await members(person, 'One', 'Two', 'Three');
    const asked = { error: 'interaction_required', iss: gatehouse.baseUrl };
    expect(parametersOf(await silent(person.agent))).toMatchObject(asked);
    await person.authorize('spa', { org_code: third! });
    expect(await tokenOf(person)).toMatchObject({ org_code: third });
    await suspend(gatehouse, { organizationId: third! });
    expect(parametersOf(await silent(person.agent))).toMatchObject(asked);
    await suspend(gatehouse, { organizationId: third! }, false);
    await prisma.membership.deleteMany({ where: { userId, organizationId: third! } });
    expect(parametersOf(await silent(person.agent))).toMatchObject(asked);
    await prisma.membership.deleteMany({ where: { userId, organizationId: second! } });
    expect(await tokenOf(person)).toMatchObject({ org_code: first });
  });

  test('is told to sign in where that is what is missing', async () => {
    const person = await signUp(gatehouse);
    await members(person, 'One', 'Two');
    gatehouse.advance(10);
    for (const agent of [userAgent(gatehouse.baseUrl), person.agent])
      expect(parametersOf(await silent(agent, { max_age: '1' }))).toMatchObject({ error: 'login_required' });
  });
});

test.each<Record<string, string>>([
  { prompt: 'create' },
  { start_page: 'registration' },
  { prompt: 'create', start_page: 'login' },
  { prompt: 'login', start_page: 'registration' },
])('%o opens the page to sign up, signed in or not', async (parameters) => {
  const { agent } = await signUp(gatehouse);
  const { url } = requestOf(gatehouse, 'spa', parameters);
  expect(isSignUp(await agent.open(url))).toBe(true);
  expect(isSignUp(await userAgent(gatehouse.baseUrl).open(url))).toBe(true);
});

test('start_page=registration does not show a page where prompt=none wants none', async () => {
  const { agent } = await signUp(gatehouse);
  const { url } = requestOf(gatehouse, 'spa', { prompt: 'none', start_page: 'registration' });
  expect(parametersOf(await userAgent(gatehouse.baseUrl).open(url))).toMatchObject({ error: 'login_required' });
  expect(isSignedIn(await agent.open(url))).toBe(true);
});

test('prompt=login asks again who is signed in, and the tokens say when', async () => {
  const { agent, email, first } = await signUp(gatehouse);
  const before = decodeJwt((await exchange(gatehouse, first)).body['id_token']);
  gatehouse.advance(120);
  const request = requestOf(gatehouse, 'spa', { prompt: 'login' });
  const page = await agent.open(request.url);
  expect(isSignIn(page)).toBe(true);
  const done = await agent.submit(await agent.submit(page, 'identify', { p_email: email }), 'password', { p_password: PASSWORD });
  const after = decodeJwt((await exchange(gatehouse, answerOf(done, request))).body['id_token']);
  expect(Number(after['auth_time'])).toBeGreaterThanOrEqual(Number(before['auth_time']) + 120);
});

test('max_age asks again only who proved themselves longer ago', async () => {
  const { agent, authorize } = await signUp(gatehouse);
  gatehouse.advance(100);
  expect((await authorize('spa', { max_age: '1000' })).code).toBeTruthy();
  expect(isSignIn(await agent.open(requestOf(gatehouse, 'spa', { max_age: '50' }).url))).toBe(true);
  expect(isSignIn(await agent.open(requestOf(gatehouse, 'spa', { max_age: '0' }).url))).toBe(true);
  const silent = await agent.open(requestOf(gatehouse, 'spa', { max_age: '50', prompt: 'none' }).url);
  expect(parametersOf(silent)).toMatchObject({ error: 'login_required' });
});

test('a session ends after a day without use, and after a month in any case', async () => {
  const idle = await signUp(gatehouse);
  gatehouse.advance(24 * 3600 + 1);
  expect(isSignIn(await idle.agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
  const busy = await signUp(gatehouse);
  for (let day = 0; day < 29; day++) {
    gatehouse.advance(23 * 3600);
    await busy.authorize();
  }
  gatehouse.advance(23 * 3600);
  await busy.authorize();
  gatehouse.advance(23 * 3600);
  await busy.authorize();
  gatehouse.advance(12 * 3600);
  expect(isSignIn(await busy.agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
});

describe('an id_token_hint', () => {
  const tokenOf = async ({ authorize }: Person, parameters: Record<string, string> = {}) =>
    String((await exchange(gatehouse, await authorize('spa', parameters))).body['id_token']);

  test('lets the person pass whom it names, signed in or signing in', async () => {
    const person = await signUp(gatehouse, { kind: 'spa' });
    const id_token_hint = await tokenOf(person);
    expect(isSignedIn(await person.agent.open(requestOf(gatehouse, 'spa', { id_token_hint }).url))).toBe(true);
    const { page } = await signIn(gatehouse, person.email, { parameters: { id_token_hint } });
    expect(isSignedIn(page)).toBe(true);
  });

  test.each(['in the URL', 'pushed before'])('%s brings the application nobody else, whoever signs in on the way', async (way) => {
    const id_token_hint = await tokenOf(await signUp(gatehouse, { kind: 'spa' }));
    const other = await signUp(gatehouse, { kind: 'spa' });
    const sent = requestOf(gatehouse, 'spa', { id_token_hint });
    const pushed = async () => {
      const { request_uri } = (await (
        await fetch(`${gatehouse.baseUrl}/oauth2/par`, { method: 'POST', body: new URL(sent.url).searchParams })
      ).json()) as {
        request_uri: string;
      };
      return `${gatehouse.baseUrl}/oauth2/auth?${new URLSearchParams({ client_id: sent.query['client_id']!, request_uri })}`;
    };
    const agent = userAgent(gatehouse.baseUrl);
    const url = way === 'pushed before' ? await pushed() : sent.url;
    const password = await agent.submit(await agent.open(url), 'identify', { p_email: other.email });
    const page = await agent.submit(password, 'password', { p_password: PASSWORD });
    expect(parametersOf(page)).toEqual({
      error: 'login_required',
      error_description: 'Somebody else has signed in than the id_token_hint names.',
      state: sent.query['state'],
      iss: gatehouse.baseUrl,
    });
    // Who has signed in there is signed in, for whoever asks for nobody else.
    expect(isSignedIn(await agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
    expect(isSignIn(await agent.open(requestOf(gatehouse, 'spa', { id_token_hint }).url))).toBe(true);
    const silent = await agent.open(requestOf(gatehouse, 'spa', { id_token_hint, prompt: 'none' }).url);
    expect(parametersOf(silent)).toMatchObject({ error: 'login_required' });
  });
});

test('login_hint fills the address in, when it is one', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress('hinted');
  for (const prompt of ['', 'create'])
    expect((await agent.open(requestOf(gatehouse, 'spa', { login_hint: email, prompt }).url)).html).toContain(`value="${email}"`);
  for (const hint of ['phone:+61400000000:au', 'username:jane', '"><script>alert(1)</script>@mail.test', 'a@b']) {
    const page = await agent.open(requestOf(gatehouse, 'spa', { login_hint: hint }).url);
    expect(page.html).toMatch(/name="p_email"[^>]* value=""/);
    expect(page.html).not.toContain('<script');
  }
});

test('every answer is kept out of caches', async () => {
  const { agent } = await signUp(gatehouse);
  const cookie = [...agent.cookies].map(([name, value]) => `${name.split(' ')[0]}=${value}`).join('; ');
  for (const prompt of ['', 'none', 'login']) {
    const answer = await fetch(requestOf(gatehouse, 'spa', { prompt }).url, { redirect: 'manual', headers: { cookie } });
    expect(answer.status).toBe(302);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  }
});
