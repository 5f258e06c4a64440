/** Telling people from programs where a form makes an account or sends a message: off, or by one of two ways. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, type Infrastructure, NEXT_VERSION } from '../context.ts';
import { checkProofOfWork, poseProofOfWork } from './proof-of-work.ts';
import { checkTurnstile, turnstilePurpose } from './turnstile.ts';

export const BOT_CHECKS = ['off', 'proof_of_work', 'turnstile'] as const;
export type BotCheckKind = (typeof BOT_CHECKS)[number];

/** What a page asks of the browser. */
export type BotChallenge =
  | { readonly kind: 'proof_of_work'; readonly challenge: string }
  | { readonly kind: 'turnstile'; readonly siteKey: string };

/** What an environment asks for. */
interface Asking {
  readonly environmentId: string;
  readonly botCheck: BotCheckKind;
  readonly turnstileSiteKey: string | null;
}

/** What a form of the page `about` has to solve; undefined where the environment asks for nothing. */
export async function poseBotCheck(infrastructure: Infrastructure, tenancy: Asking, about: string): Promise<BotChallenge | undefined> {
  if (tenancy.botCheck === 'off') return undefined;
  if (tenancy.botCheck === 'turnstile') return { kind: 'turnstile', siteKey: tenancy.turnstileSiteKey! };
  return { kind: 'proof_of_work', challenge: await poseProofOfWork(infrastructure, tenancy.environmentId, about) };
}

/** Is `answer` a solution, for the first time? Always where the environment asks for nothing. */
export async function passesBotCheck(ctx: Context, tenancy: Asking, about: string, answer: string | undefined): Promise<boolean> {
  if (tenancy.botCheck === 'off') return true;
  if (!answer) return false;
  if (tenancy.botCheck === 'turnstile') return checkTurnstile(ctx, tenancy.environmentId, answer);
  return checkProofOfWork(ctx, tenancy.environmentId, about, answer);
}

export interface UpdateBotCheckInput {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
  readonly kind: BotCheckKind;
  /** Absent: unchanged. */
  readonly turnstileSiteKey?: string | null | undefined;
  readonly turnstileSecret?: string | null | undefined;
}

/** Says how people are told from programs.
 * @throws InvalidInputError INVALID_TURNSTILE_KEY, MISSING_TURNSTILE_KEY or CONFLICT */
export const updateBotCheck = action({
  permission: 'update:policies',
  scope: (ctx, input: UpdateBotCheckInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }): Promise<Environment> {
    for (const field of ['turnstileSiteKey', 'turnstileSecret'] as const) {
      if (input[field] != null && !/^[\w-]{10,100}$/.test(input[field]))
        throw new InvalidInputError('INVALID_TURNSTILE_KEY', 'This is not a key of Turnstile.', [field]);
    }
    const environment = await ctx.db.environment.update({
      where: { id: environmentId, ...atVersion(input) },
      data: {
        botCheck: input.kind,
        turnstileSiteKey: input.turnstileSiteKey ?? undefined,
        ...(input.turnstileSecret && { turnstileSecret: ctx.vault.seal(turnstilePurpose(environmentId), input.turnstileSecret) }),
        ...NEXT_VERSION,
      },
    });
    for (const field of ['turnstileSiteKey', 'turnstileSecret'] as const) {
      if (input.kind === 'turnstile' && !environment[field])
        throw new InvalidInputError('MISSING_TURNSTILE_KEY', 'Turnstile needs its site key and its secret.', [field]);
    }
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'environment.bot_check_updated',
      target: { type: 'environment', id: environmentId },
      details: { kind: input.kind },
    });
    return environment;
  },
});
