/**
 * The team of a business: users of the `account` environment with any mix of the eight roles. Rules that must hold:
 * nobody hands out what they may not assign, nobody raises themselves, and a business always keeps an Owner.
 */

import { businessesWith } from '../../access/authorize.ts';
import { assignableRoles, isTeamRole, type TeamRole } from '../../access/team-roles.ts';
import type { TeamInvitation, TeamMember } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { ForbiddenError, InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId, randomToken } from '../../kernel/ids.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { sendMail } from '../../mail/sender.ts';
import { teamInvitationMail } from '../../mail/templates.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import { action, businessScope, type Context, lockBusiness } from '../context.ts';
import { accountEnvironment } from '../environments/service.ts';
import { assertPlanHas } from '../plans.ts';
import { optionalText, requireEmail } from '../text.ts';

const INVITATION_SECONDS = 7 * 24 * 3600;

export interface InviteTeamMemberInput {
  readonly businessId: string;
  readonly email: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly roles: readonly TeamRole[];
}

/**
 * Invites a person by mail, from the platform's own sender. Accepting is signing in with that address.
 * @throws InvalidInputError INVALID_EMAIL, NO_ROLES, PLAN_LIMIT or ALREADY_MEMBER
 * @throws ForbiddenError when the roles are not the actor's to give
 */
export const inviteTeamMember = action({
  permission: 'create:team_members',
  scope: (ctx, input: InviteTeamMemberInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<TeamInvitation> {
    const email = requireEmail(input.email, 'email');
    const roles = checkRoles(input.roles);
    await assertMayAssign(ctx, businessId, roles);
    await assertPlanAllows(ctx, businessId, roles);
    const business = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId } });
    const account = await accountEnvironment(ctx);
    const identity = await ctx.db.identity.findUnique({
      where: { environmentId_type_normalized: { environmentId: account.id, type: 'email', normalized: email.toLowerCase() } },
    });
    if (identity && (await ctx.db.teamMember.findUnique({ where: { businessId_userId: { businessId, userId: identity.userId } } }))) {
      throw new InvalidInputError('ALREADY_MEMBER', 'This person is on the team already.', ['email']);
    }
    const { invitation, link } = await createInvitation(ctx, {
      businessId,
      email,
      firstName: optionalText(input.firstName, 'firstName'),
      lastName: optionalText(input.lastName, 'lastName'),
      roles,
    });
    await sendMail(ctx, teamInvitationMail({ to: email, businessName: business.name, link }));
    return invitation;
  },
});

/** Writes an invitation. The link is the only place that ever shows its token. */
export async function createInvitation(
  ctx: Context,
  input: { businessId: string; email: string; firstName?: string | null; lastName?: string | null; roles: readonly TeamRole[] },
): Promise<{ invitation: TeamInvitation; link: string }> {
  const token = randomToken();
  const invitation = await ctx.db.teamInvitation.create({
    data: {
      ...input,
      id: newId('teamInvitation'),
      normalized: input.email.toLowerCase(),
      roles: [...input.roles],
      tokenHash: sha256(token),
      expiresAt: later(ctx.clock.now(), INVITATION_SECONDS),
    },
  });
  await audit(ctx, {
    businessId: input.businessId,
    action: 'team.member_invited',
    target: { type: 'team_invitation', id: invitation.id },
    details: { roles: [...input.roles] },
  });
  const account = await accountEnvironment(ctx);
  return { invitation, link: `${issuerOf(ctx.config, account)}/team-invitation/${token}` };
}

/** The invitation behind a link's token, while it can still be accepted. */
export function findInvitation(ctx: Context, token: string): Promise<TeamInvitation | null> {
  return ctx.db.teamInvitation.findFirst({
    where: { tokenHash: sha256(token), acceptedAt: null, revokedAt: null, expiresAt: { gt: ctx.clock.now() } },
  });
}

/** The application of `account` that an invitation's sign-up belongs to. */
export function invitationApplication(ctx: Context, accountEnvironmentId: string) {
  return ctx.db.application.findFirstOrThrow({
    where: { environmentId: accountEnvironmentId, type: 'reg' },
    orderBy: { createdAt: 'asc' },
  });
}

/** Makes a user of `account` a member of every team that invited the address it has just proved. */
export async function acceptInvitations(ctx: Context, accountEnvironmentId: string, userId: string, email: string): Promise<void> {
  const invitations = await ctx.db.teamInvitation.findMany({
    where: { normalized: email.toLowerCase(), acceptedAt: null, revokedAt: null, expiresAt: { gt: ctx.clock.now() } },
    orderBy: { createdAt: 'asc' },
  });
  for (const invitation of invitations) {
    const { count } = await ctx.db.teamInvitation.updateMany({
      where: { businessId: invitation.businessId, id: invitation.id, acceptedAt: null, revokedAt: null },
      data: { acceptedAt: ctx.clock.now() },
    });
    if (count === 1)
      await addTeamMember(ctx, {
        businessId: invitation.businessId,
        accountEnvironmentId,
        userId,
        roles: invitation.roles.filter(isTeamRole),
      });
  }
}

/** Is this address invited to a team, so that it may sign up whatever the environment's policy says? */
export async function isInvited(ctx: Context, email: string): Promise<boolean> {
  const where = {
    normalized: email.toLowerCase(),
    acceptedAt: null,
    revokedAt: null,
    expiresAt: { gt: ctx.clock.now() },
  };
  return (await ctx.db.teamInvitation.count({ where })) > 0;
}

/** Writes a membership; a member who is there already keeps the roles it has. */
export async function addTeamMember(
  ctx: Context,
  input: { businessId: string; accountEnvironmentId: string; userId: string; roles: readonly TeamRole[] },
): Promise<void> {
  const id = newId('teamMember');
  const { count } = await ctx.db.teamMember.createMany({ data: [{ ...input, id, roles: [...input.roles] }], skipDuplicates: true });
  if (count === 1)
    await audit(ctx, {
      businessId: input.businessId,
      action: 'team.member_added',
      target: { type: 'team_member', id },
      details: { userId: input.userId, roles: [...input.roles] },
    });
}

export interface UpdateTeamMemberRolesInput {
  readonly teamMemberId: string;
  readonly roles: readonly TeamRole[];
}

/**
 * Replaces a member's roles.
 * @throws InvalidInputError NO_ROLES, PLAN_LIMIT or LAST_OWNER
 * @throws ForbiddenError when a role that is added or taken is not the actor's to assign, or the member is an Owner and the actor none
 */
export const updateTeamMemberRoles = action({
  permission: 'update:team_members',
  async scope(ctx, input: UpdateTeamMemberRolesInput, permission) {
    const businessId = ctx.actor.kind === 'system' ? {} : { businessId: { in: businessesWith(ctx.actor, permission) } };
    const member = await ctx.db.teamMember.findFirst({ where: { ...businessId, id: input.teamMemberId }, select: { businessId: true } });
    if (!member) throw new NotFoundError('team member', ['teamMemberId']);
    return businessScope(ctx, member.businessId, permission);
  },
  async run(ctx, input, { businessId }): Promise<TeamMember> {
    const roles = checkRoles(input.roles);
    await lockBusiness(ctx, businessId); // Of two Owners who demote one another, the second is an Owner no more.
    const key = { businessId_id: { businessId, id: input.teamMemberId } };
    const member = await ctx.db.teamMember.findUnique({ where: key });
    if (!member) throw new NotFoundError('team member', ['teamMemberId']);
    const before = member.roles.filter(isTeamRole);
    const changed = [...roles.filter((role) => !before.includes(role)), ...before.filter((role) => !roles.includes(role))];
    if (changed.length === 0) return member;
    // Whatever changes about an Owner is for Owners.
    await assertMayAssign(ctx, businessId, before.includes('owner') ? [...changed, 'owner'] : changed);
    if (
      before.includes('owner') &&
      !roles.includes('owner') &&
      (await ctx.db.teamMember.count({ where: { businessId, roles: { has: 'owner' } } })) === 1
    ) {
      throw new InvalidInputError('LAST_OWNER', 'A business keeps at least one Owner: make another member an Owner first.', ['roles']);
    }
    await assertPlanAllows(ctx, businessId, roles);
    const updated = await ctx.db.teamMember.update({ where: key, data: { roles } });
    await audit(ctx, {
      businessId,
      action: 'team.roles_changed',
      target: { type: 'team_member', id: member.id },
      details: { before, after: roles },
    });
    return updated;
  },
});

function checkRoles(roles: readonly TeamRole[]): TeamRole[] {
  const wanted = [...new Set(roles)];
  if (wanted.length === 0) throw new InvalidInputError('NO_ROLES', 'A team member has at least one role.', ['roles']);
  return wanted;
}

/**
 * Owner may assign all eight roles, Admin all but Owner, nobody else any: no role beyond one's own is assignable to
 * anyone, oneself included. What counts is the roles that the actor has in this transaction.
 */
async function assertMayAssign(ctx: Context, businessId: string, roles: readonly TeamRole[]): Promise<void> {
  if (ctx.actor.kind === 'system') return;
  const own =
    ctx.actor.kind === 'team'
      ? await ctx.db.teamMember.findUnique({
          where: { businessId_userId: { businessId, userId: ctx.actor.userId } },
          select: { roles: true },
        })
      : null;
  const allowed = assignableRoles((own?.roles ?? []).filter(isTeamRole));
  if (roles.some((role) => !allowed.has(role)))
    throw new ForbiddenError(roles.includes('owner') && allowed.size > 0 ? 'assign:owner' : 'update:team_members');
}

async function assertPlanAllows(ctx: Context, businessId: string, roles: readonly TeamRole[]): Promise<void> {
  if (roles.some((role) => role !== 'owner' && role !== 'admin')) await assertPlanHas(ctx, businessId, 'specialistRoles', ['roles']);
}
