/** Permissions of end users: what a business's applications ask about a person, defined once for all its environments. */
import type { PermissionName } from '../../access/permissions.ts';
import type { Permission } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, NEXT_VERSION, scopeOfBusinessRow } from '../context.ts';
import { watchingMembers } from '../effects.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';

/** What the platform's own pages ask about a member, and what each allows there: a role may bring any of them. */
export const SYSTEM_PERMISSIONS = {
  'org:write:billing': 'Choose the organization’s plan, and pay for it.',
  'org:write:members': 'Invite people into the organization, change their roles and remove them.',
  'org:read:authentication': 'See how the organization’s members sign in.',
  'org:write:authentication': 'Choose how the organization’s members sign in.',
} as const;

export interface CreatePermissionInput {
  readonly businessId?: string | null | undefined;
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly isDefault?: boolean | null | undefined;
}

/** Defines a permission.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, REQUIRED or TOO_LONG */
export const createPermission = action({
  permission: 'create:permissions',
  scope: (ctx, input: CreatePermissionInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }): Promise<Permission> {
    const key = checkKey(input.key);
    await assertKeyFree(ctx, businessId, key);
    const permission = await ctx.db.permission.create({
      data: {
        businessId,
        id: newId('permission'),
        key,
        name: requireText(input.name, 'name'),
        description: optionalText(input.description, 'description', 1000),
        isDefault: input.isDefault ?? false,
      },
    });
    await audit(ctx, { businessId, action: 'permission.created', target: { type: 'permission', id: permission.id }, details: { key } });
    return permission;
  },
});

export interface UpdatePermissionInput {
  readonly permissionId: string;
  readonly key?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly isDefault?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a permission; a new key is in the next token of whoever holds it.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, REQUIRED, TOO_LONG or CONFLICT */
export const updatePermission = action({
  permission: 'update:permissions',
  scope: (ctx, input: UpdatePermissionInput, permission) => permissionScope(ctx, permission, input.permissionId),
  async run(ctx, input, { businessId }): Promise<Permission> {
    const { permissionId } = input;
    const key = input.key === undefined ? undefined : checkKey(input.key ?? '');
    if (key) await assertKeyFree(ctx, businessId, key, permissionId);
    const updated = await watchingMembers(ctx, holders(businessId, permissionId), () =>
      ctx.db.permission.update({
        where: { businessId_id: { businessId, id: permissionId }, ...atVersion(input) },
        data: {
          key,
          name: changedText(input.name, 'name'),
          description: changedOptionalText(input.description, 'description', 1000),
          isDefault: input.isDefault ?? undefined,
          ...NEXT_VERSION,
        },
      }),
    );
    await audit(ctx, {
      businessId,
      action: 'permission.updated',
      target: { type: 'permission', id: permissionId },
      details: { fields: Object.keys(input).sort() },
    });
    return updated;
  },
});

/** Deletes a permission; whoever holds it, through roles or directly, in any environment, holds it no more.
 * @throws InvalidInputError IN_USE while a role can only be assigned by who holds it: without it, anybody could */
export const deletePermission = action({
  permission: 'delete:permissions',
  scope: (ctx, input: { readonly permissionId: string }, permission) => permissionScope(ctx, permission, input.permissionId),
  async run(ctx, { permissionId }, { businessId }): Promise<{ deletedId: string }> {
    if ((await ctx.db.role.count({ where: { businessId, assignmentPermissionId: permissionId } })) > 0)
      throw new InvalidInputError('IN_USE', 'A role can be assigned only by who holds this permission: change the role first.', [
        'permissionId',
      ]);
    await watchingMembers(ctx, holders(businessId, permissionId), () =>
      ctx.db.permission.delete({ where: { businessId_id: { businessId, id: permissionId } } }),
    );
    await audit(ctx, { businessId, action: 'permission.deleted', target: { type: 'permission', id: permissionId } });
    return { deletedId: permissionId };
  },
});

function permissionScope(ctx: Context, permission: PermissionName, permissionId: string): Promise<{ businessId: string }> {
  return scopeOfBusinessRow(ctx, permission, 'permission', 'permissionId', (businessId) =>
    ctx.db.permission.findFirst({ where: { ...(businessId && { businessId }), id: permissionId }, select: { businessId: true } }),
  );
}

/** The members who hold a permission, through a role or directly. */
function holders(businessId: string, permissionId: string) {
  return {
    OR: [
      { permissions: { some: { businessId, permissionId } } },
      { roles: { some: { role: { businessId, permissions: { some: { permissionId } } } } } },
    ],
  };
}

/** The ids, each once, of permissions that the business has.
 * @throws InvalidInputError TOO_MANY
 * @throws NotFoundError when one of them is not there */
export async function findPermissionIds(
  ctx: Context,
  businessId: string,
  permissionIds: readonly string[],
  field: string,
): Promise<string[]> {
  const wanted = distinct(permissionIds, field);
  const found = await ctx.db.permission.count({ where: { businessId, id: { in: wanted } } });
  if (found !== wanted.length) throw new NotFoundError('permission', [field]);
  return wanted;
}

/** The ids of the permissions that every new role gets. */
export async function defaultPermissionIds(ctx: Context, businessId: string): Promise<string[]> {
  return (await ctx.db.permission.findMany({ where: { businessId, isDefault: true }, select: { id: true } })).map(({ id }) => id);
}

/** How many ids an input may list, and how many permissions a role or a member may have. */
export const MAX_IDS = 100;

/** The ids, each once.
 * @throws InvalidInputError TOO_MANY */
export function distinct(ids: readonly string[], field: string): string[] {
  if (ids.length > MAX_IDS) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_IDS}.`, [field]);
  return [...new Set(ids)];
}

/** @throws InvalidInputError INVALID_KEY unless `key` is 1 to 64 letters, digits, colons, dots, dashes or underscores */
export function checkKey(key: string): string {
  if (!/^[A-Za-z0-9:_.-]{1,64}$/.test(key))
    throw new InvalidInputError('INVALID_KEY', 'A key is 1 to 64 letters, digits, colons, dots, dashes or underscores.', ['key']);
  return key;
}

async function assertKeyFree(ctx: Context, businessId: string, key: string, except = ''): Promise<void> {
  if ((await ctx.db.permission.count({ where: { businessId, key, NOT: { id: except } } })) > 0)
    throw new InvalidInputError('KEY_TAKEN', 'Another permission has this key.', ['key']);
}
