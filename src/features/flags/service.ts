/**
 * Feature flags: defined by the business with a default, overridden for an environment, an organization or a user where
 * the flag allows it. The narrowest override wins; taking it back leads to what is above it.
 */
import type { PermissionName } from '../../access/permissions.ts';
import type { FeatureFlag, Prisma } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import {
  action,
  atVersion,
  businessScope,
  type Context,
  environmentScope,
  lockBusiness,
  NEXT_VERSION,
  type Scope,
  scopeOfBusinessRow,
  scopeOfRow,
} from '../context.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';
import { checkFlagValue, FLAG_LEVELS, type FlagLevel, type FlagType } from './values.ts';

export { FLAG_LEVELS, FLAG_TYPES, type FlagLevel, type FlagType } from './values.ts';

/** Flags of one business: all of them are in every token. */
export const MAX_FLAGS = 500;

export interface CreateFeatureFlagInput {
  readonly businessId?: string | null | undefined;
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly type: FlagType;
  readonly defaultValue?: unknown;
  /** Fixed for good. */
  readonly overrideLevels: readonly FlagLevel[];
}

/** Defines a flag for all environments of a business. Its key, type and override levels cannot be changed later.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, INVALID_VALUE, TOO_MANY, REQUIRED or TOO_LONG */
export const createFeatureFlag = action({
  permission: 'create:feature_flags',
  scope: (ctx, input: CreateFeatureFlagInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<FeatureFlag> {
    const { key, type } = input;
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(key))
      throw new InvalidInputError('INVALID_KEY', 'A key is 1 to 64 letters, digits, dots, dashes or underscores.', ['key']);
    await lockBusiness(ctx, businessId);
    if (await ctx.db.featureFlag.findUnique({ where: { businessId_key: { businessId, key } } }))
      throw new InvalidInputError('KEY_TAKEN', 'Another flag has this key.', ['key']);
    if ((await ctx.db.featureFlag.count({ where: { businessId } })) >= MAX_FLAGS)
      throw new InvalidInputError('TOO_MANY', `A business has at most ${MAX_FLAGS} flags.`);
    const flag = await ctx.db.featureFlag.create({
      data: {
        businessId,
        id: newId('featureFlag'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
        type,
        defaultValue: checkFlagValue(type, input.defaultValue, 'defaultValue') as Prisma.InputJsonValue,
        overrideLevels: FLAG_LEVELS.filter((level) => input.overrideLevels.includes(level)),
      },
    });
    await audit(ctx, { businessId, action: 'feature_flag.created', target: target(flag.id), details: { key, type } });
    return flag;
  },
});

export interface UpdateFeatureFlagInput {
  readonly flagId: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly defaultValue?: unknown;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a flag's name, description or default.
 * @throws InvalidInputError INVALID_VALUE, REQUIRED, TOO_LONG or CONFLICT */
export const updateFeatureFlag = action({
  permission: 'update:feature_flags',
  scope: (ctx, input: UpdateFeatureFlagInput, permission) => flagScope(ctx, permission, input.flagId),
  async run(ctx, input, { businessId }): Promise<FeatureFlag> {
    const where = { businessId_id: { businessId, id: input.flagId } };
    const { type } = await ctx.db.featureFlag.findUniqueOrThrow({ where });
    const { defaultValue } = input;
    const flag = await ctx.db.featureFlag.update({
      where: { ...where, ...atVersion(input) },
      data: {
        name: changedText(input.name, 'name'),
        description: changedOptionalText(input.description, 'description', 1000),
        ...(defaultValue !== undefined && {
          defaultValue: checkFlagValue(type as FlagType, defaultValue, 'defaultValue') as Prisma.InputJsonValue,
        }),
        ...NEXT_VERSION,
      },
    });
    await audit(ctx, {
      businessId,
      action: 'feature_flag.updated',
      target: target(flag.id),
      details: { fields: Object.keys(input).sort() },
    });
    return flag;
  },
});

/** Deletes a flag with all its overrides. */
export const deleteFeatureFlag = action({
  permission: 'delete:feature_flags',
  scope: (ctx, input: { readonly flagId: string }, permission) => flagScope(ctx, permission, input.flagId),
  async run(ctx, { flagId }, { businessId }): Promise<{ deletedId: string }> {
    await ctx.db.featureFlag.delete({ where: { businessId_id: { businessId, id: flagId } } });
    await audit(ctx, { businessId, action: 'feature_flag.deleted', target: target(flagId) });
    return { deletedId: flagId };
  },
});

function flagScope(ctx: Context, permission: PermissionName, flagId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'feature flag', 'flagId', (businessId) =>
    ctx.db.featureFlag.findFirst({ where: { ...(businessId && { businessId }), id: flagId }, select: { businessId: true } }),
  );
}

/** What a flag is overridden for. */
type Subject = { readonly environmentId: string; readonly id: string };

/** How the overrides of one level are written. */
const LEVELS = {
  environment: {
    write: (ctx: Context, { environmentId }: Subject, row: { businessId: string; flagId: string }, value: Prisma.InputJsonValue) =>
      ctx.db.environmentFlagValue.upsert({
        where: { environmentId_flagId: { environmentId, flagId: row.flagId } },
        create: { environmentId, ...row, value },
        update: { value },
      }),
    remove: (ctx: Context, { environmentId }: Subject, flagIds: string[] | undefined) =>
      ctx.db.environmentFlagValue.deleteMany({ where: { environmentId, ...(flagIds && { flagId: { in: flagIds } }) } }),
  },
  organization: {
    write: (ctx: Context, { environmentId, id }: Subject, row: { businessId: string; flagId: string }, value: Prisma.InputJsonValue) =>
      ctx.db.organizationFlagValue.upsert({
        where: { environmentId_organizationId_flagId: { environmentId, organizationId: id, flagId: row.flagId } },
        create: { environmentId, organizationId: id, ...row, value },
        update: { value },
      }),
    remove: (ctx: Context, { environmentId, id }: Subject, flagIds: string[] | undefined) =>
      ctx.db.organizationFlagValue.deleteMany({
        where: { environmentId, organizationId: id, ...(flagIds && { flagId: { in: flagIds } }) },
      }),
  },
  user: {
    write: (ctx: Context, { environmentId, id }: Subject, row: { businessId: string; flagId: string }, value: Prisma.InputJsonValue) =>
      ctx.db.userFlagValue.upsert({
        where: { environmentId_userId_flagId: { environmentId, userId: id, flagId: row.flagId } },
        create: { environmentId, userId: id, ...row, value },
        update: { value },
      }),
    remove: (ctx: Context, { environmentId, id }: Subject, flagIds: string[] | undefined) =>
      ctx.db.userFlagValue.deleteMany({ where: { environmentId, userId: id, ...(flagIds && { flagId: { in: flagIds } }) } }),
  },
} as const satisfies Record<FlagLevel, object>;

export interface OverrideInput {
  readonly flagId: string;
  readonly value?: unknown;
}

async function override(
  ctx: Context,
  level: FlagLevel,
  { businessId, environmentId }: Scope,
  id: string,
  input: OverrideInput,
): Promise<void> {
  const flag = await ctx.db.featureFlag.findUnique({ where: { businessId_id: { businessId, id: input.flagId } } });
  if (!flag) throw new NotFoundError('feature flag', ['flagId']);
  if (!flag.overrideLevels.includes(level))
    throw new InvalidInputError('NOT_OVERRIDABLE', `This flag cannot be overridden for ${level === 'user' ? 'a' : 'an'} ${level}.`, [
      'flagId',
    ]);
  const value = checkFlagValue(flag.type as FlagType, input.value, 'value') as Prisma.InputJsonValue;
  await LEVELS[level].write(ctx, { environmentId, id }, { businessId, flagId: flag.id }, value);
  await audit(ctx, {
    businessId,
    environmentId,
    action: 'feature_flag.overridden',
    target: { type: level, id },
    details: { flagId: flag.id, key: flag.key },
  });
}

async function revert(
  ctx: Context,
  level: FlagLevel,
  { businessId, environmentId }: Scope,
  id: string,
  flagIds: readonly string[] | null | undefined,
): Promise<void> {
  const known = flagIds && (await ctx.db.featureFlag.findMany({ where: { businessId, id: { in: [...flagIds] } }, select: { id: true } }));
  if (known && known.length < new Set(flagIds).size) throw new NotFoundError('feature flag', ['flagIds']);
  const { count } = await LEVELS[level].remove(
    ctx,
    { environmentId, id },
    known?.map((flag) => flag.id),
  );
  await audit(ctx, { businessId, environmentId, action: 'feature_flag.reverted', target: { type: level, id }, details: { count } });
}

export interface SetEnvironmentFlagInput extends OverrideInput {
  readonly environmentId?: string | null | undefined;
}

/** Overrides a flag for a whole environment.
 * @throws InvalidInputError NOT_OVERRIDABLE or INVALID_VALUE */
export const setEnvironmentFlag = action({
  permission: 'update:environment_feature_flags',
  scope: (ctx, input: SetEnvironmentFlagInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<{ id: string }> {
    await override(ctx, 'environment', scope, scope.environmentId, input);
    return { id: scope.environmentId };
  },
});

/** Takes overrides of an environment back: those of the flags named, or all. */
export const resetEnvironmentFlags = action({
  permission: 'delete:environment_feature_flags',
  scope: (ctx, input: { environmentId?: string | null; flagIds?: readonly string[] | null }, permission) =>
    environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<{ id: string }> {
    await revert(ctx, 'environment', scope, scope.environmentId, input.flagIds);
    return { id: scope.environmentId };
  },
});

/** Overrides a flag for an organization.
 * @throws InvalidInputError NOT_OVERRIDABLE or INVALID_VALUE */
export const setOrganizationFlag = action({
  permission: 'update:organization_feature_flags',
  scope: (ctx, input: OverrideInput & { organizationId: string }, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Subject> {
    await override(ctx, 'organization', scope, input.organizationId, input);
    return { environmentId: scope.environmentId, id: input.organizationId };
  },
});

/** Takes overrides of an organization back: those of the flags named, or all. */
export const resetOrganizationFlags = action({
  permission: 'delete:organization_feature_flags',
  scope: (ctx, input: { organizationId: string; flagIds?: readonly string[] | null }, permission) =>
    organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Subject> {
    await revert(ctx, 'organization', scope, input.organizationId, input.flagIds);
    return { environmentId: scope.environmentId, id: input.organizationId };
  },
});

/** Overrides a flag for a user, whatever the organization.
 * @throws InvalidInputError NOT_OVERRIDABLE or INVALID_VALUE */
export const setUserFlag = action({
  permission: 'update:user_feature_flags',
  scope: (ctx, input: OverrideInput & { userId: string }, permission) => userScope(ctx, permission, input.userId),
  async run(ctx, input, scope): Promise<Subject> {
    await override(ctx, 'user', scope, input.userId, input);
    return { environmentId: scope.environmentId, id: input.userId };
  },
});

/** Takes overrides of a user back: those of the flags named, or all. */
export const resetUserFlags = action({
  permission: 'delete:user_feature_flags',
  scope: (ctx, input: { userId: string; flagIds?: readonly string[] | null }, permission) => userScope(ctx, permission, input.userId),
  async run(ctx, input, scope): Promise<Subject> {
    await revert(ctx, 'user', scope, input.userId, input.flagIds);
    return { environmentId: scope.environmentId, id: input.userId };
  },
});

function organizationScope(ctx: Context, permission: PermissionName, id: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'organization', 'organizationId', (environmentId) =>
    ctx.db.organization.findFirst({ where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } }),
  );
}

function userScope(ctx: Context, permission: PermissionName, id: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'user', 'userId', (environmentId) =>
    ctx.db.user.findFirst({ where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } }),
  );
}

function target(id: string): { type: string; id: string } {
  return { type: 'feature_flag', id };
}
