/** The scopes that a member holds: the union of those that its roles bring and those that it holds directly. */

/** One scope of a member, and where it comes from. */
export interface HeldScope {
  readonly environmentId: string;
  readonly scope: { readonly id: string };
  readonly isDirect: boolean;
  /** Sorted. */
  readonly roleKeys: readonly string[];
}

interface Holding {
  readonly scope: { readonly environmentId: string; readonly id: string; readonly name: string };
}

/** The scopes of a member by name, each once: of what its roles bring, what they bring in the member's own environment. */
export function effectiveScopes(member: {
  readonly environmentId: string;
  readonly roles: readonly { readonly role: { readonly key: string; readonly scopes: readonly Holding[] } }[];
  readonly scopes: readonly Holding[];
}): HeldScope[] {
  const { environmentId, roles, scopes } = member;
  const all = [...scopes, ...roles.flatMap(({ role }) => role.scopes)]
    .map(({ scope }) => scope)
    .filter((scope) => scope.environmentId === environmentId);
  const byId = new Map(all.map((scope) => [scope.id, scope]));
  const isIn = (held: readonly Holding[], id: string) => held.some(({ scope }) => scope.id === id);
  return [...byId.values()]
    .sort((a, b) => (`${a.name} ${a.id}` < `${b.name} ${b.id}` ? -1 : 1))
    .map((scope) => ({
      environmentId,
      scope,
      isDirect: isIn(scopes, scope.id),
      roleKeys: roles.filter(({ role }) => isIn(role.scopes, scope.id)).map(({ role }) => role.key),
    }));
}
