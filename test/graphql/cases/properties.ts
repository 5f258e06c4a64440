import { createProperty, createPropertyCategory } from '../../../src/features/properties/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { type FeatureCases, type Mistake, type MistakeStage, type MutationCase, type Stage, textMistakes } from './cases.ts';

const definition = ({ world }: Pick<Stage, 'world'>) => ({
  businessId: world.businessId,
  key: 'new',
  name: 'New',
  type: 'SINGLE_LINE_TEXT',
  context: 'USER',
  isPrivate: false,
});
const category = ({ world }: Pick<Stage, 'world'>) => ({ businessId: world.businessId, name: 'New', context: 'USER' });
const property = ({ world }: Pick<Stage, 'world'>) => ({ propertyId: world.ids['Property'] });

const system = async ({ ctx, world }: MistakeStage) => ({
  propertyId: (await ctx.db.property.findFirstOrThrow({ where: { businessId: world.businessId, isSystem: true } })).id,
});

async function newProperty({ ctx, world }: Stage, key: string): Promise<string> {
  const wanted = { businessId: world.businessId, key, name: key, isPrivate: false } as const;
  return (await createProperty(ctx, { ...wanted, type: 'single_line_text', context: 'user' })).id;
}

async function newCategory({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createPropertyCategory(ctx, { businessId: world.businessId, name, context: 'user' })).id;
}

const contextMistake = (input: (stage: MistakeStage) => object): Mistake => ({
  code: 'OTHER_CONTEXT',
  path: ['categoryId'],
  input: async (stage) => {
    const { ctx, world } = stage;
    const wanted = { businessId: world.businessId, name: newId('propertyCategory'), context: 'application' } as const;
    return { ...input(stage), categoryId: (await createPropertyCategory(ctx, wanted)).id };
  },
});

/** The values of one context, written by `mutation`. */
function values(mutation: string, context: string, type: string): Record<string, MutationCase> {
  const subject = `${context}Id`;
  const propertyOf = ({ world }: Pick<Stage, 'world'>) => world.ids[`${context}Property`];
  const write = (stage: Pick<Stage, 'world'>, value: string | null = 'Noted') => ({
    [subject]: stage.world.ids[type],
    values: [{ propertyId: propertyOf(stage), value }],
  });
  const other = context === 'user' ? 'organization' : 'user';
  return {
    [mutation]: {
      permission: `update:${context}_properties` as MutationCase['permission'],
      action: `${context}.properties_changed`,
      input: (stage) => write(stage),
      foreign: [
        { type, input: (id, world) => ({ ...write({ world }), [subject]: id }) },
        { type: 'Property', input: (propertyId, world) => ({ ...write({ world }), values: [{ propertyId, value: 'Mine' }] }) },
      ],
      mistakes: [
        {
          code: 'TOO_MANY',
          path: ['values'],
          input: (stage) => ({ ...write(stage), values: Array(101).fill({ propertyId: propertyOf(stage), value: 'x' }) }),
        },
        {
          code: 'REPEATED',
          path: ['values', '1', 'propertyId'],
          input: (stage) => ({ ...write(stage), values: Array(2).fill({ propertyId: propertyOf(stage), value: 'x' }) }),
        },
        {
          code: 'OTHER_CONTEXT',
          path: ['values', '0', 'propertyId'],
          input: (stage) => ({ ...write(stage), values: [{ propertyId: stage.world.ids[`${other}Property`], value: 'x' }] }),
        },
        { code: 'INVALID_VALUE', path: ['values', '0', 'value'], input: (stage) => write(stage, 'two\nlines') },
        { code: 'INVALID_VALUE', path: ['values', '0', 'value'], input: (stage) => write(stage, 'x'.repeat(2001)) },
      ],
    },
  };
}

export const properties: FeatureCases = {
  kinds: { Property: 'property', PropertyCategory: 'propertyCategory' },
  fillBusiness: async ({ ctx, businessId, name }) => {
    const made: Record<string, string> = {};
    for (const context of ['user', 'organization', 'application'] as const) {
      const wanted = { businessId, key: `${name}-${context}`, name: 'Property', isPrivate: false } as const;
      made[`${context}Property`] = (await createProperty(ctx, { ...wanted, type: 'single_line_text', context })).id;
    }
    const { id } = await createPropertyCategory(ctx, { businessId, name: `${name}-category`, context: 'user' });
    await ctx.db.property.updateMany({ where: { businessId }, data: { categoryId: id } });
    return { ...made, Property: made['userProperty']!, PropertyCategory: id };
  },
  fillEnvironment: async ({ ctx, businessId, environmentId, ids }) => {
    const row = { environmentId, businessId, value: 'Noted' };
    await ctx.db.userPropertyValue.create({ data: { ...row, userId: ids['User']!, propertyId: ids['userProperty']! } });
    const ofOrganization = { organizationId: ids['Organization']!, propertyId: ids['organizationProperty']! };
    await ctx.db.organizationPropertyValue.create({ data: { ...row, ...ofOrganization } });
    const ofApplication = { applicationId: ids['Application']!, propertyId: ids['applicationProperty']! };
    await ctx.db.applicationPropertyValue.create({ data: { ...row, ...ofApplication } });
    return {};
  },
  addRow: async ({ ctx, businessId, environmentId, ids }, row) => {
    await createPropertyCategory(ctx, { businessId, name: `category-${row}`, context: 'user' });
    const wanted = { businessId, key: `property-${row}`, name: 'Property', isPrivate: false } as const;
    const { id } = await createProperty(ctx, { ...wanted, type: 'single_line_text', context: 'user' });
    await ctx.db.userPropertyValue.create({ data: { environmentId, businessId, userId: ids['User']!, propertyId: id, value: 'Noted' } });
  },
  lists: {
    'properties, their categories and values': `business(id: $businessId) {
      properties(first: $first) { totalCount nodes { key category { name } } } propertyCategories(first: $first) { nodes { name } }
    } environment(id: $environmentId) { users(first: $first) { nodes { properties { value property { key } } } } }`,
  },
  open: ['PropertyValue.property', 'PropertyValue.value'],
  shortLists: ['User.properties', 'Organization.properties', 'Application.properties'],
  mutations: {
    createProperty: {
      permission: 'create:properties',
      action: 'property.created',
      input: (stage, name) => ({ ...definition(stage), key: name, name }),
      foreign: [
        { type: 'Business', input: (businessId, world) => ({ ...definition({ world }), businessId }) },
        { type: 'PropertyCategory', input: (categoryId, world) => ({ ...definition({ world }), categoryId }) },
      ],
      mistakes: [
        ...textMistakes('name', definition),
        { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'no key' }) },
        { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'kp_usr_mine' }) },
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...definition(stage), key: `${stage.world.name}-user` }) },
        contextMistake(definition),
        {
          code: 'TOO_MANY',
          path: [],
          input: async ({ ctx, small }) => {
            const row = { businessId: small.businessId, name: 'Many', type: 'boolean', context: 'user', isPrivate: true };
            const data = Array.from({ length: 500 }, (_, at) => ({ ...row, id: newId('property'), key: `many-${at}` }));
            await ctx.db.property.createMany({ data });
            return { ...row, type: 'BOOLEAN', context: 'USER', key: 'one-more' };
          },
        },
      ],
    },
    updateProperty: {
      permission: 'update:properties',
      action: 'property.updated',
      input: async (stage, name) => ({ propertyId: await newProperty(stage, name), isPrivate: true }),
      foreign: [
        { type: 'Property', input: (propertyId) => ({ propertyId, name: 'Mine' }) },
        { type: 'PropertyCategory', input: (categoryId, world) => ({ ...property({ world }), categoryId }) },
      ],
      mistakes: [
        ...textMistakes('name', property),
        contextMistake(property),
        { code: 'SYSTEM_PROPERTY', path: ['propertyId'], input: async (stage) => ({ ...(await system(stage)), name: 'Mine' }) },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...property(stage), expectedVersion: 99 }) },
      ],
    },
    deleteProperty: {
      permission: 'delete:properties',
      action: 'property.deleted',
      input: async (stage, name) => ({ propertyId: await newProperty(stage, name) }),
      foreign: [{ type: 'Property', input: (propertyId) => ({ propertyId }) }],
      mistakes: [{ code: 'SYSTEM_PROPERTY', path: ['propertyId'], input: system }],
    },
    createPropertyCategory: {
      permission: 'create:property_categories',
      action: 'property_category.created',
      input: (stage, name) => ({ ...category(stage), name }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, name: 'Mine', context: 'USER' }) }],
      mistakes: [
        ...textMistakes('name', category),
        { code: 'NAME_TAKEN', path: ['name'], input: (stage) => ({ ...category(stage), name: `${stage.world.name}-category` }) },
      ],
    },
    updatePropertyCategory: {
      permission: 'update:property_categories',
      action: 'property_category.updated',
      input: async (stage, name) => ({ categoryId: await newCategory(stage, `${name}-before`), name }),
      foreign: [{ type: 'PropertyCategory', input: (categoryId) => ({ categoryId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', ({ world }) => ({ categoryId: world.ids['PropertyCategory'], name: 'New' })),
        {
          code: 'NAME_TAKEN',
          path: ['name'],
          input: async (stage) => ({ categoryId: await newCategory(stage, 'other'), name: `${stage.world.name}-category` }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ categoryId: world.ids['PropertyCategory'], name: 'New', expectedVersion: 99 }),
        },
      ],
    },
    ...values('updateUserProperties', 'user', 'User'),
    ...values('updateOrganizationProperties', 'organization', 'Organization'),
    ...values('updateApplicationProperties', 'application', 'Application'),
  },
};
