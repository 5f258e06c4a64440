/** Second factors in real Chromium: set up, used and lost, with the keyboard alone and without JavaScript. */
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import QRCode from 'qrcode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { authenticatorUri } from '../../src/features/mfa-factors/authenticator.ts';
import { updatePhoneSender } from '../../src/features/phone-senders/service.ts';
import { codeIn, freePort } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { startReceiver, waitFor } from '../helpers/receiver.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { newNumber } from '../signin/methods.ts';
import { PASSWORD, productionEnvironment } from '../signin/person.ts';
import { appCode, mfaPolicy, newPerson, nextStep } from '../signin/second-factor.ts';

const gatehouse = await startMailedApp();
const texts = startReceiver();
const browser = openBrowser();

const port = await freePort();
const callback = `http://localhost:${port}/callback`;
const application = createServer((_request, response) =>
  response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><title>application</title>'),
).listen(port, 'localhost');
afterAll(() => application.close());

beforeAll(async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { type: 'spa' }, data: { callbackUrls: { push: callback } } });
  gatehouse.app.infrastructure.lookups.forget();
});

test('is set up by what the page shows, asked for at the next sign-in, and replaced by a recovery code once', async () => {
  await mfaPolicy(gatehouse, 'OFF');
  const { email } = await newPerson(gatehouse);
  await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP'], true);
  const { name: issuer } = await gatehouse.app.infrastructure.database.prisma.application.findFirstOrThrow({ where: { type: 'spa' } });

  const first = await arrive(email);
  const key = (await first.locator('.secret').innerText()).replaceAll(' ', '');
  const picture = Buffer.from(
    await QRCode.toString(authenticatorUri(key, { issuer, account: email }), { type: 'svg', maskPattern: 0 }),
  ).toString('base64');
  expect(await first.getByRole('img', { name: 'QR code for your authenticator app' }).getAttribute('src')).toBe(
    `data:image/svg+xml;base64,${picture}`,
  );
  await type(first, appCode(gatehouse, key));
  const codes = await first.locator('.codes li').allInnerTexts();
  expect(codes).toHaveLength(10);
  await press(first, 'I have kept them');
  expect(first.url()).toContain(`${callback}?code=`);

  nextStep(gatehouse);
  const second = await arrive(email);
  await type(second, appCode(gatehouse, key));
  expect(second.url()).toContain(`${callback}?code=`);

  const third = await arrive(email);
  await press(third, 'Use a recovery code');
  await type(third, codes[0]!);
  expect(third.url()).toContain(`${callback}?code=`);

  const fourth = await arrive(email);
  await press(fourth, 'Use a recovery code');
  await type(fourth, codes[0]!);
  expect(await fourth.locator(':focus').getAttribute('aria-invalid')).toBe('true');
});

test('codes by mail are set up and asked for; who is to have texts instead proves the mail first', async () => {
  await mfaPolicy(gatehouse, 'OFF');
  const { email } = await newPerson(gatehouse);
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const operator = createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
  await updatePhoneSender(operator, {
    environmentId,
    provider: 'webhook',
    url: `${texts.url}/texts`,
    signingSecret: 'a secret of those who send texts',
  });
  const codeAfter = async (after: number) => codeIn(await gatehouse.mailTo(email, { after }));

  await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
  let mails = await gatehouse.mailCount(email);
  const first = await arrive(email);
  await type(first, email);
  await type(first, await codeAfter(mails));
  expect(first.url()).toContain(`${callback}?code=`);

  gatehouse.advance(61);
  mails = await gatehouse.mailCount(email);
  const second = await arrive(email);
  await type(second, await codeAfter(mails));
  expect(second.url()).toContain(`${callback}?code=`);

  gatehouse.advance(61);
  mails = await gatehouse.mailCount(email);
  await mfaPolicy(gatehouse, 'REQUIRED', ['SMS']);
  const third = await arrive(email);
  await type(third, await codeAfter(mails));
  expect(await third.locator('h1').innerText()).toBe('Codes by text message');
  const { typed, number } = newNumber();
  await third.selectOption('select', 'AU');
  await third.fill('input[type=tel]', typed);
  await Promise.all([third.waitForNavigation(), third.keyboard.press('Enter')]);
  const text = await waitFor(() =>
    texts.received.map(({ body }) => JSON.parse(body) as { to: string; text: string }).find(({ to }) => to === number),
  );
  await type(third, /\b\d{6}\b/.exec(text.text)![0]);
  expect(third.url()).toContain(`${callback}?code=`);
});

/** A browser of their own, at the page that comes after the password. */
async function arrive(email: string): Promise<Page> {
  const page = await browser.newPage({ javaScriptEnabled: false });
  const problems = capturing(page);
  const { clientId } = gatehouse.application('spa');
  await page.goto(authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri: callback }).url);
  await type(page, email);
  await type(page, PASSWORD);
  expect(problems).toEqual([]);
  return page;
}

/** Types into the field that has the focus when the page opens, and sends the form. */
async function type(page: Page, text: string): Promise<void> {
  await page.locator('input:focus').waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
}

/** Goes on with the Tab key until the button has the focus, and presses it. */
async function press(page: Page, label: string): Promise<void> {
  for (let presses = 0; presses < 20; presses++) {
    if ((await page.locator('button:focus').allInnerTexts()).includes(label)) {
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not come to "${label}".`);
}
