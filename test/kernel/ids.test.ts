/** Ids sort by birth, never repeat, and say what they name. */
import { describe, expect, test } from 'vitest';
import { ID_PREFIXES, type IdKind, kindOf, newId, randomAlphanumeric, randomToken, sortableHex } from '../../src/kernel/ids.ts';

describe('a burst of 100 000', () => {
  const burst = Array.from({ length: 100_000 }, sortableHex);

  test('is in the order of birth', () => {
    expect(burst.every((id, index) => index === 0 || burst[index - 1]! < id)).toBe(true);
  });

  test('holds no id twice', () => {
    expect(new Set(burst)).toHaveLength(burst.length);
  });

  test('holds nothing but version 7 UUIDs', () => {
    expect(burst.filter((id) => !/^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(id))).toEqual([]);
  });
});

test('an id begins with its millisecond', () => {
  const before = Date.now();
  const born = Number.parseInt(sortableHex().slice(0, 12), 16);
  expect(born).toBeGreaterThanOrEqual(before);
  expect(born).toBeLessThan(before + 60_000); // A burst borrows milliseconds from the future.
});

test.each(Object.keys(ID_PREFIXES) as IdKind[])('the kind %s is read back from its ids', (kind) => {
  expect(newId(kind)).toMatch(new RegExp(`^${ID_PREFIXES[kind]}_[0-9a-f]{32}$`));
  expect(kindOf(newId(kind))).toBe(kind);
});

test('no two kinds share a prefix', () => {
  expect(new Set(Object.values(ID_PREFIXES))).toHaveLength(Object.keys(ID_PREFIXES).length);
});

test.each([
  '',
  'org',
  'org_',
  'org_123',
  `nothing_${'0'.repeat(32)}`,
  `org_${'0'.repeat(33)}`,
  `org_${'G'.repeat(32)}`,
  `org_${'0'.repeat(32)}\n`,
])('%j is no id', (text) => {
  expect(kindOf(text)).toBeUndefined();
});

test('a token is as long as was asked for, and base64url', () => {
  expect(randomToken()).toMatch(/^[\w-]{43}$/);
  expect(Buffer.from(randomToken(16), 'base64url')).toHaveLength(16);
});

test('random letters and digits are drawn from all 62', () => {
  const text = randomAlphanumeric(10_000);
  expect(text).toMatch(/^[A-Za-z0-9]{10000}$/);
  expect(new Set(text)).toHaveLength(62);
});
