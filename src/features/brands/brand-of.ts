/** What is drawn: an environment's brand, with an organization's own in the place of what it has of its own. */

import type { Db } from '../../db/client.ts';
import { sha256 } from '../../security/secrets.ts';
import type { Infrastructure } from '../context.ts';
import { type Colors, declarations, paletteOf, type ThemeName } from './colors.ts';
import type { BrandSettings, Theme } from './service.ts';

export interface LogoOfBrand {
  readonly id: string;
  readonly contentType: string;
}

/** What pages and mails are drawn with. */
export interface Brand {
  /** Whose pages these are: the organization's name or the business's. */
  readonly name: string;
  readonly organizationId: string | null;
  readonly theme: Theme;
  /** The pages' second stylesheet, and what tells it from others; null where nothing differs from the first. */
  readonly stylesheet: { readonly css: string; readonly hash: string } | null;
  readonly logo: { readonly light: LogoOfBrand; readonly dark: LogoOfBrand } | null;
  readonly favicons: readonly LogoOfBrand[];
  /** Whether the name stands where a logo would. */
  readonly showsName: boolean;
  readonly isBadgeHidden: boolean;
}

/** What a brand is made of, as it is kept. */
export interface BrandSource {
  readonly name: string;
  readonly settings: BrandSettings;
  readonly logos: readonly (LogoOfBrand & { readonly type: string })[];
  readonly organization: {
    readonly id: string;
    readonly name: string;
    readonly theme: string | null;
    readonly colors: unknown;
    readonly logos: BrandSource['logos'];
  } | null;
}

/** The brand of an environment's pages, for a sign-in to one of its organizations. One that is not there has none of its own. */
export async function brandOf(infrastructure: Infrastructure, environmentId: string, organizationId: string | null): Promise<Brand> {
  const find = (id: string | null) =>
    infrastructure.lookups.find(environmentId, `brand ${id ?? ''}`, async () => {
      const source = await findSource(infrastructure.database.prisma, environmentId, id);
      return source && brandFrom(source);
    });
  return (organizationId ? await find(organizationId) : undefined) ?? (await find(null)) ?? PLAIN;
}

/** What a mail looks like, where no stylesheet reaches: the same brand, read in the caller's transaction. */
export interface MailBrand extends Pick<Brand, 'name' | 'theme' | 'logo'> {
  readonly light: Palette;
  readonly dark: Palette;
}
type Palette = ReturnType<typeof paletteOf>;

export async function mailBrandOf(db: Db, environmentId: string, organizationId: string | null): Promise<MailBrand> {
  const find = (id: string | null) => findSource(db, environmentId, id);
  const source = (organizationId ? await find(organizationId) : undefined) ?? (await find(null));
  return mailBrandFrom(source);
}

/** @param source undefined for the look that mails come with */
export function mailBrandFrom(source: BrandSource | undefined): MailBrand {
  const { name, theme, logo } = source ? brandFrom(source) : PLAIN;
  const own = (source?.organization?.colors ?? {}) as OwnColors;
  const palette = (of: ThemeName) => paletteOf([own[of] ?? {}, source?.settings[of] ?? {}], of);
  return { name, theme, logo, light: palette('light'), dark: palette('dark') };
}

/** The look that pages come with. */
export const PLAIN: Brand = {
  name: '',
  organizationId: null,
  theme: 'user_preference',
  stylesheet: null,
  logo: null,
  favicons: [],
  showsName: false,
  isBadgeHidden: false,
};

const PICTURE = { id: true, type: true, contentType: true } as const;

/** What `brandOf` is made from; undefined where the organization, or the environment, is not there. */
export async function findSource(db: Db, environmentId: string, organizationId: string | null): Promise<BrandSource | undefined> {
  const environment = await db.environment.findUnique({
    where: { id: environmentId },
    select: {
      brand: true,
      business: { select: { name: true } },
      logos: { where: { organizationId: null }, select: PICTURE },
      organizations: {
        where: { id: organizationId ?? '' },
        select: { id: true, name: true, theme: true, colors: true, logos: { select: PICTURE } },
      },
    },
  });
  const organization = environment?.organizations[0] ?? null;
  if (!environment || (organizationId && !organization)) return undefined;
  return { name: environment.business.name, settings: environment.brand as BrandSettings, logos: environment.logos, organization };
}

export function brandFrom({ name, settings, logos, organization }: BrandSource): Brand {
  const theme = (organization?.theme ?? settings.theme ?? 'user_preference') as Theme;
  const logo = (organization && logoAmong(organization.logos)) ?? logoAmong(logos);
  const background = [...(organization?.logos ?? []), ...logos].find(({ type }) => type === 'background');
  const css = [
    colorsOf(theme, settings, (organization?.colors ?? {}) as OwnColors),
    shapesOf(settings),
    background && `body{background-image:url(logos/${background.id})}footer{background:var(--card);color:var(--quiet)}`,
    settings.customCss,
  ]
    .filter(Boolean)
    .join('\n');
  const own = faviconsAmong(organization?.logos ?? []);
  return {
    name: organization?.name ?? name,
    organizationId: organization?.id ?? null,
    theme,
    stylesheet: css ? { css, hash: sha256(css).slice(0, 16) } : null,
    logo: logo ?? null,
    favicons: own.length > 0 ? own : faviconsAmong(logos),
    showsName: !logo && organization !== null,
    isBadgeHidden: settings.isBadgeHidden ?? false,
  };
}

type OwnColors = Pick<BrandSettings, 'light' | 'dark'>;

function logoAmong(logos: BrandSource['logos']): Brand['logo'] {
  const [light, dark] = ['light', 'dark'].map((wanted) => logos.find(({ type }) => type === wanted));
  const any = light ?? dark;
  return any ? { light: light ?? any, dark: dark ?? any } : null;
}

function faviconsAmong(logos: BrandSource['logos']): LogoOfBrand[] {
  return logos.filter(({ type }) => type === 'favicon_svg' || type === 'favicon_fallback').sort((a, b) => b.type.localeCompare(a.type));
}

/** Nothing where the pages are as they come: light or dark as the device says, in our colours. */
function colorsOf(theme: Theme, environment: OwnColors, own: OwnColors): string {
  const sources = (name: 'light' | 'dark'): Colors[] => [own[name] ?? {}, environment[name] ?? {}];
  const isOurs = [...sources('light'), ...sources('dark')].every((colors) => Object.keys(colors).length === 0);
  if (theme !== 'user_preference') return `:root{color-scheme:${theme};${declarations(sources(theme), theme)}}`;
  if (isOurs) return '';
  return `:root{${declarations(sources('light'), 'light')}}
@media (prefers-color-scheme:dark){:root{${declarations(sources('dark'), 'dark')}}}`;
}

function shapesOf({ buttonRadius, cardRadius, inputRadius, alignment }: BrandSettings): string {
  const values = Object.entries({ 'button-radius': buttonRadius, 'card-radius': cardRadius, 'input-radius': inputRadius })
    .filter(([, radius]) => radius !== undefined)
    .map(([name, radius]) => `--${name}:${radius}px`);
  if (alignment && alignment !== 'center') values.push(`--align:flex-${alignment}`);
  return values.length > 0 ? `:root{${values.join(';')}}` : '';
}
