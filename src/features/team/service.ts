/**
 * The team of a business: users of the `account` environment with any mix of the eight roles. Rules that must hold:
 * nobody hands out what they may not assign, nobody raises themselves, and a business always keeps an Owner.
 */

import type { PermissionName } from '../../access/permissions.ts';
import { assignableRoles, isTeamRole, type TeamRole } from '../../access/team-roles.ts';
import type { TeamInvitation, TeamMember } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError } from '../../kernel/errors.ts';
import { newId, randomToken } from '../../kernel/ids.ts';
import { issuerOf } from '../../kernel/issuer.ts';
import { sendMail } from '../../mail/sender.ts';
import { teamInvitationMail } from '../../mail/templates.ts';
import { sha256 } from '../../security/secrets.ts';
import { audit } from '../audit/service.ts';
import {
  action,
  atVersion,
  businessScope,
  type Context,
  inTransaction,
  lockBusiness,
  NEXT_VERSION,
  scopeOfBusinessRow,
} from '../context.ts';
import { watchingTeam } from '../effects.ts';
import { requireLanguage } from '../environment-languages/service.ts';
import { accountEnvironment } from '../environments/service.ts';
import { paperFor } from '../letters/service.ts';
import { assertPlanHas } from '../plans.ts';
import { optionalText, requireEmail } from '../text.ts';

const INVITATION_SECONDS = 7 * 24 * 3600;

export interface InviteTeamMemberInput {
  readonly businessId: string;
  readonly email: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  /** BCP 47: what the mail is written in, unless its reader has signed in in another one. */
  readonly language?: string | null | undefined;
  readonly roles: readonly TeamRole[];
}

/**
 * Invites a person by mail, from the platform's own sender. Accepting is signing in with that address.
 * @throws InvalidInputError INVALID_EMAIL, UNKNOWN_LANGUAGE, NO_ROLES, PLAN_LIMIT or ALREADY_MEMBER
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
    if (await isOnTeam(ctx, businessId, email))
      throw new InvalidInputError('ALREADY_MEMBER', 'This person is on the team already.', ['email']);
    const { invitation, link } = await createInvitation(ctx, {
      businessId,
      email,
      firstName: optionalText(input.firstName, 'firstName'),
      lastName: optionalText(input.lastName, 'lastName'),
      language: input.language ? requireLanguage(input.language, ['language']) : null,
      roles,
    });
    await mailInvitation(ctx, invitation, business.name, link);
    return invitation;
  },
});

async function mailInvitation(
  ctx: Context,
  { email: to, language }: Pick<TeamInvitation, 'email' | 'language'>,
  businessName: string,
  link: string,
): Promise<void> {
  const { id: environmentId } = await accountEnvironment(ctx);
  const paper = await paperFor(ctx, environmentId, { to: { email: to, language } });
  await sendMail(ctx, teamInvitationMail(paper, { to, businessName, link }), { kind: 'team_invitation', environmentId });
}

async function isOnTeam(ctx: Context, businessId: string, email: string): Promise<boolean> {
  const { id: environmentId } = await accountEnvironment(ctx);
  const identities = { some: { environmentId, type: 'email', normalized: email.toLowerCase() } };
  return (await ctx.db.teamMember.count({ where: { businessId, user: { identities } } })) > 0;
}

/**
 * Mails an invitation again: it can be accepted for as long as a new one, by the new link only.
 * @throws InvalidInputError ACCEPTED, REVOKED, PLAN_LIMIT or ALREADY_MEMBER
 * @throws ForbiddenError when its roles are not the actor's to give
 */
export const resendTeamInvitation = action({
  permission: 'create:team_members',
  scope: (ctx, input: { readonly teamInvitationId: string }, permission) => invitationScope(ctx, permission, input.teamInvitationId),
  async run(ctx, { teamInvitationId }, { businessId }): Promise<TeamInvitation> {
    const invitation = await openInvitation(ctx, businessId, teamInvitationId);
    const roles = invitation.roles.filter(isTeamRole);
    await assertMayAssign(ctx, businessId, roles);
    await assertPlanAllows(ctx, businessId, roles, []);
    if (await isOnTeam(ctx, businessId, invitation.email))
      throw new InvalidInputError('ALREADY_MEMBER', 'This person is on the team already.');
    const token = randomToken();
    const now = ctx.clock.now();
    const resent = await ctx.db.teamInvitation.update({
      where: { businessId_id: { businessId, id: teamInvitationId } },
      data: { tokenHash: sha256(token), sentAt: now, expiresAt: later(now, INVITATION_SECONDS) },
    });
    await audit(ctx, { businessId, action: 'team.invitation_resent', target: { type: 'team_invitation', id: teamInvitationId } });
    const { name: businessName } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId } });
    await mailInvitation(ctx, resent, businessName, await linkOf(ctx, token));
    return resent;
  },
});

/**
 * Takes an invitation back, an expired one too: its link leads nowhere.
 * @throws InvalidInputError ACCEPTED or REVOKED
 * @throws ForbiddenError when it makes an Owner and the actor is none
 */
export const revokeTeamInvitation = action({
  permission: 'delete:team_members',
  scope: (ctx, input: { readonly teamInvitationId: string }, permission) => invitationScope(ctx, permission, input.teamInvitationId),
  async run(ctx, { teamInvitationId }, { businessId }): Promise<TeamInvitation> {
    const { roles } = await openInvitation(ctx, businessId, teamInvitationId);
    await assertMayAssign(ctx, businessId, roles.filter(isTeamRole));
    const revoked = await ctx.db.teamInvitation.update({
      where: { businessId_id: { businessId, id: teamInvitationId } },
      data: { revokedAt: ctx.clock.now() },
    });
    await audit(ctx, { businessId, action: 'team.invitation_revoked', target: { type: 'team_invitation', id: teamInvitationId } });
    return revoked;
  },
});

function invitationScope(ctx: Context, permission: PermissionName, teamInvitationId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'team invitation', 'teamInvitationId', (businessId) =>
    ctx.db.teamInvitation.findFirst({ where: { ...(businessId && { businessId }), id: teamInvitationId }, select: { businessId: true } }),
  );
}

/** The invitation, kept as it is until the transaction ends: nobody accepts it in the meantime.
 * @throws InvalidInputError ACCEPTED or REVOKED */
async function openInvitation(ctx: Context, businessId: string, id: string): Promise<TeamInvitation> {
  await ctx.db.$queryRaw`SELECT id FROM team_invitations WHERE business_id = ${businessId} AND id = ${id} FOR UPDATE`;
  const invitation = await ctx.db.teamInvitation.findUniqueOrThrow({ where: { businessId_id: { businessId, id } } });
  if (invitation.acceptedAt) throw new InvalidInputError('ACCEPTED', 'The invitation was accepted: the person is on the team.');
  if (invitation.revokedAt) throw new InvalidInputError('REVOKED', 'The invitation was taken back. Invite the person anew.');
  return invitation;
}

/** Invites an Owner without a mail: the operator hands the link over.
 * @throws InvalidInputError ALREADY_MEMBER: an invitation would leave a member's roles as they are */
export async function inviteOwner(ctx: Context, businessId: string, email: string): Promise<{ link: string }> {
  if (await isOnTeam(ctx, businessId, email))
    throw new InvalidInputError(
      'ALREADY_MEMBER',
      'This person is on the team already. Invite another address, which may then give the role.',
      ['email'],
    );
  return createInvitation(ctx, { businessId, email, roles: ['owner'] });
}

/** Writes an invitation. The link is the only place that ever shows its token. */
export async function createInvitation(
  ctx: Context,
  input: Pick<TeamInvitation, 'businessId' | 'email'> &
    Partial<Pick<TeamInvitation, 'firstName' | 'lastName' | 'language'>> & { readonly roles: readonly TeamRole[] },
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
  return { invitation, link: await linkOf(ctx, token) };
}

async function linkOf(ctx: Context, token: string): Promise<string> {
  return `${issuerOf(ctx.config, await accountEnvironment(ctx))}/team-invitation/${token}`;
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
  readonly expectedVersion?: number | null | undefined;
}

/**
 * Replaces a member's roles.
 * @throws InvalidInputError NO_ROLES, PLAN_LIMIT or LAST_OWNER
 * @throws ForbiddenError when a role that is added or taken is not the actor's to assign, or the member is an Owner and the actor none
 */
export const updateTeamMemberRoles = action({
  permission: 'update:team_members',
  scope: (ctx, input: UpdateTeamMemberRolesInput, permission) => memberScope(ctx, permission, input.teamMemberId),
  async run(ctx, input, { businessId }): Promise<TeamMember> {
    const roles = checkRoles(input.roles);
    const member = await lockedMember(ctx, businessId, input.teamMemberId);
    const before = member.roles.filter(isTeamRole);
    const changed = [...roles.filter((role) => !before.includes(role)), ...before.filter((role) => !roles.includes(role))];
    if (changed.length === 0 && (input.expectedVersion ?? member.version) === member.version) return member;
    // Whatever changes about an Owner is for Owners.
    await assertMayAssign(ctx, businessId, before.includes('owner') ? [...changed, 'owner'] : changed);
    if (!roles.includes('owner')) await assertNotLastOwner(ctx, member, ['roles']);
    await assertPlanAllows(ctx, businessId, roles);
    const updated = await watchingTeam(ctx, { businessId, id: member.id }, () =>
      ctx.db.teamMember.update({
        where: { businessId_id: { businessId, id: member.id }, ...atVersion(input) },
        data: { roles, ...NEXT_VERSION },
      }),
    );
    await audit(ctx, {
      businessId,
      action: 'team.roles_changed',
      target: { type: 'team_member', id: member.id },
      details: { before, after: roles },
    });
    return updated;
  },
});

/**
 * Takes a member off the team. Invitations that would bring the person back are revoked.
 * @throws InvalidInputError OWNER while the member is an Owner: another Owner takes that role away first
 */
export const removeTeamMember = action({
  permission: 'delete:team_members',
  scope: (ctx, input: { readonly teamMemberId: string }, permission) => memberScope(ctx, permission, input.teamMemberId),
  async run(ctx, { teamMemberId }, { businessId }): Promise<{ deletedId: string }> {
    const member = await lockedMember(ctx, businessId, teamMemberId);
    if (member.roles.includes('owner'))
      throw new InvalidInputError('OWNER', 'An Owner cannot be removed: another Owner takes that role away first.', ['teamMemberId']);
    await assertMayAssign(ctx, businessId, member.roles.filter(isTeamRole));
    await endMembership(ctx, member, 'team.member_removed');
    return { deletedId: teamMemberId };
  },
});

/**
 * Takes the signed-in person itself off a team.
 * @throws UnauthenticatedError for anybody but a person
 * @throws NotFoundError when the person is not on the team
 * @throws InvalidInputError LAST_OWNER
 */
export async function leaveTeam(ctx: Context, { businessId }: { readonly businessId: string }): Promise<{ deletedId: string }> {
  const { actor } = ctx;
  if (actor.kind !== 'team') throw new UnauthenticatedError('Only a signed-in team member can leave a team.');
  return inTransaction(ctx, async (tx) => {
    if (tx.effects) tx.effects.scope = { businessId };
    const own = await tx.db.teamMember.findUnique({ where: { businessId_userId: { businessId, userId: actor.userId } } });
    if (!own) throw new NotFoundError('business', ['businessId']);
    const member = await lockedMember(tx, businessId, own.id);
    await assertNotLastOwner(tx, member, []);
    await endMembership(tx, member, 'team.member_left');
    return { deletedId: member.id };
  });
}

function memberScope(ctx: Context, permission: PermissionName, teamMemberId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'team member', 'teamMemberId', (businessId) =>
    ctx.db.teamMember.findFirst({ where: { ...(businessId && { businessId }), id: teamMemberId }, select: { businessId: true } }),
  );
}

/** The member, while no other change of the team is under way: of two Owners who demote one another, the second is an Owner no more. */
async function lockedMember(ctx: Context, businessId: string, id: string): Promise<TeamMember> {
  await lockBusiness(ctx, businessId);
  const member = await ctx.db.teamMember.findUnique({ where: { businessId_id: { businessId, id } } });
  if (!member) throw new NotFoundError('team member', ['teamMemberId']);
  return member;
}

/** @throws InvalidInputError LAST_OWNER */
async function assertNotLastOwner(ctx: Context, { businessId, roles }: TeamMember, path: readonly string[]): Promise<void> {
  if (!roles.includes('owner') || (await ctx.db.teamMember.count({ where: { businessId, roles: { has: 'owner' } } })) > 1) return;
  throw new InvalidInputError('LAST_OWNER', 'A business keeps at least one Owner: make another member an Owner first.', path);
}

async function endMembership(ctx: Context, member: TeamMember, action: string): Promise<void> {
  const { businessId, id, userId, accountEnvironmentId, roles } = member;
  await watchingTeam(ctx, { businessId, id }, () => ctx.db.teamMember.delete({ where: { businessId_id: { businessId, id } } }));
  const identities = await ctx.db.identity.findMany({
    where: { environmentId: accountEnvironmentId, userId, type: 'email' },
    select: { normalized: true },
  });
  await ctx.db.teamInvitation.updateMany({
    where: { businessId, normalized: { in: identities.map(({ normalized }) => normalized) }, acceptedAt: null, revokedAt: null },
    data: { revokedAt: ctx.clock.now() },
  });
  await audit(ctx, { businessId, action, target: { type: 'team_member', id }, details: { userId, roles } });
}

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

async function assertPlanAllows(ctx: Context, businessId: string, roles: readonly TeamRole[], path = ['roles']): Promise<void> {
  if (roles.some((role) => role !== 'owner' && role !== 'admin')) await assertPlanHas(ctx, businessId, 'specialistRoles', path);
}
