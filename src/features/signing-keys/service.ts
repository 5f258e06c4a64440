/**
 * The keys an environment signs its tokens with. A new key is published before it signs, so that whoever keeps the key
 * set has it by then, and stays published until the last token it signed has expired. Private parts are sealed at rest.
 */
import { createPrivateKey } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { SigningKey } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import type { Signer, SigningAlgorithm } from '../../security/jwt.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, createContext, environmentScope, type Infrastructure, inTransaction, type Scope } from '../context.ts';

/** Seconds that a key is published before it signs: far longer than the key set may be kept by its `Cache-Control`. */
export const AHEAD_SECONDS = 3600;

interface Keys {
  readonly signer: Signer;
  /** As published, the key that signs first: some SDKs for phones look at no other. The same object for as long as nothing about the keys changes. */
  readonly jwks: { keys: JWK[] };
}

/** The secret key is not the one that the database's secrets are sealed with. */
export class WrongSecretKeyError extends Error {}

/** Opens what the secret key has sealed, before anything is read or sealed with another one.
 * @throws WrongSecretKeyError */
export async function assertSecretKey({ database, vault }: Pick<Infrastructure, 'database' | 'vault'>): Promise<void> {
  const sealed = await database.prisma.signingKey.findFirst({ orderBy: { createdAt: 'desc' } });
  if (!sealed) return;
  try {
    vault.open(purposeOf(sealed.environmentId), sealed.privateKey);
  } catch {
    throw new WrongSecretKeyError('SECRET_KEY is not the key that this database was sealed with: its signing keys cannot be opened.');
  }
}

function purposeOf(environmentId: string): string {
  return `signing key ${environmentId}`;
}

/** The environment's key set as published, and the key to sign with now.
 * @throws Error when the environment has no key: its creation makes one */
export async function signingKeys(infrastructure: Infrastructure, environmentId: string): Promise<Keys> {
  const known = await infrastructure.lookups.find(environmentId, 'signing keys', () => readKeys(infrastructure, environmentId));
  const now = infrastructure.clock.now();
  const present = known?.findLast(({ signsFrom }) => signsFrom <= now);
  if (!present) throw new Error(`Environment ${environmentId} has no signing key.`);
  return present;
}

/** The algorithms that the environment's tokens are signed with, those of keys before and after the present one too. */
export function algorithmsOf({ keys }: { readonly keys: readonly JWK[] }): string[] {
  return [...new Set(keys.map(({ alg }) => alg!))];
}

/** How it is while each key signs, of those that sign now or soon, in their order. */
type Known = readonly (Keys & { readonly signsFrom: Date })[];

async function readKeys({ database, vault, clock }: Infrastructure, environmentId: string): Promise<Known | undefined> {
  const rows = await database.prisma.signingKey.findMany({ where: { environmentId }, orderBy: [{ signsFrom: 'asc' }, { id: 'asc' }] });
  const published = rows.map((row) => row.publicJwk as JWK).reverse();
  const now = clock.now();
  const known = rows
    .filter(({ retiredAt }) => retiredAt === null || retiredAt > now)
    .map(({ id, algorithm, privateKey, publicJwk, signsFrom }) => ({
      signsFrom,
      jwks: { keys: [publicJwk as JWK, ...published.filter(({ kid }) => kid !== id)] },
      signer: {
        kid: id,
        algorithm: algorithm as SigningAlgorithm,
        privateKey: createPrivateKey(vault.open(purposeOf(environmentId), privateKey)),
      },
    }));
  return known.length > 0 ? known : undefined;
}

/** Makes a key that signs from `signsFrom` on, inside the caller's transaction. */
export async function createSigningKey(
  ctx: Context,
  environmentId: string,
  algorithm: SigningAlgorithm = 'RS256',
  signsFrom: Date = ctx.clock.now(),
): Promise<SigningKey> {
  const { publicKey, privateKey } = await ctx.newKeyPair(algorithm);
  const jwk = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = Buffer.from(await calculateJwkThumbprint(jwk), 'base64url')
    .toString('hex')
    .slice(0, 32);
  const { _max: longest } = await ctx.db.application.aggregate({
    where: { environmentId },
    _max: { accessTokenLifetime: true, idTokenLifetime: true },
  });
  return ctx.db.signingKey.create({
    data: {
      environmentId,
      id: kid,
      algorithm,
      publicJwk: { kty: jwk.kty!, use: 'sig', alg: algorithm, kid, ...publicMembers(jwk) },
      privateKey: ctx.vault.seal(purposeOf(environmentId), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string),
      createdAt: ctx.clock.now(),
      signsFrom,
      longestLifetime: Math.max(longest.accessTokenLifetime ?? 0, longest.idTokenLifetime ?? 0),
    },
  });
}

function publicMembers({ n, e, crv, x, y }: JWK): Record<string, string> {
  return JSON.parse(JSON.stringify({ n, e, crv, x, y })) as Record<string, string>;
}

export interface RotateSigningKeyInput {
  readonly environmentId?: string | null | undefined;
  /** Absent: as the key before. */
  readonly algorithm?: SigningAlgorithm | null | undefined;
  /** Whether the keys that there are must not be trusted any more: what they signed ends at once. */
  readonly isCompromised?: boolean | null | undefined;
}

/** Publishes a new key, which signs an hour later; at once where the others are compromised, which then go.
 * @throws InvalidInputError ROTATION_PENDING */
export const rotateSigningKey = action({
  permission: 'update:environments',
  scope: (ctx, input: RotateSigningKeyInput, permission) => environmentScope(ctx, input.environmentId, permission),
  run: (ctx, input, scope) => rotate(ctx, scope, input),
});

async function rotate(ctx: Context, scope: Scope, input: Omit<RotateSigningKeyInput, 'environmentId'>): Promise<SigningKey> {
  const { environmentId, businessId } = scope;
  await ctx.db.$queryRaw`SELECT id FROM environments WHERE id = ${environmentId} FOR NO KEY UPDATE`;
  const now = ctx.clock.now();
  const isCompromised = input.isCompromised ?? false;
  const last = await ctx.db.signingKey.findFirstOrThrow({ where: { environmentId, retiredAt: null }, orderBy: { signsFrom: 'desc' } });
  if (!isCompromised && last.signsFrom > now)
    throw new InvalidInputError('ROTATION_PENDING', 'A new key is published already, and signs within the hour.');
  const algorithm = input.algorithm ?? (last.algorithm as SigningAlgorithm);
  const signsFrom = isCompromised ? now : later(now, AHEAD_SECONDS);
  if (isCompromised) await ctx.db.signingKey.deleteMany({ where: { environmentId } });
  else await ctx.db.signingKey.updateMany({ where: { environmentId, retiredAt: null }, data: { retiredAt: signsFrom } });
  const key = await createSigningKey(ctx, environmentId, algorithm, signsFrom);
  await audit(ctx, {
    businessId,
    environmentId,
    action: 'signing_key.rotated',
    target: { type: 'signing_key', id: key.id },
    details: { algorithm, isCompromised },
  });
  return key;
}

/** Replaces keys that have signed for as long as the configuration lets them, some at a time. Returns how many. */
export async function rotateOldKeys(infrastructure: Infrastructure, batch = 100): Promise<number> {
  const { signingKeyDays } = infrastructure.config;
  if (signingKeyDays === 0) return 0;
  const ctx = createContext(infrastructure, { kind: 'system', name: 'signing keys' });
  const old = { retiredAt: null, signsFrom: { lte: later(ctx.clock.now(), -signingKeyDays * 24 * 3600) } };
  const rows = await ctx.db.signingKey.findMany({ where: old, take: batch, include: { environment: { select: { businessId: true } } } });
  for (const { environmentId, id, environment } of rows) {
    await inTransaction(ctx, async (tx) => {
      await tx.db.$queryRaw`SELECT id FROM environments WHERE id = ${environmentId} FOR NO KEY UPDATE`;
      if (await tx.db.signingKey.findFirst({ where: { environmentId, id, retiredAt: null } }))
        await rotate(tx, { environmentId, businessId: environment.businessId }, {});
    });
    ctx.lookups.forget(environmentId);
  }
  return rows.length;
}

/** Ends the publication of keys whose last token has expired, also by what lifetimes are now. Returns how many. */
export async function deleteRetiredKeys({ database, clock, lookups }: Infrastructure): Promise<number> {
  const rows = await database.query<{ environment_id: string }>(
    'delete-retired-keys',
    `DELETE FROM signing_keys k WHERE k.retired_at < $1::timestamptz - make_interval(secs => greatest(k.longest_lifetime,
       (SELECT max(greatest(a.access_token_lifetime, a.id_token_lifetime)) FROM applications a WHERE a.environment_id = k.environment_id))) RETURNING k.environment_id`,
    [clock.now()],
  );
  for (const { environment_id } of rows) lookups.forget(environment_id);
  return rows.length;
}
