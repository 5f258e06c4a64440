/** Signing in with a phone, and with a username, in real Chromium on a phone's screen; without JavaScript too. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { newNumber, setApplication } from '../signin/methods.ts';
import { newAddress, PASSWORD } from '../signin/person.ts';

const gatehouse = startApp();
const browser = openBrowser();
const SCREEN = { width: 360, height: 740 };

/** A browser at the application's sign-in, whose own pages are not there: it ends where it would be sent. */
async function openPage(options: { javaScriptEnabled: boolean }, parameters: Record<string, string> = {}) {
  const page = await browser.newPage({ ...options, viewport: SCREEN });
  const problems = capturing(page);
  await page.route('http://localhost:8080/**', (route) => route.fulfill({ contentType: 'text/html', body: '<title>application</title>' }));
  const { clientId } = gatehouse.application('spa');
  const redirectUri = 'http://localhost:8080/callback';
  await page.goto(authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri, parameters }).url);
  return { page, problems };
}
const submit = (page: Page) => page.locator('main form button[type=submit]').first().click();
const isBack = (page: Page) => page.waitForURL(/^http:\/\/localhost:8080\/callback\?code=/);

test.each([true, false])('with a phone, chosen in the place of an address (JavaScript: %s)', async (javaScriptEnabled) => {
  await setApplication(gatehouse, { emailSignIn: 'code', usernameSignIn: 'off', phoneSignIn: 'code' });
  const { typed, number } = newNumber();
  for (const [prompt, after] of [
    ['create', 0],
    ['login', 1],
  ] as const) {
    const { page, problems } = await openPage({ javaScriptEnabled }, { prompt });
    await page.getByRole('button', { name: 'Use a phone number instead' }).click();
    await page.getByLabel('Country').selectOption({ label: 'Australia (+61)' });
    await page.getByLabel('Phone number').fill(typed);
    await submit(page);
    await page.getByRole('heading', { name: 'Check your phone' }).waitFor();
    await page.getByLabel('Code').fill(codeIn(await gatehouse.mailTo(number, { after })));
    await submit(page);
    await isBack(page);
    expect(problems).toEqual([]);
  }
});

test.each([true, false])('with a username, its address proved once (JavaScript: %s)', async (javaScriptEnabled) => {
  await setApplication(gatehouse, { emailSignIn: 'off', usernameSignIn: 'password', phoneSignIn: 'off' });
  const [username, email] = [`Jane_${javaScriptEnabled}`, newAddress()];
  const up = await openPage({ javaScriptEnabled }, { prompt: 'create' });
  await up.page.getByLabel('Username').fill(username);
  await up.page.getByLabel('Email').fill(email);
  await submit(up.page);
  await up.page.getByLabel('Code').fill(codeIn(await gatehouse.mailTo(email)));
  await submit(up.page);
  await up.page.locator('[name=p_first_password]').fill(PASSWORD);
  await up.page.locator('[name=p_second_password]').fill(PASSWORD);
  await submit(up.page);
  await isBack(up.page);

  const { page, problems } = await openPage({ javaScriptEnabled }, { prompt: 'login' });
  await page.getByLabel('Username').fill(username.toLowerCase());
  await submit(page);
  await page.getByLabel('Password').fill('not the right one');
  await submit(page);
  await page.getByText('That is not the right password.').waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await submit(page);
  await isBack(page);
  expect([...up.problems, ...problems].filter((problem) => !/status of 422/.test(problem))).toEqual([]);
});
