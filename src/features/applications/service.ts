/** Applications: the OAuth clients of an environment. A client secret is shown once, and kept only as a digest. */
import type { Application } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId, randomAlphanumeric } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, type Infrastructure, scopeOfRow } from '../context.ts';
import { requireText } from '../text.ts';
import { checkCallbackUrl } from './callback-urls.ts';

/** reg: back-end web; spa: front-end and mobile; m2m: machine to machine; device: devices and IoT. */
export const APPLICATION_TYPES = ['reg', 'spa', 'm2m', 'device'] as const;
export type ApplicationType = (typeof APPLICATION_TYPES)[number];

export const EMAIL_SIGN_INS = ['code', 'password'] as const;
export type EmailSignIn = (typeof EMAIL_SIGN_INS)[number];

export interface CreateApplicationInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly type: ApplicationType;
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
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_URL or TOO_MANY_URLS */
export const createApplication = action({
  permission: 'create:applications',
  scope: (ctx, input: CreateApplicationInput, permission) => environmentScope(ctx, input.environmentId, permission),
  run: (ctx, input, scope) => createApplicationRow(ctx, scope, input),
});

/** Writes an application; the caller has checked the permission. */
export async function createApplicationRow(
  ctx: Context,
  scope: { environmentId: string; businessId: string },
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

export interface RotateApplicationSecretInput {
  readonly applicationId: string;
}

/** Gives an application a new secret; the old one stops working at once.
 * @throws InvalidInputError NO_SECRET for a public client */
export const rotateApplicationSecret = action({
  permission: 'update:application_secrets',
  scope: (ctx, input: RotateApplicationSecretInput, permission) =>
    scopeOfRow(ctx, permission, 'application', 'applicationId', (environmentId) =>
      ctx.db.application.findFirst({
        where: { ...(environmentId && { environmentId }), id: input.applicationId },
        select: { environmentId: true },
      }),
    ),
  async run(ctx, input, { environmentId, businessId }): Promise<ApplicationWithSecret> {
    const key = { environmentId_id: { environmentId, id: input.applicationId } };
    const { type } = await ctx.db.application.findUniqueOrThrow({ where: key, select: { type: true } });
    if (!hasSecret(type))
      throw new InvalidInputError('NO_SECRET', 'Applications of this type are public clients: they have no secret.', ['applicationId']);
    const clientSecret = newClientSecret();
    const application = await ctx.db.application.update({ where: key, data: { secretHash: sha256(clientSecret) } });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.secret_rotated',
      target: { type: 'application', id: application.id },
    });
    return { application, clientSecret };
  },
});

/** A client as the protocol sees it. */
export interface Client {
  /** The application's id, `app_` and the client id. */
  readonly applicationId: string;
  readonly clientId: string;
  readonly name: string;
  readonly type: ApplicationType;
  readonly secretHash: string | null;
  readonly emailSignIn: EmailSignIn;
  readonly callbackUrls: readonly string[];
  readonly logoutUrls: readonly string[];
  readonly loginUri: string | null;
  readonly homepageUri: string | null;
  /** Seconds. */
  readonly accessTokenLifetime: number;
  readonly idTokenLifetime: number;
  readonly refreshTokenLifetime: number;
  /** Whether its tokens for the management API may run its registered operations only. */
  readonly isBoundToOperations: boolean;
  readonly apis: readonly AuthorizedApi[];
}

/** An API the client is authorised for; `audience` is null for the management API. */
export interface AuthorizedApi {
  readonly audience: string | null;
  readonly isManagement: boolean;
  readonly scopes: readonly string[];
}

// As JSON, one value: of a wide row the driver would describe and parse each column anew.
const CLIENT = `SELECT json_build_object('applicationId', a.id, 'clientId', substr(a.id, 5), 'name', a.name, 'type', a.type,
    'secretHash', a.secret_hash, 'emailSignIn', a.email_sign_in, 'callbackUrls', a.callback_urls, 'logoutUrls', a.logout_urls,
    'loginUri', a.login_uri, 'homepageUri', a.homepage_uri, 'accessTokenLifetime', a.access_token_lifetime,
    'idTokenLifetime', a.id_token_lifetime, 'refreshTokenLifetime', a.refresh_token_lifetime, 'isBoundToOperations', a.is_bound_to_operations,
    'apis', (SELECT coalesce(json_agg(json_build_object('audience', p.audience, 'isManagement', p.is_management, 'scopes', g.scopes)), '[]'::json)
       FROM application_apis g JOIN apis p ON p.environment_id = g.environment_id AND p.id = g.api_id
      WHERE g.environment_id = a.environment_id AND g.application_id = a.id)) AS client
  FROM applications a WHERE a.environment_id = $1 AND a.id = $2`;

/** The client with this client id in the environment, with the APIs it is authorised for. */
export async function findClient(infrastructure: Infrastructure, environmentId: string, clientId: string): Promise<Client | undefined> {
  if (!/^[0-9a-f]{32}$/.test(clientId)) return undefined;
  const [row] = await infrastructure.database.query<{ client: Client }>('find-client', CLIENT, [environmentId, `app_${clientId}`]);
  return row?.client;
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

/** Every callback and logout URL of the environment: what CORS and a logout without a client id are checked against. */
export async function registeredUrls(
  infrastructure: Infrastructure,
  environmentId: string,
): Promise<{ callbackUrls: string[]; logoutUrls: string[] }> {
  const rows = await infrastructure.database.query<{ callbackUrls: string[]; logoutUrls: string[] }>(
    'registered-urls',
    'SELECT callback_urls AS "callbackUrls", logout_urls AS "logoutUrls" FROM applications WHERE environment_id = $1',
    [environmentId],
  );
  return { callbackUrls: rows.flatMap((row) => row.callbackUrls), logoutUrls: rows.flatMap((row) => row.logoutUrls) };
}

function hasSecret(type: string): boolean {
  return type === 'reg' || type === 'm2m';
}

/** 48 letters and digits: SDKs refuse secrets of another alphabet, or outside 40 to 60 characters. */
function newClientSecret(): string {
  return randomAlphanumeric(48);
}

function checkUrls(urls: readonly string[], field: string): string[] {
  if (urls.length > 100) throw new InvalidInputError('TOO_MANY_URLS', 'An application has at most 100 URLs of a kind.', [field]);
  return [
    ...new Set(
      urls.map((url, index) => {
        const problem = checkCallbackUrl(url);
        if (problem) throw new InvalidInputError('INVALID_URL', problem, [field, String(index)]);
        return url;
      }),
    ),
  ];
}
