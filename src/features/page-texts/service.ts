/** Texts that an operator has written in the place of ours, key by key and language by language. */
import type { Db } from '../../db/client.ts';
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import type { Language } from '../../languages/languages.ts';
import { isTextKey, placeholdersOf, TEXT_KEYS, type TextKey, type Texts, textOf } from '../../languages/texts.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, type Infrastructure, NEXT_VERSION } from '../context.ts';
import { requireLanguage } from '../environment-languages/service.ts';
import { requireText } from '../text.ts';

export const MAX_TEXT = 1000;
const MAX_CHANGES = 500;

/** Whether the pages say what they are made with is for the brand to tell, and its plan. */
const FIXED: ReadonlySet<string> = new Set<TextKey>(['page.footer']);
/** Pages on which a person allows something by what is named there: nothing that they name may be left out. */
const DECISIONS: ReadonlySet<string> = new Set(['consent', 'device']);

/** One text of the pages in a language. */
export interface PageText {
  readonly environmentId: string;
  readonly key: TextKey;
  readonly page: string;
  readonly language: Language;
  readonly standardText: string;
  readonly ownText: string | null;
}

/** The part of a key that names the page. */
export function pageOf(key: string): string {
  return key.slice(0, key.indexOf('.'));
}

/** Own texts of a language, and of the language in general where it has none: `en` for `en-GB`. */
export async function ownTexts(infrastructure: Infrastructure, environmentId: string, language: Language): Promise<Texts> {
  const texts = await infrastructure.lookups.find(environmentId, `texts ${language}`, () =>
    readOwnTexts(infrastructure.database.prisma, environmentId, language),
  );
  return texts ?? {};
}

/** The same, read in the caller's transaction. */
export async function readOwnTexts(db: Db, environmentId: string, language: Language): Promise<Texts> {
  const [base = language] = language.split('-');
  const rows = await db.pageText.findMany({ where: { environmentId, language: { in: [base, language] } } });
  const of = (tag: string) => Object.fromEntries(rows.filter((row) => row.language === tag).map(({ key, text }) => [key, text]));
  return { ...of(base), ...of(language) };
}

/** Every text that may be written anew, or those of one page; `rows` are those that are. */
export function pageTexts(
  environmentId: string,
  language: Language,
  page: string | null | undefined,
  rows: readonly { readonly key: string; readonly text: string }[],
): PageText[] {
  const own = new Map(rows.map(({ key, text }) => [key, text]));
  return TEXT_KEYS.filter((key) => !FIXED.has(key) && (!page || pageOf(key) === page)).map((key) => ({
    environmentId,
    key,
    page: pageOf(key),
    language,
    standardText: textOf(language, key),
    ownText: own.get(key) ?? null,
  }));
}

/** Without a text: ours again. */
export interface TextChange {
  readonly key: string;
  readonly text?: string | null | undefined;
}

export interface UpdatePageTextsInput {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
  readonly language: string;
  readonly texts: readonly TextChange[];
}

/** Writes texts of one language in the place of ours, or takes them back. What is not named stays.
 * @throws InvalidInputError UNKNOWN_LANGUAGE, UNKNOWN_KEY, UNKNOWN_PLACEHOLDER, MISSING_PLACEHOLDER, TOO_LONG, TOO_MANY, INVALID_TEXT or CONFLICT */
export const updatePageTexts = action({
  permission: 'update:branding',
  scope: (ctx, input: UpdatePageTextsInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId } = scope;
    const language = requireLanguage(input.language, ['language']);
    const texts = checkTexts(input.texts);
    const environment = await ctx.db.environment.update({ where: { id: environmentId, ...atVersion(input) }, data: NEXT_VERSION });
    await ctx.db.pageText.deleteMany({ where: { environmentId, language, key: { in: [...texts.keys()] } } });
    await ctx.db.pageText.createMany({
      data: [...texts].flatMap(([key, text]) => (text === null ? [] : [{ environmentId, language, key, text }])),
    });
    await audit(ctx, {
      ...scope,
      action: 'environment.texts_updated',
      target: { type: 'environment', id: environmentId },
      details: { language, keys: [...texts.keys()].sort() },
    });
    return environment;
  },
});

/** Gives one environment the texts of another, in the place of its own. */
export async function copyPageTexts(ctx: Context, sourceId: string, targetId: string): Promise<void> {
  const rows = await ctx.db.pageText.findMany({ where: { environmentId: sourceId } });
  await ctx.db.pageText.deleteMany({ where: { environmentId: targetId } });
  await ctx.db.pageText.createMany({ data: rows.map((row) => ({ ...row, environmentId: targetId })) });
}

/** The texts by their keys; null: ours again.
 * @throws InvalidInputError UNKNOWN_KEY, UNKNOWN_PLACEHOLDER, MISSING_PLACEHOLDER, TOO_LONG, TOO_MANY or INVALID_TEXT */
export function checkTexts(texts: readonly TextChange[]): Map<TextKey, string | null> {
  if (texts.length > MAX_CHANGES) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_CHANGES} texts.`, ['texts']);
  return new Map(texts.map(({ key, text }, at) => [requireKey(key, at), text?.trim() ? checkText(key, text, at) : null]));
}

function requireKey(key: string, at: number): TextKey {
  if (!isTextKey(key) || FIXED.has(key))
    throw new InvalidInputError('UNKNOWN_KEY', 'No page has such a text.', ['texts', String(at), 'key']);
  return key;
}

/** The text, with places for nothing but what the standard text has places for. */
function checkText(key: string, text: string, at: number): string {
  const path = ['texts', String(at), 'text'];
  const checked = requireText(text, 'text', MAX_TEXT, path);
  const known = placeholdersOf(textOf('en', key as TextKey));
  const named = placeholdersOf(checked);
  const unknown = named.find((name) => !known.includes(name));
  if (unknown) throw new InvalidInputError('UNKNOWN_PLACEHOLDER', `There is no value {${unknown}} here.`, path);
  const missing = DECISIONS.has(pageOf(key)) ? known.find((name) => !named.includes(name)) : undefined;
  if (missing) throw new InvalidInputError('MISSING_PLACEHOLDER', `People decide by {${missing}}, which is missing.`, path);
  return checked;
}
