/** Whoever has no account asks to be let in, or for news: a page that tells nothing, and cannot be used in another's name. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAX_LEADS } from '../../src/signin/leads.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { type PageView, teamToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import { headingOf, identify, newAddress, problemOf, productionEnvironment, requestOf, signUp } from './person.ts';

const gatehouse = startApp({ TRUST_PROXY: 'loopback' });
let token: string;
let environmentId: string;
let issuer: string;

const PAGES = [
  {
    path: 'request-access',
    list: 'accessRequests',
    title: 'Request access',
    done: 'Your request is on its way',
    event: 'access_request.created',
  },
  { path: 'subscribe', list: 'subscribers', title: 'Subscribe', done: 'Thank you', event: 'subscriber.created' },
] as const;

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  ({ issuer } = gatehouse.quickstart);
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});
beforeEach(() => policies({ allowAccessRequests: true, allowSubscriptions: true, allowSelfSignUp: true, refuseDisposableMail: false }));

async function change(mutation: string, input: object): Promise<void> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { message } } }`;
  const { data } = await ask<Record<string, { errors: object[] }>, object>(gatehouse, token, document, {
    input: { environmentId, ...input },
  });
  expect(data?.[mutation]?.errors).toEqual([]);
}
const policies = (input: object) => change('updateEnvironmentPolicies', input);

interface Entry {
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly termsVersion: number | null;
  readonly isConverted: boolean;
}

/** The entries of a list with an address, once every lead that was left is kept. */
async function entries(list: (typeof PAGES)[number]['list'], email: string): Promise<Entry[]> {
  await settled();
  const document = `query ($id: ID!) { environment(id: $id) { ${list}(first: 100) { nodes { email firstName lastName termsVersion isConverted } } } }`;
  const { data } = await ask<{ environment: Record<string, { nodes: Entry[] }> }, object>(gatehouse, token, document, {
    id: environmentId,
  });
  return data!.environment[list]!.nodes.filter((entry) => entry.email.toLowerCase() === email.toLowerCase());
}

async function settled(): Promise<void> {
  const { database } = gatehouse.app.infrastructure;
  for (let looks = 0; looks < 400; looks++) {
    const [row] = await database.prisma.$queryRaw<{ waiting: number }[]>`
      SELECT count(*)::int AS waiting FROM pgboss.job WHERE name = 'lead' AND state IN ('created', 'retry', 'active')`;
    if (row!.waiting === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('Leads are left over.');
}

async function leave(path: string, fields: Record<string, string>, agent: UserAgent = userAgent(gatehouse.baseUrl)): Promise<PageView> {
  return agent.submit(await agent.open(`${issuer}/${path}`), path, fields);
}

/** What a page is but for what is new each time. */
const shape = ({ status, url, html }: PageView) => ({ status, url, html: html.replaceAll(/nonce="[^"]*"/g, '') });

describe.each(PAGES)('/$path', ({ path, list, title, done, event }) => {
  test('keeps a name and an address, and tells webhooks', async () => {
    await change('createWebhook', {
      name: `Told of ${path}`,
      url: `${gatehouse.baseUrl}/hook`,
      eventTypes: [event.replace('.', '_').toUpperCase()],
    });
    const email = newAddress('Lead');
    const page = await leave(path, { p_email: ` ${email} `, p_first_name: 'Jane', p_last_name: 'Roe' });
    expect([page.status, headingOf(page), new URL(page.url).pathname]).toEqual([200, done, `/${path}/done`]);
    expect(await entries(list, email)).toEqual([{ email, firstName: 'Jane', lastName: 'Roe', termsVersion: null, isConverted: false }]);
    const { prisma } = gatehouse.app.infrastructure.database;
    expect(await prisma.auditEvent.findFirstOrThrow({ where: { environmentId, action: event }, orderBy: { id: 'desc' } })).toMatchObject({
      actorKind: 'user',
      details: { byPage: true },
    });
    const [told] = await prisma.$queryRaw<{ count: number }[]>`SELECT count(*)::int AS count FROM events WHERE type = ${event}`;
    expect(told!.count).toBeGreaterThan(0);
  });

  test('says the same to whoever is in the list, and changes nothing of the entry', async () => {
    const [email, other] = [newAddress(), newAddress()];
    const first = await leave(path, { p_email: email, p_first_name: 'Jane' });
    await settled();
    const again = await leave(path, { p_email: email.toUpperCase(), p_first_name: 'Mallory' });
    const known = await signUp(gatehouse);
    const user = await leave(path, { p_email: known.email });
    const stranger = await leave(path, { p_email: other });
    expect([again, user, stranger].map(shape)).toEqual([shape(first), shape(first), shape(first)]);
    expect(await entries(list, email)).toMatchObject([{ email, firstName: 'Jane' }]);
  });

  test('takes an address once, however many send it at once', async () => {
    const email = newAddress();
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(`${issuer}/${path}`);
    const answers = await Promise.all(Array.from({ length: 6 }, () => agent.submit(page, path, { p_email: email })));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await entries(list, email)).toHaveLength(1);
    const { prisma } = gatehouse.app.infrastructure.database;
    const entry = await (list === 'subscribers'
      ? prisma.subscriber
      : (prisma.accessRequest as unknown as typeof prisma.subscriber)
    ).findFirstOrThrow({
      where: { normalized: email },
    });
    expect(await prisma.auditEvent.count({ where: { targetId: entry.id } })).toBe(1);
  });

  test.each([
    ['', 'Type your email address.'],
    ['jane.roe', 'This is not an email address.'],
    ['jane@mail.test\nbcc: all@mail.test', 'This is not an email address.'],
  ])('says beside the field what is wrong with %j, and keeps what was typed', async (email, message) => {
    const page = await leave(path, { p_email: email, p_first_name: 'Ja<b>ne' });
    expect([page.status, problemOf(page), headingOf(page)]).toEqual([422, message, title]);
    expect(page.html).toContain('value="Ja&lt;b&gt;ne"');
  });

  test('takes nothing without the token of the page, of another browser, or of the other page', async () => {
    const email = newAddress();
    const [agent, theirs] = [userAgent(gatehouse.baseUrl), userAgent(gatehouse.baseUrl)];
    const page = await agent.open(`${issuer}/${path}`);
    const tokenOf = ({ html }: PageView) => /name="csrf" value="([^"]+)"/.exec(html)![1]!;
    const other = await agent.open(`${issuer}/${PAGES.find((one) => one.path !== path)!.path}`);
    const forged = [tokenOf(await theirs.open(`${issuer}/${path}`)), tokenOf(other), ''];
    for (const csrf of forged) {
      const answer = await agent.submit(page, path, { p_email: email, csrf });
      expect([answer.status, answer.html.includes('8809')]).toEqual([403, true]);
    }
    const bare = await fetch(`${issuer}/${path}`, { method: 'POST', body: new URLSearchParams({ p_email: email, csrf: tokenOf(page) }) });
    expect(bare.status).toBe(403);
    expect(await entries(list, email)).toEqual([]);
  });

  test('is not there where the environment does not say so, nor is its form', async () => {
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(`${issuer}/${path}`);
    await policies({ allowAccessRequests: false, allowSubscriptions: false });
    const email = newAddress();
    const answers = [
      await agent.open(`${issuer}/${path}`),
      await agent.submit(page, path, { p_email: email }),
      await agent.open(`${issuer}/${path}/done`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(await entries(list, email)).toEqual([]);
  });

  test('asks for what the environment asks of who signs up', async () => {
    const email = newAddress();
    await change('updateEnvironmentTerms', { termsUri: 'https://example.test/terms', isAcceptanceRequired: true });
    const refused = await leave(path, { p_email: email });
    expect([refused.status, problemOf(refused)]).toEqual([422, 'Accept this to go on.']);
    await leave(path, { p_email: email, p_has_clickwrap_accepted: 'on' });
    const { termsVersion } = await productionEnvironment(gatehouse);
    expect(await entries(list, email)).toMatchObject([{ termsVersion }]);
    await change('updateEnvironmentTerms', { termsUri: null, isAcceptanceRequired: false });

    await policies({ refuseDisposableMail: true });
    expect((await leave(path, { p_email: 'someone@mailinator.com' })).status).toBe(403);

    await change('updateBotCheck', { kind: 'PROOF_OF_WORK' });
    const robot = newAddress();
    const unsolved = await leave(path, { p_email: robot, p_bot_check: 'bm90aGluZw==' });
    expect([unsolved.status, problemOf(unsolved)]).toEqual([422, 'We could not make sure that you are not a program. Try again.']);
    expect(await entries(list, robot)).toEqual([]);
    await change('updateBotCheck', { kind: 'OFF' });
  });

  test('takes so many of one network address, and counts no other', async () => {
    const flood = userAgent(gatehouse.baseUrl, { 'x-forwarded-for': path === 'subscribe' ? '203.0.113.7' : '203.0.113.8' });
    const page = await flood.open(`${issuer}/${path}`);
    const addresses = Array.from({ length: MAX_LEADS + 3 }, () => newAddress('flood'));
    const answers = await Promise.all(addresses.map((p_email) => flood.submit(page, path, { p_email })));
    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.filter(({ status }) => status === 200).length, refused.length]).toEqual([MAX_LEADS, 3]);
    expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
    const neighbour = userAgent(gatehouse.baseUrl, { 'x-forwarded-for': '203.0.113.99' });
    expect((await leave(path, { p_email: newAddress() }, neighbour)).status).toBe(200);
  });

  test('speaks the language that is asked for, to the end, and leads back to the application', async () => {
    const { prisma } = gatehouse.app.infrastructure.database;
    const { clientId } = gatehouse.application('spa');
    await prisma.application.updateMany({ where: { id: `app_${clientId}` }, data: { homepageUri: 'https://shop.example.test/' } });
    gatehouse.app.infrastructure.lookups.forget();
    const agent = userAgent(gatehouse.baseUrl);
    const page = await agent.open(`${issuer}/${path}?client_id=${clientId}&lang=de`);
    const end = await agent.submit(page, path, { p_email: newAddress() });
    for (const { html } of [page, end]) expect(html).toContain('<html lang="de"');
    expect(end.html).toContain('href="https://shop.example.test/"');
    for (const unknown of ['0'.repeat(32), '"><script>alert(1)</script>']) {
      const { status, html } = await agent.open(`${issuer}/${path}?client_id=${encodeURIComponent(unknown)}&lang=%22%3E%3Cscript%3E`);
      expect([status, html.includes('<script'), html.includes('shop.example')]).toEqual([200, false, false]);
    }
  });

  test('is closed to frames, to scripts and to other origins’ forms', async () => {
    const { headers } = await userAgent(gatehouse.baseUrl).open(`${issuer}/${path}`);
    const policy = headers.get('content-security-policy')!;
    for (const rule of ["frame-ancestors 'none'", "form-action 'self'", "default-src 'none'"]) expect(policy).toContain(rule);
    expect(policy).not.toContain('script-src');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

test('an entry of one environment is not in the other’s list', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const email = newAddress();
  await leave('subscribe', { p_email: email });
  await settled();
  expect(await prisma.subscriber.findMany({ where: { normalized: email }, select: { environmentId: true } })).toEqual([{ environmentId }]);
});

test('the address is in no log and no URL', async () => {
  const email = newAddress('private');
  const { url } = await leave('request-access', { p_email: email, p_first_name: 'Unlogged' });
  await settled();
  expect([url, gatehouse.log()].join(' ')).not.toMatch(/private\.|Unlogged/);
});

test('whoever may not sign up is shown the way to it, where there is one', async () => {
  const link = '/request-access?client_id=';
  const first = async (parameters = {}) => (await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa', parameters).url)).html;
  const notFound = async () => (await identify(gatehouse, userAgent(gatehouse.baseUrl), newAddress())).page;
  expect([await first(), await first({ prompt: 'create' }), (await notFound()).html].some((html) => html.includes(link))).toBe(false);

  await policies({ allowSelfSignUp: false });
  const page = await notFound();
  expect(headingOf(page)).toBe('Account not found');
  for (const html of [await first(), await first({ prompt: 'create' }), page.html]) expect(html).toContain(link);
  expect([await first(), page.html].some((html) => html.includes('value="register"'))).toBe(false);

  await policies({ allowAccessRequests: false });
  expect([await first(), (await notFound()).html].some((html) => html.includes(link))).toBe(false);
});
