/**
 * Dynamic clients: applications that register themselves (RFC 7591), where the environment allows it. Nobody of the
 * business has looked at them: they keep no secret, get no management API, and leave again when nobody uses them.
 */
import type { JWK } from 'jose';
import { Prisma } from '../../db/client.ts';
import type { Application } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { applicationIdOf } from '../applications/service.ts';
import { audit } from '../audit/service.ts';
import { type Context, type Infrastructure, inTransaction, type Scope } from '../context.ts';
import { countAgainstAddress, countAgainstEnvironment } from '../quotas/service.ts';

/** Registrations in an hour, from one network address and in all. */
export const MAX_FROM_ADDRESS = 20;
export const MAX_IN_ENVIRONMENT = 200;
const HOUR = 3600;
/** Days after which a client leaves that nobody has ever allowed anything. */
export const UNUSED_DAYS = 30;

/** What a client says of itself, checked. */
export interface ClientMetadata {
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly homepageUri?: string | undefined;
  /** The keys it proves itself by; a client without any is a public one. */
  readonly jwks?: { readonly keys: readonly JWK[] } | undefined;
  readonly jwksUri?: string | undefined;
}

/** Counts a registration before it is made.
 * @returns undefined while it may be, else after how many seconds it may */
export async function countRegistration(ctx: Context, { environmentId }: Scope): Promise<number | undefined> {
  return (
    (await countAgainstAddress(ctx, environmentId, 'registration', MAX_FROM_ADDRESS, HOUR)) ??
    (await countAgainstEnvironment(ctx, environmentId, 'registrations', MAX_IN_ENVIRONMENT, HOUR))
  );
}

/** Writes a dynamic client; the caller has checked what it says. */
export function registerClient(ctx: Context, { environmentId, businessId }: Scope, metadata: ClientMetadata): Promise<Application> {
  const { name, redirectUris, homepageUri, jwks, jwksUri } = metadata;
  return inTransaction(ctx, async (tx) => {
    const application = await tx.db.application.create({
      data: {
        environmentId,
        id: newId('application'),
        name,
        type: jwks || jwksUri ? 'reg' : 'spa',
        isDynamic: true,
        callbackUrls: [...redirectUris],
        logoutUrls: [],
        homepageUri: homepageUri ?? null,
        jwksUri: jwksUri ?? null,
        ...(jwks && { jwks: jwks as unknown as Prisma.InputJsonObject }),
      },
    });
    await auditRegistration(tx, { environmentId, businessId }, application);
    return application;
  });
}

/** Seconds that a client's metadata document is taken as it was read. */
export const DOCUMENT_SECONDS = 3600;
/** Documents that are read in a minute for one network address, and in an hour in all. */
export const MAX_READ_FOR_ADDRESS = 20;
export const MAX_READ_IN_ENVIRONMENT = 1000;

/** Was the client's document read lately? */
export async function isDocumentFresh(ctx: Context, { environmentId }: Scope, metadataUrl: string): Promise<boolean> {
  const metadataReadAt = { gt: later(ctx.clock.now(), -DOCUMENT_SECONDS) };
  return (await ctx.db.application.count({ where: { environmentId, id: applicationIdOf(metadataUrl)!, metadataUrl, metadataReadAt } })) > 0;
}

/** Counts a document before it is read.
 * @returns undefined while it may be, else after how many seconds it may */
export async function countDocument(ctx: Context, { environmentId }: Scope): Promise<number | undefined> {
  return (
    (await countAgainstAddress(ctx, environmentId, 'metadata document', MAX_READ_FOR_ADDRESS)) ??
    (await countAgainstEnvironment(ctx, environmentId, 'metadata documents', MAX_READ_IN_ENVIRONMENT, HOUR))
  );
}

/** Writes the client of a metadata document as the document says; the caller has checked it. */
export async function keepDocumentClient(
  ctx: Context,
  { environmentId, businessId }: Scope,
  metadataUrl: string,
  metadata: ClientMetadata,
): Promise<void> {
  const { name, redirectUris, homepageUri, jwks, jwksUri } = metadata;
  const id = applicationIdOf(metadataUrl)!;
  const said = {
    name,
    type: jwks || jwksUri ? 'reg' : 'spa',
    callbackUrls: [...redirectUris],
    homepageUri: homepageUri ?? null,
    jwksUri: jwksUri ?? null,
    jwks: jwks ? (jwks as unknown as Prisma.InputJsonObject) : Prisma.DbNull,
    metadataReadAt: ctx.clock.now(),
  };
  await inTransaction(ctx, async (tx) => {
    const { count } = await tx.db.application.updateMany({ where: { environmentId, id }, data: said });
    if (count > 0) return;
    const application = { ...said, environmentId, id, metadataUrl, isDynamic: true, logoutUrls: [] };
    const created = await tx.db.application.createMany({ data: [application], skipDuplicates: true });
    if (created.count > 0) await auditRegistration(tx, { environmentId, businessId }, application);
  });
}

function auditRegistration(ctx: Context, { environmentId, businessId }: Scope, { id, type }: { id: string; type: string }): Promise<void> {
  return audit(ctx, {
    businessId,
    environmentId,
    action: 'application.registered',
    target: { type: 'application', id },
    details: { type },
  });
}

/** Deletes dynamic clients that nobody has ever used, in one small batch. Returns the number of rows. */
export async function deleteUnusedClients({ database, clock }: Infrastructure, batch = 1000): Promise<number> {
  const now = clock.now();
  const rows = await database.query(
    'delete-unused-clients',
    `DELETE FROM applications WHERE (environment_id, id) IN (SELECT a.environment_id, a.id FROM applications a
     WHERE a.is_dynamic AND a.created_at < $1
       AND NOT EXISTS (SELECT 1 FROM consents c WHERE c.environment_id = a.environment_id AND c.application_id = a.id) LIMIT $2) RETURNING 1`,
    [later(now, -UNUSED_DAYS * 24 * HOUR), batch],
  );
  return rows.length;
}
