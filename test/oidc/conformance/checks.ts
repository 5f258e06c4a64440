/** What a relying party may ask of each answer of a provider: the rules that the modules of the OpenID plans have in common. */
import { createHash } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { expect } from 'vitest';

const MINUTES = 60;
const YEAR = 365 * 24 * 60 * MINUTES;

const TEXTS =
  'sub name given_name family_name middle_name nickname preferred_username profile picture website email gender birthdate zoneinfo locale phone_number';
const TRUTHS = 'email_verified phone_number_verified';

/** Each standard claim that is told is of its type, and says something: what is not known is left out (Core §5.1, §5.3.2). */
export function expectStandardClaims(claims: Readonly<Record<string, unknown>>, now: Date): void {
  for (const [name, value] of Object.entries(claims)) {
    if (TEXTS.split(' ').includes(name)) {
      expect(value, name).toEqual(expect.stringMatching(/\S/));
      expect(String(value).toLowerCase(), name).not.toBe('null');
    }
    if (TRUTHS.split(' ').includes(name)) expect(value, name).toBeTypeOf('boolean');
  }
  expect(claims['sub']).toMatch(/^[\x20-\x7e]{1,255}$/);
  for (const name of ['_claim_names', '_claim_sources']) expect(claims).not.toHaveProperty(name);
  if (claims['updated_at'] === undefined) return;
  expect(claims['updated_at']).toBeGreaterThan(Date.UTC(1990, 0) / 1000);
  expect(claims['updated_at']).toBeLessThan(now.getTime() / 1000 + 5 * MINUTES);
}

/** An ID token as Core §2 and §3.1.3.7 have it. */
export async function expectIdToken(
  idToken: string,
  wanted: { issuer: string; clientId: string; keys: JSONWebKeySet; nonce: string | undefined; accessToken: string; now: Date },
): Promise<JWTPayload & { auth_time: number; sub: string }> {
  const header = decodeProtectedHeader(idToken);
  expect(header).toMatchObject({ alg: 'RS256', kid: expect.stringMatching(/./) });
  expect(wanted.keys.keys.filter(({ kid }) => kid === header.kid)).toHaveLength(1);
  const { payload } = await jwtVerify(idToken, createLocalJWKSet(wanted.keys), {
    issuer: wanted.issuer,
    audience: wanted.clientId,
    currentDate: wanted.now,
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
  });
  const now = wanted.now.getTime() / 1000;
  expect(Math.abs(now - payload.iat!)).toBeLessThan(5 * MINUTES);
  expect(payload.exp).toBeLessThan(now + 50 * YEAR);
  expect(payload['auth_time']).toBeGreaterThan(now - YEAR);
  expect(payload['auth_time']).toBeLessThan(now + 5 * MINUTES);
  expect(payload['azp'] ?? wanted.clientId).toBe(wanted.clientId);
  expect(payload['acr'] ?? 'none').toEqual(expect.stringMatching(/./));
  expect(payload['amr'] ?? []).toEqual([payload['amr'] ?? []].flat().map(() => expect.any(String)));
  expect(payload['nonce']).toBe(wanted.nonce);
  const digest = createHash('sha256').update(wanted.accessToken).digest();
  expect(payload['at_hash']).toBe(digest.subarray(0, 16).toString('base64url'));
  expectStandardClaims(payload, wanted.now);
  return payload as JWTPayload & { auth_time: number; sub: string };
}

/** An error that the application is sent: with the request's state and our name, without a code, and nothing else (Core §3.1.2.6). */
export function expectRefusal(answer: Readonly<Record<string, string>>, state: string | undefined, issuer: string, errors: RegExp): void {
  expect(answer).toMatchObject({ error: expect.stringMatching(errors), iss: issuer });
  expect(answer['state']).toBe(state);
  expect(Object.keys(answer).filter((name) => !['error', 'error_description', 'error_uri', 'state', 'iss'].includes(name))).toEqual([]);
  expectDescription(answer['error_description']);
}

/** The characters that RFC 6749 allows in the description of an error (§4.1.2.1, §5.2). */
export function expectDescription(description: unknown): void {
  expect(description).toEqual(expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/));
}

/** As random as text can be seen to be: by the entropy of its letters, in bits. */
export function expectEntropy(text: string): void {
  const counts = [...new Set(text)].map((letter) => text.split(letter).length - 1);
  const bits = -counts.reduce((sum, count) => sum + count * Math.log2(count / text.length), 0);
  expect(bits).toBeGreaterThan(96);
  expect(text.length * 8).toBeGreaterThanOrEqual(128);
}
