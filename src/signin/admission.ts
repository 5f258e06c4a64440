/** Who may make an account by themselves. Asked when the address is typed, and again once it is proved. */
import type { Context } from '../features/context.ts';
import { admits } from '../features/environment-policies/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isInvitedBy } from '../features/organization-invitations/acceptance.ts';
import type { Attempt } from '../features/sign-in-attempts/service.ts';
import { isInvited } from '../features/team/service.ts';
import { isDisposable } from '../security/disposable-mail.ts';
import { problem } from './steps/step.ts';

/** What people are told who may not: the same whether signing up is closed to all, or to their address. */
const NOT_OPEN = problem('problem.sign_up_closed', undefined, 403);

const DISPOSABLE = problem('problem.disposable_email', 'p_email', 403);

/** Why an address may not sign up: nobody's account has to do with it. */
export async function signUpProblem(
  ctx: Context,
  tenancy: Tenancy,
  { request }: Attempt,
  email: string | null,
): Promise<typeof NOT_OPEN | undefined> {
  if (request.invitationId)
    return email !== null && (await isInvitedBy(ctx, tenancy.environmentId, request.invitationId, email)) ? undefined : NOT_OPEN;
  if (tenancy.kind === 'account' && email !== null && (await isInvited(ctx, email))) return undefined;
  const { policy } = tenancy;
  // Who has no address is of none of the domains that are let in.
  if (email === null) return policy.allowSelfSignUp && policy.allowedDomains.length === 0 ? undefined : NOT_OPEN;
  if (!admits(policy, email)) return NOT_OPEN;
  return policy.refuseDisposableMail && isDisposable(email) ? DISPOSABLE : undefined;
}
