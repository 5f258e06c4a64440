import { describe, expect, test } from 'vitest';
import { AREAS, PERMISSIONS, type PermissionName } from '../../src/access/permissions.ts';
import { assignableRoles, PERMISSIONS_OF_ROLE, permissionsOf, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';

const ROLES: readonly TeamRole[] = [
  'owner',
  'admin',
  'customer_success',
  'engineer',
  'finance',
  'marketing',
  'read_only',
  'security_specialist',
];

interface Row {
  readonly letters: string;
  /** Held by whoever has R or W. */
  readonly read: readonly PermissionName[];
  /** Held by whoever has W. */
  readonly write: readonly PermissionName[];
}

// R reads, W reads and writes, - neither. The permissions are those that stand for a row.
// biome-ignore format: aligned by hand, to be read as a table
const TABLE: Record<string, Row> = {
  //                                            Ow Ad CS En Fi Ma RO Se
  'business details':              { letters: 'W  W  R  R  R  R  R  R', read: ['read:businesses'], write: ['update:businesses'] },
  'business delete':               { letters: 'W  -  -  -  -  -  -  -', read: [], write: ['delete:businesses'] },
  'data export':                   { letters: 'W  -  -  -  -  -  -  -', read: ['read:exports'], write: ['create:exports', 'approve:exports'] },
  'the role of Owner':             { letters: 'W  -  -  -  -  -  -  -', read: [], write: ['assign:owner'] },
  'billing and plan':              { letters: 'W  W  R  -  W  -  R  -', read: ['read:billing'], write: ['update:billing'] },
  'team members':                  { letters: 'W  W  R  R  R  R  R  R', read: ['read:team_members'], write: ['create:team_members', 'update:team_members', 'delete:team_members'] },
  'team MFA and SSO policy':       { letters: 'W  W  -  -  -  -  R  W', read: ['read:team_policies'], write: ['update:team_policies'] },
  'environments':                  { letters: 'W  W  R  W  R  R  R  R', read: ['read:environments'], write: ['create:environments', 'update:environments'] },
  'custom domains':                { letters: 'W  W  R  W  R  R  R  R', read: ['read:custom_domains'], write: ['create:custom_domains'] },
  'environment variables':         { letters: 'W  W  R  W  R  R  R  R', read: ['read:environment_variables'], write: ['update:environment_variables'] },
  'applications':                  { letters: 'W  W  R  W  -  R  R  R', read: ['read:applications'], write: ['create:applications', 'update:applications'] },
  'callback and logout URLs':      { letters: 'W  W  R  W  -  R  R  R', read: ['read:applications_redirect_uris', 'read:application_logout_uris'], write: ['create:applications_redirect_uris', 'update:application_logout_uris'] },
  'token settings':                { letters: 'W  W  R  W  -  R  R  R', read: ['read:application_tokens'], write: ['update:application_tokens'] },
  'application delete':            { letters: 'W  W  -  -  -  -  -  -', read: [], write: ['delete:applications'] },
  'client secrets':                { letters: 'W  W  -  W  -  -  -  -', read: [], write: ['read:application_secrets', 'update:application_secrets'] },
  'APIs and their scopes':         { letters: 'W  W  R  W  -  -  R  R', read: ['read:apis', 'read:api_scopes'], write: ['create:apis', 'create:api_scopes'] },
  'API keys':                      { letters: 'W  W  R  W  -  -  R  R', read: ['read:api_keys'], write: ['create:api_keys', 'delete:api_keys'] },
  'user profiles':                 { letters: 'W  W  W  R  R  R  R  R', read: ['read:users'], write: ['create:users', 'update:users'] },
  'user contacts and identities':  { letters: 'W  W  W  R  -  -  R  R', read: ['read:user_contacts', 'read:user_identities', 'read:identities'], write: ['update:user_contacts', 'create:user_identities'] },
  'user suspension and deletion':  { letters: 'W  W  -  -  -  -  -  -', read: [], write: ['suspend:users', 'delete:users'] },
  'user recovery':                 { letters: 'W  W  W  -  -  -  -  W', read: [], write: ['update:user_passwords', 'unlock:users', 'delete:user_mfa', 'delete:user_sessions'] },
  'organizations':                 { letters: 'W  W  W  R  R  R  R  R', read: ['read:organizations'], write: ['create:organizations', 'update:organizations'] },
  'organization members':          { letters: 'W  W  W  R  R  R  R  R', read: ['read:organization_users'], write: ['create:organization_users', 'delete:organization_users'] },
  'organization invitations':      { letters: 'W  W  W  R  R  R  R  R', read: ['read:organization_invites'], write: ['create:organization_invites'] },
  'organization suspension':       { letters: 'W  W  -  -  -  -  -  -', read: [], write: ['suspend:organizations', 'delete:organizations'] },
  'roles and permissions':         { letters: 'W  W  R  W  -  -  R  R', read: ['read:roles', 'read:permissions', 'read:role_permissions'], write: ['create:roles', 'create:permissions', 'update:role_permissions'] },
  'role and permission assignment': { letters: 'W  W  W  R  -  -  R  R', read: ['read:organization_user_roles', 'read:organization_user_permissions'], write: ['create:organization_user_roles', 'delete:organization_user_permissions'] },
  'feature flags':                 { letters: 'W  W  R  W  -  R  R  -', read: ['read:feature_flags'], write: ['create:feature_flags', 'update:feature_flags'] },
  'flag overrides':                { letters: 'W  W  W  W  -  -  R  -', read: ['read:flag_overrides'], write: ['update:organization_feature_flags', 'update:user_feature_flags'] },
  'property definitions':          { letters: 'W  W  R  W  -  R  R  -', read: ['read:properties'], write: ['create:properties'] },
  'property values':               { letters: 'W  W  W  R  -  R  R  -', read: ['read:user_properties', 'read:organization_properties'], write: ['update:user_properties', 'update:organization_properties'] },
  'webhooks':                      { letters: 'W  W  -  W  -  -  R  -', read: ['read:webhooks'], write: ['create:webhooks', 'delete:webhooks'] },
  'connected apps':                { letters: 'W  W  -  W  -  -  R  -', read: ['read:connected_apps'], write: ['create:connected_apps'] },
  'connections':                   { letters: 'W  W  R  W  -  -  R  W', read: ['read:connections', 'read:scim_directories'], write: ['create:connections', 'update:scim_directories'] },
  'security policies':             { letters: 'W  W  R  R  -  -  R  W', read: ['read:mfa', 'read:policies'], write: ['update:mfa', 'update:policies'] },
  'branding':                      { letters: 'W  W  R  R  -  W  R  -', read: ['read:branding'], write: ['update:branding'] },
  'email templates':               { letters: 'W  W  R  R  -  W  R  -', read: ['read:email_templates'], write: ['update:email_templates'] },
  'SMTP sender':                   { letters: 'W  W  -  W  -  R  R  R', read: ['read:smtp_sender'], write: ['update:smtp_sender'] },
  'phone sender':                  { letters: 'W  W  -  W  -  R  R  W', read: ['read:phone_sender'], write: ['update:phone_sender'] },
  'imports':                       { letters: 'W  W  W  -  -  -  R  -', read: ['read:imports'], write: ['create:imports'] },
  'subscribers':                   { letters: 'W  W  W  R  -  W  R  -', read: ['read:subscribers'], write: ['create:subscribers'] },
  'access requests':               { letters: 'W  W  W  R  -  W  R  -', read: ['read:access_requests'], write: ['update:access_requests'] },
  'the audit log':                 { letters: 'R  R  -  R  -  -  R  R', read: ['read:audit_log'], write: [] },
};

const CASES = Object.entries(TABLE).flatMap(([resource, { letters, read, write }]) =>
  letters.split(/\s+/).map((letter, column) => ({ resource, role: ROLES[column]!, letter, read, write })),
);

describe('the matrix', () => {
  test('knows exactly the eight roles', () => {
    expect([...TEAM_ROLES].sort()).toEqual([...ROLES].sort());
    expect(CASES).toHaveLength(Object.keys(TABLE).length * ROLES.length);
  });

  test.each(CASES)('$role on $resource: $letter', ({ role, letter, read, write }) => {
    const held = PERMISSIONS_OF_ROLE[role];
    expect(read.filter((permission) => held.has(permission))).toEqual(letter === '-' ? [] : read);
    expect(write.filter((permission) => held.has(permission))).toEqual(letter === 'W' ? write : []);
  });

  test('has a row for every area of permissions', () => {
    const named = new Set(Object.values(TABLE).flatMap(({ read, write }): string[] => [...read, ...write]));
    const unnamed = Object.entries(AREAS).filter(([, area]) => ![...area.read, ...area.write].some((permission) => named.has(permission)));
    expect(unnamed).toEqual([]);
  });

  test('the Owner holds every permission', () => {
    expect([...PERMISSIONS_OF_ROLE.owner].sort()).toEqual([...PERMISSIONS]);
  });

  test('reading never changes anything: Read-only holds nothing but reading', () => {
    expect([...PERMISSIONS_OF_ROLE.read_only].filter((permission) => !permission.startsWith('read:'))).toEqual([]);
  });
});

describe('several roles', () => {
  const pairs = ROLES.flatMap((one) => ROLES.map((other) => [one, other] as const));

  test.each(pairs)('%s with %s may do what either may, and nothing more', (one, other) => {
    const either = new Set([...PERMISSIONS_OF_ROLE[one], ...PERMISSIONS_OF_ROLE[other]]);
    expect(permissionsOf([one, other])).toEqual(either);
  });

  test('no role at all may do nothing', () => {
    expect(permissionsOf([])).toEqual(new Set());
  });
});

describe('giving and taking roles', () => {
  const pairs = ROLES.flatMap((holder) => ROLES.map((given) => ({ holder, given })));

  test.each(pairs)('$holder and the role $given', ({ holder, given }) => {
    const may = holder === 'owner' || (holder === 'admin' && given !== 'owner');
    expect(assignableRoles([holder]).has(given)).toBe(may);
  });

  test('a second role takes nothing away from what an Owner or Admin may assign', () => {
    for (const second of ROLES) {
      expect(assignableRoles([second, 'owner'])).toEqual(new Set(ROLES));
      if (second !== 'owner') expect(assignableRoles([second, 'admin'])).toEqual(new Set(ROLES.filter((role) => role !== 'owner')));
    }
  });

  test('two roles that may assign none make no assigner together', () => {
    const others = ROLES.filter((role) => role !== 'owner' && role !== 'admin');
    expect(assignableRoles(others)).toEqual(new Set());
  });

  test('nobody can hand out a permission that they do not hold', () => {
    for (const holder of ROLES)
      for (const given of assignableRoles([holder]))
        expect([...PERMISSIONS_OF_ROLE[given]].filter((permission) => !PERMISSIONS_OF_ROLE[holder].has(permission))).toEqual([]);
  });
});
