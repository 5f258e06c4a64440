/**
 * The authorization endpoint's request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1): one ordered table of checks.
 * Until the client and its redirect URI are known to be right nothing may be sent there: every failure is a page.
 */

import { managementAudience } from '../features/apis/service.ts';
import { registeredFor } from '../features/applications/organization-urls.ts';
import { type Client, findClient } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { type OpenInvitation, openInvitation } from '../features/organization-invitations/acceptance.ts';
import { isPushedRequestUri, takePushedRequest } from '../features/pushed-requests/service.ts';
import type { AuthorizationRequest } from '../features/sign-in-attempts/service.ts';
import { isEmail, isPhone, isUsername } from '../features/text.ts';
import { epochSeconds } from '../kernel/clock.ts';
import { askedLanguages } from '../languages/languages.ts';
import { clientOfDocument, isDocumentUrl } from './client-id-metadata-document.ts';
import { invitationGone, PageError, RedirectError } from './errors.ts';
import { hintedSubject } from './id-token-hint.ts';
import {
  assertSingleValues,
  malformed,
  marketingTags,
  type Query,
  readKnown,
  reauthState,
  value,
  values,
  withReauthState,
} from './parameters.ts';
import { namingAudiences } from './protected-resource.ts';
import { parseScopes } from './scopes.ts';

/** The prompts that a request may name, several with spaces between them; `none` alone. */
export const PROMPTS = ['none', 'login', 'create', 'consent', 'select_account'] as const;

/** A checked request, and what the pages should open with. */
export interface Authorization {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  /** Which page a person is shown in any case, or that there may be none. A consent is the operator's for applications of its own; strangers' ask for one by the request's `asksConsent`. */
  readonly prompt: 'none' | 'login' | 'create' | undefined;
  /** Seconds since the person last proved who they are, at most. */
  readonly maxAge: number | undefined;
  /** The only user whose session will do; null when the hint names nobody. */
  readonly hintedUserId: string | null | undefined;
  readonly invitation: OpenInvitation | undefined;
  /** What the application is told instead of an answer. */
  readonly refusal: RedirectError | undefined;
}

interface Draft {
  readonly ctx: Context;
  readonly tenancy: Tenancy;
  query: Query;
  /** Did the application hand the request in by itself? */
  isPushed: boolean;
  client: Client;
  redirectUri: string;
  /** The organization whose own the redirect URI is; null for one of everybody's. */
  redirectsTo: string | null;
  responseMode: AuthorizationRequest['responseMode'];
  codeChallenge: string | null;
  audiences: string[];
  organizationId: string | null;
  newOrganization: AuthorizationRequest['newOrganization'];
  prompt: Authorization['prompt'];
  asksConsent: boolean;
  maxAge: number | undefined;
  hintedUserId: string | null | undefined;
  invitation: OpenInvitation | undefined;
  refusal: RedirectError | undefined;
}

const CHECKS: readonly ((draft: Draft) => void | Promise<void>)[] = [
  singleValues,
  pushedRequest,
  knownClient,
  howItCame,
  registeredRedirectUri,
  responseType,
  responseMode,
  requestObject,
  proofKey,
  dpopKey,
  prompt,
  maxAge,
  idTokenHint,
  audience,
  organization,
  connection,
  newOrganization,
  invitation,
  organizationOfRedirectUri,
];

/** What a request wants that is refused before it was asked. */
const NOTHING_YET: Partial<Draft> = { codeChallenge: null, audiences: [], organizationId: null, newOrganization: null, asksConsent: false };

/** Runs the checks in their order, up to the first that has something to tell the application.
 * @param by the browser, or the application itself that pushes the request (RFC 9126)
 * @throws PageError with what is wrong, for the person at the browser */
export async function checkAuthorization(
  ctx: Context,
  tenancy: Tenancy,
  query: Query,
  by: 'browser' | 'application' = 'browser',
): Promise<Authorization> {
  const draft = { ...NOTHING_YET, ctx, tenancy, query: withReauthState(query), isPushed: by === 'application' } as Draft;
  for (const check of CHECKS) if (!draft.refusal) await check(draft);
  const { client, redirectUri, responseMode, codeChallenge, audiences, organizationId, newOrganization, invitation } = draft;
  return {
    client,
    prompt: draft.prompt,
    maxAge: draft.maxAge,
    hintedUserId: draft.hintedUserId,
    invitation,
    refusal: draft.refusal,
    request: {
      clientId: client.clientId,
      redirectUri,
      responseMode,
      codeChallenge,
      audiences,
      organizationId: invitation?.organizationId ?? organizationId,
      newOrganization: invitation ? null : newOrganization,
      invitationId: invitation?.id ?? null,
      scopes: parseScopes(value(draft.query, 'scope')),
      state: value(draft.query, 'state') ?? null,
      nonce: value(draft.query, 'nonce') ?? null,
      dpopJkt: value(draft.query, 'dpop_jkt') ?? null,
      ...(draft.hintedUserId && { hintedUserId: draft.hintedUserId }),
      loginHint: invitation?.email ?? loginHint(value(draft.query, 'login_hint')),
      lang: askedLanguages(draft.query),
      asksConsent: draft.asksConsent,
      hasSuccessPage: isTrue(draft.query, 'has_success_page') || isTrue(draft.query, 'is_use_auth_success_page'),
      // An invitation's code may be in it, which is kept nowhere in the open.
      reauthState: isTrue(draft.query, 'supports_reauth') ? ctx.vault.seal('reauth state', reauthState(draft.query)) : null,
      marketingTags: marketingTags(draft.query),
      requestedAt: epochSeconds(ctx.clock.now()),
    },
  };
}

function singleValues({ query }: Draft): void {
  assertSingleValues(query);
}

/** A request that was pushed stands in the place of all that comes with its `request_uri` (RFC 9126 §4). */
async function pushedRequest(draft: Draft): Promise<void> {
  const uri = value(draft.query, 'request_uri');
  if (!uri) return;
  if (draft.isPushed) throw malformed('A request_uri is what the endpoint for pushed requests has answered.');
  if (!isPushedRequestUri(uri)) return;
  const clientId = value(draft.query, 'client_id') ?? '';
  const parameters = await takePushedRequest(draft.ctx, draft.tenancy.environmentId, clientId, uri);
  if (parameters === undefined) throw malformed('The request_uri is unknown, has expired, or was used already.');
  draft.query = withReauthState(readKnown(parameters));
  draft.isPushed = true;
  assertSingleValues(draft.query);
}

async function knownClient(draft: Draft): Promise<void> {
  const clientId = value(draft.query, 'client_id');
  if (!clientId) throw malformed('The parameter client_id is missing.');
  const client = isDocumentUrl(clientId)
    ? await clientOfDocument(draft.ctx, draft.tenancy, clientId)
    : await findClient(draft.ctx, draft.tenancy.environmentId, clientId);
  if (!client) throw new PageError(400, 'unknown_application', { number: 1656 });
  if (client.type === 'm2m' || client.type === 'device') throw new PageError(400, 'wrong_application', { number: 1656 });
  draft.client = client;
}

function howItCame({ client, isPushed }: Draft): void {
  if (client.requirePushedAuthorizationRequests && !isPushed) throw malformed('This application has to push its requests.');
}

async function registeredRedirectUri(draft: Draft): Promise<void> {
  const redirectUri = value(draft.query, 'redirect_uri');
  if (!redirectUri) throw malformed('The parameter redirect_uri is missing.');
  const organizationId = await registeredFor(draft.ctx, draft.tenancy.environmentId, draft.client.callbackUrls, redirectUri);
  if (organizationId === undefined) throw new PageError(400, 'callback_url', { number: 1656 });
  draft.redirectUri = redirectUri;
  draft.redirectsTo = organizationId;
}

function responseType({ query }: Draft): void {
  if (value(query, 'response_type') !== 'code') throw malformed('The response_type must be code.');
}

function responseMode(draft: Draft): void {
  const mode = value(draft.query, 'response_mode') ?? 'query';
  if (mode !== 'query' && mode !== 'fragment' && mode !== 'form_post')
    throw malformed('The response_mode must be query, fragment or form_post.');
  if (mode === 'form_post' && !/^https?:/.test(draft.redirectUri)) throw malformed('A form can be posted to http and https only.');
  draft.responseMode = mode;
}

/** Request objects are not supported, which OpenID Connect has codes for (Core §3.1.2.6). What one says is not read. */
function requestObject(draft: Draft): void {
  if (value(draft.query, 'request')) draft.refusal = new RedirectError('request_not_supported', 'Request objects are not supported.');
  else if (value(draft.query, 'request_uri'))
    draft.refusal = new RedirectError('request_uri_not_supported', 'A request_uri is what the endpoint for pushed requests has answered.');
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

/** The thumbprint of the key that the code will be bound to (RFC 9449 §10). */
function dpopKey({ query }: Draft): void {
  const thumbprint = value(query, 'dpop_jkt');
  if (thumbprint && !/^[A-Za-z0-9_-]{43}$/.test(thumbprint)) throw malformed('The dpop_jkt is not a SHA-256 in base64url.');
}

function prompt(draft: Draft): void {
  const given = value(draft.query, 'prompt')?.split(' ').filter(Boolean) ?? [];
  if (!given.every((one) => (PROMPTS as readonly string[]).includes(one))) throw malformed(`The prompt must be of ${PROMPTS.join(', ')}.`);
  if (given.includes('none') && given.length > 1) throw malformed('The prompt none stands alone.');
  draft.asksConsent = given.includes('consent');
  // SDKs for phones send prompt=login whichever page they mean, and say which by start_page.
  if (given.includes('none')) draft.prompt = 'none';
  else if (given.includes('create') || value(draft.query, 'start_page') === 'registration') draft.prompt = 'create';
  else if (given.includes('login') || given.includes('select_account')) draft.prompt = 'login';
}

function maxAge(draft: Draft): void {
  const given = value(draft.query, 'max_age');
  if (given === undefined) return;
  if (!/^\d{1,9}$/.test(given)) throw malformed('The max_age must be a number of seconds.');
  draft.maxAge = Number(given);
}

/** A hint that is no ID token of ours for this application names nobody, rather than anybody. */
async function idTokenHint(draft: Draft): Promise<void> {
  const hint = value(draft.query, 'id_token_hint');
  if (hint) draft.hintedUserId = (await hintedSubject(draft.ctx, draft.tenancy, hint, draft.client.clientId)) ?? null;
}

/** Only audiences that the application is authorised for get into tokens. Others are left out, but for a `resource`, whose RFC knows an answer (RFC 8707 §2). */
function audience(draft: Draft): void {
  const allowed = draft.client.apis.map((api) => (api.isManagement ? managementAudience(draft.tenancy.issuer) : api.audience));
  const resources = values(namingAudiences(draft.query, draft.ctx, draft.tenancy), 'resource');
  if (!resources.every((resource) => allowed.includes(resource)))
    draft.refusal = new RedirectError('invalid_target', 'The application is not authorised for this resource.');
  draft.audiences = [...new Set([...values(draft.query, 'audience'), ...resources])].filter((wanted) => allowed.includes(wanted));
}

function organization(draft: Draft): void {
  const code = value(draft.query, 'org_code');
  if (code && !/^org_[0-9a-f]{1,64}$/.test(code)) throw malformed('The org_code is not an organization code.');
  draft.organizationId = code ?? null;
}

/** A connection that is not there is no reason to keep anybody from signing in another way. */
function connection({ query }: Draft): void {
  const id = value(query, 'connection_id');
  if (id && !/^conn_[0-9a-f]{1,64}$/.test(id)) throw malformed('The connection_id is not the id of a connection.');
}

/** Whoever is to come with an organization of their own signs up. */
function newOrganization(draft: Draft): void {
  draft.newOrganization = null;
  if (!isTrue(draft.query, 'is_create_org')) return;
  draft.newOrganization = {
    name:
      value(draft.query, 'org_name')
        ?.replace(/\p{Cc}/gu, ' ')
        .trim() || null,
  };
  if (draft.prompt === undefined) draft.prompt = 'create';
}

async function invitation(draft: Draft): Promise<void> {
  const code = value(draft.query, 'invitation_code');
  if (!code || draft.prompt === 'none') return;
  const found = await openInvitation(draft.ctx, draft.tenancy.environmentId, code);
  if (found === 'off') throw new PageError(403, 'invitations_off');
  if (found === 'unusable') throw invitationGone();
  draft.invitation = found;
}

/** What goes to an organization's own URL is for that organization, and so is the request that names no other. */
function organizationOfRedirectUri(draft: Draft): void {
  const { redirectsTo, invitation, newOrganization } = draft;
  if (redirectsTo === null) return;
  const wanted = invitation ? invitation.organizationId : draft.organizationId;
  if ((wanted ?? redirectsTo) !== redirectsTo || (newOrganization && !invitation))
    throw new PageError(400, 'callback_url', { number: 1656 });
  draft.organizationId = redirectsTo;
}

function isTrue(query: Query, name: string): boolean {
  return value(query, name) === 'true';
}

/** What to sign in with: an address, `phone:<E.164>:<country>` or `username:<name>`. What is none of these is no reason to refuse. */
function loginHint(hint: string | undefined): string | null {
  if (!hint) return null;
  const [kind, text = '', country] = hint.split(':');
  if (kind === 'phone') return isPhone(text) && /^[a-z]{2}$/i.test(country ?? 'us') ? hint : null;
  return (kind === 'username' ? isUsername(text) && hint === `username:${text}` : isEmail(hint)) ? hint : null;
}
