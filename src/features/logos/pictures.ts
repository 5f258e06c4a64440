/** What a picture is, told by its bytes: what its sender says of it counts for nothing. */
import { InvalidInputError } from '../../kernel/errors.ts';
import { assertSafeSvg } from './svg.ts';

export const SVG_TYPE = 'image/svg+xml';

/** How a picture of each type begins. */
const SIGNATURES: readonly [contentType: string, signature: RegExp][] = [
  ['image/png', /^\u0089PNG\r\n/],
  ['image/jpeg', /^\u00ff\u00d8\u00ff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
  ['image/avif', /^.{4}ftyp(?:.{4})*?avi[fs]/s],
];

/** Reads a picture's text as base64.
 * @throws InvalidInputError REQUIRED or INVALID_BASE64 */
export function decode(contentBase64: string): Buffer<ArrayBuffer> {
  if (contentBase64 === '') throw mistake('REQUIRED', 'There is no picture.');
  const bytes = Buffer.from(contentBase64, 'base64');
  if (bytes.toString('base64') !== contentBase64)
    throw mistake('INVALID_BASE64', 'This is not base64: of the standard alphabet, padded, without line breaks.');
  return bytes;
}

/** Tells a picture's content type.
 * @throws InvalidInputError UNSUPPORTED_TYPE or UNSAFE_SVG */
export function contentTypeOf(bytes: Buffer): string {
  const start = bytes.toString('latin1', 0, 64);
  const found = SIGNATURES.find(([, signature]) => signature.test(start));
  if (found) return found[0];
  const text = textOf(bytes);
  if (!text || !/^\s*</.test(text) || !/<([\w.-]+:)?svg[\s/>]/.test(text))
    throw mistake('UNSUPPORTED_TYPE', 'A picture is a PNG, JPEG, GIF, SVG, AVIF or WEBP.');
  assertSafeSvg(text);
  return SVG_TYPE;
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function mistake(code: string, message: string): InvalidInputError {
  return new InvalidInputError(code, message, ['contentBase64']);
}
