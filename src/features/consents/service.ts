/** What people allow applications that nobody of the business has looked at: asked once for what is asked of them. */
import type { Client } from '../applications/service.ts';
import type { Context } from '../context.ts';

/** What an application asks of a person. */
export interface Wish {
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  readonly redirectUri: string;
}

/** Has the person to be asked whether the application may have this?
 * An application's own scheme and a loopback address may be another program's by now (RFC 8252 §8.6): then in any case. */
export async function isConsentDue(
  ctx: Context,
  environmentId: string,
  userId: string,
  { applicationId, isDynamic }: Client,
  { scopes, audiences, redirectUri }: Wish,
): Promise<boolean> {
  if (!isDynamic) return false;
  if (!redirectUri.startsWith('https://')) return true;
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
