/** Property tests: whatever comes as a token or a proof is refused in the form that clients read; nothing breaks, nothing is believed. */
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';
import fc from 'fast-check';
import { decodeJwt, type JWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAudiences, parseScopes } from '../../src/oidc/scopes.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, postForm } from '../helpers/user-agent.ts';
import { exchange, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const RUNS = { numRuns: 150 };

let token: string;
let key: JWK;
beforeAll(async () => {
  token = (await exchange(gatehouse, (await signUp(gatehouse)).first)).body.access_token;
  key = ((await (await fetch(`${gatehouse.baseUrl}/.well-known/jwks`)).json()) as { keys: JWK[] }).keys[0]!;
});

const encode = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 });
const secret = (type: 'reg' | 'm2m') => {
  const { clientId, clientSecret } = gatehouse.application(type);
  return { client_id: clientId, client_secret: clientSecret! };
};

/** Nobody who reads a token believes this one. */
async function expectUnbelieved(text: string): Promise<void> {
  const isHeader = /^[\x21-\x7e]{1,12000}$/.test(text);
  if (isHeader) {
    for (const scheme of ['Bearer', 'DPoP']) {
      const answer = await fetch(`${gatehouse.baseUrl}/oauth2/userinfo`, { headers: { authorization: `${scheme} ${text}` } });
      expect([answer.status, await answer.json()]).toEqual([401, { error: 'invalid_token', error_description: expect.any(String) }]);
    }
    expect((await ask(gatehouse, text, '{ viewer { kind } }')).status).toBe(401);
    const dpop = await postForm(
      `${gatehouse.baseUrl}/oauth2/token`,
      { ...secret('m2m'), grant_type: 'client_credentials' },
      { dpop: text },
    );
    expect([dpop.status, dpop.body?.['error']]).toEqual([400, 'invalid_dpop_proof']);
  }
  const told = await postForm(`${gatehouse.baseUrl}/oauth2/introspect`, { ...secret('reg'), token: text });
  expect([told.status, told.body]).toEqual([200, { active: false }]);
  const revoked = await postForm(`${gatehouse.baseUrl}/oauth2/revoke`, { ...secret('reg'), token: text });
  expect(revoked.status).toBe(200);
  const assertion = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: text };
  const proved = await postForm(`${gatehouse.baseUrl}/oauth2/token`, { grant_type: 'client_credentials', ...assertion });
  expect([proved.status, proved.body?.['error']]).toEqual([401, 'invalid_client']);
}

/** Values that a JSON document may hold, strange ones among them. */
const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom('', '__proto__', '../../etc/passwd', "' OR 1=1 --", '\0', 'x'.repeat(5000)),
);
const HEADERS = ['alg', 'kid', 'typ', 'jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'cty', 'enc'];
const CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'azp', 'scp', 'gty', 'cnf', 'org_code'];

describe('no verifier breaks or believes', () => {
  test('text that is no JWT', { timeout: 120_000 }, async () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 300 }),
      fc.stringMatching(/^[A-Za-z0-9._~+/=-]{1,200}$/),
      fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{0,60}$/), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.') || '.'),
      fc.integer({ min: 1000, max: 60_000 }).map((length) => `a.${'b'.repeat(length)}.c`),
    );
    await fc.assert(fc.asyncProperty(text, expectUnbelieved), RUNS);
  });

  test('a token with a header or claims that were changed', { timeout: 120_000 }, async () => {
    const changed = fc.record({
      header: fc.dictionary(fc.constantFrom(...HEADERS), strange, { maxKeys: 3 }),
      claims: fc.dictionary(fc.constantFrom(...CLAIMS), strange, { maxKeys: 3 }),
      signature: fc.constantFrom('kept', 'none', 'theirs', 'hmac'),
    });
    await fc.assert(
      fc.asyncProperty(changed, async ({ header, claims, signature }) => {
        const [, payload, kept] = token.split('.');
        const isKept = Object.keys(claims).length === 0;
        const head = encode({ alg: signature === 'hmac' ? 'HS256' : 'RS256', typ: 'JWT', kid: key.kid, ...header });
        const body = `${head}.${isKept ? payload : encode({ ...decodeJwt(token), ...claims })}`;
        const pem = createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
        const signatures = {
          kept: kept!,
          none: '',
          theirs: sign('sha256', Buffer.from(body), attacker.privateKey).toString('base64url'),
          hmac: createHmac('sha256', pem).update(body).digest('base64url'),
        };
        const forged = `${body}.${signatures[signature]}`;
        if (forged !== token) await expectUnbelieved(forged);
      }),
      RUNS,
    );
  });

  test('a token that says things twice, or any of whose characters was changed', { timeout: 120_000 }, async () => {
    const [head, payload, signature] = token.split('.');
    const twice = (part: string, member: string) => encode(Buffer.from(part, 'base64url').toString().replace(/}$/, `,${member}}`));
    for (const member of ['"alg":"none"', '"alg":"HS256"', `"kid":"${key.kid}"`])
      await expectUnbelieved(`${twice(head!, member)}.${payload}.${signature}`);
    for (const member of ['"sub":"kp_other"', '"exp":99999999999', '"scp":[]'])
      await expectUnbelieved(`${head}.${twice(payload!, member)}.${signature}`);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 8), fc.constantFrom(...'AZaz09-_'), async (at, character) => {
        const forged = token.slice(0, at) + character + token.slice(at + 1);
        if (forged !== token) await expectUnbelieved(forged);
      }),
      RUNS,
    );
  });

  test('and the token itself still works', async () => {
    expect((await fetch(`${gatehouse.baseUrl}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    expect((await ask(gatehouse, await machineToken(gatehouse), '{ viewer { kind } }')).status).toBe(200);
    expect(gatehouse.log()).not.toContain('request failed');
  });
});

test('scopes are known ones, each once, in their order, however they are written', () => {
  const known = ['openid', 'profile', 'email', 'phone', 'offline', 'offline_access'];
  const named = fc.array(fc.oneof(fc.constantFrom(...known), fc.string()), { maxLength: 20 });
  fc.assert(
    fc.property(named, fc.constantFrom(' ', '  ', '\t', '\n'), (names, space) => {
      const parsed = parseScopes(names.join(space));
      expect(new Set(parsed).size).toBe(parsed.length);
      const scopes = names.flatMap((name) => name.split(/\s+/)).map((name) => (name === 'offline_access' ? 'offline' : name));
      expect(parsed).toEqual([...new Set(scopes.filter((scope) => known.slice(0, 5).includes(scope)))]);
      expect(parseScopes(parsed.join(' ') || ' ')).toEqual(parsed);
    }),
  );
});

test('audiences are the same repeated, joined, or both', () => {
  const audience = fc.stringMatching(/^[!-~]{1,30}$/);
  fc.assert(
    fc.property(fc.array(audience, { maxLength: 10 }), (audiences) => {
      const once = [...new Set(audiences)];
      expect(parseAudiences(audiences)).toEqual(once);
      expect(parseAudiences(audiences.join(' '))).toEqual(once);
      expect(parseAudiences([audiences.join('  '), ...audiences])).toEqual(once);
    }),
  );
});
