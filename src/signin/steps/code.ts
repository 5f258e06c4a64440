/** Proving an address or a phone by a 6-digit code that is sent there: the way to sign up, and to sign in without a password. */

import { actingAs, type Context, inTransaction } from '../../features/context.ts';
import { acceptInvitation } from '../../features/organization-invitations/acceptance.ts';
import { createOwnOrganization, joinAsNewUser } from '../../features/organizations/service.ts';
import { noteMarketingTags } from '../../features/property-values/marketing.ts';
import { type Attempt, type AttemptChange, type CodePurpose, sendCode, updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { forgetFailures } from '../../features/sign-in-failures/service.ts';
import { isInvited } from '../../features/team/service.ts';
import { addIdentity, checkIdentity, createUserRow, findUserIdBy, findWayIn, verifyIdentity } from '../../features/users/service.ts';
import { invitationGone } from '../../oidc/errors.ts';
import { aside, back, banner, botCheck, codeField, form, type StepView, sentAgain, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { signUpProblem } from '../admission.ts';
import { identified, type Outcome } from '../flow.ts';
import { type Identifier, shownIdentifier } from '../identifiers.ts';
import { expired, type Place, pageAfterSending, pageOf, shownName, suspectOf } from '../place.ts';
import { proceed } from '../tail.ts';
import { switchFlow } from './identifier.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult } from './step.ts';
import { tryCode } from './typed-code.ts';

export const codeStep: StepDefinition = {
  show: enterCode,
  botChecked: 'resend',
  forms: { code: submitCode, resend: resendCode, switch: switchFlow },
};

function enterCode(view: StepView): PageContent {
  const { say, attempt } = view;
  return {
    title: say('code.title'),
    body: html`<h1>${say(attempt.phone ? 'code.phone_heading' : 'code.heading')}</h1>
<p class="lead">${sentTo(view)}</p>
${banner(view)}${sentAgain(view)}${form(view, 'code', html`${codeField(view)}${submit(say('page.continue'))}`)}
${aside(view, 'resend', { before: say('code.nothing_there'), label: say('code.resend'), hidden: botCheck(view) })}
${back(view)}`,
  };
}

/** Where the code went. Of who typed a username the address is not shown: it was not they who said it. */
function sentTo(view: StepView): Html {
  const { phone, email, username, flow } = view.attempt;
  if (phone) return rich(view, 'code.phone_lead', { phone });
  const isOnFile = username !== null && flow === 'login' && shownIdentifier(view.attempt) === username;
  return isOnFile ? rich(view, 'code.on_file_lead', { username }) : rich(view, 'code.lead', { email: email ?? '' });
}

/** What a code that is sent now is for: the page is the same for all, and the message says it. */
async function purposeOf(ctx: Context, { tenancy }: Place, attempt: Attempt): Promise<CodePurpose> {
  const { email, flow, isReset } = attempt;
  if (!(await isForUser(ctx, attempt)))
    return flow === 'register' || (email && tenancy.kind === 'account' && (await isInvited(ctx, email))) ? 'sign_up' : 'no_account';
  if (isReset) return 'reset_password';
  return flow === 'register' ? 'have_account' : 'sign_in';
}

/** Is there a user that a code for the attempt's contact proves, by itself or with the password that was right before? */
async function isForUser(ctx: Context, attempt: Attempt): Promise<boolean> {
  const { environmentId, userId, authTime, amr } = attempt;
  const contact = contactOf(attempt);
  // Looked for whoever it is, so that the time tells nothing.
  const found = contact && (await findWayIn(ctx, environmentId, contact.type, contact.value));
  if (!userId) return false;
  // Who is signed in gives an address of their own, and of a username without one there is nothing to prove.
  if (authTime || !contact) return true;
  return found?.userId === userId && (found.leadsIn || amr.includes('pwd'));
}

/** Sends a code; false during the cool-down, in which the last code stays good. */
async function sendAnotherCode(ctx: Context, place: Place, attempt: Attempt, change: AttemptChange = {}): Promise<boolean> {
  const purpose = await purposeOf(ctx, place, { ...attempt, ...change });
  return sendCode(ctx, attempt, {
    applicationName: shownName(place),
    issuer: place.tenancy.issuer,
    lifetime: place.tenancy.policy.codeLifetime,
    purpose,
    change,
  });
}

/** Leads to the page that asks for a code, which is on its way: sent now, or a moment ago. */
export async function askForCode(ctx: Context, place: Place, attempt: Attempt, change: AttemptChange = {}): Promise<Outcome> {
  if (!(await sendAnotherCode(ctx, place, attempt, change))) await updateAttempt(ctx, attempt, { ...change, step: 'code' });
  return { location: pageOf(place.tenancy, attempt) };
}

/** The page's "send another code". */
async function resendCode({ ctx, place, attempt }: StepRequest): Promise<StepResult> {
  if (await sendAnotherCode(ctx, place, attempt)) return { location: pageAfterSending(place.tenancy, attempt) };
  return problem('problem.code_sent', undefined, 429);
}

/** The code that was typed. */
async function submitCode(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, sessionToken } = request;
  const { tenancy } = place;
  const suspect = suspectOf(attempt);
  const wrong = await tryCode(request, suspect, 'code');
  if (wrong) return wrong;

  const { userId } = attempt;
  const proved = contactOf(attempt);
  if (!proved) throw expired();
  if (userId && attempt.authTime) return provideEmail(ctx, place, attempt, userId, sessionToken);
  const method = proved.type === 'phone' ? 'sms' : 'otp';
  if (!userId) {
    const known = await findWayIn(ctx, tenancy.environmentId, proved.type, proved.value);
    if (known && !known.leadsIn) return problem(proved.type === 'phone' ? 'problem.phone_taken' : 'problem.email_taken', undefined, 409);
    const refusal = known ? undefined : await signUpProblem(ctx, tenancy, attempt, attempt.phone ? null : proved.value);
    if (refusal) return refusal;
    await forgetFailures(ctx, tenancy, suspect);
    const signedUp = await signUp(ctx, place, attempt, proved);
    return identified({ ...request, attempt: { ...attempt, organizationId: signedUp.organizationId } }, signedUp.userId, method);
  }
  // The account may have come to other contacts since the code was sent.
  if (!(await isForUser(ctx, attempt))) throw expired();
  await verifyIdentity(ctx, { environmentId: tenancy.environmentId, userId }, proved.type, proved.value);
  return identified(request, userId, method);
}

/** What a code is sent to; undefined where there is nothing. */
function contactOf({ phone, email }: Attempt): Identifier | undefined {
  if (phone) return { type: 'phone', value: phone };
  return email ? { type: 'email', value: email } : undefined;
}

/** Gives the signed-in person the address that they have proved. */
async function provideEmail(
  ctx: Context,
  place: Place,
  attempt: Attempt,
  userId: string,
  sessionToken: string | undefined,
): Promise<StepResult> {
  const { environmentId } = place.tenancy;
  const email = attempt.email ?? '';
  const isTheirs = await inTransaction(ctx, async (tx) => {
    const owner = await findUserIdBy(tx, environmentId, 'email', email);
    if (!owner) await addIdentity(tx, environmentId, userId, { ...checkIdentity('email', email, 'p_email'), isVerified: true });
    else if (owner === userId) await verifyIdentity(tx, { environmentId, userId }, 'email', email);
    return !owner || owner === userId;
  });
  if (isTheirs) return proceed(ctx, place, attempt, {}, sessionToken);
  await updateAttempt(ctx, attempt, { step: 'provide_email', email: null });
  return problem('problem.email_taken', undefined, 409);
}

/** A user, and the organization that this sign-in has to be for. */
interface SignedUp {
  readonly userId: string;
  readonly organizationId: string | null;
}

/** Makes the user of what was proved, in the organization that it was invited to, that it brings along, or that is open to it. */
async function signUp(ctx: Context, { tenancy }: Place, attempt: Attempt, proved: Identifier): Promise<SignedUp> {
  const { request } = attempt;
  const create = inTransaction(actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId: undefined }), async (tx) => {
    const user = await createUserRow(tx, tenancy, {
      [proved.type]: proved.value,
      isEmailVerified: true,
      username: attempt.username,
      firstName: attempt.firstName,
      lastName: attempt.lastName,
    });
    const userId = user.id;
    await noteMarketingTags(tx, tenancy, 'user', userId, request.marketingTags);
    if (request.invitationId) {
      if (!(await acceptInvitation(tx, tenancy, request.invitationId, userId))) throw invitationGone();
      return { userId, organizationId: request.organizationId };
    }
    if (!request.newOrganization || !tenancy.policy.allowOrganizationCreation) {
      await joinAsNewUser(tx, tenancy, userId, request.organizationId ?? undefined);
      return { userId, organizationId: null };
    }
    const { name } = request.newOrganization;
    if (name === null) return { userId, organizationId: null };
    const organizationId = await createOwnOrganization(tx, tenancy, { name, userId });
    await noteMarketingTags(tx, tenancy, 'organization', organizationId, request.marketingTags);
    await updateAttempt(tx, attempt, { organizationId });
    return { userId, organizationId };
  });
  return create.catch(async (error: unknown) => {
    // Signed up in another window since this one asked: it is proved in both, and it is one person.
    const { userId, leadsIn } = (await findWayIn(ctx, tenancy.environmentId, proved.type, proved.value)) ?? {};
    if (!userId) throw error;
    if (!leadsIn) throw expired();
    await verifyIdentity(ctx, { environmentId: tenancy.environmentId, userId }, proved.type, proved.value);
    return { userId, organizationId: null };
  });
}
