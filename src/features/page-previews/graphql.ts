/** Looking at pages before they are saved, in the graph. */
import { builder } from '../../graphql/builder.ts';
import { enumValues } from '../../graphql/enum-values.ts';
import { defineMutation } from '../../graphql/payload.ts';
import { AlignmentEnum, BrandColorsInput, COLOR_CODES, ThemeEnum } from '../brands/graphql.ts';
import type { Alignment, Theme } from '../brands/service.ts';
import { PAGE_TEXT_CODES, PageTextInput } from '../page-texts/graphql.ts';
import { createPagePreview, MAX_PREVIEWS, PREVIEW_SECONDS, PREVIEWED_PAGES, type PreviewedPage } from './service.ts';

const PreviewedPageEnum = builder.enumType('PreviewedPage', {
  description: 'A page, or a mail, that can be looked at.',
  values: enumValues<PreviewedPage>(PREVIEWED_PAGES),
});

const UNCHANGED = 'Absent: as saved; null: as it came.';

const BrandDraftInput = builder.inputType('BrandDraftInput', {
  description: 'What of an environment’s brand is not saved yet. Its fields are those of `updateEnvironmentBrand`.',
  fields: (t) => ({
    theme: t.field({ type: ThemeEnum, description: `Whether the pages are light or dark. ${UNCHANGED}` }),
    lightColors: t.field({ type: BrandColorsInput, description: `All colours of the light theme. ${UNCHANGED}` }),
    darkColors: t.field({ type: BrandColorsInput, description: `All colours of the dark theme. ${UNCHANGED}` }),
    buttonRadius: t.int({ description: `How round buttons are, in pixels. ${UNCHANGED}` }),
    cardRadius: t.int({ description: `How round the card’s corners are, in pixels. ${UNCHANGED}` }),
    inputRadius: t.int({ description: `How round inputs are, in pixels. ${UNCHANGED}` }),
    alignment: t.field({ type: AlignmentEnum, description: `Where the card stands on a wide page. ${UNCHANGED}` }),
    customCss: t.string({ description: `CSS of its own. ${UNCHANGED}` }),
  }),
});

defineMutation({
  name: 'createPagePreview',
  description: `Makes a URL at which a page or a mail is seen for ${PREVIEW_SECONDS / 60} minutes as it would look, with people and codes that are made up. It needs no sign-in, does nothing, and saves nothing of the brand and the texts. An environment has ${MAX_PREVIEWS} at a time: the next takes the place of the oldest.`,
  policy: { permission: createPagePreview.permission },
  codes: {
    ...COLOR_CODES,
    ...PAGE_TEXT_CODES,
    OUT_OF_RANGE: 'The number is too small or too large.',
    UNSAFE_CSS: 'The CSS does more than draw.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    page: t.field({ type: PreviewedPageEnum, required: true, description: 'Which page or mail.' }),
    language: t.string({ description: 'A BCP 47 tag of one of the languages of `texts`. Absent: the environment’s default.' }),
    theme: t.field({ type: ThemeEnum, description: 'What it is shown in, whatever the brand says. Absent: as the brand says.' }),
    organizationId: t.id({ description: 'Whose look it has, where it has one of its own. Absent: the environment’s.' }),
    brand: t.field({ type: BrandDraftInput, description: 'What of the environment’s brand is not saved yet.' }),
    texts: t.field({ type: [PageTextInput], description: 'Texts of the language that are not saved yet.' }),
  }),
  run: (ctx, { brand, theme, ...input }) =>
    createPagePreview(ctx, {
      ...input,
      page: input.page as PreviewedPage,
      theme: theme as Theme,
      brand: brand && { ...brand, theme: brand.theme as Theme, alignment: brand.alignment as Alignment },
    }),
  payload: (t) => ({
    url: t.string({
      nullable: true,
      open: 'the mutation is gated',
      description: 'Where it is seen.',
      resolve: ({ result }) => result?.url ?? null,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      open: 'the mutation is gated',
      description: 'Until when.',
      resolve: ({ result }) => (result ? new Date(result.expiresAt) : null),
    }),
  }),
});
