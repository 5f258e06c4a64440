/** What a member may do: the union of what its roles bring and what it holds directly. */

/** One permission of a member, and where it comes from. */
export interface HeldPermission {
  readonly environmentId: string;
  readonly permission: { readonly id: string };
  readonly isDirect: boolean;
  /** Sorted. */
  readonly roleKeys: readonly string[];
}

interface Holding {
  readonly permission: { readonly id: string; readonly key: string };
}

/** The permissions of a member, by key, each once. */
export function effectivePermissions(member: {
  readonly environmentId: string;
  readonly roles: readonly { readonly role: { readonly key: string; readonly permissions: readonly Holding[] } }[];
  readonly permissions: readonly Holding[];
}): HeldPermission[] {
  const { environmentId, roles, permissions } = member;
  const all = [...permissions, ...roles.flatMap(({ role }) => role.permissions)].map(({ permission }) => permission);
  const byKey = new Map(all.map((permission) => [permission.key, permission]));
  const isIn = (held: readonly Holding[], key: string) => held.some(({ permission }) => permission.key === key);
  return [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, permission]) => ({
      environmentId,
      permission,
      isDirect: isIn(permissions, key),
      roleKeys: roles.filter(({ role }) => isIn(role.permissions, key)).map(({ role }) => role.key),
    }));
}
