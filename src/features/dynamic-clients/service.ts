/**
 * Dynamic clients: applications that register themselves (RFC 7591), where the environment allows it. Nobody of the
 * business has looked at them: they keep no secret, get no management API, and leave again when nobody uses them.
 */
import type { JWK } from 'jose';
import type { Prisma } from '../../db/client.ts';
import type { Application } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
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
    await audit(tx, {
      businessId,
      environmentId,
      action: 'application.registered',
      target: { type: 'application', id: application.id },
      details: { type: application.type },
    });
    return application;
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
