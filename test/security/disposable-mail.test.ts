/** The list of domains of disposable addresses: each is known, nothing else is, and it takes little memory. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { isDisposable } from '../../src/security/disposable-mail.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

test('takes less than a megabyte, from the first question on and not before', () => {
  gc();
  const before = process.memoryUsage();
  expect(isDisposable('someone@mailinator.com')).toBe(true);
  gc();
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeGreaterThan(400_000);
  expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(1_000_000);
});

test('holds each domain of the list, and what is below it', async () => {
  const { default: checker } = await import('mailchecker');
  const listed = [...checker.blacklist()];
  expect(listed.length).toBeGreaterThan(50_000);
  expect(listed.filter((domain) => !isDisposable(`someone@${domain}`) || !isDisposable(`someone@below.${domain.toUpperCase()}`))).toEqual(
    [],
  );
});

test('holds no other: of a hundred thousand domains nobody has, none', () => {
  const domains = Array.from({ length: 100_000 }, () => `${randomBytes(8).toString('hex')}.com`);
  expect(domains.filter((domain) => isDisposable(`someone@${domain}`))).toEqual([]);
});

test.each(['someone@gmail.com', 'someone@acme.test', 'someone@mailinator.com.acme.test', 'mailinator.com@acme.test', 'someone@com'])(
  '%s is none',
  (email) => expect(isDisposable(email)).toBe(false),
);
