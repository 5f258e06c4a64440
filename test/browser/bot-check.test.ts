/** The proof of work in Chromium: found by the page's own script, under the page's own policy. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { newAddress, PASSWORD, requestOf } from '../signin/person.ts';
import { botCheckIs } from '../signin/proof-of-work.ts';
import { mfaPolicy, newPerson } from '../signin/second-factor.ts';

const gatehouse = startApp();
const browser = openBrowser();
beforeAll(() => botCheckIs(gatehouse, 'proof_of_work'));

test('a form that is sent at once waits for its proof, and then goes by itself', async () => {
  const page = await browser.newPage();
  const problems = capturing(page);
  const email = newAddress();
  await page.goto(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
  await page.fill('[name=p_email]', email);
  await page.keyboard.press('Enter');
  await page.waitForSelector('text=Check your mail');
  expect(await gatehouse.mailCount(email)).toBe(1);
  expect(problems).toEqual([]);
});

test('a form that is sent later goes at once', async () => {
  const page = await browser.newPage();
  await page.goto(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
  await page.waitForFunction(() => (document.querySelector('[name=p_bot_check]') as HTMLInputElement).value !== '');
  await page.fill('[name=p_email]', newAddress());
  await page.click('button[type=submit]');
  await page.waitForSelector('text=Check your mail');
});

test('a later page that sends a code waits for a proof of its own, and so does its link for another code', async () => {
  await botCheckIs(gatehouse, 'off');
  const { email } = await newPerson(gatehouse);
  await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
  await botCheckIs(gatehouse, 'proof_of_work');
  const page = await browser.newPage();
  const problems = capturing(page);
  const send = async (field: string, text: string) => {
    await page.fill(`[name=${field}]`, text);
    await page.keyboard.press('Enter');
  };
  await page.goto(requestOf(gatehouse, 'spa').url);
  await send('p_email', email);
  await page.waitForSelector('[name=p_password]');
  await send('p_password', PASSWORD);
  await page.waitForSelector('[name=p_mfa_email]');
  const mails = await gatehouse.mailCount(email);
  await send('p_mfa_email', email);
  await page.waitForSelector('text=Check your mail');
  gatehouse.advance(31);
  await page.click('form[action$=mfa_resend] button');
  await expect.poll(() => gatehouse.mailCount(email)).toBe(mails + 2);
  expect(problems).toEqual([]);
  await mfaPolicy(gatehouse, 'OFF');
});

test('without JavaScript the page says what it needs it for', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
  expect(await page.textContent('.banner')).toMatch(/needs JavaScript/);
  await page.fill('[name=p_email]', newAddress());
  await page.click('button[type=submit]');
  expect(await page.textContent('main')).toMatch(/We could not make sure that you are not a program/);
});
