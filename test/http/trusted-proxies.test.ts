import { expect, test } from 'vitest';
import { trustedProxies } from '../../src/http/trusted-proxies.ts';

test('nobody is trusted unless the operator says so, and everybody only when the operator says that', () => {
  for (const peer of ['127.0.0.1', '::1', '10.0.0.1', undefined]) {
    expect(trustedProxies(false)(peer)).toBe(false);
    expect(trustedProxies(true)(peer)).toBe(true);
  }
});

test.each([
  ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7'], ['192.0.2.8', '::1', '::192.0.2.7']],
  ['10.0.0.0/8, 2001:db8::/32', ['10.255.0.1', '::ffff:10.0.0.1', '2001:db8::7'], ['11.0.0.1', '2001:db9::1']],
  ['loopback', ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '::2']],
  [
    'linklocal,uniquelocal',
    ['169.254.1.1', 'fe80::1', 'fe80::1%eth0', '10.1.1.1', '172.31.0.1', '192.168.9.9', 'fd12::1'],
    ['172.32.0.1', '8.8.8.8'],
  ],
])('TRUST_PROXY=%s names exactly its addresses', (setting, trusted, others) => {
  const isTrusted = trustedProxies(setting);
  expect(trusted.filter((peer) => !isTrusted(peer))).toEqual([]);
  expect([...others, '', 'nonsense', undefined].filter(isTrusted)).toEqual([]);
});
