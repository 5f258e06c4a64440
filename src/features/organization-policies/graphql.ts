/** The policies of organizations in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation, PLAN_CODES } from '../../graphql/payload.ts';
import { Role } from '../roles/graphql.ts';
import { MfaFactorKindEnum, MfaPolicyEnum, PasskeyPolicyEnum } from '../sign-in-policies/graphql.ts';
import type { MfaFactorKind, MfaPolicy, PasskeyPolicy } from '../sign-in-policies/service.ts';
import {
  SESSION_TIMEOUTS,
  updateOrganizationMfaPolicy,
  updateOrganizationPasskeyPolicy,
  updateOrganizationPolicies,
  updateOrganizationSessionPolicy,
} from './service.ts';

const whileAdvanced = 'Counts while the organization is advanced.';

builder.prismaObjectFields('Organization', (t) => {
  const roles = (relation: 'defaultRoles' | 'mfaExemptRoles', description: string) =>
    t.field({
      type: [Role],
      nullable: true,
      permission: 'read:roles',
      description,
      select: (_args, _ctx, nested) => ({ [relation]: { select: { role: nested(true) }, orderBy: { role: { key: 'asc' } } } }) as never,
      resolve: (row) => (row as unknown as Record<string, { role: never }[]>)[relation]!.map(({ role }) => role),
    });
  return {
    isAutoJoinDomainList: t.exposeBoolean('isAutoJoinDomainList', {
      nullable: true,
      description: `Whether new users with a proved address of \`allowedDomains\` join it, whichever organization they come to. ${whileAdvanced}`,
    }),
    allowedDomains: t.exposeStringList('allowedDomains', {
      nullable: true,
      description: `The domains whose proved addresses may join it by themselves; none: any. ${whileAdvanced}`,
    }),
    defaultRoles: roles(
      'defaultRoles',
      `What a new member gets in the place of the business’s default roles, by key; none: those. ${whileAdvanced}`,
    ),
    mfaPolicy: t.field({
      type: MfaPolicyEnum,
      nullable: true,
      description: `Whether its members are asked for a second factor; null: as the environment says. ${whileAdvanced}`,
      select: { mfaPolicy: true },
      resolve: ({ mfaPolicy }) => mfaPolicy as MfaPolicy | null,
    }),
    mfaFactors: t.field({
      type: [MfaFactorKindEnum],
      nullable: true,
      description: 'The second factors that its members may choose from.',
      select: { mfaFactors: true },
      resolve: ({ mfaFactors }) => mfaFactors as MfaFactorKind[],
    }),
    mfaExemptRoles: roles('mfaExemptRoles', 'Who holds only such roles is not asked for a second factor; by key.'),
    hasRecoveryCodes: t.exposeBoolean('hasRecoveryCodes', {
      nullable: true,
      description: 'Whether a code that was written down beforehand may take the place of a second factor.',
    }),
    passkeyPolicy: t.field({
      type: PasskeyPolicyEnum,
      nullable: true,
      permission: 'read:organization_passkey',
      description: `Whether its members sign in with passkeys; null: as the environment says. ${whileAdvanced}`,
      select: { passkeyPolicy: true },
      resolve: ({ passkeyPolicy }) => passkeyPolicy as PasskeyPolicy | null,
    }),
    isSessionPersistent: t.exposeBoolean('isSessionPersistent', {
      nullable: true,
      description: `Whether sessions for it outlive the browser; null: as the application says. ${whileAdvanced}`,
    }),
    sessionInactivityTimeout: t.exposeInt('sessionInactivityTimeout', {
      nullable: true,
      description: `How many seconds sessions for it live without activity; null: as the application says. ${whileAdvanced}`,
    }),
  };
});

const organizationId = { required: true, description: 'The organization.' } as const;

defineMutation({
  name: 'updateOrganizationPolicies',
  description: 'Changes who may join an organization by themselves, and with which roles.',
  policy: updateOrganizationPolicies,
  versioned: true,
  codes: {
    ...PLAN_CODES,
    INVALID_DOMAIN: 'Not a domain.',
    TOO_MANY: 'More than 100.',
    LAST_OPEN_ORGANIZATION: 'The environment lets people sign up, and no other organization would take them in.',
  },
  input: (t) => ({
    organizationId: t.id(organizationId),
    isAutoMembershipEnabled: t.boolean({
      description:
        'Whether people may join it by themselves; of the default organization, whether users who come to none do. Absent: unchanged.',
    }),
    isAutoJoinDomainList: t.boolean({
      description:
        'Whether new users with a proved address of the domains join it, whichever organization they come to. Absent: unchanged.',
    }),
    allowedDomains: t.stringList({
      description: 'The domains, as example.com, whose proved addresses may join it; at most 100. Absent: unchanged; none: any.',
    }),
    defaultRoleIds: t.idList({
      description:
        'All roles that a new member gets in the place of the business’s default ones, at most 100. To name any takes the permission `create:organization_user_roles` too. Absent: unchanged; none: those.',
    }),
  }),
  run: (ctx, input) => updateOrganizationPolicies(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'updateOrganizationMfaPolicy',
  description: 'Changes how an organization asks its members for second factors.',
  policy: { permission: updateOrganizationMfaPolicy.permission },
  versioned: true,
  codes: { ...PLAN_CODES, NO_FACTORS: 'There is no factor to choose.', TOO_MANY: 'More than 100 roles.' },
  input: (t) => ({
    organizationId: t.id(organizationId),
    policy: t.field({ type: MfaPolicyEnum, description: 'Absent: unchanged; null: the environment’s.' }),
    factors: t.field({ type: [MfaFactorKindEnum], description: 'All that its members may choose from. Absent: unchanged.' }),
    exemptRoleIds: t.idList({
      description: 'The roles of which one may hold any without being asked, all of them, at most 100. Absent: unchanged.',
    }),
    hasRecoveryCodes: t.boolean({ description: 'Whether a code that was written down beforehand will do. Absent: unchanged.' }),
  }),
  run: (ctx, input) =>
    updateOrganizationMfaPolicy(ctx, { ...input, policy: input.policy as MfaPolicy, factors: input.factors as MfaFactorKind[] }),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'updateOrganizationPasskeyPolicy',
  description: 'Changes whether an organization’s members sign in with passkeys.',
  policy: { permission: updateOrganizationPasskeyPolicy.permission },
  versioned: true,
  codes: PLAN_CODES,
  input: (t) => ({
    organizationId: t.id(organizationId),
    policy: t.field({ type: PasskeyPolicyEnum, description: 'Absent: unchanged; null: the environment’s.' }),
  }),
  run: (ctx, input) => updateOrganizationPasskeyPolicy(ctx, { ...input, policy: input.policy as PasskeyPolicy }),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'updateOrganizationSessionPolicy',
  description: 'Changes how long sessions for an organization last.',
  policy: { permission: updateOrganizationSessionPolicy.permission },
  versioned: true,
  codes: { ...PLAN_CODES, OUT_OF_RANGE: 'Not a timeout that a session can have.' },
  input: (t) => ({
    organizationId: t.id(organizationId),
    isPersistent: t.boolean({ description: 'Whether they outlive the browser. Absent: unchanged; null: the application’s.' }),
    inactivityTimeout: t.int({
      description: `How many seconds they live without activity, ${SESSION_TIMEOUTS.min} to ${SESSION_TIMEOUTS.max}. Absent: unchanged; null: the application’s.`,
    }),
  }),
  run: (ctx, input) => updateOrganizationSessionPolicy(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});
