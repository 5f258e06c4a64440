/** Setting up a phone number that codes are texted to, as a second factor. */
import { banner, botCheck, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { pendingOf } from '../mfa.ts';
import { asides, sendTo, waysAround } from './mfa-enrolment.ts';
import { onwards, standing } from './mfa-standing.ts';
import { phoneFields, readPhone } from './phone-fields.ts';
import type { StepDefinition, StepRequest, StepResult, Visit } from './step.ts';

export const mfaPhoneStep: StepDefinition = { show: enterNumber, botChecked: 'mfa_phone', forms: { mfa_phone: submitNumber, ...asides } };

async function enterNumber(view: StepView, visit: Visit): Promise<PageContent> {
  const { say } = view;
  const { ctx, attempt } = visit;
  const fields = await phoneFields(view, pendingOf(ctx, attempt).address, visit.place.tenancy.policy.defaultCountry);
  return {
    title: say('mfa_phone.title'),
    body: html`<h1>${say('mfa_phone.title')}</h1>
<p class="lead">${say('mfa_phone.lead')}</p>
${banner(view)}${form(view, 'mfa_phone', html`${fields}${botCheck(view)}${submit(say('page.continue'))}`)}
${await waysAround(view, visit)}`,
  };
}

async function submitNumber(request: StepRequest): Promise<StepResult> {
  const { due, factors } = await standing(request);
  if (due !== 'enrol' || !factors.includes('sms')) return onwards(request);
  const number = await readPhone(request.form);
  return typeof number === 'string' ? sendTo(request, number) : number;
}
