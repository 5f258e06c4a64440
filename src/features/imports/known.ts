/** What the database already has of what a chunk of lines names, read in a handful of statements however many lines there are. */
import type { Context, Scope } from '../context.ts';
import { addPerson, noPeople, type People, type Person } from './matching.ts';
import type { ImportRow, Key } from './validate-row.ts';

/** A user, from before the import or planned by an earlier line. */
export interface KnownUser extends Person {
  readonly id: string;
  hasPassword: boolean;
  /** By organization id; of those the chunk may touch. */
  readonly memberships: Map<string, KnownMembership>;
}

export interface KnownMembership {
  readonly id: string;
  /** Ids. */
  readonly roles: Set<string>;
  /** Ids. */
  readonly permissions: Set<string>;
}

export interface Known {
  readonly users: People<KnownUser>;
  /** Ids by external id. */
  readonly organizations: ReadonlyMap<string, string>;
  readonly defaultOrganization: { readonly id: string; readonly isOpen: boolean } | undefined;
  /** Ids by key. */
  readonly roles: ReadonlyMap<string, string>;
  /** Ids of the roles of a member who is given none. */
  readonly defaultRoles: readonly string[];
  /** Ids, by the id of an organization that has default roles of its own. */
  readonly ownDefaultRoles: ReadonlyMap<string, readonly string[]>;
  /** Ids by key. */
  readonly permissions: ReadonlyMap<string, string>;
}

/** Looks up whom and what `rows` name, in the context's transaction. */
export async function loadKnown(ctx: Context, scope: Scope, rows: readonly ImportRow[]): Promise<Known> {
  const { environmentId, businessId } = scope;
  const organizations = await ctx.db.organization.findMany({
    where: { environmentId, OR: [{ externalId: { in: distinct(rows.flatMap((row) => row.organizations)) } }, { isDefault: true }] },
    include: { defaultRoles: { select: { roleId: true } } },
  });
  const roles = await ctx.db.role.findMany({
    where: { businessId, OR: [{ key: { in: distinct(rows.flatMap((row) => row.roles)) } }, { isDefaultRole: true }] },
  });
  const permissions = await ctx.db.permission.findMany({
    where: { businessId, key: { in: distinct(rows.flatMap((row) => row.permissions)) } },
  });
  const fallback = organizations.find((organization) => organization.isDefault);
  return {
    users: await loadUsers(
      ctx,
      environmentId,
      rows,
      organizations.map(({ id }) => id),
    ),
    organizations: new Map(organizations.flatMap(({ externalId, id }) => (externalId ? [[externalId, id]] : []))),
    defaultOrganization: fallback && { id: fallback.id, isOpen: fallback.isAutoMembershipEnabled && !fallback.isSuspended },
    roles: new Map(roles.map(({ key, id }) => [key, id])),
    defaultRoles: roles.filter((role) => role.isDefaultRole).map(({ id }) => id),
    ownDefaultRoles: new Map(
      organizations
        .filter(({ isAdvanced, defaultRoles }) => isAdvanced && defaultRoles.length > 0)
        .map(({ id, defaultRoles }) => [id, defaultRoles.map(({ roleId }) => roleId)]),
    ),
    permissions: new Map(permissions.map(({ key, id }) => [key, id])),
  };
}

async function loadUsers(
  ctx: Context,
  environmentId: string,
  rows: readonly ImportRow[],
  organizationIds: readonly string[],
): Promise<People<KnownUser>> {
  const stated = (key: Key) => distinct(rows.flatMap((row) => row.keys[key] ?? []));
  const identities = await ctx.db.identity.findMany({
    where: { environmentId, OR: (['email', 'phone', 'username'] as const).map((type) => ({ type, normalized: { in: stated(type) } })) },
    select: { userId: true },
  });
  const users = await ctx.db.user.findMany({
    where: { environmentId, OR: [{ id: { in: distinct(identities.map(({ userId }) => userId)) } }, { providedId: { in: stated('id') } }] },
    select: {
      id: true,
      providedId: true,
      identities: { select: { type: true, normalized: true } },
      password: { select: { userId: true } },
      memberships: {
        where: { organizationId: { in: [...organizationIds] } },
        select: { id: true, organizationId: true, roles: { select: { roleId: true } }, permissions: { select: { permissionId: true } } },
      },
    },
  });
  const people = noPeople<KnownUser>();
  for (const user of users) {
    const person: KnownUser = {
      id: user.id,
      keys: { id: user.providedId ?? undefined, ...Object.fromEntries(user.identities.map(({ type, normalized }) => [type, normalized])) },
      hasPassword: user.password !== null,
      memberships: new Map(
        user.memberships.map(({ id, organizationId, roles, permissions }) => [
          organizationId,
          {
            id,
            roles: new Set(roles.map(({ roleId }) => roleId)),
            permissions: new Set(permissions.map(({ permissionId }) => permissionId)),
          },
        ]),
      ),
    };
    addPerson(people, person);
    for (const { type, normalized } of user.identities) addPerson(people, person, { [type]: normalized });
  }
  return people;
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
