import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkCallbackUrl,
  checkWebUrl,
  isRegistered,
  isRegisteredOrigin,
  sameRedirectUri,
} from '../../../src/features/applications/callback-urls.ts';

describe('may be registered', () => {
  test.each([
    'https://app.acme.test/callback',
    'https://app.acme.test',
    'https://app.acme.test?next=1',
    'https://app.acme.test:8443/callback?tenant=a@b',
    'https://xn--bcher-kva.example/callback',
    'https://192.0.2.1/callback',
    'https://[2001:db8::1]/callback',
    'http://localhost:3000/callback',
    'http://localhost/callback',
    'http://acme.localhost:3000',
    'http://127.0.0.1:53682/callback',
    'http://[::1]:8080/callback',
    'com.acme.app://callback',
    'com.acme.app:/callback',
    'myapp://host/callback',
    'https://*.acme.test/callback',
    'https://*.acme.com',
    'https://*.app.acme.co.uk:8443/callback?x=1',
    'https://pr-*-acme.preview.dev/callback',
    'https://prefix-*-suffix.hello.com',
    'https://*something.vercel.app',
    'https://mine-*.vercel.app/callback',
    'https://*-mine.github.io',
    'https://*.mine.vercel.app/callback',
    'http://*.app.localhost:3000/callback',
  ])('%s', (url) => expect(checkCallbackUrl(url)).toBeUndefined());
});

describe('may not be registered', () => {
  test.each([
    // Wildcards.
    'https://*.com/callback',
    'https://*.test',
    'https://*.localhost',
    'http://*.localhost:3000/callback',
    'https://*/callback',
    'https://*',
    'https://*:8443/',
    'https://x*.com',
    'https://*.co.uk',
    'https://mine-*.co.uk/callback',
    'https://*.ck',
    'https://*.*.hello.com',
    'https://**.hello.com',
    'https://a*b*c.hello.com',
    'https://hello.*.com',
    'https://a.*.hello.com/callback',
    'https://hello.com.*',
    'https://sub1.sub2.hello.com/*',
    'https://*.hello.com/*',
    'https://hello.com/?next=*',
    'https://hello.com:*/callback',
    '*.hello.com',
    '*://hello.com',
    'service:jmx:rmi://*',
    'myapp://*.host.com/callback',
    'http://*.hello.com/callback',
    'https://*.vercel.app',
    'https://*.vercel.app.',
    'https://*.VERCEL.app',
    'https://*.github.io/callback',
    'https://*.pages.dev',
    'https://*.netlify.app:443/callback',
    'https://*.s3.amazonaws.com/callback',
    'https://mine-*.compute.amazonaws.com/callback',
    'https://*.web.app%2eevil.com',
    'https://*.0.0.1/callback',
    'https://user@*.hello.com',
    'https://*@hello.com',
    'https://*%2ehello.com',
    'https://*\\.hello.com',
    // Hosts, schemes and the rest.
    'http://acme.test/callback',
    'http://localhost.evil.test/callback',
    'http://127.0.0.1.evil.test/',
    'http://2130706433/',
    'https://acme.test./callback',
    'https://ACME.test/callback',
    'HTTPS://acme.test/callback',
    'https://acme.test:443/callback',
    'https://bücher.example/callback',
    'https://acme%2etest/callback',
    'https://acme.test\\@evil.test/',
    'https:\\\\acme.test/callback',
    'https:acme.test/callback',
    'https:///acme.test/callback',
    'https://user:secret@acme.test/callback',
    'https://user@acme.test',
    'https://@acme.test/',
    'https://acme.test/#fragment',
    'https://acme.test/#',
    ' https://acme.test',
    'https://acme.test ',
    'https://acme.test/\n',
    'https://acme.test/\0',
    'https://acme.test:99999/',
    '//acme.test/callback',
    '/callback',
    'acme.test/callback',
    '',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'javascript://acme.test/%0aalert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://acme.test/x',
    'about:blank',
    'view-source:https://acme.test',
    'intent://acme.test#Intent;end',
    'com.acme.app:callback',
    'COM.acme.app://callback',
    'com.acme.app://user@host/callback',
    `https://acme.test/${'x'.repeat(2000)}`,
  ])('%s', (url) => expect(checkCallbackUrl(url)).toMatch(/^[A-Z].*\.$/));
});

test('a page on the web is no wildcard and of no other scheme', () => {
  expect(checkWebUrl('https://acme.test/login')).toBeUndefined();
  expect(checkWebUrl('http://localhost:3000/login')).toBeUndefined();
  for (const url of ['https://*.acme.test', 'com.acme.app://login', 'http://acme.test', 'javascript:alert(1)', 'acme.test'])
    expect(checkWebUrl(url)).toMatch(/\S/);
});

describe('a wildcard', () => {
  const registered = ['https://*.example.com/cb', 'https://pr-*-acme.preview.dev:8443'];

  test.each([
    'https://a.example.com/cb',
    'https://a.example.com/cb/',
    'https://a-1.example.com/cb',
    'https://xn--bcher-kva.example.com/cb',
    'https://pr-7-acme.preview.dev:8443',
    'https://pr-7-acme.preview.dev:8443/',
  ])('stands for a part of one label: %s', (url) => expect(isRegistered(registered, url)).toBe(true));

  test.each([
    'https://example.com/cb',
    'https://.example.com/cb',
    'https://a.b.example.com/cb',
    'https://a..example.com/cb',
    'https://*.example.com/cb',
    'https://evil.com/.example.com/cb',
    'https://evil.com?.example.com/cb',
    'https://evil.com#.example.com/cb',
    'https://evil.com\\.example.com/cb',
    'https://evil.com%2f.example.com/cb',
    'https://evil.com%00.example.com/cb',
    'https://evil.com\0.example.com/cb',
    'https://evil.com:443.example.com/cb',
    'https://user@a.example.com/cb',
    'https://evil.com@a.example.com/cb',
    'https://a:b@a.example.com/cb',
    'https://[::1].example.com/cb',
    'https://evil.com/cb?x=.example.com/cb',
    'https://a.example.com.evil.com/cb',
    'https://a.example.com/cb/more',
    'https://a.example.com/cb?x=1',
    'https://a.example.com/cb#x',
    'https://a.example.com/CB',
    'https://A.example.com/cb',
    'https://a.EXAMPLE.com/cb',
    'HTTPS://a.example.com/cb',
    'http://a.example.com/cb',
    'https://a.example.com./cb',
    'https://a.example.com:443/cb',
    'https://a.example.com:8443/cb',
    'https://%61.example.com/cb',
    'https://ａ.example.com/cb',
    'https://a。example.com/cb',
    'https://a_b.example.com/cb',
    'https://-a.example.com/cb',
    'https://a-.example.com/cb',
    `https://${'a'.repeat(64)}.example.com/cb`,
    'https://a\t.example.com/cb',
    ' https://a.example.com/cb',
    'https://a.notexample.com/cb',
    'https://aexample.com/cb',
    'https://pr--acme.preview.dev:8443/x',
    'https://pr-acme.preview.dev:8443',
    'https://pr-a.b-acme.preview.dev:8443',
    'https://pr-a.evil.com/-acme.preview.dev:8443',
    'https://pr-7-acme.preview.dev',
    'https://xpr-7-acme.preview.dev:8443',
  ])('stands for nothing else: %j', (url) => expect(isRegistered(registered, url)).toBe(false));

  test('lets the pages of the hosts that it stands for call, and of no others', () => {
    expect(isRegisteredOrigin(registered, 'https://a.example.com')).toBe(true);
    expect(isRegisteredOrigin(registered, 'https://pr-7-acme.preview.dev:8443')).toBe(true);
    for (const origin of [
      'https://a.example.com/',
      'https://a.b.example.com',
      'https://example.com',
      'https://*.example.com',
      'http://a.example.com',
      'https://a.example.com:8443',
      'https://pr-7-acme.preview.dev',
      'https://evil.com/.example.com',
      'null',
    ])
      expect(isRegisteredOrigin(registered, origin)).toBe(false);
  });
});

describe('a loopback URL', () => {
  test('without a port stands for every port', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      expect(isRegistered([`http://${host}/cb`], `http://${host}:53682/cb`)).toBe(true);
      expect(isRegistered([`http://${host}`], `http://${host}:53682/`)).toBe(true);
    }
  });

  test.each([
    'http://localhost:0/cb',
    'http://localhost:99999/cb',
    'http://localhost:53682.evil.test/cb',
    'http://localhost:53682@evil.test/cb',
    'http://localhost:53682/other',
    'http://localhost:/cb',
    'https://localhost:53682/cb',
    'http://127.0.0.1:53682/cb',
    'http://a.localhost:53682/cb',
  ])('stands for nothing else: %s', (url) => expect(isRegistered(['http://localhost/cb'], url)).toBe(false));

  test('with a port stands for that one', () => {
    expect(isRegistered(['http://127.0.0.1:8080/cb'], 'http://127.0.0.1:8081/cb')).toBe(false);
    expect(isRegistered(['http://127.0.0.1:8080/cb'], 'http://127.0.0.1/cb')).toBe(false);
  });

  test('lets only pages of its own port call', () => {
    expect(isRegisteredOrigin(['http://localhost/cb'], 'http://localhost:53682')).toBe(false);
  });
});

test('a code is exchanged for the very URL that it was sent to, whatever wildcard that came by', () => {
  expect(sameRedirectUri('https://a.example.com/cb', 'https://a.example.com/cb/')).toBe(true);
  expect(sameRedirectUri('https://a.example.com/cb', 'https://b.example.com/cb')).toBe(false);
  expect(sameRedirectUri('https://a.example.com/cb', 'https://*.example.com/cb')).toBe(false);
});

describe('whatever is tried', () => {
  const letters = (from: string, options: { minLength: number; maxLength: number }) =>
    fc.array(fc.constantFrom(...from), options).map((parts) => parts.join(''));
  const part = letters('abz09', { minLength: 1, maxLength: 8 });
  const rest = fc.tuple(part, fc.constantFrom('com', 'dev', 'co.uk', 'test', 'vercel.app')).map((parts) => parts.join('.'));
  const pattern = fc.record({
    prefix: fc.constantFrom('', 'pr-'),
    suffix: fc.constantFrom('', '-x'),
    rest,
    tail: fc.constantFrom('', ':8443', '/cb', '/cb?a=1'),
  });
  const nasty = letters('ab.-*/\\@:?#%20 \t\u0000_ＡÉ', { minLength: 0, maxLength: 12 });

  test('what a wildcard stands for is a host one label below its domain, as browsers read it', () => {
    fc.assert(
      fc.property(pattern, nasty, ({ prefix, suffix, rest, tail }, text) => {
        const registered = `https://${prefix}*${suffix}.${rest}${tail}`;
        fc.pre(checkCallbackUrl(registered) === undefined);
        const wanted = `https://${prefix}${text}${suffix}.${rest}${tail}`;
        if (!isRegistered([registered], wanted)) return;
        const { protocol, username, password, hostname } = new URL(wanted);
        expect({ protocol, username, password }).toEqual({ protocol: 'https:', username: '', password: '' });
        expect(hostname).toBe(`${prefix}${text}${suffix}.${rest}`);
        expect(hostname.split('.')).toHaveLength(rest.split('.').length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test('every label that is one is found', () => {
    fc.assert(
      fc.property(pattern, part, ({ prefix, suffix, rest, tail }, label) => {
        const registered = `https://${prefix}*${suffix}.${rest}${tail}`;
        expect(isRegistered([registered], `https://${prefix}${label}${suffix}.${rest}${tail}`)).toBe(true);
      }),
    );
  });

  test('without a wildcard nothing but the URL itself is registered', () => {
    const url = fc.tuple(part, nasty).map(([host, path]) => `https://${host}.test/${path}`);
    fc.assert(
      fc.property(url, nasty, (registered, text) => {
        fc.pre(checkCallbackUrl(registered) === undefined && !registered.includes('*'));
        expect(isRegistered([registered], registered)).toBe(true);
        fc.pre(text !== '' && text !== '/');
        expect(isRegistered([registered], registered + text)).toBe(false);
        expect(isRegistered([registered], text + registered)).toBe(false);
      }),
    );
  });

  test('what may be registered is a URL that browsers read as it is written', () => {
    const text = fc.tuple(
      fc.constantFrom('https://', 'http://', 'https:/', 'com.app://', ''),
      nasty,
      fc.constantFrom('', '.acme.com', '.vercel.app', '/cb'),
    );
    fc.assert(
      fc.property(text, (parts) => {
        const url = parts.join('');
        if (checkCallbackUrl(url) !== undefined) return;
        const { protocol, host, username, hash } = new URL(url.replace('*', 'x'));
        expect({ username, hash }).toEqual({ username: '', hash: '' });
        if (protocol.startsWith('http')) expect(url.replace('*', 'x').split(/[/?]/)[2]).toBe(host);
      }),
      { numRuns: 2000 },
    );
  });
});
