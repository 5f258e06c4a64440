/**
 * What every hosted page holds to, in real Chromium: WCAG 2.2 AA as far as axe-core can tell, light and dark; nothing
 * wider than a phone; a small document. In other languages: every-language.test.ts. `UPDATE_DOCS=1` writes the
 * screenshots in docs/screenshots.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { violations } from './accessibility.ts';
import { asAtFirst, EVERY_PAGE, fits, PHONE } from './every-page.ts';

const gatehouse = startApp();
const browser = openBrowser();

const DESKTOP = { width: 1280, height: 800 };
const SCREENSHOTS = process.env['UPDATE_DOCS'] ? join(import.meta.dirname, '../../docs/screenshots') : undefined;
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });

beforeEach(() => asAtFirst(gatehouse));

describe.each(EVERY_PAGE)('$name', ({ name, open }) => {
  test('is one small document with one heading, that anybody can use on a phone, light and dark', async () => {
    const page = await browser.newPage({ viewport: PHONE, reducedMotion: 'reduce' });
    const problems = capturing(page);
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(`${request.resourceType()} ${new URL(request.url()).pathname}`));
    await open({ gatehouse, page, lang: 'en' });
    expect(gzipSync(await page.content()).length).toBeLessThan(15 * 1024);
    expect(new Set(loaded.filter((one) => one.startsWith('stylesheet'))).size).toBe(1);
    expect(await page.locator('main').count()).toBe(1);
    expect(await page.locator('h1').count()).toBe(1);
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    const isRefused = await page.locator('[aria-invalid=true], .banner[role=alert]:visible').count();
    expect(await page.title()).toMatch(isRefused ? /^Error: \w/ : /^(?!Error: )\w/);
    expect(await violations(page)).toEqual([]);
    await fits(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violations(page)).toEqual([]);
    expect(problems.filter((problem) => !/status of 4\d\d/.test(problem))).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    if (SCREENSHOTS) await photograph(page, name);
  });
});

async function photograph(page: Page, name: string): Promise<void> {
  for (const viewport of [PHONE, DESKTOP]) {
    await page.setViewportSize(viewport);
    await page.screenshot({
      path: join(SCREENSHOTS!, `${name}-${viewport.width}.png`),
      fullPage: true,
      animations: 'disabled',
      caret: 'hide',
    });
  }
}
