/**
 * private_key_jwt (RFC 7521 §4.2, RFC 7523 §3): a client proves itself by a JWT that it signed for this issuer, which is
 * good once and for some minutes. Whatever is wrong with it, the answer is the same.
 */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { keysOfClient } from '../features/applications/keys/service.ts';
import { type Client, findClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isFirstUse } from '../features/replays/service.ts';
import { SIGNATURE_ALGORITHMS } from '../security/public-keys.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Seconds that an assertion may be good for, at most, and by which its clock may differ from ours. */
const MAX_SECONDS = 600;
const CLOCK_TOLERANCE = 10;
const MAX_LENGTH = 16_384;
const MAX_JTI_LENGTH = 255;

/** The client that signed the assertion; undefined when it proves nothing. */
export async function clientOfAssertion(infrastructure: Infrastructure, tenancy: Tenancy, assertion: string): Promise<Client | undefined> {
  const { environmentId, issuer } = tenancy;
  const said = unverified(assertion);
  const client = said?.sub ? await findClient(infrastructure, environmentId, said.sub) : undefined;
  if (!client) return undefined;
  const keys = await keysOfClient(infrastructure, environmentId, client, said!.kid);
  const claims = await verify(assertion, [...keys], {
    issuer: client.clientId,
    subject: client.clientId,
    audience: [issuer, `${issuer}/oauth2/token`],
    currentDate: infrastructure.clock.now(),
  });
  if (!claims || [claims.aud].flat().length !== 1) return undefined;
  const now = infrastructure.clock.now().getTime() / 1000;
  const { exp, iat, jti } = claims as { exp: number; iat?: number; jti: unknown };
  if (exp > now + MAX_SECONDS || (iat !== undefined && iat > now + CLOCK_TOLERANCE)) return undefined;
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) return undefined;
  const use = { environmentId, kind: 'client assertion', owner: client.clientId, jti } as const;
  const isFirst = await isFirstUse(infrastructure, { ...use, expiresAt: new Date((exp + 2 * CLOCK_TOLERANCE) * 1000) });
  return isFirst ? client : undefined;
}

function unverified(assertion: string): { sub: string | undefined; kid: string | undefined } | undefined {
  if (assertion.length > MAX_LENGTH) return undefined;
  try {
    const { kid } = decodeProtectedHeader(assertion);
    const { sub } = decodeJwt(assertion);
    return { sub: typeof sub === 'string' ? sub : undefined, kid: typeof kid === 'string' ? kid : undefined };
  } catch {
    return undefined;
  }
}

async function verify(
  assertion: string,
  keys: Parameters<typeof createLocalJWKSet>[0]['keys'],
  expected: { issuer: string; subject: string; audience: string[]; currentDate: Date },
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys }), {
      ...expected,
      algorithms: [...SIGNATURE_ALGORITHMS],
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ['exp', 'jti'],
    });
    return payload;
  } catch {
    return undefined;
  }
}
