/**
 * DPoP (RFC 9449): a client proves with each request that it holds the key which its token is bound to, so that a stolen
 * token is worth nothing. A proof is for one method and URL, for a minute, and good once.
 */
import { hash } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, type JWTPayload, jwtVerify } from 'jose';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isFirstUse } from '../features/replays/service.ts';
import { publicJwk, SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';
import { sameText } from '../security/secrets.ts';
import { dpopNonce, isDpopNonce } from './dpop-nonce.ts';
import { OAuthError } from './errors.ts';

/** Seconds that the clock of a client may be before or behind ours. */
const WINDOW_SECONDS = 60;
const MAX_PROOF_LENGTH = 8192;
const MAX_JTI_LENGTH = 255;

/** What a proof is for. */
export interface Proved {
  readonly tenancy: Tenancy;
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  /** The token that comes with it, if any. */
  readonly accessToken?: string;
  /** Takes the nonce that the answer brings for the next proof, where the environment asks for one. */
  readonly offerNonce: OfferNonce;
}

export type OfferNonce = (nonce: string) => void;

/** Checks a proof, which is then used up.
 * @returns the thumbprint of its key (RFC 7638)
 * @throws OAuthError invalid_dpop_proof, in the same words whatever is wrong; use_dpop_nonce for a good one without the nonce that is wanted */
export async function checkProof(infrastructure: Infrastructure, proof: string, proved: Proved): Promise<string> {
  const { tenancy, offerNonce } = proved;
  const { environmentId } = tenancy;
  const found = await verify(infrastructure, proof);
  if (found && isFor(found.claims, proved)) {
    const { jkt, claims } = found;
    if (tenancy.requiresDpopNonce) {
      offerNonce(dpopNonce(infrastructure, environmentId));
      if (!isDpopNonce(infrastructure, environmentId, claims['nonce']))
        throw new OAuthError('use_dpop_nonce', 'The DPoP proof has to hold the nonce that comes with this answer.');
    }
    const expiresAt = new Date((claims.iat! + 2 * WINDOW_SECONDS) * 1000);
    const use = { environmentId, kind: 'DPoP proof', owner: jkt, jti: claims.jti!, expiresAt } as const;
    if (await isFirstUse(infrastructure, use)) return jkt;
  }
  throw new OAuthError('invalid_dpop_proof', 'The DPoP proof is malformed, out of date, used, or for something else.');
}

/** Sections 4.2 and 4.3: the proof by itself. */
async function verify({ clock }: Infrastructure, proof: string): Promise<{ jkt: string; claims: JWTPayload } | undefined> {
  if (proof.length > MAX_PROOF_LENGTH) return undefined;
  try {
    const header = decodeProtectedHeader(proof);
    const jwk = publicJwk(header.jwk);
    if (!jwk) return undefined;
    const { payload } = await jwtVerify(proof, await importJWK(jwk, header.alg), {
      algorithms: [...SIGNATURE_ALGORITHMS],
      typ: 'dpop+jwt',
      currentDate: clock.now(),
      requiredClaims: ['jti', 'htm', 'htu', 'iat'],
    });
    const { jti, iat } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) return undefined;
    if (Math.abs(clock.now().getTime() / 1000 - iat!) > WINDOW_SECONDS) return undefined;
    return { jkt: await calculateJwkThumbprint(jwk), claims: payload };
  } catch {
    return undefined;
  }
}

function isFor({ htm, htu, ath }: JWTPayload, { method, url, accessToken }: Proved): boolean {
  if (htm !== method || typeof htu !== 'string' || !URL.canParse(htu)) return false;
  const { origin, pathname } = new URL(htu);
  const wanted = new URL(url);
  if (origin !== wanted.origin || pathname !== wanted.pathname) return false;
  if (accessToken === undefined) return true;
  return typeof ath === 'string' && sameText(ath, hash('sha256', accessToken, 'base64url'));
}

/** How a token came. */
export interface Presentation {
  readonly authorization: string | undefined;
  readonly dpop: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly offerNonce: OfferNonce;
}

/** May a token come like this? One that is bound to a key comes with a proof of it, and any other as a bearer token (§7).
 * @throws OAuthError use_dpop_nonce (§9) */
export async function isPresentedRightly(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { token, claims }: { readonly token: string; readonly claims: JWTPayload },
  { authorization, dpop, ...request }: Presentation,
): Promise<boolean> {
  const jkt = boundTo(claims);
  const isDpop = /^DPoP /i.test(authorization ?? '');
  if (jkt === undefined || !isDpop) return jkt === undefined && !isDpop;
  if (dpop === undefined) return false;
  try {
    return (await checkProof(infrastructure, dpop, { tenancy, accessToken: token, ...request })) === jkt;
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    if (error.code === 'use_dpop_nonce') throw new OAuthError(error.code, error.message, { status: 401 });
    return false;
  }
}

/** The thumbprint of the key that a token is bound to (`cnf`, RFC 7800). */
export function boundTo(claims: JWTPayload): string | undefined {
  return (claims['cnf'] as { jkt: string } | undefined)?.jkt;
}

/** The one DPoP header of a request. Several are joined by Node to something that is no proof. */
export function proofIn(headers: { readonly [name: string]: string | string[] | undefined }): string | undefined {
  const { dpop } = headers;
  return Array.isArray(dpop) ? dpop.join(', ') : dpop;
}
