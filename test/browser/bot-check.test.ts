/** The proof of work in Chromium: found by the page's own script, under the page's own policy. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { newAddress, productionEnvironment, requestOf } from '../signin/person.ts';

const gatehouse = startApp();
const browser = openBrowser();
beforeAll(async () => {
  const { id } = await productionEnvironment(gatehouse);
  await gatehouse.app.infrastructure.database.prisma.environment.update({ where: { id }, data: { botCheck: 'proof_of_work' } });
  gatehouse.app.infrastructure.lookups.forget();
});

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

test('without JavaScript the page says what it needs it for', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
  expect(await page.textContent('.banner')).toMatch(/needs JavaScript/);
  await page.fill('[name=p_email]', newAddress());
  await page.click('button[type=submit]');
  expect(await page.textContent('main')).toMatch(/We could not make sure that you are not a program/);
});
