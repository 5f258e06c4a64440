/** Who signs in again in a browser has one session there, and nobody has the one before: neither its cookie nor, for somebody else, what was issued in it. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';
import { authorizationUrl, type PageView, postForm, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  organization,
  PASSWORD,
  type Person,
  refresh,
  requestOf,
  signIn,
  signUp,
  typeCode,
  userIdOf,
} from '../person.ts';
import { strictOrganization, typeMfaCode } from '../second-factor.ts';

const gatehouse = startApp();
const SESSION = 'gatehouse_session_acme /';
const BROWSER = 'gatehouse_browser_acme /';
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const newAgent = () => userAgent(gatehouse.baseUrl);
const open = (agent: UserAgent, parameters: Record<string, string> = {}) => agent.open(requestOf(gatehouse, 'spa', parameters).url);
const sessionsIn = async (...people: readonly Person[]) => {
  const userIds = await Promise.all(people.map(({ email }) => userIdOf(gatehouse, email)));
  return prisma().session.findMany({ where: { userId: { in: userIds } } });
};

/** Another browser that has the cookies `names` of this one. */
function thiefOf({ cookies }: UserAgent, ...names: readonly string[]): UserAgent {
  const thief = newAgent();
  for (const name of names) thief.cookies.set(name, cookies.get(name)!);
  return thief;
}

describe.each<[string, Record<string, string>, number]>([
  ['prompt=login', { prompt: 'login' }, 120],
  ['max_age', { max_age: '60' }, 120],
  ['a day without use', {}, 24 * 3600 + 1],
])('after %s', (_why, parameters, seconds) => {
  test('the session goes on as of now, and its cookie of before is nobody’s', async () => {
    const person = await signUp(gatehouse);
    const { agent, email } = person;
    const first = (await exchange(gatehouse, person.first)).body;
    const [before] = await sessionsIn(person);
    const thief = thiefOf(agent, SESSION);
    gatehouse.advance(seconds);
    const { page, request } = await signIn(gatehouse, email, { agent, parameters });
    const { body } = await exchange(gatehouse, answerOf(page, request));
    const [sid, again] = [first, body].map(({ id_token }) => decodeJwt(id_token)['sid']);
    expect(again).toBe(sid);
    expect(Number(decodeJwt(body.id_token)['auth_time'])).toBeGreaterThanOrEqual(Number(decodeJwt(first.id_token)['auth_time']) + seconds);
    const after = await sessionsIn(person);
    expect(after).toMatchObject([{ id: before!.id, createdAt: before!.createdAt, amr: ['pwd'] }]);
    for (const when of ['authTime', 'lastActiveAt', 'expiresAt'] as const)
      expect(after[0]![when].getTime()).toBeGreaterThanOrEqual(before![when].getTime() + seconds * 1000);
    expect(headingOf(await open(thief))).toBe('Sign in');
    expect(isSignedIn(await open(agent))).toBe(true);
    expect(await prisma().user.findFirst({ where: { id: before!.userId } })).toMatchObject({ totalSignIns: 2 });

    // What was issued in it lives on, and ends with it.
    const { refresh_token } = (await refresh(gatehouse, first.refresh_token)).body;
    expect(refresh_token).toEqual(expect.any(String));
    await agent.open(`${gatehouse.quickstart.issuer}/logout`);
    for (const token of [refresh_token, body.refresh_token]) expect((await refresh(gatehouse, token)).body.error).toBe('invalid_grant');
    for (const one of [agent, thief]) expect(headingOf(await open(one))).toBe('Sign in');
  });
});

test('of somebody else the session ends, with what was issued in it, and only in this browser', async () => {
  const [person, other] = [await signUp(gatehouse), await signUp(gatehouse)];
  const { body } = await exchange(gatehouse, person.first);
  const elsewhere = (await signIn(gatehouse, person.email)).agent;
  const thief = thiefOf(person.agent, SESSION);
  const { page } = await signIn(gatehouse, other.email, { agent: person.agent, parameters: { prompt: 'login' } });
  expect(isSignedIn(page)).toBe(true);
  expect(headingOf(await open(thief))).toBe('Sign in');
  expect((await refresh(gatehouse, body.refresh_token)).body.error).toBe('invalid_grant');
  const targetId = await userIdOf(gatehouse, person.email);
  expect(await prisma().auditEvent.count({ where: { action: 'session.ended', targetId } })).toBe(1);
  for (const agent of [elsewhere, person.agent, other.agent]) expect(isSignedIn(await open(agent))).toBe(true);
});

test('who signs up in the browser of somebody else ends the session as well', async () => {
  const person = await signUp(gatehouse);
  const thief = thiefOf(person.agent, SESSION);
  await signUp(gatehouse, { agent: person.agent });
  expect(headingOf(await open(thief))).toBe('Sign in');
});

test('a browser that has lost its session’s cookie leaves none behind', async () => {
  const person = await signUp(gatehouse);
  const thief = thiefOf(person.agent, SESSION);
  person.agent.cookies.delete(SESSION);
  expect(isSignedIn((await signIn(gatehouse, person.email, { agent: person.agent })).page)).toBe(true);
  expect(await sessionsIn(person)).toHaveLength(1);
  expect(headingOf(await open(thief))).toBe('Sign in');
});

test('a sign-in to another environment leaves it alone', async () => {
  const person = await signUp(gatehouse);
  const before = await sessionsIn(person);
  const { account, owner } = gatehouse.quickstart;
  const { agent } = person;
  // As if both environments had the same cookies.
  for (const what of ['session', 'browser'])
    agent.cookies.set(`gatehouse_${what}_account /`, agent.cookies.get(`gatehouse_${what}_acme /`)!);
  const { clientId, callbackUrls } = account.applications[0]!;
  const mails = await gatehouse.mailCount(owner.email);
  const { url } = authorizationUrl({ issuer: account.issuer, clientId, redirectUri: callbackUrls[0]! });
  const code = await agent.submit(await agent.open(url), 'identify', { p_email: owner.email });
  expect((await typeCode(gatehouse, agent, code, owner.email, mails)).url).toContain('code=');
  expect(await sessionsIn(person)).toEqual(before);
  expect(isSignedIn(await open(person.agent))).toBe(true);
});

test('who connects a device with an idle session goes on in it', async () => {
  const { issuer } = gatehouse.quickstart;
  const person = await signUp(gatehouse);
  const [before] = await sessionsIn(person);
  gatehouse.advance(24 * 3600 + 1);
  const form = { client_id: gatehouse.application('device').clientId, scope: 'openid offline' };
  const { body } = await postForm(`${issuer}/oauth2/device/auth`, form);
  const { agent } = person;
  const asked = await agent.submit(await agent.open(`${issuer}/device`), 'device', { p_user_code: String(body!['user_code']) });
  const known = await agent.submit(asked, 'identify', { p_email: person.email });
  const confirm = await typeCode(gatehouse, agent, known, person.email, 1);
  const done = await agent.submit(confirm, 'device', { p_decision: 'allow' });
  expect(done.url).toBe(`${issuer}/device/connected`);
  expect((await sessionsIn(person)).map(({ id }) => id)).toEqual([before!.id]);
  expect(isSignedIn(await open(agent))).toBe(true);
});

describe('second factors of before', () => {
  /** Somebody who has proved a factor for one of two organizations in the session, and what a sign-in to either asks. */
  async function somebody() {
    const person = await signUp(gatehouse);
    const members = [await userIdOf(gatehouse, person.email)];
    const lax = { org_code: await organization(gatehouse, 'Lax', { members }) };
    const strict = { org_code: await strictOrganization(gatehouse, 'Strict', members, { mfaPolicy: 'required', mfaFactors: ['email'] }) };
    const code = await person.agent.submit(await open(person.agent, strict), 'mfa_address', { p_mfa_email: person.email });
    expect(isSignedIn(await typeMfaCode(gatehouse, person.agent, code, person.email, 1, 'mfa_confirm'))).toBe(true);
    return { ...person, lax, strict };
  }
  const isAsked = (page: PageView) => headingOf(page) === 'Prove that it is you';

  test('are kept by who signs in again where they are not asked for, and for no longer than they were good', async () => {
    const person = await somebody();
    const { agent, email, lax, strict } = person;
    const [before] = await sessionsIn(person);
    gatehouse.advance(3600);
    const { page, request } = await signIn(gatehouse, email, { agent, parameters: { ...lax, prompt: 'login' } });
    const { body } = await exchange(gatehouse, answerOf(page, request));
    expect(decodeJwt(body.id_token)['amr']).toEqual(['pwd']);
    expect(isSignedIn(await open(agent, strict))).toBe(true);
    expect(await sessionsIn(person)).toMatchObject([{ mfaProofs: before!.mfaProofs, expiresAt: before!.expiresAt }]);
  });

  test('are asked for again by who signs in again where they count', async () => {
    const person = await somebody();
    const [before] = await sessionsIn(person);
    gatehouse.advance(3600);
    const mails = await gatehouse.mailCount(person.email);
    const { agent, page } = await signIn(gatehouse, person.email, {
      agent: person.agent,
      parameters: { ...person.strict, prompt: 'login' },
    });
    expect(isAsked(page)).toBe(true);
    expect(isSignedIn(await typeMfaCode(gatehouse, agent, page, person.email, mails))).toBe(true);
    const [after] = await sessionsIn(person);
    expect([after!.mfaProofs, after!.amr]).toEqual([before!.mfaProofs, ['pwd', 'otp', 'mfa']]);
    expect(after!.expiresAt.getTime()).toBeGreaterThan(before!.expiresAt.getTime());
  });

  test('are lost with the day in which nobody used the session', async () => {
    const { agent, email, lax, strict } = await somebody();
    gatehouse.advance(24 * 3600 + 1);
    expect(isSignedIn((await signIn(gatehouse, email, { agent, parameters: lax })).page)).toBe(true);
    expect(isAsked(await open(agent, strict))).toBe(true);
  });

  test('are not given to who knows the password and the browser’s own token, but has no session', async () => {
    const { agent, email, lax, strict } = await somebody();
    const thief = thiefOf(agent, BROWSER);
    expect(isSignedIn((await signIn(gatehouse, email, { agent: thief, parameters: lax })).page)).toBe(true);
    expect(isAsked(await open(thief, strict))).toBe(true);
  });
});

describe('several sign-ins in one browser at once', () => {
  /** Pages of the browser that ask for the passwords of these people. */
  async function asking(agent: UserAgent, people: readonly Person[]) {
    const pages: PageView[] = [];
    for (const { email } of people) pages.push((await identify(gatehouse, agent, email, { prompt: 'login' })).page);
    return () => Promise.all(pages.map((page) => agent.submit(page, 'password', { p_password: PASSWORD })));
  }

  test.each(['with a session before', 'with none'])('%s leave one session, which is the browser’s', async (before) => {
    const person = await signUp(gatehouse);
    const agent = before === 'with none' ? newAgent() : person.agent;
    if (agent !== person.agent) await prisma().session.deleteMany({ where: { userId: await userIdOf(gatehouse, person.email) } });
    const thief = thiefOf(person.agent, SESSION);
    const submit = await asking(agent, [person, person, person, person]);
    expect((await submit()).map(isSignedIn)).toEqual([true, true, true, true]);
    expect(await sessionsIn(person)).toHaveLength(1);
    expect(headingOf(await open(thief))).toBe('Sign in');
    expect(isSignedIn(await open(agent))).toBe(true);
  });

  test('by different people leave one session, of one of them', async () => {
    const [one, other] = [await signUp(gatehouse), await signUp(gatehouse)];
    await prisma().session.deleteMany();
    const submit = await asking(newAgent(), [one, other, one, other]);
    expect((await submit()).map(isSignedIn)).toEqual([true, true, true, true]);
    expect(await sessionsIn(one, other)).toHaveLength(1);
  });

  test('by the same page are one sign-in', async () => {
    const person = await signUp(gatehouse);
    const { page } = await identify(gatehouse, person.agent, person.email, { prompt: 'login' });
    const ends = await Promise.all([1, 2, 3].map(() => person.agent.submit(page, 'password', { p_password: PASSWORD })));
    expect(ends.filter(isSignedIn)).toHaveLength(1);
    expect(ends.map(({ status }) => status).every((status) => status < 500)).toBe(true);
    expect(await sessionsIn(person)).toHaveLength(1);
    expect(isSignedIn(await open(person.agent))).toBe(true);
  });
});
