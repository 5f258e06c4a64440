/** The look of organizations in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { BrandColors, BrandColorsInput, COLOR_CODES, CONTRAST_RULE, ThemeEnum } from '../brands/graphql.ts';
import type { Theme } from '../brands/service.ts';
import { type OwnColors, updateOrganizationBrand } from './service.ts';

builder.prismaObjectFields('Organization', (t) => {
  const colors = (theme: keyof OwnColors) =>
    t.field({
      type: BrandColors,
      nullable: true,
      permission: 'read:branding',
      description: `The colours of its ${theme} theme.`,
      select: { environmentId: true, colors: true },
      resolve: (row) => ({ ...(row.colors as OwnColors)[theme], environmentId: row.environmentId }),
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
  description: `Changes the theme and the colours of an organization’s pages. ${CONTRAST_RULE}`,
  policy: { permission: updateOrganizationBrand.permission },
  versioned: true,
  codes: COLOR_CODES,
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
