/** The look of organizations in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { type Brand, COLOR_NAMES, type Colors, type Theme, updateOrganizationBrand } from './service.ts';

const ThemeEnum = builder.enumType('Theme', {
  description: 'Whether pages are light or dark.',
  values: {
    LIGHT: { value: 'light', description: 'Light for everybody.' },
    DARK: { value: 'dark', description: 'Dark for everybody.' },
    USER_PREFERENCE: { value: 'user_preference', description: 'As each person’s device says.' },
  },
});

const COLOR_OF: Record<(typeof COLOR_NAMES)[number], string> = {
  background: 'The page’s.',
  link: 'A link’s.',
  button: 'A button’s.',
  buttonText: 'The text’s on a button.',
};

const BrandColors = builder.objectRef<Colors & { readonly environmentId: string }>('BrandColors').implement({
  description: 'The colours of one theme, as #rrggbb; null: the environment’s.',
  permission: 'read:branding',
  fields: (t) =>
    Object.fromEntries(COLOR_NAMES.map((name) => [name, t.exposeString(name, { nullable: true, description: COLOR_OF[name] })])),
});

const BrandColorsInput = builder.inputType('BrandColorsInput', {
  description: 'The colours of one theme, as #rrggbb. Absent or null: the environment’s.',
  fields: (t) => Object.fromEntries(COLOR_NAMES.map((name) => [name, t.string({ description: COLOR_OF[name] })])),
});

builder.prismaObjectFields('Organization', (t) => {
  const colors = (theme: keyof Brand) =>
    t.field({
      type: BrandColors,
      nullable: true,
      permission: 'read:branding',
      description: `The colours of its ${theme} theme.`,
      select: { environmentId: true, colors: true },
      resolve: (row) => ({ ...(row.colors as Brand)[theme], environmentId: row.environmentId }),
    });
  return {
    theme: t.field({
      type: ThemeEnum,
      nullable: true,
      permission: 'read:branding',
      description: 'Whether its pages are light or dark; null: as the environment’s.',
      select: { theme: true },
      resolve: ({ theme }) => theme as Theme | null,
    }),
    lightColors: colors('light'),
    darkColors: colors('dark'),
  };
});

defineMutation({
  name: 'updateOrganizationBrand',
  description: 'Changes the theme and the colours of an organization’s pages.',
  policy: { permission: updateOrganizationBrand.permission },
  versioned: true,
  codes: { INVALID_COLOR: 'Not a colour.' },
  input: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    theme: t.field({ type: ThemeEnum, description: 'Absent: unchanged; null: the environment’s.' }),
    lightColors: t.field({
      type: BrandColorsInput,
      description: 'All colours of the light theme. Absent: unchanged; null: the environment’s.',
    }),
    darkColors: t.field({
      type: BrandColorsInput,
      description: 'All colours of the dark theme. Absent: unchanged; null: the environment’s.',
    }),
  }),
  run: (ctx, input) => updateOrganizationBrand(ctx, { ...input, theme: input.theme as Theme }),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});
