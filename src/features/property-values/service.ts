/** The values of properties: what is noted about one user, organization or application. */
import type { PermissionName } from '../../access/permissions.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, type Scope, scopeOfRow } from '../context.ts';
import { checkPropertyValue, type PropertyContext, type PropertyType } from '../properties/service.ts';

/** Values that one call may write. */
const MAX_VALUES = 100;

export interface PropertyValueInput {
  readonly propertyId: string;
  /** Null clears it. */
  readonly value?: string | null | undefined;
}

interface Subject {
  readonly environmentId: string;
  readonly id: string;
}

/** One value of a subject. */
interface Row {
  readonly businessId: string;
  readonly propertyId: string;
  readonly value: string;
}

const TABLES = {
  user: {
    write: (ctx: Context, { environmentId, id: userId }: Subject, { propertyId, ...row }: Row) =>
      ctx.db.userPropertyValue.upsert({
        where: { environmentId_userId_propertyId: { environmentId, userId, propertyId } },
        create: { environmentId, userId, propertyId, ...row },
        update: { value: row.value },
      }),
    clear: (ctx: Context, { environmentId, id: userId }: Subject, propertyIds: string[]) =>
      ctx.db.userPropertyValue.deleteMany({ where: { environmentId, userId, propertyId: { in: propertyIds } } }),
  },
  organization: {
    write: (ctx: Context, { environmentId, id: organizationId }: Subject, { propertyId, ...row }: Row) =>
      ctx.db.organizationPropertyValue.upsert({
        where: { environmentId_organizationId_propertyId: { environmentId, organizationId, propertyId } },
        create: { environmentId, organizationId, propertyId, ...row },
        update: { value: row.value },
      }),
    clear: (ctx: Context, { environmentId, id: organizationId }: Subject, propertyIds: string[]) =>
      ctx.db.organizationPropertyValue.deleteMany({ where: { environmentId, organizationId, propertyId: { in: propertyIds } } }),
  },
  application: {
    write: (ctx: Context, { environmentId, id: applicationId }: Subject, { propertyId, ...row }: Row) =>
      ctx.db.applicationPropertyValue.upsert({
        where: { environmentId_applicationId_propertyId: { environmentId, applicationId, propertyId } },
        create: { environmentId, applicationId, propertyId, ...row },
        update: { value: row.value },
      }),
    clear: (ctx: Context, { environmentId, id: applicationId }: Subject, propertyIds: string[]) =>
      ctx.db.applicationPropertyValue.deleteMany({ where: { environmentId, applicationId, propertyId: { in: propertyIds } } }),
  },
} as const satisfies Record<PropertyContext, object>;

/** Writes and clears values, all of them or none.
 * @throws InvalidInputError TOO_MANY, REPEATED, OTHER_CONTEXT or INVALID_VALUE
 * @throws NotFoundError when one of the properties is not there */
async function writeValues(
  ctx: Context,
  context: PropertyContext,
  { environmentId, businessId }: Scope,
  id: string,
  values: readonly PropertyValueInput[],
): Promise<Subject> {
  const subject = { environmentId, id };
  if (values.length > MAX_VALUES) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_VALUES} values.`, ['values']);
  const ids = values.map(({ propertyId }) => propertyId);
  const repeated = ids.findIndex((propertyId, at) => ids.indexOf(propertyId) < at);
  if (repeated >= 0) throw new InvalidInputError('REPEATED', 'This property is named twice.', ['values', String(repeated), 'propertyId']);
  const known = new Map(
    (await ctx.db.property.findMany({ where: { businessId, id: { in: ids } } })).map((property) => [property.id, property]),
  );
  const cleared: string[] = [];
  for (const [index, { propertyId, value }] of values.entries()) {
    const at = ['values', String(index)];
    const property = known.get(propertyId);
    if (!property) throw new NotFoundError('property', [...at, 'propertyId']);
    if (property.context !== context)
      throw new InvalidInputError('OTHER_CONTEXT', `This property is of the context ${property.context}.`, [...at, 'propertyId']);
    if (value == null) cleared.push(propertyId);
    else
      await TABLES[context].write(ctx, subject, {
        businessId,
        propertyId,
        value: checkPropertyValue(property.type as PropertyType, value, [...at, 'value']),
      });
  }
  if (cleared.length > 0) await TABLES[context].clear(ctx, subject, cleared);
  if (context === 'user') await ctx.db.user.update({ where: { environmentId_id: subject }, data: { updatedAt: ctx.clock.now() } });
  await audit(ctx, {
    businessId,
    environmentId,
    action: `${context}.properties_changed`,
    target: { type: context, id },
    details: { properties: ids.map((propertyId) => known.get(propertyId)!.key).sort() },
  });
  return subject;
}

/** Notes values of properties about a user. */
export const updateUserProperties = action({
  permission: 'update:user_properties',
  scope: (ctx, input: { readonly userId: string; readonly values: readonly PropertyValueInput[] }, permission) =>
    subjectScope(ctx, permission, 'user', input.userId),
  run: (ctx, { userId, values }, scope) => writeValues(ctx, 'user', scope, userId, values),
});

/** Notes values of properties about an organization. */
export const updateOrganizationProperties = action({
  permission: 'update:organization_properties',
  scope: (ctx, input: { readonly organizationId: string; readonly values: readonly PropertyValueInput[] }, permission) =>
    subjectScope(ctx, permission, 'organization', input.organizationId),
  run: (ctx, { organizationId, values }, scope) => writeValues(ctx, 'organization', scope, organizationId, values),
});

/** Notes values of properties about an application. */
export const updateApplicationProperties = action({
  permission: 'update:application_properties',
  scope: (ctx, input: { readonly applicationId: string; readonly values: readonly PropertyValueInput[] }, permission) =>
    subjectScope(ctx, permission, 'application', input.applicationId),
  run: (ctx, { applicationId, values }, scope) => writeValues(ctx, 'application', scope, applicationId, values),
});

function subjectScope(ctx: Context, permission: PermissionName, context: PropertyContext, id: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, context, `${context}Id`, (environmentId) => {
    const query = { where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } } as const;
    if (context === 'user') return ctx.db.user.findFirst(query);
    return context === 'organization' ? ctx.db.organization.findFirst(query) : ctx.db.application.findFirst(query);
  });
}
