/** Who may make an account by themselves. Asked when the address is typed, and again once it is proved. */
import type { Context } from '../features/context.ts';
import { admits, signInPolicy } from '../features/environment-policies/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { isInvitedBy } from '../features/organization-invitations/acceptance.ts';
import type { Attempt } from '../features/sign-in-attempts/service.ts';
import { isInvited } from '../features/team/service.ts';
import { problem } from './steps/step.ts';

/** What people are told who may not: the same whether signing up is closed to all, or to their address. */
export const NOT_OPEN = problem('problem.sign_up_closed', undefined, 403);

export async function maySignUp(ctx: Context, tenancy: Tenancy, { request }: Attempt, email: string | null): Promise<boolean> {
  if (request.invitationId) return email !== null && isInvitedBy(ctx, tenancy.environmentId, request.invitationId, email);
  const policy = await signInPolicy(ctx, tenancy.environmentId);
  // Who has no address is of none of the domains that are let in.
  if (email === null) return policy.allowSelfSignUp && policy.allowedDomains.length === 0;
  return admits(policy, email) || (tenancy.kind === 'account' && (await isInvited(ctx, email)));
}
