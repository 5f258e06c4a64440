/** An operator looks at pages before they are saved: whoever has the URL sees them for some minutes, and can do nothing with them. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deleteExpiredPreviews, MAX_PREVIEWS, PREVIEW_SECONDS, PREVIEWED_PAGES } from '../../src/features/page-previews/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { headingOf, organization, productionEnvironment, requestOf, signUp } from './person.ts';

const gatehouse = startApp();
let token: string;
let environmentId: string;
let issuer: string;
beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  ({ issuer } = gatehouse.quickstart);
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

interface Answer {
  readonly url: string | null;
  readonly expiresAt: string | null;
  readonly errors: readonly { readonly code: string; readonly path: readonly string[] }[];
}

async function create(input: object, by = token): Promise<Answer> {
  const document = `mutation ($input: CreatePagePreviewInput!) {
    createPagePreview(input: $input) { url expiresAt errors { path ... on CreatePagePreviewError { code } } } }`;
  const { data, errors } = await ask<{ createPagePreview: Answer }, object>(gatehouse, by, document, {
    input: { environmentId, ...input },
  });
  if (!data?.createPagePreview) throw new Error(errors[0]?.message);
  return data.createPagePreview;
}

async function look(input: object) {
  const { url, errors } = await create(input);
  expect(errors).toEqual([]);
  const response = await fetch(url!);
  return {
    url: url!,
    status: response.status,
    html: await response.text(),
    policy: response.headers.get('content-security-policy')!,
    headers: response.headers,
  };
}

/** The preview's own stylesheet. */
async function stylesheetOf(html: string): Promise<string> {
  const [, href] = /href="([^"]*\/preview\.css[^"]*)"/.exec(html)!;
  return (await fetch(new URL(href!, issuer))).text();
}

describe.each(Object.keys(PREVIEWED_PAGES))('%s', (name) => {
  test('is drawn, does nothing, and is about nobody', async () => {
    const { email } = gatehouse.quickstart.owner;
    const { status, html, policy, headers } = await look({ page: name.toUpperCase(), language: 'de' });
    expect([status, headers.get('x-robots-tag'), headers.get('cache-control')]).toEqual([200, 'noindex', 'no-store']);
    expect(html).toContain('<html lang="de"');
    expect(html).toMatch(/<h1[^>]*>[^<]+<\/h1>/);
    expect(html).not.toContain(email);
    expect(html).not.toContain('<script');
    for (const rule of ["default-src 'none'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
      expect(policy).toContain(rule);
    expect(policy).not.toContain('script-src');
    expect(headers.getSetCookie()).toEqual([]);
    if (!name.startsWith('mail_')) expect(html).toContain('<main class="card" inert>');
  });
});

test('shows what is not saved on top of what is, and saves nothing of it', async () => {
  const before = await productionEnvironment(gatehouse);
  const brand = { lightColors: { button: '#7a0019' }, cardRadius: 3, customCss: '.card { letter-spacing: 1px }' };
  const { html } = await look({
    page: 'SIGN_IN',
    language: 'en',
    theme: 'DARK',
    brand,
    texts: [{ key: 'login.heading', text: 'Come in' }],
  });
  expect(/<h1>([^<]*)/.exec(html)![1]).toBe('Come in');
  const css = await stylesheetOf(html);
  for (const part of ['color-scheme:dark', '--card-radius:3px', 'letter-spacing: 1px']) expect(css).toContain(part);
  const after = await productionEnvironment(gatehouse);
  expect([after.brand, after.version]).toEqual([before.brand, before.version]);
  const page = await userAgent(gatehouse.baseUrl).open(requestOf(gatehouse, 'spa').url);
  expect(headingOf(page)).not.toBe('Come in');
  expect((await fetch(`${issuer}/brand.css`)).status).toBe(404);
});

test('shows an organization’s look, and a mail with the same texts and colours', async () => {
  const organizationId = await organization(gatehouse, 'Initech <b>');
  const { html } = await look({ page: 'CODE', organizationId, language: 'en' });
  expect(html).toContain('Initech &lt;b&gt;');
  const brand = { lightColors: { button: '#7a0019' } };
  const texts = [{ key: 'mail.code.heading', text: 'Your <i>code</i>' }];
  const mail = await look({ page: 'MAIL_CODE', language: 'en', theme: 'LIGHT', brand, texts });
  expect(mail.html).toContain('Your &lt;i&gt;code&lt;/i&gt;');
  expect(mail.policy).toContain('sandbox');
  expect((await look({ page: 'MAIL_INVITATION', language: 'en', theme: 'LIGHT', brand })).html).toContain('#7a0019');
});

test('a text of the draft is text, and CSS that does more than draw is refused', async () => {
  const attack = '</h1><script>alert(1)</script><img src=x onerror=alert(1)>';
  const { html } = await look({ page: 'SIGN_IN', language: 'en', texts: [{ key: 'login.heading', text: attack }] });
  expect(html).toContain('&lt;script&gt;');
  expect(html).not.toMatch(/<script|<img src=x/);
  for (const customCss of ['</style><script>alert(1)</script>', 'p { background: url(https://evil.test) }', '@import "x";']) {
    const { errors, url } = await create({ page: 'SIGN_IN', brand: { customCss } });
    expect([url, errors]).toEqual([null, [{ code: 'UNSAFE_CSS', path: ['brand', 'customCss'] }]]);
  }
});

test('a URL is good in its own environment, unchanged, until it is over', async () => {
  const { url, expiresAt } = await create({ page: 'SIGN_IN', brand: { cardRadius: 3 } });
  const secret = url!.slice(url!.lastIndexOf('/') + 1);
  const { environments } = { environments: await gatehouse.app.infrastructure.database.prisma.environment.findMany() };
  const other = environments.find(({ isPrimary, kind }) => !isPrimary && kind !== 'account')!;
  const forged = `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`;
  for (const [where, what] of [
    [`${gatehouse.baseUrl}/e/${other.domain}`, secret],
    [gatehouse.quickstart.account.issuer, secret],
    [issuer, forged],
    [issuer, 'x'],
    [issuer, '%00'],
  ]) {
    expect((await fetch(`${where}/preview/${what}`)).status).toBe(404);
    expect((await fetch(`${where}/preview.css?token=${what}`)).status).toBe(404);
  }
  expect((await fetch(`${issuer}/preview.css`)).status).toBe(404);
  expect([(await fetch(url!)).status, (await fetch(url!)).status]).toEqual([200, 200]);
  expect(gatehouse.log()).not.toContain(secret);
  expect(new Date(expiresAt!).getTime() - Date.now()).toBeLessThanOrEqual(PREVIEW_SECONDS * 1000);

  gatehouse.advance(PREVIEW_SECONDS + 1);
  expect([(await fetch(url!)).status, (await fetch(`${issuer}/preview.css?token=${secret}`)).status]).toEqual([404, 404]);
  expect(await deleteExpiredPreviews(gatehouse.app.infrastructure)).toBeGreaterThan(0);
  expect(await gatehouse.app.infrastructure.database.prisma.pagePreview.count()).toBe(0);
});

test('its forms lead nowhere, and it starts nothing', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const attempts = await prisma.signInAttempt.count();
  const { html } = await look({ page: 'CODE' });
  const actions = [...html.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action!);
  expect(actions.length).toBeGreaterThan(1);
  for (const action of actions) {
    const body = new URLSearchParams({ csrf: 'preview', p_confirmation_code: '123456' });
    expect((await fetch(new URL(action, issuer), { method: 'POST', body, redirect: 'manual' })).status).toBe(400);
  }
  expect(await prisma.signInAttempt.count()).toBe(attempts);
});

test('shows no real person, even one who has what the sample has', async () => {
  const person = await signUp(gatehouse, { email: 'sample@example.com' });
  await organization(gatehouse, 'Secret customer', {
    members: [
      (await gatehouse.app.infrastructure.database.prisma.identity.findFirstOrThrow({ where: { normalized: person.email } })).userId,
    ],
  });
  for (const page of ['ORGANIZATION', 'CODE', 'MFA_CHALLENGE']) expect((await look({ page })).html).not.toContain('Secret customer');
});

test('an environment has so many, and the oldest goes', async () => {
  const urls: string[] = [];
  for (let made = 0; made <= MAX_PREVIEWS; made++) {
    urls.push((await create({ page: 'ERROR' })).url!);
    gatehouse.advance(0.01);
  }
  const [oldest, second] = await Promise.all(urls.slice(0, 2).map(async (url) => (await fetch(url)).status));
  expect([oldest, second]).toEqual([404, 200]);
});

test('a machine without the permission makes none', async () => {
  const bare = await machineToken(gatehouse, 'read:users');
  await expect(create({ page: 'SIGN_IN' }, bare)).rejects.toThrow(/update:branding/);
});
