/** What pages would be drawn with if a change were saved. */
import type { Db } from '../../db/client.ts';
import { type Brand, brandFrom, findSource, type MailBrand, mailBrandFrom } from './brand-of.ts';
import { type BrandChange, changedBrand, type Theme } from './service.ts';

export interface BrandDraft {
  readonly brand: Brand;
  readonly mail: MailBrand;
}

/**
 * @param theme what the pages are shown in, whatever the brand says
 * @returns undefined where there is no such organization
 * @throws InvalidInputError as saving the change would
 */
export async function draftBrand(
  db: Db,
  environmentId: string,
  organizationId: string | null,
  change: BrandChange,
  theme: Theme | null,
): Promise<BrandDraft | undefined> {
  const source = await findSource(db, environmentId, organizationId);
  if (!source) return undefined;
  const settings = changedBrand(source.settings, change);
  const { organization } = source;
  const drafted = {
    ...source,
    settings: { ...settings, ...(theme && { theme }) },
    organization: organization && { ...organization, ...(theme && { theme }) },
  };
  return { brand: brandFrom(drafted), mail: mailBrandFrom(drafted) };
}
