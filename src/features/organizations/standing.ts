/** Whether people can sign in to an organization: suspended, restored, deleted. An environment that lets people sign up keeps one that takes them. */
import type { Organization } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, NEXT_VERSION, type Scope } from '../context.ts';
import { watchingMembers } from '../effects.ts';
import { revokeGrants } from '../grants/service.ts';
import { assertOthersAreOpen, organizationScope } from './service.ts';

interface Input {
  readonly organizationId: string;
}

/** Ends everything that was issued for an organization and lets nobody sign in to it. Members of others are not touched.
 * @throws InvalidInputError DEFAULT_ORGANIZATION_CANNOT_BE_SUSPENDED or LAST_OPEN_ORGANIZATION */
export const suspendOrganization = action({
  permission: 'suspend:organizations',
  scope: (ctx, input: Input, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, { organizationId }, scope): Promise<Organization> {
    const organization = await leavingOthers(ctx, scope, organizationId, 'SUSPENDED');
    await revokeGrants(ctx, scope.environmentId, { organizationId });
    if (organization.isSuspended) return organization;
    return setSuspended(ctx, scope, organizationId, { isSuspended: true, suspendedAt: ctx.clock.now() }, 'organization.suspended');
  },
});

/** Lets people sign in to an organization again. What was issued before it was suspended stays ended. */
export const restoreOrganization = action({
  permission: 'suspend:organizations',
  scope: (ctx, input: Input, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, { organizationId }, scope): Promise<Organization> {
    const organization = await find(ctx, scope, organizationId);
    if (!organization.isSuspended) return organization;
    return setSuspended(ctx, scope, organizationId, { isSuspended: false, suspendedAt: null }, 'organization.restored');
  },
});

/** Deletes an organization with everything in it. Its members stay users.
 * @throws InvalidInputError DEFAULT_ORGANIZATION_CANNOT_BE_DELETED or LAST_OPEN_ORGANIZATION */
export const deleteOrganization = action({
  permission: 'delete:organizations',
  scope: (ctx, input: Input, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, { organizationId }, scope): Promise<{ deletedId: string }> {
    const { environmentId } = scope;
    await leavingOthers(ctx, scope, organizationId, 'DELETED');
    await revokeGrants(ctx, environmentId, { organizationId });
    await watchingMembers(ctx, { environmentId, organizationId }, () =>
      ctx.db.organization.delete({ where: { environmentId_id: { environmentId, id: organizationId } } }),
    );
    await audit(ctx, { ...scope, action: 'organization.deleted', target: { type: 'organization', id: organizationId } });
    return { deletedId: organizationId };
  },
});

function find(ctx: Context, { environmentId }: Scope, organizationId: string): Promise<Organization> {
  return ctx.db.organization.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id: organizationId } } });
}

async function leavingOthers(ctx: Context, scope: Scope, organizationId: string, done: 'SUSPENDED' | 'DELETED'): Promise<Organization> {
  const organization = await find(ctx, scope, organizationId);
  if (organization.isDefault)
    throw new InvalidInputError(
      `DEFAULT_ORGANIZATION_CANNOT_BE_${done}`,
      `The environment’s default organization cannot be ${done.toLowerCase()}.`,
      ['organizationId'],
    );
  await assertOthersAreOpen(ctx, scope, organizationId);
  return organization;
}

async function setSuspended(
  ctx: Context,
  scope: Scope,
  organizationId: string,
  data: { isSuspended: boolean; suspendedAt: Date | null },
  change: string,
): Promise<Organization> {
  const { count } = await ctx.db.organization.updateMany({
    where: { environmentId: scope.environmentId, id: organizationId, isSuspended: !data.isSuspended },
    data: { ...data, ...NEXT_VERSION },
  });
  // None where a rival was faster: then it is done, and written down, already.
  if (count === 1) await audit(ctx, { ...scope, action: change, target: { type: 'organization', id: organizationId } });
  return find(ctx, scope, organizationId);
}
