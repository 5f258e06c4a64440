/**
 * How lists are narrowed, the same for every feature: what a person types into a search box, as conditions that the indexes answer. A searchable text is kept in lower case
 * in one column, with a space before each of its parts, under a trigram index.
 */
import { ID_PREFIXES, type IdKind } from '../kernel/ids.ts';

/** A stretch of time, open at either end. */
export interface TimeRange {
  readonly from?: Date | null | undefined;
  /** The first moment after it. */
  readonly before?: Date | null | undefined;
}

/** The condition that a time is in `range`. */
export function inRange({ from, before }: TimeRange) {
  return { ...(from && { gte: from }), ...(before && { lt: before }) };
}

/** More than the longest text that can be found. */
const MAX_LENGTH = 500;

/** Not an empty OR, which Prisma forgets inside an AND. */
const NOTHING = { id: { in: [] as string[] } };

/**
 * The condition that a row of `kind` matches what is searched for: one of the `columns`, of which some are given or none,
 * holds it whatever its case, or its id begins with it or holds it as eight digits or more. One or two letters or digits
 * are looked for where a word begins; without any letter or digit nothing is found.
 */
export function matching<Where extends object>(
  search: string | null | undefined,
  kind: IdKind,
  columns: (holds: { readonly contains: string }) => readonly Where[],
) {
  const text = search?.trim().toLowerCase();
  if (!text) return {};
  if (!/[\p{L}\p{N}]/u.test(text) || text.length > MAX_LENGTH) return NOTHING;
  const holds = { contains: escapeWildcards(hasTrigram(text) ? text : ` ${text}`) };
  return { OR: [...columns(holds), ...idMatching(text, kind)] };
}

/** The like for the lists of a tenant that are read whole as soon as they are read: any part of a column, without an index. */
export function amongFew<Where extends object>(
  search: string | null | undefined,
  columns: (holds: { readonly contains: string; readonly mode: 'insensitive' }) => readonly Where[],
) {
  const text = search?.trim();
  return text ? { OR: [...columns({ contains: escapeWildcards(text), mode: 'insensitive' })] } : {};
}

/** Does the text alone tell which trigrams to look for? Three letters do, or two at the end of a word, or one at its start. */
function hasTrigram(text: string): boolean {
  return /[\p{L}\p{N}]{3}|[\p{L}\p{N}]{2}[^\p{L}\p{N}]|[^\p{L}\p{N}][\p{L}\p{N}]/u.test(text);
}

/** Fewer digits are no id: some hundreds of users' ids happen to hold "ada". */
function idMatching(text: string, kind: IdKind) {
  const prefix = `${ID_PREFIXES[kind]}_`;
  if (/^[0-9a-f]{8,32}$/.test(text)) return [{ id: { contains: text } }];
  const isStart = text.startsWith(prefix) && /^[0-9a-f]{0,32}$/.test(text.slice(prefix.length));
  return isStart ? [{ id: { gte: text, lt: `${text}g` } }] : [];
}

/** Prisma hands the text to LIKE as it is: its wild cards are made plain characters. */
function escapeWildcards(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
