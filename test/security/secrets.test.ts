/** What is sealed opens only unchanged, under the same key and for the same purpose. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createVault, sameText, sha256 } from '../../src/security/secrets.ts';

const key = randomBytes(32);
const vault = createVault(key);

describe('a sealed text', () => {
  test.each(['', 'secret', 'zażółć 🔑', 'x'.repeat(100_000)])('opens again', (text) => {
    expect(vault.open('purpose', vault.seal('purpose', text))).toBe(text);
  });

  test('opens in another process with the same key', () => {
    expect(createVault(key).open('purpose', vault.seal('purpose', 'secret'))).toBe('secret');
  });

  test('differs from the last one of the same text', () => {
    expect(vault.seal('purpose', 'secret')).not.toBe(vault.seal('purpose', 'secret'));
  });

  test('does not open for another purpose', () => {
    expect(() => vault.open('other', vault.seal('purpose', 'secret'))).toThrow();
  });

  test('does not open under another key', () => {
    expect(() => createVault(randomBytes(32)).open('purpose', vault.seal('purpose', 'secret'))).toThrow();
  });

  test('does not open when any byte of it was changed', () => {
    const sealed = Buffer.from(vault.seal('purpose', 'secret'), 'base64');
    for (const position of sealed.keys()) {
      const changed = Buffer.from(sealed);
      changed[position]! ^= 1;
      expect(() => vault.open('purpose', changed.toString('base64')), `byte ${position}`).toThrow();
    }
  });

  test('does not open when it was cut short, were it in the middle of its tag', () => {
    const sealed = Buffer.from(vault.seal('purpose', ''), 'base64');
    for (const length of sealed.keys()) {
      expect(() => vault.open('purpose', sealed.subarray(0, length).toString('base64')), `${length} bytes`).toThrow();
    }
  });
});

test('a MAC depends on the key, the purpose and the text', () => {
  const mac = vault.mac('purpose', 'text');
  expect(createVault(key).mac('purpose', 'text')).toEqual(mac);
  expect(createVault(randomBytes(32)).mac('purpose', 'text')).not.toEqual(mac);
  expect(vault.mac('other', 'text')).not.toEqual(mac);
  expect(vault.mac('purpose', 'texts')).not.toEqual(mac);
});

test('sha256 is hex', () => {
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test.each([
  ['same', 'same', true],
  ['', '', true],
  ['same', 'sama', false],
  ['same', 'same ', false],
  ['é', 'e', false],
])('sameText(%j, %j) is %s', (a, b, expected) => {
  expect(sameText(a, b)).toBe(expected);
});
