/**
 * What every hosted page holds to, in real Chromium: WCAG 2.2 AA as far as axe-core can tell, light, dark and from right
 * to left; nothing wider than a phone; a small document. `UPDATE_DOCS=1` writes the screenshots in docs/screenshots.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { EVERY_PAGE } from './every-page.ts';

const gatehouse = startApp();
const browser = openBrowser();

const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
const SCREENSHOTS = process.env['UPDATE_DOCS'] ? join(import.meta.dirname, '../../docs/screenshots') : undefined;
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });

const LOOKS = [
  { look: 'light', colorScheme: 'light', lang: 'en' },
  { look: 'dark', colorScheme: 'dark', lang: 'en' },
  { look: 'from right to left', colorScheme: 'light', lang: 'he' },
] as const;

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}

describe.each(EVERY_PAGE)('$name', ({ name, open }) => {
  test.each(LOOKS)('is accessible and fits a phone, $look', async ({ look, colorScheme, lang }) => {
    const page = await browser.newPage({ colorScheme, viewport: PHONE, reducedMotion: 'reduce' });
    await open({ gatehouse, page, lang });
    expect(await page.evaluate(() => document.documentElement.dir)).toBe(lang === 'he' ? 'rtl' : 'ltr');
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    if (!SCREENSHOTS || look !== 'light') return;
    for (const viewport of [PHONE, DESKTOP]) {
      await page.setViewportSize(viewport);
      await page.screenshot({
        path: join(SCREENSHOTS, `${name}-${viewport.width}.png`),
        fullPage: true,
        animations: 'disabled',
        caret: 'hide',
      });
    }
  });

  test('is one small document and one stylesheet, with a main part and one heading', async () => {
    const page = await browser.newPage({ viewport: DESKTOP });
    const problems = capturing(page);
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(`${request.resourceType()} ${new URL(request.url()).pathname}`));
    await open({ gatehouse, page, lang: 'en' });
    expect(gzipSync(await page.content()).length).toBeLessThan(15 * 1024);
    expect(new Set(loaded.filter((one) => one.startsWith('stylesheet'))).size).toBe(1);
    expect(await page.locator('main').count()).toBe(1);
    expect(await page.locator('h1').count()).toBe(1);
    expect(problems.filter((problem) => !/status of 4\d\d/.test(problem))).toEqual([]);
  });
});
