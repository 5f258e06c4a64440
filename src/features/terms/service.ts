/** The terms and the privacy policy of an environment: where they are, and who has accepted them. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION } from '../context.ts';
import { changedOptionalUrl } from '../text.ts';

/** What people accept when they sign up. */
export interface Terms {
  readonly termsUri: string | null;
  readonly privacyUri: string | null;
  /** Who accepted an earlier one has not accepted this one. */
  readonly version: number;
  /** Whether people have to say that they accept it; else going on means so. */
  readonly isRequired: boolean;
}

interface At {
  readonly environmentId: string;
  readonly terms: Terms;
}

/** Is there anything to accept? */
export function hasTerms({ termsUri, privacyUri }: Terms): boolean {
  return termsUri !== null || privacyUri !== null;
}

/** Does the person still have to say that they accept the terms as they are now? */
export async function isAcceptanceDue({ db }: Context, { environmentId, terms }: At, userId: string): Promise<boolean> {
  const { version, isRequired } = terms;
  if (!isRequired || !hasTerms(terms)) return false;
  return (await db.termsAcceptance.count({ where: { environmentId, userId, version, isExplicit: true } })) === 0;
}

/** Notes that the person accepted `version` of the terms, the first time that they do. One that has been replaced by now counts for nothing. */
export async function noteAcceptance(ctx: Context, { environmentId, terms }: At, userId: string, version: number): Promise<void> {
  const { termsUri, privacyUri, isRequired } = terms;
  if (version !== terms.version) return;
  await ctx.db.$executeRaw`
    INSERT INTO terms_acceptances AS a (environment_id, user_id, version, terms_uri, privacy_uri, is_explicit, accepted_at)
    VALUES (${environmentId}, ${userId}, ${version}, ${termsUri}, ${privacyUri}, ${isRequired}, ${ctx.clock.now()})
    ON CONFLICT (environment_id, user_id, version) DO UPDATE SET is_explicit = true, accepted_at = excluded.accepted_at
     WHERE excluded.is_explicit AND NOT a.is_explicit`;
}

export interface UpdateEnvironmentTermsInput {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
  readonly termsUri?: string | null | undefined;
  readonly privacyUri?: string | null | undefined;
  readonly isAcceptanceRequired?: boolean | null | undefined;
  readonly isRevised?: boolean | null | undefined;
}

/** Changes what people accept. Another address, or a revised text at the same, is a new version of the terms.
 * @throws InvalidInputError INVALID_URL, TOO_LONG, INVALID_TEXT, NO_TERMS or CONFLICT */
export const updateEnvironmentTerms = action({
  permission: 'update:policies',
  scope: (ctx, input: UpdateEnvironmentTermsInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const where = { id: scope.environmentId };
    const before = await ctx.db.environment.update({ where: { ...where, ...atVersion(input) }, data: NEXT_VERSION });
    const termsUri = changedOptionalUrl(input.termsUri, 'termsUri');
    const privacyUri = changedOptionalUrl(input.privacyUri, 'privacyUri');
    const isAnother = [
      [termsUri, before.termsUri],
      [privacyUri, before.privacyUri],
    ].some(([now, then]) => now !== undefined && now !== then);
    const environment = await ctx.db.environment.update({
      where,
      data: {
        termsUri,
        privacyUri,
        isAcceptanceRequired: input.isAcceptanceRequired ?? undefined,
        ...((isAnother || input.isRevised) && { termsVersion: { increment: 1 } }),
      },
    });
    if (environment.isAcceptanceRequired && !environment.termsUri && !environment.privacyUri)
      throw new InvalidInputError('NO_TERMS', 'There is nothing to accept.', ['isAcceptanceRequired']);
    await audit(ctx, {
      ...scope,
      action: 'environment.terms_updated',
      target: { type: 'environment', id: scope.environmentId },
      details: {
        termsUri: environment.termsUri,
        privacyUri: environment.privacyUri,
        isAcceptanceRequired: environment.isAcceptanceRequired,
        version: environment.termsVersion,
      },
    });
    return environment;
  },
});
