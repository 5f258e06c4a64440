import { expect, test } from 'vitest';
import { COLOR_NAMES, type Colors, checkColors, contrast, declarations } from '../../../src/features/brands/colors.ts';

const values = (css: string) => Object.fromEntries(css.split(';').map((line) => line.slice(2).split(':') as [string, string]));

/** A generator that gives the same colours in every run (mulberry32). */
function colors(seed: number): () => string {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return `#${((t ^ (t >>> 14)) >>> 8).toString(16).padStart(6, '0')}`;
  };
}

test('contrast is what WCAG 2.2 says it is', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
  expect(contrast('#123456', '#123456')).toBe(1);
});

test('whatever colours an operator gives, everything on the page can be read', () => {
  const next = colors(7);
  for (let run = 0; run < 3000; run++) {
    const given: Colors = Object.fromEntries(COLOR_NAMES.filter((_, at) => (run >> at) % 2).map((name) => [name, next()]));
    for (const theme of ['light', 'dark'] as const) {
      const all = values(declarations([given, { card: next() }], theme));
      const least = (front: string, ...backs: string[]) => Math.min(...backs.map((back) => contrast(all[front]!, all[back]!)));
      const worst = {
        text: least('text', 'card'),
        field: least('on-field', 'field'),
        quiet: least('quiet', 'card'),
        page: least('quiet-on-page', 'page'),
        accent: least('accent', 'card'),
        button: least('on-button', 'button'),
        bad: least('bad', 'card', 'bad-surface'),
      };
      for (const [name, ratio] of Object.entries(worst)) expect(ratio, `${name} of ${JSON.stringify(all)}`).toBeGreaterThanOrEqual(4.5);
    }
  }
});

test('a colour is refused where the fallback makes it unreadable, and taken where not', () => {
  expect(() => checkColors({ text: '#ffffff' }, 'light', {}, 'lightColors')).toThrow(/cannot be read/);
  expect(checkColors({ text: '#FFFFFF' }, 'light', { card: '#000000' }, 'lightColors')).toEqual({ text: '#ffffff' });
});
