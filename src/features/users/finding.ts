/** Which users a search or a filter means. What a caller may not read of a user is nothing that it can be found by. */
import { environmentsWith } from '../../access/authorize.ts';
import type { PermissionName } from '../../access/permissions.ts';
import type { Prisma } from '../../db/client.ts';
import type { Actor } from '../../kernel/actor.ts';
import { inRange, matching, type TimeRange } from '../search.ts';
import { comparable } from '../text.ts';

type Maybe<T> = T | null | undefined;

/** What users have in common; what is absent does not matter. */
export interface UserFilter {
  readonly createdAt?: Maybe<TimeRange>;
  /** Who has never signed in has done so before any time. */
  readonly lastSignedInAt?: Maybe<TimeRange>;
  readonly isSuspended?: Maybe<boolean>;
  readonly providedId?: Maybe<string>;
  readonly email?: Maybe<string>;
  readonly phone?: Maybe<string>;
  readonly username?: Maybe<string>;
  readonly organizationId?: Maybe<string>;
}

/** What a filter takes of a caller besides reading users. */
export function permissionsOfUserFilter(filter: Maybe<UserFilter>): PermissionName[] {
  const { email, phone, username, organizationId } = filter ?? {};
  const contact = email ?? phone ?? username;
  return [
    ...(contact == null ? [] : ['read:user_contacts' as const]),
    ...(organizationId == null ? [] : ['read:organization_users' as const]),
  ];
}

/** Users by name, provided id or id, and by contacts in the environments where the actor may read those. */
export function usersMatching(actor: Actor, search: Maybe<string>): Prisma.UserWhereInput {
  const contactsIn = environmentsWith(actor, 'read:user_contacts');
  const isEverywhere = environmentsWith(actor, 'read:users').every((environmentId) => contactsIn.includes(environmentId));
  return matching<Prisma.UserWhereInput>(search, 'user', (holds) => [
    { searchText: holds },
    ...(contactsIn.length > 0 ? [{ searchContacts: holds, ...(!isEverywhere && { environmentId: { in: contactsIn } }) }] : []),
  ]);
}

/** Users that a filter lets through, where the actor holds {@link permissionsOfUserFilter}; elsewhere none. */
export function usersWhere(actor: Actor, filter: Maybe<UserFilter>): Prisma.UserWhereInput {
  const { createdAt, lastSignedInAt, isSuspended, providedId, email, phone, username, organizationId } = filter ?? {};
  const identities = Object.entries({ email, phone, username }).flatMap(([type, value]) =>
    value == null ? [] : [{ type, normalized: comparable(value.trim()) }],
  );
  const within = (permission: PermissionName) => ({ environmentId: { in: environmentsWith(actor, permission) } });
  return {
    AND: [
      ...(createdAt ? [{ createdAt: inRange(createdAt) }] : []),
      ...(lastSignedInAt ? [{ activeAt: inRange(lastSignedInAt) }] : []),
      ...(isSuspended == null ? [] : [{ isSuspended }]),
      ...(providedId == null ? [] : [{ providedId }]),
      ...identities.map((identity) => ({ identities: { some: { ...within('read:user_contacts'), ...identity } } })),
      ...(organizationId == null ? [] : [{ memberships: { some: { ...within('read:organization_users'), organizationId } } }]),
    ],
  };
}
