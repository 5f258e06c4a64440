/** What an attacker puts into a browser before its person signs in is not what is signed in afterwards. */
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../../helpers/app.ts';
import { type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import { headingOf, identify, isSignedIn, PASSWORD, type Person, requestOf, signIn, signUp, userIdOf } from '../person.ts';
import { typeMfaCode } from '../second-factor.ts';

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

describe('a session in which a second factor is proved', () => {
  const prisma = () => gatehouse.app.infrastructure.database.prisma;
  const sessionsOf = (userId: string) => prisma().session.findMany({ where: { userId } });
  const mfaPolicy = async (mfaPolicy: 'off' | 'required') => {
    await prisma().environment.updateMany({
      where: { isPrimary: true },
      data: { mfaPolicy, mfaFactors: ['email'], hasRecoveryCodes: false },
    });
    gatehouse.app.infrastructure.lookups.forget();
  };
  afterEach(() => mfaPolicy('off'));

  /** Somebody with codes by email, whose session knows nothing of them; and who has its cookie as it was then. */
  async function somebody() {
    const person = await signUp(gatehouse, { agent: newAgent() });
    const userId = await userIdOf(gatehouse, person.email);
    await mfaPolicy('required');
    const asked = await open(person.agent);
    expect(headingOf(asked)).toBe('Codes by email');
    const after = await gatehouse.mailCount(person.email);
    const code = await person.agent.submit(asked, 'mfa_address', { p_mfa_email: person.email });
    return { ...person, userId, confirm: () => typeMfaCode(gatehouse, person.agent, code, person.email, after, 'mfa_confirm') };
  }

  test('is another one to who knew its cookie before', async () => {
    const { agent, userId, confirm } = await somebody();
    const thief = newAgent();
    thief.cookies.set('__Host-gatehouse_session_acme /', cookie(agent, 'session'));
    const waiting = await open(thief);
    expect(headingOf(waiting)).toBe('Codes by email');
    const [before] = await sessionsOf(userId);
    expect(isSignedIn(await confirm())).toBe(true);
    expect(headingOf(await open(thief))).toBe('Sign in');
    const late = await thief.submit(waiting, 'mfa_address', { p_mfa_email: 'thief@mail.test' });
    expect([late.status, isSignedIn(late)]).toEqual([400, false]);
    expect(isSignedIn(await open(agent))).toBe(true);
    const after = await sessionsOf(userId);
    expect(after).toEqual([{ ...before!, ...after[0]!, id: before!.id, authTime: before!.authTime, expiresAt: before!.expiresAt }]);
    expect(await prisma().grant.count({ where: { userId, revokedAt: { not: null } } })).toBe(0);
  });

  test('goes on in the browser in which two pages prove it at once', async () => {
    const { agent, email, userId, confirm } = await somebody();
    expect(isSignedIn(await confirm())).toBe(true);
    await prisma().session.updateMany({ where: { userId }, data: { mfaProofs: [] } });
    const before = cookie(agent, 'session');
    const pages = [];
    for (let page = 0; page < 2; page++) {
      gatehouse.advance(31); // A code is on its way each time.
      const after = await gatehouse.mailCount(email);
      pages.push({ page: await open(agent), code: codeIn(await gatehouse.mailTo(email, { after })) });
    }
    const ends = await Promise.all(pages.map(({ page, code }) => agent.submit(page, 'mfa_code', { p_confirmation_code: code })));
    expect(ends.filter(isSignedIn).length).toBeGreaterThanOrEqual(1);
    for (const [at, end] of ends.entries())
      if (!isSignedIn(end)) {
        // It came with a cookie that was nobody's by then: the next request brings the new one.
        expect(end.status).toBe(400);
        expect(isSignedIn(await agent.submit(pages[at]!.page, 'mfa_code', { p_confirmation_code: pages[at]!.code }))).toBe(true);
      }
    expect(await sessionsOf(userId)).toHaveLength(1);
    expect(cookie(agent, 'session')).not.toBe(before);
    expect(isSignedIn(await open(agent))).toBe(true);
    const thief = newAgent();
    thief.cookies.set('__Host-gatehouse_session_acme /', before);
    expect(headingOf(await open(thief))).toBe('Sign in');
  });

  test('that an operator has ended meanwhile does not come back', async () => {
    const { agent, userId, confirm } = await somebody();
    await prisma().session.deleteMany({ where: { userId } });
    expect([(await confirm()).status, (await sessionsOf(userId)).length]).toEqual([400, 0]);
    expect(headingOf(await open(agent))).toBe('Sign in');
  });
});
