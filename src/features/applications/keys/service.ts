/** The public keys by which an application proves itself instead of by a secret (`private_key_jwt`): given here, or fetched from its URL. */
import type { JWK } from 'jose';
import { Prisma } from '../../../db/client.ts';
import type { Application } from '../../../db/generated/client/client.ts';
import { later } from '../../../kernel/clock.ts';
import { InvalidInputError } from '../../../kernel/errors.ts';
import { isPrivateJwk, keysIn, publicJwk } from '../../../security/public-keys.ts';
import { getFromStranger, problemOfStrangerUrl } from '../../../security/strangers.ts';
import { assertHoldsScopesOf } from '../../apis/service.ts';
import { audit } from '../../audit/service.ts';
import { action, atVersion, type Infrastructure, NEXT_VERSION } from '../../context.ts';
import { applicationScope, type Client, hasSecret, lockApplication } from '../service.ts';

export interface UpdateApplicationKeysInput {
  readonly applicationId: string;
  /** A JWK Set; null takes it away. */
  readonly jwks?: unknown;
  readonly jwksUri?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes the keys of an application. While it has any, its secret proves nothing.
 * @throws InvalidInputError NO_SECRET, INVALID_JWKS, PRIVATE_KEY, INVALID_URL, TWO_SOURCES or CONFLICT
 * @throws ForbiddenError for a scope of the management API that the application has and the actor does not hold */
export const updateApplicationKeys = action({
  permission: 'update:application_secrets',
  scope: applicationScope,
  async run(ctx, input: UpdateApplicationKeysInput, scope): Promise<Application> {
    const { environmentId, businessId } = scope;
    const { applicationId } = input;
    await assertHoldsScopesOf(ctx, environmentId, applicationId);
    const known = await lockApplication(ctx, scope, applicationId);
    if (!hasSecret(known.type))
      throw new InvalidInputError('NO_SECRET', 'Applications of this type are public clients: they prove nothing.', ['applicationId']);
    const jwks = input.jwks == null ? input.jwks : checkJwks(input.jwks);
    const jwksUri = input.jwksUri == null ? input.jwksUri : checkJwksUri(ctx, input.jwksUri);
    if ((jwks === undefined ? known.jwks : jwks) && (jwksUri === undefined ? known.jwksUri : jwksUri))
      throw new InvalidInputError('TWO_SOURCES', 'The keys are given here or fetched, not both.', [jwks ? 'jwks' : 'jwksUri']);
    const application = await ctx.db.application.update({
      where: { environmentId_id: { environmentId, id: applicationId }, ...atVersion(input) },
      data: { jwks: jwks === null ? Prisma.DbNull : (jwks as Prisma.InputJsonObject | undefined), jwksUri, ...NEXT_VERSION },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.keys_updated',
      target: { type: 'application', id: applicationId },
      details: { fields: Object.keys(input).sort() },
    });
    return application;
  },
});

/** The public keys of a JWK Set.
 * @throws InvalidInputError INVALID_JWKS or PRIVATE_KEY */
export function checkJwks(given: unknown): { keys: JWK[] } {
  const refuse = (code: string, message: string, ...at: string[]) => new InvalidInputError(code, message, ['jwks', ...at]);
  const keys = keysIn(given);
  if (!keys) throw refuse('INVALID_JWKS', 'This is not a JWK Set of 1 to 20 keys.');
  const known = keys.map((key, index) => {
    if (typeof key === 'object' && key !== null && isPrivateJwk(key))
      throw refuse('PRIVATE_KEY', 'This is a private key. Make a new one, and give its public part.', 'keys', String(index));
    const jwk = publicJwk(key);
    if (jwk) return jwk;
    const message = 'A key is RSA of 2048 bits or more, P-256 or Ed25519, for RS256, PS256, ES256 or EdDSA.';
    throw refuse('INVALID_JWKS', message, 'keys', String(index));
  });
  return { keys: known };
}

/** The URL of a JWK Set that we fetch.
 * @throws InvalidInputError INVALID_URL */
export function checkJwksUri({ config }: Infrastructure, text: string): string {
  const problem = problemOfStrangerUrl(text, { allowLoopback: !config.production });
  if (problem) throw new InvalidInputError('INVALID_URL', problem, ['jwksUri']);
  return new URL(text).href;
}

/** Seconds that fetched keys are kept, and seconds before they are fetched anew for a key that is not among them. */
export const KEPT_SECONDS = 300;
export const AGAIN_SECONDS = 30;
const MAX_BYTES = 64 * 1024;
const MAX_KEPT = 1000;

interface Fetched {
  readonly at: Date;
  readonly keys: Promise<readonly JWK[]>;
}

const fetched = new Map<string, Fetched>();

/** The keys of a client, as new as they may be had where `kid` is not among them; none where they cannot be had. */
export async function keysOfClient(
  infrastructure: Infrastructure,
  environmentId: string,
  { applicationId, jwks, jwksUri }: Client,
  kid: string | undefined,
): Promise<readonly JWK[]> {
  if (!jwksUri) return jwks?.keys ?? [];
  const now = infrastructure.clock.now();
  const id = `${environmentId} ${applicationId} ${jwksUri}`;
  const fetchNow = () => {
    if (fetched.size >= MAX_KEPT) fetched.clear();
    const entry = { at: now, keys: fetchKeys(infrastructure, jwksUri) };
    fetched.set(id, entry);
    return entry;
  };
  const known = fetched.get(id);
  const entry = known && known.at > later(now, -KEPT_SECONDS) ? known : fetchNow();
  const keys = await entry.keys;
  if (keys.length > 0 && (kid === undefined || keys.some((key) => key.kid === kid))) return keys;
  return entry.at > later(now, -AGAIN_SECONDS) ? keys : fetchNow().keys;
}

/** What is no usable key is left out: a set may hold keys for other purposes. */
async function fetchKeys({ config, log }: Infrastructure, uri: string): Promise<readonly JWK[]> {
  try {
    const text = await getFromStranger(new URL(uri), MAX_BYTES, { allowLoopback: !config.production });
    return (keysIn(JSON.parse(text)) ?? []).flatMap((key) => publicJwk(key) ?? []);
  } catch (error) {
    log.info({ error: (error as Error).name }, 'the keys of an application could not be fetched');
    return [];
  }
}
