/** A sign-in that is over when its link is followed: the application is told to start over, if it can. */
import { expect, test } from 'vitest';
import { ATTEMPT_SECONDS } from '../../src/features/sign-in-attempts/service.ts';
import { startApp } from '../helpers/app.ts';
import { type PageView, userAgent } from '../helpers/user-agent.ts';
import { headingOf, isSignedIn, organization, PASSWORD, requestOf, signUp, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
const parametersOf = ({ url }: PageView) => Object.fromEntries(new URL(url).searchParams);
const WISHES = {
  org_code: `org_${'a'.repeat(32)}`,
  login_hint: 'jane@acme.test',
  lang: 'en-AU',
  plan_interest: 'pro',
  pricing_table_key: 'table',
  connection_id: `conn_${'b'.repeat(32)}`,
  is_create_org: 'true',
  org_name: 'Café',
  prompt: 'create',
};

test('login_link_expired brings back what the request wished for, as base64 of flat JSON, and nothing that was its own', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const request = requestOf(gatehouse, 'spa', { ...WISHES, audience: 'https://api.acme.test', supports_reauth: 'true', utm_source: 'x' });
  const page = await agent.open(request.url);
  gatehouse.advance(ATTEMPT_SECONDS + 1);
  for (const late of [await agent.open(page.url), await agent.submit(page, 'identify', { p_email: 'jane@acme.test' })]) {
    const { reauth_state, ...rest } = parametersOf(late);
    expect(rest).toEqual({ error: 'login_link_expired', state: request.query.state, iss: gatehouse.baseUrl });
    expect(JSON.parse(Buffer.from(atob(reauth_state!), 'latin1').toString('utf8'))).toEqual({
      ...WISHES,
      audience: 'https://api.acme.test',
    });
  }
});

test('a link that was used up is over too', async () => {
  const { email } = await signUp(gatehouse);
  const agent = userAgent(gatehouse.baseUrl);
  const first = await agent.open(requestOf(gatehouse, 'spa', { supports_reauth: 'true' }).url);
  const password = await agent.submit(first, 'identify', { p_email: email });
  expect(isSignedIn(await agent.submit(password, 'password', { p_password: PASSWORD }))).toBe(true);
  expect(parametersOf(await agent.open(first.url))).toMatchObject({ error: 'login_link_expired', reauth_state: btoa('{}') });
});

test('a sign-in that cannot go on starts over too', async () => {
  const person = await signUp(gatehouse);
  await organization(gatehouse, 'Second', { members: [await userIdOf(gatehouse, person.email)] });
  const page = await person.agent.open(requestOf(gatehouse, 'spa', { supports_reauth: 'true', lang: 'en' }).url);
  expect(headingOf(page)).toBe('Choose an organization');
  for (const name of person.agent.cookies.keys()) if (name.startsWith('gatehouse_session_')) person.agent.cookies.delete(name);
  const lost = await person.agent.submit(page, 'organization', { p_organization: 'org_x' });
  expect(parametersOf(lost)).toMatchObject({ error: 'login_link_expired', reauth_state: btoa('{"lang":"en"}') });
});

test('another browser learns nothing of it', async () => {
  const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', { ...WISHES, supports_reauth: 'true' }).url);
  gatehouse.advance(ATTEMPT_SECONDS + 1);
  const other = await userAgent(gatehouse.baseUrl).open(page.url);
  expect([other.status, other.html]).toEqual([403, expect.stringContaining('8809')]);
});

test('an application that cannot start over is opened at its login URI, or else the person is told on a page', async () => {
  const agent = userAgent(gatehouse.baseUrl);
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  gatehouse.advance(ATTEMPT_SECONDS + 1);
  const told = await agent.open(page.url);
  expect([told.status, headingOf(told), told.html]).toEqual([400, 'This sign-in has expired', expect.stringContaining('4321')]);
  const { prisma } = gatehouse.app.infrastructure.database;
  const where = { id: `app_${gatehouse.application('spa').clientId}` };
  await prisma.application.updateMany({ where, data: { loginUri: 'https://app.acme.test/login' } });
  gatehouse.app.infrastructure.lookups.forget();
  expect((await agent.open(page.url)).url).toBe('https://app.acme.test/login');
  await prisma.application.updateMany({ where, data: { loginUri: null } });
  gatehouse.app.infrastructure.lookups.forget();
});

test('what is kept of it is sealed: it may hold an invitation’s code', async () => {
  const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', { ...WISHES, supports_reauth: 'true' }).url);
  const { prisma } = gatehouse.app.infrastructure.database;
  const row = await prisma.signInAttempt.findFirstOrThrow({ where: { id: page.url.split('/').at(-1)! } });
  expect(JSON.stringify(row.request)).not.toContain('pricing_table');
});

test('a reauth_state that comes along says what the request itself does not', async () => {
  const open = (parameters: Record<string, string>) => userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', parameters).url);
  const state = (wishes: unknown) => Buffer.from(JSON.stringify(wishes)).toString('base64');
  const wished = await open({ reauth_state: state({ prompt: 'create', login_hint: 'jane@acme.test' }) });
  expect([headingOf(wished), wished.html]).toEqual(['Create your account', expect.stringContaining('value="jane@acme.test"')]);
  expect(headingOf(await open({ reauth_state: state({ prompt: 'create' }), prompt: 'login' }))).toBe('Sign in');
  // Nothing but wishes: not where to go, nor as whom.
  const other = {
    client_id: '0'.repeat(32),
    redirect_uri: 'https://evil.test',
    state: 'forged',
    response_mode: 'fragment',
    scope: 5,
    __proto__: {},
  };
  const { query } = requestOf(gatehouse, 'spa');
  expect(query.state).toBeTruthy();
  expect(headingOf(await open({ reauth_state: state(other) }))).toBe('Sign in');
  expect((await open({ reauth_state: state({ redirect_uri: 'https://evil.test' }), redirect_uri: '' })).html).toContain(
    'redirect_uri is missing',
  );
  expect((await open({ reauth_state: state({ org_code: 'nonsense' }) })).status).toBe(400);
  for (const unreadable of ['%%%', 'bnVsbA==', state([1]), state('x'), state({ prompt: ['none'] })])
    expect(headingOf(await open({ reauth_state: unreadable }))).toBe('Sign in');
});
