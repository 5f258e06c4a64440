/** The address of who has signed in by a username alone: asked for once, and proved by a code. */
import { banner, botCheck, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { knownIn } from '../tail.ts';
import { askForCode } from './code.ts';
import { EMAIL, emailField, readEmail } from './email-field.ts';
import type { StepDefinition, StepRequest, StepResult } from './step.ts';

export const provideEmailStep: StepDefinition = { show: provideEmail, botChecked: 'provide_email', forms: { provide_email: submitEmail } };

function provideEmail(view: StepView): PageContent {
  const { say } = view;
  return {
    title: say('provide_email.title'),
    body: html`<h1>${say('provide_email.title')}</h1>
<p class="lead">${say('provide_email.lead')}</p>
${banner(view)}${form(view, 'provide_email', html`${emailField(view, EMAIL)}${botCheck(view)}${submit(say('page.continue'))}`)}`,
  };
}

async function submitEmail({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const email = readEmail(typed, EMAIL.name);
  if (typeof email !== 'string') return email;
  const { userId, authTime } = await knownIn(ctx, attempt, sessionToken);
  // Whether another account has it is told to who proves that it is theirs, and to nobody else.
  return askForCode(ctx, place, attempt, { email, userId, authTime });
}
