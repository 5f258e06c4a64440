/** Which organizations and which of their members a search or a filter means. */
import { businessesWith, environmentsWith } from '../../access/authorize.ts';
import type { PermissionName } from '../../access/permissions.ts';
import type { Prisma } from '../../db/client.ts';
import type { Actor } from '../../kernel/actor.ts';
import { inRange, matching, type TimeRange } from '../search.ts';
import { usersMatching } from '../users/service.ts';

type Maybe<T> = T | null | undefined;

/** What organizations have in common; what is absent does not matter. */
export interface OrganizationFilter {
  readonly createdAt?: Maybe<TimeRange>;
  readonly isSuspended?: Maybe<boolean>;
  readonly externalId?: Maybe<string>;
  readonly handle?: Maybe<string>;
}

/** Organizations by name, external id, handle or id. */
export function organizationsMatching(search: Maybe<string>): Prisma.OrganizationWhereInput {
  return matching<Prisma.OrganizationWhereInput>(search, 'organization', (holds) => [{ searchText: holds }]);
}

/** Organizations that a filter lets through. */
export function organizationsWhere(filter: Maybe<OrganizationFilter>): Prisma.OrganizationWhereInput {
  const { createdAt, isSuspended, externalId, handle } = filter ?? {};
  return {
    ...(createdAt && { createdAt: inRange(createdAt) }),
    ...(isSuspended != null && { isSuspended }),
    ...(externalId != null && { externalId }),
    ...(handle != null && { handle }),
  };
}

/** What members have in common; what is absent does not matter. */
export interface MemberFilter {
  readonly createdAt?: Maybe<TimeRange>;
  readonly roleId?: Maybe<string>;
  readonly permissionId?: Maybe<string>;
}

/** What finding members takes of a caller besides reading them. */
export function permissionsToFindMembers(search: Maybe<string>, filter: Maybe<MemberFilter>): PermissionName[] {
  return [
    ...(search ? ['read:users' as const] : []),
    ...(filter?.roleId == null ? [] : ['read:organization_user_roles' as const]),
    ...(filter?.permissionId == null ? [] : ['read:organization_user_permissions' as const]),
  ];
}

/** Members by what their users are found by, where the actor may read users. */
export function membersMatching(actor: Actor, search: Maybe<string>): Prisma.MembershipWhereInput {
  if (!search?.trim()) return {};
  return { user: { environmentId: { in: environmentsWith(actor, 'read:users') }, ...usersMatching(actor, search) } };
}

/** Members that a filter lets through, where the actor holds {@link permissionsToFindMembers}; elsewhere none. */
export function membersWhere(actor: Actor, filter: Maybe<MemberFilter>): Prisma.MembershipWhereInput {
  const { createdAt, roleId, permissionId } = filter ?? {};
  const within = (permission: PermissionName) => ({ businessId: { in: businessesWith(actor, permission) } });
  return {
    ...(createdAt && { createdAt: inRange(createdAt) }),
    ...(roleId != null && { roles: { some: { ...within('read:organization_user_roles'), roleId } } }),
    ...(permissionId != null && { permissions: { some: { ...within('read:organization_user_permissions'), permissionId } } }),
  };
}
