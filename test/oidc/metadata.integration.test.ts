/** Whatever the discovery document lists works: each endpoint is asked, each choice is used. */
import type { JWK } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { postForm, teamToken } from '../helpers/user-agent.ts';
import { codeForm, type Person, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
let metadata: Record<string, string & string[]>;
let person: Person;
beforeAll(async () => {
  metadata = (await (await fetch(`${gatehouse.baseUrl}/.well-known/openid-configuration`)).json()) as typeof metadata;
  person = await signUp(gatehouse);
});

const secretOf = () => {
  const { clientId, clientSecret } = gatehouse.application('reg');
  return { client_id: clientId, client_secret: clientSecret! };
};

test('each endpoint is there, and answers in the way of its kind', async () => {
  const endpoints = Object.entries(metadata).filter(([name]) => /_(endpoint|uri)$/.test(name));
  expect(endpoints.length).toBeGreaterThan(6);
  for (const [name, url] of endpoints) {
    expect(url.startsWith(`${gatehouse.baseUrl}/`), name).toBe(true);
    const [got, posted] = [await fetch(url, { redirect: 'manual' }), await fetch(url, { method: 'POST', body: new URLSearchParams() })];
    expect(
      [got.status, posted.status].every((status) => status === 404),
      `${name} is nowhere`,
    ).toBe(false);
    expect(Math.max(got.status, posted.status), name).toBeLessThan(500);
  }
});

test('each authentication method is taken at each endpoint that lists it, and none that is not listed', async () => {
  const { client_id, client_secret } = secretOf();
  const basic = { authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}` };
  const assertion = { client_assertion: 'x', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
  const ways: Record<string, [form: Record<string, string>, headers: Record<string, string>, isKnown: RegExp]> = {
    client_secret_post: [secretOf(), {}, /^(invalid_request|invalid_grant)$/],
    client_secret_basic: [{}, basic, /^(invalid_request|invalid_grant)$/],
    // What it proves is for private-key-jwt.integration.test.ts: here, that a bad one is understood as one.
    private_key_jwt: [assertion, {}, /^invalid_client$/],
    none: [{ client_id: gatehouse.application('spa').clientId }, {}, /^(invalid_request|invalid_grant)$/],
  };
  for (const kind of ['token', 'revocation', 'introspection']) {
    const listed: readonly string[] = metadata[`${kind}_endpoint_auth_methods_supported`]!;
    for (const [method, [form, headers, isKnown]] of Object.entries(ways)) {
      const { body } = await postForm(metadata[`${kind}_endpoint`]!, { grant_type: 'refresh_token', ...form }, headers);
      expect(isKnown.test(String(body?.['error'])), `${method} at ${kind}`).toBe(listed.includes(method));
    }
    expect(listed.filter((method) => !(method in ways))).toEqual([]);
  }
});

test('each grant type is known, and no other', async () => {
  const errorOf = async (grant_type: string) =>
    (await postForm(metadata['token_endpoint']!, { grant_type, ...secretOf() })).body?.['error'];
  for (const type of metadata['grant_types_supported']!) expect(await errorOf(type)).not.toBe('unsupported_grant_type');
  for (const type of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:token-exchange'])
    expect(await errorOf(type)).toBe('unsupported_grant_type');
});

test('each response mode, prompt and scope is taken by the authorization endpoint', async () => {
  const statusOf = async (parameters: Record<string, string>) =>
    (await fetch(requestOf(gatehouse, 'spa', parameters).url, { redirect: 'manual' })).status;
  for (const mode of metadata['response_modes_supported']!) expect(await statusOf({ response_mode: mode }), mode).toBeLessThan(400);
  for (const prompt of metadata['prompt_values_supported']!) expect(await statusOf({ prompt }), prompt).toBeLessThan(400);
  for (const scope of metadata['scopes_supported']!) {
    const answer = await person.authorize('spa', { scope: `openid ${scope}` });
    const { body } = await postForm(metadata['token_endpoint']!, codeForm(gatehouse, answer));
    expect(String(body?.['scope']).split(' '), scope).toContain(scope === 'offline_access' ? 'offline' : scope);
  }
});

test('the algorithms listed are those of the keys', async () => {
  const { keys } = (await (await fetch(metadata['jwks_uri']!)).json()) as { keys: JWK[] };
  expect(metadata['id_token_signing_alg_values_supported']).toEqual([...new Set(keys.map(({ alg }) => alg))]);
});

test('each issuer tells the same at the address of RFC 8414, and its own keys sign its tokens alone', async () => {
  const { account } = gatehouse.quickstart;
  for (const issuer of [gatehouse.baseUrl, account.issuer]) {
    const [openid, oauth] = await Promise.all(
      ['openid-configuration', 'oauth-authorization-server'].map(async (name) => (await fetch(`${issuer}/.well-known/${name}`)).json()),
    );
    expect(oauth).toEqual(openid);
    expect(openid).toMatchObject({ issuer });
  }
  const foreign = await teamToken(gatehouse, 'owner@acme.test');
  expect((await fetch(metadata['userinfo_endpoint']!, { headers: { authorization: `Bearer ${foreign}` } })).status).toBe(401);
});
