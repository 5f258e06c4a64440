/** Other people's pages in the browser of a person who signs in: they frame the pages, and post their forms. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { openBrowser } from '../helpers/browser.ts';
import { identify, PASSWORD, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const browser = openBrowser();
const prisma = () => gatehouse.app.infrastructure.database.prisma;

/** What the attacker's pages say, by path. */
const pages = new Map<string, string>();
let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer((request, response) =>
    response
      .setHeader('content-type', 'text/html')
      .end(`<!doctype html><link rel="icon" href="data:,"><title>other</title>${pages.get(request.url!) ?? '<h1>Back</h1>'}`),
  );
  await new Promise<void>((resolve) => server.listen(0, resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server?.close());

/** A page of the same site, whose requests carry every cookie of ours, and one of another. */
const SITES = { 'the same site': 'localhost', 'another site': '127.0.0.1' };

async function atPassword(page: Page, email: string): Promise<string> {
  await page.goto(requestOf(gatehouse, 'spa').url);
  await page.fill('[name=p_email]', email);
  await page.click('button[type=submit]');
  await page.locator('[name=p_password]').waitFor();
  return page.url();
}

async function finish(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.fill('[name=p_password]', PASSWORD);
  // The application is not there: that the browser went to it with a code is enough.
  const left = page.waitForRequest((request) => request.url().startsWith('http://localhost:8080/callback?code='));
  await page.click('button[type=submit]');
  await left;
}

test.each(Object.entries(SITES))(
  'a page of %s cannot put a sign-in into a frame, under something that is worth a click',
  async (_site, host) => {
    const { email } = await signUp(gatehouse);
    const page = await browser.newPage();
    const url = await atPassword(page, email);
    const framed = [url, requestOf(gatehouse, 'spa').url, `${gatehouse.baseUrl}/device`, `${gatehouse.baseUrl}/nothing`];
    pages.set('/frames', framed.map((target) => `<iframe src="${target.replaceAll('&', '&amp;')}"></iframe>`).join(''));
    const refusals: string[] = [];
    page.on('console', (message) => /frame-ancestors|X-Frame-Options/i.test(message.text()) && refusals.push(message.text()));
    await page.goto(`http://${host}:${port}/frames`);
    await expect.poll(() => refusals.length).toBe(framed.length);
    for (const frame of page.frames().slice(1)) expect(await frame.locator('.card, form').count()).toBe(0);
    await finish(page, url);
  },
);

test.each(Object.entries(SITES))('a page of %s cannot post the forms of a sign-in', async (_site, host) => {
  const { email } = await signUp(gatehouse);
  const stranger = await signUp(gatehouse);
  const page = await browser.newPage();
  const url = await atPassword(page, email);
  const theirs = await identify(gatehouse, stranger.agent, stranger.email, { prompt: 'login' });
  const csrf = /name="csrf" value="([^"]+)"/.exec(theirs.page.html)![1]!;
  const attempts = () => prisma().signInAttempt.findMany({ orderBy: { id: 'asc' } });
  const before = await attempts();
  // Even what the attacker knows by heart, the password and a token of a sign-in of their own, is not enough.
  const forms: [action: string, fields: Record<string, string>][] = [
    [`${url}/password`, { p_password: PASSWORD }],
    [`${url}/password`, { p_password: PASSWORD, csrf }],
    [`${url}/switch`, { flow: 'register' }],
    [`${url}/forgot`, {}],
    [`${theirs.page.url}/password`, { p_password: PASSWORD, csrf }],
    [`${gatehouse.baseUrl}/device`, { p_user_code: 'ABCDEFGH', csrf }],
  ];
  for (const [index, [action, fields]] of forms.entries()) {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    pages.set(`/form/${index}`, `<form method="post" action="${action}">${inputs.join('')}<button>go</button></form>`);
    await page.goto(`http://${host}:${port}/form/${index}`);
    const answered = page.waitForResponse(action);
    await page.click('button');
    expect([action, (await answered).status()]).toEqual([action, 403]);
    await page.waitForLoadState();
  }
  expect(await attempts()).toEqual(before);
  await finish(page, url);
});
