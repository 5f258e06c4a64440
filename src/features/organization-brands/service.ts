/** What an organization's sign-in pages look like, in the place of the environment's look. */
import type { Organization } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { action } from '../context.ts';
import { changeOrganization, type OrganizationInput, organizationScope } from '../organizations/service.ts';

export const THEMES = ['light', 'dark', 'user_preference'] as const;
export type Theme = (typeof THEMES)[number];

/** What has a colour of its own in each of the two themes. */
export const COLOR_NAMES = ['background', 'link', 'button', 'buttonText'] as const;

/** Colours as `#rrggbb`. */
export type Colors = { readonly [name in (typeof COLOR_NAMES)[number]]?: string | null | undefined };

export interface Brand {
  readonly light?: Colors;
  readonly dark?: Colors;
}

export interface UpdateOrganizationBrandInput extends OrganizationInput {
  /** Null: the environment's. */
  readonly theme?: Theme | null | undefined;
  /** All colours of the theme, from now on; those left out and null are the environment's. */
  readonly lightColors?: Colors | null | undefined;
  readonly darkColors?: Colors | null | undefined;
}

/** Changes an organization's theme and colours.
 * @throws InvalidInputError INVALID_COLOR or CONFLICT */
export const updateOrganizationBrand = action({
  permission: 'update:branding',
  scope: (ctx, input: UpdateOrganizationBrandInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const { organizationId, theme, lightColors, darkColors } = input;
    const light = lightColors === undefined ? undefined : checkColors(lightColors ?? {}, 'lightColors');
    const dark = darkColors === undefined ? undefined : checkColors(darkColors ?? {}, 'darkColors');
    // Locked, so that who changes one theme's colours takes nothing from who changes the other's.
    const [before] = await ctx.db.$queryRaw<{ colors: Brand }[]>`
      SELECT colors FROM organizations WHERE environment_id = ${scope.environmentId} AND id = ${organizationId} FOR NO KEY UPDATE`;
    const colors = { ...before?.colors, ...(light && { light }), ...(dark && { dark }) };
    return changeOrganization(ctx, scope, input, { theme, colors }, 'organization.brand_updated');
  },
});

function checkColors(colors: Colors, field: string): Record<string, string> {
  const given = COLOR_NAMES.flatMap((name) => (colors[name] ? [[name, colors[name]] as const] : []));
  for (const [name, color] of given)
    if (!/^#[0-9a-f]{6}$/i.test(color)) throw new InvalidInputError('INVALID_COLOR', 'A colour is written as #rrggbb.', [field, name]);
  return Object.fromEntries(given.map(([name, color]) => [name, color.toLowerCase()]));
}
