/** `{organization.handle}` in callback, logout and login URLs: what may be registered, and what is one of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkCallbackUrl,
  checkLoginUri,
  checkWebUrl,
  handleIn,
  isRegistered,
  isRegisteredOrigin,
  loginUriFor,
  originHandleIn,
} from '../../../src/features/applications/callback-urls.ts';

describe('may be registered', () => {
  test.each([
    'https://{organization.handle}.acme.test/callback',
    'https://{organization.handle}.app.acme.co.uk:8443/callback?x=1',
    'https://{organization.handle}.mine.vercel.app',
    'http://{organization.handle}.localhost:3000/callback',
  ])('%s', (url) => expect(checkCallbackUrl(url)).toBeUndefined());
});

describe('may not be registered', () => {
  test.each([
    'https://{organization.handle}.com',
    'https://{organization.handle}.co.uk',
    'https://{organization.handle}.vercel.app/callback',
    'https://{organization.handle}/callback',
    'https://{organization.handle}',
    'https://{organization.handle}.{organization.handle}.acme.test',
    'https://{organization.handle}.*.acme.test',
    'https://*.{organization.handle}.acme.test',
    'https://{organization.handle}*.acme.test',
    'https://{organization.handle}-app.acme.test',
    'https://app-{organization.handle}.acme.test',
    'https://app.{organization.handle}.acme.test',
    'https://acme.test/{organization.handle}',
    'https://acme.test/callback?at={organization.handle}.acme.test',
    'https://acme.test:{organization.handle}/callback',
    'https://{organization.handle}@acme.test/callback',
    'https://{organization.id}.acme.test/callback',
    'https://{organization.handle.acme.test/callback',
    'https://{ORGANIZATION.HANDLE}.acme.test/callback',
    'http://{organization.handle}.acme.test/callback',
    'https://{organization.handle}.acme.test./callback',
    'https://{organization.handle}.ACME.test/callback',
    'https://{organization.handle}.acme.test/#x',
    'com.acme.app://{organization.handle}.acme.test',
    '{organization.handle}.acme.test',
    '{organization.handle}://acme.test',
  ])('%s', (url) => expect(checkCallbackUrl(url)).toMatch(/^[A-Z].*\.$/));
});

test('a page that starts a sign-in may have a place for a handle, any other page on the web may not', () => {
  const url = 'https://{organization.handle}.acme.test/login';
  expect([checkLoginUri(url), checkLoginUri('https://acme.test/login')]).toEqual([undefined, undefined]);
  expect(checkWebUrl(url)).toMatch(/\S/);
  for (const bad of [
    'https://*.acme.test',
    'com.acme.app://login',
    'https://{organization.handle}.com',
    'https://a.test/{organization.handle}',
  ])
    expect(checkLoginUri(bad)).toMatch(/\S/);
});

describe('a place for a handle', () => {
  const registered = ['https://{organization.handle}.example.com/cb', 'http://{organization.handle}.localhost:3000/cb'];

  test('is for one handle, as a whole label', () => {
    for (const [url, handle] of [
      ['https://acme.example.com/cb', 'acme'],
      ['https://acme.example.com/cb/', 'acme'],
      ['https://a-1.example.com/cb', 'a-1'],
      ['http://acme.localhost:3000/cb', 'acme'],
    ] as const) {
      expect(handleIn(registered, url)).toBe(handle);
      expect(isRegistered(registered, url)).toBe(false);
    }
  });

  test.each([
    'https://{organization.handle}.example.com/cb',
    'https://example.com/cb',
    'https://.example.com/cb',
    'https://a.b.example.com/cb',
    'https://acme..example.com/cb',
    'https://acme/.example.com/cb',
    'https://acme%2f.example.com/cb',
    'https://evil.com/acme.example.com/cb',
    'https://evil.com#acme.example.com/cb',
    'https://evil.com\\.example.com/cb',
    'https://evil@acme.example.com/cb',
    'https://acme@evil.example.com.evil.com/cb',
    'https://acme.example.com.evil.com/cb',
    'https://acme.example.com/cb/more',
    'https://acme.example.com/cb?x=1',
    'https://acme.example.com:443/cb',
    'https://ACME.example.com/cb',
    'http://acme.example.com/cb',
    'https://-a.example.com/cb',
    'https://a-.example.com/cb',
    'https://a_b.example.com/cb',
    'https://*.example.com/cb',
    'https://$&.example.com/cb',
    'http://acme.localhost:3001/cb',
    `https://${'a'.repeat(64)}.example.com/cb`,
  ])('is for nothing else: %s', (url) => {
    expect(handleIn(registered, url)).toBeUndefined();
    expect(isRegistered(registered, url)).toBe(false);
  });

  test('comes after a URL that is registered as it stands or by a wildcard', () => {
    expect(handleIn([...registered, 'https://www.example.com/cb'], 'https://www.example.com/cb')).toBeUndefined();
    expect(handleIn([...registered, 'https://www.example.com/cb'], 'https://acme.example.com/cb')).toBe('acme');
    expect(handleIn([...registered, 'https://pr-*.example.com/cb'], 'https://pr-7.example.com/cb')).toBeUndefined();
    expect(isRegistered(['https://*.example.com/cb'], 'https://{organization.handle}.example.com/cb')).toBe(false);
  });

  test('is in the origin of a page as in its URL', () => {
    expect(originHandleIn(registered, 'https://acme.example.com')).toBe('acme');
    expect(originHandleIn(registered, 'http://acme.localhost:3000')).toBe('acme');
    for (const origin of [
      'https://acme.example.com/',
      'https://a.b.example.com',
      'https://acme.example.com:8443',
      'http://acme.example.com',
      'null',
    ])
      expect(originHandleIn(registered, origin)).toBeUndefined();
    expect(isRegisteredOrigin(registered, 'https://{organization.handle}.example.com')).toBe(false);
  });

  test('is filled in a login URI by the handle of the callback', () => {
    const client = { loginUri: 'https://{organization.handle}.example.com/login', callbackUrls: [...registered, 'https://example.com/cb'] };
    expect(loginUriFor(client, 'https://acme.example.com/cb')).toBe('https://acme.example.com/login');
    for (const url of ['https://example.com/cb', 'https://evil.com/cb', 'https://acme.example.com/other', ''])
      expect(loginUriFor(client, url)).toBeNull();
    expect(loginUriFor({ ...client, loginUri: 'https://example.com/login' }, 'https://example.com/cb')).toBe('https://example.com/login');
  });
});

const letters = (from: string, options: { minLength: number; maxLength: number }) =>
  fc.array(fc.constantFrom(...from), options).map((parts) => parts.join(''));
const part = letters('abz09-', { minLength: 1, maxLength: 8 });
const rest = fc
  .tuple(letters('abz09', { minLength: 1, maxLength: 8 }), fc.constantFrom('com', 'dev', 'co.uk', 'test', 'vercel.app'))
  .map((parts) => parts.join('.'));
const nasty = letters('ab.-*/\\@:?#%20 \t\u0000_{}ＡÉ', { minLength: 0, maxLength: 12 });

test('what a handle stands in for is a host whose first label it is, as browsers read it', () => {
  fc.assert(
    fc.property(rest, fc.constantFrom('', ':8443', '/cb', '/cb?a=1'), fc.oneof(nasty, part), (rest, tail, text) => {
      const registered = `https://{organization.handle}.${rest}${tail}`;
      fc.pre(checkCallbackUrl(registered) === undefined);
      const wanted = `https://${text}.${rest}${tail}`;
      const handle = handleIn([registered], wanted);
      expect(handle === undefined).toBe(!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text));
      if (handle === undefined) return;
      const { protocol, username, password, hostname } = new URL(wanted);
      expect({ protocol, username, password, hostname }).toEqual({
        protocol: 'https:',
        username: '',
        password: '',
        hostname: `${handle}.${rest}`,
      });
      expect(originHandleIn([registered], new URL(wanted).origin)).toBe(handle);
    }),
    { numRuns: 2000 },
  );
});
