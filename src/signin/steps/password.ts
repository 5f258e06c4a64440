/** Signing in with a password, and choosing one. */

import { inTransaction } from '../../features/context.ts';
import { checkPassword, type PasswordCheck, setPassword } from '../../features/credentials/service.ts';
import { endAccessByReset } from '../../features/sessions/service.ts';
import { holdAttempt } from '../../features/sign-in-attempts/service.ts';
import { findWayIn, isEmailVerified } from '../../features/users/service.ts';
import { inWholeSeconds } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { aside, back, banner, botCheck, field, form, passwordOwner, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent, rich } from '../../pages/layout.ts';
import { authenticated, newPassword } from '../flow.ts';
import { shownIdentifier } from '../identifiers.ts';
import { expired, pageOf, suspectOf } from '../place.ts';
import { assertWelcome } from '../tail.ts';
import { askForCode } from './code.ts';
import { switchFlow } from './identifier.ts';
import { problem, problemText, type StepDefinition, type StepRequest, type StepResult } from './step.ts';

export const passwordStep: StepDefinition = {
  show: enterPassword,
  botChecked: 'forgot',
  forms: { password: submitPassword, forgot: forgotPassword, switch: switchFlow },
};

export const newPasswordStep: StepDefinition = { show: choosePassword, forms: { new_password: submitNewPassword } };

function enterPassword(view: StepView): PageContent {
  const { say, attempt } = view;
  return {
    title: say('password.title'),
    body: html`<h1>${say('password.title')}</h1>
<p class="lead">${rich(view, 'password.lead', { identifier: shownIdentifier(attempt) })}</p>
${banner(view)}${form(
  view,
  'password',
  html`${passwordOwner(shownIdentifier(attempt))}${field(view, { name: 'p_password', type: 'password', label: say('page.password'), isFirst: true, attributes: html`autocomplete="current-password" maxlength="1024" required` })}${submit(say('password.submit'))}`,
)}
${aside(view, 'forgot', { label: say('password.forgot'), hidden: botCheck(view) })}
${back(view)}`,
  };
}

function choosePassword(view: StepView): PageContent {
  const { say, attempt } = view;
  return {
    title: say('new_password.title'),
    body: html`<h1>${say('new_password.title')}</h1>
<p class="lead">${rich(view, 'new_password.lead', { identifier: shownIdentifier(attempt) })}</p>
${banner(view)}${form(
  view,
  'new_password',
  html`${passwordOwner(shownIdentifier(attempt))}${field(view, { name: 'p_first_password', type: 'password', label: say('page.password'), isFirst: true, attributes: html`autocomplete="new-password" minlength="8" maxlength="1024" required` })}
${field(view, { name: 'p_second_password', type: 'password', label: say('new_password.again'), attributes: html`autocomplete="new-password" minlength="8" maxlength="1024" required` })}${submit(say('page.continue'))}`,
)}`,
  };
}

/** The password that was typed. An address that was never proved (an imported one) is proved once, by a code. */
async function submitPassword(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, form } = request;
  const password = form['p_password'] ?? '';
  if (!password) return problem('problem.password_missing', 'p_password');
  const check = () => checkPassword(ctx, place.tenancy, suspectOf(attempt), password);
  // Which kind of hash an account has, if any, would be told by how long a wrong password takes.
  const isHeld = (result: PasswordCheck) => result === 'wrong' && place.tenancy.policy.hasEnumerationProtection;
  const result = await inWholeSeconds(check, isHeld);
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (result === 'wrong' || !attempt.userId) return problem('problem.password_wrong', 'p_password');
  if (result === 'reset') return forgotPassword({ ctx, place, attempt });
  if (attempt.email && !(await isEmailVerified(ctx, attempt.environmentId, attempt.email)))
    return askForCode(ctx, place, attempt, { isReset: result === 'temporary', amr: ['pwd'] });
  if (result === 'temporary') return newPassword(ctx, place, attempt, attempt.userId, 'pwd');
  return authenticated(request, attempt.userId, 'pwd');
}

/** "Forgot your password?": a code proves the address, then a new password is chosen. Where the address does not lead into the account no code will do, which with enumeration protection only its mail says. */
async function forgotPassword({ ctx, place, attempt }: Pick<StepRequest, 'ctx' | 'place' | 'attempt'>): Promise<StepResult> {
  const { environmentId, email } = attempt;
  const isSayable = !place.tenancy.policy.hasEnumerationProtection;
  if (isSayable && !(email && (await findWayIn(ctx, environmentId, 'email', email))?.leadsIn))
    return problem('problem.no_address', undefined, 403);
  return askForCode(ctx, place, attempt, { isReset: true });
}

/** That the attempt is not any more where its page was shown. */
class Elsewhere extends Error {}

/** Chooses the password. One that replaces another ends all access that there was: it may be chosen because somebody got in. */
async function submitNewPassword(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, form } = request;
  const { userId } = attempt;
  if (!userId) throw expired();
  const first = form['p_first_password'] ?? '';
  // Both have to be typed again: they begin at the first.
  if (first !== (form['p_second_password'] ?? '')) return problem('problem.passwords_differ', 'p_first_password');
  try {
    await inTransaction(ctx, async (tx) => {
      await assertWelcome(tx, attempt, userId);
      const isReplaced = await setPassword(tx, place.tenancy, userId, first);
      // After the password, on which a rival waits: another one that was chosen meanwhile has ended this attempt.
      if (!(await holdAttempt(tx, attempt))) throw new Elsewhere();
      if (attempt.isReset || isReplaced) await endAccessByReset(tx, place.tenancy, userId, attempt.id);
    });
  } catch (error) {
    if (error instanceof Elsewhere) return { location: pageOf(place.tenancy, attempt) };
    const text = error instanceof InvalidInputError && problemText(error.code);
    if (text) return problem(text, 'p_first_password');
    throw error;
  }
  return authenticated(request, userId, 'pwd');
}
