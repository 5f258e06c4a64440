/** The first page: an address, and for sign-up a name. Decides which method comes next. */

import { passwordState } from '../../features/credentials/service.ts';
import { type Flow, updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { isInvited } from '../../features/team/service.ts';
import { isEmail } from '../../features/text.ts';
import { findUserIdByEmail, isSuspended } from '../../features/users/service.ts';
import { maySignUp, NOT_OPEN } from '../admission.ts';
import { pageOf } from '../flow.ts';
import { askForCode } from './email-code.ts';
import { problem, type StepRequest, type StepResult } from './strategy.ts';

export async function submitIdentifier({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const { tenancy, client } = place;
  if (client.emailSignIn === 'off') return problem('This application does not let people sign in with an email address.', undefined, 403);
  const email = (form['p_email'] ?? '').trim();
  if (!email) return problem('Type your email address.', 'p_email');
  if (!isEmail(email)) return problem('This is not an email address.', 'p_email');
  const { invitationId, loginHint } = attempt.request;
  if (invitationId && email.toLowerCase() !== loginHint?.toLowerCase())
    return problem('This invitation is for another email address.', 'p_email', 403);
  const names = { firstName: name(form['p_first_name']), lastName: name(form['p_last_name']) };

  const userId = await findUserIdByEmail(ctx, tenancy.environmentId, email);
  if (!userId) {
    if (attempt.flow === 'login' && !(tenancy.kind === 'account' && (await isInvited(ctx, email)))) {
      await updateAttempt(ctx, attempt, { step: 'not_found', email });
      return { location: pageOf(tenancy, attempt) };
    }
    if (!(await maySignUp(ctx, tenancy, attempt, email))) return NOT_OPEN;
    return askForCode(ctx, place, attempt, 'sign_up', { email, userId: null, ...names });
  }
  if (await isSuspended(ctx, tenancy.environmentId, userId))
    return problem('This account is suspended. Ask the people who run this application.', undefined, 403);
  if (
    attempt.flow === 'login' &&
    client.emailSignIn === 'password' &&
    (await passwordState(ctx, tenancy.environmentId, userId)) !== 'none'
  ) {
    await updateAttempt(ctx, attempt, { step: 'password', email, userId });
    return { location: pageOf(tenancy, attempt) };
  }
  // Who has an account signs in by proving the address: signing up twice makes nobody a stranger.
  return askForCode(ctx, place, attempt, 'sign_in', { email, userId });
}

/** To the other of the two first pages, and back to the first page from any other. */
export async function switchFlow({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const flow: Flow = form['flow'] === 'register' ? 'register' : 'login';
  await updateAttempt(ctx, attempt, { step: 'identify', flow, userId: null, organizationId: null, isReset: false });
  return { location: pageOf(place.tenancy, attempt) };
}

function name(text: string | undefined): string | null {
  return (
    text
      ?.replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 100) || null
  );
}
