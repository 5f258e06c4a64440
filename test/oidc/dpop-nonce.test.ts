import { expect, test } from 'vitest';
import { dpopNonce, isDpopNonce, NONCE_SECONDS } from '../../src/oidc/dpop-nonce.ts';
import { createVault } from '../../src/security/secrets.ts';

/** What a server of its own has of it. */
const server = (seconds: number, secret = 1) =>
  ({ vault: createVault(Buffer.alloc(32, secret)), clock: { now: () => new Date(seconds * 1000) } }) as never;
const START = 1_790_000_040;

test('every server with the same secret knows the nonce, whichever gave it out', () => {
  const nonce = dpopNonce(server(START), 'env_a');
  expect(nonce).toMatch(/^[\w-]{43}$/);
  expect(isDpopNonce(server(START), 'env_a', nonce)).toBe(true);
  expect(isDpopNonce(server(START, 2), 'env_a', nonce)).toBe(false);
  expect(isDpopNonce(server(START), 'env_b', nonce)).toBe(false);
});

test('it is good for one to two turns, and a turn early for a server that is behind', () => {
  const given = Math.floor(START / NONCE_SECONDS) * NONCE_SECONDS;
  const nonce = dpopNonce(server(given), 'env_a');
  for (const [after, isGood] of [
    [-NONCE_SECONDS - 1, false],
    [-1, true],
    [0, true],
    [2 * NONCE_SECONDS - 1, true],
    [2 * NONCE_SECONDS, false],
  ] as const)
    expect(isDpopNonce(server(given + after), 'env_a', nonce)).toBe(isGood);
  expect(dpopNonce(server(given + NONCE_SECONDS), 'env_a')).not.toBe(nonce);
});

test.each([undefined, '', 'x'.repeat(43), 7, null, {}, ['x']])('is none: %j', (nonce) => {
  expect(isDpopNonce(server(START), 'env_a', nonce)).toBe(false);
});
