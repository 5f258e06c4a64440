/** Second factors from outside: a person who has lost one, or did not want one, is asked to set one up again. */
import type { PermissionName } from '../../access/permissions.ts';
import { NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, type Scope, scopeOfRow } from '../context.ts';
import { forgetMfaInSessions } from '../sessions/service.ts';
import { forgetMfaInAttempts } from '../sign-in-attempts/service.ts';
import { userScope } from '../users/service.ts';

/** One factor, or all of them where none is named. */
interface Which {
  readonly factorId?: string | null | undefined;
}

/** Deletes a user's second factors, those for single organizations too.
 * @throws NotFoundError for a factor that is not this user's */
export const resetUserMfa = action({
  permission: 'delete:user_mfa',
  scope: (ctx, { userId }: Which & { readonly userId: string }, permission) => userScope(ctx, permission, userId),
  async run(ctx, { userId, factorId }, scope): Promise<{ environmentId: string; id: string }> {
    await reset(ctx, scope, { userId }, factorId);
    return { environmentId: scope.environmentId, id: userId };
  },
});

/** Deletes the second factors that a member has for sign-ins to the organization.
 * @throws NotFoundError for a factor that is not for this organization */
export const resetOrganizationMemberMfa = action({
  permission: 'delete:organization_user_mfa',
  scope: (ctx, { organizationMemberId }: Which & { readonly organizationMemberId: string }, permission) =>
    memberScope(ctx, permission, organizationMemberId),
  async run(ctx, { organizationMemberId, factorId }, scope): Promise<{ environmentId: string; id: string }> {
    const { environmentId } = scope;
    const { userId, organizationId } = await ctx.db.membership.findUniqueOrThrow({
      where: { environmentId_id: { environmentId, id: organizationMemberId } },
    });
    await reset(ctx, scope, { userId, organizationId }, factorId);
    return { environmentId, id: organizationMemberId };
  },
});

/** Deletes one of the factors or all; recovery codes go with the last factor that they stand in for. */
async function reset(
  ctx: Context,
  { environmentId, businessId }: Scope,
  of: { userId: string; organizationId?: string },
  factorId: string | null | undefined,
): Promise<void> {
  const factors = await ctx.db.mfaFactor.findMany({ where: { environmentId, ...of, ...(factorId && { id: factorId }) } });
  if (factorId && factors.length === 0) throw new NotFoundError('factor', ['factorId']);
  await ctx.db.mfaFactor.deleteMany({ where: { environmentId, id: { in: factors.map(({ id }) => id) } } });
  for (const organizationId of new Set(factors.map((factor) => factor.organizationId))) {
    const ofSignIn = { environmentId, userId: of.userId, organizationId };
    if ((await ctx.db.mfaFactor.count({ where: { ...ofSignIn, NOT: { type: 'recovery_codes' } } })) === 0)
      await ctx.db.mfaFactor.deleteMany({ where: ofSignIn });
  }
  if (!factorId) await forgetRefusal(ctx, environmentId, of);
  await forgetMfaInSessions(ctx, environmentId, of.userId);
  await forgetMfaInAttempts(ctx, environmentId, of.userId);
  await audit(ctx, {
    businessId,
    environmentId,
    action: 'user.mfa_reset',
    target: { type: 'user', id: of.userId },
    details: { types: factors.map(({ type }) => type).sort(), organizationId: of.organizationId ?? null },
  });
}

/** Lets the person be asked again who did not want a second factor. */
async function forgetRefusal(ctx: Context, environmentId: string, { userId, organizationId }: { userId: string; organizationId?: string }) {
  const where = { environmentId_id: { environmentId, id: userId } };
  const { mfaDeclined } = await ctx.db.user.findUniqueOrThrow({ where, select: { mfaDeclined: true } });
  const kept = mfaDeclined.filter((place) => organizationId && place !== organizationId);
  if (kept.length < mfaDeclined.length) await ctx.db.user.update({ where, data: { mfaDeclined: kept } });
}

function memberScope(ctx: Context, permission: PermissionName, membershipId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'organization member', 'organizationMemberId', (environmentId) =>
    ctx.db.membership.findFirst({ where: { ...(environmentId && { environmentId }), id: membershipId }, select: { environmentId: true } }),
  );
}
