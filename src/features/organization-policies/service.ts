/** The policies that an organization has in the place of its environment's, while it is advanced. */
import type { Organization } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { action, type Context } from '../context.ts';
import { assertOthersAreOpen, changeOrganization, type OrganizationInput, organizationScope } from '../organizations/service.ts';
import { assertPlanHas } from '../plans.ts';
import { findRoles } from '../roles/service.ts';
import type { MfaFactorKind, MfaPolicy, PasskeyPolicy } from '../sign-in-policies/service.ts';
import { domainList } from '../text.ts';

/** What an organization has in the place of what its environment and applications say; null: what they say. */
export interface OrganizationOverrides {
  readonly passkeyPolicy: PasskeyPolicy | null;
  readonly isSessionPersistent: boolean | null;
  /** In seconds. */
  readonly sessionInactivityTimeout: number | null;
}

/** The organization's own policies; undefined for no organization, and for one that is not advanced. */
export async function organizationOverrides(
  ctx: Context,
  environmentId: string,
  organizationId: string | null,
): Promise<OrganizationOverrides | undefined> {
  if (!organizationId) return undefined;
  const row = await ctx.db.organization.findFirst({
    where: { environmentId, id: organizationId, isAdvanced: true },
    select: { passkeyPolicy: true, isSessionPersistent: true, sessionInactivityTimeout: true },
  });
  return (row as OrganizationOverrides | null) ?? undefined;
}

export interface UpdateOrganizationPoliciesInput extends OrganizationInput {
  readonly isAutoMembershipEnabled?: boolean | null | undefined;
  readonly isAutoJoinDomainList?: boolean | null | undefined;
  readonly allowedDomains?: readonly string[] | null | undefined;
  /** All of them, from now on. */
  readonly defaultRoleIds?: readonly string[] | null | undefined;
}

/** Changes who may join an organization by themselves, and with which roles, for which it takes create:organization_user_roles
 * as well. Only the first of its policies comes with every plan.
 * @throws InvalidInputError INVALID_DOMAIN, TOO_MANY, PLAN_LIMIT, LAST_OPEN_ORGANIZATION or CONFLICT
 * @throws NotFoundError when one of the roles is not there */
export const updateOrganizationPolicies = action({
  permission: 'update:organizations',
  besides: ({ defaultRoleIds }: UpdateOrganizationPoliciesInput) => (defaultRoleIds?.length ? ['create:organization_user_roles'] : []),
  scope: (ctx, input: UpdateOrganizationPoliciesInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const { organizationId, isAutoMembershipEnabled, isAutoJoinDomainList, defaultRoleIds } = input;
    const allowedDomains = domainList(input.allowedDomains, 'allowedDomains');
    const roles = defaultRoleIds && (await findRoles(ctx, scope.businessId, defaultRoleIds, 'defaultRoleIds'));
    if (isAutoMembershipEnabled === false) await assertOthersAreOpen(ctx, scope, organizationId);
    if (isAutoJoinDomainList) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['isAutoJoinDomainList']);
    if (allowedDomains?.length) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['allowedDomains']);
    if (roles?.length) await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['defaultRoleIds']);
    return changeOrganization(ctx, scope, input, {
      isAutoMembershipEnabled: isAutoMembershipEnabled ?? undefined,
      isAutoJoinDomainList: isAutoJoinDomainList ?? undefined,
      allowedDomains,
      ...(roles && { defaultRoles: { deleteMany: {}, create: roles.map(({ businessId, id }) => ({ businessId, roleId: id })) } }),
    });
  },
});

export interface UpdateOrganizationMfaPolicyInput extends OrganizationInput {
  /** Null: the environment's. */
  readonly policy?: MfaPolicy | null | undefined;
  readonly factors?: readonly MfaFactorKind[] | null | undefined;
  readonly hasRecoveryCodes?: boolean | null | undefined;
  /** All of them, from now on. */
  readonly exemptRoleIds?: readonly string[] | null | undefined;
}

/** Changes how an organization asks for second factors.
 * @throws InvalidInputError NO_FACTORS, TOO_MANY, PLAN_LIMIT or CONFLICT
 * @throws NotFoundError when one of the roles is not there */
export const updateOrganizationMfaPolicy = action({
  permission: 'update:organization_mfa',
  scope: (ctx, input: UpdateOrganizationMfaPolicyInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const { policy, hasRecoveryCodes, exemptRoleIds } = input;
    await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['organizationId']);
    const factors = input.factors === undefined ? undefined : [...new Set(input.factors)];
    const roles = exemptRoleIds && (await findRoles(ctx, scope.businessId, exemptRoleIds, 'exemptRoleIds'));
    const organization = await changeOrganization(
      ctx,
      scope,
      input,
      {
        mfaPolicy: policy,
        mfaFactors: factors,
        hasRecoveryCodes: hasRecoveryCodes ?? undefined,
        ...(roles && { mfaExemptRoles: { deleteMany: {}, create: roles.map(({ businessId, id }) => ({ businessId, roleId: id })) } }),
      },
      'organization.mfa_updated',
    );
    if (organization.mfaPolicy && organization.mfaPolicy !== 'off' && organization.mfaFactors.length === 0)
      throw new InvalidInputError('NO_FACTORS', 'Who is to be asked for a second factor needs at least one to choose.', ['factors']);
    return organization;
  },
});

export interface UpdateOrganizationPasskeyPolicyInput extends OrganizationInput {
  /** Null: the environment's. */
  readonly policy?: PasskeyPolicy | null | undefined;
}

/** Changes whether an organization's members sign in with passkeys.
 * @throws InvalidInputError PLAN_LIMIT or CONFLICT */
export const updateOrganizationPasskeyPolicy = action({
  permission: 'update:organization_passkey',
  scope: (ctx, input: UpdateOrganizationPasskeyPolicyInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['organizationId']);
    return changeOrganization(ctx, scope, input, { passkeyPolicy: input.policy }, 'organization.passkeys_updated');
  },
});

/** How long a session may lie idle, in seconds: a minute to 30 days, after which every session is over. */
export const SESSION_TIMEOUTS = { min: 60, max: 30 * 24 * 3600 };

export interface UpdateOrganizationSessionPolicyInput extends OrganizationInput {
  /** Null: the application's. */
  readonly isPersistent?: boolean | null | undefined;
  /** In seconds; null: the application's. */
  readonly inactivityTimeout?: number | null | undefined;
}

/** Changes how long sessions for an organization last.
 * @throws InvalidInputError OUT_OF_RANGE, PLAN_LIMIT or CONFLICT */
export const updateOrganizationSessionPolicy = action({
  permission: 'update:organizations',
  scope: (ctx, input: UpdateOrganizationSessionPolicyInput, permission) => organizationScope(ctx, permission, input.organizationId),
  async run(ctx, input, scope): Promise<Organization> {
    const { isPersistent, inactivityTimeout } = input;
    if (inactivityTimeout != null && (inactivityTimeout < SESSION_TIMEOUTS.min || inactivityTimeout > SESSION_TIMEOUTS.max))
      throw new InvalidInputError('OUT_OF_RANGE', `This is ${SESSION_TIMEOUTS.min} to ${SESSION_TIMEOUTS.max} seconds.`, [
        'inactivityTimeout',
      ]);
    await assertPlanHas(ctx, scope.businessId, 'advancedOrganizations', ['organizationId']);
    const data = { isSessionPersistent: isPersistent, sessionInactivityTimeout: inactivityTimeout };
    return changeOrganization(ctx, scope, input, data, 'organization.sessions_updated');
  },
});
