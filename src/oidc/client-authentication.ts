/** Client authentication at the token endpoint (RFC 6749 §2.3): client_secret_post, client_secret_basic, private_key_jwt, or none for public clients. */
import { type Client, findClient, hasSecret } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { sameText, sha256 } from '../security/secrets.ts';
import { ASSERTION_TYPE, clientOfAssertion } from './client-assertion.ts';
import { OAuthError } from './errors.ts';

export type Form = Readonly<Record<string, string | string[] | undefined>>;

/** The single value of a parameter; empty counts as absent (RFC 6749 §3.2).
 * @throws OAuthError invalid_request when the parameter is repeated */
export function parameter(form: Form, name: string): string | undefined {
  const value = form[name];
  if (Array.isArray(value)) throw new OAuthError('invalid_request', `The parameter ${name} is given more than once.`);
  return value || undefined;
}

/** The client that a token request comes from, proved by its keys or its secret where it has either.
 * @throws OAuthError invalid_client; the same words for an unknown client and for a wrong proof */
export async function authenticateClient(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  authorization: string | undefined,
  form: Form,
): Promise<Client> {
  const given = credentials(authorization, form);
  if (given.assertion !== undefined) {
    const client = await clientOfAssertion(infrastructure, tenancy, given.assertion);
    if (!client || (given.clientId && given.clientId !== client.clientId)) throw unproved();
    return client;
  }
  if (!given.clientId) throw new OAuthError('invalid_client', 'The client_id is missing.');
  const client = await findClient(infrastructure, tenancy.environmentId, given.clientId);
  if (!client || (hasProof(client) && !isSecretOf(client, given.secret))) throw unproved();
  return client;
}

/** Is there something that only the client itself can know? Then {@link authenticateClient} has asked for it. */
export function hasProof({ type, secretHash, jwks, jwksUri }: Client): boolean {
  return hasSecret(type) || secretHash !== null || jwks !== null || jwksUri !== null;
}

function unproved(): OAuthError {
  return new OAuthError('invalid_client', 'The client is unknown, or what it proves itself by is wrong.');
}

/** Both secrets are always compared, so that the time says nothing about which of them there are. */
function isSecretOf({ secretHash, previousSecretHash, jwks, jwksUri }: Client, secret: string | undefined): boolean {
  if (secret === undefined || jwks || jwksUri) return false;
  const given = sha256(secret);
  return [secretHash, previousSecretHash].map((known) => sameText(given, known ?? NO_SECRET) && known !== null).includes(true);
}

/** As long as a digest, and none. */
const NO_SECRET = '-'.repeat(64);

interface Credentials {
  readonly clientId: string | undefined;
  readonly secret?: string | undefined;
  readonly assertion?: string | undefined;
}

function credentials(authorization: string | undefined, form: Form): Credentials {
  const body = { clientId: parameter(form, 'client_id'), secret: parameter(form, 'client_secret') };
  const assertion = parameter(form, 'client_assertion');
  const isBasic = /^Basic\b/i.test(authorization ?? '');
  if ([body.secret, assertion, isBasic || undefined].filter((way) => way !== undefined).length > 1)
    throw new OAuthError('invalid_request', 'The client authenticates in two ways at once.');
  if (assertion !== undefined || parameter(form, 'client_assertion_type') !== undefined) {
    if (form['client_assertion_type'] !== ASSERTION_TYPE || assertion === undefined)
      throw new OAuthError('invalid_client', `The client_assertion_type must be ${ASSERTION_TYPE}, with a client_assertion.`);
    return { clientId: body.clientId, assertion };
  }
  if (!isBasic) return body;
  const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '');
  if (!basic) throw new OAuthError('invalid_client', 'The Authorization header cannot be read.');
  const [user, ...rest] = Buffer.from(basic[1]!, 'base64').toString('utf8').split(':');
  const clientId = decode(user);
  if (body.clientId && body.clientId !== clientId)
    throw new OAuthError('invalid_request', 'The client_id differs from the Authorization header.');
  return { clientId, secret: decode(rest.join(':')) };
}

function decode(text: string | undefined): string {
  try {
    return decodeURIComponent((text ?? '').replaceAll('+', ' '));
  } catch {
    return text ?? '';
  }
}
