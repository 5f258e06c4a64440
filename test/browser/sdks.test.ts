/** Kinde's SDKs for browsers, as they are, in real Chromium: an application built with each, pointed at this issuer. */
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import type { Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeIn, freePort } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { organization, userIdOf } from '../signin/person.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();
const PASSWORD = 'correct horse battery';

describe.each(['react', 'pkce'])('an application on the %s SDK', (name) => {
  let home: string;
  let server: Server;
  beforeAll(async () => {
    const port = await freePort();
    home = `http://localhost:${port}`;
    server = await serve(name, port);
    const { prisma } = gatehouse.app.infrastructure.database;
    await prisma.application.updateMany({ where: { type: 'spa' }, data: { callbackUrls: { push: home }, logoutUrls: { push: home } } });
    gatehouse.app.infrastructure.lookups.forget();
  });
  afterAll(() => server?.close());

  test('signs people up, refreshes silently, changes the organization, signs them out and in', async () => {
    const email = `${name}@sdk.test`;
    const page = await browser.newPage();
    const problems = capturing(page);
    const shown = (id: string) => page.locator(`#${id}`).textContent();
    const reads = (id: string, text: string | RegExp) => expect.poll(() => shown(id), { timeout: 15_000 }).toMatch(text);

    await page.goto(home);
    await reads('user', 'nobody');
    await page.click('#register');
    await signUp(page, email);
    await page.waitForURL((url) => url.href.startsWith(home));
    await reads('user', email);
    await reads('token', /^ey/);
    const first = (await shown('token'))!;
    const own = decodeJwt(first)['org_code'];
    await reads('organization', String(own));

    await page.click('#refresh');
    await reads('note', /^refreshed$/);
    await expect.poll(async () => (await shown('token')) !== first, { timeout: 15_000 }).toBe(true);
    expect(decodeJwt((await shown('token'))!).sub).toBe(decodeJwt(first).sub);

    await page.reload();
    await reads('user', email);

    const other = await organization(gatehouse, `Of ${name}`, { members: [await userIdOf(gatehouse, email)] });
    await page.fill('#target', other);
    await page.click('#switch');
    await reads('organization', other);

    await page.click('#logout');
    await page.waitForURL((url) => url.href.startsWith(home));
    await reads('user', 'nobody');
    await page.click('#login');
    await page.fill('[name=p_email]', email);
    await page.click('button[type=submit]');
    await page.fill('[name=p_password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.click(`[name=p_organization][value="${other}"]`);
    await page.waitForURL((url) => url.href.startsWith(home));
    await reads('user', email);
    await reads('organization', other);
    // The SDKs' own: one tries its dead token after signing out, the other cannot read a state that it made itself.
    expect(problems.filter((problem) => !/status of 400 .*\/oauth2\/token|Error parsing state/.test(problem))).toEqual([]);
  });
});

async function signUp(page: Page, email: string) {
  await page.fill('[name=p_first_name]', 'Jane');
  await page.fill('[name=p_last_name]', 'Roe');
  await page.fill('[name=p_email]', email);
  await page.click('button[type=submit]');
  await page.locator('[name=p_confirmation_code]').waitFor();
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(email)));
  await page.click('button[type=submit]');
  await page.fill('[name=p_first_password]', PASSWORD);
  await page.fill('[name=p_second_password]', PASSWORD);
  await page.click('button[type=submit]');
}

/** Serves the application at every path of a port of its own. */
async function serve(name: string, port: number): Promise<Server> {
  const { clientId } = gatehouse.application('spa');
  const settings = JSON.stringify({ domain: gatehouse.quickstart.issuer, clientId });
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'apps', `${name}.mjs`),
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  const html = `<!doctype html><link rel="icon" href="data:,"><title>${name}</title><div id="root"></div>
    <script>window.settings = ${settings}</script><script type="module" src="/app.js"></script>`;
  const server = createServer((request, response) => {
    const isScript = request.url === '/app.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? output[0].code : html);
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return server;
}
