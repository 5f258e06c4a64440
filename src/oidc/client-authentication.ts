/** Client authentication at the token endpoint (RFC 6749 §2.3): client_secret_post, client_secret_basic, or none for public clients. */
import { type Client, findClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import { sameText, sha256 } from '../security/secrets.ts';
import { OAuthError } from './errors.ts';

export type Form = Readonly<Record<string, string | string[] | undefined>>;

/** The single value of a parameter; empty counts as absent (RFC 6749 §3.2).
 * @throws OAuthError invalid_request when the parameter is repeated */
export function parameter(form: Form, name: string): string | undefined {
  const value = form[name];
  if (Array.isArray(value)) throw new OAuthError('invalid_request', `The parameter ${name} is given more than once.`);
  return value || undefined;
}

/** The client that a token request comes from, proved by its secret where it has one.
 * @throws OAuthError invalid_client; the same words for an unknown client and for a wrong secret */
export async function authenticateClient(
  infrastructure: Infrastructure,
  environmentId: string,
  authorization: string | undefined,
  form: Form,
): Promise<Client> {
  const given = credentials(authorization, form);
  if (!given.clientId) throw new OAuthError('invalid_client', 'The client_id is missing.');
  const client = await findClient(infrastructure, environmentId, given.clientId);
  if (!client || (client.secretHash !== null && !isSecretOf(client, given.secret)))
    throw new OAuthError('invalid_client', 'The client is unknown, or its secret is wrong.');
  return client;
}

/** Both secrets are always compared, so that the time says nothing about which of them there are. */
function isSecretOf({ secretHash, previousSecretHash }: Client, secret: string | undefined): boolean {
  if (secret === undefined) return false;
  const given = sha256(secret);
  return [secretHash, previousSecretHash].map((known) => sameText(given, known ?? NO_SECRET) && known !== null).includes(true);
}

/** As long as a digest, and none. */
const NO_SECRET = '-'.repeat(64);

function credentials(authorization: string | undefined, form: Form): { clientId: string | undefined; secret: string | undefined } {
  const body = { clientId: parameter(form, 'client_id'), secret: parameter(form, 'client_secret') };
  if (!/^Basic\b/i.test(authorization ?? '')) return body;
  const basic = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '');
  if (!basic) throw new OAuthError('invalid_client', 'The Authorization header cannot be read.');
  const [user, ...rest] = Buffer.from(basic[1]!, 'base64').toString('utf8').split(':');
  const clientId = decode(user);
  if (body.secret) throw new OAuthError('invalid_request', 'The client authenticates in two ways at once.');
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
