/** Organizations: the customers of a business. A user is in none, one or many, with roles in each. */
import type { Membership, Organization } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, scopeOfRow } from '../context.ts';
import { defaultRoleIds, findRoles } from '../roles/service.ts';
import { optionalText, requireText } from '../text.ts';

export interface CreateOrganizationInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly externalId?: string | null | undefined;
  readonly handle?: string | null | undefined;
}

/** Makes an organization.
 * @throws InvalidInputError EXTERNAL_ID_TAKEN, HANDLE_TAKEN, INVALID_HANDLE, TOO_LONG or REQUIRED */
export const createOrganization = action({
  permission: 'create:organizations',
  scope: (ctx, input: CreateOrganizationInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, { environmentId, businessId }) {
    const name = requireText(input.name, 'name');
    const externalId = optionalText(input.externalId, 'externalId');
    if (input.handle && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(input.handle)) {
      throw new InvalidInputError('INVALID_HANDLE', 'A handle is 1 to 63 lower-case letters, digits and dashes.', ['handle']);
    }
    if (externalId && (await ctx.db.organization.findUnique({ where: { environmentId_externalId: { environmentId, externalId } } }))) {
      throw new InvalidInputError('EXTERNAL_ID_TAKEN', 'Another organization has this external id.', ['externalId']);
    }
    if (
      input.handle &&
      (await ctx.db.organization.findUnique({ where: { environmentId_handle: { environmentId, handle: input.handle } } }))
    ) {
      throw new InvalidInputError('HANDLE_TAKEN', 'Another organization has this handle.', ['handle']);
    }
    const organization = await createOrganizationRow(ctx, environmentId, { name, externalId, handle: input.handle || null });
    await audit(ctx, { businessId, environmentId, action: 'organization.created', target: { type: 'organization', id: organization.id } });
    return organization;
  },
});

/** Writes an organization; the caller has checked the permission. */
export function createOrganizationRow(
  ctx: Context,
  environmentId: string,
  input: { name: string; externalId?: string | null; handle?: string | null; isDefault?: boolean; isAutoMembershipEnabled?: boolean },
): Promise<Organization> {
  return ctx.db.organization.create({ data: { environmentId, id: newId('organization'), ...input } });
}

export interface AddOrganizationMemberInput {
  readonly organizationId: string;
  readonly userId: string;
  /** Absent: the business's default roles. */
  readonly roleIds?: readonly string[] | null | undefined;
}

/** Adds a user of the same environment to an organization, with roles.
 * @throws InvalidInputError ALREADY_MEMBER */
export const addOrganizationMember = action({
  permission: 'create:organization_users',
  scope: (ctx, input: AddOrganizationMemberInput, permission) =>
    scopeOfRow(ctx, permission, 'organization', 'organizationId', (environmentId) =>
      ctx.db.organization.findFirst({
        where: { ...(environmentId && { environmentId }), id: input.organizationId },
        select: { environmentId: true },
      }),
    ),
  async run(ctx, input, { environmentId, businessId }) {
    const user = await ctx.db.user.findUnique({ where: { environmentId_id: { environmentId, id: input.userId } }, select: { id: true } });
    if (!user) throw new NotFoundError('user', ['userId']);
    const roleIds = input.roleIds
      ? (await findRoles(ctx, businessId, input.roleIds)).map((role) => role.id)
      : await defaultRoleIds(ctx, businessId);
    const membership = await addMembership(ctx, {
      environmentId,
      businessId,
      organizationId: input.organizationId,
      userId: user.id,
      roleIds,
    });
    if (!membership) throw new InvalidInputError('ALREADY_MEMBER', 'The user is a member of this organization already.', ['userId']);
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'organization.member_added',
      target: { type: 'organization', id: input.organizationId },
      details: { userId: user.id, roleIds },
    });
    return membership;
  },
});

/** Writes a membership with its roles; undefined when the user is a member already. */
export async function addMembership(
  ctx: Context,
  input: { environmentId: string; businessId: string; organizationId: string; userId: string; roleIds: readonly string[] },
): Promise<Membership | undefined> {
  const { environmentId, businessId, organizationId, userId } = input;
  const id = newId('membership');
  const { count } = await ctx.db.membership.createMany({ data: [{ environmentId, id, organizationId, userId }], skipDuplicates: true });
  if (count === 0) return undefined;
  await ctx.db.membershipRole.createMany({
    data: input.roleIds.map((roleId) => ({ environmentId, membershipId: id, businessId, roleId })),
  });
  return ctx.db.membership.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id } } });
}

/** The organizations a user may choose between, suspended ones left out, by name. */
export async function organizationsOfUser(ctx: Context, environmentId: string, userId: string): Promise<{ id: string; name: string }[]> {
  return ctx.db.organization.findMany({
    where: { environmentId, isSuspended: false, memberships: { some: { userId } } },
    select: { id: true, name: true },
    orderBy: [{ name: 'asc' }, { id: 'asc' }],
    take: 200,
  });
}

/** Lets a new user into the organization that came with the request, or the default one, where that one is open to it.
 * @returns the organization's id, or undefined when it is not open */
export async function joinOpenOrganization(
  ctx: Context,
  scope: { environmentId: string; businessId: string },
  userId: string,
  organizationId: string | undefined,
): Promise<string | undefined> {
  const organization = await ctx.db.organization.findFirst({
    where: {
      environmentId: scope.environmentId,
      isSuspended: false,
      isAutoMembershipEnabled: true,
      ...(organizationId ? { id: organizationId } : { isDefault: true }),
    },
    select: { id: true },
  });
  if (!organization) return undefined;
  await addMembership(ctx, { ...scope, organizationId: organization.id, userId, roleIds: await defaultRoleIds(ctx, scope.businessId) });
  return organization.id;
}

/** How a user stands to an organization of the environment; a missing one is like one the user is not in. */
export async function membershipIn(
  ctx: Context,
  environmentId: string,
  userId: string,
  organizationId: string,
): Promise<'member' | 'suspended' | 'none'> {
  const membership = await ctx.db.membership.findUnique({
    where: { environmentId_organizationId_userId: { environmentId, organizationId, userId } },
    select: { organization: { select: { isSuspended: true } } },
  });
  if (!membership) return 'none';
  return membership.organization.isSuspended ? 'suspended' : 'member';
}
