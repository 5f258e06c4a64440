/** A six-digit code as it is typed, whatever it is to prove. */
import { checkCode } from '../../features/sign-in-attempts/service.ts';
import { type Proof, type Suspect, tryProof } from '../../features/sign-in-failures/service.ts';
import { type Problem, problem, type StepRequest } from './step.ts';

/** The six digits, or undefined for something else. */
export function codeOf({ form }: Pick<StepRequest, 'form'>): string | undefined {
  return /^\d{6}$/.exec((form['p_confirmation_code'] ?? '').replace(/\s/g, ''))?.[0];
}

/** Takes one of the suspect's tries of the code that was sent, to the second factor `mfaAddress` if one is named; undefined for the right one. */
export async function tryCode(
  request: StepRequest,
  suspect: Suspect,
  proof: Proof,
  mfaAddress?: string,
): Promise<{ problem: Problem } | undefined> {
  const { ctx, place, attempt } = request;
  const code = codeOf(request);
  if (!code) return problem('problem.code_form', 'p_confirmation_code');
  const result = await tryProof(ctx, place.tenancy, suspect, proof, () => checkCode(ctx, attempt, code, mfaAddress));
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (result === 'wrong') return problem('problem.code_wrong', 'p_confirmation_code');
  if (result === 'expired') return problem('problem.code_expired', 'p_confirmation_code');
  return result === 'used_up' ? problem('problem.code_used_up', 'p_confirmation_code', 429) : undefined;
}
