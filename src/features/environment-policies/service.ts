/**
 * How an environment lets people in: who may sign up, how codes and locks behave, passkeys and second factors. The
 * policies of the `account` environment are the platform's: only its own business has that environment within reach.
 */
import type { Prisma } from '../../db/client.ts';
import type { Environment } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { isCountry } from '../../phone/numbers.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION, type Scope } from '../context.ts';
import { assertPlanHas } from '../plans.ts';
import type { MfaFactorKind, MfaPolicy, PasskeyPolicy } from '../sign-in-policies/service.ts';
import { mailDomains } from '../text.ts';

/** How an environment lets people in, as the sign-in pages ask. */
export interface SignInPolicy {
  readonly allowSelfSignUp: boolean;
  /** Domains of the addresses that may sign up by themselves; empty: any. */
  readonly allowedDomains: readonly string[];
  /** Seconds that a mailed code is good for. */
  readonly codeLifetime: number;
  /** Whether a new user may bring an organization along. */
  readonly allowOrganizationCreation: boolean;
  /** Whether a member of several is taken to the one of the last time, instead of being asked. */
  readonly useMostRecentOrganization: boolean;
  /** ISO 3166-1 code of the country that phone numbers are taken for at first. */
  readonly defaultCountry: string;
  /** Whether the pages look the same for addresses with and without an account. */
  readonly hasEnumerationProtection: boolean;
  /** Whether addresses that are made to be thrown away may not sign up. */
  readonly refuseDisposableMail: boolean;
}

/** May somebody with this address make an account by themselves? */
export function admits({ allowSelfSignUp, allowedDomains }: SignInPolicy, email: string): boolean {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase();
  return allowSelfSignUp && (allowedDomains.length === 0 || allowedDomains.includes(domain));
}

/** What numbers may be: the least and the most. */
export const BOUNDS = {
  codeLifetime: [60, 86_400],
  maxFailures: [1, 100],
  lockSeconds: [1, 3600],
} as const satisfies Record<string, readonly [number, number]>;

export const MAX_DOMAINS = 100;

interface PolicyChange {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

export interface UpdateEnvironmentPoliciesInput extends PolicyChange {
  readonly allowSelfSignUp?: boolean | null | undefined;
  readonly allowAccessRequests?: boolean | null | undefined;
  readonly allowSubscriptions?: boolean | null | undefined;
  /** All of them, from now on. */
  readonly allowedDomains?: readonly string[] | null | undefined;
  readonly allowOrganizationCreation?: boolean | null | undefined;
  readonly useMostRecentOrganization?: boolean | null | undefined;
  readonly syncProfile?: boolean | null | undefined;
  readonly codeLifetime?: number | null | undefined;
  readonly allowInvitations?: boolean | null | undefined;
  readonly invitationApplicationId?: string | null | undefined;
  readonly hasEnumerationProtection?: boolean | null | undefined;
  readonly refuseDisposableMail?: boolean | null | undefined;
  readonly allowDynamicRegistration?: boolean | null | undefined;
  readonly allowMetadataDocuments?: boolean | null | undefined;
  readonly requireDpopNonce?: boolean | null | undefined;
  readonly maxFailures?: number | null | undefined;
  readonly lockSeconds?: number | null | undefined;
  readonly defaultCountry?: string | null | undefined;
}

/** Changes how people come into an environment.
 * @throws InvalidInputError INVALID_DOMAIN, TOO_MANY_DOMAINS, OUT_OF_RANGE, INVALID_COUNTRY, INVALID_APPLICATION, NO_INVITATION_APPLICATION or CONFLICT
 * @throws NotFoundError when there is no such application in the environment */
export const updateEnvironmentPolicies = action({
  permission: 'update:policies',
  scope: (ctx, input: UpdateEnvironmentPoliciesInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { allowInvitations, invitationApplicationId } = input;
    if (invitationApplicationId) await assertTakesInvitations(ctx, scope.environmentId, invitationApplicationId);
    const environment = await change(ctx, input, scope, 'environment.policies_updated', {
      allowSelfSignUp: input.allowSelfSignUp ?? undefined,
      allowAccessRequests: input.allowAccessRequests ?? undefined,
      allowSubscriptions: input.allowSubscriptions ?? undefined,
      ...(input.allowedDomains && { allowedDomains: mailDomains(input.allowedDomains, 'allowedDomains', MAX_DOMAINS) }),
      allowOrganizationCreation: input.allowOrganizationCreation ?? undefined,
      useMostRecentOrganization: input.useMostRecentOrganization ?? undefined,
      syncProfile: input.syncProfile ?? undefined,
      codeLifetime: within('codeLifetime', input.codeLifetime),
      allowInvitations: allowInvitations ?? undefined,
      invitationApplicationId,
      hasEnumerationProtection: input.hasEnumerationProtection ?? undefined,
      refuseDisposableMail: input.refuseDisposableMail ?? undefined,
      allowDynamicRegistration: input.allowDynamicRegistration ?? undefined,
      allowMetadataDocuments: input.allowMetadataDocuments ?? undefined,
      requireDpopNonce: input.requireDpopNonce ?? undefined,
      maxFailures: within('maxFailures', input.maxFailures),
      lockSeconds: within('lockSeconds', input.lockSeconds),
      defaultCountry: await country(input.defaultCountry),
    });
    if (environment.allowInvitations && !environment.invitationApplicationId)
      throw new InvalidInputError('NO_INVITATION_APPLICATION', 'Invitations need an application that they lead to.', [
        'invitationApplicationId',
      ]);
    return environment;
  },
});

/** An invitation's link leads to the application's login URI, where a person can sign in. */
async function assertTakesInvitations(ctx: Context, environmentId: string, applicationId: string): Promise<void> {
  const path = ['invitationApplicationId'];
  const application = await ctx.db.application.findUnique({
    where: { environmentId_id: { environmentId, id: applicationId } },
    select: { type: true, loginUri: true },
  });
  if (!application) throw new NotFoundError('application', path);
  if (!['reg', 'spa'].includes(application.type) || !application.loginUri)
    throw new InvalidInputError('INVALID_APPLICATION', 'Invitations lead to a back-end or front-end application with a login URI.', path);
}

async function country(text: string | null | undefined): Promise<string | undefined> {
  if (text == null || (await isCountry(text))) return text ?? undefined;
  throw new InvalidInputError('INVALID_COUNTRY', 'This is the two-letter code of a country, as AU.', ['defaultCountry']);
}

function within(field: keyof typeof BOUNDS, value: number | null | undefined): number | undefined {
  if (value == null) return undefined;
  const [least, most] = BOUNDS[field];
  if (value < least || value > most) throw new InvalidInputError('OUT_OF_RANGE', `This is a number from ${least} to ${most}.`, [field]);
  return value;
}

export interface UpdatePasskeyPolicyInput extends PolicyChange {
  readonly policy: PasskeyPolicy;
  readonly isMultiFactor?: boolean | null | undefined;
}

/** Says whether people sign in with passkeys.
 * @throws InvalidInputError PLAN_LIMIT or CONFLICT */
export const updatePasskeyPolicy = action({
  permission: 'update:passkey',
  scope: (ctx, input: UpdatePasskeyPolicyInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    if (input.policy !== 'off') await assertPlanHas(ctx, scope.businessId, 'passkeys', ['policy']);
    return change(ctx, input, scope, 'environment.passkey_policy_updated', {
      passkeyPolicy: input.policy,
      isPasskeyMultiFactor: input.isMultiFactor ?? undefined,
    });
  },
});

export interface UpdateMfaPolicyInput extends PolicyChange {
  readonly policy: MfaPolicy;
  readonly factors?: readonly MfaFactorKind[] | null | undefined;
  readonly hasRecoveryCodes?: boolean | null | undefined;
}

/** Replaces how people are asked for a second factor.
 * @throws InvalidInputError NO_FACTORS when people are asked for one and there is none, or CONFLICT */
export const updateMfaPolicy = action({
  permission: 'update:mfa',
  scope: (ctx, input: UpdateMfaPolicyInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const environment = await change(ctx, input, scope, 'environment.mfa_policy_updated', {
      mfaPolicy: input.policy,
      ...(input.factors && { mfaFactors: [...new Set(input.factors)] }),
      hasRecoveryCodes: input.hasRecoveryCodes ?? undefined,
    });
    if (environment.mfaPolicy !== 'off' && environment.mfaFactors.length === 0)
      throw new InvalidInputError('NO_FACTORS', 'People need a factor to choose: name one at least.', ['factors']);
    return environment;
  },
});

async function change(
  ctx: Context,
  input: PolicyChange,
  { environmentId, businessId }: Scope,
  auditAction: string,
  data: Prisma.EnvironmentUpdateInput,
): Promise<Environment> {
  const environment = await ctx.db.environment.update({
    where: { id: environmentId, ...atVersion(input) },
    data: { ...data, ...NEXT_VERSION },
  });
  await audit(ctx, {
    businessId,
    environmentId,
    action: auditAction,
    target: { type: 'environment', id: environmentId },
    details: { fields: Object.keys(input).sort() },
  });
  return environment;
}
