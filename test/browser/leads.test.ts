/** Where nobody signs up by themselves, a person without JavaScript asks to be let in, in real Chromium. */
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { newAddress, productionEnvironment, requestOf } from '../signin/person.ts';

const gatehouse = startApp();
const browser = openBrowser();

test('the sign-in page leads to the request, which is kept, and back to the application', async () => {
  const { database, lookups } = gatehouse.app.infrastructure;
  const { id } = await productionEnvironment(gatehouse);
  await database.prisma.environment.update({ where: { id }, data: { allowSelfSignUp: false, allowAccessRequests: true } });
  const applicationId = `app_${gatehouse.application('spa').clientId}`;
  await database.prisma.application.updateMany({ where: { id: applicationId }, data: { homepageUri: 'https://shop.example.test/' } });
  lookups.forget();
  const page = await browser.newPage({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
  const problems = capturing(page);
  const email = newAddress();
  await page.goto(requestOf(gatehouse, 'spa').url);
  await page.getByRole('link', { name: 'Request access' }).click();
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('First name').fill('Jane');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your request is on its way' }).waitFor();
  expect(await page.getByRole('link', { name: /^Back to/ }).getAttribute('href')).toBe('https://shop.example.test/');
  await expect
    .poll(() => database.prisma.accessRequest.findMany({ select: { email: true, firstName: true } }), { timeout: 10_000 })
    .toEqual([{ email, firstName: 'Jane' }]);
  expect(problems).toEqual([]);
});
