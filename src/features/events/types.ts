/** The closed list of what webhooks can tell, what reading of it takes, and which entries of the audit log mean what. */
import type { PermissionName } from '../../access/permissions.ts';

export const EVENT_TYPES = {
  'user.created': 'A user was made: by an operator, by a program, or by signing up. An import tells nothing.',
  'user.updated': 'What is known of a user was changed: the profile, the ways to sign in, a suspension.',
  'user.deleted': 'A user was deleted.',
  'user.authenticated': 'A user signed in.',
  'user.authentication_failed': 'A user’s sign-in failed: a wrong password or a wrong code.',
  'passkey.added': 'A person made a passkey to sign in with.',
  'passkey.removed': 'A passkey was taken away.',
  'organization.created': 'An organization was made.',
  'organization.updated': 'An organization was changed, suspended or restored.',
  'organization.deleted': 'An organization was deleted.',
  'role.created': 'A role was defined. Every environment of the business is told.',
  'role.updated': 'A role was changed. Every environment of the business is told.',
  'role.deleted': 'A role was deleted. Every environment of the business is told.',
  'permission.created': 'A permission was defined. Every environment of the business is told.',
  'permission.updated': 'A permission was changed. Every environment of the business is told.',
  'permission.deleted': 'A permission was deleted. Every environment of the business is told.',
  'subscriber.created': 'Somebody was added to the subscribers.',
  'access_request.created': 'Somebody was added to those who ask for access.',
} as const satisfies Record<string, string>;

export type EventType = keyof typeof EVENT_TYPES;

/** Entries of the audit log that are called otherwise than what they tell. */
const MEANING: Readonly<Record<string, EventType>> = {
  'user.suspended': 'user.updated',
  'user.restored': 'user.updated',
  'user.password_reset_requested': 'user.updated',
  'identity.created': 'user.updated',
  'identity.updated': 'user.updated',
  'identity.made_primary': 'user.updated',
  'identity.deleted': 'user.updated',
  'organization.suspended': 'organization.updated',
  'organization.restored': 'organization.updated',
  'organization.handle_removed': 'organization.updated',
  'organization.brand_updated': 'organization.updated',
  'organization.logo_set': 'organization.updated',
  'organization.logo_removed': 'organization.updated',
  'organization.mfa_updated': 'organization.updated',
  'organization.passkeys_updated': 'organization.updated',
  'organization.sessions_updated': 'organization.updated',
};

const WHOLE_USER: readonly PermissionName[] = [
  'read:users',
  'read:user_contacts',
  'read:organization_users',
  'read:organization_user_roles',
  'read:organization_user_permissions',
];

/** What reading what events are about takes, by the beginning of their names; the first that fits. */
const READING: readonly (readonly [begins: string, permissions: readonly PermissionName[]])[] = [
  ['user.created', WHOLE_USER],
  ['user.updated', WHOLE_USER],
  ['user.', ['read:users']],
  ['passkey.', ['read:users']],
  ['organization.', ['read:organizations']],
  ['role.', ['read:roles']],
  ['permission.', ['read:permissions']],
  ['subscriber.', ['read:subscribers']],
  ['access_request.', ['read:access_requests']],
];

/** What a caller needs to read for itself what events of these types tell. */
export function permissionsToRead(types: readonly EventType[]): PermissionName[] {
  return [...new Set(types.flatMap((type) => READING.find(([begins]) => type.startsWith(begins))![1]))];
}

function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENT_TYPES, text);
}

/** What an entry of the audit log tells webhooks, if anything. */
export function eventTypeOf(action: string): EventType | undefined {
  return isEventType(action) ? action : MEANING[action];
}
