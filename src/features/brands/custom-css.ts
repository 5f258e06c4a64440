/**
 * Which CSS of an operator's own stands on the pages: whatever draws, and nothing that loads. Without a request to make,
 * no selector can tell anybody what it has seen. Nothing is taken out: the whole of it is kept or refused.
 */
import { InvalidInputError } from '../../kernel/errors.ts';

export const MAX_CUSTOM_CSS = 20_000;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const RULES = words('media supports keyframes layer container');

/** What may stand before a bracket. Those that name a picture, a font or another sheet are not here. */
const FUNCTIONS = words(`
  rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark var env calc min max clamp round mod rem abs sign
  linear-gradient radial-gradient conic-gradient repeating-linear-gradient repeating-radial-gradient repeating-conic-gradient
  matrix matrix3d translate translatex translatey translatez translate3d scale scalex scaley scale3d rotate rotatex rotatey rotatez
  skew skewx skewy perspective cubic-bezier steps linear inset circle ellipse polygon path
  blur brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia minmax repeat fit-content
  is not where has nth-child nth-last-child nth-of-type nth-last-of-type lang dir
  and or media supports layer container selector style counter counters
`);

/** A bracket, and what stands before it. Of a longer name the end is as unknown as the whole. */
const CALL = /\((?<=([^\s(){};:,'"/*+>~=[\]]{0,40})\()/g;
const AT_RULE = /@([a-z-]*)/gi;
const UNSEEN = /[^\P{C}\n\r\t]/u;

/** @throws InvalidInputError TOO_LONG or UNSAFE_CSS */
export function checkCustomCss(css: string, field: string): string {
  const refuse = (what: string): never => {
    throw new InvalidInputError('UNSAFE_CSS', `The style ${what.slice(0, 100)}, which the pages do not take.`, [field]);
  };
  if (css.length > MAX_CUSTOM_CSS) throw new InvalidInputError('TOO_LONG', `This is longer than ${MAX_CUSTOM_CSS} characters.`, [field]);
  if (css.includes('\\')) refuse('has an escape');
  if (css.includes('<')) refuse('has a <');
  if (UNSEEN.test(css)) refuse('has a control character');
  for (const [, name = ''] of css.matchAll(AT_RULE)) if (!RULES.has(name.toLowerCase())) refuse(`has @${name}`);
  for (const [, called] of css.matchAll(CALL)) if (called && !FUNCTIONS.has(called.toLowerCase())) refuse(`has ${called}()`);
  return css.trim();
}
