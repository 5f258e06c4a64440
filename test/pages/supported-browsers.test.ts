/** Stylesheet and scripts hold nothing that a supported browser cannot do without: `browserslist` in package.json says which they are. */
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

/** What the scripts read and call, and the first Safari on iOS that has it: of the large browsers it is the one that has things last. */
const SINCE: Readonly<Record<string, number>> = {
  ...{ abort: 11.3, signal: 11.3, AbortController: 11.3 },
  ...{ attestationObject: 14.5, authenticatorData: 14.5, clientDataJSON: 14.5, signature: 14.5, userHandle: 14.5 },
  ...{ challenge: 14.5, user: 14.5, excludeCredentials: 14.5, allowCredentials: 14.5, create: 13.3, get: 13.3, credentials: 13.3 },
  // Where these two are missing, which is asked first, something is left out.
  ...{ getTransports: 16, isConditionalMediationAvailable: 16, PublicKeyCredential: 13.3 },
  ...{ addEventListener: 3, preventDefault: 3, submitter: 15.4, submit: 3, click: 3, setAttribute: 3, removeAttribute: 3, replace: 3 },
  ...{ getElementById: 3, querySelector: 3.2, dataset: 5.1, hidden: 5, disabled: 3, value: 3, form: 3, href: 3, autocomplete: 5 },
  ...{ parse: 4, stringify: 4, from: 9, fromCharCode: 3, charCodeAt: 3, replaceAll: 13.4, padStart: 10, toString: 3, join: 3, map: 4 },
  ...{ indexOf: 3, all: 8, catch: 8, id: 3, publicKey: 13.3, encode: 10.3, digest: 11, subtle: 11 },
  ...{ passkey: 5.1, options: 5.1 },
};

test('the scripts read and call nothing that came after iOS 15.4, but for what they ask for first', () => {
  for (const path of globSync('src/pages/assets/*.js', { cwd: ROOT })) {
    const script = readFileSync(join(ROOT, path), 'utf8').replace(/\/\/.*/g, '');
    const names = [...script.matchAll(/(\?)?(?<!\.)\.([A-Za-z]\w*)(\?\.)?/g)];
    for (const [, isAsked, name = '', isAskedOfItself] of names) {
      expect(SINCE, `${path}: since when has Safari .${name}?`).toHaveProperty(name);
      if (!isAsked && !isAskedOfItself) expect(SINCE[name], `${path}: .${name}`).toBeLessThanOrEqual(15.4);
    }
  }
});
