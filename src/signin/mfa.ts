/** Where a person stands with the second factor in one attempt, and what its pages are given when they come up. */
import type { Context } from '../features/context.ts';
import { newAuthenticatorKey } from '../features/mfa-factors/authenticator.ts';
import { type EnrolledFactor, enrolledFactors, factorSecret, factorsToProveFirst, hasDeclined } from '../features/mfa-factors/enrolment.ts';
import { hasRecoveryCodesLeft, newRecoveryCodes } from '../features/mfa-factors/recovery-codes.ts';
import {
  isMfaMet,
  type MfaRequirement,
  mfaProof,
  mfaRequirement,
  type ProvableFactor,
  possibleFactors,
} from '../features/mfa-factors/requirement.ts';
import { type Attempt, type AttemptChange, dropCode, type Step, sendCode, updateAttempt } from '../features/sign-in-attempts/service.ts';
import type { MfaFactorKind } from '../features/sign-in-policies/service.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import { PageError } from '../oidc/errors.ts';
import { type Place, shownName } from './place.ts';
import type { Known, Pending } from './tail.ts';

/** What an attempt keeps between two pages of the second factor: out of the browser's reach, and sealed. */
export interface MfaPending {
  /** The factor that is asked for, of those that the person has. */
  readonly factorId?: string;
  /** The key that is shown for an authenticator app, until a code confirms it. */
  readonly key?: string;
  /** The address, or the number (E.164), that is being set up. */
  readonly address?: string;
  readonly recoveryCodes?: readonly string[];
}

const PURPOSE = 'pending second factor';

export function pendingOf(ctx: Context, { mfaPending }: Pick<Attempt, 'mfaPending'>): MfaPending {
  return mfaPending ? (JSON.parse(ctx.vault.open(PURPOSE, mfaPending)) as MfaPending) : {};
}

export function sealPending(ctx: Context, pending: MfaPending): { mfaPending: string } {
  return { mfaPending: ctx.vault.seal(PURPOSE, JSON.stringify(pending)) };
}

/** The page of the second factor that is due, if any: for {@link Pending} what was proved in this attempt, for `known` in the session as well. */
export async function mfaDue(ctx: Context, place: Place, pending: Pending, known: Known): Promise<Step | undefined> {
  const { tenancy } = place;
  const { environmentId } = tenancy;
  const { userId } = known;
  const requirement = await mfaRequirement(ctx, tenancy, userId, pending.organizationId);
  if (requirement.policy === 'off') return undefined;
  if (isMfaDone(place, requirement, known)) {
    if (!requirement.hasRecoveryCodes || !isMfaMet(requirement, pending.mfaProofs ?? [])) return undefined;
    return (await hasRecoveryCodesLeft(ctx, environmentId, userId, [requirement.organizationId])) ? undefined : 'mfa_recovery_codes';
  }
  if ((await enrolledFactors(ctx, environmentId, userId, requirement)).length > 0) return 'mfa_challenge';
  const hasElsewhere = (await factorsToProveFirst(ctx, environmentId, userId, known.mfaProofs)).length > 0;
  if (hasElsewhere) return requirement.policy === 'required' ? 'mfa_challenge' : undefined;
  const factors = await possibleFactors(ctx, environmentId, requirement.factors);
  if (requirement.policy === 'required') {
    if (factors.length === 0) throw new PageError(403, 'no_second_factor');
    return firstOfEnrolment(factors);
  }
  if (factors.length === 0 || pending.isSilent) return undefined;
  return (await hasDeclined(ctx, environmentId, userId, requirement)) ? undefined : 'mfa_offer';
}

/** Is nothing more asked for: by a second factor that was proved, or by a passkey where the environment takes it for two? */
export function isMfaDone({ tenancy }: Place, requirement: MfaRequirement, { amr, mfaProofs }: Pick<Known, 'amr' | 'mfaProofs'>): boolean {
  const isTwoInOne = tenancy.isPasskeyMultiFactor && (amr.includes('hwk') || amr.includes('swk'));
  return requirement.policy === 'off' || isTwoInOne || isMfaMet(requirement, mfaProofs);
}

/** The factors of which one is asked for: those for these sign-ins, else what has to be proved before another is set up. */
export async function factorsToProve(
  ctx: Context,
  place: Place,
  requirement: MfaRequirement,
  userId: string,
  proved: Pick<Known, 'amr' | 'mfaProofs'>,
): Promise<EnrolledFactor[]> {
  const { environmentId } = place.tenancy;
  const own = isMfaDone(place, requirement, proved) ? [] : await enrolledFactors(ctx, environmentId, userId, requirement);
  return own.length > 0 ? own : factorsToProveFirst(ctx, environmentId, userId, proved.mfaProofs);
}

/** Where setting a factor up begins. */
export function firstOfEnrolment(factors: readonly MfaFactorKind[]): Step {
  return factors.length > 1 ? 'mfa_choose' : enrolmentOf(factors[0]!);
}

const ENROLMENTS = { authenticator_app: 'mfa_app', email: 'mfa_address', sms: 'mfa_phone' } as const;

export function enrolmentOf(factor: MfaFactorKind): Step {
  return ENROLMENTS[factor];
}

/** Gives a page of the second factor what it shows: a key, new recovery codes, or a code that is on its way. */
export async function arriveAtMfa(ctx: Context, place: Place, attempt: Attempt): Promise<void> {
  if (attempt.step === 'mfa_app') await updateAttempt(ctx, attempt, sealPending(ctx, { key: newAuthenticatorKey() }));
  if (attempt.step === 'mfa_recovery_codes') await updateAttempt(ctx, attempt, sealPending(ctx, { recoveryCodes: newRecoveryCodes() }));
  if (attempt.step !== 'mfa_challenge') return;
  const requirement = await mfaRequirement(ctx, place.tenancy, attempt.userId!, attempt.organizationId);
  const [factor] = await factorsToProve(ctx, place, requirement, attempt.userId!, attempt);
  // A session alone brings its browser here as often as it asks.
  if (factor) await challengeWith(ctx, place, attempt, factor, attempt.authTime === null);
}

/** Leads to the page that asks for a factor. Where no code can be sent to it now the page has none, and the person is told why who asks for one.
 * @param isUnasked whether nothing was done to have a code */
export async function challengeWith(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  factor: EnrolledFactor,
  isUnasked = false,
): Promise<void> {
  const change: AttemptChange = { step: 'mfa_challenge', ...sealPending(ctx, { factorId: factor.id }) };
  await updateAttempt(ctx, attempt, change);
  if (factor.type === 'authenticator_app') return;
  const next = { ...attempt, ...change };
  await sendMfaCode(ctx, place, next, factorSecret(ctx, factor), change, isUnasked).catch((error: unknown) => {
    if (!(error instanceof InvalidInputError)) throw error;
    return dropCode(ctx, next);
  });
}

/** Sends a code to a second factor; false during the cool-down, in which the last code stays good.
 * @throws InvalidInputError TOO_MANY_CODES; CODE_SENT for one that is unasked */
export async function sendMfaCode(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  address: string,
  change: AttemptChange,
  isUnasked = false,
): Promise<boolean> {
  return sendCode(ctx, attempt, {
    ...{ applicationName: shownName(place), issuer: place.tenancy.issuer, lifetime: place.tenancy.policy.codeLifetime },
    ...{ purpose: { mfa: address }, change, isUnasked },
  });
}

/** By the names of RFC 8176: what a proof of this factor adds, for the sign-ins that it belongs to. */
export function proved(attempt: Attempt, at: Pick<MfaRequirement, 'organizationId'>, factor: ProvableFactor) {
  return {
    amr: [...new Set([...attempt.amr, factor === 'sms' ? 'sms' : 'otp', 'mfa'])],
    mfaProofs: [...new Set([...attempt.mfaProofs, mfaProof(at, factor)])],
    mfaPending: null,
  };
}
