/**
 * Invitations of people into organizations. The code in a link is a credential: it is shown to whoever invites and mailed
 * to whom it is for, and only its digest is kept.
 */
import type { PermissionName } from '../../access/permissions.ts';
import type { Organization, OrganizationInvitation } from '../../db/generated/client/client.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId, randomToken } from '../../kernel/ids.ts';
import { sendMail } from '../../mail/sender.ts';
import { organizationInvitationMail } from '../../mail/templates.ts';
import { sha256 } from '../../security/secrets.ts';
import { loginUriWith } from '../applications/service.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, type Scope, scopeOfRow } from '../context.ts';
import { requireLanguage } from '../environment-languages/service.ts';
import { paperFor } from '../letters/service.ts';
import { findRoles } from '../roles/service.ts';
import { optionalText, requireEmail } from '../text.ts';
import { findUserIdByEmail } from '../users/service.ts';

/** Seconds an invitation can be accepted. */
export const INVITATION_SECONDS = 7 * 24 * 3600;

/** An invitation with its link, which is shown this once. */
export interface InvitationWithLink {
  readonly invitation: OrganizationInvitation;
  readonly inviteLink: string;
}

export interface CreateOrganizationInvitationInput {
  readonly organizationId: string;
  readonly email: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  /** BCP 47: what the mail is written in, unless its reader has signed in in another one. Absent: the environment's default. */
  readonly language?: string | null | undefined;
  /** Absent: the default roles, as they are when it is accepted. */
  readonly roleIds?: readonly string[] | null | undefined;
  /** Absent: true. */
  readonly sendEmail?: boolean | null | undefined;
}

/** Invites a person into an organization. To name roles takes create:organization_user_roles as well.
 * @throws InvalidInputError INVALID_EMAIL, UNKNOWN_LANGUAGE, INVITATIONS_OFF, ALREADY_MEMBER, SUSPENDED, TOO_MANY, REQUIRED or TOO_LONG
 * @throws NotFoundError when one of the roles is not there */
export const createOrganizationInvitation = action({
  permission: 'create:organization_invites',
  besides: ({ roleIds }: CreateOrganizationInvitationInput) => (roleIds?.length ? ['create:organization_user_roles'] : []),
  scope: (ctx, input: CreateOrganizationInvitationInput, permission) =>
    scopeOfRow(ctx, permission, 'organization', 'organizationId', (environmentId) =>
      ctx.db.organization.findFirst({
        where: { ...(environmentId && { environmentId }), id: input.organizationId },
        select: { environmentId: true },
      }),
    ),
  async run(ctx, input, scope): Promise<InvitationWithLink> {
    const { environmentId, businessId } = scope;
    const { organizationId } = input;
    const email = requireEmail(input.email, 'email');
    const language = input.language ? requireLanguage(input.language, ['language']) : null;
    const loginUri = await invitationUri(ctx, environmentId);
    const organization = await ctx.db.organization.findUniqueOrThrow({
      where: { environmentId_id: { environmentId, id: organizationId } },
    });
    if (organization.isSuspended) throw new InvalidInputError('SUSPENDED', 'Nobody can join a suspended organization.', ['organizationId']);
    const userId = await findUserIdByEmail(ctx, environmentId, email);
    if (userId && (await ctx.db.membership.count({ where: { environmentId, organizationId, userId } })) > 0)
      throw new InvalidInputError('ALREADY_MEMBER', 'This person is a member of the organization already.', ['email']);
    const roles = await findRoles(ctx, businessId, input.roleIds ?? []);
    const { code, codeHash, expiresAt } = newCode(ctx);
    const isSent = input.sendEmail ?? true;
    const invitation = await ctx.db.organizationInvitation.create({
      data: {
        environmentId,
        id: newId('organizationInvitation'),
        organizationId,
        email,
        normalized: email.toLowerCase(),
        firstName: optionalText(input.firstName, 'firstName', 64),
        lastName: optionalText(input.lastName, 'lastName', 64),
        language,
        codeHash,
        isSent,
        invitedByUserId: ctx.actor.kind === 'team' ? ctx.actor.userId : null,
        expiresAt,
      },
    });
    await ctx.db.organizationInvitationRole.createMany({
      data: roles.map(({ id: roleId }) => ({ environmentId, invitationId: invitation.id, businessId, roleId })),
    });
    const inviteLink = linkOf(loginUri, organization, code);
    if (isSent) await mailInvitation(ctx, organization, invitation, inviteLink);
    await note(ctx, scope, 'created', invitation);
    return { invitation, inviteLink };
  },
});

async function mailInvitation(
  ctx: Context,
  organization: Organization,
  { email: to, language }: Pick<OrganizationInvitation, 'email' | 'language'>,
  link: string,
): Promise<void> {
  const { environmentId, id: organizationId, name: organizationName } = organization;
  const paper = await paperFor(ctx, environmentId, { organizationId, to: { email: to, language } });
  const mail = organizationInvitationMail(paper, { to, organizationName, link });
  await sendMail(ctx, mail, { kind: 'organization_invitation', environmentId, organizationId });
}

interface Which {
  readonly invitationId: string;
}

/** Mails an invitation again with another link. The one before it works no more.
 * @throws InvalidInputError NOT_OPEN or INVITATIONS_OFF */
export const resendOrganizationInvitation = action({
  permission: 'create:organization_invites',
  scope: (ctx, input: Which, permission) => invitationScope(ctx, permission, input.invitationId),
  async run(ctx, { invitationId }, scope): Promise<InvitationWithLink> {
    const { environmentId } = scope;
    const loginUri = await invitationUri(ctx, environmentId);
    const { code, codeHash, expiresAt } = newCode(ctx);
    const where = { environmentId_id: { environmentId, id: invitationId } };
    const { count } = await ctx.db.organizationInvitation.updateMany({
      where: { environmentId, id: invitationId, acceptedAt: null, revokedAt: null },
      data: { codeHash, expiresAt, isSent: true },
    });
    if (count === 0) throw notOpen();
    const { organization, ...invitation } = await ctx.db.organizationInvitation.findUniqueOrThrow({
      where,
      include: { organization: true },
    });
    const inviteLink = linkOf(loginUri, organization, code);
    await mailInvitation(ctx, organization, invitation, inviteLink);
    await note(ctx, scope, 'resent', invitation);
    return { invitation, inviteLink };
  },
});

/** Takes an invitation back: its link works no more. Once more changes nothing.
 * @throws InvalidInputError NOT_OPEN when it was accepted */
export const revokeOrganizationInvitation = action({
  permission: 'delete:organization_invites',
  scope: (ctx, input: Which, permission) => invitationScope(ctx, permission, input.invitationId),
  async run(ctx, { invitationId }, scope): Promise<OrganizationInvitation> {
    const { environmentId } = scope;
    const { count } = await ctx.db.organizationInvitation.updateMany({
      where: { environmentId, id: invitationId, acceptedAt: null, revokedAt: null },
      data: { revokedAt: ctx.clock.now() },
    });
    const invitation = await ctx.db.organizationInvitation.findUniqueOrThrow({
      where: { environmentId_id: { environmentId, id: invitationId } },
    });
    if (invitation.acceptedAt) throw notOpen();
    if (count === 1) await note(ctx, scope, 'revoked', invitation);
    return invitation;
  },
});

/** Where the application that takes invitations is entered. */
async function invitationUri(ctx: Context, environmentId: string): Promise<string> {
  const { allowInvitations, invitationApplicationId } = await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId } });
  const application =
    allowInvitations && invitationApplicationId
      ? await ctx.db.application.findUnique({ where: { environmentId_id: { environmentId, id: invitationApplicationId } } })
      : null;
  if (!application?.loginUri)
    throw new InvalidInputError(
      'INVITATIONS_OFF',
      'The environment takes no invitations: its policies name no application with a login URI for them.',
    );
  return application.loginUri;
}

function newCode(ctx: Context): { code: string; codeHash: string; expiresAt: Date } {
  const code = randomToken();
  return { code, codeHash: sha256(code), expiresAt: later(ctx.clock.now(), INVITATION_SECONDS) };
}

function linkOf(loginUri: string, { handle }: Organization, code: string): string {
  const uri = loginUriWith(loginUri, handle);
  if (!uri)
    throw new InvalidInputError(
      'INVITATIONS_OFF',
      'The login URI that invitations lead to has a handle in it, and the organization has none.',
    );
  const link = new URL(uri);
  link.searchParams.set('invitation_code', code);
  return link.href;
}

function notOpen(): InvalidInputError {
  return new InvalidInputError('NOT_OPEN', 'This invitation was accepted or revoked.', ['invitationId']);
}

async function note(ctx: Context, scope: Scope, what: string, { id, organizationId }: OrganizationInvitation): Promise<void> {
  await audit(ctx, {
    ...scope,
    action: `organization_invitation.${what}`,
    target: { type: 'organization_invitation', id },
    details: { organizationId },
  });
}

function invitationScope(ctx: Context, permission: PermissionName, id: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'invitation', 'invitationId', (environmentId) =>
    ctx.db.organizationInvitation.findFirst({ where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } }),
  );
}
