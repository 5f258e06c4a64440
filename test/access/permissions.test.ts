import { describe, expect, test } from 'vitest';
import { AREAS, isPermission, MACHINE_SCOPES, PERMISSIONS } from '../../src/access/permissions.ts';

/** The scopes that applications of other issuers ask for: what a client was written against is here under the same name. */
const KNOWN_SCOPES: Record<string, string> = {
  api_application_scopes: 'create',
  api_keys: 'create read update delete',
  api_scopes: 'create read update',
  apis: 'create read update delete',
  apis_application_scopes: 'delete',
  apis_scopes: 'delete',
  application_connections: 'create read delete',
  application_logout_uris: 'create read update delete',
  application_properties: 'read update',
  application_tokens: 'update',
  applications: 'create read update delete',
  applications_redirect_uris: 'create read update delete',
  billing_agreements: 'create read',
  billing_entitlements: 'read',
  businesses: 'read update',
  connected_apps: 'create read',
  connections: 'create read update delete',
  environment_feature_flags: 'read update delete',
  environment_variables: 'create read update delete',
  environments: 'read update',
  event_types: 'read',
  events: 'read',
  feature_flags: 'create update delete',
  identities: 'read update delete',
  industries: 'read',
  meter_usage: 'create',
  mfa: 'update',
  organization_connections: 'create read delete',
  organization_feature_flags: 'read update delete',
  organization_handles: 'delete',
  organization_invites: 'create read delete',
  organization_mfa: 'update',
  organization_passkey: 'read update',
  organization_properties: 'read update',
  organization_user_api_scopes: 'create delete',
  organization_user_mfa: 'read delete',
  organization_user_permissions: 'create read delete',
  organization_user_roles: 'create read delete',
  organization_users: 'create read update delete',
  organizations: 'create read update delete',
  passkey: 'read update',
  permissions: 'create read update delete',
  properties: 'create read update delete',
  property_categories: 'create read update',
  role_permissions: 'read update delete',
  role_scopes: 'create read delete',
  roles: 'create read update delete',
  scim_directories: 'create read update delete',
  subscribers: 'create read',
  timezones: 'read',
  user_feature_flags: 'update',
  user_identities: 'create read',
  user_mfa: 'read delete',
  user_passwords: 'update',
  user_properties: 'read update',
  user_refresh_claims: 'update',
  user_sessions: 'read delete',
  users: 'create read update delete',
  webhooks: 'create read update delete',
};

const knownScopes = Object.entries(KNOWN_SCOPES).flatMap(([resource, verbs]) => verbs.split(' ').map((verb) => `${verb}:${resource}`));

describe('the vocabulary', () => {
  test('spells every permission verb:resource', () => {
    const spelt = /^(read|create|update|delete|suspend|unlock|approve|assign):[a-z]+(_[a-z]+)*$/;
    expect(PERMISSIONS.filter((permission) => !spelt.test(permission))).toEqual([]);
  });

  test('has each permission in one area only', () => {
    const all = Object.values(AREAS).flatMap((area): string[] => [...area.read, ...area.write]);
    expect(all.filter((permission, at) => all.indexOf(permission) !== at)).toEqual([]);
    expect([...all].sort()).toEqual([...PERMISSIONS]);
  });

  test('lists only reading under what an area’s readers hold', () => {
    expect(Object.values(AREAS).flatMap((area) => area.read.filter((permission) => !permission.startsWith('read:')))).toEqual([]);
  });

  test('contains every scope that management clients know', () => {
    expect(knownScopes).toHaveLength(145);
    expect(knownScopes.filter((scope) => !isPermission(scope))).toEqual([]);
  });

  test('knows a permission from other text', () => {
    expect(isPermission('read:users')).toBe(true);
    for (const text of ['', 'users', 'read:Users', 'read:users ', '__proto__', 'constructor']) expect(isPermission(text)).toBe(false);
  });
});

describe('what a machine may be granted', () => {
  test('holds no ownership, no changing of the team or plan, and no making of environments', () => {
    const reserved = [
      ...['delete:businesses', 'read:exports', 'create:exports', 'approve:exports', 'assign:owner'],
      ...['create:team_members', 'update:team_members', 'delete:team_members', 'update:team_policies'],
      ...['update:billing', 'create:environments', 'delete:environments'],
    ];
    expect(PERMISSIONS.filter((permission) => !MACHINE_SCOPES.includes(permission)).sort()).toEqual(reserved.sort());
  });

  test('holds every scope that management clients know', () => {
    expect(knownScopes.filter((scope) => !(MACHINE_SCOPES as readonly string[]).includes(scope))).toEqual([]);
  });
});
