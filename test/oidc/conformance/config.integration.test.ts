/**
 * The plan of the OpenID Foundation for Config OP, and the modules of its plans for logout that read the discovery document:
 * of an issuer that is reached by https.
 */
import { importJWK, type JWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';

const ISSUER = 'https://id.example.test';
const gatehouse = startApp({ BASE_URL: ISSUER });
const get = (url: string) => gatehouse.app.fetch(new Request(url));

let metadata: Record<string, unknown>;
beforeAll(async () => {
  metadata = (await (await get(`${ISSUER}/.well-known/openid-configuration`)).json()) as typeof metadata;
});

const expectHttps = (url: unknown) => expect(new URL(String(url)).protocol).toBe('https:');

describe('oidcc-config-certification-test-plan: oidcc-discovery-endpoint-verification', () => {
  test('the document is JSON, at the address of the issuer that it names', async () => {
    const answer = await get(`${ISSUER}/.well-known/openid-configuration`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/json\b/)]);
    expect(metadata['issuer']).toBe(ISSUER);
  });

  test('each endpoint is reached by https', () => {
    const endpoints = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name));
    expect(endpoints.map(([name]) => name)).toEqual(
      expect.arrayContaining(['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri']),
    );
    for (const [, url] of endpoints) expectHttps(url);
  });

  test('each list is one of texts and not empty, each word of a scope or language is one', () => {
    for (const [name, list] of Object.entries(metadata)) {
      if (/_(types|methods|values|scopes|modes|claims|locales)_supported$|^(scopes|claims)_supported$/.test(name)) {
        expect(list, name).toEqual(expect.arrayContaining([expect.any(String)]));
        for (const word of list as unknown[]) expect(word, name).toEqual(expect.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]+$/));
      }
      if (name.endsWith('_locales_supported')) expect(Intl.getCanonicalLocales(list as string[])).toEqual(list);
    }
  });

  test('what every provider has to support is there', () => {
    for (const [name, value] of [
      ['response_types_supported', 'code'],
      ['subject_types_supported', 'public'],
      ['id_token_signing_alg_values_supported', 'RS256'],
      ['scopes_supported', 'openid'],
      ['grant_types_supported', 'authorization_code'],
      ['code_challenge_methods_supported', 'S256'],
      ['token_endpoint_auth_methods_supported', 'client_secret_basic'],
      ['token_endpoint_auth_methods_supported', 'client_secret_post'],
      ['claims_supported', 'sub'],
    ] as const)
      expect(metadata[name], name).toContain(value);
  });

  test('what is not supported is not listed, or said not to be', () => {
    expect(metadata).toMatchObject({ request_parameter_supported: false, request_uri_parameter_supported: false });
    for (const name of [
      'claims_parameter_supported',
      'request_object_signing_alg_values_supported',
      'userinfo_signing_alg_values_supported',
    ])
      expect(metadata).not.toHaveProperty(name);
  });

  test('the keys are public, each with a name of its own, and can be used', async () => {
    const { keys } = (await (await get(String(metadata['jwks_uri']))).json()) as { keys: JWK[] };
    expect(keys.length).toBeGreaterThan(0);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({
        kid: expect.stringMatching(/\S/),
        use: 'sig',
        alg: expect.any(String),
        kty: expect.stringMatching(/^(RSA|EC|OKP)$/),
      });
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(key).not.toHaveProperty(name);
      for (const name of ['n', 'e', 'x', 'y'] as const) expect(key[name] ?? 'none').toMatch(/^[\w-]+$/);
      await importJWK(key);
    }
  });
});

test('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
  expectHttps(metadata['end_session_endpoint']);
});

test('oidcc-backchannel-logout-discovery-endpoint-verification', () => {
  expectHttps(metadata['end_session_endpoint']);
  expect(metadata).toMatchObject({ backchannel_logout_supported: true, backchannel_logout_session_supported: true });
});
