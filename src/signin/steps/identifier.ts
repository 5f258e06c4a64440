/** The first page: an address, and for sign-up a name. Decides which method comes next. */

import { passwordState } from '../../features/credentials/service.ts';
import { signInPolicy } from '../../features/environment-policies/service.ts';
import { type AttemptChange, type Flow, updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { isInvited } from '../../features/team/service.ts';
import { isEmail } from '../../features/text.ts';
import { findUserIdByEmail, isSuspended } from '../../features/users/service.ts';
import { aside, back, banner, field, form, type StepView, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { maySignUp, NOT_OPEN } from '../admission.ts';
import { pageOf } from '../place.ts';
import { askForCode } from './email-code.ts';
import { invitedTo } from './invitation.ts';
import { passkeyButton, submitPasskey } from './passkey.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const identifyStep: StepDefinition = {
  show: async (view, visit) => {
    const organization = await invitedTo(visit);
    if (view.attempt.flow === 'register') return register(view, organization);
    const { body, script } = await passkeyButton(view, visit);
    return { ...login(view, organization, body), script };
  },
  forms: { identify: submitIdentifier, passkey: submitPasskey, switch: switchFlow },
};

export const notFoundStep: StepDefinition = { show: accountNotFound, forms: { switch: switchFlow } };

function login(view: StepView, organization: string | null, passkey: Html | ''): PageContent {
  const { say } = view;
  return {
    title: say('login.title'),
    body: html`<h1>${say('login.heading')}</h1>
${purpose(view, organization)}
${banner(view)}${form(view, 'identify', html`${email(view, organization)}${submit(say('page.continue'))}`)}
${passkey}
${aside(view, 'switch', { before: say('login.no_account'), label: say('login.create_account'), hidden: to('register') })}`,
  };
}

function register(view: StepView, organization: string | null): PageContent {
  const { say, typed, attempt } = view;
  return {
    title: say('register.title'),
    body: html`<h1>${say('register.heading')}</h1>
${purpose(view, organization)}
${banner(view)}${form(
  view,
  'identify',
  html`<div class="pair">
${field(view, { name: 'p_first_name', label: say('register.first_name'), value: typed['p_first_name'] ?? attempt.firstName, attributes: html`autocomplete="given-name" maxlength="100"` })}
${field(view, { name: 'p_last_name', label: say('register.last_name'), value: typed['p_last_name'] ?? attempt.lastName, attributes: html`autocomplete="family-name" maxlength="100"` })}
</div>${email(view, organization)}${submit(say('page.continue'))}`,
)}
${aside(view, 'switch', { before: say('register.have_account'), label: say('register.sign_in'), hidden: to('login') })}`,
  };
}

function accountNotFound(view: StepView): PageContent {
  const { say, attempt } = view;
  return {
    title: say('not_found.title'),
    body: html`<h1>${say('not_found.title')}</h1>
<p class="lead">${rich(view, 'not_found.lead', { identifier: attempt.email ?? '' })}</p>
${form(view, 'switch', html`${to('register')}${submit(say('not_found.create'))}`)}
${back(view, say('not_found.back'))}`,
  };
}

function to(flow: Flow): Html {
  return html`<input type="hidden" name="flow" value="${flow}">`;
}

/** What the person came for. */
function purpose({ say, applicationName }: StepView, organization: string | null): Html {
  return html`<p class="lead">${organization ? say('page.join', { organization }) : say('page.purpose', { application: applicationName })}</p>`;
}

function email(view: StepView, organization: string | null): Html {
  return field(view, {
    name: 'p_email',
    id: 'credentials_email',
    type: 'email',
    label: view.say('page.email'),
    value: organization ? view.attempt.email : (view.typed['p_email'] ?? view.attempt.email),
    attributes: html`inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" maxlength="254" required ${organization ? 'readonly' : 'autofocus'}`,
  });
}

async function submitIdentifier({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const { tenancy, client } = place;
  if (client.emailSignIn === 'off') return problem('problem.email_sign_in_off', undefined, 403);
  const email = (form['p_email'] ?? '').trim();
  if (!email) return problem('problem.email_missing', 'p_email');
  if (!isEmail(email)) return problem('problem.email_invalid', 'p_email');
  const { invitationId, loginHint } = attempt.request;
  if (invitationId && email.toLowerCase() !== loginHint?.toLowerCase()) return problem('problem.invitation_for_other', 'p_email', 403);
  const names = { firstName: name(form['p_first_name']), lastName: name(form['p_last_name']) };

  const userId = await findUserIdByEmail(ctx, tenancy.environmentId, email);
  const { hasEnumerationProtection } = await signInPolicy(ctx, tenancy.environmentId);
  if (hasEnumerationProtection) return goOnBlindly({ ctx, place, attempt }, { email, userId: userId ?? null, ...names });
  if (!userId) {
    if (attempt.flow === 'login' && !(tenancy.kind === 'account' && (await isInvited(ctx, email)))) {
      await updateAttempt(ctx, attempt, { step: 'not_found', email });
      return { location: pageOf(tenancy, attempt) };
    }
    if (!(await maySignUp(ctx, tenancy, attempt, email))) return NOT_OPEN;
    return askForCode(ctx, place, attempt, { email, userId: null, ...names });
  }
  if (await isSuspended(ctx, tenancy.environmentId, userId)) return problem('problem.suspended', undefined, 403);
  if (
    attempt.flow === 'login' &&
    client.emailSignIn === 'password' &&
    (await passwordState(ctx, tenancy.environmentId, userId)) !== 'none'
  ) {
    await updateAttempt(ctx, attempt, { step: 'password', email, userId });
    return { location: pageOf(tenancy, attempt) };
  }
  // Who has an account signs in by proving the address: signing up twice makes nobody a stranger.
  return askForCode(ctx, place, attempt, { email, userId });
}

/** With enumeration protection the next page follows from what was asked for alone, and not from whether there is an
 * account: what became of that is for who reads the mailbox, or knows the password. */
async function goOnBlindly({ ctx, place, attempt }: Visit, change: AttemptChange & { readonly email: string }): Promise<StepResult> {
  const { tenancy, client } = place;
  if (attempt.flow === 'register' && !(await maySignUp(ctx, tenancy, attempt, change.email))) return NOT_OPEN;
  if (attempt.flow === 'register' || client.emailSignIn !== 'password') return askForCode(ctx, place, attempt, change);
  await updateAttempt(ctx, attempt, { ...change, step: 'password' });
  return { location: pageOf(tenancy, attempt) };
}

/** To the other of the two first pages, and back to the first page from any other. */
export async function switchFlow({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const flow: Flow = form['flow'] === 'register' ? 'register' : 'login';
  await updateAttempt(ctx, attempt, {
    step: 'identify',
    flow,
    userId: null,
    organizationId: null,
    isReset: false,
    authTime: null,
    amr: [],
    mfaProofs: [],
    mfaPending: null,
    answered: [],
  });
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
