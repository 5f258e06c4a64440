/** The texts of an environment's pages in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { isLanguage, LANGUAGES, type Language } from '../../languages/languages.ts';
import { placeholdersOf, textOf } from '../../languages/texts.ts';
import { MAX_TEXT, type PageText, pageTexts, updatePageTexts } from './service.ts';

const TAGS = `a BCP 47 tag, of these: ${LANGUAGES.join(', ')}`;

const PageTextType = builder.objectRef<PageText>('PageText').implement({
  description: 'What the pages or mails say somewhere, in one language.',
  permission: 'read:branding',
  fields: (t) => ({
    key: t.exposeString('key', { nullable: true, description: 'What it is called.' }),
    page: t.exposeString('page', { nullable: true, description: 'The first part of its key: the page it is on, or what it is about.' }),
    language: t.exposeString('language', { nullable: true, description: 'A BCP 47 tag.' }),
    text: t.string({
      nullable: true,
      description: 'What the pages say: its own text, or the standard one.',
      resolve: ({ ownText, standardText }) => ownText ?? standardText,
    }),
    standardText: t.exposeString('standardText', { nullable: true, description: 'What the pages say where nothing else was written.' }),
    ownText: t.exposeString('ownText', {
      nullable: true,
      description: 'What was written in the place of the standard text; null: nothing.',
    }),
    placeholders: t.stringList({
      nullable: true,
      description: 'The values that it may have places for, each written as `{name}`.',
      resolve: ({ key }) => placeholdersOf(textOf('en', key)),
    }),
  }),
});

builder.prismaObjectField('Environment', 'texts', (t) =>
  t.field({
    type: [PageTextType],
    nullable: true,
    permission: 'read:branding',
    description: 'What its pages say, in one language. None for a language or a page that there is not.',
    args: {
      language: t.arg.string({ description: `Which language: ${TAGS}. Absent: the environment’s default.` }),
      page: t.arg.string({ description: 'The texts of one page only, such as `login`.' }),
    },
    select: ({ language }) => ({
      id: true,
      defaultLanguage: true,
      pageTexts: { where: language ? { language } : {} },
    }),
    resolve({ id, defaultLanguage, pageTexts: rows }, args) {
      const language = args.language ?? defaultLanguage;
      if (!isLanguage(language)) return [];
      return pageTexts(
        id,
        language as Language,
        args.page,
        rows.filter((row) => row.language === language),
      );
    },
  }),
);

/** What can be wrong with texts, and what it means. */
export const PAGE_TEXT_CODES = {
  UNKNOWN_LANGUAGE: 'Not one of the languages that there are.',
  UNKNOWN_KEY: 'No page has a text of this key, or not one that may be written.',
  UNKNOWN_PLACEHOLDER: 'The text has a place for a value that is not known where it stands.',
  MISSING_PLACEHOLDER: 'The text leaves out a value by which people decide.',
  TOO_LONG: 'The text is too long.',
  TOO_MANY: 'These are too many at once.',
  INVALID_TEXT: 'The text holds control characters.',
};

export const PageTextInput = builder.inputType('PageTextInput', {
  description: 'A text to be written.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'What it is called.' }),
    text: t.string({
      description: `The text, of at most ${MAX_TEXT} characters: no HTML, and values as \`{name}\`. Absent, null or empty: the standard one again.`,
    }),
  }),
});

defineMutation({
  name: 'updatePageTexts',
  description:
    'Writes texts of an environment’s pages in one language in the place of the standard ones. Texts that are not named stay. Those of `en` are also said in `en-US`, `en-GB` and `en-AU`, where these have none.',
  policy: { permission: updatePageTexts.permission },
  versioned: true,
  codes: PAGE_TEXT_CODES,
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    language: t.string({ required: true, description: `Which language: ${TAGS}.` }),
    texts: t.field({ type: [PageTextInput], required: true, description: 'The texts, at most 500.' }),
  }),
  run: (ctx, input) => updatePageTexts(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
