/** What mails to people of an environment are written on: in their language, in its brand or their organization's. */
import { issuerOf } from '../../kernel/issuer.ts';
import { chooseLanguage, type Language } from '../../languages/languages.ts';
import type { Paper } from '../../mail/letter.ts';
import { mailBrandOf } from '../brands/service.ts';
import type { Context } from '../context.ts';
import { readOwnTexts } from '../page-texts/service.ts';

/** What mail programs show; they leave out a drawing. */
const PICTURES = ['image/png', 'image/jpeg', 'image/gif'];

/** @param about the organization that the mail is about, and whether it goes to the person at the browser, whose language is known */
export async function paperFor(
  ctx: Context,
  environmentId: string,
  about: { readonly organizationId?: string | null; readonly isToVisitor?: boolean } = {},
): Promise<Paper> {
  const environment = await ctx.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: { domain: true, isPrimary: true, languages: true, defaultLanguage: true },
  });
  const { name, theme, logo, light, dark } = await mailBrandOf(ctx.db, environmentId, about.organizationId ?? null);
  const picture = theme === 'dark' ? logo?.dark : logo?.light;
  const language = chooseLanguage({
    asked: about.isToVisitor ? ctx.origin.language : null,
    spoken: environment.languages as Language[],
    fallback: environment.defaultLanguage as Language,
  });
  return {
    language,
    ownTexts: await readOwnTexts(ctx.db, environmentId, language),
    name,
    logoUrl: picture && PICTURES.includes(picture.contentType) ? `${issuerOf(ctx.config, environment)}/logos/${picture.id}` : null,
    theme,
    light,
    dark,
  };
}
