/** Proving a second factor that somebody has set up, or a recovery code in its place. */
import { type EnrolledFactor, enrolledFactors, factorSecret, noteUse, useAuthenticatorCode } from '../../features/mfa-factors/enrolment.ts';
import { hasRecoveryCodesLeft, useRecoveryCode } from '../../features/mfa-factors/recovery-codes.ts';
import { mfaRequirement } from '../../features/mfa-factors/requirement.ts';
import { updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { tryProof } from '../../features/sign-in-failures/service.ts';
import type { TextKey } from '../../languages/texts.ts';
import { aside, banner, codeField, field, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent, rich } from '../../pages/layout.ts';
import { challengeWith, pendingOf, sendMfaCode } from '../mfa.ts';
import { pageOf } from '../place.ts';
import { onwards, provedBy, type Standing, standing } from './mfa-standing.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';
import { codeOf, tryCode } from './typed-code.ts';

export const mfaChallengeStep: StepDefinition = {
  show: challenge,
  forms: { mfa_code: submitCode, mfa_resend: resend, mfa_other: useOther, mfa_use_recovery: toRecovery },
};

export const mfaRecoveryStep: StepDefinition = {
  show: enterRecoveryCode,
  forms: { mfa_recovery: submitRecoveryCode, mfa_other: useOther },
};

const BY = {
  authenticator_app: 'mfa_challenge.by_app',
  email: 'mfa_challenge.by_email',
  sms: 'mfa_challenge.by_sms',
} as const satisfies Record<string, TextKey>;

async function challenge(view: StepView, { ctx, place, attempt }: Visit): Promise<PageContent> {
  const { say } = view;
  const { environmentId } = attempt;
  const userId = attempt.userId!;
  const requirement = await mfaRequirement(ctx, place.tenancy, userId, attempt.organizationId);
  const enrolled = await enrolledFactors(ctx, environmentId, userId, requirement);
  const factor = enrolled.find(({ id }) => id === pendingOf(ctx, attempt).factorId);
  const others = enrolled.filter((other) => other !== factor);
  const isApp = factor?.type === 'authenticator_app';
  const label = factor?.label ?? '';
  const lead = isApp
    ? say('mfa_challenge.app_lead')
    : factor?.type === 'sms'
      ? rich(view, 'code.phone_lead', { phone: label })
      : rich(view, 'code.lead', { email: label });
  const hasRecovery = requirement.hasRecoveryCodes && (await hasRecoveryCodesLeft(ctx, environmentId, userId, requirement));
  return {
    title: say('mfa_challenge.title'),
    body: html`<h1>${say('mfa_challenge.title')}</h1>
<p class="lead">${lead}</p>
${banner(view)}${form(view, 'mfa_code', html`${codeField(view)}${submit(say('page.continue'))}`)}
${isApp ? '' : aside(view, 'mfa_resend', { before: say('code.nothing_there'), label: say('code.resend') })}
${others.map(({ id, type }) => aside(view, 'mfa_other', { label: say(BY[type]), hidden: html`<input type="hidden" name="p_factor" value="${id}">` }))}
${hasRecovery ? aside(view, 'mfa_use_recovery', { label: say('mfa_challenge.recovery') }) : ''}`,
  };
}

/** The factor that is asked for, while it is still one to prove. */
function askedFor({ ctx, attempt }: StepRequest, { due, enrolled }: Standing): EnrolledFactor | undefined {
  const { factorId } = pendingOf(ctx, attempt);
  return due === 'prove' ? enrolled.find(({ id }) => id === factorId) : undefined;
}

async function submitCode(request: StepRequest): Promise<StepResult> {
  const now = await standing(request);
  const factor = askedFor(request, now);
  if (!factor) return onwards(request);
  const wrong = factor.type === 'authenticator_app' ? await checkApp(request, now, factor) : await checkSent(request, now, factor);
  return wrong ?? provedBy(request, now.requirement, factor.type);
}

async function checkApp(request: StepRequest, { userId }: Standing, factor: EnrolledFactor): Promise<StepResult | undefined> {
  const { ctx, place } = request;
  const code = codeOf(request);
  if (!code) return problem('problem.code_form', 'p_confirmation_code');
  const result = await tryProof(ctx, place.tenancy, { userId }, 'mfa', () => useAuthenticatorCode(ctx, factor, code));
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (result === 'wrong') return problem('problem.app_code_wrong', 'p_confirmation_code');
  return result === 'used' ? problem('problem.app_code_used', 'p_confirmation_code') : undefined;
}

async function checkSent(request: StepRequest, { userId }: Standing, factor: EnrolledFactor): Promise<StepResult | undefined> {
  const wrong = await tryCode(request, { userId }, 'mfa', factorSecret(request.ctx, factor));
  if (wrong) return wrong;
  return (await noteUse(request.ctx, factor)) ? undefined : onwards(request);
}

async function resend(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const factor = askedFor(request, await standing(request));
  if (!factor) return onwards(request);
  const isSent =
    factor.type !== 'authenticator_app' && (await sendMfaCode(ctx, place, attempt, factorSecret(ctx, factor), { step: 'mfa_challenge' }));
  return isSent ? { location: pageOf(place.tenancy, attempt) } : problem('problem.code_sent', undefined, 429);
}

/** To another factor of theirs; from the recovery codes, back to the one of before. */
async function useOther(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, form: typed } = request;
  const { due, enrolled } = await standing(request);
  const factor = enrolled.find(({ id }) => id === (typed['p_factor'] ?? pendingOf(ctx, attempt).factorId));
  if (due !== 'prove' || !factor) return onwards(request);
  await challengeWith(ctx, place, attempt, factor);
  return { location: pageOf(place.tenancy, attempt) };
}

async function toRecovery(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const { due, requirement } = await standing(request);
  if (due !== 'prove' || !requirement.hasRecoveryCodes) return onwards(request);
  await updateAttempt(ctx, attempt, { step: 'mfa_recovery' });
  return { location: pageOf(place.tenancy, attempt) };
}

function enterRecoveryCode(view: StepView): PageContent {
  const { say } = view;
  const code = field(view, {
    name: 'p_recovery_code',
    label: say('mfa_recovery.code'),
    isFirst: true,
    attributes: html`dir="ltr" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required`,
  });
  return {
    title: say('mfa_recovery.title'),
    body: html`<h1>${say('mfa_recovery.title')}</h1>
<p class="lead">${say('mfa_recovery.lead')}</p>
${banner(view)}${form(view, 'mfa_recovery', html`${code}${submit(say('page.continue'))}`)}
${aside(view, 'mfa_other', { label: say('mfa_recovery.back') })}`,
  };
}

async function submitRecoveryCode(request: StepRequest): Promise<StepResult> {
  const { ctx, place, form: typed } = request;
  const { userId, requirement, due } = await standing(request);
  if (due !== 'prove' || !requirement.hasRecoveryCodes) return onwards(request);
  const code = typed['p_recovery_code']?.trim();
  if (!code) return problem('problem.recovery_code_missing', 'p_recovery_code');
  const result = await tryProof(ctx, place.tenancy, { userId }, 'recovery_code', () =>
    useRecoveryCode(ctx, place.tenancy, userId, requirement, code),
  );
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  return result === 'right' ? provedBy(request, requirement, 'recovery_codes') : problem('problem.recovery_code_wrong', 'p_recovery_code');
}
