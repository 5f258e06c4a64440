/** Setting up a second factor: an authenticator app, or an address that codes go to. */
import { authenticatorStep, authenticatorUri } from '../../features/mfa-factors/authenticator.ts';
import { enrol, masked, type NewFactor } from '../../features/mfa-factors/enrolment.ts';
import { mfaRequirement, possibleFactors } from '../../features/mfa-factors/requirement.ts';
import { dropCode, updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { tryProof } from '../../features/sign-in-failures/service.ts';
import { isPhone } from '../../features/text.ts';
import { aside, banner, botCheck, codeField, form, type StepView, sentAgain, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { pendingOf, sealPending, sendMfaCode } from '../mfa.ts';
import { pageAfterSending, pageOf } from '../place.ts';
import { emailField, readEmail } from './email-field.ts';
import { chooseAnother, refuse } from './mfa-offer.ts';
import { onwards, provedBy, type Standing, standing } from './mfa-standing.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';
import { codeOf, tryCode } from './typed-code.ts';

const EMAIL = 'p_mfa_email';

export const asides = { mfa_another: chooseAnother, mfa_decline: refuse };

export const mfaAppStep: StepDefinition = { show: scan, forms: { mfa_confirm: confirmApp, ...asides } };
export const mfaAddressStep: StepDefinition = {
  show: enterAddress,
  botChecked: 'mfa_address',
  forms: { mfa_address: submitAddress, ...asides },
};
export const mfaNewCodeStep: StepDefinition = {
  show: enterCode,
  botChecked: 'mfa_resend',
  forms: { mfa_confirm: confirmAddress, mfa_resend: resend, mfa_back: changeAddress },
};

/** The ways around a page: another factor where there is one, none where that is left to the person. */
export async function waysAround(view: StepView, { ctx, place, attempt }: Visit): Promise<Html> {
  const requirement = await mfaRequirement(ctx, place.tenancy, attempt.userId!, attempt.organizationId);
  const factors = await possibleFactors(ctx, attempt.environmentId, requirement.factors);
  return html`${factors.length > 1 ? aside(view, 'mfa_another', { label: view.say('mfa.another') }) : ''}
${requirement.policy === 'optional' ? aside(view, 'mfa_decline', { label: view.say('mfa_offer.decline') }) : ''}`;
}

async function scan(view: StepView, visit: Visit): Promise<PageContent> {
  const { say, applicationName } = view;
  const { ctx, place, attempt } = visit;
  const { key = '' } = pendingOf(ctx, attempt);
  const qrcode = (await import('qrcode')).default;
  const uri = authenticatorUri(key, { issuer: applicationName, account: attempt.email ?? new URL(place.tenancy.issuer).host });
  // Drawn: to make pixels of it takes five times as long, and so does trying all eight masks.
  const picture = Buffer.from(await qrcode.toString(uri, { type: 'svg', maskPattern: 0 })).toString('base64');
  return {
    title: say('mfa_app.title'),
    body: html`<h1>${say('mfa_app.title')}</h1>
<p class="lead">${say('mfa_app.lead')}</p>
<img class="qr" src="data:image/svg+xml;base64,${picture}" alt="${say('mfa_app.qr')}" width="200" height="200">
<p class="aside">${say('mfa_app.manual')}</p>
<p class="secret" dir="ltr">${key.match(/.{1,4}/g)?.join(' ')}</p>
${banner(view)}${form(view, 'mfa_confirm', html`${codeField(view)}${submit(say('page.continue'))}`)}
${await waysAround(view, visit)}`,
  };
}

async function confirmApp(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const now = await standing(request);
  const { key } = pendingOf(ctx, attempt);
  if (now.due !== 'enrol' || !key || !now.factors.includes('authenticator_app')) return onwards(request);
  const code = codeOf(request);
  if (!code) return problem('problem.code_form', 'p_confirmation_code');
  let lastStep: number | undefined;
  const result = await tryProof(ctx, place.tenancy, { userId: now.userId }, 'mfa', async () => {
    lastStep = authenticatorStep(key, code, ctx.clock.now());
    return lastStep === undefined ? 'wrong' : 'right';
  });
  if (result === 'locked') return problem('problem.locked', undefined, 429);
  if (lastStep === undefined) return problem('problem.app_code_wrong', 'p_confirmation_code');
  return setUp(request, now, { type: 'authenticator_app', secret: key, label: null, lastStep });
}

async function enterAddress(view: StepView, visit: Visit): Promise<PageContent> {
  const { say, attempt } = view;
  const email = emailField(view, { name: EMAIL, known: pendingOf(visit.ctx, visit.attempt).address ?? attempt.email });
  return {
    title: say('mfa_address.title'),
    body: html`<h1>${say('mfa_address.title')}</h1>
<p class="lead">${say('mfa_address.lead')}</p>
${banner(view)}${form(view, 'mfa_address', html`${email}${botCheck(view)}${submit(say('page.continue'))}`)}
${await waysAround(view, visit)}`,
  };
}

async function submitAddress(request: StepRequest): Promise<StepResult> {
  const { due, factors } = await standing(request);
  if (due !== 'enrol' || !factors.includes('email')) return onwards(request);
  const address = readEmail(request.form, EMAIL);
  return typeof address === 'string' ? sendTo(request, address) : address;
}

/** Leads to the page that asks for the code, which is on its way to the address or number. */
export async function sendTo({ ctx, place, attempt }: StepRequest, address: string): Promise<StepResult> {
  const change = { step: 'mfa_new_code', ...sealPending(ctx, { address }) } as const;
  if (!(await sendMfaCode(ctx, place, attempt, address, change))) return problem('problem.code_sent', undefined, 429);
  return { location: pageOf(place.tenancy, attempt) };
}

function enterCode(view: StepView, { ctx, attempt }: Visit): PageContent {
  const { say } = view;
  const { address = '' } = pendingOf(ctx, attempt);
  const isText = isPhone(address);
  return {
    title: say('code.title'),
    body: html`<h1>${say(isText ? 'code.phone_heading' : 'code.heading')}</h1>
<p class="lead">${isText ? rich(view, 'code.phone_lead', { phone: address }) : rich(view, 'code.lead', { email: address })}</p>
${banner(view)}${sentAgain(view)}${form(view, 'mfa_confirm', html`${codeField(view)}${submit(say('page.continue'))}`)}
${aside(view, 'mfa_resend', { before: say('code.nothing_there'), label: say('code.resend'), hidden: botCheck(view) })}
${aside(view, 'mfa_back', { label: say(isText ? 'mfa_phone.back' : 'code.back') })}`,
  };
}

async function confirmAddress(request: StepRequest): Promise<StepResult> {
  const { ctx, attempt } = request;
  const now = await standing(request);
  const { address } = pendingOf(ctx, attempt);
  const type = address && isPhone(address) ? 'sms' : 'email';
  if (now.due !== 'enrol' || !address || !now.factors.includes(type)) return onwards(request);
  const wrong = await tryCode(request, { userId: now.userId }, 'mfa', address);
  return wrong ?? setUp(request, now, { type, secret: address, label: masked(address) });
}

async function resend({ ctx, place, attempt }: StepRequest): Promise<StepResult> {
  const { address } = pendingOf(ctx, attempt);
  if (address && (await sendMfaCode(ctx, place, attempt, address, { step: 'mfa_new_code' })))
    return { location: pageAfterSending(place.tenancy, attempt) };
  return problem('problem.code_sent', undefined, 429);
}

async function changeAddress({ ctx, place, attempt }: StepRequest): Promise<StepResult> {
  const { address = '' } = pendingOf(ctx, attempt);
  await dropCode(ctx, attempt);
  await updateAttempt(ctx, attempt, { step: isPhone(address) ? 'mfa_phone' : 'mfa_address' });
  return { location: pageOf(place.tenancy, attempt) };
}

async function setUp(request: StepRequest, { userId, requirement, proofs }: Standing, factor: NewFactor): Promise<StepResult> {
  const isNew = await enrol(request.ctx, request.place.tenancy, userId, requirement, factor, proofs);
  return isNew ? provedBy(request, requirement, factor.type) : onwards(request);
}
