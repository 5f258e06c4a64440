/** What somebody got hold of before its owner chose another password is worth nothing afterwards. */
import { decodeJwt } from 'jose';
import { expect, test, vi } from 'vitest';
import { createContext } from '../../../src/features/context.ts';
import { endEverySession } from '../../../src/features/sessions/service.ts';
import { startApp } from '../../helpers/app.ts';
import { type PageView, teamToken, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  organization,
  refresh,
  requestOf,
  signIn,
  signInByCode,
  signUp,
  typeCode,
  userIdOf,
} from '../person.ts';

const gatehouse = startApp();
const NEW = 'a loud mountain at dusk';
const newAgent = () => userAgent(gatehouse.baseUrl);
const prisma = () => gatehouse.app.infrastructure.database.prisma;

/** Another browser with the same cookies. */
function copyOf({ cookies }: UserAgent): UserAgent {
  const copy = newAgent();
  for (const [name, value] of cookies) copy.cookies.set(name, value);
  return copy;
}

/** A browser that forgot the password of `email` and has typed the mailed code. */
async function atReset(email: string) {
  const agent = newAgent();
  const { page, request } = await identify(gatehouse, agent, email);
  const after = await gatehouse.mailCount(email);
  const code = await agent.submit(page, 'forgot');
  return { agent, request, page: await typeCode(gatehouse, agent, code, email, after) };
}

async function reset(email: string) {
  const { agent, page, request } = await atReset(email);
  return { agent, answer: answerOf(await choosePassword(agent, page, NEW), request) };
}

const open = (agent: UserAgent) => agent.open(requestOf(gatehouse, 'spa').url);
const profileOf = async (token: string) =>
  (await fetch(`${gatehouse.quickstart.issuer}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${token}` } })).status;

test('a stolen session, and the tokens of one, end with the password that was forgotten', async () => {
  const person = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, person.first);
  const thief = copyOf(person.agent);
  expect([isSignedIn(await open(thief)), await profileOf(body.access_token)]).toEqual([true, 200]);
  const elsewhere = (await signIn(gatehouse, person.email)).agent;
  const { answer } = await reset(person.email);
  for (const agent of [thief, person.agent, elsewhere]) expect(headingOf(await open(agent))).toBe('Sign in');
  expect((await refresh(gatehouse, body.refresh_token)).body.error).toBe('invalid_grant');
  expect(await profileOf(body.access_token)).toBe(401);
  const targetId = await userIdOf(gatehouse, person.email);
  const audited = await prisma().auditEvent.findMany({ where: { action: 'user.sessions_ended', targetId } });
  expect(audited).toMatchObject([{ actorKind: 'user', details: { reason: 'password_reset' } }]);
  expect((await exchange(gatehouse, answer)).status).toBe(200);
});

test('a stolen session that asks for codes all the while has none that is good afterwards', async () => {
  const { email, agent: thief } = await signUp(gatehouse);
  const { agent, page } = await atReset(email);
  const requests: ReturnType<typeof requestOf>[] = [];
  const asked: Promise<PageView>[] = [];
  let isOver = false;
  const storm = (async () => {
    while (!isOver) {
      const request = requestOf(gatehouse, 'spa', { prompt: 'none' });
      requests.push(request);
      asked.push(thief.open(request.url));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  expect(isSignedIn(await choosePassword(agent, page, NEW))).toBe(true);
  isOver = true;
  await storm;
  const pages = await Promise.all(asked);
  for (const [at, { url }] of pages.entries()) {
    if (url.includes('error=login_required')) continue;
    expect((await exchange(gatehouse, answerOf(pages[at]!, requests[at]!))).body.error).toBe('invalid_grant');
  }
});

test('whoever chose the other password is signed in by it, and every token of the same second counts', async () => {
  const { email, first } = await signUp(gatehouse);
  const before = await exchange(gatehouse, first);
  const { agent, page, request } = await atReset(email);
  const { clock } = gatehouse.app.infrastructure;
  const frozen = vi.spyOn(clock, 'now').mockReturnValue(clock.now());
  try {
    const { body } = await exchange(gatehouse, answerOf(await choosePassword(agent, page, NEW), request));
    expect([await profileOf(body.access_token), await profileOf(before.body.access_token)]).toEqual([200, 401]);
    expect((await refresh(gatehouse, body.refresh_token)).status).toBe(200);
    expect(isSignedIn(await open(agent))).toBe(true);
  } finally {
    frozen.mockRestore();
  }
});

test('a team member who is signed out everywhere, and in again within the second, has the graph with the new token alone', async () => {
  const { owner } = gatehouse.quickstart;
  const { clock } = gatehouse.app.infrastructure;
  const before = await teamToken(gatehouse, owner.email);
  const { id: environmentId, businessId } = await prisma().environment.findFirstOrThrow({ where: { kind: 'account' } });
  const userId = decodeJwt(before).sub!;
  const frozen = vi.spyOn(clock, 'now').mockReturnValue(clock.now());
  try {
    await endEverySession(
      createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' }),
      { environmentId, businessId },
      userId,
    );
    const after = await teamToken(gatehouse, owner.email);
    const statusOf = async (token: string) =>
      (
        await fetch(gatehouse.quickstart.graphqlUrl, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ query: '{ __typename }' }),
        })
      ).status;
    expect([await statusOf(after), await statusOf(before)]).toEqual([200, 401]);
  } finally {
    frozen.mockRestore();
  }
});

test('who knew the old password, and stands before the last page, gets no further', async () => {
  const { email } = await signUp(gatehouse);
  const members = [await userIdOf(gatehouse, email)];
  const organizations = [await organization(gatehouse, 'One', { members }), await organization(gatehouse, 'Two', { members })];
  const { agent: thief, page } = await signIn(gatehouse, email);
  expect(headingOf(page)).toBe('Choose an organization');
  const { agent, page: choose } = await atReset(email);
  expect(headingOf(await choosePassword(agent, choose, NEW))).toBe('Choose an organization');
  const late = await thief.submit(page, 'organization', { p_organization: organizations[0]! });
  expect([isSignedIn(late), late.status]).toEqual([false, 400]);
});

test('who has read the mail before, and is to choose a password, chooses none', async () => {
  const { email } = await signUp(gatehouse);
  const thief = await atReset(email);
  expect(headingOf(thief.page)).toBe('Choose a password');
  await reset(email);
  const late = await choosePassword(thief.agent, thief.page, 'the intruder was here');
  expect([late.status, headingOf(late)]).toEqual([400, 'This sign-in has expired']);
  expect(isSignedIn((await signIn(gatehouse, email, { password: NEW })).page)).toBe(true);
});

test('of several who choose at once, in browsers of their own, one does', async () => {
  const { email, first } = await signUp(gatehouse);
  const { body } = await exchange(gatehouse, first);
  const rivals = [await atReset(email), await atReset(email), await atReset(email)];
  const ends = await Promise.all(rivals.map(({ agent, page }, at) => choosePassword(agent, page, `${NEW} ${at}`)));
  const winner = ends.findIndex(isSignedIn);
  expect(ends.filter(isSignedIn)).toHaveLength(1);
  for (const [at, { agent }] of rivals.entries()) {
    expect(isSignedIn((await signIn(gatehouse, email, { password: `${NEW} ${at}` })).page)).toBe(at === winner);
    expect(isSignedIn(await open(agent))).toBe(at === winner);
  }
  expect((await refresh(gatehouse, body.refresh_token)).body.error).toBe('invalid_grant');
});

test('a password that an operator wants replaced ends what was there when it is', async () => {
  const { email, agent: thief } = await signUp(gatehouse);
  await prisma().user.updateMany({ where: { id: await userIdOf(gatehouse, email) }, data: { isPasswordResetRequested: true } });
  const agent = newAgent();
  const after = await gatehouse.mailCount(email);
  const { page } = await identify(gatehouse, agent, email);
  const choose = await typeCode(gatehouse, agent, page, email, after);
  expect(isSignedIn(await open(thief))).toBe(true);
  expect(isSignedIn(await choosePassword(agent, choose, NEW))).toBe(true);
  expect(headingOf(await open(thief))).toBe('Sign in');
});

test('a first password ends nothing', async () => {
  await signInByCode(gatehouse, 'reg');
  const [email, agent] = [newAddress(), newAgent()];
  const { page: asked } = await identify(gatehouse, agent, email, { prompt: 'create' }, 'reg');
  expect(isSignedIn(await typeCode(gatehouse, agent, asked, email))).toBe(true);
  const other = newAgent();
  const { page } = await identify(gatehouse, other, email);
  const choose = await typeCode(gatehouse, other, page, email, 1);
  expect(headingOf(choose)).toBe('Choose a password');
  expect(isSignedIn(await choosePassword(other, choose, NEW))).toBe(true);
  expect(isSignedIn(await open(agent))).toBe(true);
});
