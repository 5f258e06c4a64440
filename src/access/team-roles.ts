/**
 * THE matrix of team roles. One line an area, one letter a role: R may read, W may read and write, -
 * nothing. A member's grants are the union of the member's roles in that business.
 */
import { AREAS, type Area, PERMISSIONS, type PermissionName } from './permissions.ts';

export const TEAM_ROLES = [
  'owner',
  'admin',
  'customer_success',
  'engineer',
  'finance',
  'marketing',
  'read_only',
  'security_specialist',
] as const;
export type TeamRole = (typeof TEAM_ROLES)[number];

/** Columns in the order of {@link TEAM_ROLES}. */
// biome-ignore format: aligned by hand, to be read as a table
const MATRIX: Record<Area, string> = {
  //                     Ow Ad CS En Fi Ma RO Se
  business_details:     'W  W  R  R  R  R  R  R',
  ownership:            'W  -  -  -  -  -  -  -',
  billing:              'W  W  R  -  W  -  R  -',
  team_members:         'W  W  R  R  R  R  R  R',
  team_policies:        'W  W  -  -  -  -  R  W',
  environments:         'W  W  R  W  R  R  R  R',
  applications:         'W  W  R  W  -  R  R  R',
  application_delete:   'W  W  -  -  -  -  -  -',
  application_secrets:  'W  W  -  W  -  -  -  -',
  apis:                 'W  W  R  W  -  -  R  R',
  user_profile:         'W  W  W  R  R  R  R  R',
  user_contacts:        'W  W  W  R  -  -  R  R',
  user_removal:         'W  W  -  -  -  -  -  -',
  user_recovery:        'W  W  W  -  -  -  -  W',
  organizations:        'W  W  W  R  R  R  R  R',
  organization_removal: 'W  W  -  -  -  -  -  -',
  roles:                'W  W  R  W  -  -  R  R',
  role_assignment:      'W  W  W  R  -  -  R  R',
  feature_flags:        'W  W  R  W  -  R  R  -',
  flag_overrides:       'W  W  W  W  -  -  R  -',
  property_definitions: 'W  W  R  W  -  R  R  -',
  property_values:      'W  W  W  R  -  R  R  -',
  webhooks:             'W  W  -  W  -  -  R  -',
  connections:          'W  W  R  W  -  -  R  W',
  security_policies:    'W  W  R  R  -  -  R  W',
  branding:             'W  W  R  R  -  W  R  -',
  email_templates:      'W  W  R  R  -  W  R  -',
  smtp_sender:          'W  W  -  W  -  R  R  R',
  phone_sender:         'W  W  -  W  -  R  R  W',
  imports:              'W  W  W  -  -  -  R  -',
  subscribers:          'W  W  W  R  -  W  R  -',
  audit_log:            'R  R  -  R  -  -  R  R',
};

export const PERMISSIONS_OF_ROLE: Readonly<Record<TeamRole, ReadonlySet<PermissionName>>> = Object.fromEntries(
  TEAM_ROLES.map((role, column) => [
    role,
    new Set(
      (Object.keys(MATRIX) as Area[]).flatMap((area): PermissionName[] => {
        const letter = MATRIX[area].split(/\s+/)[column];
        if (letter === 'W') return [...AREAS[area].read, ...AREAS[area].write];
        return letter === 'R' ? [...AREAS[area].read] : [];
      }),
    ),
  ]),
) as unknown as Record<TeamRole, ReadonlySet<PermissionName>>;

/** The union of what `roles` may do, sorted. */
export function permissionsOf(roles: readonly TeamRole[]): ReadonlySet<PermissionName> {
  return new Set(PERMISSIONS.filter((permission) => roles.some((role) => PERMISSIONS_OF_ROLE[role].has(permission))));
}

export function isTeamRole(text: string): text is TeamRole {
  return (TEAM_ROLES as readonly string[]).includes(text);
}

/** Which roles a holder of `roles` may give to or take from another: an Owner all, an Admin all but Owner, nobody else any. */
export function assignableRoles(roles: readonly TeamRole[]): ReadonlySet<TeamRole> {
  if (roles.includes('owner')) return new Set(TEAM_ROLES);
  if (roles.includes('admin')) return new Set(TEAM_ROLES.filter((role) => role !== 'owner'));
  return new Set();
}
