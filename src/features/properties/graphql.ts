/** Properties and their categories in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import {
  createProperty,
  createPropertyCategory,
  deleteProperty,
  MAX_PROPERTIES,
  type PropertyContext,
  type PropertyType,
  updateProperty,
  updatePropertyCategory,
} from './service.ts';

const PropertyTypeEnum = builder.enumType('PropertyType', {
  description: 'What a property’s values are.',
  values: {
    BOOLEAN: { value: 'boolean', description: '`true` or `false`.' },
    SINGLE_LINE_TEXT: { value: 'single_line_text', description: 'A text without line breaks.' },
    MULTI_LINE_TEXT: { value: 'multi_line_text', description: 'A text.' },
  },
});

const PropertyContextEnum = builder.enumType('PropertyContext', {
  description: 'What a property is noted about.',
  values: {
    USER: { value: 'user', description: 'Users.' },
    ORGANIZATION: { value: 'organization', description: 'Organizations.' },
    APPLICATION: { value: 'application', description: 'Applications.' },
  },
});

export const PropertyCategory = builder.prismaObject('PropertyCategory', {
  description: 'A heading under which properties stand.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:property_categories',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The category’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name, unique in its context.' }),
    context: t.field({
      type: PropertyContextEnum,
      nullable: true,
      description: 'What its properties are noted about.',
      select: { context: true },
      resolve: ({ context }) => context as PropertyContext,
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

export const Property = builder.prismaObject('Property', {
  description: 'Something that a business notes about users, organizations or applications.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:properties',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The property’s id.' }),
    key: t.exposeString('key', { nullable: true, description: 'What tokens and imports know it by. Fixed when it is made.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    type: t.field({
      type: PropertyTypeEnum,
      nullable: true,
      description: 'What its values are. Fixed when it is made.',
      select: { type: true },
      resolve: ({ type }) => type as PropertyType,
    }),
    context: t.field({
      type: PropertyContextEnum,
      nullable: true,
      description: 'What it is noted about. Fixed when it is made.',
      select: { context: true },
      resolve: ({ context }) => context as PropertyContext,
    }),
    isPrivate: t.exposeBoolean('isPrivate', { nullable: true, description: 'Whether it is never in a token.' }),
    isSystem: t.exposeBoolean('isSystem', {
      nullable: true,
      description: 'Whether it is one of the platform’s own, which can be neither changed nor deleted.',
    }),
    category: t.relation('category', {
      nullable: true,
      permission: 'read:property_categories',
      description: 'The heading it stands under.',
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

registerNode('property', {
  typeName: 'Property',
  permission: 'read:properties',
  tenant: 'businessId',
  find: (prisma, query) => prisma.property.findFirst(query),
});
registerNode('propertyCategory', {
  typeName: 'PropertyCategory',
  permission: 'read:property_categories',
  tenant: 'businessId',
  find: (prisma, query) => prisma.propertyCategory.findFirst(query),
});

builder.prismaObjectFields('Business', (t) => ({
  properties: t.relatedConnection('properties', {
    cursor: 'businessId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:properties',
    description: 'The properties that its environments share, oldest first.',
    args: { context: t.arg({ type: PropertyContextEnum, description: 'Only those of one context.' }) },
    query: ({ context }) => ({ where: context ? { context } : {}, orderBy: { id: 'asc' } }),
  }),
  propertyCategories: t.relatedConnection('propertyCategories', {
    cursor: 'businessId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:property_categories',
    description: 'The headings of its properties, oldest first.',
    args: { context: t.arg({ type: PropertyContextEnum, description: 'Only those of one context.' }) },
    query: ({ context }) => ({ where: context ? { context } : {}, orderBy: { id: 'asc' } }),
  }),
}));

const OTHER_CONTEXT = { OTHER_CONTEXT: 'The category is for properties of another context.' };

defineMutation({
  name: 'createProperty',
  description: 'Defines a property for all environments of a business.',
  policy: { permission: createProperty.permission },
  codes: {
    ...TEXT_CODES,
    ...OTHER_CONTEXT,
    INVALID_KEY: 'Not usable as a key.',
    KEY_TAKEN: 'The key is in use.',
    TOO_MANY: `The business has ${MAX_PROPERTIES} properties.`,
  },
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({
      required: true,
      description: '1 to 64 letters, digits, dots, dashes or underscores, not beginning with `kp_`; unique in the business.',
    }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    type: t.field({ type: PropertyTypeEnum, required: true, description: 'Cannot be changed later.' }),
    context: t.field({ type: PropertyContextEnum, required: true, description: 'Cannot be changed later.' }),
    isPrivate: t.boolean({ required: true, description: 'Whether it is never in a token.' }),
    categoryId: t.id({ description: 'A heading of the same context.' }),
  }),
  run: (ctx, input) => createProperty(ctx, { ...input, type: input.type as PropertyType, context: input.context as PropertyContext }),
  payload: (t) => ({ property: changed(t, 'Property', 'The new property.') }),
});

const SYSTEM_CODES = { SYSTEM_PROPERTY: 'It is one of the platform’s own.' };

defineMutation({
  name: 'updateProperty',
  description: 'Changes a property of the business’s own. One that turns private leaves every token.',
  policy: { permission: updateProperty.permission },
  versioned: true,
  codes: { ...TEXT_CODES, ...OTHER_CONTEXT, ...SYSTEM_CODES },
  input: (t) => ({
    propertyId: t.id({ required: true, description: 'The property.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    isPrivate: t.boolean({ description: 'Absent: unchanged.' }),
    categoryId: t.id({ description: 'Absent: unchanged; null: none.' }),
  }),
  run: (ctx, input) => updateProperty(ctx, input),
  payload: (t) => ({ property: changed(t, 'Property', 'The property.') }),
});

defineMutation({
  name: 'deleteProperty',
  description: 'Deletes a property of the business’s own with all its values.',
  policy: { permission: deleteProperty.permission },
  previews: true,
  codes: SYSTEM_CODES,
  input: (t) => ({ propertyId: t.id({ required: true, description: 'The property.' }) }),
  run: (ctx, input) => deleteProperty(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

const NAME_CODES = { ...TEXT_CODES, NAME_TAKEN: 'Another category of the context has the name.' };

defineMutation({
  name: 'createPropertyCategory',
  description: 'Makes a heading under which properties of one context stand.',
  policy: { permission: createPropertyCategory.permission },
  codes: NAME_CODES,
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters; unique in the context.' }),
    context: t.field({ type: PropertyContextEnum, required: true, description: 'Cannot be changed later.' }),
  }),
  run: (ctx, input) => createPropertyCategory(ctx, { ...input, context: input.context as PropertyContext }),
  payload: (t) => ({ propertyCategory: changed(t, 'PropertyCategory', 'The new category.') }),
});

defineMutation({
  name: 'updatePropertyCategory',
  description: 'Renames a heading of properties.',
  policy: { permission: updatePropertyCategory.permission },
  versioned: true,
  codes: NAME_CODES,
  input: (t) => ({
    categoryId: t.id({ required: true, description: 'The category.' }),
    name: t.string({ required: true, description: 'At most 200 characters; unique in the context.' }),
  }),
  run: (ctx, input) => updatePropertyCategory(ctx, input),
  payload: (t) => ({ propertyCategory: changed(t, 'PropertyCategory', 'The category.') }),
});
