/** That every hosted page is as good in other languages, in real Chromium: a file of its own, to run beside every-page.test.ts. */
import { beforeEach, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { openBrowser } from '../helpers/browser.ts';
import { violations } from './accessibility.ts';
import { asAtFirst, EVERY_PAGE, fits, PHONE } from './every-page.ts';

const gatehouse = startApp();
const browser = openBrowser();

beforeEach(() => asAtFirst(gatehouse));

describe.each(EVERY_PAGE)('$name', ({ open }) => {
  test('is as usable from right to left, and fits a phone in the languages with the longest words', async () => {
    const page = await browser.newPage({ viewport: PHONE, reducedMotion: 'reduce' });
    for (const lang of ['de', 'ru', 'he']) {
      await open({ gatehouse, page, lang });
      expect(await page.locator('html').getAttribute('lang')).toBe(lang);
      await fits(page);
    }
    expect(await page.locator('html').getAttribute('dir')).toBe('rtl');
    expect(await violations(page)).toEqual([]);
  });
});
