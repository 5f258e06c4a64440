/** Every language says what English says, with the same values in it. */
import { describe, expect, test } from 'vitest';
import { en } from '../../src/languages/en.ts';
import { LANGUAGES } from '../../src/languages/languages.ts';
import { LANGUAGE_TEXTS, speaker, type TextKey, textOf } from '../../src/languages/texts.ts';

const TRANSLATIONS = LANGUAGES.filter((language) => !/^en\b/.test(language));
const KEYS = Object.keys(en) as TextKey[];
/** What is the same word in some language. */
const COGNATES: readonly TextKey[] = [
  'page.code',
  'page.optional',
  'page.error_number',
  'page.refused_title',
  'page.email',
  'page.password',
  'password.lead',
];

describe.each(TRANSLATIONS)('%s', (language) => {
  const texts = KEYS.map((key) => [key, textOf(language, key)] as const);

  test('says everything, and next to nothing in English', () => {
    const own = LANGUAGE_TEXTS[language] ?? {};
    expect(KEYS.filter((key) => !Object.hasOwn(own, key))).toEqual([]);
    expect(KEYS.filter((key) => own[key] === en[key] && !COGNATES.includes(key))).toEqual([]);
  });

  test('has the values of the English texts, each as often', () => {
    const valuesOf = (text: string) => (text.match(/\{\w*\}/g) ?? []).sort();
    expect(texts.map(([key, text]) => [key, valuesOf(text)])).toEqual(KEYS.map((key) => [key, valuesOf(en[key])]));
  });

  test('is plain text without an empty line, a space too many or a straight quote', () => {
    expect(texts.filter(([, text]) => !text || text !== text.trim() || /[<>&"'\n]| {2}/.test(text))).toEqual([]);
  });
});

test('a value that is written the other way leaves a Hebrew text in order', () => {
  expect(speaker('he')('page.back_to_application', { application: 'Acme (EU)' })).toContain('\u2068Acme (EU)\u2069');
  expect(speaker('fr')('page.back_to_application', { application: 'Acme (EU)' })).toBe('Retour à Acme (EU)');
});
