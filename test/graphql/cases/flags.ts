import { createFeatureFlag } from '../../../src/features/flags/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { type FeatureCases, type Mistake, type MistakeStage, type MutationCase, type Stage, textMistakes } from './cases.ts';

const definition = ({ world }: Stage) => ({
  businessId: world.businessId,
  key: 'new',
  name: 'New',
  type: 'BOOLEAN',
  defaultValue: false,
  overrideLevels: ['USER'],
});

async function newFlag({ ctx, world }: Stage, name: string): Promise<string> {
  const wanted = { businessId: world.businessId, key: name, name, type: 'boolean', defaultValue: false } as const;
  return (await createFeatureFlag(ctx, { ...wanted, overrideLevels: [] })).id;
}

/** The two mutations of a level, which take the id `subject` of an object of `type`. */
function level(name: string, permission: string, type: string, subject: string): Record<string, MutationCase> {
  const idOf = ({ world }: Pick<Stage, 'world'>) => ({ [subject]: world.ids[type] });
  const set = (stage: Pick<Stage, 'world'>) => ({ ...idOf(stage), flagId: stage.world.ids['FeatureFlag'], value: true });
  const foreign = (input: object) => [
    { type, input: (id: string, own: Stage['world']) => ({ flagId: own.ids['FeatureFlag'], ...input, [subject]: id }) },
  ];
  const mistakes: Mistake[] = [
    { code: 'INVALID_VALUE', path: ['value'], input: (stage) => ({ ...set(stage), value: 'yes' }) },
    {
      code: 'NOT_OVERRIDABLE',
      path: ['flagId'],
      input: async (stage: MistakeStage) => ({
        ...set(stage),
        flagId: await newFlag(stage, `fixed-${name}-${newId('featureFlag')}`.slice(0, 60)),
      }),
    },
  ];
  return {
    [`set${name}FeatureFlag`]: {
      permission: `update:${permission}` as MutationCase['permission'],
      action: 'feature_flag.overridden',
      input: set,
      foreign: [...foreign({ value: true }), { type: 'FeatureFlag', input: (flagId, world) => ({ ...set({ world }), flagId }) }],
      mistakes,
      ...(name !== 'Environment' && { bulk: `set${name}FeatureFlags` }),
    },
    [`reset${name}FeatureFlags`]: {
      permission: `delete:${permission}` as MutationCase['permission'],
      action: 'feature_flag.reverted',
      input: idOf,
      foreign: [
        { type, input: (id) => ({ [subject]: id }) },
        { type: 'FeatureFlag', input: (flagId, world) => ({ ...idOf({ world }), flagIds: [flagId] }) },
      ],
    },
  };
}

export const flags: FeatureCases = {
  kinds: { FeatureFlag: 'featureFlag' },
  fillBusiness: async ({ ctx, businessId, name }) => {
    const wanted = { businessId, key: `${name}-flag`, name: 'Flag', type: 'boolean', defaultValue: false } as const;
    return { FeatureFlag: (await createFeatureFlag(ctx, { ...wanted, overrideLevels: ['environment', 'organization', 'user'] })).id };
  },
  addRow: async ({ ctx, businessId }, row) => {
    const wanted = { businessId, key: `flag-${row}`, name: 'Flag', type: 'integer', defaultValue: row } as const;
    await createFeatureFlag(ctx, { ...wanted, overrideLevels: [] });
  },
  lists: {
    'flags, and what they are worth': `business(id: $businessId) { featureFlags(first: $first) { totalCount nodes { key defaultValue } } }
      environment(id: $environmentId) { featureFlags { value source flag { key } } organizations(first: $first) { nodes { featureFlags { value flag { key } } } } }`,
  },
  open: ['FeatureFlagValue.flag', 'FeatureFlagValue.value', 'FeatureFlagValue.source'],
  shortLists: ['FeatureFlag.overrideLevels', 'Environment.featureFlags', 'Organization.featureFlags', 'User.featureFlags'],
  mutations: {
    createFeatureFlag: {
      permission: 'create:feature_flags',
      action: 'feature_flag.created',
      input: (stage, name) => ({ ...definition(stage), key: name, name }),
      foreign: [{ type: 'Business', input: (businessId, world) => ({ ...definition({ world } as Stage), businessId }) }],
      mistakes: [
        ...textMistakes('name', definition),
        { code: 'INVALID_KEY', path: ['key'], input: (stage) => ({ ...definition(stage), key: 'no key' }) },
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...definition(stage), key: `${stage.world.name}-flag` }) },
        { code: 'INVALID_VALUE', path: ['defaultValue'], input: (stage) => ({ ...definition(stage), defaultValue: 1 }) },
        {
          code: 'TOO_MANY',
          path: [],
          input: async ({ ctx, small }) => {
            const row = { businessId: small.businessId, name: 'Many', type: 'boolean', defaultValue: false, overrideLevels: [] };
            const data = Array.from({ length: 499 }, (_, at) => ({ ...row, id: newId('featureFlag'), key: `many-${at}` }));
            await ctx.db.featureFlag.createMany({ data });
            return { ...row, type: 'BOOLEAN', key: 'one-more' };
          },
        },
      ],
    },
    updateFeatureFlag: {
      permission: 'update:feature_flags',
      action: 'feature_flag.updated',
      input: async (stage, name) => ({ flagId: await newFlag(stage, name), defaultValue: true }),
      foreign: [{ type: 'FeatureFlag', input: (flagId) => ({ flagId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', ({ world }) => ({ flagId: world.ids['FeatureFlag'] })),
        { code: 'INVALID_VALUE', path: ['defaultValue'], input: ({ world }) => ({ flagId: world.ids['FeatureFlag'], defaultValue: 'no' }) },
        { code: 'CONFLICT', path: ['expectedVersion'], input: ({ world }) => ({ flagId: world.ids['FeatureFlag'], expectedVersion: 99 }) },
      ],
    },
    deleteFeatureFlag: {
      permission: 'delete:feature_flags',
      action: 'feature_flag.deleted',
      input: async (stage, name) => ({ flagId: await newFlag(stage, name) }),
      foreign: [{ type: 'FeatureFlag', input: (flagId) => ({ flagId }) }],
    },
    ...level('Environment', 'environment_feature_flags', 'Environment', 'environmentId'),
    ...level('Organization', 'organization_feature_flags', 'Organization', 'organizationId'),
    ...level('User', 'user_feature_flags', 'User', 'userId'),
  },
};
