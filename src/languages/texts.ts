/** What is said to people, by key and language. */
import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { he } from './he.ts';
import { it } from './it.ts';
import { directionOf, type Language } from './languages.ts';
import { ms } from './ms.ts';
import { nb } from './nb.ts';
import { nl } from './nl.ts';
import { pl } from './pl.ts';
import { ptBR } from './pt-BR.ts';
import { ru } from './ru.ts';
import { sv } from './sv.ts';

export type TextKey = keyof typeof en;
/** A language's texts. Values stand in them as `{name}`. */
export type Texts = Readonly<Partial<Record<TextKey, string>>>;
export type Values = Readonly<Record<string, string | number>>;

export const TEXT_KEYS = Object.keys(en) as readonly TextKey[];

export function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(en, key);
}

/** Says what is under a key, with its values filled in. */
export type Say = (key: TextKey, values?: Values) => string;

/** Every variant of English is English. */
export const LANGUAGE_TEXTS: Readonly<Partial<Record<Language, Texts>>> = { de, es, fr, he, it, ms, nb, nl, pl, 'pt-BR': ptBR, ru, sv };

/** The text under a key before values are filled in: the operator's own, the language's, or English. */
export function textOf(language: Language, key: TextKey, own: Texts = {}): string {
  return own[key] ?? LANGUAGE_TEXTS[language]?.[key] ?? en[key];
}

/** @param own texts that an operator has written in the place of ours */
export function speaker(language: Language, own?: Texts): Say {
  const shown = directionOf(language) === 'rtl' ? isolated : String;
  return (key, values = {}) =>
    fill(textOf(language, key, own), (name) => (Object.hasOwn(values, name) ? shown(values[name]!) : undefined)).join('');
}

/** Between Unicode's isolates, so that a name written from left to right leaves the text around it in order. */
function isolated(value: string | number): string {
  return `\u2068${value}\u2069`;
}

/** The names of the values that a text has places for. */
export function placeholdersOf(text: string): string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))];
}

/** A text cut at its values: what `insert` knows is put in, the rest stays as it is written. */
export function fill<Value>(text: string, insert: (name: string) => Value | undefined): (string | Value)[] {
  return text.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? (insert(part.slice(1, -1)) ?? part) : part));
}
