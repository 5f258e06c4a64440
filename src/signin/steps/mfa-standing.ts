/** What a form of the second factor may do: asked anew each time, as an operator or another window may have changed it. */
import { type EnrolledFactor, enrolledFactors } from '../../features/mfa-factors/enrolment.ts';
import { type MfaRequirement, mfaRequirement, type ProvableFactor, possibleFactors } from '../../features/mfa-factors/requirement.ts';
import type { MfaFactorKind } from '../../features/sign-in-policies/service.ts';
import type { Outcome } from '../flow.ts';
import { isMfaDone, proved } from '../mfa.ts';
import { knownIn, proceed } from '../tail.ts';
import type { StepRequest } from './step.ts';

export interface Standing {
  readonly userId: string;
  readonly requirement: MfaRequirement;
  readonly enrolled: readonly EnrolledFactor[];
  /** What can be set up. */
  readonly factors: readonly MfaFactorKind[];
  /** `enrol` only for who has nothing to prove; `nothing` for who has proved it, or does not have to. */
  readonly due: 'prove' | 'enrol' | 'nothing';
}

/** @throws PageError when the person is not signed in any more */
export async function standing({ ctx, place, attempt, sessionToken }: StepRequest): Promise<Standing> {
  const known = await knownIn(ctx, attempt, sessionToken);
  const { userId } = known;
  const requirement = await mfaRequirement(ctx, place.tenancy, userId, attempt.organizationId);
  const enrolled = await enrolledFactors(ctx, attempt.environmentId, userId, requirement);
  const due = isMfaDone(place, requirement, known) ? 'nothing' : enrolled.length > 0 ? 'prove' : 'enrol';
  return { userId, requirement, enrolled, factors: await possibleFactors(ctx, attempt.environmentId, requirement.factors), due };
}

/** Goes to what is due, where a form does not fit it any more. */
export function onwards({ ctx, place, attempt, sessionToken }: StepRequest): Promise<Outcome> {
  return proceed(ctx, place, attempt, { mfaPending: null }, sessionToken);
}

/** Goes on with a factor that was proved. */
export function provedBy({ ctx, place, attempt, sessionToken }: StepRequest, requirement: MfaRequirement, factor: ProvableFactor) {
  return proceed(ctx, place, attempt, proved(attempt, requirement, factor), sessionToken);
}
