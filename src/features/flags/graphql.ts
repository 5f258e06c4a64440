/** Feature flags in the graph: their definitions, and what each is worth for an environment, an organization or a user. */
import type { InputFieldMap } from '@pothos/core';
import type { FeatureFlag as FeatureFlagRow } from '../../db/generated/client/client.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import {
  createFeatureFlag,
  deleteFeatureFlag,
  FLAG_LEVELS,
  type FlagLevel,
  type FlagType,
  MAX_FLAGS,
  resetEnvironmentFlags,
  resetOrganizationFlags,
  resetUserFlags,
  setEnvironmentFlag,
  setOrganizationFlag,
  setUserFlag,
  updateFeatureFlag,
} from './service.ts';

const FlagTypeEnum = builder.enumType('FeatureFlagType', {
  description: 'What a flag’s values are.',
  values: {
    BOOLEAN: { value: 'boolean', description: 'True or false.' },
    STRING: { value: 'string', description: 'A text.' },
    INTEGER: { value: 'integer', description: 'A whole number of 32 bits; decimals are cut off.' },
    JSON: { value: 'json', description: 'A JSON object or array.' },
  },
});

const FlagLevelEnum = builder.enumType('FeatureFlagLevel', {
  description: 'Where a flag may be overridden. The narrowest override wins.',
  values: {
    ENVIRONMENT: { value: 'environment', description: 'For a whole environment.' },
    ORGANIZATION: { value: 'organization', description: 'For an organization’s members, while they act for it.' },
    USER: { value: 'user', description: 'For one user, in every organization.' },
  },
});

const FlagSourceEnum = builder.enumType('FeatureFlagSource', {
  description: 'Where a flag’s value comes from.',
  values: {
    BUSINESS: { value: 'business', description: 'The flag’s default.' },
    ENVIRONMENT: { value: 'environment', description: 'The environment’s override.' },
    ORGANIZATION: { value: 'organization', description: 'The organization’s override.' },
    USER: { value: 'user', description: 'The user’s override.' },
  },
});

export const FeatureFlag = builder.prismaObject('FeatureFlag', {
  description: 'A switch that applications read from tokens.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:feature_flags',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The flag’s id.' }),
    key: t.exposeString('key', { nullable: true, description: 'What tokens carry. Fixed when it is made.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    type: t.field({
      type: FlagTypeEnum,
      nullable: true,
      description: 'What its values are. Fixed when it is made.',
      select: { type: true },
      resolve: ({ type }) => type as FlagType,
    }),
    defaultValue: t.expose('defaultValue', { type: 'JSON', nullable: true, description: 'Its value where nothing overrides it.' }),
    overrideLevels: t.field({
      type: [FlagLevelEnum],
      nullable: true,
      description: 'Where it may be overridden, the widest first. Fixed when it is made.',
      select: { overrideLevels: true },
      resolve: ({ overrideLevels }) => FLAG_LEVELS.filter((level) => overrideLevels.includes(level)),
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
  }),
});

registerNode('featureFlag', {
  typeName: 'FeatureFlag',
  permission: 'read:feature_flags',
  tenant: 'businessId',
  find: (prisma, query) => prisma.featureFlag.findFirst(query),
});

interface FlagValueRow {
  readonly flag: FeatureFlagRow;
  readonly value: unknown;
  readonly source: FlagLevel | 'business';
}

const FlagValue = builder.objectRef<FlagValueRow>('FeatureFlagValue').implement({
  description: 'What a flag is worth somewhere.',
  open: 'it was reached through a gated field',
  fields: (t) => ({
    flag: t.field({ type: FeatureFlag, description: 'The flag.', resolve: ({ flag }) => flag as never }),
    value: t.field({ type: 'JSON', description: 'Its value here.', resolve: ({ value }) => value }),
    source: t.field({ type: FlagSourceEnum, description: 'Where that comes from.', resolve: ({ source }) => source }),
  }),
});

type Overrides = readonly { readonly flagId: string; readonly value: unknown }[];

/** Each flag with the last of `levels` that overrides it: they go from the widest to the narrowest. */
function valuesOf(flags: readonly FeatureFlagRow[], levels: readonly (readonly [FlagLevel, Overrides])[]): FlagValueRow[] {
  const overridden = new Map<string, Omit<FlagValueRow, 'flag'>>();
  for (const [source, overrides] of levels) for (const { flagId, value } of overrides) overridden.set(flagId, { source, value });
  return flags.map((flag) => ({ flag, value: flag.defaultValue, source: 'business', ...overridden.get(flag.id) }));
}

/** The business's flags as a selection, with what the document asks of each. */
// biome-ignore lint/suspicious/noExplicitAny: the nested selection is typed by each field that hands it over
const flagsOf = (nested: (selection: any, path: string[]) => any) => ({
  select: { featureFlags: { ...nested({ select: { id: true, defaultValue: true } }, ['flag']), orderBy: { key: 'asc' } } },
});
const OVERRIDES = { select: { flagId: true, value: true } };

interface EnvironmentFlags {
  readonly flagValues: Overrides;
  readonly business: { readonly featureFlags: readonly FeatureFlagRow[] };
}

const LIST = `At most ${MAX_FLAGS}, by key.`;

builder.prismaObjectField('Business', 'featureFlags', (t) =>
  t.relatedConnection('featureFlags', {
    cursor: 'businessId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:feature_flags',
    description: 'The flags its environments share, oldest first.',
    query: { orderBy: { id: 'asc' } },
  }),
);

builder.prismaObjectField('Environment', 'featureFlags', (t) =>
  t.field({
    type: [FlagValue],
    nullable: true,
    permission: 'read:environment_feature_flags',
    description: `What each flag is worth in this environment. ${LIST}`,
    select: (_args, _ctx, nested) => ({ flagValues: OVERRIDES, business: flagsOf(nested as never) }) as never,
    resolve: (row) => {
      const { flagValues, business } = row as unknown as EnvironmentFlags;
      return valuesOf(business.featureFlags, [['environment', flagValues]]);
    },
  }),
);

for (const [type, level, permission] of [
  ['Organization', 'organization', 'read:organization_feature_flags'],
  ['User', 'user', 'read:flag_overrides'],
] as const)
  builder.prismaObjectField(type as 'User', 'featureFlags', (t) =>
    t.field({
      type: [FlagValue],
      nullable: true,
      permission,
      description: `What each flag is worth for this ${level}${level === 'user' ? ', where no organization overrides it' : ''}. ${LIST}`,
      select: (_args, _ctx, nested) =>
        ({ flagValues: OVERRIDES, environment: { select: { flagValues: OVERRIDES, business: flagsOf(nested as never) } } }) as never,
      resolve: (row) => {
        const { flagValues, environment } = row as unknown as { flagValues: Overrides; environment: EnvironmentFlags };
        return valuesOf(environment.business.featureFlags, [
          ['environment', environment.flagValues],
          [level, flagValues],
        ]);
      },
    }),
  );

const VALUE_CODES = { INVALID_VALUE: 'Not a value of the flag’s type.' };

defineMutation({
  name: 'createFeatureFlag',
  description: 'Defines a feature flag for all environments of a business.',
  policy: { permission: createFeatureFlag.permission },
  codes: {
    ...TEXT_CODES,
    ...VALUE_CODES,
    INVALID_KEY: 'Not usable as a key.',
    KEY_TAKEN: 'The key is in use.',
    TOO_MANY: `The business has ${MAX_FLAGS} flags.`,
  },
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({ required: true, description: '1 to 64 letters, digits, dots, dashes or underscores; unique in the business.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    type: t.field({ type: FlagTypeEnum, required: true, description: 'Cannot be changed later.' }),
    defaultValue: t.field({ type: 'JSON', required: true, description: 'A value of that type.' }),
    overrideLevels: t.field({
      type: [FlagLevelEnum],
      required: true,
      description: 'Where it may be overridden; may be empty. Cannot be changed later.',
    }),
  }),
  run: (ctx, input) =>
    createFeatureFlag(ctx, { ...input, type: input.type as FlagType, overrideLevels: input.overrideLevels as FlagLevel[] }),
  payload: (t) => ({ featureFlag: changed(t, 'FeatureFlag', 'The new flag.') }),
});

defineMutation({
  name: 'updateFeatureFlag',
  description: 'Changes a flag’s name, description or default.',
  policy: { permission: updateFeatureFlag.permission },
  versioned: true,
  codes: { ...TEXT_CODES, ...VALUE_CODES },
  input: (t) => ({
    flagId: t.id({ required: true, description: 'The flag.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    defaultValue: t.field({ type: 'JSON', description: 'Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateFeatureFlag(ctx, input),
  payload: (t) => ({ featureFlag: changed(t, 'FeatureFlag', 'The flag.') }),
});

defineMutation({
  name: 'deleteFeatureFlag',
  description: 'Deletes a flag with all its overrides. Applications find it in tokens no more.',
  policy: { permission: deleteFeatureFlag.permission },
  previews: true,
  codes: {},
  input: (t) => ({ flagId: t.id({ required: true, description: 'The flag.' }) }),
  run: (ctx, input) => deleteFeatureFlag(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

type InputFields = Parameters<Parameters<typeof defineMutation<InputFieldMap, unknown>>[0]['input']>[0];

const overriding = (t: InputFields) => ({
  flagId: t.id({ required: true, description: 'A flag that may be overridden here.' }),
  value: t.field({ type: 'JSON', required: true, description: 'A value of the flag’s type.' }),
});
const reverting = (t: InputFields) => ({
  flagIds: t.idList({ description: 'The flags in question, at most 500. Absent: every flag that is overridden here.' }),
});
const OVERRIDE_CODES = { ...VALUE_CODES, NOT_OVERRIDABLE: 'The flag does not allow an override here.' };

defineMutation({
  name: 'setEnvironmentFeatureFlag',
  description: 'Overrides a flag for a whole environment.',
  policy: { permission: setEnvironmentFlag.permission },
  codes: OVERRIDE_CODES,
  input: (t) => ({ environmentId: t.id({ description: 'A machine token may leave it out: its own.' }), ...overriding(t) }),
  run: (ctx, input) => setEnvironmentFlag(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'resetEnvironmentFeatureFlags',
  description: 'Takes overrides of an environment back.',
  policy: { permission: resetEnvironmentFlags.permission },
  previews: true,
  codes: {},
  input: (t) => ({ environmentId: t.id({ description: 'A machine token may leave it out: its own.' }), ...reverting(t) }),
  run: (ctx, input) => resetEnvironmentFlags(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'setOrganizationFeatureFlag',
  description: 'Overrides a flag for an organization.',
  policy: { permission: setOrganizationFlag.permission },
  bulk: { name: 'setOrganizationFeatureFlags', description: 'Overrides flags for organizations.' },
  codes: OVERRIDE_CODES,
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }), ...overriding(t) }),
  run: (ctx, input) => setOrganizationFlag(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'resetOrganizationFeatureFlags',
  description: 'Takes overrides of an organization back.',
  policy: { permission: resetOrganizationFlags.permission },
  previews: true,
  codes: {},
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }), ...reverting(t) }),
  run: (ctx, input) => resetOrganizationFlags(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'setUserFeatureFlag',
  description: 'Overrides a flag for a user, in every organization.',
  policy: { permission: setUserFlag.permission },
  bulk: { name: 'setUserFeatureFlags', description: 'Overrides flags for users, in every organization.' },
  codes: OVERRIDE_CODES,
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }), ...overriding(t) }),
  run: (ctx, input) => setUserFlag(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'resetUserFeatureFlags',
  description: 'Takes overrides of a user back.',
  policy: { permission: resetUserFlags.permission },
  previews: true,
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }), ...reverting(t) }),
  run: (ctx, input) => resetUserFlags(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});
