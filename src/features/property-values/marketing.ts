/** What advertisers' parameters said of where a user or an organization came from: kept as properties with keys of the platform's own. */
import { newId } from '../../kernel/ids.ts';
import type { Context, Scope } from '../context.ts';

const PREFIX = { user: 'kp_usr_', organization: 'kp_org_' } as const;

/** Notes `tags` about one who was just made. The property of a tag is defined for the business when the tag is first seen. */
export async function noteMarketingTags(
  ctx: Context,
  { environmentId, businessId }: Scope,
  context: keyof typeof PREFIX,
  id: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const values = new Map(Object.entries(tags).map(([tag, text]) => [`${PREFIX[context]}${tag}`, text]));
  if (values.size === 0) return;
  const definition = { businessId, type: 'single_line_text', context, isPrivate: true, isSystem: true };
  await ctx.db.property.createMany({
    data: Object.keys(tags).map((tag) => ({
      ...definition,
      id: newId('property'),
      key: `${PREFIX[context]}${tag}`,
      name: tag.replaceAll('_', ' '),
    })),
    skipDuplicates: true,
  });
  const properties = await ctx.db.property.findMany({
    where: { businessId, context, isSystem: true, key: { in: [...values.keys()] } },
    select: { id: true, key: true },
  });
  const rows = properties.map((property) => ({
    environmentId,
    businessId,
    propertyId: property.id,
    value: values.get(property.key)!,
  }));
  if (context === 'user') await ctx.db.userPropertyValue.createMany({ data: rows.map((row) => ({ ...row, userId: id })) });
  else await ctx.db.organizationPropertyValue.createMany({ data: rows.map((row) => ({ ...row, organizationId: id })) });
}

const OPT_IN = 'kp_usr_is_marketing_opt_in';

/** Notes whether a person wants marketing. Who does not say so keeps what they said before. */
export async function noteMarketingConsent(
  ctx: Context,
  { environmentId, businessId }: Pick<Scope, 'environmentId' | 'businessId'>,
  userId: string,
  wants: boolean,
): Promise<void> {
  await ctx.db.$executeRaw`
    INSERT INTO user_property_values AS v (environment_id, user_id, business_id, property_id, value)
    SELECT ${environmentId}, ${userId}, p.business_id, p.id, ${String(wants)} FROM properties p
     WHERE p.business_id = ${businessId} AND p.context = 'user' AND p.key = ${OPT_IN} AND p.is_system
    ON CONFLICT (environment_id, user_id, property_id) DO UPDATE SET value = excluded.value WHERE excluded.value = 'true'`;
}
