/** Copies how one environment of a business is set up to another of the same business. */
import { assertCan } from '../../access/authorize.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, environmentScope, lockBusiness } from '../context.ts';
import { type Copied, PART_NAMES, PARTS, type Pair, type PartName } from './parts.ts';

export { PART_NAMES, type PartName };

export interface CopyEnvironmentConfigurationInput {
  readonly sourceEnvironmentId: string;
  readonly targetEnvironmentId: string;
  readonly parts: readonly PartName[];
}

/** What came of one part. */
export interface CopiedPart extends Copied {
  readonly part: PartName;
}

/** What came of a copy, part by part, in the order in which it was done. */
export interface EnvironmentCopy {
  readonly id: string;
  readonly parts: readonly CopiedPart[];
}

/**
 * Copies parts of an environment's configuration. Takes the permissions to read each part in the source, and to write
 * it in the target.
 * @throws InvalidInputError NO_PARTS, SAME_ENVIRONMENT, OTHER_BUSINESS or PLAN_LIMIT
 * @throws ForbiddenError naming the first permission that is missing
 */
export const copyEnvironmentConfiguration = action({
  permission: 'update:environments',
  scope: (ctx, input: CopyEnvironmentConfigurationInput, permission) => environmentScope(ctx, input.targetEnvironmentId, permission),
  async run(ctx, input, { businessId, environmentId }): Promise<EnvironmentCopy> {
    const from = await environmentScope(ctx, input.sourceEnvironmentId, 'read:environments');
    const names = PART_NAMES.filter((name) => input.parts.includes(name));
    for (const name of names) {
      for (const permission of PARTS[name].reads) assertCan(ctx.actor, permission, from);
      for (const permission of PARTS[name].writes) assertCan(ctx.actor, permission, { environmentId });
    }
    if (names.length === 0) throw new InvalidInputError('NO_PARTS', 'Say what to copy.', ['parts']);
    if (from.environmentId === environmentId)
      throw new InvalidInputError('SAME_ENVIRONMENT', 'An environment is copied to another one.', ['targetEnvironmentId']);
    if (from.businessId !== businessId)
      throw new InvalidInputError('OTHER_BUSINESS', 'Both environments are of one business.', ['sourceEnvironmentId']);

    await lockBusiness(ctx, businessId);
    const found = await ctx.db.environment.findMany({ where: { id: { in: [from.environmentId, environmentId] } } });
    const source = found.find(({ id }) => id === from.environmentId);
    const target = found.find(({ id }) => id === environmentId);
    if (!source || !target) throw new NotFoundError('environment', [source ? 'targetEnvironmentId' : 'sourceEnvironmentId']);
    const pair: Pair = { businessId, source, target, applications: new Map() };
    const parts: CopiedPart[] = [];
    for (const part of names) parts.push({ part, ...(await PARTS[part].copy(ctx, pair)) });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'environment.configuration_copied',
      target: { type: 'environment', id: environmentId },
      details: { sourceEnvironmentId: source.id, ...Object.fromEntries(parts.map(({ part, copied }) => [part, copied])) },
    });
    return { id: environmentId, parts };
  },
});
