/** What an attacker puts into a browser before its person signs in is not what is signed in afterwards. */
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';
import { type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import { headingOf, identify, isSignedIn, PASSWORD, type Person, requestOf, signIn, signUp } from '../person.ts';

const HOST = 'auth.acme.test';
const gatehouse = startApp({ BASE_URL: `https://${HOST}`, TRUST_PROXY: 'loopback' });
let attacker: Person;
let victim: Person;
beforeAll(async () => {
  attacker = await signUp(gatehouse, { agent: newAgent() });
  victim = await signUp(gatehouse, { agent: newAgent() });
});

/** A browser that reaches the server over TLS, which a proxy before it ends. */
function newAgent(): UserAgent {
  const { port } = gatehouse.app.server.server.address() as AddressInfo;
  return userAgent(`https://${HOST}`, { 'x-forwarded-host': HOST }, () => `http://localhost:${port}`);
}

const cookie = (agent: UserAgent, what: 'session' | 'browser') => agent.cookies.get(`__Host-gatehouse_${what}_acme /`)!;
const open = (agent: UserAgent) => agent.open(requestOf(gatehouse, 'spa').url);

test('every cookie of a sign-in can be set by this host alone', () => {
  expect([...victim.agent.cookies.keys()].sort()).toEqual(['__Host-gatehouse_browser_acme /', '__Host-gatehouse_session_acme /']);
});

test('what a neighbouring subdomain plants is not read', async () => {
  const agent = newAgent();
  // A browser takes a name with the prefix from this host alone: who cannot answer in its name can set these only.
  for (const what of ['session', 'browser'] as const) agent.cookies.set(`gatehouse_${what}_acme /`, cookie(attacker.agent, what));
  expect(headingOf(await open(agent))).toBe('Sign in');
  expect(cookie(agent, 'browser')).not.toBe(cookie(attacker.agent, 'browser'));
  const theirs = await attacker.agent.open(requestOf(gatehouse, 'spa', { prompt: 'login' }).url);
  expect((await agent.open(theirs.url)).status).toBe(403);
  expect(isSignedIn((await signIn(gatehouse, victim.email, { agent })).page)).toBe(true);
  expect(cookie(agent, 'session')).not.toBe(cookie(attacker.agent, 'session'));
});

test('a browser’s own token, known before its person signs in, is no session afterwards', async () => {
  const agent = newAgent();
  await open(agent);
  const known = cookie(agent, 'browser');
  const { page, asked } = await signIn(gatehouse, victim.email, { agent });
  expect(isSignedIn(page)).toBe(true);
  const thief = newAgent();
  thief.cookies.set('__Host-gatehouse_browser_acme /', known);
  thief.cookies.set('__Host-gatehouse_session_acme /', known);
  expect(headingOf(await open(thief))).toBe('Sign in');
  const late = await thief.open(asked.url);
  expect([headingOf(late), isSignedIn(late), thief.cookies.get('__Host-gatehouse_session_acme /')]).toEqual([
    'You are signed in',
    false,
    known,
  ]);
  expect(isSignedIn(await open(agent))).toBe(true);
});

test('a person who follows the link of a foreign sign-in types nothing into it', async () => {
  const { page } = await identify(gatehouse, attacker.agent, attacker.email, { prompt: 'login' });
  const agent = newAgent();
  await open(agent);
  const followed = await agent.open(page.url);
  expect([followed.status, followed.html.includes('8809'), followed.html.includes('<form')]).toEqual([403, true, false]);
  const posted = await agent.submit(page, 'password', { p_password: PASSWORD });
  expect([posted.status, agent.cookies.has('__Host-gatehouse_session_acme /')]).toEqual([403, false]);
  expect(headingOf(await attacker.agent.open(page.url))).toBe('Enter your password');
  expect(isSignedIn((await signIn(gatehouse, victim.email, { agent })).page)).toBe(true);
});

test('a foreign sign-in’s form token opens no step of one’s own', async () => {
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, victim.email);
  const theirs = await identify(gatehouse, attacker.agent, attacker.email, { prompt: 'login' });
  const csrf = /name="csrf" value="([^"]+)"/.exec(theirs.page.html)![1]!;
  expect((await agent.submit(page, 'password', { csrf, p_password: PASSWORD })).status).toBe(403);
  expect(isSignedIn(await agent.submit(page, 'password', { p_password: PASSWORD }))).toBe(true);
});
