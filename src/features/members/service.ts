/** What members of organizations hold there: roles, permissions and scopes, until they are removed. Changes of one member happen one after the other. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Membership } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, type Scope, scopeOfRow } from '../context.ts';
import { watchingMembers } from '../effects.ts';
import { revokeGrants } from '../grants/service.ts';
import { findPermissionIds, MAX_IDS } from '../permissions/service.ts';
import { findRoles } from '../roles/service.ts';

/** What names a member. */
export interface MemberInput {
  readonly organizationMemberId: string;
}

export interface UpdateOrganizationMemberInput extends MemberInput {
  /** All of them, from now on. */
  readonly roleIds?: readonly string[] | null | undefined;
  /** All that are held directly, from now on. */
  readonly permissionIds?: readonly string[] | null | undefined;
}

/** Replaces what a member holds; it counts with the next token.
 * @throws InvalidInputError TOO_MANY
 * @throws NotFoundError when one of the roles or permissions is not there */
export const updateOrganizationMember = action({
  permission: 'update:organization_users',
  besides: ({ roleIds, permissionIds }: UpdateOrganizationMemberInput) => [
    ...replacing(roleIds, 'organization_user_roles'),
    ...replacing(permissionIds, 'organization_user_permissions'),
  ],
  scope: (ctx, input: UpdateOrganizationMemberInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { environmentId, businessId } = scope;
    const roleIds = input.roleIds && (await findRoles(ctx, businessId, input.roleIds)).map(({ id }) => id);
    const permissionIds = input.permissionIds && (await findPermissionIds(ctx, businessId, input.permissionIds, 'permissionIds'));
    return changeMember(
      ctx,
      scope,
      input,
      'updated',
      { ...(roleIds && { roleIds }), ...(permissionIds && { permissionIds }) },
      async (id) => {
        const held = { environmentId, membershipId: id };
        if (roleIds) {
          await ctx.db.membershipRole.deleteMany({ where: { ...held, roleId: { notIn: roleIds } } });
          await ctx.db.membershipRole.createMany({
            data: roleIds.map((roleId) => ({ ...held, businessId, roleId })),
            skipDuplicates: true,
          });
        }
        if (permissionIds) {
          await ctx.db.membershipPermission.deleteMany({ where: { ...held, permissionId: { notIn: permissionIds } } });
          await ctx.db.membershipPermission.createMany({
            data: permissionIds.map((permissionId) => ({ ...held, businessId, permissionId })),
            skipDuplicates: true,
          });
        }
      },
    );
  },
});

/** What replacing all that is held by `ids` takes. */
function replacing<What extends 'organization_user_roles' | 'organization_user_permissions'>(
  ids: readonly string[] | null | undefined,
  what: What,
): (`create:${What}` | `delete:${What}`)[] {
  if (!ids) return [];
  return ids.length > 0 ? [`create:${what}`, `delete:${what}`] : [`delete:${what}`];
}

/** Takes a user out of an organization, with everything that was issued to it for that organization. The user stays.
 * @returns the membership's id */
export const removeOrganizationMember = action({
  permission: 'delete:organization_users',
  scope: (ctx, input: MemberInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<{ deletedId: string }> {
    const { environmentId } = scope;
    const { id, organizationId, userId } = await changeMember(ctx, scope, input, 'removed', {}, async (membershipId) => {
      await ctx.db.membership.delete({ where: { environmentId_id: { environmentId, id: membershipId } } });
    });
    await revokeGrants(ctx, environmentId, { userId, organizationId });
    return { deletedId: id };
  },
});

export interface MemberRoleInput extends MemberInput {
  readonly roleId: string;
}

/** Gives a member a role; one that it holds it keeps.
 * @throws InvalidInputError TOO_MANY
 * @throws NotFoundError when the role is not there */
export const addMemberRole = action({
  permission: 'create:organization_user_roles',
  scope: (ctx, input: MemberRoleInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { environmentId, businessId } = scope;
    const { roleId } = input;
    await findRoles(ctx, businessId, [roleId], 'roleId');
    return changeMember(ctx, scope, input, 'role_added', { roleId }, async (membershipId) => {
      await ctx.db.membershipRole.createMany({ data: [{ environmentId, membershipId, businessId, roleId }], skipDuplicates: true });
      assertRoom(await ctx.db.membershipRole.count({ where: { environmentId, membershipId } }), 'roleId');
    });
  },
});

/** Takes a role from a member; one that it does not hold it does not hold afterwards either.
 * @throws NotFoundError when the role is not there */
export const removeMemberRole = action({
  permission: 'delete:organization_user_roles',
  scope: (ctx, input: MemberRoleInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { roleId } = input;
    await findRoles(ctx, scope.businessId, [roleId], 'roleId');
    return changeMember(ctx, scope, input, 'role_removed', { roleId }, async (membershipId) => {
      await ctx.db.membershipRole.deleteMany({ where: { environmentId: scope.environmentId, membershipId, roleId } });
    });
  },
});

export interface MemberPermissionInput extends MemberInput {
  readonly permissionId: string;
}

/** Gives a member a permission directly, besides those of its roles.
 * @throws InvalidInputError TOO_MANY
 * @throws NotFoundError when the permission is not there */
export const addMemberPermission = action({
  permission: 'create:organization_user_permissions',
  scope: (ctx, input: MemberPermissionInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { environmentId, businessId } = scope;
    const { permissionId } = input;
    await findPermissionIds(ctx, businessId, [permissionId], 'permissionId');
    return changeMember(ctx, scope, input, 'permission_added', { permissionId }, async (membershipId) => {
      const row = { environmentId, membershipId, businessId, permissionId };
      await ctx.db.membershipPermission.createMany({ data: [row], skipDuplicates: true });
      assertRoom(await ctx.db.membershipPermission.count({ where: { environmentId, membershipId } }), 'permissionId');
    });
  },
});

/** Takes a permission that a member holds directly; what a role brings stays.
 * @throws NotFoundError when the permission is not there */
export const removeMemberPermission = action({
  permission: 'delete:organization_user_permissions',
  scope: (ctx, input: MemberPermissionInput, permission) => memberScope(ctx, permission, input.organizationMemberId),
  async run(ctx, input, scope): Promise<Membership> {
    const { permissionId } = input;
    await findPermissionIds(ctx, scope.businessId, [permissionId], 'permissionId');
    return changeMember(ctx, scope, input, 'permission_removed', { permissionId }, async (membershipId) => {
      await ctx.db.membershipPermission.deleteMany({ where: { environmentId: scope.environmentId, membershipId, permissionId } });
    });
  },
});

/** The environment of a member within the actor's reach. */
export function memberScope(ctx: Context, permission: PermissionName, organizationMemberId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'member', 'organizationMemberId', (environmentId) =>
    ctx.db.membership.findFirst({
      where: { ...(environmentId && { environmentId }), id: organizationMemberId },
      select: { environmentId: true },
    }),
  );
}

/** Locks the membership, changes it, and writes down what was done to whom. Returns the membership as it was before. */
export async function changeMember(
  ctx: Context,
  scope: Scope,
  { organizationMemberId: id }: MemberInput,
  done: string,
  details: Record<string, string | readonly string[]>,
  change: (membershipId: string) => Promise<void>,
): Promise<Membership> {
  const { environmentId } = scope;
  await ctx.db.$queryRaw`SELECT id FROM memberships WHERE environment_id = ${environmentId} AND id = ${id} FOR NO KEY UPDATE`;
  const membership = await ctx.db.membership.findUnique({ where: { environmentId_id: { environmentId, id } } });
  if (!membership) throw new NotFoundError('member', ['organizationMemberId']);
  await watchingMembers(ctx, { environmentId, id }, () => change(id));
  const { organizationId, userId } = membership;
  await audit(ctx, {
    ...scope,
    action: `organization.member_${done}`,
    target: { type: 'organization', id: organizationId },
    details: { userId, ...details },
  });
  return membership;
}

/** @throws InvalidInputError TOO_MANY, about `field` */
export function assertRoom(held: number, field: string): void {
  if (held > MAX_IDS) throw new InvalidInputError('TOO_MANY', `A member has at most ${MAX_IDS} of these.`, [field]);
}
