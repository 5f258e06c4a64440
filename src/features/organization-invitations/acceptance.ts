/** Taking an invitation into an organization up, by whoever was invited: once, and by nobody else. */
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { actingAs, type Context, type Scope } from '../context.ts';
import { addMembership, membershipIn } from '../organizations/service.ts';

/** An invitation that can be taken up. */
export interface OpenInvitation {
  readonly id: string;
  readonly organizationId: string;
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
}

/** The invitation behind a link's code: 'off' where the environment takes none, 'unusable' whether it is unknown, over, revoked or used. */
export async function openInvitation(ctx: Context, environmentId: string, code: string): Promise<OpenInvitation | 'off' | 'unusable'> {
  const { allowInvitations, invitationApplicationId } = await ctx.db.environment.findUniqueOrThrow({
    where: { id: environmentId },
    select: { allowInvitations: true, invitationApplicationId: true },
  });
  if (!allowInvitations || !invitationApplicationId) return 'off';
  const invitation = await ctx.db.organizationInvitation.findUnique({
    where: { environmentId_codeHash: { environmentId, codeHash: sha256(code) }, ...open(ctx) },
    select: { id: true, organizationId: true, email: true, firstName: true, lastName: true },
  });
  return invitation ?? 'unusable';
}

/** Can the invitation still be taken up with this address? */
export async function isInvitedBy(ctx: Context, environmentId: string, invitationId: string, email: string): Promise<boolean> {
  const where = { environmentId, id: invitationId, normalized: email.toLowerCase(), ...open(ctx) };
  return (await ctx.db.organizationInvitation.count({ where })) > 0;
}

/** Has the user proved the address that the invitation is for? */
export async function isForUser(ctx: Context, environmentId: string, email: string, userId: string): Promise<boolean> {
  const where = { environmentId, userId, type: 'email', normalized: email.toLowerCase(), isVerified: true };
  return (await ctx.db.identity.count({ where })) > 0;
}

/**
 * Uses the invitation up and makes the user a member with its roles, in the caller's transaction. For one who is a member
 * already it changes nothing more.
 * @returns false when it cannot be taken up, or not by this user
 */
export async function acceptInvitation(ctx: Context, scope: Scope, invitationId: string, userId: string): Promise<boolean> {
  const { environmentId } = scope;
  const invitation = await ctx.db.organizationInvitation.findUnique({
    where: { environmentId_id: { environmentId, id: invitationId } },
    include: { roles: { select: { roleId: true } } },
  });
  if (!invitation || !(await isForUser(ctx, environmentId, invitation.normalized, userId))) return false;
  const { organizationId } = invitation;
  const { count } = await ctx.db.organizationInvitation.updateMany({
    where: { environmentId, id: invitationId, ...open(ctx) },
    data: { acceptedAt: ctx.clock.now() },
  });
  if (count === 0) return (await membershipIn(ctx, environmentId, userId, organizationId)) !== 'none';
  const asUser = actingAs(ctx, { kind: 'user', environmentId, userId });
  const roleIds = invitation.roles.map(({ roleId }) => roleId);
  await addMembership(asUser, { ...scope, organizationId, userId, ...(roleIds.length > 0 && { roleIds }) });
  await audit(asUser, {
    ...scope,
    action: 'organization_invitation.accepted',
    target: { type: 'organization_invitation', id: invitationId },
    details: { organizationId, userId },
  });
  return true;
}

function open(ctx: Context) {
  return { acceptedAt: null, revokedAt: null, expiresAt: { gt: ctx.clock.now() }, environment: { allowInvitations: true } };
}
