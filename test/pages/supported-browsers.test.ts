/** The stylesheet holds nothing that a supported browser cannot do without: `browserslist` in package.json says which they are. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import browserslist from 'browserslist';
import DoIUse from 'doiuse';
import postcss from 'postcss';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** What some supported browsers lack, and what their users get. Each is found by its id at caniuse. */
const WITHOUT: Readonly<Record<string, string>> = {
  'css-variables': 'the browser’s own colours',
  'prefers-color-scheme': 'the light theme',
  'viewport-units': 'a card at the top of the page',
  'border-radius': 'square corners',
  'css-boxshadow': 'a card without a shadow',
  'css-letter-spacing': 'letters closer to each other',
  wordwrap: 'a long address that is scrolled to',
  'css-grid': 'fields below each other',
  'css-read-only-write': 'the look of any other field',
  'css-focus-visible': 'the browser’s own outline',
  outline: 'the browser’s own outline',
  'css-filters': 'a button that looks the same under the pointer',
  'css-logical-props': 'the browser’s own margins',
};

/** They draw pages on a server, or on phones with keys: content and forms are what counts there. */
const SMALL = ['op_mini', 'kaios', 'and_uc', 'and_qq'];

test.each(globSync('src/pages/assets/*.css', { cwd: ROOT }))('%s asks nothing of a browser that it cannot do without', async (path) => {
  const lacking: string[] = [];
  const report = new DoIUse({
    browsers: browserslist(undefined, { path: ROOT }),
    onFeatureUsage: ({ feature, featureData, message }) => {
      const browsers = [featureData.missingData, featureData.partialData].flatMap((lacks) => Object.keys(lacks ?? {}));
      if (!Object.hasOwn(WITHOUT, feature) || browsers.some((browser) => !SMALL.includes(browser))) lacking.push(message);
    },
  });
  await postcss([report]).process(readFileSync(join(ROOT, path), 'utf8'), { from: path });
  expect(lacking).toEqual([]);
});

test('iOS 15.4 and the current versions of every large browser are supported', () => {
  const browsers = browserslist(undefined, { path: ROOT });
  expect(browsers).toEqual(expect.arrayContaining(['ios_saf 15.4', expect.stringMatching(/^chrome /), expect.stringMatching(/^firefox /)]));
});
