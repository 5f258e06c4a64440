/** What a property's value may be, by the property's type. Pure: values are kept as text. */
import { InvalidInputError } from '../../kernel/errors.ts';

export const PROPERTY_TYPES = ['boolean', 'single_line_text', 'multi_line_text'] as const;
export type PropertyType = (typeof PROPERTY_TYPES)[number];

/** What a property may be noted about. */
export const PROPERTY_CONTEXTS = ['user', 'organization', 'application'] as const;
export type PropertyContext = (typeof PROPERTY_CONTEXTS)[number];

/** Characters of a value. */
export const MAX_VALUE = 2000;

/** The value as it is kept.
 * @throws InvalidInputError INVALID_VALUE */
export function checkPropertyValue(type: PropertyType, value: string, path: readonly string[]): string {
  if (type === 'boolean' && !/^(true|false)$/i.test(value))
    throw new InvalidInputError('INVALID_VALUE', 'The value of this property is true or false.', path);
  if (type === 'boolean') return value.toLowerCase();
  if (value.length > MAX_VALUE) throw new InvalidInputError('INVALID_VALUE', `A value has at most ${MAX_VALUE} characters.`, path);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f]/.test(value))
    throw new InvalidInputError('INVALID_VALUE', 'A value holds no control characters.', path);
  if (type === 'single_line_text' && /[\r\n]/.test(value))
    throw new InvalidInputError('INVALID_VALUE', 'The value of this property is a single line.', path);
  return value;
}
