/** What an environment's pages look like. What an organization has of its own stands in its place: see {@link brandOf}. */
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, environmentScope, NEXT_VERSION } from '../context.ts';
import { assertPlanHas } from '../plans.ts';
import { type Colors, checkColors } from './colors.ts';
import { checkCustomCss } from './custom-css.ts';

export { type Brand, brandOf, type LogoOfBrand, type MailBrand, mailBrandOf, PLAIN } from './brand-of.ts';
export { COLOR_NAMES, type ColorName, type Colors, checkColors, contrast } from './colors.ts';
export { MAX_CUSTOM_CSS } from './custom-css.ts';
export { type BrandDraft, draftBrand } from './draft.ts';

export const THEMES = ['light', 'dark', 'user_preference'] as const;
export type Theme = (typeof THEMES)[number];

export const ALIGNMENTS = ['start', 'center', 'end'] as const;
export type Alignment = (typeof ALIGNMENTS)[number];

/** Roundness is in pixels. */
export const MAX_RADIUS = 48;
const RADII = ['buttonRadius', 'cardRadius', 'inputRadius'] as const;

/** As it is kept: what is absent is ours. */
export interface BrandSettings {
  readonly theme?: Theme;
  readonly light?: Colors;
  readonly dark?: Colors;
  readonly buttonRadius?: number;
  readonly cardRadius?: number;
  readonly inputRadius?: number;
  readonly alignment?: Alignment;
  readonly isBadgeHidden?: boolean;
  readonly customCss?: string;
}

/** Absent: unchanged. Null: ours. */
export interface BrandChange {
  readonly theme?: Theme | null | undefined;
  /** All colours of the theme, from now on. */
  readonly lightColors?: Colors | null | undefined;
  readonly darkColors?: Colors | null | undefined;
  readonly buttonRadius?: number | null | undefined;
  readonly cardRadius?: number | null | undefined;
  readonly inputRadius?: number | null | undefined;
  readonly alignment?: Alignment | null | undefined;
  readonly isBadgeHidden?: boolean | null | undefined;
  readonly customCss?: string | null | undefined;
}

interface OfEnvironment {
  readonly environmentId?: string | null | undefined;
}

export interface UpdateEnvironmentBrandInput extends OfEnvironment, BrandChange {
  readonly expectedVersion?: number | null | undefined;
}

/** Changes what an environment's pages look like.
 * @throws InvalidInputError INVALID_COLOR, LOW_CONTRAST, OUT_OF_RANGE, UNSAFE_CSS, TOO_LONG, PLAN_LIMIT or CONFLICT */
export const updateEnvironmentBrand = action({
  permission: 'update:branding',
  scope: (ctx, input: UpdateEnvironmentBrandInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId, businessId } = scope;
    if (input.isBadgeHidden) await assertPlanHas(ctx, businessId, 'hiddenBadge', ['isBadgeHidden']);
    // Locked, so that who changes one thing takes nothing from who changes another.
    const [before] = await ctx.db.$queryRaw<{ brand: BrandSettings }[]>`
      SELECT brand FROM environments WHERE id = ${environmentId} FOR NO KEY UPDATE`;
    const environment = await ctx.db.environment.update({
      where: { id: environmentId, ...atVersion(input) },
      data: { brand: changedBrand(before?.brand ?? {}, input) as object, ...NEXT_VERSION },
    });
    const { environmentId: _, expectedVersion, ...change } = input;
    const fields = Object.entries(change).flatMap(([field, value]) => (value === undefined ? [] : [field]));
    await audit(ctx, {
      ...scope,
      action: 'environment.brand_updated',
      target: { type: 'environment', id: environmentId },
      details: { fields: fields.sort() },
    });
    return environment;
  },
});

/** Gives an environment's pages back the look that they came with: its own pictures are deleted as well. */
export const resetEnvironmentBrand = action({
  permission: 'update:branding',
  scope: (ctx, input: OfEnvironment, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, _input, scope): Promise<Environment> {
    const { environmentId } = scope;
    await ctx.db.logo.deleteMany({ where: { environmentId, organizationId: null } });
    const environment = await ctx.db.environment.update({ where: { id: environmentId }, data: { brand: {}, ...NEXT_VERSION } });
    await audit(ctx, { ...scope, action: 'environment.brand_reset', target: { type: 'environment', id: environmentId } });
    return environment;
  },
});

/** @throws InvalidInputError for what cannot be shown */
export function changedBrand(before: BrandSettings, change: BrandChange): BrandSettings {
  const { lightColors, darkColors, customCss, ...rest } = change;
  for (const field of RADII) {
    const radius = rest[field];
    if (radius != null && (radius < 0 || radius > MAX_RADIUS))
      throw new InvalidInputError('OUT_OF_RANGE', `This is a number of pixels from 0 to ${MAX_RADIUS}.`, [field]);
  }
  const changes = {
    ...{ theme: rest.theme, alignment: rest.alignment, isBadgeHidden: rest.isBadgeHidden },
    ...{ buttonRadius: rest.buttonRadius, cardRadius: rest.cardRadius, inputRadius: rest.inputRadius },
    light: lightColors && checkColors(lightColors, 'light', {}, 'lightColors'),
    dark: darkColors && checkColors(darkColors, 'dark', {}, 'darkColors'),
    customCss: customCss?.trim() ? checkCustomCss(customCss, 'customCss') : customCss === undefined ? undefined : null,
  };
  const all = { ...before, ...Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}
