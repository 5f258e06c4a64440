/** Previews in real Chromium: an operator sees what people will see, can read all of it, and can do nothing with it. */
import { beforeAll, describe, expect, test } from 'vitest';
import { PREVIEWED_PAGES } from '../../src/features/page-previews/service.ts';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import { productionEnvironment } from '../signin/person.ts';
import { violations } from './accessibility.ts';

const gatehouse = startApp();
const browser = openBrowser();
const PHONE = { width: 360, height: 740 };
const DRAFT = {
  lightColors: { background: '#f3ece1', card: '#fffaf2', text: '#2b2118', link: '#8a3b12', button: '#b4541f', buttonText: '#ffffff' },
  darkColors: { background: '#1d1712', card: '#2a211a', text: '#f6e9da', link: '#ffb488', button: '#ffb488' },
  cardRadius: 3,
  customCss: 'h1 { letter-spacing: 0.5px }',
};

let token: string;
let environmentId: string;
beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

async function preview(page: string, input: object): Promise<string> {
  const document = `mutation ($input: CreatePagePreviewInput!) { createPagePreview(input: $input) { url errors { message } } }`;
  const { data } = await ask<{ createPagePreview: { url: string | null; errors: readonly object[] } }, object>(gatehouse, token, document, {
    input: { environmentId, page: page.toUpperCase(), brand: DRAFT, ...input },
  });
  expect(data?.createPagePreview.errors).toEqual([]);
  return data!.createPagePreview.url!;
}

describe.each(Object.keys(PREVIEWED_PAGES))('%s', (name) => {
  test('is in the draft’s colours, can be read by anybody, and leads nowhere', async () => {
    const page = await browser.newPage({ viewport: PHONE, reducedMotion: 'reduce' });
    const problems = capturing(page);
    for (const [theme, language, background, text] of [
      ['LIGHT', 'en', 'rgb(243, 236, 225)', 'rgb(43, 33, 24)'],
      ['DARK', 'he', 'rgb(29, 23, 18)', 'rgb(246, 233, 218)'],
    ] as const) {
      const url = await preview(name, { theme, language });
      await page.goto(url);
      expect(await page.locator('html').getAttribute('dir')).toBe(language === 'he' ? 'rtl' : 'ltr');
      expect(await page.locator('h1').count()).toBe(1);
      const style = (selector: string, property: string) =>
        page
          .locator(selector)
          .first()
          .evaluate((element, asked) => getComputedStyle(element).getPropertyValue(asked), property);
      expect([await style('body', 'background-color'), await style('h1', 'color')]).toEqual([background, text]);
      if (name.startsWith('mail_')) continue;
      expect([await style('main', 'border-top-left-radius'), await style('h1', 'letter-spacing')]).toEqual(['3px', '0.5px']);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      for (const control of await page.locator('main button, main a').all()) {
        const box = await control.boundingBox();
        if (box) await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      }
      expect(page.url()).toBe(url);
      // What is inert is passed over by axe as it is by everybody else.
      await page.locator('main').evaluate((main) => main.removeAttribute('inert'));
      expect(await violations(page)).toEqual([]);
    }
    expect(problems.filter((problem) => !/Content Security Policy|favicon.ico/.test(problem))).toEqual([]);
  });
});

test('no script is needed to see one, and nobody sees it once it is over', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  const url = await preview('sign_in', { language: 'de', texts: [{ key: 'login.heading', text: 'Nur herein' }] });
  await page.goto(url);
  await page.getByRole('heading', { name: 'Nur herein', includeHidden: true }).waitFor();
  gatehouse.advance(3601);
  expect((await page.goto(url))!.status()).toBe(404);
});
