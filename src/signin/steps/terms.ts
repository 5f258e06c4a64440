/** The terms, for who is known and has not accepted them as they are now. */
import { inTransaction } from '../../features/context.ts';
import { completeAttempt } from '../../features/sign-in-attempts/service.ts';
import { noteAcceptance } from '../../features/terms/service.ts';
import { answer } from '../../oidc/answer.ts';
import { aside, banner, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { alreadyCompleted } from '../place.ts';
import { answered, knownIn } from '../tail.ts';
import { ACCEPTED, acceptance, accepts, versionField } from '../terms.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const termsStep: StepDefinition = { show: ask, forms: { accept, decline } };

function ask(view: StepView, { place }: Visit): PageContent {
  const { say, applicationName } = view;
  return {
    title: say('terms.title'),
    body: html`<h1>${say('terms.title')}</h1>
<p class="lead">${say('page.purpose', { application: applicationName })}</p>
${banner(view)}${form(view, 'accept', html`${versionField(place)}${acceptance(view, place)}${submit(say('page.continue'))}`)}
${aside(view, 'decline', { label: say('terms.decline') })}`,
  };
}

async function accept(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, sessionToken } = request;
  if (!accepts(request)) return problem('problem.terms_missing', ACCEPTED);
  const { userId } = await knownIn(ctx, attempt, sessionToken);
  return inTransaction(ctx, async (tx) => {
    await noteAcceptance(tx, place.tenancy, userId, place.tenancy.terms.version);
    return answered(tx, place, attempt, 'terms', sessionToken);
  });
}

async function decline({ ctx, place, attempt, sessionToken }: StepRequest): Promise<StepResult> {
  await knownIn(ctx, attempt, sessionToken);
  if (!(await completeAttempt(ctx, attempt))) throw alreadyCompleted();
  return {
    answer: answer(attempt.request, place.tenancy.issuer, {
      error: 'access_denied',
      error_description: 'The user does not accept the terms.',
    }),
  };
}
