/** Roles of end users: named sets of permissions, defined once a business, given to a person within an organization. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Role } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, NEXT_VERSION, scopeOfBusinessRow } from '../context.ts';
import { watchingMembers } from '../effects.ts';
import { checkKey, defaultPermissionIds, distinct, findPermissionIds, MAX_IDS, SYSTEM_PERMISSIONS } from '../permissions/service.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';

/** What a role is besides its names and permissions; absent is unchanged, or no for a new role. */
interface RoleTraits {
  readonly isDefaultRole?: boolean | null | undefined;
  readonly isCreatorRole?: boolean | null | undefined;
  readonly systemPermissions?: readonly string[] | null | undefined;
  /** Null: none. */
  readonly assignmentPermissionId?: string | null | undefined;
}

async function checkTraits(ctx: Context, businessId: string, input: RoleTraits) {
  const { isDefaultRole, isCreatorRole, systemPermissions, assignmentPermissionId } = input;
  const unknown = (systemPermissions ?? []).findIndex((key) => !Object.hasOwn(SYSTEM_PERMISSIONS, key));
  if (unknown >= 0)
    throw new InvalidInputError('UNKNOWN_SYSTEM_PERMISSION', 'There is no such system permission.', ['systemPermissions', String(unknown)]);
  if (assignmentPermissionId) await findPermissionIds(ctx, businessId, [assignmentPermissionId], 'assignmentPermissionId');
  return {
    isDefaultRole: isDefaultRole ?? undefined,
    isCreatorRole: isCreatorRole ?? undefined,
    systemPermissions: systemPermissions === undefined ? undefined : [...new Set(systemPermissions)].sort(),
    assignmentPermissionId,
  };
}

export interface CreateRoleInput extends RoleTraits {
  readonly businessId?: string | null | undefined;
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly permissionIds?: readonly string[] | null | undefined;
}

/** Defines a role with its permissions, and those that every new role gets. To name any takes update:role_permissions as well.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, UNKNOWN_SYSTEM_PERMISSION or TOO_MANY
 * @throws NotFoundError when one of the permissions is not there */
export const createRole = action({
  permission: 'create:roles',
  besides: ({ permissionIds }: CreateRoleInput) => (permissionIds?.length ? ['update:role_permissions'] : []),
  scope: (ctx, input: CreateRoleInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Role> {
    const key = checkKey(input.key);
    await assertKeyFree(ctx, businessId, key);
    const named = await findPermissionIds(ctx, businessId, input.permissionIds ?? [], 'permissionIds');
    const wanted = distinct([...new Set([...named, ...(await defaultPermissionIds(ctx, businessId))])], 'permissionIds');
    const traits = await checkTraits(ctx, businessId, input);
    const role = await ctx.db.role.create({
      data: {
        businessId,
        id: newId('role'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
        ...traits,
      },
    });
    await ctx.db.rolePermission.createMany({ data: wanted.map((permissionId) => ({ businessId, roleId: role.id, permissionId })) });
    await audit(ctx, {
      businessId,
      action: 'role.created',
      target: { type: 'role', id: role.id },
      details: { key, permissionIds: wanted },
    });
    return role;
  },
});

export interface UpdateRoleInput extends RoleTraits {
  readonly roleId: string;
  readonly key?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  /** All of them, from now on. */
  readonly permissionIds?: readonly string[] | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a role; who holds it gains and loses with the next token. To name its permissions takes update:role_permissions as well.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, UNKNOWN_SYSTEM_PERMISSION, TOO_MANY, REQUIRED, TOO_LONG or CONFLICT
 * @throws NotFoundError when one of the permissions is not there */
export const updateRole = action({
  permission: 'update:roles',
  besides: ({ permissionIds }: UpdateRoleInput) => (permissionIds ? ['update:role_permissions'] : []),
  scope: (ctx, input: UpdateRoleInput, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, input, { businessId }): Promise<Role> {
    const { roleId } = input;
    const key = input.key === undefined ? undefined : checkKey(input.key ?? '');
    if (key) await assertKeyFree(ctx, businessId, key, roleId);
    const wanted = input.permissionIds && (await findPermissionIds(ctx, businessId, input.permissionIds, 'permissionIds'));
    const traits = await checkTraits(ctx, businessId, input);
    const role = await watchingMembers(ctx, { roles: { some: { businessId, roleId } } }, async () => {
      const updated = await ctx.db.role.update({
        where: { businessId_id: { businessId, id: roleId }, ...atVersion(input) },
        data: {
          key,
          name: changedText(input.name, 'name'),
          description: changedOptionalText(input.description, 'description', 1000),
          ...traits,
          ...NEXT_VERSION,
        },
      });
      if (wanted) await replacePermissions(ctx, businessId, roleId, wanted);
      return updated;
    });
    await audit(ctx, {
      businessId,
      action: 'role.updated',
      target: { type: 'role', id: roleId },
      details: { fields: Object.keys(input).sort(), ...(wanted && { permissionIds: wanted }) },
    });
    return role;
  },
});

/** Deletes a role; whoever holds it, in any environment, holds it no more. */
export const deleteRole = action({
  permission: 'delete:roles',
  scope: (ctx, input: { readonly roleId: string }, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, { roleId }, { businessId }): Promise<{ deletedId: string }> {
    await watchingMembers(ctx, { roles: { some: { businessId, roleId } } }, () =>
      ctx.db.role.delete({ where: { businessId_id: { businessId, id: roleId } } }),
    );
    await audit(ctx, { businessId, action: 'role.deleted', target: { type: 'role', id: roleId } });
    return { deletedId: roleId };
  },
});

/** Which permissions of a role to change. */
export interface SetRolePermissionsInput {
  readonly roleId: string;
  /** All of them, from now on. */
  readonly permissionIds: readonly string[];
  readonly expectedVersion?: number | null | undefined;
}

/** Replaces what a role allows.
 * @throws InvalidInputError TOO_MANY or CONFLICT
 * @throws NotFoundError when one of the permissions is not there */
export const setRolePermissions = action({
  permission: 'update:role_permissions',
  scope: (ctx, input: SetRolePermissionsInput, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, input, { businessId }): Promise<Role> {
    const wanted = await findPermissionIds(ctx, businessId, input.permissionIds, 'permissionIds');
    return changePermissions(ctx, businessId, input, { permissionIds: wanted }, () =>
      replacePermissions(ctx, businessId, input.roleId, wanted),
    );
  },
});

/** One permission of a role. */
export interface RolePermissionInput {
  readonly roleId: string;
  readonly permissionId: string;
  readonly expectedVersion?: number | null | undefined;
}

/** Lets a role allow one thing more.
 * @throws InvalidInputError TOO_MANY or CONFLICT
 * @throws NotFoundError when the permission is not there */
export const addRolePermission = action({
  permission: 'update:role_permissions',
  scope: (ctx, input: RolePermissionInput, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, input, { businessId }): Promise<Role> {
    const { roleId, permissionId } = input;
    await findPermissionIds(ctx, businessId, [permissionId], 'permissionId');
    return changePermissions(ctx, businessId, input, { added: permissionId }, async () => {
      await ctx.db.rolePermission.createMany({ data: [{ businessId, roleId, permissionId }], skipDuplicates: true });
      if ((await ctx.db.rolePermission.count({ where: { businessId, roleId } })) > MAX_IDS)
        throw new InvalidInputError('TOO_MANY', `A role has at most ${MAX_IDS} permissions.`, ['permissionId']);
    });
  },
});

/** Lets a role allow one thing less; what it did not allow it does not allow now.
 * @throws InvalidInputError CONFLICT
 * @throws NotFoundError when the permission is not there */
export const removeRolePermission = action({
  permission: 'delete:role_permissions',
  scope: (ctx, input: RolePermissionInput, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, input, { businessId }): Promise<Role> {
    const { roleId, permissionId } = input;
    await findPermissionIds(ctx, businessId, [permissionId], 'permissionId');
    return changePermissions(ctx, businessId, input, { removed: permissionId }, async () => {
      await ctx.db.rolePermission.deleteMany({ where: { businessId, roleId, permissionId } });
    });
  },
});

async function changePermissions(
  ctx: Context,
  businessId: string,
  input: { readonly roleId: string; readonly expectedVersion?: number | null | undefined },
  details: Record<string, string | readonly string[]>,
  change: () => Promise<void>,
): Promise<Role> {
  const { roleId } = input;
  const role = await watchingMembers(ctx, { roles: { some: { businessId, roleId } } }, async () => {
    const updated = await ctx.db.role.update({
      where: { businessId_id: { businessId, id: roleId }, ...atVersion(input) },
      data: NEXT_VERSION,
    });
    await change();
    return updated;
  });
  await audit(ctx, { businessId, action: 'role.permissions_changed', target: { type: 'role', id: roleId }, details });
  return role;
}

async function replacePermissions(ctx: Context, businessId: string, roleId: string, wanted: readonly string[]): Promise<void> {
  await ctx.db.rolePermission.deleteMany({ where: { businessId, roleId, permissionId: { notIn: [...wanted] } } });
  await ctx.db.rolePermission.createMany({
    data: wanted.map((permissionId) => ({ businessId, roleId, permissionId })),
    skipDuplicates: true,
  });
}

async function assertKeyFree(ctx: Context, businessId: string, key: string, except = ''): Promise<void> {
  if ((await ctx.db.role.count({ where: { businessId, key, NOT: { id: except } } })) > 0)
    throw new InvalidInputError('KEY_TAKEN', 'Another role has this key.', ['key']);
}

/** The business of a role within the actor's reach. */
export function roleScope(ctx: Context, permission: PermissionName, roleId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'role', 'roleId', (businessId) =>
    ctx.db.role.findFirst({ where: { ...(businessId && { businessId }), id: roleId }, select: { businessId: true } }),
  );
}

/** The business's roles with these ids.
 * @throws InvalidInputError TOO_MANY
 * @throws NotFoundError when one of them is not there */
export async function findRoles(ctx: Context, businessId: string, roleIds: readonly string[], field = 'roleIds'): Promise<Role[]> {
  const wanted = distinct(roleIds, field);
  const roles = await ctx.db.role.findMany({ where: { businessId, id: { in: wanted } } });
  if (roles.length !== wanted.length) throw new NotFoundError('role', [field]);
  return roles;
}

/** The roles that every new member of an organization gets. */
export async function defaultRoleIds(ctx: Context, businessId: string): Promise<string[]> {
  return (await ctx.db.role.findMany({ where: { businessId, isDefaultRole: true }, select: { id: true } })).map((role) => role.id);
}
