/**
 * Pages as they would look with what an operator has not saved. What was not saved is longer than a URL may be, so it is
 * kept for some minutes under the digest of the URL's token: nothing in the URL can be changed or guessed, and in
 * another environment it finds nothing.
 */
import { deleteExpiredRows } from '../../db/expired-rows.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { randomToken } from '../../kernel/ids.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import type { Language } from '../../languages/languages.ts';
import type { Texts } from '../../languages/texts.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { type BrandChange, type BrandDraft, draftBrand, type Theme } from '../brands/service.ts';
import { action, environmentScope, type Infrastructure } from '../context.ts';
import { requireLanguage } from '../environment-languages/service.ts';
import { checkTexts, readOwnTexts, type TextChange } from '../page-texts/service.ts';

export const PREVIEW_SECONDS = 600;
/** Of one environment at a time: the next takes the place of the oldest. */
export const MAX_PREVIEWS = 20;

/** What can be looked at, and what it is. */
export const PREVIEWED_PAGES = {
  sign_in: 'The first page of a sign-in.',
  sign_up: 'The first page for who has no account yet.',
  not_found: 'There is no such account.',
  provide_email: 'An address is asked for.',
  code: 'The code that was sent.',
  password: 'The password.',
  new_password: 'A new password.',
  organization: 'Which of several organizations.',
  organization_name: 'The name of a new organization.',
  passkey_setup: 'A passkey may be made.',
  passkey_off: 'The organization does not take passkeys.',
  invitation: 'An invitation to an organization.',
  mfa_offer: 'A second factor may be set up.',
  mfa_choose: 'Which second factor.',
  mfa_app: 'An authenticator app is set up.',
  mfa_address: 'An address for codes.',
  mfa_phone: 'A phone number for codes.',
  mfa_new_code: 'The code of a second factor that is being set up.',
  mfa_challenge: 'The second factor is asked for.',
  mfa_recovery: 'A recovery code is asked for.',
  mfa_recovery_codes: 'New recovery codes.',
  terms: 'The terms are to be accepted.',
  device: 'A device asks to be connected.',
  consent: 'An application asks for an account.',
  completed: 'The end, where the browser does not go back.',
  request_access: 'Somebody asks to be let in.',
  request_access_done: 'Thanks to who has asked to be let in.',
  subscribe: 'Somebody asks for news.',
  subscribe_done: 'Thanks to who has asked for news.',
  signed_out: 'The end of a session.',
  error: 'An error.',
  mail_code: 'The mail with a code.',
  mail_no_account: 'The mail to an address without an account.',
  mail_invitation: 'The mail that invites to an organization.',
} as const satisfies Record<string, string>;
export type PreviewedPage = keyof typeof PREVIEWED_PAGES;

/** What a preview is drawn from. */
export interface PagePreview extends BrandDraft {
  readonly page: PreviewedPage;
  readonly language: Language;
  /** In the place of ours. */
  readonly texts: Texts;
}

export interface CreatePagePreviewInput {
  readonly environmentId?: string | null | undefined;
  readonly page: PreviewedPage;
  /** Absent: the environment's default. */
  readonly language?: string | null | undefined;
  readonly theme?: Theme | null | undefined;
  readonly organizationId?: string | null | undefined;
  /** On top of what is saved. */
  readonly brand?: BrandChange | null | undefined;
  readonly texts?: readonly TextChange[] | null | undefined;
}

/** Shows a page with what is saved, and what is not saved yet on top of it. Nothing of that is saved by it.
 * @throws InvalidInputError as saving it would: INVALID_COLOR, LOW_CONTRAST, OUT_OF_RANGE, UNSAFE_CSS, UNKNOWN_LANGUAGE, UNKNOWN_KEY, UNKNOWN_PLACEHOLDER, MISSING_PLACEHOLDER, TOO_LONG, TOO_MANY or INVALID_TEXT
 * @throws NotFoundError when the environment has no such organization */
export const createPagePreview = action({
  permission: 'update:branding',
  scope: (ctx, input: CreatePagePreviewInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<{ url: string; expiresAt: string }> {
    const { environmentId } = scope;
    const { page, organizationId = null, theme = null } = input;
    const environment = await ctx.db.environment.findUniqueOrThrow({
      where: { id: environmentId },
      select: { domain: true, isPrimary: true, defaultLanguage: true },
    });
    const language = requireLanguage(input.language ?? environment.defaultLanguage, ['language']);
    const draft = await draftBrand(ctx.db, environmentId, organizationId, input.brand ?? {}, theme).catch((error: unknown) => {
      throw error instanceof InvalidInputError ? new InvalidInputError(error.code, error.message, ['brand', ...error.inputPath]) : error;
    });
    if (!draft) throw new NotFoundError('organization', ['organizationId']);
    const own: Record<string, string> = { ...(await readOwnTexts(ctx.db, environmentId, language)) };
    for (const [key, text] of checkTexts(input.texts ?? [])) {
      if (text === null) delete own[key];
      else own[key] = text;
    }
    const content: PagePreview = { page, language, texts: own, ...draft };
    const token = randomToken();
    const expiresAt = later(ctx.clock.now(), PREVIEW_SECONDS);
    await ctx.db.pagePreview.create({
      data: { environmentId, tokenHash: sha256(token), content: content as object, createdAt: ctx.clock.now(), expiresAt },
    });
    await ctx.db.$executeRaw`
      DELETE FROM page_previews WHERE environment_id = ${environmentId} AND token_hash IN (
        SELECT token_hash FROM page_previews WHERE environment_id = ${environmentId} ORDER BY created_at DESC OFFSET ${MAX_PREVIEWS})`;
    await audit(ctx, {
      ...scope,
      action: 'page_preview.created',
      target: { type: 'environment', id: environmentId },
      details: { page, language, organizationId },
    });
    return { url: `${issuerOf(ctx.config, environment)}/preview/${token}`, expiresAt: expiresAt.toISOString() };
  },
});

/** What a token of the environment shows; undefined for every other, and for one that is over. */
export async function findPagePreview(
  { database, clock }: Infrastructure,
  environmentId: string,
  token: string,
): Promise<PagePreview | undefined> {
  const row = await database.prisma.pagePreview.findUnique({
    where: { environmentId_tokenHash: { environmentId, tokenHash: sha256(token) } },
  });
  return row && row.expiresAt > clock.now() ? (row.content as unknown as PagePreview) : undefined;
}

/** Deletes previews that are over, in one small batch. Returns the number of rows. */
export function deleteExpiredPreviews(infrastructure: Infrastructure): Promise<number> {
  return deleteExpiredRows(infrastructure, { table: 'page_previews', key: 'token_hash', until: 'expires_at' });
}
