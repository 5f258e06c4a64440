/** What is said to people, by key and language. */
import { en } from './en.ts';
import type { Language } from './languages.ts';

export type TextKey = keyof typeof en;
/** A language's texts. Values stand in them as `{name}`. */
export type Texts = Readonly<Partial<Record<TextKey, string>>>;
export type Values = Readonly<Record<string, string | number>>;

export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(en, key);
}

/** Says what is under a key, with its values filled in. */
export type Say = (key: TextKey, values?: Values) => string;

const LANGUAGE_TEXTS: Readonly<Partial<Record<Language, Texts>>> = {};

/** The text under a key before values are filled in: the operator's own, the language's, or English. */
export function textOf(language: Language, key: TextKey, own: Texts = {}): string {
  return own[key] ?? LANGUAGE_TEXTS[language]?.[key] ?? en[key];
}

/** @param own texts that an operator has written in the place of ours */
export function speaker(language: Language, own?: Texts): Say {
  return (key, values = {}) =>
    fill(textOf(language, key, own), (name) => (Object.hasOwn(values, name) ? String(values[name]) : undefined)).join('');
}

/** A text cut at its values: what `insert` knows is put in, the rest stays as it is written. */
export function fill<Value>(text: string, insert: (name: string) => Value | undefined): (string | Value)[] {
  return text.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? (insert(part.slice(1, -1)) ?? part) : part));
}
