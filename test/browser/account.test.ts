/** A person's own account, in real Chromium without JavaScript: seen after a sign-in like any other, and what is changed there is changed. */
import { expect, test } from 'vitest';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { PASSWORD, signUp, userIdOf } from '../signin/person.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();
const HOME = 'http://localhost:8080/home';

test('a person signs in to it, changes their name, and signs out a browser that is not theirs', async () => {
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  const { prisma } = gatehouse.app.infrastructure.database;
  const page = await browser.newPage({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
  const problems = capturing(page);
  const portal = new URLSearchParams({ client_id: gatehouse.application('spa').clientId, return_url: HOME });
  await page.goto(`${gatehouse.quickstart.issuer}/portal?${portal}`);
  await page.getByLabel('Email').fill(email);
  await page.keyboard.press('Enter');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Your account' }).waitFor();

  await page.getByLabel('First name').fill('Janet');
  await page.getByRole('button', { name: 'Save' }).press('Enter');
  await page.getByText('Your changes are saved.').waitFor();
  expect(await page.getByLabel('First name').inputValue()).toBe('Janet');
  expect(await prisma.user.findFirst({ where: { id: userId }, select: { firstName: true } })).toEqual({ firstName: 'Janet' });

  expect(await prisma.session.count({ where: { userId } })).toBe(2);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).press('Enter');
  await page.getByText('This browser').waitFor();
  await page.getByRole('button', { name: 'Sign out everywhere else' }).waitFor({ state: 'detached' });
  expect(await prisma.session.count({ where: { userId } })).toBe(1);
  expect(await page.getByRole('link', { name: /^Back to/ }).getAttribute('href')).toBe(HOME);

  await page.setExtraHTTPHeaders({ 'accept-language': 'he' });
  await page.reload();
  // The address reads from the left, and stands on the right as everything else.
  const [text, row] = await page
    .locator('.rows bdi')
    .first()
    .evaluate((address) => {
      const range = document.createRange();
      range.selectNodeContents(address);
      return [range, address.closest('li')!].map((place) => Math.round(place.getBoundingClientRect().right));
    });
  expect(await page.getAttribute('html', 'dir')).toBe('rtl');
  expect(text).toBe(row);
  expect(problems).toEqual([]);
});

test('fields side by side stand on one line, whatever the length of their labels', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.environment.updateMany({ data: { allowSubscriptions: true } });
  gatehouse.app.infrastructure.lookups.forget();
  const page = await browser.newPage({ viewport: { width: 390, height: 740 } });
  await page.goto(`${gatehouse.quickstart.issuer}/subscribe?lang=de`);
  const [first, last] = await page.locator('.pair input').evaluateAll((inputs) => inputs.map((input) => input.getBoundingClientRect().top));
  expect(first).toBe(last);
});
