/** Cloudflare Turnstile: their widget gives the form a token, which they are asked about. A token is good once. */
import { askStrangerByPost } from '../../security/strangers.ts';
import type { Context } from '../context.ts';

const MAX_ANSWER_BYTES = 10_000;

export const turnstilePurpose = (environmentId: string) => `turnstile ${environmentId}`;

/** False as well when there is no answer in time: then it is in the log. */
export async function checkTurnstile(ctx: Context, environmentId: string, token: string): Promise<boolean> {
  const { turnstileSecret } = await ctx.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: { turnstileSecret: true },
  });
  if (!turnstileSecret || token.length > 2048) return false;
  const body = new URLSearchParams({
    secret: ctx.vault.open(turnstilePurpose(environmentId), turnstileSecret),
    response: token,
    ...(ctx.origin.ip && { remoteip: ctx.origin.ip }),
  });
  try {
    const message = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString() };
    // The operator of this server has said where it is.
    const answer = await askStrangerByPost(new URL(ctx.config.turnstileUrl), message, MAX_ANSWER_BYTES, { allowLoopback: true });
    return (JSON.parse(answer) as { success?: unknown } | null)?.success === true;
  } catch (error) {
    ctx.log.warn({ environmentId, reason: (error as Error).message }, 'turnstile did not answer');
    return false;
  }
}
