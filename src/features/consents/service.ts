/** What people allow applications that nobody of the business has looked at: asked once for what is asked of them. */
import { NotFoundError } from '../../kernel/errors.ts';
import type { Client } from '../applications/service.ts';
import { audit } from '../audit/service.ts';
import { action, type Context } from '../context.ts';
import { revokeGrants } from '../grants/service.ts';
import { userScope } from '../users/service.ts';

/** What an application asks of a person. */
export interface Wish {
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly redirectUri: string;
  /** Whether the person is to be asked whatever was allowed before. */
  readonly asksConsent?: boolean;
}

/** Has the person to be asked whether the application may have this?
 * An application's own scheme and a loopback address may be another program's by now (RFC 8252 §8.6): then in any case. */
export async function isConsentDue(
  ctx: Context,
  environmentId: string,
  userId: string,
  { applicationId, isDynamic }: Client,
  { scopes, audiences, redirectUri, asksConsent }: Wish,
): Promise<boolean> {
  if (!isDynamic) return false;
  if (asksConsent || !redirectUri.startsWith('https://')) return true;
  const given = await ctx.db.consent.findUnique({
    where: { environmentId_userId_applicationId: { environmentId, userId, applicationId } },
  });
  return !given || !scopes.every((one) => given.scopes.includes(one)) || !audiences.every((one) => given.audiences.includes(one));
}

/** Remembers what a person allowed, besides what was allowed before. */
export async function rememberConsent(
  ctx: Context,
  environmentId: string,
  userId: string,
  { applicationId }: Client,
  { scopes, audiences }: Wish,
): Promise<void> {
  await ctx.db.$executeRaw`
    INSERT INTO consents AS c (environment_id, user_id, application_id, scopes, audiences, given_at)
    VALUES (${environmentId}, ${userId}, ${applicationId}, ${[...scopes]}::text[], ${[...audiences]}::text[], ${ctx.clock.now()})
    ON CONFLICT (environment_id, user_id, application_id) DO UPDATE SET given_at = excluded.given_at,
      scopes = ARRAY(SELECT DISTINCT unnest(c.scopes || excluded.scopes)),
      audiences = ARRAY(SELECT DISTINCT unnest(c.audiences || excluded.audiences))`;
}

export interface RevokeUserConsentInput {
  readonly userId: string;
  readonly applicationId: string;
}

/** Forgets what a user allowed an application, and ends all that the application was given for it: it has to ask again.
 * @throws NotFoundError for an application of another environment */
export const revokeUserConsent = action({
  permission: 'delete:user_sessions',
  scope: (ctx, { userId }: RevokeUserConsentInput, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId, applicationId }, { environmentId, businessId }): Promise<{ environmentId: string; id: string }> {
    if ((await ctx.db.application.count({ where: { environmentId, id: applicationId } })) === 0)
      throw new NotFoundError('application', ['applicationId']);
    // First the consent: a sign-in that renews it waits for this, and what came before it is revoked with the rest.
    await ctx.db.consent.deleteMany({ where: { environmentId, userId, applicationId } });
    await revokeGrants(ctx, environmentId, { userId, applicationId });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'user.consent_revoked',
      target: { type: 'user', id: userId },
      details: { applicationId },
    });
    return { environmentId, id: userId };
  },
});
