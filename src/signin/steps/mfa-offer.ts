/** Whether somebody wants a second factor, and which of several. */
import { decline } from '../../features/mfa-factors/enrolment.ts';
import { mfaRequirement, possibleFactors } from '../../features/mfa-factors/requirement.ts';
import { updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { aside, banner, choices, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { arriveAtMfa, enrolmentOf, firstOfEnrolment } from '../mfa.ts';
import { pageOf } from '../place.ts';
import { onwards, standing } from './mfa-standing.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const mfaOfferStep: StepDefinition = { show: offer, forms: { mfa_accept: accept, mfa_decline: refuse } };
export const mfaChooseStep: StepDefinition = { show: chooseFactor, forms: { mfa_choose: submitFactor, mfa_decline: refuse } };

function offer(view: StepView): PageContent {
  const { say } = view;
  return {
    title: say('mfa_offer.title'),
    body: html`<h1>${say('mfa_offer.title')}</h1>
<p class="lead">${say('mfa_offer.lead')}</p>
${banner(view)}${form(view, 'mfa_accept', submit(say('mfa_offer.accept')))}
${aside(view, 'mfa_decline', { label: say('mfa_offer.decline') })}`,
  };
}

async function chooseFactor(view: StepView, { ctx, place, attempt }: Visit): Promise<PageContent> {
  const { say } = view;
  const requirement = await mfaRequirement(ctx, place.tenancy, attempt.userId!, attempt.organizationId);
  const factors = await possibleFactors(ctx, attempt.environmentId, requirement.factors);
  const options = factors.map((factor) => ({ value: factor, label: say(`mfa.${factor}`) }));
  return {
    title: say('mfa_choose.title'),
    body: html`<h1>${say('mfa_choose.title')}</h1>
<p class="lead">${say('mfa_choose.lead')}</p>
${banner(view)}${form(view, 'mfa_choose', choices('p_factor', options))}
${requirement.policy === 'optional' ? aside(view, 'mfa_decline', { label: say('mfa_offer.decline') }) : ''}`,
  };
}

async function accept(request: StepRequest): Promise<StepResult> {
  const { factors, due } = await standing(request);
  if (due !== 'enrol' || factors.length === 0) return onwards(request);
  return moveTo(request, firstOfEnrolment(factors));
}

async function submitFactor(request: StepRequest): Promise<StepResult> {
  const { factors, due } = await standing(request);
  if (due !== 'enrol') return onwards(request);
  const factor = factors.find((allowed) => allowed === request.form['p_factor']);
  return factor ? moveTo(request, enrolmentOf(factor)) : problem('problem.factor_missing');
}

/** "Use another way", from a page that sets one up. */
export async function chooseAnother(request: StepRequest): Promise<StepResult> {
  const { factors, due } = await standing(request);
  if (due !== 'enrol' || factors.length < 2) return onwards(request);
  return moveTo(request, 'mfa_choose');
}

async function moveTo({ ctx, place, attempt }: StepRequest, step: ReturnType<typeof enrolmentOf>): Promise<StepResult> {
  await updateAttempt(ctx, attempt, { step, mfaPending: null });
  await arriveAtMfa(ctx, place, { ...attempt, step, mfaPending: null });
  return { location: pageOf(place.tenancy, attempt) };
}

/** Only who does not have to have one may refuse it, whatever page asked. */
export async function refuse(request: StepRequest): Promise<StepResult> {
  const { userId, requirement, due } = await standing(request);
  if (due === 'enrol' && requirement.policy === 'optional') await decline(request.ctx, request.place.tenancy, userId, requirement);
  return onwards(request);
}
