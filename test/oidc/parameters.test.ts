import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answerable, answer } from '../../src/oidc/answer.ts';
import { onlyKnown, type Query, readKnown, reauthState, withReauthState } from '../../src/oidc/parameters.ts';
import { OIDC_SCOPES, parseAudiences, parseScopes } from '../../src/oidc/scopes.ts';

const WISHES = ['org_code', 'org_name', 'is_create_org', 'login_hint', 'connection_id', 'prompt', 'lang', 'invitation_code'];
const OWN = ['client_id', 'redirect_uri', 'response_type', 'scope', 'state', 'nonce', 'code_challenge', 'response_mode', 'request_uri'];
const text = fc.string({ unit: 'binary', maxLength: 40 });
const wishes = fc.dictionary(fc.constantFrom(...WISHES), text);
const query = fc.dictionary(fc.constantFrom(...WISHES, ...OWN, '__proto__', 'constructor', 'other'), text);

test('what a request may start over with comes back as it was, and nothing that was its own goes out', () => {
  fc.assert(
    fc.property(query, (given) => {
      const state = reauthState(given);
      const decoded = JSON.parse(Buffer.from(atob(state), 'latin1').toString('utf8')) as Record<string, unknown>;
      expect(Object.keys(decoded).filter((name) => !WISHES.includes(name))).toEqual([]);
      for (const wish of Object.values(decoded)) expect(typeof wish).toBe('string');
      const again = withReauthState({ reauth_state: state });
      for (const name of WISHES) {
        const before = given[name] ?? '';
        if (before.isWellFormed()) expect(again[name] ?? '').toBe(before);
      }
    }),
  );
});

test('a reauth_state says nothing but wishes, and nothing that the request says itself', () => {
  const state = fc.oneof(
    text,
    fc.json().map((json) => Buffer.from(json).toString('base64')),
    fc.oneof(query, wishes).map((object) => Buffer.from(JSON.stringify(object)).toString('base64')),
  );
  fc.assert(
    fc.property(query, state, (given, reauth_state) => {
      const merged = withReauthState({ ...given, reauth_state });
      for (const [name, said] of Object.entries(given)) if (said) expect(merged[name]).toBe(said);
      const added = Object.keys(merged).filter((name) => !Object.hasOwn(given, name) && name !== 'reauth_state');
      expect(added.filter((name) => ![...WISHES, 'plan_interest', 'pricing_table_key', 'audience'].includes(name))).toEqual([]);
    }),
  );
});

test('a request that is kept is read as it was handed in', () => {
  const lists = fc.record({ audience: fc.array(text, { maxLength: 3 }), state: fc.array(text, { minLength: 2, maxLength: 3 }) });
  fc.assert(
    fc.property(query, lists, (given, { audience, state }) => {
      const known: Query = { ...Object.fromEntries(Object.entries(given).filter(([name]) => [...WISHES, ...OWN].includes(name))), state };
      const read = readKnown(String(onlyKnown({ ...given, ...known, audience })));
      const wellFormed = (value: unknown) =>
        JSON.parse(JSON.stringify(value), (_, part) => (typeof part === 'string' ? part.toWellFormed() : part));
      const { audience: readAudience = [], ...rest } = read;
      expect(rest).toEqual(wellFormed(known));
      expect([readAudience].flat()).toEqual(wellFormed(audience));
    }),
  );
});

test('an answer goes to the redirect URI itself, with what it was given and no more', () => {
  const redirectUri = fc.constantFrom(
    'https://app.acme.test/cb',
    'https://app.acme.test',
    'https://app.acme.test/cb?tenant=a&b',
    'com.acme.app://callback',
    'http://127.0.0.1:53682/',
  );
  const request = fc.record({
    redirectUri,
    responseMode: fc.constantFrom<Answerable['responseMode']>('query', 'fragment', 'form_post'),
    state: fc.option(text),
    hasSuccessPage: fc.boolean(),
  });
  fc.assert(
    fc.property(request, text, (asked, error_description) => {
      const sent = answer(asked, 'https://auth.acme.test', { error: 'access_denied', error_description });
      const [url, registered] = [new URL(sent.location), new URL(asked.redirectUri)];
      expect([url.protocol, url.host, url.pathname]).toEqual([registered.protocol, registered.host, registered.pathname]);
      const carried = new URLSearchParams(
        sent.by === 'form' ? sent.fields : asked.responseMode === 'fragment' ? url.hash.slice(1) : url.search,
      );
      for (const name of registered.searchParams.keys()) carried.delete(name);
      expect(Object.fromEntries(carried)).toEqual({
        error: 'access_denied',
        error_description: error_description.toWellFormed(),
        ...(asked.state !== null && { state: asked.state.toWellFormed() }),
        iss: 'https://auth.acme.test',
      });
    }),
  );
});

test('whatever is asked for, a scope is one that is known, once', () => {
  const word = fc.oneof(fc.constantFrom(...OIDC_SCOPES, 'offline_access', '', 'constructor', '__proto__'), text);
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.constantFrom(' ', '  ', '\t', '\n'), (words, space) => {
      const scopes = parseScopes(words.join(space));
      expect(scopes.filter((scope) => !(OIDC_SCOPES as readonly string[]).includes(scope))).toEqual([]);
      expect(new Set(scopes).size).toBe(scopes.length);
      for (const scope of OIDC_SCOPES) if (words.includes(scope)) expect(scopes).toContain(scope);
    }),
  );
});

test('an audience is the same in each of its three forms', () => {
  const name = fc.constantFrom('https://a.test', 'https://b.test/x', 'urn:c', 'd');
  fc.assert(
    fc.property(fc.array(name, { maxLength: 5 }), (names) => {
      const once = [...new Set(names)];
      expect([parseAudiences(names), parseAudiences(names.join(' ')), parseAudiences([names.join(' '), ''])]).toEqual([once, once, once]);
    }),
  );
  expect([parseAudiences(undefined), parseAudiences(''), parseAudiences(['', ' '])]).toEqual([[], [], []]);
});
