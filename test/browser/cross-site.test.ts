/** A page of another site, in the browser of a person who is signed in, tries to change something through the graph. */
import { createServer, type Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOfEverything } from '../graphql/world.ts';
import { codeIn, freePort } from '../helpers/app.ts';
import { openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();

const MUTATION = 'mutation { createBusiness(input: { name: "Forged", region: IE }) { business { id } errors { code } } }';
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
/** Parts that make of a form's one field, sent as text/plain, a JSON object. */
const [jsonBefore, jsonAfter] = [`{"query":${JSON.stringify(MUTATION)},"x":"`, '"}'];

let elsewhere: string;
let server: Server;
beforeAll(async () => {
  const port = await freePort();
  elsewhere = `http://127.0.0.1:${port}`; // Another site than localhost.
  const form = (id: string, attributes: string, fields: string) =>
    `<form id="${id}" action="${gatehouse.baseUrl}/graphql" ${attributes}>${fields}<button>go</button></form>`;
  const field = (name: string, value: string) => `<input name="${escaped(name)}" value="${escaped(value)}">`;
  const page = [
    '<!doctype html><link rel="icon" href="data:,"><title>elsewhere</title>',
    form('urlencoded', 'method="post"', field('query', MUTATION)),
    form('text', 'method="post" enctype="text/plain"', field(jsonBefore!, jsonAfter!)),
    form(
      'multipart',
      'method="post" enctype="multipart/form-data"',
      field('operations', JSON.stringify({ query: MUTATION })) + field('map', '{}'),
    ),
    form('get', 'method="get"', field('query', MUTATION)),
  ].join('\n');
  server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(page));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
});
afterAll(() => server?.close());

/** Signs the installation's Owner in at `account`: from then on its browser holds the session's cookies. */
async function signIn(page: Page) {
  const { account, owner } = gatehouse.quickstart;
  const [dashboard] = account.applications;
  const callback = elsewhere;
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { id: `app_${dashboard!.clientId}` }, data: { callbackUrls: { push: callback } } });
  gatehouse.app.infrastructure.lookups.forget();
  const { url } = authorizationUrl({ issuer: account.issuer, clientId: dashboard!.clientId, redirectUri: callback });
  const after = await gatehouse.mailCount(owner.email);
  await page.goto(url);
  await page.fill('[name=p_email]', owner.email);
  await page.click('button[type=submit]');
  await page.locator('[name=p_confirmation_code]').waitFor();
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(owner.email, { after })));
  await page.click('button[type=submit]');
  await page.waitForURL(`${elsewhere}/?*`);
  await page.goto(url); // Signed in by its cookies alone.
  await page.waitForURL(`${elsewhere}/?*`);
}

test('by forms and scripts that need nobody’s leave', async () => {
  const page = await browser.newPage();
  await signIn(page);
  const before = await digestOfEverything(gatehouse);

  for (const [form, method] of Object.entries({ urlencoded: 'POST', text: 'POST', multipart: 'POST', get: 'GET' })) {
    await page.goto(elsewhere);
    const answered = page.waitForResponse((response) => response.url().startsWith(`${gatehouse.baseUrl}/graphql`));
    await page.click(`#${form} button`);
    const response = await answered;
    expect({ form, method: response.request().method() }).toEqual({ form, method });
    // A browser that follows a link asks for HTML: outside production it gets the page to try documents on, which runs nothing by itself.
    expect({ form, status: response.status() }).toEqual({ form, status: form === 'get' ? 200 : form === 'multipart' ? 401 : 403 });
    if (form === 'get') expect(response.headers()['content-type']).toContain('text/html');
    await page.waitForLoadState();
  }

  await page.goto(elsewhere);
  const received = () =>
    gatehouse
      .log()
      .match(/"route":"\/graphql","status":\d+/g)
      ?.map((line) => line.slice(-3)) ?? [];
  const already = received().length;
  const outcomes = await page.evaluate(
    async ({ url, json, mutation }) => {
      const attempt = (init: RequestInit, query = '') =>
        fetch(url + query, { method: 'POST', credentials: 'include', ...init }).then(
          (response) => response.type,
          () => 'blocked',
        );
      const form = new FormData();
      form.set('operations', json);
      return [
        await attempt({ mode: 'no-cors', body: json }),
        await attempt({ mode: 'no-cors', body: new Blob([json]) }),
        await attempt({ mode: 'no-cors', body: new URLSearchParams({ query: mutation }) }),
        await attempt({ mode: 'no-cors', body: form }),
        await attempt({ mode: 'no-cors', method: 'GET' }, `?query=${encodeURIComponent(mutation)}`),
        // A type that needs leave is not given it for a request with cookies.
        await attempt({ body: json, headers: { 'content-type': 'application/json' } }),
        String(navigator.sendBeacon(url, new Blob([json], { type: 'text/plain' }))),
      ];
    },
    { url: `${gatehouse.baseUrl}/graphql`, json: JSON.stringify({ query: MUTATION }), mutation: MUTATION },
  );
  // That no answer of ours may be embedded elsewhere (Cross-Origin-Resource-Policy) hides them from the page; they were received.
  expect(outcomes).toEqual([...Array(6).fill('blocked'), 'true']);
  // Of the sixth only the question whether it may be sent with cookies: it may not.
  await expect.poll(() => received().slice(already).sort()).toEqual(['204', '401', '403', '403', '403', '403', '403']);
  expect(await digestOfEverything(gatehouse)).toBe(before);
});
