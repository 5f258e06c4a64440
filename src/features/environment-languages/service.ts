/** Which languages an environment's pages and mails speak. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { isLanguage, type Language } from '../../languages/languages.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, environmentScope, NEXT_VERSION } from '../context.ts';

export interface UpdateEnvironmentLanguagesInput {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
  /** All of them, from now on; none: every language that there is. */
  readonly languages?: readonly string[] | null | undefined;
  readonly defaultLanguage?: string | null | undefined;
}

/** Says which languages people are spoken to in, and in which where nothing else is understood.
 * @throws InvalidInputError UNKNOWN_LANGUAGE, DEFAULT_NOT_SPOKEN or CONFLICT */
export const updateEnvironmentLanguages = action({
  permission: 'update:branding',
  scope: (ctx, input: UpdateEnvironmentLanguagesInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const languages = input.languages && [...new Set(input.languages.map((tag, at) => requireLanguage(tag, ['languages', String(at)])))];
    const environment = await ctx.db.environment.update({
      where: { id: scope.environmentId, ...atVersion(input) },
      data: {
        ...(languages && { languages }),
        ...(input.defaultLanguage != null && { defaultLanguage: requireLanguage(input.defaultLanguage, ['defaultLanguage']) }),
        ...NEXT_VERSION,
      },
    });
    if (environment.languages.length > 0 && !environment.languages.includes(environment.defaultLanguage))
      throw new InvalidInputError('DEFAULT_NOT_SPOKEN', 'The default language is not one of the languages.', ['defaultLanguage']);
    await audit(ctx, {
      ...scope,
      action: 'environment.languages_updated',
      target: { type: 'environment', id: scope.environmentId },
      details: { languages: environment.languages, defaultLanguage: environment.defaultLanguage },
    });
    return environment;
  },
});

/** @throws InvalidInputError UNKNOWN_LANGUAGE */
export function requireLanguage(tag: string, path: readonly string[]): Language {
  if (!isLanguage(tag)) throw new InvalidInputError('UNKNOWN_LANGUAGE', 'The pages do not speak this language.', path);
  return tag;
}
