/** Proving a second factor that somebody has set up, or a recovery code in its place. */
import { type EnrolledFactor, factorSecret, noteUse, useAuthenticatorCode } from '../../features/mfa-factors/enrolment.ts';
import { hasRecoveryCodesLeft, useRecoveryCode } from '../../features/mfa-factors/recovery-codes.ts';
import { type MfaRequirement, mfaRequirement } from '../../features/mfa-factors/requirement.ts';
import { updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { tryProof } from '../../features/sign-in-failures/service.ts';
import type { TextKey } from '../../languages/texts.ts';
import { aside, banner, botCheck, codeField, field, form, type StepView, sentAgain, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { challengeWith, factorsToProve, pendingOf, sendMfaCode } from '../mfa.ts';
import { pageAfterSending, pageOf } from '../place.ts';
import { onwards, provedBy, type Standing, standing } from './mfa-standing.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';
import { codeOf, tryCode } from './typed-code.ts';

export const mfaChallengeStep: StepDefinition = {
  show: challenge,
  botChecked: 'mfa_send',
  forms: { mfa_code: submitCode, mfa_send: send, mfa_use_app: useApp, mfa_use_recovery: toRecovery },
};

export const mfaRecoveryStep: StepDefinition = {
  show: enterRecoveryCode,
  forms: { mfa_recovery: submitRecoveryCode, mfa_back: backToFactor },
};

const BY = { email: 'mfa_challenge.by_email', sms: 'mfa_challenge.by_sms' } as const satisfies Record<string, TextKey>;

async function challenge(view: StepView, { ctx, place, attempt }: Visit): Promise<PageContent> {
  const userId = attempt.userId!;
  const requirement = await mfaRequirement(ctx, place.tenancy, userId, attempt.organizationId);
  const enrolled = await factorsToProve(ctx, place, requirement, userId, attempt);
  const factor = enrolled.find(({ id }) => id === pendingOf(ctx, attempt).factorId);
  const places = recoveryPlaces(requirement, enrolled);
  const hasRecovery = await hasRecoveryCodesLeft(ctx, attempt.environmentId, userId, places);
  return challengePage(view, enrolled, { factor, isSent: attempt.codeHash !== null, hasRecovery });
}

/** Whose recovery codes stand for a factor of those that are asked for. Where they were once made they are good elsewhere, too. */
function recoveryPlaces(requirement: MfaRequirement, enrolled: readonly EnrolledFactor[]): (string | null)[] {
  const places = [...new Set(enrolled.map(({ organizationId }) => organizationId))];
  return places.filter((organizationId) => organizationId !== requirement.organizationId || requirement.hasRecoveryCodes);
}

/** What is asked for, and in which way. */
interface Asked<Factor> {
  readonly factor: Factor | undefined;
  /** Whether a code is on its way, of a factor that codes are sent to. */
  readonly isSent: boolean;
  readonly hasRecovery: boolean;
}

/** Asks for a factor, or whether a code is to be sent to it, and offers the others of those that are `enrolled`. */
export function challengePage<Factor extends ShownFactor>(view: StepView, enrolled: readonly Factor[], asked: Asked<Factor>): PageContent {
  const { say } = view;
  const { factor, isSent, hasRecovery } = asked;
  const isApp = factor?.type === 'authenticator_app';
  const hasOtherApp = !isApp && enrolled.some(({ type }) => type === 'authenticator_app');
  const waits = factor && isSentTo(factor) && !isSent ? factor : undefined;
  const sent = enrolled.filter(isSentTo).filter((one) => one !== waits);
  const others = sent.map((one) => sending(view, one, one === factor));
  const sendForm = (first: Html | '') => form(view, 'mfa_send', html`${botCheck(view)}${first}${others}`);
  const code = html`${banner(view)}${isApp ? '' : sentAgain(view)}${form(view, 'mfa_code', html`${codeField(view)}${submit(say('page.continue'))}`)}
${sent.length > 0 ? sendForm('') : ''}`;
  return {
    title: say('mfa_challenge.title'),
    body: html`<h1>${say('mfa_challenge.title')}</h1>
<p class="lead">${leadOf(view, factor, waits !== undefined)}</p>
${waits ? html`${banner(withoutField(view))}${sendForm(firstSending(view, waits))}` : code}
${hasOtherApp ? aside(view, 'mfa_use_app', { label: say('mfa_challenge.by_app') }) : ''}
${hasRecovery ? aside(view, 'mfa_use_recovery', { label: say('mfa_challenge.recovery') }) : ''}`,
  };
}

function leadOf(view: StepView, factor: ShownFactor | undefined, waits: boolean): string | Html {
  const address = factor?.label ?? '';
  if (factor?.type === 'authenticator_app') return view.say('mfa_challenge.app_lead');
  if (waits) return rich(view, 'mfa_challenge.unsent_lead', { address });
  return factor?.type === 'sms' ? rich(view, 'code.phone_lead', { phone: address }) : rich(view, 'code.lead', { email: address });
}

/** What is wrong with a field, of a page that does not have it any more. */
function withoutField({ problem, ...view }: StepView): StepView {
  return { ...view, ...(problem && { problem: { text: problem.text, ...(problem.values && { values: problem.values }) } }) };
}

type ShownFactor = Pick<EnrolledFactor, 'id' | 'type' | 'label'>;

function isSentTo<Factor extends ShownFactor>(factor: Factor): factor is Factor & { readonly type: keyof typeof BY } {
  return factor.type !== 'authenticator_app';
}

type SentTo = { readonly id: string; readonly type: keyof typeof BY };

/** Has the first code sent to the factor that is asked for. */
function firstSending({ say }: StepView, { id, type }: SentTo): Html {
  return html`<button class="primary" name="p_factor" value="${id}">${say(BY[type])}</button>`;
}

/** Has a code sent to the factor: another one to that which is asked for. */
function sending({ say }: StepView, { id, type }: SentTo, isAsked: boolean): Html {
  const before = isAsked ? `${say('code.nothing_there')} ` : '';
  const label = say(isAsked ? 'code.resend' : BY[type]);
  return html`<p class="aside">${before}<button class="link" name="p_factor" value="${id}">${label}</button></p>`;
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
  return wrong ?? provedBy(request, factor, factor.type);
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

/** A code to a factor of theirs: another one to that which is asked for, or the first to another, which is asked for from now on. */
async function send(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, form: typed } = request;
  const now = await standing(request);
  if (now.due !== 'prove') return onwards(request);
  const factor = now.enrolled.filter(isSentTo).find(({ id }) => id === typed['p_factor']);
  if (!factor) return { location: pageOf(place.tenancy, attempt) };
  if (factor !== askedFor(request, now)) {
    await challengeWith(ctx, place, attempt, factor);
    return { location: pageOf(place.tenancy, attempt) };
  }
  const isSent = await sendMfaCode(ctx, place, attempt, factorSecret(ctx, factor), { step: 'mfa_challenge' });
  if (!isSent) return problem('problem.code_sent', undefined, 429);
  return { location: attempt.codeHash ? pageAfterSending(place.tenancy, attempt) : pageOf(place.tenancy, attempt) };
}

async function useApp(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const { due, enrolled } = await standing(request);
  if (due !== 'prove') return onwards(request);
  const app = enrolled.find(({ type }) => type === 'authenticator_app');
  if (app) await challengeWith(ctx, place, attempt, app);
  return { location: pageOf(place.tenancy, attempt) };
}

/** From the recovery codes to the factor of before. The code that was sent to it stays good. */
async function backToFactor(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  if (!askedFor(request, await standing(request))) return onwards(request);
  await updateAttempt(ctx, attempt, { step: 'mfa_challenge' });
  return { location: pageOf(place.tenancy, attempt) };
}

async function toRecovery(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const { due, requirement, enrolled } = await standing(request);
  if (due !== 'prove') return onwards(request);
  if (recoveryPlaces(requirement, enrolled).length > 0) await updateAttempt(ctx, attempt, { step: 'mfa_recovery' });
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
${aside(view, 'mfa_back', { label: say('mfa_recovery.back') })}`,
  };
}

async function submitRecoveryCode(request: StepRequest): Promise<StepResult> {
  const { ctx, place, form: typed } = request;
  const { userId, requirement, enrolled, due } = await standing(request);
  const places = recoveryPlaces(requirement, enrolled);
  if (due !== 'prove' || places.length === 0) return onwards(request);
  const code = typed['p_recovery_code']?.trim();
  if (!code) return problem('problem.recovery_code_missing', 'p_recovery_code');
  let at: string | null | undefined;
  const result = await tryProof(ctx, place.tenancy, { userId }, 'recovery_code', async () => {
    at = await useRecoveryCode(ctx, place.tenancy, userId, places, code);
    return at === undefined ? 'wrong' : 'right';
  });
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (at === undefined) return problem('problem.recovery_code_wrong', 'p_recovery_code');
  return provedBy(request, { organizationId: at }, 'recovery_codes');
}
