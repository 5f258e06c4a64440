/** The keys an environment signs its tokens with. Private parts are sealed at rest and opened once a process. */
import { createPrivateKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Signer } from '../../security/jwt.ts';
import type { Context, Infrastructure } from '../context.ts';

interface Keys {
  readonly signer: Signer;
  readonly jwks: { keys: JWK[] };
}

/** Makes an environment's first key, inside the caller's transaction. */
export async function createSigningKey(ctx: Context, environmentId: string): Promise<void> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = Buffer.from(await calculateJwkThumbprint(jwk), 'base64url')
    .toString('hex')
    .slice(0, 32);
  await ctx.db.signingKey.create({
    data: {
      environmentId,
      id: kid,
      algorithm: 'RS256',
      publicJwk: { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n: jwk.n!, e: jwk.e! },
      privateKey: ctx.vault.seal(`signing key ${environmentId}`, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
    },
  });
}

/** The environment's key set as published, and the key to sign with now.
 * @throws Error when the environment has no key: its creation makes one */
export async function signingKeys(infrastructure: Infrastructure, environmentId: string): Promise<Keys> {
  const keys = await infrastructure.lookups.find(environmentId, 'signing keys', () => readKeys(infrastructure, environmentId));
  if (!keys) throw new Error(`Environment ${environmentId} has no signing key.`);
  return keys;
}

async function readKeys({ database, vault }: Infrastructure, environmentId: string): Promise<Keys | undefined> {
  const rows = await database.prisma.signingKey.findMany({ where: { environmentId }, orderBy: { createdAt: 'desc' } });
  const active = rows.find((row) => row.retiredAt === null);
  if (!active) return undefined;
  const pem = vault.open(`signing key ${environmentId}`, active.privateKey);
  return {
    signer: { kid: active.id, algorithm: 'RS256', privateKey: createPrivateKey(pem) },
    jwks: { keys: rows.map((row) => row.publicJwk as JWK) },
  };
}
