/** A sign-in belongs to one browser, goes through its steps in order, and ends once. */
import { beforeAll, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  choosePassword,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  organization,
  PASSWORD,
  requestOf,
  signIn,
  signInByCode,
  signUp,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
beforeAll(() => signInByCode(gatehouse, 'reg'));

const cookiesOf = (agent: UserAgent) => [...agent.cookies].map(([name, value]) => `${name.split(' ')[0]}=${value}`).join('; ');
const csrfOf = (page: PageView) => /name="csrf" value="([^"]+)"/.exec(page.html)![1]!;

/** Posts to a step of an attempt by hand, and follows nothing. */
async function post(url: string, step: string, fields: Record<string, string>, cookie = '') {
  const answer = await fetch(`${url}/${step}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie },
    body: new URLSearchParams(fields),
  });
  return {
    status: answer.status,
    location: answer.headers.get('location'),
    cookies: answer.headers.getSetCookie(),
    html: await answer.text(),
  };
}

/** Browsers on each of the pages. */
async function onEveryPage(): Promise<Record<string, { agent: UserAgent; page: PageView }>> {
  const { email } = await signUp(gatehouse);
  const several = await signUp(gatehouse);
  await organization(gatehouse, 'Second', { members: [await userIdOf(gatehouse, several.email)] });
  const agents = Array.from({ length: 6 }, newAgent);
  const fresh = newAddress();
  const chooser = agents[5]!;
  const pages = [
    await agents[0]!.open(requestOf(gatehouse, 'spa').url),
    (await identify(gatehouse, agents[1]!, newAddress())).page,
    (await identify(gatehouse, agents[2]!, newAddress(), { prompt: 'create' })).page,
    (await identify(gatehouse, agents[3]!, email)).page,
    await typeCode(gatehouse, agents[4]!, (await identify(gatehouse, agents[4]!, fresh, { prompt: 'create' })).page, fresh),
    (await signIn(gatehouse, several.email, { agent: chooser })).page,
  ];
  const names = ['identify', 'not_found', 'code', 'password', 'new_password', 'organization'];
  return Object.fromEntries(names.map((name, index) => [name, { agent: agents[index]!, page: pages[index]! }]));
}

/** The steps that each page has a form for. */
const FORMS: Record<string, readonly string[]> = {
  identify: ['identify', 'switch'],
  not_found: ['switch'],
  code: ['code', 'resend', 'switch'],
  password: ['password', 'forgot', 'switch'],
  new_password: ['new_password'],
  organization: ['organization'],
};
const STEPS = [...new Set(Object.values(FORMS).flat())];

describe('on each page', () => {
  let pages: Awaited<ReturnType<typeof onEveryPage>>;
  beforeAll(async () => {
    pages = await onEveryPage();
  });

  test.each(Object.keys(FORMS))('%s: steps of other pages change nothing and lead back here', async (name) => {
    const { agent, page } = pages[name]!;
    const fields = {
      csrf: csrfOf(page),
      p_email: newAddress(),
      p_password: PASSWORD,
      p_confirmation_code: '123456',
      p_first_password: 'stolen stolen',
      p_second_password: 'stolen stolen',
      p_organization: `org_${'0'.repeat(32)}`,
      flow: 'register',
    };
    const others = STEPS.filter((step) => !FORMS[name]!.includes(step));
    for (const step of [...others, 'completed', 'not_found', 'constructor', '__proto__', 'toString', '%00', 'x'.repeat(190)]) {
      const answer = await post(page.url, step, fields, cookiesOf(agent));
      expect([step, answer.status, answer.location, answer.cookies]).toEqual([step, 303, page.url, []]);
    }
    expect((await agent.open(page.url)).html).toBe(page.html);
  });

  test.each(Object.keys(FORMS))('%s: the page may not be framed, cached, or made to load or send anything elsewhere', async (name) => {
    const { headers, html } = pages[name]!.page;
    const policy = headers.get('content-security-policy')!.split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]));
    expect(policy.find((part) => part.startsWith('form-action'))).toBe("form-action 'self' http://localhost:8080");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(html).not.toMatch(/<script|javascript:|style=|\son\w+=/i);
  });

  test.each(Object.keys(FORMS))('%s: a form without the page’s own token, or with another’s, is refused', async (name) => {
    const { agent, page } = pages[name]!;
    const cookie = cookiesOf(agent);
    const other = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'login' }).url);
    const stranger = await newAgent().open(requestOf(gatehouse, 'spa').url);
    const own = csrfOf(page);
    for (const csrf of ['', 'x', own.slice(1), `${own}x`, own.toLowerCase(), csrfOf(other), csrfOf(stranger)]) {
      for (const step of FORMS[name]!) {
        const answer = await post(page.url, step, { csrf }, cookie);
        expect([answer.status, answer.location, answer.cookies]).toEqual([403, null, []]);
        expect(answer.html).toContain('8809');
      }
    }
    expect((await agent.open(page.url)).html).toBe(page.html);
  });

  test.each(Object.keys(FORMS))('%s: another browser cannot see it nor go on with it', async (name) => {
    const { agent, page } = pages[name]!;
    const thief = newAgent();
    await thief.open(requestOf(gatehouse, 'spa').url);
    const session = [...agent.cookies].filter(([key]) => key.includes('session')).map(([key, value]) => `${key.split(' ')[0]}=${value}`);
    for (const cookie of ['', cookiesOf(thief), 'gatehouse_browser_acme=x', `gatehouse_browser_acme=${'x'.repeat(43)}`, ...session]) {
      const seen = await fetch(page.url, { headers: { cookie } });
      const html = await seen.text();
      expect([seen.status, html.includes('8809'), html.includes('@mail.test')]).toEqual([403, true, false]);
      for (const step of FORMS[name]!) {
        const answer = await post(page.url, step, { csrf: csrfOf(page) }, cookie);
        expect([answer.status, answer.location, answer.cookies]).toEqual([403, null, []]);
      }
    }
    expect((await agent.open(page.url)).html).toBe(page.html);
  });

  test.each(Object.keys(FORMS))('%s: two megabytes are refused', async (name) => {
    const { agent, page } = pages[name]!;
    const answer = await post(page.url, FORMS[name]![0]!, { csrf: csrfOf(page), p_email: 'x'.repeat(2 * 1024 * 1024) }, cookiesOf(agent));
    expect([answer.status, answer.html.includes('That is too much')]).toEqual([413, true]);
  });

  test.each(Object.keys(FORMS))('%s: it is nowhere at another issuer', async (name) => {
    const { agent, page } = pages[name]!;
    const elsewhere = page.url.replace('/signin/', '/e/account/signin/');
    const answer = await fetch(elsewhere, { headers: { cookie: cookiesOf(agent) } });
    expect([answer.status, (await answer.text()).includes('4321')]).toEqual([400, true]);
  });
});

test.each(['x', 'x'.repeat(24), 'x'.repeat(199), '%00', `${'x'.repeat(23)}%00`, '..%2f..%2fgraphql', "'%20OR%201=1%20--"])(
  'the sign-in %j was never started',
  async (id) => {
    const agent = newAgent();
    await agent.open(requestOf(gatehouse, 'spa').url);
    const page = await agent.open(`${gatehouse.baseUrl}/signin/${id}`);
    expect([page.status, headingOf(page), page.html.includes('4321')]).toEqual([400, 'This sign-in has expired', true]);
    const posted = await post(`${gatehouse.baseUrl}/signin/${id}`, 'identify', { csrf: 'x' }, cookiesOf(agent));
    expect(posted.status).toBe(400);
  },
);

test('a sign-in lives an hour', async () => {
  const { email } = await signUp(gatehouse);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email);
  gatehouse.advance(3500);
  expect((await agent.open(page.url)).status).toBe(200);
  gatehouse.advance(101);
  for (const late of [await agent.open(page.url), await agent.submit(page, 'password', { p_password: PASSWORD })]) {
    expect([late.status, headingOf(late)]).toEqual([400, 'This sign-in has expired']);
    expect(late.html).toContain('4321');
  }
});

test('a sign-in that has ended says so, leads back to the application, and cannot be ended again', async () => {
  const { email } = await signUp(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { type: 'spa' }, data: { homepageUri: 'https://shop.example.test/' } });
  gatehouse.app.infrastructure.lookups.forget();
  const { agent, asked, page } = await signIn(gatehouse, email);
  expect(isSignedIn(page)).toBe(true);
  for (const again of [await agent.open(asked.url), await agent.submit(asked, 'password', { p_password: PASSWORD })]) {
    expect([again.status, headingOf(again)]).toEqual([200, 'You are signed in']);
    expect(again.html).toContain('<a class="primary" href="https://shop.example.test/">');
  }
});

test('the last step sent twenty times at once brings exactly one code', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { email } = await signUp(gatehouse);
  const [byPassword, byNewPassword] = [newAgent(), newAgent()];
  const { page: password } = await identify(gatehouse, byPassword, email);
  const fresh = newAddress();
  const { page: code } = await identify(gatehouse, byNewPassword, fresh, { prompt: 'create' });
  const newPassword = await typeCode(gatehouse, byNewPassword, code, fresh);
  // Four at a time: a fifth guess in flight would lock the account, right or not.
  for (const [times, submit] of [
    [4, () => byPassword.submit(password, 'password', { p_password: PASSWORD })],
    [20, () => choosePassword(byNewPassword, newPassword)],
  ] as const) {
    const before = await prisma.authorizationCode.count();
    const ends = await Promise.all(Array.from({ length: times }, submit));
    expect(ends.filter(isSignedIn)).toHaveLength(1);
    expect(await prisma.authorizationCode.count()).toBe(before + 1);
    for (const end of ends.filter((one) => !isSignedIn(one))) expect(headingOf(end)).toMatch(/completed already|You are signed in/);
  }
});

test('a session that was planted before is not the one that a person signs in with', async () => {
  const { email, agent: owner } = await signUp(gatehouse);
  const attacker = await signUp(gatehouse);
  const cookieName = [...owner.cookies.keys()].find((name) => name.includes('session'))!;
  for (const planted of ['x', 'a'.repeat(43), attacker.agent.cookies.get(cookieName)!]) {
    const victim = newAgent();
    victim.cookies.set(cookieName, planted);
    const { page } = await signIn(gatehouse, email, { agent: victim, parameters: { prompt: 'login' } });
    expect(isSignedIn(page)).toBe(true);
    expect(victim.cookies.get(cookieName)).not.toBe(planted);
    const thief = newAgent();
    thief.cookies.set(cookieName, planted);
    // Their own as well: it was this browser's, and is over with it.
    expect(headingOf(await thief.open(requestOf(gatehouse, 'spa').url))).toBe('Sign in');
  }
  expect(await userIdOf(gatehouse, attacker.email)).not.toBe(await userIdOf(gatehouse, email));
});

test('every sign-in starts a session of its own', async () => {
  const { email, agent } = await signUp(gatehouse);
  const session = () => [...agent.cookies].find(([name]) => name.includes('session'))![1];
  const tokens = [session()];
  for (let times = 0; times < 2; times++) {
    await signIn(gatehouse, email, { agent, parameters: { prompt: 'login' } });
    tokens.push(session());
  }
  expect(new Set(tokens).size).toBe(3);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
});

test('what a person types is text on every page it comes back to', async () => {
  const markup = '"><img src=x onerror=alert(1)>';
  const agent = newAgent();
  const start = await agent.open(requestOf(gatehouse, 'reg', { prompt: 'create' }).url);
  const fields = { p_first_name: markup, p_last_name: markup };
  const refused = await agent.submit(start, 'identify', { ...fields, p_email: markup });
  const asked = await agent.submit(start, 'identify', { ...fields, p_email: `o'brien&<b>.${newAddress()}` });
  const taken = await agent.submit(start, 'identify', { ...fields, p_email: `o'brien&${newAddress()}` });
  const wrong = await agent.submit(taken, 'code', { p_confirmation_code: markup });
  for (const page of [refused, asked, taken, wrong]) expect(page.html).not.toMatch(/<img|<b>/);
  expect(taken.html).toContain('o&#39;brien&amp;');
});

test('fields that come twice, or not as a form, are fields that did not come', async () => {
  const { email } = await signUp(gatehouse);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email);
  const cookie = cookiesOf(agent);
  const twice = new URLSearchParams({ csrf: csrfOf(page), p_password: PASSWORD });
  twice.append('p_password', PASSWORD);
  const send = (body: BodyInit, type: string) =>
    fetch(`${page.url}/password`, { method: 'POST', redirect: 'manual', headers: { cookie, 'content-type': type }, body });
  expect((await send(twice, 'application/x-www-form-urlencoded')).status).toBe(422);
  const nested = JSON.stringify({ csrf: csrfOf(page), p_password: { length: 20 } });
  expect((await send(nested, 'application/json')).status).toBe(422);
  expect((await send('<xml/>', 'application/xml')).status).toBe(415);
  expect((await send('', 'text/plain')).status).toBe(403);
  expect(isSignedIn(await agent.submit(page, 'password', { p_password: PASSWORD }))).toBe(true);
});

test('two sign-ins in two tabs of one browser do not disturb one another', async () => {
  const agent = newAgent();
  const emails = [newAddress(), newAddress()];
  const tabs: PageView[] = [];
  for (const email of emails) tabs.push((await identify(gatehouse, agent, email, { prompt: 'create' }, 'reg')).page);
  for (const [index, email] of emails.entries()) {
    const done = await agent.submit(tabs[index]!, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email)) });
    expect(isSignedIn(done)).toBe(true);
  }
});
