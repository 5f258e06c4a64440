/** Properties: what a business notes about its users, organizations and applications beyond the fields that everyone has. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Property, PropertyCategory } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, lockBusiness, NEXT_VERSION, scopeOfBusinessRow } from '../context.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';
import { SYSTEM_PROPERTIES } from './system-properties.ts';
import type { PropertyContext, PropertyType } from './values.ts';

export { checkPropertyValue, PROPERTY_CONTEXTS, PROPERTY_TYPES, type PropertyContext, type PropertyType } from './values.ts';

/** Properties of one business. */
export const MAX_PROPERTIES = 500;

/** Writes the properties that a business is born with. */
export async function createSystemProperties(ctx: Context, businessId: string): Promise<void> {
  await ctx.db.property.createMany({
    data: SYSTEM_PROPERTIES.map((property) => ({ businessId, id: newId('property'), ...property, isPrivate: true, isSystem: true })),
  });
}

export interface CreatePropertyInput {
  readonly businessId?: string | null | undefined;
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly type: PropertyType;
  readonly context: PropertyContext;
  readonly isPrivate: boolean;
  readonly categoryId?: string | null | undefined;
}

/** Defines a property. Its key, type and context cannot be changed later.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, OTHER_CONTEXT, TOO_MANY, REQUIRED or TOO_LONG
 * @throws NotFoundError when the category is not there */
export const createProperty = action({
  permission: 'create:properties',
  scope: (ctx, input: CreatePropertyInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Property> {
    const { key, type, context, isPrivate } = input;
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(key) || /^kp[_-]/i.test(key))
      throw new InvalidInputError(
        'INVALID_KEY',
        'A key is 1 to 64 letters, digits, dots, dashes or underscores, and does not begin with kp_.',
        ['key'],
      );
    await lockBusiness(ctx, businessId);
    if (await ctx.db.property.findUnique({ where: { businessId_key: { businessId, key } } }))
      throw new InvalidInputError('KEY_TAKEN', 'Another property has this key.', ['key']);
    if ((await ctx.db.property.count({ where: { businessId } })) >= MAX_PROPERTIES)
      throw new InvalidInputError('TOO_MANY', `A business has at most ${MAX_PROPERTIES} properties.`);
    const property = await ctx.db.property.create({
      data: {
        businessId,
        id: newId('property'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
        type,
        context,
        isPrivate,
        categoryId: (await categoryFor(ctx, businessId, context, input.categoryId)) ?? null,
      },
    });
    await audit(ctx, { businessId, action: 'property.created', target: target(property.id), details: { key, context, isPrivate } });
    return property;
  },
});

export interface UpdatePropertyInput {
  readonly propertyId: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly isPrivate?: boolean | null | undefined;
  readonly categoryId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a property of the business's own.
 * @throws InvalidInputError SYSTEM_PROPERTY, OTHER_CONTEXT, REQUIRED, TOO_LONG or CONFLICT
 * @throws NotFoundError when the category is not there */
export const updateProperty = action({
  permission: 'update:properties',
  scope: (ctx, input: UpdatePropertyInput, permission) => propertyScope(ctx, permission, input.propertyId),
  async run(ctx, input, { businessId }): Promise<Property> {
    const { context } = await ownProperty(ctx, businessId, input.propertyId);
    const property = await ctx.db.property.update({
      where: { businessId_id: { businessId, id: input.propertyId }, ...atVersion(input) },
      data: {
        name: changedText(input.name, 'name'),
        description: changedOptionalText(input.description, 'description', 1000),
        isPrivate: input.isPrivate ?? undefined,
        categoryId: await categoryFor(ctx, businessId, context as PropertyContext, input.categoryId),
        ...NEXT_VERSION,
      },
    });
    await audit(ctx, {
      businessId,
      action: 'property.updated',
      target: target(property.id),
      details: { fields: Object.keys(input).sort(), isPrivate: property.isPrivate },
    });
    return property;
  },
});

/** Deletes a property of the business's own with all its values.
 * @throws InvalidInputError SYSTEM_PROPERTY */
export const deleteProperty = action({
  permission: 'delete:properties',
  scope: (ctx, input: { readonly propertyId: string }, permission) => propertyScope(ctx, permission, input.propertyId),
  async run(ctx, { propertyId }, { businessId }): Promise<{ deletedId: string }> {
    await ownProperty(ctx, businessId, propertyId);
    await ctx.db.property.delete({ where: { businessId_id: { businessId, id: propertyId } } });
    await audit(ctx, { businessId, action: 'property.deleted', target: target(propertyId) });
    return { deletedId: propertyId };
  },
});

async function ownProperty(ctx: Context, businessId: string, id: string): Promise<Property> {
  const property = await ctx.db.property.findUniqueOrThrow({ where: { businessId_id: { businessId, id } } });
  if (property.isSystem)
    throw new InvalidInputError('SYSTEM_PROPERTY', 'This is one of the platform’s own properties: it can be neither changed nor deleted.', [
      'propertyId',
    ]);
  return property;
}

/** The category's id; null and undefined stay what they are. */
async function categoryFor(
  ctx: Context,
  businessId: string,
  context: PropertyContext,
  categoryId: string | null | undefined,
): Promise<string | null | undefined> {
  if (!categoryId) return categoryId;
  const category = await ctx.db.propertyCategory.findUnique({ where: { businessId_id: { businessId, id: categoryId } } });
  if (!category) throw new NotFoundError('property category', ['categoryId']);
  if (category.context !== context)
    throw new InvalidInputError('OTHER_CONTEXT', `This category is for properties of the context ${category.context}.`, ['categoryId']);
  return categoryId;
}

export interface CreatePropertyCategoryInput {
  readonly businessId?: string | null | undefined;
  readonly name: string;
  readonly context: PropertyContext;
}

/** Makes a heading under which properties of one context stand.
 * @throws InvalidInputError NAME_TAKEN, REQUIRED or TOO_LONG */
export const createPropertyCategory = action({
  permission: 'create:property_categories',
  scope: (ctx, input: CreatePropertyCategoryInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, { name: wanted, context }, { businessId }): Promise<PropertyCategory> {
    const name = requireText(wanted, 'name');
    await assertFreeName(ctx, { businessId, context, name });
    const category = await ctx.db.propertyCategory.create({ data: { businessId, id: newId('propertyCategory'), name, context } });
    await audit(ctx, { businessId, action: 'property_category.created', target: { type: 'property_category', id: category.id } });
    return category;
  },
});

export interface UpdatePropertyCategoryInput {
  readonly categoryId: string;
  readonly name: string;
  readonly expectedVersion?: number | null | undefined;
}

/** Renames a category.
 * @throws InvalidInputError NAME_TAKEN, REQUIRED, TOO_LONG or CONFLICT */
export const updatePropertyCategory = action({
  permission: 'update:property_categories',
  scope: (ctx, input: UpdatePropertyCategoryInput, permission) =>
    scopeOfBusinessRow(ctx, permission, 'property category', 'categoryId', (businessId) =>
      ctx.db.propertyCategory.findFirst({
        where: { ...(businessId && { businessId }), id: input.categoryId },
        select: { businessId: true },
      }),
    ),
  async run(ctx, input, { businessId }): Promise<PropertyCategory> {
    const where = { businessId_id: { businessId, id: input.categoryId } };
    const name = requireText(input.name, 'name');
    const { id, context } = await ctx.db.propertyCategory.findUniqueOrThrow({ where });
    await assertFreeName(ctx, { businessId, context, name }, id);
    const category = await ctx.db.propertyCategory.update({ where: { ...where, ...atVersion(input) }, data: { name, ...NEXT_VERSION } });
    await audit(ctx, { businessId, action: 'property_category.updated', target: { type: 'property_category', id } });
    return category;
  },
});

async function assertFreeName(ctx: Context, key: { businessId: string; context: string; name: string }, except?: string): Promise<void> {
  const other = await ctx.db.propertyCategory.findUnique({ where: { businessId_context_name: key } });
  if (other && other.id !== except) throw new InvalidInputError('NAME_TAKEN', 'Another category of this context has this name.', ['name']);
}

function propertyScope(ctx: Context, permission: PermissionName, propertyId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'property', 'propertyId', (businessId) =>
    ctx.db.property.findFirst({ where: { ...(businessId && { businessId }), id: propertyId }, select: { businessId: true } }),
  );
}

function target(id: string): { type: string; id: string } {
  return { type: 'property', id };
}
