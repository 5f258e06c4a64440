/**
 * Whether somebody is asked for a second factor, and for which: the one place where an environment's policy, an
 * organization's, its exempt roles and a business's team policy come together.
 */
import type { Context } from '../context.ts';
import { canText } from '../phone-senders/service.ts';
import { MFA_POLICIES, type MfaFactorKind, type MfaPolicy } from '../sign-in-policies/service.ts';

export interface MfaRequirement {
  readonly policy: MfaPolicy;
  readonly factors: readonly MfaFactorKind[];
  readonly hasRecoveryCodes: boolean;
  /** The organization whose factors people set up and prove; null: the environment's. */
  readonly organizationId: string | null;
}

/** An environment and its policy, as a sign-in there knows it. */
interface Where {
  readonly environmentId: string;
  readonly kind: string;
  readonly mfaPolicy: MfaPolicy;
  readonly mfaFactors: readonly MfaFactorKind[];
  readonly hasRecoveryCodes: boolean;
}

/** What a sign-in of the user to the organization, or to none, asks for. */
export async function mfaRequirement(ctx: Context, tenancy: Where, userId: string, organizationId: string | null): Promise<MfaRequirement> {
  const { environmentId, mfaPolicy, mfaFactors, hasRecoveryCodes } = tenancy;
  const ofEnvironment = { policy: mfaPolicy, factors: mfaFactors, hasRecoveryCodes, organizationId: null };
  if (tenancy.kind === 'account') return ofTeams(ctx, environmentId, userId, ofEnvironment);
  if (!organizationId) return ofEnvironment;
  const membership = await ctx.db.membership.findFirst({
    where: { environmentId, organizationId, userId },
    select: {
      roles: { select: { roleId: true } },
      organization: {
        select: {
          ...{ isAdvanced: true, mfaPolicy: true, mfaFactors: true, hasRecoveryCodes: true },
          mfaExemptRoles: { select: { roleId: true } },
        },
      },
    },
  });
  if (!membership?.organization.isAdvanced) return ofEnvironment;
  const { roles, organization } = membership;
  const exempt = organization.mfaExemptRoles.map(({ roleId }) => roleId);
  if (roles.length > 0 && roles.every(({ roleId }) => exempt.includes(roleId))) return { ...ofEnvironment, policy: 'off' };
  const own = organization.mfaPolicy as MfaPolicy | null;
  if (!own || own === 'off') return ofEnvironment;
  return {
    policy: MFA_POLICIES[Math.max(MFA_POLICIES.indexOf(own), MFA_POLICIES.indexOf(mfaPolicy))]!,
    factors: organization.mfaFactors as MfaFactorKind[],
    hasRecoveryCodes: organization.hasRecoveryCodes,
    organizationId,
  };
}

/** The strongest first. */
export const BY_STRENGTH: readonly MfaFactorKind[] = ['authenticator_app', 'sms', 'email'];

/**
 * What team members are asked for who sign in to all their businesses at once: what satisfies each of those that
 * require it of them, and is of a kind that they have: anybody can invite them to a business, whose policy must not let
 * them in by less than before. Where no factor does, it is the strongest of all, so that no business weakens another. A
 * team is never asked for texts where there is nobody to send them: it could not get in any more to change that.
 */
async function ofTeams(ctx: Context, accountEnvironmentId: string, userId: string, ofEnvironment: MfaRequirement): Promise<MfaRequirement> {
  const members = await ctx.db.teamMember.findMany({
    where: { accountEnvironmentId, userId, business: { teamPolicy: { mfaPolicy: { not: 'off' } } } },
    select: { roles: true, business: { select: { teamPolicy: true } } },
  });
  const lists = members.flatMap(({ roles, business: { teamPolicy } }) => {
    if (!teamPolicy) return [];
    const { mfaPolicy, mfaRoles, mfaFactors } = teamPolicy;
    return mfaPolicy === 'everyone' || roles.some((role) => mfaRoles.includes(role)) ? [mfaFactors as MfaFactorKind[]] : [];
  });
  if (lists.length === 0) return ofEnvironment;
  const own = await kindsSetUp(ctx, accountEnvironmentId, userId);
  if (own.length > 0) lists.push(own);
  if (ofEnvironment.policy === 'required') lists.push([...ofEnvironment.factors]);
  const possible = await possibleFactors(ctx, accountEnvironmentId, BY_STRENGTH);
  const common = possible.filter((factor) => lists.every((list) => list.includes(factor)));
  const [strongest = 'authenticator_app'] = possible.filter((factor) => lists.some((list) => list.includes(factor)));
  return { ...ofEnvironment, policy: 'required', factors: common.length > 0 ? common : [strongest] };
}

/** The kinds of the factors that the person has for the environment's sign-ins. */
async function kindsSetUp(ctx: Context, environmentId: string, userId: string): Promise<MfaFactorKind[]> {
  const rows = await ctx.db.mfaFactor.findMany({
    where: { environmentId, userId, organizationId: null, secret: { not: null } },
    select: { type: true },
  });
  return rows.map(({ type }) => type as MfaFactorKind);
}

/** Of the factors, those that can be set up: no texts where there is nobody to send them. */
export async function possibleFactors(
  ctx: Context,
  environmentId: string,
  factors: readonly MfaFactorKind[],
): Promise<readonly MfaFactorKind[]> {
  return !factors.includes('sms') || (await canText(ctx, environmentId)) ? factors : factors.filter((factor) => factor !== 'sms');
}

/** Names whose sign-ins a requirement is about, as `User.mfaDeclined` and the proofs do. */
export function mfaPlace({ organizationId }: Pick<MfaRequirement, 'organizationId'>): string {
  return organizationId ?? 'environment';
}

export type ProvableFactor = MfaFactorKind | 'recovery_codes';

/** How a session remembers that a factor was proved. */
export function mfaProof(place: Pick<MfaRequirement, 'organizationId'>, factor: ProvableFactor): string {
  return `${mfaPlace(place)}/${factor}`;
}

/** Is the requirement met by these proofs? Only by factors that it allows now, whatever was allowed when they were proved. */
export function isMfaMet(requirement: MfaRequirement, proofs: readonly string[]): boolean {
  const factors: readonly ProvableFactor[] = requirement.hasRecoveryCodes
    ? [...requirement.factors, 'recovery_codes']
    : requirement.factors;
  return factors.some((factor) => proofs.includes(mfaProof(requirement, factor)));
}
