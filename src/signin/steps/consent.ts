/** Whether an application that the business has not looked at gets what it asks for. */
import { rememberConsent } from '../../features/consents/service.ts';
import { inTransaction } from '../../features/context.ts';
import { completeAttempt } from '../../features/sign-in-attempts/service.ts';
import type { TextKey } from '../../languages/texts.ts';
import { answer } from '../../oidc/answer.ts';
import { banner, form, type StepView } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { alreadyCompleted } from '../place.ts';
import { answered, knownIn } from '../tail.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const consentStep: StepDefinition = { show: ask, forms: { consent: decide } };

const PERSONAL: Readonly<Record<string, TextKey>> = {
  profile: 'wants.profile',
  email: 'wants.email',
  phone: 'wants.phone',
  offline: 'wants.offline',
};

/** What somebody gets who is allowed these scopes, and what else is named. */
export function wants({ say }: StepView, scopes: readonly string[], others: readonly string[], first: readonly string[] = []): Html | '' {
  const list = [...first, ...scopes.flatMap((scope) => (PERSONAL[scope] ? [say(PERSONAL[scope])] : [])), ...others];
  return list.length > 0 ? html`<p class="wants">${say('wants.list')}</p><ul>${list.map((one) => html`<li>${one}</li>`)}</ul>` : '';
}

function ask(view: StepView, { attempt }: Visit): PageContent {
  const { say, applicationName } = view;
  const { clientId, redirectUri, scopes, audiences } = attempt.request;
  const origin = clientId.includes('://') ? html` ${rich(view, 'consent.origin', { host: new URL(clientId).host })}` : html``;
  return {
    title: say('consent.title'),
    body: html`<h1>${say('consent.heading', { application: applicationName })}</h1>
<p class="lead">${rich(view, 'consent.lead', { application: applicationName, origin, warning: say('consent.warning'), place: placeOf(view, redirectUri) })}</p>
${wants(view, scopes, audiences, [say('wants.account')])}
${banner(view)}${form(view, 'consent', html`<button class="primary" name="p_decision" value="allow">${say('consent.allow')}</button><p class="aside">${say('consent.not_started')} <button class="link" name="p_decision" value="deny">${say('consent.deny')}</button></p>`)}`,
  };
}

/** Where a redirect URI leads, as a person can judge it. */
function placeOf({ say }: StepView, redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return host;
  return protocol === 'http:' && hostname ? say('consent.program') : say('consent.scheme', { scheme: `${protocol}//` });
}

async function decide({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const { environmentId, request } = attempt;
  const decision = typed['p_decision'];
  if (decision !== 'allow' && decision !== 'deny') return problem('problem.decision_missing');
  const { userId } = await knownIn(ctx, attempt, sessionToken);
  return inTransaction(ctx, async (tx) => {
    if (decision === 'allow') {
      await rememberConsent(tx, environmentId, userId, place.client, request);
      return answered(tx, place, attempt, 'consent', sessionToken);
    }
    if (!(await completeAttempt(tx, attempt))) throw alreadyCompleted();
    return { answer: answer(request, place.tenancy.issuer, { error: 'access_denied', error_description: 'The user has refused.' }) };
  });
}
