/**
 * THE vocabulary of permissions, `verb:resource`: one set of words for team roles, machine tokens and API keys. They
 * are grouped by the areas of the team-role matrix: `read` lists what seeing an area takes, `write` what changing it
 * takes. Areas whose reading is a matter of its own (contacts, secrets) stand alone.
 */

const crud = <R extends string>(resource: R) => ({
  read: [`read:${resource}`] as [`read:${R}`],
  write: [`create:${resource}`, `update:${resource}`, `delete:${resource}`] as [`create:${R}`, `update:${R}`, `delete:${R}`],
});

export const AREAS = {
  business_details: { read: ['read:businesses', 'read:industries', 'read:timezones'], write: ['update:businesses'] },
  ownership: { read: ['read:exports'], write: ['delete:businesses', 'create:exports', 'approve:exports', 'assign:owner'] },
  billing: {
    read: ['read:billing', 'read:billing_agreements', 'read:billing_entitlements'],
    write: ['update:billing', 'create:billing_agreements', 'create:meter_usage'],
  },
  team_members: crud('team_members'),
  team_policies: { read: ['read:team_policies'], write: ['update:team_policies'] },
  environments: {
    read: ['read:environments', 'read:environment_variables', 'read:custom_domains'],
    write: [
      'create:environments',
      'update:environments',
      'delete:environments',
      'create:environment_variables',
      'update:environment_variables',
      'delete:environment_variables',
      'create:custom_domains',
      'update:custom_domains',
      'delete:custom_domains',
    ],
  },
  applications: {
    read: [
      'read:applications',
      'read:applications_redirect_uris',
      'read:application_logout_uris',
      'read:application_tokens',
      'read:application_connections',
      'read:application_properties',
    ],
    write: [
      'create:applications',
      'update:applications',
      'create:applications_redirect_uris',
      'update:applications_redirect_uris',
      'delete:applications_redirect_uris',
      'create:application_logout_uris',
      'update:application_logout_uris',
      'delete:application_logout_uris',
      'update:application_tokens',
      'create:application_connections',
      'delete:application_connections',
      'update:application_properties',
    ],
  },
  application_delete: { read: [], write: ['delete:applications'] },
  application_secrets: { read: [], write: ['read:application_secrets', 'update:application_secrets'] },
  apis: {
    read: ['read:apis', 'read:api_scopes', 'read:api_keys'],
    write: [
      'create:apis',
      'update:apis',
      'delete:apis',
      'create:api_scopes',
      'update:api_scopes',
      'delete:apis_scopes',
      'create:api_application_scopes',
      'delete:apis_application_scopes',
      'create:api_keys',
      'update:api_keys',
      'delete:api_keys',
    ],
  },
  user_profile: { read: ['read:users'], write: ['create:users', 'update:users', 'update:user_refresh_claims'] },
  user_contacts: {
    read: ['read:user_contacts', 'read:user_identities', 'read:identities'],
    write: ['create:user_identities', 'update:user_contacts', 'update:identities', 'delete:identities'],
  },
  user_removal: { read: [], write: ['suspend:users', 'delete:users'] },
  user_recovery: {
    read: [],
    write: ['read:user_sessions', 'delete:user_sessions', 'read:user_mfa', 'delete:user_mfa', 'update:user_passwords', 'unlock:users'],
  },
  organizations: {
    read: [
      'read:organizations',
      'read:organization_users',
      'read:organization_invites',
      'read:organization_connections',
      'read:organization_passkey',
      'read:organization_user_mfa',
    ],
    write: [
      'create:organizations',
      'update:organizations',
      'create:organization_users',
      'update:organization_users',
      'delete:organization_users',
      'create:organization_invites',
      'delete:organization_invites',
      'delete:organization_handles',
      'create:organization_connections',
      'delete:organization_connections',
      'update:organization_mfa',
      'delete:organization_user_mfa',
      'update:organization_passkey',
    ],
  },
  organization_removal: { read: [], write: ['suspend:organizations', 'delete:organizations'] },
  roles: {
    read: ['read:roles', 'read:permissions', 'read:role_permissions', 'read:role_scopes'],
    write: [
      'create:roles',
      'update:roles',
      'delete:roles',
      'create:permissions',
      'update:permissions',
      'delete:permissions',
      'update:role_permissions',
      'delete:role_permissions',
      'create:role_scopes',
      'delete:role_scopes',
    ],
  },
  role_assignment: {
    read: ['read:organization_user_roles', 'read:organization_user_permissions'],
    write: [
      'create:organization_user_roles',
      'delete:organization_user_roles',
      'create:organization_user_permissions',
      'delete:organization_user_permissions',
      'create:organization_user_api_scopes',
      'delete:organization_user_api_scopes',
    ],
  },
  feature_flags: {
    read: ['read:feature_flags', 'read:environment_feature_flags'],
    write: [
      'create:feature_flags',
      'update:feature_flags',
      'delete:feature_flags',
      'update:environment_feature_flags',
      'delete:environment_feature_flags',
    ],
  },
  flag_overrides: {
    read: ['read:flag_overrides', 'read:organization_feature_flags'],
    write: [
      'update:organization_feature_flags',
      'delete:organization_feature_flags',
      'update:user_feature_flags',
      'delete:user_feature_flags',
    ],
  },
  property_definitions: {
    read: ['read:properties', 'read:property_categories'],
    write: ['create:properties', 'update:properties', 'delete:properties', 'create:property_categories', 'update:property_categories'],
  },
  property_values: {
    read: ['read:user_properties', 'read:organization_properties'],
    write: ['update:user_properties', 'update:organization_properties'],
  },
  webhooks: {
    read: ['read:webhooks', 'read:events', 'read:event_types', 'read:connected_apps'],
    write: ['create:webhooks', 'update:webhooks', 'delete:webhooks', 'create:connected_apps'],
  },
  connections: {
    read: ['read:connections', 'read:scim_directories'],
    write: [
      'create:connections',
      'update:connections',
      'delete:connections',
      'create:scim_directories',
      'update:scim_directories',
      'delete:scim_directories',
    ],
  },
  security_policies: {
    read: ['read:mfa', 'read:passkey', 'read:policies'],
    write: ['update:mfa', 'update:passkey', 'update:policies'],
  },
  branding: { read: ['read:branding'], write: ['update:branding'] },
  email_templates: { read: ['read:email_templates'], write: ['update:email_templates'] },
  smtp_sender: { read: ['read:smtp_sender'], write: ['update:smtp_sender'] },
  phone_sender: { read: ['read:phone_sender'], write: ['update:phone_sender'] },
  imports: { read: ['read:imports'], write: ['create:imports'] },
  subscribers: {
    read: ['read:subscribers', 'read:access_requests'],
    write: [
      'create:subscribers',
      'update:subscribers',
      'delete:subscribers',
      'create:access_requests',
      'update:access_requests',
      'delete:access_requests',
    ],
  },
  audit_log: { read: ['read:audit_log'], write: [] },
} as const satisfies Record<string, { read: readonly string[]; write: readonly string[] }>;

export type Area = keyof typeof AREAS;
export type PermissionName = (typeof AREAS)[Area]['read' | 'write'][number];

/** Every permission, sorted. */
export const PERMISSIONS: readonly PermissionName[] = [
  ...new Set(Object.values(AREAS).flatMap((area): PermissionName[] => [...area.read, ...area.write])),
].sort();

const known = new Set<string>(PERMISSIONS);

export function isPermission(text: string): text is PermissionName {
  return known.has(text);
}

/** What stays with people: ownership, changing the team or the plan, and the making and unmaking of environments. */
const ONLY_FOR_PEOPLE: ReadonlySet<PermissionName> = new Set<PermissionName>([
  ...AREAS.ownership.read,
  ...AREAS.ownership.write,
  ...AREAS.team_members.write,
  ...AREAS.team_policies.write,
  'update:billing',
  'create:environments',
  'delete:environments',
]);

/** What a machine token may be granted: the scopes of every environment's management API. */
export const MACHINE_SCOPES: readonly PermissionName[] = PERMISSIONS.filter((permission) => !ONLY_FOR_PEOPLE.has(permission));
