/** Checks access tokens that this issuer signed (RFC 6750, RFC 8725): signature, algorithm, issuer, expiry. */
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { Infrastructure } from '../features/context.ts';
import { type Tenancy, tenancyOfIssuer } from '../features/environments/directory.ts';
import { algorithmsOf, signingKeys } from '../features/signing-keys/service.ts';

/** Longer text is no token of ours: it is refused before any of it is decoded. */
const MAX_TOKEN_LENGTH = 16_384;

/** A JWS in its compact form (RFC 7515 §7.1). */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The token of an Authorization header; undefined for anything but one Bearer or DPoP credential. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const scheme = /^(?:Bearer|DPoP) /i.exec(authorization ?? '')?.[0];
  return scheme && authorization!.slice(scheme.length);
}

/** The claims of an access token that `tenancy` issued and that is still valid, always with `scp`; undefined otherwise. */
export async function verifyAccessToken(infrastructure: Infrastructure, tenancy: Tenancy, token: string): Promise<JWTPayload | undefined> {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const { keys, algorithms, verified } = keySet((await signingKeys(infrastructure, tenancy.environmentId)).jwks);
  const now = infrastructure.clock.now();
  const known = verified.get(token);
  if (known && known.exp! > now.getTime() / 1000) return known;
  if (!COMPACT.test(token)) return undefined; // What reads base64 passes over other characters: a token is its one text.
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: tenancy.issuer,
      algorithms: [...algorithms],
      typ: 'JWT',
      currentDate: now,
      requiredClaims: ['exp', 'iat', 'jti', 'azp'],
    });
    const scp = payload['scp'] ?? (Array.isArray(payload['gty']) ? String(payload['scope']).split(' ') : undefined);
    if (scp === undefined) return undefined; // An ID token.
    const claims = Object.freeze({ ...payload, scp });
    verified.set(token, claims);
    return claims;
  } catch {
    return undefined;
  }
}

/** As {@link verifyAccessToken}, for whichever environment the token says it comes from. */
export async function verifyFromAnyIssuer(
  infrastructure: Infrastructure,
  token: string,
): Promise<{ tenancy: Tenancy; claims: JWTPayload } | undefined> {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  let issuer = issuers.get(token);
  if (issuer === undefined) {
    issuer = unverifiedIssuer(token) ?? '';
    issuers.set(token, issuer);
  }
  const tenancy = await tenancyOfIssuer(infrastructure, issuer);
  const claims = tenancy && (await verifyAccessToken(infrastructure, tenancy, token));
  return claims ? { tenancy, claims } : undefined;
}

/** An environment's keys, and the tokens that were found to be signed with them: a client sends one token many times. */
interface KeySet {
  readonly keys: ReturnType<typeof createLocalJWKSet>;
  readonly algorithms: readonly string[];
  readonly verified: ByToken<JWTPayload>;
}

const MAX_KEPT = 1000;

/** Keeps something of each token, found by its signature: to hash all of a token that names every scope takes longer than to answer. */
class ByToken<Value> {
  readonly #kept = new Map<string, { readonly token: string; readonly value: Value }>();

  get(token: string): Value | undefined {
    const kept = this.#kept.get(signatureOf(token));
    return kept?.token === token ? kept.value : undefined;
  }

  set(token: string, value: Value): void {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(signatureOf(token), { token, value });
  }
}

function signatureOf(token: string): string {
  return token.slice(token.lastIndexOf('.') + 1);
}

/** What tokens say of where they come from, which proves nothing. */
const issuers = new ByToken<string>();
const keySets = new WeakMap<object, KeySet>();

function keySet(jwks: Parameters<typeof createLocalJWKSet>[0]): KeySet {
  let set = keySets.get(jwks);
  if (!set) {
    set = { keys: createLocalJWKSet(jwks), algorithms: algorithmsOf(jwks), verified: new ByToken() };
    keySets.set(jwks, set);
  }
  return set;
}

function unverifiedIssuer(token: string): string | undefined {
  try {
    const { iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { iss?: unknown };
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}
