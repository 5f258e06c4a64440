/** docs/coverage.md names every operation, and only fields and mutations that there are. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInterfaceType, isObjectType } from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';

/** What the management API of the issuers that people come from can do. */
const OPERATIONS = `
  getApiKeys createApiKey getApiKey deleteApiKey rotateApiKey verifyApiKey
  getApis addApis getApi deleteApi getApiScopes addApiScope getApiScope updateApiScope deleteApiScope updateApiApplications
  addApiApplicationScope deleteApiApplicationScope
  getApplications createApplication getApplication updateApplication deleteApplication getApplicationConnections enableConnection
  removeConnection getApplicationPropertyValues updateApplicationsProperty updateApplicationTokens
  getBillingAgreements createBillingAgreement getBillingEntitlements createMeterUsageRecord
  getBusiness updateBusiness
  getCallbackUrls addRedirectCallbackUrls replaceRedirectCallbackUrls deleteCallbackUrls
  getLogoutUrls addLogoutRedirectUrls replaceLogoutRedirectUrls deleteLogoutUrls
  getConnectedAppAuthUrl getConnectedAppToken revokeConnectedAppToken
  getConnections createConnection getConnection updateConnection replaceConnection deleteConnection
  getDirectories createDirectory getDirectory updateDirectory deleteDirectory
  getEnvironment deleteEnvironementFeatureFlagOverrides getEnvironementFeatureFlags deleteEnvironementFeatureFlagOverride
  updateEnvironementFeatureFlagOverride readLogo addLogo deleteLogo getPasskey updatePasskey
  getEnvironmentVariables createEnvironmentVariable getEnvironmentVariable updateEnvironmentVariable deleteEnvironmentVariable
  createFeatureFlag deleteFeatureFlag updateFeatureFlag
  getIdentity updateIdentity deleteIdentity
  getIndustries replaceMfa
  getOrganizationInvites createOrganizationInvite getOrganizationInvite deleteOrganizationInvite
  getOrganization createOrganization getOrganizations updateOrganization deleteOrganization
  getOrganizationUsers addOrganizationUsers updateOrganizationUsers getOrganizationUserRoles createOrganizationUserRole
  deleteOrganizationUserRole getOrganizationRoleUsers getOrganizationUserPermissions createOrganizationUserPermission
  deleteOrganizationUserPermission removeOrganizationUser addOrganizationUserApiScope deleteOrganizationUserApiScope
  getOrgUserMfa resetOrgUserMfaAll resetOrgUserMfa
  getOrganizationFeatureFlags deleteOrganizationFeatureFlagOverrides deleteOrganizationFeatureFlagOverride
  updateOrganizationFeatureFlagOverride updateOrganizationProperty getOrganizationPropertyValues updateOrganizationProperties
  replaceOrganizationMfa getOrganizationPasskey updateOrganizationPasskey deleteOrganizationHandle
  readOrganizationLogo addOrganizationLogo deleteOrganizationLogo
  getOrganizationConnections enableOrgConnection removeOrgConnection updateOrganizationSessions
  getPermissions createPermission updatePermissions deletePermission
  getProperties createProperty updateProperty deleteProperty getCategories createCategory updateCategory
  getRoles createRole getRole updateRoles deleteRole getRoleScopes addRoleScope deleteRoleScope getRolePermissions
  updateRolePermissions getRoleUsers removeRolePermission
  searchUsers getSubscribers createSubscriber getSubscriber getTimezones
  getUsers refreshUserClaims getUserData createUser updateUser deleteUser updateUserFeatureFlagOverride updateUserProperty
  getUserPropertyValues updateUserProperties setUserPassword getUserIdentities createUserIdentity getUserSessions deleteUserSessions
  getUsersMfa resetUsersMfaAll resetUsersMfa
  getEvent getEventTypes deleteWebHook updateWebHook getWebHooks createWebHook generatePortalUrl
`
  .trim()
  .split(/\s+/);

const [covered = '', later = ''] = readFileSync(join(import.meta.dirname, '../../docs/coverage.md'), 'utf8').split('## Not yet');
const rowsOf = (text: string) =>
  [...text.matchAll(/^\| ([a-z][\w, ]+) \| (.+) \|$/gm)].map(([, names = '', rest = '']) => ({ names, rest }));
const rows = rowsOf(covered).filter(({ names }) => names !== 'operation');

test('every operation has its place, or waits for something', () => {
  const waiting = rowsOf(later).flatMap(({ names }) => names.split(', '));
  expect([...rows.map(({ names }) => names), ...waiting.filter((name) => name !== 'operation')].sort()).toEqual([...OPERATIONS].sort());
});

test.each(rows)('$names is $rest', ({ rest }) => {
  const coordinates = [...rest.matchAll(/`(\w+)\.(\w+)`/g)];
  expect(coordinates.length).toBeGreaterThan(0);
  for (const [coordinate, type = '', field = ''] of coordinates) {
    const found = schema.getType(type);
    if (!isObjectType(found) && !isInterfaceType(found)) throw new Error(`There is no type ${coordinate}.`);
    expect(Object.keys(found.getFields())).toContain(field);
  }
});
