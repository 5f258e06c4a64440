/** Who comes from an application that registered itself is asked what it may have, whichever way the person signs in. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, type PageView, postToken, teamToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import { headingOf, newAddress, organization, type Person, productionEnvironment, signUp, typeCode, userIdOf } from '../signin/person.ts';

const gatehouse = startApp({ TRUST_PROXY: 'loopback' });
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const REDIRECT = 'https://agent.test/callback';
const NAME = 'Agent <script>alert(1)</script>';

let person: Person;
let environmentId: string;
beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  await prisma().environment.update({ where: { id: environmentId }, data: { allowDynamicRegistration: true } });
  gatehouse.app.infrastructure.lookups.forget();
  person = await signUp(gatehouse);
});

let addresses = 0;
async function register(metadata: object = {}): Promise<string> {
  const response = await fetch(`${gatehouse.quickstart.issuer}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': `198.51.100.${++addresses}` },
    body: JSON.stringify({ client_name: NAME, redirect_uris: [REDIRECT], ...metadata }),
  });
  return ((await response.json()) as { client_id: string }).client_id;
}

const requestOf = (clientId: string, parameters: Record<string, string> = {}, redirectUri = REDIRECT) =>
  authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri, parameters });

const open = (agent: UserAgent, clientId: string, parameters: Record<string, string> = {}, redirectUri = REDIRECT) =>
  agent.open(requestOf(clientId, parameters, redirectUri).url);

const allow = (agent: UserAgent, page: PageView) => agent.submit(page, 'consent', { p_decision: 'allow' });
const isAsked = (page: PageView) => headingOf(page)?.startsWith('Allow ') ?? false;

let clientId: string;
beforeEach(async () => {
  clientId = await register();
});

test('the page says who asks, for what, and that nobody has looked at it; and runs nothing', async () => {
  const page = await open(person.agent, clientId, { scope: 'openid email offline' });
  expect(page.status).toBe(200);
  expect(page.html).toContain('Agent &lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page.html).not.toContain('<script');
  expect(page.html).toContain('It is not verified');
  expect(page.html).toContain('<strong><bdi>agent.test</bdi></strong>');
  expect(page.html).toContain('<li>Your email address</li>');
  expect(page.html).not.toContain('<li>Your name and picture</li>');
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('script-src');
});

test.each([
  ['http://127.0.0.1/callback', 'http://127.0.0.1:4711/callback', 'a program on this computer'],
  ['com.agent.app:/callback', 'com.agent.app:/callback', 'the program for com.agent.app:// on this device'],
])('a program at %s is told apart from a site, and asks each time', async (registered, redirectUri, place) => {
  const native = await register({ redirect_uris: [registered] });
  for (let times = 0; times < 2; times++) {
    const page = await open(person.agent, native, {}, redirectUri);
    expect(page.html).toContain(`<strong><bdi>${place}</bdi></strong>`);
    expect((await allow(person.agent, page)).url).toContain('code=');
  }
});

test('who allows it comes back with a code that is good for tokens, and is not asked again for the same or less', async () => {
  const request = requestOf(clientId, { scope: 'openid email offline' });
  const { url } = await allow(person.agent, await person.agent.open(request.url));
  expect(new URL(url).searchParams.get('state')).toBe(request.query.state);
  const { status, body } = await postToken(gatehouse.quickstart.issuer, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: new URL(url).searchParams.get('code')!,
    redirect_uri: REDIRECT,
    code_verifier: request.verifier,
  });
  expect([status, body.scope]).toEqual([200, 'openid email offline']);
  expect((await open(person.agent, clientId, { scope: 'openid email' })).url).toContain('code=');
  expect((await open(person.agent, clientId, { scope: 'openid email', prompt: 'none' })).url).toContain('code=');
  expect(isAsked(await open(person.agent, clientId, { scope: 'openid profile' }))).toBe(true);
});

test('who does not allow it is still signed in, and the application is told access_denied', async () => {
  const page = await open(person.agent, clientId);
  const { searchParams } = new URL((await person.agent.submit(page, 'consent', { p_decision: 'deny' })).url);
  expect([searchParams.get('error'), searchParams.has('code'), searchParams.get('iss')]).toEqual([
    'access_denied',
    false,
    gatehouse.quickstart.issuer,
  ]);
  expect(await prisma().consent.count({ where: { applicationId: `app_${clientId}` } })).toBe(0);
  expect(isAsked(await open(person.agent, clientId))).toBe(true);
  await person.authorize();
});

test('one person’s word is nobody else’s, and one application’s no other’s', async () => {
  await allow(person.agent, await open(person.agent, clientId));
  expect(isAsked(await open(person.agent, await register()))).toBe(true);
  const other = await signUp(gatehouse);
  expect(isAsked(await open(other.agent, clientId))).toBe(true);
});

describe('nobody gets past the question', () => {
  test('by prompt=none', async () => {
    const { searchParams } = new URL((await open(person.agent, clientId, { prompt: 'none' })).url);
    expect(searchParams.get('error')).toBe('consent_required');
  });

  test('by a fresh sign-in with a code', async () => {
    const agent = userAgent(gatehouse.baseUrl);
    const after = await gatehouse.mailCount(person.email);
    const page = await agent.submit(await open(agent, clientId), 'identify', { p_email: person.email });
    expect(isAsked(await typeCode(gatehouse, agent, page, person.email, after))).toBe(true);
  });

  test('by choosing an organization', async () => {
    const member = await signUp(gatehouse, { email: newAddress() });
    const userId = await userIdOf(gatehouse, member.email);
    for (const name of ['One', 'Two']) await organization(gatehouse, name, { members: [userId] });
    const page = await open(member.agent, clientId);
    expect(headingOf(page)).toBe('Choose an organization');
    const chosen = /name="p_organization" value="([^"]+)"/.exec(page.html)![1]!;
    const next = await member.agent.submit(page, 'organization', { p_organization: chosen });
    expect(isAsked(next)).toBe(true);
    expect((await allow(member.agent, next)).url).toContain('code=');
  });

  test('by posting the answer before the sign-in, or another step at the question', async () => {
    const agent = userAgent(gatehouse.baseUrl);
    const page = await open(agent, clientId);
    const forged = (from: PageView, step: string) => ({ ...from, html: from.html.replaceAll(/\/(identify|consent)"/g, `/${step}"`) });
    expect(headingOf(await allow(agent, forged(page, 'consent')))).toBe('Sign in');
    const asked = await open(person.agent, clientId);
    for (const step of ['organization', 'invitation', 'device', 'code', 'identify'])
      expect(isAsked(await person.agent.submit(forged(asked, step), step, { p_decision: 'allow', p_organization: 'x' })), step).toBe(true);
    expect((await person.agent.submit(asked, 'consent', {})).status).toBe(422);
  });

  test('by a form of another site, or in another browser', async () => {
    const page = await open(person.agent, clientId);
    const forged = await person.agent.submit(page, 'consent', { p_decision: 'allow', csrf: 'x'.repeat(43) });
    expect(forged.status).toBe(403);
    const stranger = userAgent(gatehouse.baseUrl);
    await open(stranger, clientId);
    expect((await allow(stranger, page)).status).toBe(403);
    expect(await prisma().grant.count({ where: { applicationId: `app_${clientId}` } })).toBe(0);
  });

  test('by answering twice at once: there is one code', async () => {
    const page = await open(person.agent, clientId);
    const pages = await Promise.all(Array.from({ length: 6 }, () => allow(person.agent, page)));
    expect(pages.filter(({ url }) => url.includes('code='))).toHaveLength(1);
    expect(await prisma().grant.count({ where: { applicationId: `app_${clientId}` } })).toBe(1);
  });

  test('by another person’s session in the same browser', async () => {
    const page = await open(person.agent, clientId);
    const other = await signUp(gatehouse);
    const mine = new Map(person.agent.cookies);
    const theirs = [...other.agent.cookies].filter(([key, value]) => !/browser/.test(key) && mine.get(key) !== value);
    expect(theirs).not.toEqual([]);
    for (const [key, value] of theirs) person.agent.cookies.set(key, value);
    const answered = await allow(person.agent, page);
    for (const [key, value] of mine) person.agent.cookies.set(key, value);
    expect(answered.url).not.toContain('code=');
    expect(await prisma().consent.count({ where: { applicationId: `app_${clientId}` } })).toBe(0);
  });
});

test('the business’s own applications ask nothing', async () => {
  const answer = await person.authorize('spa', { scope: 'openid profile email offline' });
  expect(answer.code).toBeTruthy();
});

describe('prompt=consent', () => {
  test('asks again for what was allowed, with a session or after a sign-in', async () => {
    await allow(person.agent, await open(person.agent, clientId));
    expect((await open(person.agent, clientId)).url).toContain('code=');
    const again = await open(person.agent, clientId, { prompt: 'consent' });
    expect(isAsked(again)).toBe(true);
    expect((await allow(person.agent, again)).url).toContain('code=');
    const signIn = await open(person.agent, clientId, { prompt: 'login consent' });
    const after = await gatehouse.mailCount(person.email);
    const page = await person.agent.submit(signIn, 'identify', { p_email: person.email });
    expect(isAsked(await typeCode(gatehouse, person.agent, page, person.email, after))).toBe(true);
    expect((await open(person.agent, clientId)).url).toContain('code=');
  });

  test('asks nothing for the business’s own applications', async () => {
    await person.authorize('spa', { prompt: 'consent' });
  });
});

describe('in the graph', () => {
  const CONSENTS = graphql(`
    query ConsentsOfUser($id: ID!) {
      node(id: $id) { ... on User { consents(first: 10) { totalCount nodes { scopes audiences givenAt application { name isDynamic } } } } }
    }
  `);
  const REVOKE = graphql(`
    mutation RevokeConsent($input: RevokeUserConsentInput!) { revokeUserConsent(input: $input) { errors { path } user { id } } }
  `);

  const form = (more: Record<string, string>) => ({ client_id: clientId, ...more });
  async function tokensFor(agent: UserAgent) {
    const request = requestOf(clientId, { scope: 'openid offline' });
    const end = await agent.open(request.url);
    const { url } = isAsked(end) ? await allow(agent, end) : end;
    const code = new URL(url).searchParams.get('code')!;
    const answer = await postToken(
      gatehouse.quickstart.issuer,
      form({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: request.verifier }),
    );
    return answer.body;
  }
  const renew = (token: string) => postToken(gatehouse.quickstart.issuer, form({ grant_type: 'refresh_token', refresh_token: token }));
  const profile = (token: string) =>
    fetch(`${gatehouse.quickstart.issuer}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${token}` } });

  test('it is seen what a person allowed, and withdrawn: what the application has of that person ends, and nothing else', async () => {
    const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
    const [one, other] = [await signUp(gatehouse), await signUp(gatehouse)];
    const [mine, theirs] = [await tokensFor(one.agent), await tokensFor(other.agent)];
    const userId = await userIdOf(gatehouse, one.email);
    const seen = await ask(gatehouse, owner, CONSENTS, { id: userId });
    expect(seen.data?.node).toEqual({
      consents: {
        totalCount: 1,
        nodes: [
          { scopes: ['openid', 'offline'], audiences: [], givenAt: expect.any(String), application: { name: NAME, isDynamic: true } },
        ],
      },
    });

    const input = { userId, applicationId: `app_${clientId}` };
    const [first, second] = await Promise.all([ask(gatehouse, owner, REVOKE, { input }), ask(gatehouse, owner, REVOKE, { input })]);
    for (const { data } of [first, second]) expect(data?.revokeUserConsent).toEqual({ errors: [], user: { id: userId } });
    expect((await ask(gatehouse, owner, CONSENTS, { id: userId })).data?.node).toMatchObject({ consents: { totalCount: 0 } });
    expect(await renew(mine.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await profile(mine.access_token)).status).toBe(401);
    expect((await profile(theirs.access_token)).status).toBe(200);
    expect((await renew(theirs.refresh_token)).status).toBe(200);
    await one.authorize();
    expect(isAsked(await open(one.agent, clientId, { scope: 'openid' }))).toBe(true);
  });

  test('a code that was not traded in yet is good for nothing after it', async () => {
    const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
    const request = requestOf(clientId);
    const { url } = await allow(person.agent, await person.agent.open(request.url));
    const input = { userId: await userIdOf(gatehouse, person.email), applicationId: `app_${clientId}` };
    await ask(gatehouse, owner, REVOKE, { input });
    const code = new URL(url).searchParams.get('code')!;
    const trade = form({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: request.verifier });
    expect(await postToken(gatehouse.quickstart.issuer, trade)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
