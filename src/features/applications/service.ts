/** Applications: the OAuth clients of an environment. A client secret is shown once, and kept only as a digest. */
import type { JWK } from 'jose';
import type { PermissionName } from '../../access/permissions.ts';
import type { Application } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId, randomAlphanumeric } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { problemOfStrangerUrl } from '../../security/strangers.ts';
import { audit } from '../audit/service.ts';
import {
  action,
  atVersion,
  type Context,
  environmentScope,
  type Infrastructure,
  NEXT_VERSION,
  type Scope,
  scopeOfRow,
} from '../context.ts';
import { revokeGrants } from '../grants/service.ts';
import { assertPlanHas } from '../plans.ts';
import { SESSION_SECONDS } from '../sessions/service.ts';
import { changedOptionalText, changedText, requireText } from '../text.ts';
import { checkCallbackUrl, checkLoginUri, checkWebUrl } from './callback-urls.ts';

export { loginUriWith } from './callback-urls.ts';

/** reg: back-end web; spa: front-end and mobile; m2m: machine to machine; device: devices and IoT. */
export const APPLICATION_TYPES = ['reg', 'spa', 'm2m', 'device'] as const;
export type ApplicationType = (typeof APPLICATION_TYPES)[number];

/** How people sign in with an identity of a kind; never by a code and by a password at once. */
export const EMAIL_SIGN_INS = ['code', 'password', 'off'] as const;
export type EmailSignIn = (typeof EMAIL_SIGN_INS)[number];
export type PhoneSignIn = Exclude<EmailSignIn, 'password'>;
/** A code goes to the address of the user who has the name. */
export type UsernameSignIn = EmailSignIn;

export interface CreateApplicationInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly type: ApplicationType;
  /** The only organization that a machine acts for. */
  readonly organizationId?: string | null | undefined;
  readonly callbackUrls?: readonly string[] | null | undefined;
  readonly logoutUrls?: readonly string[] | null | undefined;
  readonly emailSignIn?: EmailSignIn | null | undefined;
}

/** An application with the secret that is shown this once, where its type has one. */
export interface ApplicationWithSecret {
  readonly application: Application;
  readonly clientSecret: string | undefined;
}

/** Makes an application.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_URL, TOO_MANY_URLS, NOT_A_MACHINE or PLAN_LIMIT
 * @throws NotFoundError when the environment has no such organization */
export const createApplication = action({
  permission: 'create:applications',
  scope: (ctx, input: CreateApplicationInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope) {
    const { organizationId } = input;
    if (organizationId) await checkOrganization(ctx, scope, input.type, organizationId);
    return createApplicationRow(ctx, scope, input);
  },
});

async function checkOrganization(ctx: Context, scope: Scope, type: ApplicationType, id: string): Promise<void> {
  const { environmentId, businessId } = scope;
  if (type !== 'm2m') throw new InvalidInputError('NOT_A_MACHINE', 'Only a machine acts for one organization.', ['organizationId']);
  if ((await ctx.db.organization.count({ where: { environmentId, id } })) === 0)
    throw new NotFoundError('organization', ['organizationId']);
  await assertPlanHas(ctx, businessId, 'organizationMachines', ['organizationId']);
}

/** Writes an application; the caller has checked the permission. */
export async function createApplicationRow(
  ctx: Context,
  scope: Scope,
  input: Omit<CreateApplicationInput, 'environmentId'>,
): Promise<ApplicationWithSecret> {
  const { environmentId, businessId } = scope;
  const clientSecret = hasSecret(input.type) ? newClientSecret() : undefined;
  const application = await ctx.db.application.create({
    data: {
      environmentId,
      id: newId('application'),
      name: requireText(input.name, 'name'),
      type: input.type,
      organizationId: input.organizationId ?? null,
      secretHash: clientSecret ? sha256(clientSecret) : null,
      emailSignIn: input.emailSignIn ?? 'code',
      callbackUrls: checkUrls(input.callbackUrls ?? [], 'callbackUrls'),
      logoutUrls: checkUrls(input.logoutUrls ?? [], 'logoutUrls'),
    },
  });
  await audit(ctx, {
    businessId,
    environmentId,
    action: 'application.created',
    target: { type: 'application', id: application.id },
    details: { type: input.type },
  });
  return { application, clientSecret };
}

/** Seconds without activity after which a session is over for an application. */
export const INACTIVITY_BOUNDS = { min: 60, max: SESSION_SECONDS };

export interface UpdateApplicationInput {
  readonly applicationId: string;
  readonly name?: string | null | undefined;
  readonly loginUri?: string | null | undefined;
  readonly homepageUri?: string | null | undefined;
  readonly backchannelLogoutUri?: string | null | undefined;
  readonly emailSignIn?: EmailSignIn | null | undefined;
  readonly phoneSignIn?: PhoneSignIn | null | undefined;
  readonly usernameSignIn?: UsernameSignIn | null | undefined;
  readonly asksForNames?: boolean | null | undefined;
  readonly showsSignInLink?: boolean | null | undefined;
  readonly asksMarketingConsent?: boolean | null | undefined;
  readonly isSessionPersistent?: boolean | null | undefined;
  readonly sessionInactivityTimeout?: number | null | undefined;
  readonly requirePushedAuthorizationRequests?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes an application: its name, its pages, how people sign in to it, and how long they stay signed in.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_URL, INVALID_TIMEOUT or CONFLICT */
export const updateApplication = action({
  permission: 'update:applications',
  scope: applicationScope,
  async run(ctx, input: UpdateApplicationInput, { environmentId, businessId }): Promise<Application> {
    const { applicationId, sessionInactivityTimeout } = input;
    const { min, max } = INACTIVITY_BOUNDS;
    if (sessionInactivityTimeout != null && (sessionInactivityTimeout < min || sessionInactivityTimeout > max))
      throw new InvalidInputError('INVALID_TIMEOUT', `This is a number of seconds from ${min} to ${max}.`, ['sessionInactivityTimeout']);
    const application = await ctx.db.application.update({
      where: { environmentId_id: { environmentId, id: applicationId }, ...atVersion(input) },
      data: {
        name: changedText(input.name, 'name'),
        loginUri: changedUri(input.loginUri, 'loginUri', checkLoginUri),
        homepageUri: changedUri(input.homepageUri, 'homepageUri', checkWebUrl),
        backchannelLogoutUri: changedStranger(ctx, input.backchannelLogoutUri, 'backchannelLogoutUri'),
        emailSignIn: input.emailSignIn ?? undefined,
        phoneSignIn: input.phoneSignIn ?? undefined,
        usernameSignIn: input.usernameSignIn ?? undefined,
        asksForNames: input.asksForNames ?? undefined,
        showsSignInLink: input.showsSignInLink ?? undefined,
        asksMarketingConsent: input.asksMarketingConsent ?? undefined,
        isSessionPersistent: input.isSessionPersistent ?? undefined,
        sessionInactivityTimeout: sessionInactivityTimeout ?? undefined,
        requirePushedRequests: input.requirePushedAuthorizationRequests ?? undefined,
        ...NEXT_VERSION,
      },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.updated',
      target: { type: 'application', id: applicationId },
      details: { fields: Object.keys(input).sort() },
    });
    return application;
  },
});

/** Deletes an application with everything that was issued to it: nobody is signed in to it any more, and its tokens end. */
export const deleteApplication = action({
  permission: 'delete:applications',
  scope: applicationScope,
  async run(ctx, { applicationId }: { readonly applicationId: string }, { environmentId, businessId }): Promise<{ deletedId: string }> {
    await revokeGrants(ctx, environmentId, { applicationId });
    await ctx.db.environment.updateMany({
      where: { id: environmentId, invitationApplicationId: applicationId },
      data: { invitationApplicationId: null },
    });
    await ctx.db.application.delete({ where: { environmentId_id: { environmentId, id: applicationId } } });
    await audit(ctx, { businessId, environmentId, action: 'application.deleted', target: { type: 'application', id: applicationId } });
    return { deletedId: applicationId };
  },
});

/** The environment of the application that an input names, within the actor's reach. */
export function applicationScope(ctx: Context, input: { readonly applicationId: string }, permission: PermissionName): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'application', 'applicationId', (environmentId) =>
    ctx.db.application.findFirst({
      where: { ...(environmentId && { environmentId }), id: input.applicationId },
      select: { environmentId: true },
    }),
  );
}

/** Lets one change of an application through at a time: what was read of it is still so when it is written. */
export async function lockApplication(ctx: Context, { environmentId }: Scope, applicationId: string): Promise<Application> {
  await ctx.db.$queryRaw`SELECT id FROM applications WHERE environment_id = ${environmentId} AND id = ${applicationId} FOR NO KEY UPDATE`;
  return ctx.db.application.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: applicationId } } });
}

/** A client as the protocol sees it. */
export interface Client {
  /** The application's id, `app_` and the client id. */
  readonly applicationId: string;
  readonly clientId: string;
  readonly name: string;
  readonly type: ApplicationType;
  readonly secretHash: string | null;
  /** The one before it, which a rotation kept working. */
  readonly previousSecretHash: string | null;
  /** Where it has either, it proves itself by these keys and by no secret. */
  readonly jwks: { readonly keys: readonly JWK[] } | null;
  readonly jwksUri: string | null;
  /** The only organization that a machine acts for. */
  readonly organization: { readonly id: string; readonly isSuspended: boolean } | null;
  readonly emailSignIn: EmailSignIn;
  readonly phoneSignIn: PhoneSignIn;
  readonly usernameSignIn: UsernameSignIn;
  /** Whether who signs up is asked for names, and shown the way to the sign-in page. */
  readonly asksForNames: boolean;
  readonly showsSignInLink: boolean;
  readonly callbackUrls: readonly string[];
  readonly logoutUrls: readonly string[];
  readonly loginUri: string | null;
  readonly homepageUri: string | null;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  readonly idTokenLifetime: number;
  readonly refreshTokenLifetime: number;
  readonly refreshTokenGracePeriod: number;
  /** Optional claims of each kind of token. */
  readonly accessTokenClaims: readonly string[];
  readonly idTokenClaims: readonly string[];
  readonly machineTokenClaims: readonly string[];
  /** Whether claims are called as Hasura expects them. */
  readonly isHasuraMappingEnabled: boolean;
  /** Whether people who sign up are asked for their consent to marketing. */
  readonly asksMarketingConsent: boolean;
  /** Whether a session outlives the browser, and after how many seconds without activity it is over. */
  readonly isSessionPersistent: boolean;
  readonly sessionInactivityTimeout: number;
  /** Whether its authorization requests have to be pushed (RFC 9126). */
  readonly requirePushedAuthorizationRequests: boolean;
  /** Whether its tokens for the management API may run its registered operations only. */
  readonly isBoundToOperations: boolean;
  /** Whether it registered itself: nobody of the business has looked at it. */
  readonly isDynamic: boolean;
  readonly apis: readonly AuthorizedApi[];
}

/** An API the client is authorised for; `audience` is null for the management API. */
export interface AuthorizedApi {
  readonly audience: string | null;
  readonly isManagement: boolean;
  readonly scopes: readonly string[];
}

// As JSON, one value: of a wide row the driver would describe and parse each column anew.
const CLIENT = `SELECT json_build_object('applicationId', a.id, 'clientId', coalesce(a.metadata_url, substr(a.id, 5)), 'name', a.name, 'type', a.type,
    'secretHash', a.secret_hash, 'previousSecretHash', a.previous_secret_hash, 'jwks', a.jwks, 'jwksUri', a.jwks_uri,
    'organization', CASE WHEN a.organization_id IS NOT NULL THEN (SELECT json_build_object('id', o.id, 'isSuspended', o.is_suspended)
       FROM organizations o WHERE o.environment_id = a.environment_id AND o.id = a.organization_id) END, 'emailSignIn', a.email_sign_in,
    'phoneSignIn', a.phone_sign_in, 'usernameSignIn', a.username_sign_in, 'asksForNames', a.asks_for_names, 'showsSignInLink', a.shows_sign_in_link, 'callbackUrls', a.callback_urls, 'logoutUrls', a.logout_urls,
    'loginUri', a.login_uri, 'homepageUri', a.homepage_uri, 'accessTokenLifetime', a.access_token_lifetime,
    'accessTokenClaims', a.access_token_claims, 'idTokenClaims', a.id_token_claims, 'machineTokenClaims', a.machine_token_claims, 'isHasuraMappingEnabled', a.is_hasura_mapping_enabled,
    'requirePushedAuthorizationRequests', a.require_pushed_authorization_requests, 'asksMarketingConsent', a.asks_marketing_consent, 'isSessionPersistent', a.is_session_persistent, 'sessionInactivityTimeout', a.session_inactivity_timeout,
    'idTokenLifetime', a.id_token_lifetime, 'refreshTokenLifetime', a.refresh_token_lifetime, 'refreshTokenGracePeriod', a.refresh_token_grace_period, 'isBoundToOperations', a.is_bound_to_operations, 'isDynamic', a.is_dynamic,
    'apis', (SELECT coalesce(json_agg(json_build_object('audience', p.audience, 'isManagement', p.is_management, 'scopes', g.scopes)), '[]'::json)
       FROM application_apis g JOIN apis p ON p.environment_id = g.environment_id AND p.id = g.api_id
      WHERE g.environment_id = a.environment_id AND g.application_id = a.id AND NOT (a.is_dynamic AND p.is_management))) AS client
  FROM applications a WHERE a.environment_id = $1 AND a.id = $2`;

/** The id of the application with this client id: of one that is the URL of its metadata, what follows from that. */
export function applicationIdOf(clientId: string): string | undefined {
  if (clientId.includes('://')) return `app_${sha256(clientId).slice(0, 32)}`;
  return /^[0-9a-f]{32}$/.test(clientId) ? `app_${clientId}` : undefined;
}

/** The client with this client id in the environment, with the APIs it is authorised for. */
export async function findClient(infrastructure: Infrastructure, environmentId: string, clientId: string): Promise<Client | undefined> {
  const applicationId = applicationIdOf(clientId);
  if (!applicationId) return undefined;
  return infrastructure.lookups.find(environmentId, `client ${clientId}`, async () => {
    const [row] = await infrastructure.database.query<{ client: Client }>('find-client', CLIENT, [environmentId, applicationId]);
    return row?.client.clientId === clientId ? row.client : undefined;
  });
}

/** The environment's only client of type device; undefined where there are several, or none. */
export async function onlyDeviceClient(infrastructure: Infrastructure, environmentId: string): Promise<Client | undefined> {
  const only = await infrastructure.lookups.find(environmentId, 'only device client', async () => {
    const rows = await infrastructure.database.query<{ clientId: string }>(
      'only-device-client',
      `SELECT substr(id, 5) AS "clientId" FROM applications WHERE environment_id = $1 AND type = 'device' LIMIT 2`,
      [environmentId],
    );
    return rows.length === 1 ? rows[0] : undefined;
  });
  return only && findClient(infrastructure, environmentId, only.clientId);
}

/** As {@link findClient}, by the application's id in one of these environments. */
export async function clientWithin(
  ctx: Context,
  environmentIds: readonly string[],
  applicationId: string,
): Promise<{ environmentId: string; client: Client } | undefined> {
  const where = { environmentId: { in: [...environmentIds] }, id: applicationId };
  const row = await ctx.db.application.findFirst({ where, select: { environmentId: true } });
  const client = row && (await findClient(ctx, row.environmentId, applicationId.slice('app_'.length)));
  return client ? { environmentId: row.environmentId, client } : undefined;
}

/** Every callback and logout URL that the business has registered: what CORS and a logout without a client id are checked against. */
export async function registeredUrls(
  infrastructure: Infrastructure,
  environmentId: string,
): Promise<{ callbackUrls: string[]; logoutUrls: string[] }> {
  const registered = await infrastructure.lookups.find(environmentId, 'registered URLs', async () => {
    const rows = await infrastructure.database.query<{ callbackUrls: string[]; logoutUrls: string[] }>(
      'registered-urls',
      'SELECT callback_urls AS "callbackUrls", logout_urls AS "logoutUrls" FROM applications WHERE environment_id = $1 AND NOT is_dynamic',
      [environmentId],
    );
    return { callbackUrls: rows.flatMap((row) => row.callbackUrls), logoutUrls: rows.flatMap((row) => row.logoutUrls) };
  });
  return registered!;
}

/** Does an application of this type keep a secret? */
export function hasSecret(type: string): boolean {
  return type === 'reg' || type === 'm2m';
}

/** 48 letters and digits: SDKs refuse secrets of another alphabet, or outside 40 to 60 characters. */
export function newClientSecret(): string {
  return randomAlphanumeric(48);
}

export const MAX_URLS = 100;

/** The URLs, each once.
 * @throws InvalidInputError INVALID_URL or TOO_MANY_URLS */
export function checkUrls(urls: readonly string[], field: string): string[] {
  if (urls.length > MAX_URLS)
    throw new InvalidInputError('TOO_MANY_URLS', `An application has at most ${MAX_URLS} URLs of a kind.`, [field]);
  for (const [index, url] of urls.entries()) {
    const problem = checkCallbackUrl(url);
    if (problem) throw new InvalidInputError('INVALID_URL', problem, [field, String(index)]);
  }
  return [...new Set(urls)];
}

/** As {@link changedUri}, for a URL that this server itself sends requests to. */
function changedStranger({ config }: Context, text: string | null | undefined, field: string): string | null | undefined {
  const uri = changedOptionalText(text, field, 2000);
  const problem = uri ? problemOfStrangerUrl(uri, { allowLoopback: !config.production }) : undefined;
  if (problem) throw new InvalidInputError('INVALID_URL', problem, [field]);
  return uri;
}

/** For an update: undefined where the input does not name it; null or nothing clears it. */
function changedUri(text: string | null | undefined, field: string, check: typeof checkWebUrl): string | null | undefined {
  const uri = changedOptionalText(text, field, 2000);
  const problem = uri ? check(uri) : undefined;
  if (problem) throw new InvalidInputError('INVALID_URL', problem, [field]);
  return uri;
}
