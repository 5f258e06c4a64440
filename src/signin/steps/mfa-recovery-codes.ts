/** Recovery codes, shown until the person says that they are kept; only then are they good. */
import { keepRecoveryCodes } from '../../features/mfa-factors/recovery-codes.ts';
import { form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { pendingOf } from '../mfa.ts';
import { onwards, standing } from './mfa-standing.ts';
import type { StepDefinition, StepRequest, StepResult, Visit } from './step.ts';

export const mfaRecoveryCodesStep: StepDefinition = { show: showCodes, forms: { mfa_kept: keep } };

function showCodes(view: StepView, { ctx, attempt }: Visit): PageContent {
  const { say } = view;
  const { recoveryCodes = [] } = pendingOf(ctx, attempt);
  return {
    title: say('mfa_recovery_codes.title'),
    body: html`<h1>${say('mfa_recovery_codes.title')}</h1>
<p class="lead">${say('mfa_recovery_codes.lead')}</p>
<ul class="codes" dir="ltr">${recoveryCodes.map((code) => html`<li>${code}</li>`)}</ul>
${form(view, 'mfa_kept', submit(say('mfa_recovery_codes.kept')))}`,
  };
}

async function keep(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const { userId, requirement, due } = await standing(request);
  const { recoveryCodes } = pendingOf(ctx, attempt);
  if (due === 'nothing' && requirement.policy !== 'off' && recoveryCodes)
    await keepRecoveryCodes(ctx, place.tenancy, userId, requirement, recoveryCodes);
  return onwards(request);
}
