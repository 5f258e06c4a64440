/** What a flag's value may be, by the flag's type. Pure. */
import { InvalidInputError } from '../../kernel/errors.ts';

export const FLAG_TYPES = ['boolean', 'string', 'integer', 'json'] as const;
export type FlagType = (typeof FLAG_TYPES)[number];

/** Where a flag may be overridden, the widest first: a narrower level wins. */
export const FLAG_LEVELS = ['environment', 'organization', 'user'] as const;
export type FlagLevel = (typeof FLAG_LEVELS)[number];

/** Characters of a string, and of a JSON value as text: each is in every token. */
const MAX_LENGTH = 1000;

/** As JSON writes what is half of a character, which PostgreSQL's JSON does not hold. */
const HALF_CHARACTER = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** The value as it is kept: an integer's decimals are cut off.
 * @throws InvalidInputError INVALID_VALUE */
export function checkFlagValue(type: FlagType, value: unknown, field: string): boolean | string | number | object {
  if (type === 'boolean' && typeof value === 'boolean') return value;
  if (type === 'string' && typeof value === 'string' && value.length <= MAX_LENGTH && value.isWellFormed()) return value;
  if (type === 'integer' && typeof value === 'number') {
    const whole = Math.trunc(value);
    if (whole >= -2_147_483_648 && whole <= 2_147_483_647) return whole + 0;
  }
  if (type === 'json' && typeof value === 'object' && value !== null) {
    const text = JSON.stringify(value);
    if (text.length <= MAX_LENGTH && !HALF_CHARACTER.test(text)) return value;
  }
  throw new InvalidInputError('INVALID_VALUE', REMEDIES[type], [field]);
}

const REMEDIES: Record<FlagType, string> = {
  boolean: 'The value of this flag is true or false.',
  string: `The value of this flag is a text of at most ${MAX_LENGTH} characters.`,
  integer: 'The value of this flag is a whole number from -2147483648 to 2147483647.',
  json: `The value of this flag is a JSON object or array of at most ${MAX_LENGTH} characters.`,
};
