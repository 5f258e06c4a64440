/**
 * The look that a business gives its pages, in real Chromium: everything that it has chosen is there, all of it can be
 * read whatever the colours, and the mail that comes from a page looks and speaks as the page does.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask } from '../helpers/graph.ts';
import { SINK_USER, startMailSink } from '../helpers/mail-sink.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { mailAt, serverAt } from '../mail/sending.ts';
import { newAddress, organization, productionEnvironment, requestOf } from '../signin/person.ts';
import { violations } from './accessibility.ts';

const sink = await startMailSink();
const gatehouse = startApp();
const browser = openBrowser();
afterAll(() => sink.close());

const SCREENSHOTS = process.env['UPDATE_DOCS'] ? join(import.meta.dirname, '../../docs/screenshots') : undefined;
const DESKTOP = { width: 1280, height: 800 };

const logo = (ink: string, dot: string) =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32"><circle cx="16" cy="16" r="14" fill="${dot}"/><path d="M40 24V8h4l6 9 6-9h4v16h-4v-9l-6 9-6-9v9zM68 24V8h14v4H72v2h8v4h-8v2h10v4zM90 24V8h14v4H94v2h8v4h-8v2h10v4z" fill="${ink}"/></svg>`,
  ).toString('base64');

const BRAND = {
  lightColors: { background: '#f3ece1', card: '#fffaf2', text: '#2b2118', link: '#8a3b12', button: '#b4541f', buttonText: '#ffffff' },
  darkColors: { background: '#1d1712', card: '#2a211a', text: '#f6e9da', link: '#ffb488', button: '#ffb488' },
  buttonRadius: 24,
  inputRadius: 6,
  cardRadius: 0,
  alignment: 'START',
  isBadgeHidden: true,
  customCss: 'h1 { letter-spacing: 0.5px }',
};

let token: string;
let environmentId: string;
beforeAll(async () => {
  const { id, businessId } = await productionEnvironment(gatehouse);
  environmentId = id;
  await gatehouse.app.infrastructure.database.prisma.business.update({ where: { id: businessId }, data: { plan: 'pro' } });
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  await change('updateEmailSender', { environmentId, ...serverAt(sink) });
  await change('updateEnvironmentLanguages', { environmentId, languages: ['en-US', 'de', 'he'], defaultLanguage: 'de' });
});
beforeEach(() => change('resetEnvironmentBrand', { environmentId }));

async function run(mutation: string, input: object): Promise<readonly { readonly message: string }[]> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { message } } }`;
  const { data, errors } = await ask<Record<string, { errors: readonly { message: string }[] }>, object>(gatehouse, token, document, {
    input,
  });
  expect(errors).toEqual([]);
  return data![mutation]!.errors;
}
async function change(mutation: string, input: object): Promise<void> {
  expect(await run(mutation, input)).toEqual([]);
}
const brand = (settings: object) => change('updateEnvironmentBrand', { environmentId, ...settings });

const open = (page: Page, parameters: Record<string, string> = {}) => page.goto(requestOf(gatehouse, 'spa', parameters).url);
const style = (page: Page, selector: string, property: string) =>
  page.locator(selector).evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);

async function photograph(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

test('a brand is on the page, light, dark and from right to left: its pictures load, and its reset takes it all away', async () => {
  await brand(BRAND);
  for (const [type, contentBase64] of Object.entries({
    LIGHT: logo('#2b2118', '#b4541f'),
    DARK: logo('#f6e9da', '#ffb488'),
    FAVICON_SVG: logo('#2b2118', '#b4541f'),
  }))
    await change('setEnvironmentLogo', { environmentId, type, contentBase64 });
  await change('updatePageTexts', { environmentId, language: 'en-US', texts: [{ key: 'login.heading', text: 'Welcome back' }] });
  const page = await browser.newPage({ viewport: DESKTOP, reducedMotion: 'reduce' });
  const problems = capturing(page);
  await open(page, { lang: 'en' });

  expect(await page.locator('h1').textContent()).toBe('Welcome back');
  expect(await style(page, 'h1', 'letter-spacing')).toBe('0.5px');
  expect(await style(page, '.primary', 'background-color')).toBe('rgb(180, 84, 31)');
  expect(await style(page, '.primary', 'border-radius')).toBe('24px');
  expect(await style(page, '.card', 'border-radius')).toBe('0px');
  expect(await style(page, '[name=p_email]', 'border-radius')).toBe('6px');
  expect((await page.locator('.card').boundingBox())!.x).toBeLessThan(DESKTOP.width / 4);
  expect(await page.locator('footer').count()).toBe(0);
  const picture = page.locator('.logo img');
  const shown = () => picture.evaluate((image: HTMLImageElement) => image.decode().then(() => `${image.naturalWidth} ${image.currentSrc}`));
  const light = await shown();
  expect(light).toMatch(/^120 /);
  const icon = await page.request.get(new URL((await page.locator('link[rel=icon]').getAttribute('href'))!, page.url()).href);
  expect([icon.status(), icon.headers()['content-type']]).toEqual([200, 'image/svg+xml']);
  expect(await violations(page)).toEqual([]);
  await photograph(page, 'brand-light-1280');

  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(shown).not.toBe(light);
  expect(await style(page, '.primary', 'background-color')).toBe('rgb(255, 180, 136)');
  expect(await violations(page)).toEqual([]);
  await photograph(page, 'brand-dark-1280');

  await page.emulateMedia({ colorScheme: 'light' });
  await open(page, { lang: 'he' });
  expect((await page.locator('.card').boundingBox())!.x).toBeGreaterThan(DESKTOP.width / 2);
  expect(await violations(page)).toEqual([]);
  await photograph(page, 'brand-right-to-left-1280');

  await change('resetEnvironmentBrand', { environmentId });
  await open(page, { lang: 'he' });
  expect(await page.locator('.logo').count()).toBe(0);
  expect(await style(page, '.primary', 'background-color')).toBe('rgb(29, 78, 216)');
  expect(problems).toEqual([]);
});

describe('colours that somebody has chosen badly', () => {
  test('are refused where they were to be read on each other', async () => {
    const refused = async (lightColors: object) =>
      (await run('updateEnvironmentBrand', { environmentId, lightColors })).map(({ message }) => message);
    expect(await refused({ button: '#ffe066', buttonText: '#ffffff' })).toEqual([
      expect.stringContaining('#ffffff cannot be read on #ffe066'),
    ]);
    expect(await refused({ card: '#777777', text: '#888888' })).toEqual([expect.stringContaining('#888888 cannot be read on #777777')]);
    expect(await refused({ card: '#ffffff', link: '#9ec5ff' })).toEqual([expect.stringContaining('#9ec5ff cannot be read on #ffffff')]);
  });

  test.each([
    ['the greys that are hardest to write on', { background: '#777777', card: '#767676', input: '#7a7a7a', button: '#757575' }],
    ['a card that is dark by day', { background: '#fdf200', card: '#0a0a30', button: '#fff59d' }],
    ['the same for all', { background: '#ff5a00', card: '#ff5a00', input: '#ff5a00', button: '#ff5a00' }],
  ])('are written on so that all can be read: %s', async (_name, colors) => {
    await brand({ lightColors: colors, darkColors: colors });
    const page = await browser.newPage({ reducedMotion: 'reduce' });
    await open(page, { lang: 'en' });
    await page.fill('[name=p_email]', 'jane.roe');
    await page.locator('.primary').click();
    await page.locator('.problem').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
  });
});

test('an organization’s brand stands before its environment’s, on its pages and in its mail, and in the page’s language', async () => {
  await brand({ lightColors: BRAND.lightColors, theme: 'LIGHT', buttonRadius: 24 });
  const organizationId = await organization(gatehouse, 'Umbrella & Daughters', { isOpen: true });
  await change('updateOrganizationBrand', { organizationId, lightColors: { button: '#00513b', buttonText: '#ffffff' } });
  const page = await browser.newPage();
  const problems = capturing(page);
  const email = newAddress('look');
  await open(page, { lang: 'he', prompt: 'create', org_code: organizationId });
  expect(await style(page, '.primary', 'background-color')).toBe('rgb(0, 81, 59)');
  expect(await style(page, '.primary', 'border-radius')).toBe('24px');
  expect(await page.locator('.logo').textContent()).toContain('Umbrella & Daughters');
  expect(await violations(page)).toEqual([]);
  await page.fill('[name=p_email]', email);
  await page.locator('.primary').click();
  await page.locator('[name=p_confirmation_code]').waitFor();

  const mail = await mailAt(sink, email);
  expect(mail).toMatchObject({ isEncrypted: true, user: SINK_USER });
  const letter = await browser.newPage({ javaScriptEnabled: false });
  await letter.setContent(htmlOf(mail.message));
  expect([await letter.locator('html').getAttribute('lang'), await letter.locator('html').getAttribute('dir')]).toEqual(['he', 'rtl']);
  expect(await letter.locator('body').textContent()).toContain('Umbrella & Daughters');
  expect(await letter.locator('html').innerHTML()).toContain('#fffaf2');
  expect(await letter.locator('body').textContent()).toContain('הקוד פועל פעם אחת');
  await letter.setViewportSize({ width: 360, height: 740 });
  expect(await letter.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  expect(problems).toEqual([]);
});

/** The HTML part of a mail, whichever way it is encoded. */
function htmlOf(message: string): string {
  const part = message.slice(message.search(/^Content-Type: text\/html/m)).split(/^--/m, 1)[0]!;
  const headers = part.slice(0, part.indexOf('\r\n\r\n'));
  const text = part.slice(headers.length + 4);
  if (/base64/i.test(headers)) return Buffer.from(text, 'base64').toString();
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
