/** Roles and permissions of end users: defined once a business, given to a person within an organization. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Permission, Role } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, NEXT_VERSION, scopeOfBusinessRow } from '../context.ts';
import { watchingMembers } from '../effects.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';

export interface CreatePermissionInput {
  readonly businessId?: string | null | undefined;
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
}

/** Defines a permission.
 * @throws InvalidInputError INVALID_KEY or KEY_TAKEN */
export const createPermission = action({
  permission: 'create:permissions',
  scope: (ctx, input: CreatePermissionInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Permission> {
    const key = checkKey(input.key);
    if (await ctx.db.permission.findUnique({ where: { businessId_key: { businessId, key } } })) throw keyTaken('permission');
    const permission = await ctx.db.permission.create({
      data: {
        businessId,
        id: newId('permission'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
      },
    });
    await audit(ctx, { businessId, action: 'permission.created', target: { type: 'permission', id: permission.id }, details: { key } });
    return permission;
  },
});

export interface CreateRoleInput extends CreatePermissionInput {
  readonly isDefaultRole?: boolean | null | undefined;
  readonly permissionIds?: readonly string[] | null | undefined;
}

/** Defines a role with its permissions.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN or TOO_MANY
 * @throws NotFoundError when one of the permissions is not there */
export const createRole = action({
  permission: 'create:roles',
  scope: (ctx, input: CreateRoleInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Role> {
    const key = checkKey(input.key);
    if (await ctx.db.role.findUnique({ where: { businessId_key: { businessId, key } } })) throw keyTaken('role');
    const wanted = await knownPermissions(ctx, businessId, input.permissionIds ?? []);
    const role = await ctx.db.role.create({
      data: {
        businessId,
        id: newId('role'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
        isDefaultRole: input.isDefaultRole ?? false,
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

export interface UpdateRoleInput {
  readonly roleId: string;
  readonly key?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly isDefaultRole?: boolean | null | undefined;
  /** All of them, from now on. */
  readonly permissionIds?: readonly string[] | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a role; who holds it gains and loses with the next token.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, TOO_MANY, REQUIRED, TOO_LONG or CONFLICT
 * @throws NotFoundError when one of the permissions is not there */
export const updateRole = action({
  permission: 'update:roles',
  scope: (ctx, input: UpdateRoleInput, permission) => roleScope(ctx, permission, input.roleId),
  async run(ctx, input, { businessId }): Promise<Role> {
    const { roleId } = input;
    const key = input.key === undefined ? undefined : checkKey(input.key ?? '');
    if (key && (await ctx.db.role.count({ where: { businessId, key, NOT: { id: roleId } } })) > 0) throw keyTaken('role');
    const wanted = input.permissionIds && (await knownPermissions(ctx, businessId, input.permissionIds));
    const role = await watchingMembers(ctx, { roles: { some: { businessId, roleId } } }, async () => {
      const updated = await ctx.db.role.update({
        where: { businessId_id: { businessId, id: roleId }, ...atVersion(input) },
        data: {
          key,
          name: changedText(input.name, 'name'),
          description: changedOptionalText(input.description, 'description', 1000),
          isDefaultRole: input.isDefaultRole ?? undefined,
          ...NEXT_VERSION,
        },
      });
      if (wanted) {
        await ctx.db.rolePermission.deleteMany({ where: { businessId, roleId, permissionId: { notIn: wanted } } });
        await ctx.db.rolePermission.createMany({
          data: wanted.map((permissionId) => ({ businessId, roleId, permissionId })),
          skipDuplicates: true,
        });
      }
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

function roleScope(ctx: Context, permission: PermissionName, roleId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'role', 'roleId', (businessId) =>
    ctx.db.role.findFirst({ where: { ...(businessId && { businessId }), id: roleId }, select: { businessId: true } }),
  );
}

async function knownPermissions(ctx: Context, businessId: string, permissionIds: readonly string[]): Promise<string[]> {
  const wanted = distinct(permissionIds, 'permissionIds');
  const found = await ctx.db.permission.count({ where: { businessId, id: { in: wanted } } });
  if (found !== wanted.length) throw new NotFoundError('permission', ['permissionIds']);
  return wanted;
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

const MAX_IDS = 100;

function distinct(ids: readonly string[], field: string): string[] {
  if (ids.length > MAX_IDS) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_IDS}.`, [field]);
  return [...new Set(ids)];
}

function checkKey(key: string): string {
  if (!/^[A-Za-z0-9:_.-]{1,64}$/.test(key))
    throw new InvalidInputError('INVALID_KEY', 'A key is 1 to 64 letters, digits, colons, dots, dashes or underscores.', ['key']);
  return key;
}

function keyTaken(what: string): InvalidInputError {
  return new InvalidInputError('KEY_TAKEN', `Another ${what} has this key.`, ['key']);
}
