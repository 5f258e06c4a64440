/** What a form of the second factor may do: asked anew each time, as an operator or another window may have changed it. */
import type { EnrolledFactor } from '../../features/mfa-factors/enrolment.ts';
import { type MfaRequirement, mfaRequirement, type ProvableFactor, possibleFactors } from '../../features/mfa-factors/requirement.ts';
import type { Step } from '../../features/sign-in-attempts/service.ts';
import type { MfaFactorKind } from '../../features/sign-in-policies/service.ts';
import type { Outcome } from '../flow.ts';
import { factorsToProve, isMfaDone, proved } from '../mfa.ts';
import { knownIn, proceed } from '../tail.ts';
import type { StepRequest } from './step.ts';

export interface Standing {
  readonly userId: string;
  readonly requirement: MfaRequirement;
  /** What was proved in the attempt and the session. */
  readonly proofs: readonly string[];
  /** What is to be proved, one of them: the person's factors for these sign-ins, or others of theirs before one can be set up. */
  readonly enrolled: readonly EnrolledFactor[];
  /** What can be set up. */
  readonly factors: readonly MfaFactorKind[];
  /** `enrol` only for who has nothing to prove; `nothing` for who has proved it, or does not have to. */
  readonly due: 'prove' | 'enrol' | 'nothing';
}

/** Where somebody may have to prove a factor though these sign-ins ask for none, as a passkey is to be made that is one. */
const BEFORE_A_PASSKEY: readonly Step[] = ['mfa_challenge', 'mfa_recovery'];

/** @throws PageError when the person is not signed in any more */
export async function standing({ ctx, place, attempt, sessionToken }: StepRequest): Promise<Standing> {
  const known = await knownIn(ctx, attempt, sessionToken);
  const { userId } = known;
  const requirement = await mfaRequirement(ctx, place.tenancy, userId, attempt.organizationId);
  const isDone = isMfaDone(place, requirement, known);
  const enrolled = isDone && !BEFORE_A_PASSKEY.includes(attempt.step) ? [] : await factorsToProve(ctx, place, requirement, userId, known);
  const due = enrolled.length > 0 ? 'prove' : isDone ? 'nothing' : 'enrol';
  return {
    userId,
    requirement,
    proofs: known.mfaProofs,
    enrolled,
    factors: await possibleFactors(ctx, attempt.environmentId, requirement.factors),
    due,
  };
}

/** Goes to what is due, where a form does not fit it any more. */
export function onwards({ ctx, place, attempt, sessionToken }: StepRequest): Promise<Outcome> {
  return proceed(ctx, place, attempt, { mfaPending: null }, sessionToken);
}

/** Goes on with a factor that was proved. */
export function provedBy(
  { ctx, place, attempt, sessionToken }: StepRequest,
  at: Pick<MfaRequirement, 'organizationId'>,
  factor: ProvableFactor,
) {
  return proceed(ctx, place, attempt, proved(attempt, at, factor), sessionToken);
}
