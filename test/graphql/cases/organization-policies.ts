import type { FeatureCases, Mistake, MistakeStage, Stage } from './cases.ts';
import { newOrganization, onlyOpenOrganization } from './organizations.ts';

const ofWorld = ({ world }: Stage) => ({ organizationId: world.ids.Organization });
const tooManyRoles = ({ world }: MistakeStage) => Array(101).fill(world.ids.Role);

/** What every policy of an organization's own may be refused for. */
function refusals(change: object, planPath: string): Mistake[] {
  return [
    { code: 'PLAN_LIMIT', path: [planPath], input: ({ small }) => ({ organizationId: small.ids.Organization, ...change }) },
    { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...ofWorld(stage), ...change, expectedVersion: 99 }) },
  ];
}

const foreign = (change: object) => [{ type: 'Organization', input: (organizationId: string) => ({ organizationId, ...change }) }];

export const organizationPolicies: FeatureCases = {
  lists: {
    'organizations with their policies': `environment(id: $environmentId) { organizations(first: $first) { nodes {
      name allowedDomains defaultRoles { key } mfaPolicy mfaExemptRoles { key } lightColors { link }
    } } }`,
  },
  shortLists: ['Organization.allowedDomains', 'Organization.defaultRoles', 'Organization.mfaExemptRoles', 'Organization.mfaFactors'],
  mutations: {
    updateOrganizationPolicies: {
      permission: 'update:organizations',
      action: 'organization.updated',
      input: async (stage, name) => ({
        organizationId: await newOrganization(stage, name),
        isAutoMembershipEnabled: false,
        allowedDomains: ['people.test'],
        defaultRoleIds: [stage.world.ids.Role],
      }),
      foreign: [
        ...foreign({ allowedDomains: ['mine.test'] }),
        { type: 'Role', input: (id, own) => ({ organizationId: own.ids.Organization, defaultRoleIds: [id] }) },
      ],
      mistakes: [
        ...refusals({ isAutoJoinDomainList: true }, 'isAutoJoinDomainList'),
        ...refusals({ allowedDomains: ['people.test'] }, 'allowedDomains'),
        {
          code: 'PLAN_LIMIT',
          path: ['defaultRoleIds'],
          input: ({ small }) => ({ organizationId: small.ids.Organization, defaultRoleIds: [small.ids.Role] }),
        },
        {
          code: 'INVALID_DOMAIN',
          path: ['allowedDomains', '1'],
          input: (stage) => ({ ...ofWorld(stage), allowedDomains: ['people.test', 'not a domain'] }),
        },
        {
          code: 'TOO_MANY',
          path: ['allowedDomains'],
          input: (stage) => ({ ...ofWorld(stage), allowedDomains: Array.from({ length: 101 }, (_, at) => `d${at}.test`) }),
        },
        { code: 'TOO_MANY', path: ['defaultRoleIds'], input: (stage) => ({ ...ofWorld(stage), defaultRoleIds: tooManyRoles(stage) }) },
        {
          code: 'LAST_OPEN_ORGANIZATION',
          path: [],
          input: async (stage) => ({ organizationId: await onlyOpenOrganization(stage), isAutoMembershipEnabled: false }),
        },
      ],
    },
    updateOrganizationMfaPolicy: {
      permission: 'update:organization_mfa',
      action: 'organization.mfa_updated',
      input: async (stage, name) => ({
        organizationId: await newOrganization(stage, name),
        policy: 'REQUIRED',
        factors: ['AUTHENTICATOR_APP'],
        exemptRoleIds: [stage.world.ids.Role],
      }),
      foreign: [
        ...foreign({ policy: 'OFF' }),
        { type: 'Role', input: (id, own) => ({ organizationId: own.ids.Organization, exemptRoleIds: [id] }) },
      ],
      mistakes: [
        ...refusals({ policy: 'OFF' }, 'organizationId'),
        { code: 'NO_FACTORS', path: ['factors'], input: (stage) => ({ ...ofWorld(stage), policy: 'REQUIRED', factors: [] }) },
        { code: 'TOO_MANY', path: ['exemptRoleIds'], input: (stage) => ({ ...ofWorld(stage), exemptRoleIds: tooManyRoles(stage) }) },
      ],
    },
    updateOrganizationPasskeyPolicy: {
      permission: 'update:organization_passkey',
      action: 'organization.passkeys_updated',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name), policy: 'MANDATORY' }),
      foreign: foreign({ policy: 'OFF' }),
      mistakes: refusals({ policy: 'OFF' }, 'organizationId'),
    },
    updateOrganizationSessionPolicy: {
      permission: 'update:organizations',
      action: 'organization.sessions_updated',
      input: async (stage, name) => ({ organizationId: await newOrganization(stage, name), inactivityTimeout: 3600 }),
      foreign: foreign({ isPersistent: false }),
      mistakes: [
        ...refusals({ isPersistent: false }, 'organizationId'),
        { code: 'OUT_OF_RANGE', path: ['inactivityTimeout'], input: (stage) => ({ ...ofWorld(stage), inactivityTimeout: 59 }) },
        { code: 'OUT_OF_RANGE', path: ['inactivityTimeout'], input: (stage) => ({ ...ofWorld(stage), inactivityTimeout: 2_592_001 }) },
      ],
    },
  },
};
