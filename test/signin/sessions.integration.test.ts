/** Where people are signed in: what an organization says of it, what is known of each browser, and who ends it. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { withCookies } from '../helpers/set-cookies.ts';
import { userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  isSignedIn,
  organization,
  type Person,
  productionEnvironment,
  refresh,
  requestOf,
  signIn,
  signUp,
  userIdOf,
} from './person.ts';
import { ownerToken } from './second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
let owner: string;
beforeAll(async () => {
  owner = await ownerToken(gatehouse);
});

describe('an organization', () => {
  async function having(policy: { isSessionPersistent?: boolean; sessionInactivityTimeout?: number }) {
    const person = await signUp(gatehouse);
    const members = [await userIdOf(gatehouse, person.email)];
    const id = await organization(gatehouse, 'Strict', { members });
    await prisma().organization.updateMany({ where: { id }, data: { isAdvanced: true, ...policy } });
    gatehouse.app.infrastructure.lookups.forget();
    return { person, org: { org_code: id } };
  }

  test('says that sessions of sign-ins to it end with the browser, whatever the application says, and tokens say so', async () => {
    const { person, org } = await having({ isSessionPersistent: false });
    const cookieFor = async (parameters: Record<string, string>) => {
      const cookies: string[] = [];
      const { page, request } = await withCookies(cookies, () => signIn(gatehouse, person.email, { parameters }));
      const { body } = await exchange(gatehouse, answerOf(page, request));
      return {
        cookie: cookies.findLast((line) => line.startsWith('gatehouse_session_')),
        ksp: decodeJwt(body.access_token)['ksp'],
      };
    };
    expect(await cookieFor(org)).toEqual({ cookie: expect.not.stringMatching(/max-age|expires/i), ksp: { persistent: false } });
    await prisma().organization.updateMany({ where: { id: org.org_code }, data: { isAdvanced: false } });
    gatehouse.app.infrastructure.lookups.forget();
    expect(await cookieFor(org)).toEqual({ cookie: expect.stringMatching(/max-age=2592000/i), ksp: undefined });
  });

  test('asks again after its own time without activity, and only for itself', async () => {
    const { person, org } = await having({ sessionInactivityTimeout: 600 });
    const other = { org_code: await organization(gatehouse, 'Patient', { members: [await userIdOf(gatehouse, person.email)] }) };
    const open = (parameters: Record<string, string>) => person.agent.open(requestOf(gatehouse, 'spa', parameters).url);
    expect(isSignedIn(await open(org))).toBe(true);
    gatehouse.advance(601);
    expect((await open({ ...org, prompt: 'none' })).url).toContain('error=login_required');
    expect(headingOf(await open(org))).toBe('Sign in');
    expect(isSignedIn(await open(other))).toBe(true);
  });
});

const SESSIONS = 'query ($id: ID!) { node(id: $id) { ... on User { sessions { nodes { id ip userAgent createdAt lastActiveAt } } } } }';
interface Listed {
  readonly node: { readonly sessions: { readonly nodes: { id: string; ip: string; userAgent: string }[] } };
}

test('an operator sees from where and by what somebody is signed in, and ends one of the sessions, with its tokens', async () => {
  const phone = userAgent(gatehouse.baseUrl, { 'user-agent': `Phone ${'x'.repeat(500)}` });
  const desk = userAgent(gatehouse.baseUrl, { 'user-agent': 'Desk/1.0' });
  const { email, first } = await signUp(gatehouse, { agent: desk });
  const { body } = await exchange(gatehouse, first);
  await signIn(gatehouse, email, { agent: phone });
  const id = await userIdOf(gatehouse, email);
  const nodes = (await ask<Listed, object>(gatehouse, owner, SESSIONS, { id })).data!.node.sessions.nodes;
  const from = expect.stringMatching(/^(::1|127\.0\.0\.1|::ffff:127\.0\.0\.1)$/);
  expect(nodes).toMatchObject([
    { userAgent: `Phone ${'x'.repeat(394)}`, ip: from },
    { userAgent: 'Desk/1.0', ip: from },
  ]);
  const END = 'mutation ($input: EndUserSessionInput!) { endUserSession(input: $input) { errors { message } deletedId } }';
  await ask(gatehouse, owner, END, { input: { sessionId: nodes[1]!.id } });
  expect(headingOf(await desk.open(requestOf(gatehouse, 'spa').url))).toBe('Sign in');
  expect((await refresh(gatehouse, body.refresh_token)).body.error).toBe('invalid_grant');
  expect(isSignedIn(await phone.open(requestOf(gatehouse, 'spa').url))).toBe(true);
});

describe('a person', () => {
  async function call(token: string, path = '', method = 'GET') {
    const url = `${gatehouse.quickstart.issuer}/account_api/v1/sessions${path}`;
    const answer = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
    const text = await answer.text();
    return { status: answer.status, sessions: text && JSON.parse(text).data?.sessions };
  }
  const tokenOf = async (person: Person) => (await exchange(gatehouse, person.first)).body.access_token;

  test('sees where they are signed in, and ends what they do not know, or the one they are in', async () => {
    const person = await signUp(gatehouse, { agent: userAgent(gatehouse.baseUrl, { 'user-agent': 'Mine' }) });
    const stranger = userAgent(gatehouse.baseUrl, { 'user-agent': 'Whose?' });
    await signIn(gatehouse, person.email, { agent: stranger });
    const token = await tokenOf(person);
    const { sessions } = await call(token);
    expect(sessions).toMatchObject([
      { user_agent: 'Whose?', is_current: false, ip: expect.any(String), created_on: expect.any(String) },
      { user_agent: 'Mine', is_current: true, last_active_on: expect.any(String), expires_on: expect.any(String) },
    ]);
    expect(JSON.stringify(sessions)).not.toMatch(/hash|token/i);
    expect((await call(token, `/${sessions[0].id}`, 'DELETE')).status).toBe(204);
    expect(headingOf(await stranger.open(requestOf(gatehouse, 'spa').url))).toBe('Sign in');
    expect((await call(token)).sessions).toHaveLength(1);
    const audited = { action: 'session.ended', targetId: await userIdOf(gatehouse, person.email), actorKind: 'user' };
    expect(await prisma().auditEvent.count({ where: audited })).toBe(1);
    const both = await Promise.all([1, 2].map(() => call(token, `/${sessions[1].id}`, 'DELETE')));
    expect(both.map(({ status }) => status).sort()).toSatisfy(([one, other]) => one === 204 && [204, 401, 404].includes(other));
    expect((await call(token)).status).toBe(401);
    expect(headingOf(await person.agent.open(requestOf(gatehouse, 'spa').url))).toBe('Sign in');
  });

  test('ends one once, however often that is asked at the same time', async () => {
    const person = await signUp(gatehouse);
    await signIn(gatehouse, person.email);
    const token = await tokenOf(person);
    const [{ id }] = (await call(token)).sessions;
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(token, `/${id}`, 'DELETE')));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(9).fill(404)]);
    const audited = { action: 'session.ended', targetId: await userIdOf(gatehouse, person.email) };
    expect(await prisma().auditEvent.count({ where: audited })).toBe(1);
    expect((await call(token)).sessions).toHaveLength(1);
  });

  test('ends nobody else’s: it is as one that is not there', async () => {
    const [victim, thief] = [await signUp(gatehouse), await signUp(gatehouse)];
    const token = await tokenOf(thief);
    const { sessions } = await call(await tokenOf(victim));
    const theirs = await call(token, `/${sessions[0].id}`, 'DELETE');
    const unknown = await call(token, `/${sessions[0].id.slice(0, -1)}`, 'DELETE');
    expect([theirs, unknown]).toEqual([
      { status: 404, sessions: undefined },
      { status: 404, sessions: undefined },
    ]);
    expect((await call(token)).sessions).toHaveLength(1);
    for (const path of ['', '/%00', `/${sessions[0].id}/x`]) expect((await call(token, path, 'DELETE')).status, path).toBe(404);
    expect((await call('none', `/${sessions[0].id}`, 'DELETE')).status).toBe(401);
    expect(isSignedIn(await victim.agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
  });

  test('tells nothing of it to an application that registered itself', async () => {
    const person = await signUp(gatehouse);
    const token = await tokenOf(person);
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const where = { environmentId_id: { environmentId, id: `app_${gatehouse.application('spa').clientId}` } };
    const change = async (isDynamic: boolean) => {
      await prisma().application.update({ where, data: { isDynamic } });
      gatehouse.app.infrastructure.lookups.forget();
    };
    const [{ id }] = (await call(token)).sessions;
    await change(true);
    expect([(await call(token)).status, (await call(token, `/${id}`, 'DELETE')).status]).toEqual([403, 403]);
    await change(false);
    expect((await call(token)).sessions).toHaveLength(1);
  });
});
