/** Tells applications' servers that a session is over (OpenID Connect Back-Channel Logout 1.0). */
import { epochSeconds } from '../../kernel/clock.ts';
import { randomUUID } from '../../kernel/ids.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { signJwt } from '../../security/jwt.ts';
import { postToStranger } from '../../security/strangers.ts';
import type { Context, Infrastructure } from '../context.ts';
import { signingKeys } from '../signing-keys/service.ts';

/** A logout token is for now: what is not delivered within this many seconds is signed anew at the next try. */
const TOKEN_SECONDS = 120;

/** Has every application told that took part in the sessions, in the transaction that ends them. */
export async function announceLogout(
  ctx: Context,
  environmentId: string,
  ending: { readonly sessionId?: string; readonly userId?: string },
): Promise<void> {
  const grants = await ctx.db.grant.findMany({
    where: { environmentId, sessionId: { not: null }, ...ending, application: { backchannelLogoutUri: { not: null } } },
    distinct: ['applicationId', 'sessionId'],
    select: { applicationId: true, sessionId: true, userId: true },
  });
  for (const { applicationId, sessionId, userId } of grants)
    await ctx.jobs.enqueue(
      ctx.db,
      'backchannel_logout',
      { environmentId, applicationId, sessionId: sessionId!, userId },
      { group: environmentId },
    );
}

/** Starts telling them in this process. A server that does not take it is told again, some times over
 * some minutes. A slow one holds up no other environment's. */
export async function registerLogoutJobs(infrastructure: Infrastructure): Promise<void> {
  await infrastructure.jobs.work('backchannel_logout', async ({ environmentId, applicationId, sessionId, userId }) => {
    const { database, config, clock } = infrastructure;
    const application = await database.prisma.application.findUnique({
      where: { environmentId_id: { environmentId, id: applicationId } },
      select: { backchannelLogoutUri: true, environment: { select: { domain: true, isPrimary: true } } },
    });
    if (!application?.backchannelLogoutUri) return;
    const { signer } = await signingKeys(infrastructure, environmentId);
    const iat = epochSeconds(clock.now());
    const claims = {
      iss: issuerOf(config, application.environment),
      aud: applicationId.slice('app_'.length),
      iat,
      exp: iat + TOKEN_SECONDS,
      jti: randomUUID(),
      sub: userId,
      sid: sessionId,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    };
    const body = new URLSearchParams({ logout_token: await signJwt(signer, claims, 'logout+jwt') }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const status = await postToStranger(
      new URL(application.backchannelLogoutUri),
      { headers, body },
      { allowLoopback: !config.production },
    );
    if (status < 200 || status >= 300) throw new Error(`The application's server answered ${status}.`);
  });
}
