/** Whether a device may act as the person who typed its code. */
import { inTransaction } from '../../features/context.ts';
import { deviceToConfirm, refuseDevice } from '../../features/device-authorizations/service.ts';
import { completeAttempt } from '../../features/sign-in-attempts/service.ts';
import { deviceCodeGone } from '../../oidc/errors.ts';
import { banner, form, type StepView } from '../../pages/elements.ts';
import { html, type PageContent, rich } from '../../pages/layout.ts';
import { alreadyCompleted } from '../place.ts';
import { answered, knownIn } from '../tail.ts';
import { wants } from './consent.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const deviceStep: StepDefinition = { show: confirm, forms: { device: decide } };

async function confirm(view: StepView, { ctx, attempt }: Visit): Promise<PageContent> {
  const device = await deviceToConfirm(ctx, attempt);
  if (!device) throw deviceCodeGone();
  return decision(view, device);
}

export function decision(
  view: StepView,
  device: { readonly userCode: string; readonly scopes: readonly string[]; readonly apiScopes: readonly string[] },
): PageContent {
  const { say, applicationName } = view;
  return {
    title: say('device.title'),
    body: html`<h1>${say('device.title')}</h1>
<p class="lead">${rich(view, 'device.lead', { application: applicationName, code: device.userCode })}</p>
${wants(view, device.scopes, device.apiScopes)}
${banner(view)}${form(view, 'device', html`<button class="primary" name="p_decision" value="allow">${say('device.allow')}</button><p class="aside"><button class="link" name="p_decision" value="refuse">${say('device.refuse')}</button></p>`)}`,
  };
}

async function decide({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const { environmentId, request } = attempt;
  const decision = typed['p_decision'];
  if (decision === 'allow') return answered(ctx, place, attempt, 'device', sessionToken);
  if (decision !== 'refuse') return problem('problem.decision_missing');
  await knownIn(ctx, attempt, sessionToken);
  return inTransaction(ctx, async (tx) => {
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    if (!(await refuseDevice(tx, environmentId, request.userCode!))) throw deviceCodeGone();
    return { location: `${place.tenancy.issuer}/device/refused` };
  });
}
