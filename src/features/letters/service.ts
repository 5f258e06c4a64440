/** What mails to people of an environment are written on: in their language, in its brand or their organization's. */
import { issuerOf } from '../../kernel/issuer.ts';
import { chooseLanguage, type Language } from '../../languages/languages.ts';
import type { Texts } from '../../languages/texts.ts';
import type { Paper } from '../../mail/letter.ts';
import { type MailBrand, mailBrandOf } from '../brands/service.ts';
import type { Context } from '../context.ts';
import { readOwnTexts } from '../page-texts/service.ts';

/** What mail programs show; they leave out a drawing. */
const PICTURES = ['image/png', 'image/jpeg', 'image/gif'];

/** @param about the organization that the mail is about, and to whom it goes: the person at the browser, or an address: its user's language is known from the latest sign-in, and goes before the one that is named */
export async function paperFor(
  ctx: Context,
  environmentId: string,
  about: {
    readonly organizationId?: string | null;
    readonly to?: 'visitor' | { readonly email: string; readonly language: string | null };
  } = {},
): Promise<Paper> {
  const environment = await ctx.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: { domain: true, isPrimary: true, languages: true, defaultLanguage: true },
  });
  const brand = await mailBrandOf(ctx.db, environmentId, about.organizationId ?? null);
  const language = chooseLanguage({
    asked: about.to === 'visitor' ? ctx.origin.language : about.to && (await languagesOf(ctx, environmentId, about.to)),
    spoken: environment.languages as Language[],
    fallback: environment.defaultLanguage as Language,
  });
  return paperOf(issuerOf(ctx.config, environment), brand, language, await readOwnTexts(ctx.db, environmentId, language));
}

/** @param issuer where the brand's logo is */
export function paperOf(issuer: string, { name, theme, logo, light, dark }: MailBrand, language: Language, ownTexts: Texts): Paper {
  const picture = theme === 'dark' ? logo?.dark : logo?.light;
  const logoUrl = picture && PICTURES.includes(picture.contentType) ? `${issuer}/logos/${picture.id}` : null;
  return { language, ownTexts, name, logoUrl, theme, light, dark };
}

async function languagesOf(
  ctx: Context,
  environmentId: string,
  { email, language }: { readonly email: string; readonly language: string | null },
): Promise<string> {
  const identity = await ctx.db.identity.findFirst({
    where: { environmentId, type: 'email', normalized: email.toLowerCase() },
    select: { user: { select: { language: true } } },
  });
  return [identity?.user.language, language].filter(Boolean).join(' ');
}
