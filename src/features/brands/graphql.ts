/** What an environment's pages look like, in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation, PLAN_CODES } from '../../graphql/payload.ts';
import {
  type Alignment,
  type BrandSettings,
  COLOR_NAMES,
  type ColorName,
  type Colors,
  MAX_CUSTOM_CSS,
  MAX_RADIUS,
  resetEnvironmentBrand,
  type Theme,
  updateEnvironmentBrand,
} from './service.ts';

export const ThemeEnum = builder.enumType('Theme', {
  description: 'Whether pages are light or dark.',
  values: {
    LIGHT: { value: 'light', description: 'Light for everybody.' },
    DARK: { value: 'dark', description: 'Dark for everybody.' },
    USER_PREFERENCE: { value: 'user_preference', description: 'As each person’s device says.' },
  },
});

export const AlignmentEnum = builder.enumType('PageAlignment', {
  description: 'Where the card stands on a wide page.',
  values: {
    START: { value: 'start', description: 'Where lines begin: on the left, or on the right of languages that are written from there.' },
    CENTER: { value: 'center', description: 'In the middle.' },
    END: { value: 'end', description: 'Where lines end.' },
  },
});

const COLOR_OF: Record<ColorName, string> = {
  background: 'The page’s.',
  card: 'The card’s, on which everything stands.',
  input: 'An input’s. Absent or null: the card’s.',
  text: 'The text’s.',
  link: 'A link’s, and that of what is in focus.',
  button: 'A button’s.',
  buttonText: 'The text’s on a button.',
};

export const BrandColors = builder.objectRef<Colors & { readonly environmentId: string }>('BrandColors').implement({
  description:
    'The colours of one theme, as #rrggbb. Null: of an organization’s the environment’s, of an environment’s the ones that it came with.',
  permission: 'read:branding',
  fields: (t) =>
    Object.fromEntries(COLOR_NAMES.map((name) => [name, t.exposeString(name, { nullable: true, description: COLOR_OF[name] })])),
});

export const BrandColorsInput = builder.inputType('BrandColorsInput', {
  description:
    'The colours of one theme, as #rrggbb. Absent or null: of an organization’s the environment’s, of an environment’s the ones that it came with.',
  fields: (t) => Object.fromEntries(COLOR_NAMES.map((name) => [name, t.string({ description: COLOR_OF[name] })])),
});

/** What can be wrong with colours, and what it means. */
export const COLOR_CODES = {
  INVALID_COLOR: 'Not a colour.',
  LOW_CONTRAST: 'A text could not be read on what is behind it: WCAG 2.2 AA asks for 4.5 to 1.',
};

/** How colours that cannot be read are dealt with. */
export const CONTRAST_RULE =
  'A colour of text that cannot be read on what is behind it is refused; one that is left out is chosen to be read.';

const WORDS = {
  theme: 'Whether the pages are light or dark.',
  radius: (what: string) => `How round ${what} are, in pixels up to ${MAX_RADIUS}`,
  alignment: 'Where the card stands on a wide page.',
  isBadgeHidden: 'Whether the pages do not say what they are made with.',
  customCss: `CSS of its own, after all other, of at most ${MAX_CUSTOM_CSS} characters. It draws and loads nothing: no \`url()\`, \`@import\`, \`@font-face\`, escape or \`<\`.`,
};

const EnvironmentBrand = builder.objectRef<BrandSettings & { readonly environmentId: string }>('EnvironmentBrand').implement({
  description: 'What an environment’s pages look like. Null: as they came. Its pictures are the environment’s `logos`.',
  permission: 'read:branding',
  fields: (t) => {
    const colors = (theme: 'light' | 'dark') =>
      t.field({
        type: BrandColors,
        nullable: true,
        description: `The colours of the ${theme} theme.`,
        resolve: (brand) => ({ ...brand[theme], environmentId: brand.environmentId }),
      });
    const radius = (name: 'buttonRadius' | 'cardRadius' | 'inputRadius', what: string) =>
      t.int({ nullable: true, description: `${WORDS.radius(what)}.`, resolve: (brand) => brand[name] ?? null });
    return {
      theme: t.field({ type: ThemeEnum, nullable: true, description: WORDS.theme, resolve: ({ theme }) => theme ?? null }),
      lightColors: colors('light'),
      darkColors: colors('dark'),
      buttonRadius: radius('buttonRadius', 'buttons'),
      cardRadius: radius('cardRadius', 'the card’s corners'),
      inputRadius: radius('inputRadius', 'inputs'),
      alignment: t.field({
        type: AlignmentEnum,
        nullable: true,
        description: WORDS.alignment,
        resolve: ({ alignment }) => alignment ?? null,
      }),
      isBadgeHidden: t.boolean({
        nullable: true,
        description: WORDS.isBadgeHidden,
        resolve: ({ isBadgeHidden }) => isBadgeHidden ?? false,
      }),
      customCss: t.string({ nullable: true, description: WORDS.customCss, resolve: ({ customCss }) => customCss ?? null }),
    };
  },
});

builder.prismaObjectField('Environment', 'brand', (t) =>
  t.field({
    type: EnvironmentBrand,
    nullable: true,
    permission: 'read:branding',
    description: 'What its pages look like.',
    select: { id: true, brand: true },
    resolve: ({ id, brand }) => ({ ...(brand as BrandSettings), environmentId: id }),
  }),
);

const RESET = 'Absent: unchanged; null: as it came.';
const environmentId = { description: 'A machine token may leave it out: its own.' };

defineMutation({
  name: 'updateEnvironmentBrand',
  description: `Changes what an environment’s pages look like. ${CONTRAST_RULE}`,
  policy: { permission: updateEnvironmentBrand.permission },
  versioned: true,
  codes: {
    ...COLOR_CODES,
    ...PLAN_CODES,
    OUT_OF_RANGE: 'The number is too small or too large.',
    UNSAFE_CSS: 'The CSS does more than draw.',
    TOO_LONG: 'The text is too long.',
  },
  input: (t) => ({
    environmentId: t.id(environmentId),
    theme: t.field({ type: ThemeEnum, description: `${WORDS.theme} ${RESET}` }),
    lightColors: t.field({ type: BrandColorsInput, description: `All colours of the light theme. ${RESET}` }),
    darkColors: t.field({ type: BrandColorsInput, description: `All colours of the dark theme. ${RESET}` }),
    buttonRadius: t.int({ description: `${WORDS.radius('buttons')}. ${RESET}` }),
    cardRadius: t.int({ description: `${WORDS.radius('the card’s corners')}. ${RESET}` }),
    inputRadius: t.int({ description: `${WORDS.radius('inputs')}. ${RESET}` }),
    alignment: t.field({ type: AlignmentEnum, description: `${WORDS.alignment} ${RESET}` }),
    isBadgeHidden: t.boolean({ description: `${WORDS.isBadgeHidden} True on paid plans only. ${RESET}` }),
    customCss: t.string({ description: `${WORDS.customCss} ${RESET}` }),
  }),
  run: (ctx, input) => updateEnvironmentBrand(ctx, { ...input, theme: input.theme as Theme, alignment: input.alignment as Alignment }),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'resetEnvironmentBrand',
  description:
    'Gives an environment’s pages the look back that they came with, and deletes its pictures. Organizations keep what they have of their own.',
  policy: { permission: resetEnvironmentBrand.permission },
  previews: true,
  codes: {},
  input: (t) => ({ environmentId: t.id(environmentId) }),
  run: (ctx, input) => resetEnvironmentBrand(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
