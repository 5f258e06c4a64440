/** What programs are told of errors is in the characters that RFC 6749 §5.2 allows. */
import { expect, test } from 'vitest';
import { en } from '../../src/languages/en.ts';
import { describe as describeError, type PageErrorName } from '../../src/oidc/errors.ts';

const names = Object.keys(en).flatMap((key) => /^error\.(.+)\.title$/.exec(key)?.[1] ?? []) as PageErrorName[];

test.each(names)('that of %s', (name) => {
  expect(describeError(name, 'A detail.')).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
});
