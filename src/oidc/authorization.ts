/**
 * The authorization endpoint's request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1): one ordered table of checks.
 * Until the client and its redirect URI are known to be right nothing may be sent there: every failure is a page.
 * Parameters that are unknown are ignored, and empty ones count as absent.
 */

import { managementAudience } from '../features/apis/service.ts';
import { isRegistered } from '../features/applications/callback-urls.ts';
import { type Client, findClient } from '../features/applications/service.ts';
import type { Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import type { AuthorizationRequest } from '../features/sign-in-attempts/service.ts';
import { isEmail } from '../features/text.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { PageError } from './errors.ts';
import { parseAudiences, parseScopes } from './scopes.ts';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** A checked request, and what the pages should open with. */
export interface Authorization {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly prompt: 'none' | 'login' | 'create' | undefined;
  /** Seconds since the person last proved who they are, at most. */
  readonly maxAge: number | undefined;
}

interface Draft {
  readonly infrastructure: Infrastructure;
  readonly tenancy: Tenancy;
  readonly query: Query;
  client: Client;
  redirectUri: string;
  responseMode: 'query' | 'fragment';
  codeChallenge: string | null;
  audiences: string[];
  organizationId: string | null;
  prompt: Authorization['prompt'];
  maxAge: number | undefined;
}

const CHECKS: readonly ((draft: Draft) => void | Promise<void>)[] = [
  singleValues,
  knownClient,
  registeredRedirectUri,
  responseType,
  responseMode,
  proofKey,
  prompt,
  maxAge,
  audience,
  organization,
];

/** Runs the checks in their order.
 * @throws PageError with what is wrong, for the person at the browser */
export async function checkAuthorization(infrastructure: Infrastructure, tenancy: Tenancy, query: Query): Promise<Authorization> {
  const draft = { infrastructure, tenancy, query } as Draft;
  for (const check of CHECKS) await check(draft);
  const { client, redirectUri, responseMode, codeChallenge, audiences, organizationId } = draft;
  return {
    client,
    prompt: draft.prompt,
    maxAge: draft.maxAge,
    request: {
      clientId: client.clientId,
      redirectUri,
      responseMode,
      codeChallenge,
      audiences,
      organizationId,
      scopes: parseScopes(value(query, 'scope')),
      state: value(query, 'state') ?? null,
      nonce: value(query, 'nonce') ?? null,
      loginHint: emailHint(value(query, 'login_hint')),
      requestedAt: epochSeconds(infrastructure.clock.now()),
    },
  };
}

/** The redirect URI with the answer's parameters, and `iss` against mix-up (RFC 9207). */
export function answer(
  request: Pick<AuthorizationRequest, 'redirectUri' | 'responseMode' | 'state'>,
  issuer: string,
  parameters: Record<string, string>,
): string {
  const all = new URLSearchParams({ ...parameters, ...(request.state !== null && { state: request.state }), iss: issuer });
  if (request.responseMode === 'fragment') return `${request.redirectUri}#${all}`;
  return `${request.redirectUri}${request.redirectUri.includes('?') ? '&' : '?'}${all}`;
}

/** The parameters that are read, each with its greatest length. `audience` may be repeated; any other name is ignored. */
const MAX_LENGTH: Record<string, number> = {
  client_id: 200,
  redirect_uri: 2048,
  response_type: 100,
  response_mode: 100,
  scope: 1024,
  state: 4096,
  nonce: 1024,
  code_challenge: 128,
  code_challenge_method: 100,
  prompt: 100,
  start_page: 100,
  login_hint: 320,
  max_age: 100,
  org_code: 100,
  request: 8192,
  request_uri: 8192,
};

function singleValues({ query }: Draft): void {
  for (const [name, max] of Object.entries(MAX_LENGTH)) {
    const given = query[name];
    if (Array.isArray(given)) throw malformed(`The parameter ${name} is given more than once.`);
    if (given && given.length > max) throw malformed(`The parameter ${name} is too long.`);
    if (given?.includes('\0')) throw malformed(`The parameter ${name} holds a character that no text has.`);
  }
}

async function knownClient(draft: Draft): Promise<void> {
  const clientId = value(draft.query, 'client_id');
  if (!clientId) throw malformed('The parameter client_id is missing.');
  const client = await findClient(draft.infrastructure, draft.tenancy.environmentId, clientId);
  if (!client)
    throw new PageError(
      400,
      'Unknown application',
      'No application with this client_id is registered here. Check the client id and the issuer in the application’s settings.',
      1656,
    );
  if (client.type === 'm2m' || client.type === 'device')
    throw new PageError(400, 'Wrong kind of application', 'People do not sign in to applications of this type in a browser.', 1656);
  draft.client = client;
}

function registeredRedirectUri(draft: Draft): void {
  const redirectUri = value(draft.query, 'redirect_uri');
  if (!redirectUri) throw malformed('The parameter redirect_uri is missing.');
  if (!isRegistered(draft.client.callbackUrls, redirectUri)) {
    throw new PageError(
      400,
      'Callback URL not allowed',
      'The redirect_uri of this request is not one of the application’s callback URLs. They must be the same, letter for letter.',
      1656,
    );
  }
  draft.redirectUri = redirectUri;
}

function responseType({ query }: Draft): void {
  if (value(query, 'response_type') !== 'code') throw malformed('The response_type must be code.');
  if (value(query, 'request') || value(query, 'request_uri')) throw malformed('Request objects are not supported.');
}

function responseMode(draft: Draft): void {
  const mode = value(draft.query, 'response_mode') ?? 'query';
  if (mode !== 'query' && mode !== 'fragment') throw malformed('The response_mode must be query or fragment.');
  draft.responseMode = mode;
}

function proofKey(draft: Draft): void {
  const challenge = value(draft.query, 'code_challenge');
  const method = value(draft.query, 'code_challenge_method');
  if (!challenge && method) throw malformed('There is a code_challenge_method without a code_challenge.');
  if (challenge && method !== 'S256') throw malformed('The code_challenge_method must be S256.');
  if (challenge && !/^[A-Za-z0-9_-]{43}$/.test(challenge)) throw malformed('The code_challenge is not a SHA-256 in base64url.');
  if (!challenge && !draft.client.secretHash) throw malformed('Applications without a secret must use PKCE: code_challenge is missing.');
  draft.codeChallenge = challenge ?? null;
}

function prompt(draft: Draft): void {
  const given = value(draft.query, 'prompt');
  const page = value(draft.query, 'start_page');
  if (given === 'none' || given === 'login' || given === 'create') draft.prompt = given;
  else if (given) throw malformed('The prompt must be none, login or create.');
  else if (page === 'registration') draft.prompt = 'create';
}

function maxAge(draft: Draft): void {
  const given = value(draft.query, 'max_age');
  if (given === undefined) return;
  if (!/^\d{1,9}$/.test(given)) throw malformed('The max_age must be a number of seconds.');
  draft.maxAge = Number(given);
}

/** Only audiences that the application is authorised for get into tokens; others are left out. */
function audience(draft: Draft): void {
  const allowed = draft.client.apis.map((api) => (api.isManagement ? managementAudience(draft.tenancy.issuer) : api.audience));
  draft.audiences = parseAudiences(draft.query['audience']).filter((wanted) => allowed.includes(wanted));
}

function organization(draft: Draft): void {
  const code = value(draft.query, 'org_code');
  if (code && !/^org_[0-9a-f]{1,64}$/.test(code)) throw malformed('The org_code is not an organization code.');
  draft.organizationId = code ?? null;
}

function value(query: Query, name: string): string | undefined {
  const given = query[name];
  return typeof given === 'string' && given !== '' ? given : undefined;
}

function emailHint(hint: string | undefined): string | null {
  return hint && isEmail(hint) ? hint : null;
}

function malformed(message: string): PageError {
  return new PageError(400, 'This sign-in link does not work', `The application sent a request that cannot be used. ${message}`, 1656);
}
