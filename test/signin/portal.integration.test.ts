/** People's own account pages: a link to them lets nobody in, and what they do there is done to the person's own account alone. */
import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { PORTAL_LINK_SECONDS } from '../../src/oidc/portal-link.ts';
import { startApp } from '../helpers/app.ts';
import { machineToken, type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  exchange,
  headingOf,
  organization,
  PASSWORD,
  type Person,
  productionEnvironment,
  refresh,
  requestOf,
  signIn,
  signUp,
  suspend,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const HOME = 'http://localhost:8080/home';
const newAgent = () => userAgent(gatehouse.baseUrl);

let environmentId: string;
let person: Person;
let token: string;
beforeAll(async () => {
  ({ id: environmentId } = await productionEnvironment(gatehouse));
  person = await signUp(gatehouse);
  token = (await exchange(gatehouse, person.first)).body.access_token;
});

async function askLink(query: Record<string, string> = { return_url: HOME }, bearer = token) {
  const answer = await fetch(`${gatehouse.baseUrl}/account_api/v1/portal_link?${new URLSearchParams(query)}`, {
    headers: { authorization: `Bearer ${bearer}` },
  });
  return { status: answer.status, body: (await answer.json()) as { url: string; errors?: { code: string }[] } };
}
const newLink = async (query?: Record<string, string>, bearer?: string) => (await askLink(query, bearer)).body.url;
const isAccount = (page: PageView) => page.status === 200 && headingOf(page) === 'Your account';
const isSignIn = (page: PageView) => headingOf(page) === 'Sign in';
const portal = async (agent: UserAgent = person.agent) => {
  const page = await agent.open(await newLink());
  expect(isAccount(page)).toBe(true);
  return page;
};
/** Submits the form of one row of the page's lists. */
const submitRow = (agent: UserAgent, page: PageView, form: string, field: string, id: string) => agent.submit(page, form, { [field]: id });

describe('a link', () => {
  test('brings the person to their account, with a way back, and gives the application no code', async () => {
    const grants = await prisma().grant.count();
    const url = await newLink({ return_url: HOME, subnav: 'profile' });
    expect(url).toMatch(new RegExp(`^${gatehouse.baseUrl}/portal_redirect\\?key=[\\w-]+$`));
    const page = await person.agent.open(url);
    expect(isAccount(page)).toBe(true);
    for (const shown of [person.email, 'value="Jane"', 'value="Roe"', `href="${HOME}"`, 'This browser']) expect(page.html).toContain(shown);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toMatch(/form-action 'self'(;|$)/);
    expect(await prisma().grant.count()).toBe(grants);
  });

  test('is good once, of ten at once for one', async () => {
    const url = await newLink();
    const pages = await Promise.all(Array.from({ length: 10 }, () => person.agent.open(url)));
    expect(pages.filter(isAccount)).toHaveLength(1);
    expect(pages.filter(({ status }) => status === 400)).toHaveLength(9);
  });

  test('is good for minutes, and no other text is', async () => {
    const [late, spoilt] = [await newLink(), await newLink()];
    gatehouse.advance(PORTAL_LINK_SECONDS);
    const foreign = gatehouse.quickstart.account.issuer + (await newLink()).slice(gatehouse.baseUrl.length);
    const base = `${gatehouse.baseUrl}/portal_redirect`;
    for (const url of [
      late,
      `${spoilt.slice(0, -4)}AAAA`,
      foreign,
      base,
      `${base}?key=`,
      `${base}?key=x&key=y`,
      `${base}?key=${'x'.repeat(300)}`,
    ])
      expect((await person.agent.open(url)).status).toBe(400);
  });

  test('lets nobody in: a browser that is not signed in as its person is asked to sign in', async () => {
    const thief = newAgent();
    expect(isSignIn(await thief.open(await newLink()))).toBe(true);
    const other = await signUp(gatehouse);
    const asked = await other.agent.open(await newLink());
    expect(isSignIn(asked)).toBe(true);
    const page = await other.agent.submit(await other.agent.submit(asked, 'identify', { p_email: other.email }), 'password', {
      p_password: PASSWORD,
    });
    expect(isAccount(page)).toBe(true);
    expect(page.html).toContain(other.email);
    expect(page.html).not.toContain(person.email);
  });

  test.each<Record<string, string>>([
    { return_url: 'https://evil.test/' },
    { return_url: 'javascript:alert(1)' },
    { return_url: 'http://localhost:8080.evil.test' },
    { return_url: 'http://localhost:8080@evil.test' },
    { return_url: '//evil.test' },
    { return_url: 'home' },
  ])('leads back to no page but the application’s own: %o', async (query) => {
    const { status, body } = await askLink(query);
    expect([status, body.errors]).toEqual([400, [expect.objectContaining({ code: 'INVALID_RETURN_URL' })]]);
    const { clientId } = gatehouse.application('spa');
    const page = await person.agent.open(`${gatehouse.baseUrl}/portal?${new URLSearchParams({ client_id: clientId, ...query })}`);
    expect(isAccount(page)).toBe(true);
    expect(page.html).not.toMatch(/return_url|Back to/);
  });

  test('is for a person’s token, while it counts', async () => {
    for (const bearer of ['x', await machineToken(gatehouse)]) expect((await askLink({}, bearer)).status).toBe(401);
    const { clientId } = gatehouse.application('spa');
    const change = async (data: { isDynamic?: boolean; type?: string }) => {
      await prisma().application.updateMany({ where: { id: `app_${clientId}` }, data });
      gatehouse.app.infrastructure.lookups.forget();
    };
    for (const data of [{ isDynamic: true }, { type: 'device' }]) {
      await change(data);
      expect((await askLink({})).status).toBe(403);
      await change({ isDynamic: false, type: 'spa' });
    }
  });
});

describe('the pages', () => {
  test('ask for whatever a sign-in asks for: a session that is idle, ended or somebody’s who is suspended is none', async () => {
    const other = await signUp(gatehouse);
    const { access_token } = (await exchange(gatehouse, other.first)).body;
    const page = await other.agent.open(await newLink({}, access_token));
    expect(isAccount(page)).toBe(true);
    const userId = await userIdOf(gatehouse, other.email);
    await suspend(gatehouse, { userId });
    expect(isSignIn(await other.agent.open(page.url))).toBe(true);
    await expect(other.agent.submit(page, 'profile', { p_first_name: 'Mallory' })).resolves.toSatisfy(isSignIn);
    await suspend(gatehouse, { userId }, false);
    expect(isAccount(await other.agent.open(page.url))).toBe(true);
    await prisma().environment.update({ where: { id: environmentId }, data: { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] } });
    gatehouse.app.infrastructure.lookups.forget();
    expect(headingOf(await other.agent.open(page.url))).not.toBe('Your account');
    await prisma().environment.update({ where: { id: environmentId }, data: { mfaPolicy: 'off', mfaFactors: [] } });
    gatehouse.app.infrastructure.lookups.forget();
    await prisma().session.updateMany({ where: { userId }, data: { lastActiveAt: new Date(0) } });
    expect(isSignIn(await other.agent.open(page.url))).toBe(true);
    expect((await prisma().user.findFirstOrThrow({ where: { id: userId } })).firstName).toBe('Jane');
  });

  test('are no application’s that is unknown, a machine or a device', async () => {
    for (const client_id of ['', 'x', gatehouse.application('m2m').clientId])
      expect((await person.agent.open(`${gatehouse.baseUrl}/portal?client_id=${client_id}`)).status).toBe(400);
  });

  test('change nothing for a form of another site, or of another session', async () => {
    const page = await portal();
    const other = await signUp(gatehouse);
    const theirs = await other.agent.open(page.url);
    for (const csrf of ['', 'x', /name="csrf" value="([^"]+)"/.exec(theirs.html)![1]!])
      expect((await person.agent.submit(page, 'profile', { csrf, p_first_name: 'Mallory' })).status).toBe(403);
    expect((await prisma().user.findFirstOrThrow({ where: { id: await userIdOf(gatehouse, person.email) } })).firstName).toBe('Jane');
    const stranger = await newAgent().submit(page, 'profile', { p_first_name: 'Mallory' });
    expect(stranger.status).toBe(403);
  });

  test('keep a name, as it is typed, and say so', async () => {
    const saved = await person.agent.submit(await portal(), 'profile', { p_first_name: ' <b>Ann</b>\n', p_last_name: '' });
    expect(saved.html).toContain('Your changes are saved.');
    expect(saved.html).toContain('value="&lt;b&gt;Ann&lt;/b&gt;"');
    const userId = await userIdOf(gatehouse, person.email);
    expect(await prisma().user.findFirst({ where: { id: userId } })).toMatchObject({ firstName: '<b>Ann</b>', lastName: null });
    const event = await prisma().auditEvent.findFirstOrThrow({ where: { action: 'user.updated', targetId: userId } });
    expect(event).toMatchObject({ actorKind: 'user', actorId: userId, details: { fields: ['firstName', 'lastName'] } });
    await person.agent.submit(saved, 'profile', { p_first_name: 'Jane', p_last_name: 'Roe' });
  });
});

describe('sessions', () => {
  test('are shown, and ended one by one with their tokens; nobody else’s is', async () => {
    const elsewhere = await signIn(gatehouse, person.email);
    const code = new URL(elsewhere.page.url).searchParams.get('code')!;
    const answer = { url: new URL(elsewhere.page.url), code, verifier: elsewhere.request.verifier, sent: elsewhere.request.query };
    const { refresh_token } = (await exchange(gatehouse, answer)).body;
    const stranger = await signUp(gatehouse);
    const theirs = await prisma().session.findFirstOrThrow({ where: { userId: await userIdOf(gatehouse, stranger.email) } });

    const page = await portal();
    const ids = [...page.html.matchAll(/name="p_session" value="([^"]+)"/g)].map(([, id]) => id!);
    expect(ids).toHaveLength(1);
    for (const id of [theirs.id, 'sess_x', '']) await submitRow(person.agent, page, 'end_session', 'p_session', id);
    expect((await refresh(gatehouse, refresh_token)).status).toBe(200);
    expect(isSignIn(await stranger.agent.open(requestOf(gatehouse, 'spa').url))).toBe(false);

    const left = await submitRow(person.agent, page, 'end_session', 'p_session', ids[0]!);
    expect(isAccount(left)).toBe(true);
    expect(left.html).not.toContain('name="p_session"');
    expect(isSignIn(await elsewhere.agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
    expect((await refresh(gatehouse, refresh_token)).body.error).toBe('invalid_grant');
    const again = await submitRow(person.agent, page, 'end_session', 'p_session', ids[0]!);
    expect(isAccount(again)).toBe(true);
  });

  test('all end but this one, also when that is sent ten times at once', async () => {
    const others = [await signIn(gatehouse, person.email), await signIn(gatehouse, person.email)];
    const page = await portal();
    const before = await prisma().auditEvent.count({ where: { action: 'session.ended' } });
    const pages = await Promise.all(Array.from({ length: 10 }, () => person.agent.submit(page, 'end_others')));
    expect(pages.every(isAccount)).toBe(true);
    expect(await prisma().session.count({ where: { userId: await userIdOf(gatehouse, person.email) } })).toBe(1);
    expect(await prisma().auditEvent.count({ where: { action: 'session.ended' } })).toBe(before + 2);
    for (const { agent } of others) expect(isSignIn(await agent.open(requestOf(gatehouse, 'spa').url))).toBe(true);
  });
});

describe('passkeys', () => {
  const passkeyOf = async (userId: string) => {
    const credential = { credentialId: newId('passkey'), publicKey: new Uint8Array([1]), counter: 0, isSyncable: false, isBackedUp: false };
    return prisma().passkey.create({ data: { environmentId, id: newId('passkey'), userId, ...credential, name: 'Firefox · Linux' } });
  };

  test('are taken away by who has just signed in, and nobody else’s are', async () => {
    const own = await passkeyOf(await userIdOf(gatehouse, person.email));
    const theirs = await passkeyOf(await userIdOf(gatehouse, (await signUp(gatehouse)).email));
    await prisma().environment.update({ where: { id: environmentId }, data: { passkeyPolicy: 'optional' } });
    gatehouse.app.infrastructure.lookups.forget();
    gatehouse.advance(3600);
    const stale = await portal();
    expect(stale.html).toContain('Firefox · Linux');
    const asked = await submitRow(person.agent, stale, 'remove_passkey', 'p_passkey', own.id);
    expect(isSignIn(asked)).toBe(true);
    expect(await prisma().passkey.count({ where: { id: own.id } })).toBe(1);

    const page = await person.agent.submit(await person.agent.submit(asked, 'identify', { p_email: person.email }), 'password', {
      p_password: PASSWORD,
    });
    expect(isAccount(page)).toBe(true);
    await submitRow(person.agent, page, 'remove_passkey', 'p_passkey', theirs.id);
    const left = await submitRow(person.agent, page, 'remove_passkey', 'p_passkey', own.id);
    expect(left.html).not.toContain('Firefox · Linux');
    expect(await prisma().passkey.findMany({ where: { id: { in: [own.id, theirs.id] } }, select: { id: true } })).toEqual([
      { id: theirs.id },
    ]);
    expect(await prisma().auditEvent.count({ where: { action: 'passkey.removed', targetId: own.id } })).toBeLessThanOrEqual(1);
    await prisma().environment.update({ where: { id: environmentId }, data: { passkeyPolicy: 'off' } });
    gatehouse.app.infrastructure.lookups.forget();
    expect((await portal()).html).not.toContain('p_passkey');
  });
});

test('a token of one organization leads to the pages as its member sees them', async () => {
  const id = await organization(gatehouse, 'Gallery', { members: [await userIdOf(gatehouse, person.email)] });
  const { access_token } = (await exchange(gatehouse, await person.authorize('spa', { org_code: id }))).body;
  const page = await person.agent.open(await newLink({ return_url: HOME }, access_token));
  expect(isAccount(page)).toBe(true);
  expect(new URL(page.url).searchParams.get('org_code')).toBe(id);
  await prisma().membership.deleteMany({ where: { organizationId: id } });
  expect((await askLink({}, access_token)).status).toBe(403);
  expect((await person.agent.open(page.url)).status).toBe(403);
});
