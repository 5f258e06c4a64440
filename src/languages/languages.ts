/** The languages that people are spoken to in, and which of them one person gets. */
import { match } from '@formatjs/intl-localematcher';

/** BCP 47 tags of what the pages and mails are written in. */
export const LANGUAGES = [
  'en-US',
  'en',
  'en-AU',
  'en-GB',
  'nl',
  'de',
  'pl',
  'he',
  'it',
  'fr',
  'ms',
  'es',
  'ru',
  'pt-BR',
  'nb',
  'sv',
] as const;
export type Language = (typeof LANGUAGES)[number];

export function isLanguage(tag: string): tag is Language {
  return (LANGUAGES as readonly string[]).includes(tag);
}

export const DEFAULT_LANGUAGE: Language = 'en-US';

/** Which way a language is written. */
export function directionOf(language: Language): 'ltr' | 'rtl' {
  return language === 'he' ? 'rtl' : 'ltr';
}

export interface LanguageChoice {
  /** The tags that the application asks for, the best first, with spaces between them. */
  readonly asked?: string | null | undefined;
  /** The browser's Accept-Language header. */
  readonly accepted?: string | undefined;
  /** What the environment speaks; empty: everything. */
  readonly spoken?: readonly Language[];
  /** What the environment speaks where nothing else is understood. */
  readonly fallback?: Language | undefined;
}

/** The first that is spoken of: what the application asks for, what the browser prefers, the environment's default, US English. */
export function chooseLanguage({ asked, accepted, spoken = [], fallback }: LanguageChoice): Language {
  const available = spoken.length > 0 ? spoken : LANGUAGES;
  const last =
    fallback && available.includes(fallback) ? fallback : available.includes(DEFAULT_LANGUAGE) ? DEFAULT_LANGUAGE : available[0]!;
  const asks = (asked ?? '').split(' ').filter(isTag);
  for (const wanted of [...asks.map((tag) => [tag]), preferences(accepted)]) {
    const found = closest(wanted, available);
    if (found) return found;
  }
  return last;
}

/** What a request's parameters ask for: `lang`, then the tags of `ui_locales` (OpenID Connect Core §3.1.2.1), with spaces between them. What is no tag is no reason to refuse. */
export function askedLanguages({ lang, ui_locales }: { readonly lang?: unknown; readonly ui_locales?: unknown }): string | null {
  const texts = [lang, ui_locales].filter((text) => typeof text === 'string');
  return texts.join(' ').slice(0, 301).split(' ').filter(isTag).join(' ') || null;
}

const NOTHING = 'zxx';
const known = new Map<string, Language | undefined>();
const MAX_KNOWN = 1000;

/** Matching costs more than a page does, and browsers ask for the same few languages. */
function closest(wanted: readonly string[], available: readonly Language[]): Language | undefined {
  if (wanted.length === 0) return undefined;
  const key = `${wanted.join()} ${available.join()}`;
  if (!known.has(key)) {
    if (known.size >= MAX_KNOWN) known.clear();
    const found = match(wanted, [...available, NOTHING], NOTHING, { algorithm: 'best fit' });
    known.set(key, found === NOTHING ? undefined : (found as Language));
  }
  return known.get(key);
}

/** The tags of an Accept-Language header (RFC 9110 §12.5.4), the best first; what is no tag is left out. */
function preferences(header: string | undefined): string[] {
  return (header ?? '')
    .slice(0, 200)
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return { tag, q: quality ? Number(quality.slice(2)) : 1 };
    })
    .filter(({ tag, q }) => q > 0 && isTag(tag))
    .sort((a, b) => b.q - a.q)
    .map(({ tag }) => tag);
}

function isTag(tag: string): boolean {
  if (!/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/.test(tag)) return false;
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
