/** Signing out: the session and its tokens end, and the browser goes to a registered place or stays. */
import { expect, test } from 'vitest';
import { signingKeys } from '../../src/features/signing-keys/service.ts';
import { signJwt } from '../../src/security/jwt.ts';
import { startApp } from '../helpers/app.ts';
import { type PageView, userAgent } from '../helpers/user-agent.ts';
import { exchange, type Person, refresh, requestOf, signIn, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const HOME = 'http://localhost:8080';

const leave = ({ agent }: Person, query = '') => agent.open(`${gatehouse.baseUrl}/logout${query}`);
const isSignedOut = async ({ agent }: Person) => (await agent.open(requestOf(gatehouse, 'spa').url)).html.includes('<h1>Sign in</h1>');

async function expectPage(page: PageView, status: number): Promise<void> {
  expect(page.status).toBe(status);
  expect(page.url).toMatch(new RegExp(`^${gatehouse.baseUrl}/`));
  expect(page.html).toContain('You are signed out');
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  expect(page.headers.get('cache-control')).toBe('no-store');
}

test('signing out ends the session, its cookie and its tokens, for every application', async () => {
  const person = await signUp(gatehouse, { kind: 'spa' });
  const spa = (await exchange(gatehouse, person.first)).body['refresh_token'];
  const reg = (await exchange(gatehouse, await person.authorize('reg'), 'reg')).body['refresh_token'];
  const session = [...person.agent.cookies.entries()];
  await expectPage(await leave(person), 200);
  expect(await isSignedOut(person)).toBe(true);
  expect((await refresh(gatehouse, spa)).body['error']).toBe('invalid_grant');
  expect((await refresh(gatehouse, reg, 'reg')).body['error']).toBe('invalid_grant');
  for (const [name, value] of session) person.agent.cookies.set(name, value);
  expect(await isSignedOut(person)).toBe(true);
});

test('signing out twice, also at once, is no mistake', async () => {
  const person = await signUp(gatehouse);
  for (const page of await Promise.all([leave(person), leave(person), leave(person)])) await expectPage(page, 200);
  await expectPage(await leave(person), 200);
});

test('signing out of one browser leaves the person’s others signed in', async () => {
  const person = await signUp(gatehouse);
  const { agent } = await signIn(gatehouse, person.email);
  await agent.open(`${gatehouse.baseUrl}/logout`);
  expect(await isSignedOut({ ...person, agent })).toBe(true);
  expect(await isSignedOut(person)).toBe(false);
});

test('tokens of a session that has gone to sleep end with it too', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  gatehouse.advance(24 * 3600 + 1);
  expect((await refresh(gatehouse, body['refresh_token'])).status).toBe(200);
  const { body: young } = await refresh(gatehouse, body['refresh_token']);
  await leave(person);
  expect((await refresh(gatehouse, young['refresh_token'])).body['error']).toBe('invalid_grant');
});

test.each(['redirect', 'redirect_uri'])('%s, as SDKs send it, leads to a registered logout URL', async (name) => {
  const person = await signUp(gatehouse);
  expect((await leave(person, `?${name}=${encodeURIComponent(HOME)}`)).url).toBe(`${HOME}/`);
  expect(await isSignedOut(person)).toBe(true);
});

test('SDKs for phones send it by both names, and nobody is asked', async () => {
  const person = await signUp(gatehouse);
  expect((await leave(person, `?post_logout_redirect_uri=${HOME}&redirect=${HOME}`)).url).toBe(`${HOME}/`);
  expect(await isSignedOut(person)).toBe(true);
});

test('post_logout_redirect_uri leads there with an ID token of the person, long expired as well', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  gatehouse.advance(400 * 24 * 3600);
  await person.agent.open(requestOf(gatehouse, 'spa').url);
  const page = await leave(
    person,
    `?post_logout_redirect_uri=${HOME}&id_token_hint=${body['id_token']}&state=s1&logout_hint=x&ui_locales=de`,
  );
  expect(page.url).toBe(`${HOME}/?state=s1`);
});

test('post_logout_redirect_uri without one asks first (RP-Initiated Logout §2)', async () => {
  const person = await signUp(gatehouse);
  const page = await leave(person, `?post_logout_redirect_uri=${HOME}&state=s%22%3E1`);
  expect(page.html).toContain('Sign out?');
  expect(page.headers.get('content-security-policy')).toContain(`form-action 'self' ${HOME};`);
  expect(await isSignedOut(person)).toBe(false);
  const forged = await person.agent.submit(
    { ...page, html: page.html.replace(/name="csrf" value="[^"]*"/, 'name="csrf" value="x"') },
    'confirm',
  );
  expect(forged.status).toBe(403);
  expect(await isSignedOut(person)).toBe(false);
  const done = await person.agent.submit(page, 'confirm', { state: 's">1' });
  expect(new URL(done.url).searchParams.get('state')).toBe('s">1');
  expect(await isSignedOut(person)).toBe(true);
});

test('an ID token of somebody else asks first', async () => {
  const [other, person] = [await signUp(gatehouse), await signUp(gatehouse)];
  const { body } = await exchange(gatehouse, other.first);
  const page = await leave(person, `?redirect=${HOME}&id_token_hint=${body['id_token']}`);
  expect(page.html).toContain('Sign out?');
  expect(await isSignedOut(person)).toBe(false);
  expect((await person.agent.submit(page, 'confirm')).url).toBe(`${HOME}/`);
  expect([await isSignedOut(person), await isSignedOut(other)]).toEqual([true, false]);
});

test('a request may be posted, from another site too', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  const form = new URLSearchParams({ post_logout_redirect_uri: HOME, id_token_hint: String(body['id_token']), state: 's', stray: 'x' });
  const answer = await fetch(`${gatehouse.baseUrl}/logout`, { method: 'POST', body: form, redirect: 'manual' });
  expect(answer.status).toBe(303);
  const location = new URL(answer.headers.get('location')!);
  expect(location.searchParams.has('stray')).toBe(false);
  expect((await person.agent.open(location.href)).url).toBe(`${HOME}/?state=s`);
  expect(await isSignedOut(person)).toBe(true);
});

test('all_sessions=true signs the person out of every browser, and nobody else', async () => {
  const [person, other] = [await signUp(gatehouse), await signUp(gatehouse)];
  const elsewhere = await signIn(gatehouse, person.email);
  const { body } = await exchange(gatehouse, person.first);
  expect((await leave(person, `?redirect=${HOME}&all_sessions=true`)).url).toBe(`${HOME}/`);
  expect(await isSignedOut({ ...person, agent: elsewhere.agent })).toBe(true);
  expect((await refresh(gatehouse, body['refresh_token'])).body['error']).toBe('invalid_grant');
  expect(await isSignedOut(other)).toBe(false);
});

test('an address that is not encoded, with more behind it, still leads there', async () => {
  const person = await signUp(gatehouse);
  expect((await leave(person, `?redirect=${HOME}&from=app&all=1`)).url).toBe(`${HOME}/`);
  expect((await leave(person, `?redirect=${HOME}/`)).url).toBe(`${HOME}/`);
});

test('an empty address is none', async () => {
  await expectPage(await leave(await signUp(gatehouse), '?redirect=&state=x'), 200);
});

test('state comes back with the redirect', async () => {
  const person = await signUp(gatehouse);
  const { url } = await leave(person, `?redirect_uri=${HOME}&state=${encodeURIComponent('a b&c=é')}`);
  expect(Object.fromEntries(new URL(url).searchParams)).toEqual({ state: 'a b&c=é' });
});

test('a client id or an ID token narrows the choice to that application’s own URLs', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  const elsewhere = 'https://elsewhere.test/bye';
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { id: `app_${gatehouse.application('m2m').clientId}` }, data: { logoutUrls: [elsewhere] } });
  gatehouse.app.infrastructure.lookups.forget();
  const target = `redirect=${encodeURIComponent(elsewhere)}`;
  await expectPage(await leave(person, `?${target}&client_id=${gatehouse.application('spa').clientId}`), 400);
  await expectPage(await leave(person, `?${target}&id_token_hint=${body['id_token']}`), 400);
  expect((await leave(person, `?${target}`)).url).toBe(elsewhere);
  expect((await leave(person, `?post_logout_redirect_uri=${HOME}&id_token_hint=${body['id_token']}`)).url).toBe(`${HOME}/`);
});

test.each([
  'https://evil.test',
  '//evil.test',
  '/\\evil.test',
  '/',
  'http://localhost:8080/callback',
  'http://localhost:8080.evil.test',
  'http://localhost:8080@evil.test',
  'http://localhost:8080/../evil',
  'http://localhost:8080//',
  'http://localhost:8081',
  'http://LOCALHOST:8080',
  'http://localhost:8080?next=https://evil.test',
  'http://localhost:8080#evil',
  'javascript:alert(1)',
  'data:text/html,evil',
  'http://localhost:8080\r\nSet-Cookie: evil=1',
  'http://localhost:8080\0',
])('nobody is sent to %j', async (target) => {
  for (const name of ['redirect', 'post_logout_redirect_uri', 'redirect_uri']) {
    const page = await userAgent(gatehouse.baseUrl).open(`${gatehouse.baseUrl}/logout?${name}=${encodeURIComponent(target)}`);
    await expectPage(page, 400);
    expect(page.html).not.toContain('evil');
  }
});

test('who is to be sent to a wrong place stays, but signed out', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  await expectPage(await leave(person, '?redirect=https://evil.test'), 400);
  expect(await isSignedOut(person)).toBe(true);
  expect((await refresh(gatehouse, body['refresh_token'])).body['error']).toBe('invalid_grant');
});

test('a hint that is no token, is forged, or is another issuer’s opens nothing', async () => {
  const person = await signUp(gatehouse);
  const forged = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ aud: ['evil'], sub: 'kp_x' }))}.`;
  const { issuer, account } = gatehouse.quickstart;
  const { infrastructure } = gatehouse.app;
  const claims = { sub: 'kp_x', aud: [gatehouse.application('spa').clientId] };
  const signed = async (domain: string, iss: string) => {
    const { id } = await infrastructure.database.prisma.environment.findFirstOrThrow({ where: { domain } });
    return signJwt((await signingKeys(infrastructure, id)).signer, { ...claims, iss });
  };
  const own = await signed('acme', issuer);
  expect((await leave(person, `?redirect=${HOME}&id_token_hint=${own}&client_id=${gatehouse.application('spa').clientId}`)).html).toContain(
    'Sign out?',
  );
  const foreign = [await signed('account', issuer), await signed('account', account.issuer), await signed('acme', account.issuer)];
  for (const hint of ['x', 'a.b.c', forged, 'x'.repeat(5000), ...foreign]) {
    await expectPage(await leave(person, `?redirect=https://evil.test&id_token_hint=${hint}`), 400);
    await expectPage(await leave(person, `?redirect=${HOME}&id_token_hint=${hint}`), 400);
  }
});

test('who is not signed in may sign out all the same', async () => {
  const answer = await fetch(`${gatehouse.baseUrl}/logout?redirect=${HOME}`, { redirect: 'manual' });
  expect([answer.status, answer.headers.get('location')]).toEqual([302, HOME]);
  const forged = await fetch(`${gatehouse.baseUrl}/logout`, { headers: { cookie: `gatehouse_session_acme=${'x'.repeat(43)}` } });
  expect(forged.status).toBe(200);
});
