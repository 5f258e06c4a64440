/** The client registration endpoint (RFC 7591 §3), where the environment has one: for public clients and such with keys, without a secret. */
import { checkCallbackUrl, checkWebUrl, isOpen } from '../features/applications/callback-urls.ts';
import { checkJwks, checkJwksUri } from '../features/applications/keys/service.ts';
import type { Context } from '../features/context.ts';
import { type ClientMetadata, countRegistration, registerClient } from '../features/dynamic-clients/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { requireText } from '../features/text.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import { OAuthError } from './errors.ts';
import { parseScopes } from './scopes.ts';

const GRANT_TYPES = ['authorization_code', 'refresh_token'];
const METHODS = ['none', 'private_key_jwt'] as const;
const MAX_REDIRECT_URIS = 10;
const MAX_NAME_LENGTH = 100;

/** Registers the client that `given`, a request's body, describes.
 * @throws OAuthError invalid_redirect_uri, invalid_client_metadata, or temporarily_unavailable beyond what may be registered in an hour */
export async function register(ctx: Context, tenancy: Tenancy, given: unknown): Promise<object> {
  const wait = await countRegistration(ctx, tenancy);
  if (wait !== undefined)
    throw new OAuthError('temporarily_unavailable', 'Too many applications were registered. Try again later.', { retryAfter: wait });
  const document = objectIn(given);
  const metadata = clientMetadata(ctx, document);
  const scope = optionalString(document, 'scope', 1000);
  const application = await registerClient(ctx, tenancy, metadata);
  const { name, redirectUris, homepageUri, jwks, jwksUri } = metadata;
  return {
    client_id: application.id.slice('app_'.length),
    client_id_issued_at: epochSeconds(application.createdAt),
    client_name: name,
    redirect_uris: redirectUris,
    ...(homepageUri && { client_uri: homepageUri }),
    token_endpoint_auth_method: jwks || jwksUri ? 'private_key_jwt' : 'none',
    ...(jwks && { jwks }),
    ...(jwksUri && { jwks_uri: jwksUri }),
    grant_types: GRANT_TYPES,
    response_types: ['code'],
    ...(scope !== undefined && { scope: parseScopes(scope).join(' ') }),
  };
}

/** What a client's metadata (RFC 7591 §2) come to here. What we have no use for is left out.
 * @throws OAuthError invalid_redirect_uri or invalid_client_metadata */
export function clientMetadata(ctx: Context, document: Readonly<Record<string, unknown>>): ClientMetadata {
  const redirectUris = redirectUrisIn(document['redirect_uris']);
  const method = document['token_endpoint_auth_method'] ?? 'none';
  if (!(METHODS as readonly unknown[]).includes(method))
    throw invalid(`The token_endpoint_auth_method is one of ${METHODS.join(', ')}: no secret is given out here.`);
  assertAmong(document, 'grant_types', GRANT_TYPES);
  assertAmong(document, 'response_types', ['code']);
  const homepageUri = optionalString(document, 'client_uri', 2000);
  const problem = homepageUri === undefined ? undefined : checkWebUrl(homepageUri);
  if (problem) throw invalid(`client_uri: ${problem}`);
  const name = optionalString(document, 'client_name', MAX_NAME_LENGTH);
  if (name && /\p{C}|\p{Zl}|\p{Zp}/u.test(name)) throw invalid('The client_name holds characters that cannot be seen.');
  return {
    name: name === undefined ? hostOf(redirectUris[0]!) : checked('client_name', () => requireText(name, 'client_name')),
    redirectUris,
    homepageUri,
    ...(method === 'private_key_jwt' && keysIn(ctx, document)),
  };
}

/** @throws OAuthError invalid_client_metadata for anything but a JSON object */
export function objectIn(given: unknown): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid('The client metadata are a JSON object.');
  return given as Record<string, unknown>;
}

function redirectUrisIn(given: unknown): string[] {
  const refuse = (description: string) => new OAuthError('invalid_redirect_uri', description);
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_REDIRECT_URIS)
    throw refuse(`The redirect_uris are a list of 1 to ${MAX_REDIRECT_URIS} URLs.`);
  for (const uri of given) {
    if (typeof uri !== 'string') throw refuse('Each of the redirect_uris is a URL.');
    const problem = isOpen(uri) ? 'A URL has no wildcard, and no place for a handle.' : checkCallbackUrl(uri);
    if (problem) throw refuse(`redirect_uris: ${problem}`);
  }
  return [...new Set(given as string[])];
}

function keysIn(ctx: Context, { jwks, jwks_uri }: Readonly<Record<string, unknown>>): Pick<ClientMetadata, 'jwks' | 'jwksUri'> {
  if ((jwks === undefined) === (jwks_uri === undefined)) throw invalid('With private_key_jwt there is one of jwks and jwks_uri.');
  if (jwks !== undefined) return { jwks: checked('jwks', () => checkJwks(jwks)) };
  if (typeof jwks_uri !== 'string') throw invalid('The jwks_uri is a URL.');
  return { jwksUri: checked('jwks_uri', () => checkJwksUri(ctx, jwks_uri)) };
}

function assertAmong(document: Readonly<Record<string, unknown>>, name: string, known: readonly string[]): void {
  const given = document[name];
  if (given === undefined) return;
  if (!Array.isArray(given) || given.length > known.length || !given.every((one) => known.includes(one)))
    throw invalid(`The ${name} are of ${known.join(', ')}.`);
}

function optionalString(document: Readonly<Record<string, unknown>>, name: string, max: number): string | undefined {
  const given = document[name];
  if (given === undefined || given === null || given === '') return undefined;
  if (typeof given !== 'string' || given.length > max) throw invalid(`The ${name} is a text of at most ${max} characters.`);
  return given;
}

function hostOf(redirectUri: string): string {
  const { host, protocol } = new URL(redirectUri);
  return host || protocol.slice(0, -1);
}

/** What a check of the graph's finds, in the words of the protocol. */
function checked<Result>(name: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof InvalidInputError) throw invalid(`${name}: ${error.message}`);
    throw error;
  }
}

function invalid(description: string): OAuthError {
  return new OAuthError('invalid_client_metadata', description);
}
