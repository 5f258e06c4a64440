/** Proving an address by a mailed 6-digit code: the way to sign up, and to sign in without a password. */

import { actingAs, type Context, inTransaction } from '../../features/context.ts';
import { signInPolicy } from '../../features/environment-policies/service.ts';
import { acceptInvitation } from '../../features/organization-invitations/acceptance.ts';
import { createOwnOrganization, joinAsNewUser } from '../../features/organizations/service.ts';
import { noteMarketingTags } from '../../features/property-values/marketing.ts';
import {
  type Attempt,
  type AttemptChange,
  type CodePurpose,
  checkCode,
  sendCode,
  updateAttempt,
} from '../../features/sign-in-attempts/service.ts';
import { forgetFailures, tryProof } from '../../features/sign-in-failures/service.ts';
import { isInvited } from '../../features/team/service.ts';
import { createUserRow, findUserIdByEmail, verifyEmail } from '../../features/users/service.ts';
import { fullName } from '../../oidc/claims.ts';
import { invitationGone } from '../../oidc/errors.ts';
import { aside, back, banner, codeField, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent, rich } from '../../pages/layout.ts';
import { maySignUp, NOT_OPEN } from '../admission.ts';
import { identified, type Outcome } from '../flow.ts';
import { expired, type Place, pageOf, shownName, suspectOf } from '../place.ts';
import { switchFlow } from './identifier.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult } from './step.ts';

export const codeStep: StepDefinition = { show: enterCode, forms: { code: submitCode, resend: resendCode, switch: switchFlow } };

function enterCode(view: StepView): PageContent {
  const { say, attempt } = view;
  return {
    title: say('code.title'),
    body: html`<h1>${say('code.heading')}</h1>
<p class="lead">${rich(view, 'code.lead', { email: attempt.email ?? '' })}</p>
${banner(view)}${form(view, 'code', html`${codeField(view)}${submit(say('page.continue'))}`)}
${aside(view, 'resend', { before: say('code.nothing_there'), label: say('code.resend') })}
${back(view, say('code.back'))}`,
  };
}

/** What a code that is mailed now is for: the page is the same for all, and the mail says it. */
async function purposeOf(
  ctx: Context,
  { tenancy }: Place,
  attempt: Pick<Attempt, 'userId' | 'email' | 'flow' | 'isReset'>,
): Promise<CodePurpose> {
  const { userId, email, flow, isReset } = attempt;
  if (!userId)
    return flow === 'register' || (email && tenancy.kind === 'account' && (await isInvited(ctx, email))) ? 'sign_up' : 'no_account';
  if (isReset) return 'reset_password';
  return flow === 'register' ? 'have_account' : 'sign_in';
}

/** Mails a code; false during the cool-down, in which the last code stays good. */
async function mailCode(ctx: Context, place: Place, attempt: Attempt, change: AttemptChange = {}): Promise<boolean> {
  const purpose = await purposeOf(ctx, place, { ...attempt, ...change });
  const { codeLifetime } = await signInPolicy(ctx, attempt.environmentId);
  return sendCode(ctx, attempt, {
    applicationName: shownName(place),
    issuer: place.tenancy.issuer,
    lifetime: codeLifetime,
    purpose,
    change,
  });
}

/** Leads to the page that asks for a code, which is in the mailbox: mailed now, or a moment ago. */
export async function askForCode(ctx: Context, place: Place, attempt: Attempt, change: AttemptChange = {}): Promise<Outcome> {
  if (!(await mailCode(ctx, place, attempt, change))) await updateAttempt(ctx, attempt, { ...change, step: 'code' });
  return { location: pageOf(place.tenancy, attempt) };
}

/** The page's "send another code". */
async function resendCode({ ctx, place, attempt }: StepRequest): Promise<StepResult> {
  if (await mailCode(ctx, place, attempt)) return { location: pageOf(place.tenancy, attempt) };
  return problem('problem.code_sent', undefined, 429);
}

/** The code that was typed. */
async function submitCode({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const { tenancy } = place;
  const code = (form['p_confirmation_code'] ?? '').replace(/\s/g, '');
  if (!/^\d{6}$/.test(code)) return problem('problem.code_form', 'p_confirmation_code');
  if (!attempt.email) throw expired();
  const suspect = suspectOf(attempt);
  const result = await tryProof(ctx, tenancy, suspect, 'code', () => checkCode(ctx, attempt, code));
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (result === 'wrong') return problem('problem.code_wrong', 'p_confirmation_code');
  if (result === 'expired') return problem('problem.code_expired', 'p_confirmation_code');
  if (result === 'used_up') return problem('problem.code_used_up', 'p_confirmation_code', 429);

  const { userId } = attempt;
  if (!userId) {
    const isKnown = await findUserIdByEmail(ctx, tenancy.environmentId, attempt.email);
    if (!isKnown && !(await maySignUp(ctx, tenancy, attempt, attempt.email))) return NOT_OPEN;
    await forgetFailures(ctx, tenancy, suspect);
    const signedUp = await signUp(ctx, place, attempt, attempt.email);
    return identified(ctx, place, { ...attempt, organizationId: signedUp.organizationId }, signedUp.userId, 'otp');
  }
  await verifyEmail(ctx, tenancy.environmentId, attempt.email);
  return identified(ctx, place, attempt, userId, 'otp');
}

/** A user, and the organization that this sign-in has to be for. */
interface SignedUp {
  readonly userId: string;
  readonly organizationId: string | null;
}

/** Makes the user of a proved address, in the organization that it was invited to, that it brings along, or that is open to it. */
async function signUp(ctx: Context, { tenancy }: Place, attempt: Attempt, email: string): Promise<SignedUp> {
  const { request } = attempt;
  const create = inTransaction(actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId: undefined }), async (tx) => {
    const user = await createUserRow(tx, tenancy, {
      email,
      isEmailVerified: true,
      firstName: attempt.firstName,
      lastName: attempt.lastName,
    });
    const userId = user.id;
    await noteMarketingTags(tx, tenancy, 'user', userId, request.marketingTags);
    if (request.invitationId) {
      if (!(await acceptInvitation(tx, tenancy, request.invitationId, userId))) throw invitationGone();
      return { userId, organizationId: request.organizationId };
    }
    if (!request.newOrganization || !(await signInPolicy(tx, tenancy.environmentId)).allowOrganizationCreation) {
      await joinAsNewUser(tx, tenancy, userId, request.organizationId ?? undefined);
      return { userId, organizationId: null };
    }
    const name = request.newOrganization.name ?? `${fullName(attempt) || email}’s organization`;
    const organizationId = await createOwnOrganization(tx, tenancy, { name, userId });
    await noteMarketingTags(tx, tenancy, 'organization', organizationId, request.marketingTags);
    await updateAttempt(tx, attempt, { organizationId });
    return { userId, organizationId };
  });
  return create.catch(async (error: unknown) => {
    // Signed up in another window since this one asked: the address is proved in both, and it is one person.
    const userId = await findUserIdByEmail(ctx, tenancy.environmentId, email);
    if (!userId) throw error;
    await verifyEmail(ctx, tenancy.environmentId, email);
    return { userId, organizationId: null };
  });
}
