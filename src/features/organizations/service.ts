/** Organizations: the customers of a business. A user is in none, one or many, with roles in each. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Membership, Organization, Prisma } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import {
  action,
  atVersion,
  type Context,
  environmentScope,
  type Infrastructure,
  lockBusiness,
  NEXT_VERSION,
  type Scope,
  scopeOfRow,
} from '../context.ts';
import { assertPlanHas } from '../plans.ts';
import { defaultRoleIds, findRoles } from '../roles/service.ts';
import { changedOptionalText, changedText, optionalText, requireEmail, requireText } from '../text.ts';

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
    const names = {
      name: requireText(input.name, 'name'),
      externalId: optionalText(input.externalId, 'externalId'),
      handle: input.handle || null,
    };
    await assertFree(ctx, environmentId, names);
    const organization = await createOrganizationRow(ctx, environmentId, names);
    await audit(ctx, { businessId, environmentId, action: 'organization.created', target: { type: 'organization', id: organization.id } });
    return organization;
  },
});

/** @throws InvalidInputError INVALID_HANDLE, HANDLE_TAKEN or EXTERNAL_ID_TAKEN, by an organization other than `except` */
async function assertFree(
  ctx: Context,
  environmentId: string,
  { externalId, handle }: { externalId?: string | null | undefined; handle?: string | null | undefined },
  except = '',
): Promise<void> {
  if (handle && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(handle))
    throw new InvalidInputError('INVALID_HANDLE', 'A handle is 1 to 63 lower-case letters, digits and dashes.', ['handle']);
  const others = { environmentId, NOT: { id: except } };
  if (externalId && (await ctx.db.organization.count({ where: { ...others, externalId } })) > 0)
    throw new InvalidInputError('EXTERNAL_ID_TAKEN', 'Another organization has this external id.', ['externalId']);
  if (handle && (await ctx.db.organization.count({ where: { ...others, handle } })) > 0)
    throw new InvalidInputError('HANDLE_TAKEN', 'Another organization has this handle.', ['handle']);
}

/** Writes an organization; the caller has checked the permission. */
export function createOrganizationRow(
  ctx: Context,
  environmentId: string,
  input: { name: string; externalId?: string | null; handle?: string | null; isDefault?: boolean; isAutoMembershipEnabled?: boolean },
): Promise<Organization> {
  return ctx.db.organization.create({ data: { environmentId, id: newId('organization'), ...input } });
}

/** The tenant of an organization within the actor's reach. */
export function organizationScope(ctx: Context, permission: PermissionName, organizationId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'organization', 'organizationId', (environmentId) =>
    ctx.db.organization.findFirst({
      where: { ...(environmentId && { environmentId }), id: organizationId },
      select: { environmentId: true },
    }),
  );
}

/** What every update of an organization names. */
export interface OrganizationInput {
  readonly organizationId: string;
  readonly expectedVersion?: number | null | undefined;
}

/** Writes what has been checked to the organization that `input` names, and says in the audit log which fields were named. */
export async function changeOrganization(
  ctx: Context,
  scope: Scope,
  input: OrganizationInput,
  data: Prisma.OrganizationUpdateInput,
  change = 'organization.updated',
): Promise<Organization> {
  const { organizationId, expectedVersion, ...fields } = input;
  const named = Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field]));
  const organization = await ctx.db.organization.update({
    where: { environmentId_id: { environmentId: scope.environmentId, id: organizationId }, ...atVersion({ expectedVersion }) },
    data: { ...data, ...NEXT_VERSION },
  });
  await audit(ctx, {
    ...scope,
    action: change,
    target: { type: 'organization', id: organizationId },
    details: { fields: named.sort() },
  });
  return organization;
}

export interface UpdateOrganizationInput extends OrganizationInput {
  readonly name?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  /** Null is no handle to change to: taking it away is {@link removeOrganizationHandle}. */
  readonly handle?: string | null | undefined;
  readonly isAdvanced?: boolean | null | undefined;
  readonly senderName?: string | null | undefined;
  readonly senderEmail?: string | null | undefined;
}

/** Changes what an organization is called and whether it has policies of its own.
 * @throws InvalidInputError EXTERNAL_ID_TAKEN, HANDLE_TAKEN, INVALID_HANDLE, INVALID_EMAIL, PLAN_LIMIT, TOO_LONG, REQUIRED or CONFLICT */
export const updateOrganization = action({
  permission: 'update:organizations',
  scope: (ctx, input: UpdateOrganizationInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const names = {
      name: changedText(input.name, 'name'),
      externalId: changedOptionalText(input.externalId, 'externalId'),
      handle: changedText(input.handle, 'handle'),
    };
    const sender = {
      senderName: changedOptionalText(input.senderName, 'senderName'),
      senderEmail: input.senderEmail ? requireEmail(input.senderEmail, 'senderEmail') : input.senderEmail,
    };
    if (input.isAdvanced) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['isAdvanced']);
    if (sender.senderName) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['senderName']);
    if (sender.senderEmail) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['senderEmail']);
    await assertFree(ctx, scope.environmentId, names, input.organizationId);
    return changeOrganization(ctx, scope, input, { ...names, ...sender, isAdvanced: input.isAdvanced ?? undefined });
  },
});

/** Takes an organization's handle away, which another one may have from then on. */
export const removeOrganizationHandle = action({
  permission: 'delete:organization_handles',
  scope: (ctx, input: OrganizationInput, permission) => organizationScope(ctx, permission, input.organizationId),
  run: (ctx, input, scope) => changeOrganization(ctx, scope, input, { handle: null }, 'organization.handle_removed'),
});

/**
 * For a change that closes an organization: while the environment lets people sign up, at least one takes them in. One
 * such change at a time in a business, so that two do not count on each other’s organization.
 * @throws InvalidInputError LAST_OPEN_ORGANIZATION
 */
export async function assertOthersAreOpen(ctx: Context, { environmentId, businessId }: Scope, organizationId: string): Promise<void> {
  await lockBusiness(ctx, businessId);
  const open = await ctx.db.organization.findMany({
    where: { environmentId, environment: { allowSelfSignUp: true }, isAutoMembershipEnabled: true, isSuspended: false },
    select: { id: true },
    take: 2,
  });
  if (open.length === 1 && open[0]!.id === organizationId)
    throw new InvalidInputError(
      'LAST_OPEN_ORGANIZATION',
      'While the environment lets people sign up, at least one organization takes them in: open another one first.',
    );
}

export interface AddOrganizationMemberInput {
  readonly organizationId: string;
  readonly userId: string;
  /** Absent: the business's default roles. */
  readonly roleIds?: readonly string[] | null | undefined;
}

/** Adds a user of the same environment to an organization, with roles. To name them takes create:organization_user_roles as well.
 * @throws InvalidInputError ALREADY_MEMBER */
export const addOrganizationMember = action({
  permission: 'create:organization_users',
  besides: ({ roleIds }: AddOrganizationMemberInput) => (roleIds?.length ? ['create:organization_user_roles'] : []),
  scope: (ctx, input: AddOrganizationMemberInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, { environmentId, businessId }) {
    const user = await ctx.db.user.findUnique({ where: { environmentId_id: { environmentId, id: input.userId } }, select: { id: true } });
    if (!user) throw new NotFoundError('user', ['userId']);
    const membership = await addMembership(ctx, {
      environmentId,
      businessId,
      organizationId: input.organizationId,
      userId: user.id,
      roleIds: input.roleIds && (await findRoles(ctx, businessId, input.roleIds)).map((role) => role.id),
    });
    if (!membership) throw new InvalidInputError('ALREADY_MEMBER', 'The user is a member of this organization already.', ['userId']);
    return membership;
  },
});

/** Writes a membership with its roles; undefined when the user is a member already.
 * @param input.roleIds absent: the organization's default roles, or else the business's */
export async function addMembership(
  ctx: Context,
  input: {
    environmentId: string;
    businessId: string;
    organizationId: string;
    userId: string;
    roleIds?: readonly string[] | null | undefined;
  },
): Promise<Membership | undefined> {
  const { environmentId, businessId, organizationId, userId } = input;
  const id = newId('membership');
  const { count } = await ctx.db.membership.createMany({ data: [{ environmentId, id, organizationId, userId }], skipDuplicates: true });
  if (count === 0) return undefined;
  const roleIds = input.roleIds ?? (await rolesOfNewMembers(ctx, { environmentId, businessId }, organizationId));
  await ctx.db.membershipRole.createMany({ data: roleIds.map((roleId) => ({ environmentId, membershipId: id, businessId, roleId })) });
  await audit(ctx, {
    businessId,
    environmentId,
    action: 'organization.member_added',
    target: { type: 'organization', id: organizationId },
    details: { userId, roleIds },
  });
  return ctx.db.membership.findUniqueOrThrow({ where: { environmentId_id: { environmentId, id } } });
}

async function rolesOfNewMembers(ctx: Context, { environmentId, businessId }: Scope, organizationId: string): Promise<string[]> {
  const own = await ctx.db.organizationDefaultRole.findMany({
    where: { environmentId, organizationId, organization: { isAdvanced: true } },
    select: { roleId: true },
  });
  return own.length > 0 ? own.map(({ roleId }) => roleId) : defaultRoleIds(ctx, businessId);
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

/** Makes the organization that a new user brings along, with the user as its first member.
 * @returns its id */
export async function createOwnOrganization(ctx: Context, scope: Scope, input: { name: string; userId: string }): Promise<string> {
  const { id } = await createOrganizationRow(ctx, scope.environmentId, { name: requireText(input.name.slice(0, 200), 'name') });
  await audit(ctx, { ...scope, action: 'organization.created', target: { type: 'organization', id } });
  await addMembership(ctx, { ...scope, organizationId: id, userId: input.userId });
  return id;
}

/** Has the user still to bring an organization along: are they in none, and have they never come to the end of a sign-in? */
export async function bringsOrganization(ctx: Context, environmentId: string, userId: string): Promise<boolean> {
  return (await ctx.db.user.count({ where: { environmentId, id: userId, totalSignIns: 0, memberships: { none: {} } } })) > 0;
}

/** As {@link createOwnOrganization}, once for a new user, however often it is asked for at the same moment.
 * @returns the organization's id, or undefined when the user has one by now */
export async function createFirstOrganization(
  ctx: Context,
  scope: Scope,
  input: { name: string; userId: string },
): Promise<string | undefined> {
  const { environmentId } = scope;
  await ctx.db.$queryRaw`SELECT id FROM users WHERE environment_id = ${environmentId} AND id = ${input.userId} FOR NO KEY UPDATE`;
  return (await bringsOrganization(ctx, environmentId, input.userId)) ? createOwnOrganization(ctx, scope, input) : undefined;
}

/** Lets a new user into the organization that came with the request, or the default one, where that one is open to it, and
 * into those that take everybody of the user's domain. */
export async function joinAsNewUser(ctx: Context, scope: Scope, userId: string, organizationId: string | undefined): Promise<void> {
  await joinOpenOrganization(ctx, scope, userId, organizationId);
  const ofDomain = await ctx.db.organization.findMany({
    where: {
      environmentId: scope.environmentId,
      environment: { allowSelfSignUp: true },
      isSuspended: false,
      isAdvanced: true,
      isAutoJoinDomainList: true,
      allowedDomains: { hasSome: await provedDomains(ctx, scope.environmentId, userId) },
    },
    select: { id: true },
    orderBy: { id: 'asc' },
  });
  for (const { id } of ofDomain) await addMembership(ctx, { ...scope, organizationId: id, userId });
}

/** Lets a user into the organization that came with a request, or the default one, where that one is open to it: with
 * policies of its own it may be so for addresses of some domains only. Whoever comes with an organization's code asks for it, so
 * an environment without self sign-up has none open to them.
 * @returns the organization's id, or undefined when it is not open */
export async function joinOpenOrganization(
  ctx: Context,
  scope: Scope,
  userId: string,
  organizationId: string | undefined,
): Promise<string | undefined> {
  const organization = await ctx.db.organization.findFirst({
    where: {
      environmentId: scope.environmentId,
      isSuspended: false,
      isAutoMembershipEnabled: true,
      ...(organizationId ? { id: organizationId, environment: { allowSelfSignUp: true } } : { isDefault: true }),
      OR: [
        { isAdvanced: false },
        { allowedDomains: { isEmpty: true } },
        { allowedDomains: { hasSome: await provedDomains(ctx, scope.environmentId, userId) } },
      ],
    },
    select: { id: true },
  });
  if (!organization) return undefined;
  await addMembership(ctx, { ...scope, organizationId: organization.id, userId });
  return organization.id;
}

/** The domains of the addresses that a user has proved. */
async function provedDomains(ctx: Context, environmentId: string, userId: string): Promise<string[]> {
  const addresses = await ctx.db.identity.findMany({
    where: { environmentId, userId, type: 'email', isVerified: true },
    select: { normalized: true },
  });
  return addresses.map(({ normalized }) => normalized.slice(normalized.lastIndexOf('@') + 1));
}

/** The organization's name, to whoever may know that it is there; undefined for one that is not. */
export async function organizationName(ctx: Context, environmentId: string, id: string): Promise<string | undefined> {
  return (await ctx.db.organization.findFirst({ where: { environmentId, id }, select: { name: true } }))?.name;
}

/** How a user stands to an organization of the environment; a missing one is like one the user is not in. */
export async function membershipIn(
  ctx: Context,
  environmentId: string,
  userId: string,
  organizationId: string,
): Promise<'member' | 'suspended' | 'none'> {
  const membership = await ctx.db.membership.findFirst({
    where: { environmentId, organizationId, userId },
    select: { organization: { select: { isSuspended: true } } },
  });
  if (!membership) return 'none';
  return membership.organization.isSuspended ? 'suspended' : 'member';
}

/** The organization that has a handle. Kept in memory, until one of the environment's organizations changes. */
export function organizationIdOfHandle(
  { lookups, database }: Infrastructure,
  environmentId: string,
  handle: string,
): Promise<string | undefined> {
  return lookups.find(environmentId, `organization of the handle ${handle}`, async () => {
    const where = { environmentId_handle: { environmentId, handle } };
    return (await database.prisma.organization.findUnique({ where, select: { id: true } }))?.id;
  });
}
