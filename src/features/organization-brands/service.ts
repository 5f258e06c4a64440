/** What an organization's sign-in pages look like, in the place of the environment's look. */
import type { Organization } from '../../db/generated/client/client.ts';
import { type BrandSettings, type Colors, checkColors, type Theme } from '../brands/service.ts';
import { action } from '../context.ts';
import { changeOrganization, type OrganizationInput, organizationScope } from '../organizations/service.ts';

export type OwnColors = Pick<BrandSettings, 'light' | 'dark'>;

export interface UpdateOrganizationBrandInput extends OrganizationInput {
  /** Null: the environment's. */
  readonly theme?: Theme | null | undefined;
  /** All colours of the theme, from now on; those left out and null are the environment's. */
  readonly lightColors?: Colors | null | undefined;
  readonly darkColors?: Colors | null | undefined;
}

/** Changes an organization's theme and colours.
 * @throws InvalidInputError INVALID_COLOR, LOW_CONTRAST or CONFLICT */
export const updateOrganizationBrand = action({
  permission: 'update:branding',
  scope: (ctx, input: UpdateOrganizationBrandInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const { organizationId, theme, lightColors, darkColors } = input;
    // Locked, so that who changes one theme's colours takes nothing from who changes the other's.
    const [before] = await ctx.db.$queryRaw<{ colors: OwnColors; brand: BrandSettings }[]>`
      SELECT o.colors, e.brand FROM organizations o JOIN environments e ON e.id = o.environment_id
       WHERE o.environment_id = ${scope.environmentId} AND o.id = ${organizationId} FOR NO KEY UPDATE OF o`;
    const { light = {}, dark = {} } = before?.brand ?? {};
    const colors = {
      ...before?.colors,
      ...(lightColors !== undefined && { light: checkColors(lightColors ?? {}, 'light', light, 'lightColors') }),
      ...(darkColors !== undefined && { dark: checkColors(darkColors ?? {}, 'dark', dark, 'darkColors') }),
    };
    return changeOrganization(ctx, scope, input, { theme, colors }, 'organization.brand_updated');
  },
});
