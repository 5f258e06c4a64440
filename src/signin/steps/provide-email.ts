/** The address of who has signed in by a username alone: asked for once, and proved by a code. */
import { isEmail } from '../../features/text.ts';
import { banner, field, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { knownIn } from '../tail.ts';
import { askForCode } from './code.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult } from './step.ts';

export const provideEmailStep: StepDefinition = { show: provideEmail, forms: { provide_email: submitEmail } };

function provideEmail(view: StepView): PageContent {
  const { say, typed } = view;
  const attributes = html`inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" maxlength="254" required autofocus`;
  const email = field(view, {
    name: 'p_email',
    id: 'credentials_email',
    type: 'email',
    label: say('page.email'),
    value: typed['p_email'],
    attributes,
  });
  return {
    title: say('provide_email.title'),
    body: html`<h1>${say('provide_email.title')}</h1>
<p class="lead">${say('provide_email.lead')}</p>
${banner(view)}${form(view, 'provide_email', html`${email}${submit(say('page.continue'))}`)}`,
  };
}

async function submitEmail({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const email = (typed['p_email'] ?? '').trim();
  if (!email) return problem('problem.email_missing', 'p_email');
  if (!isEmail(email)) return problem('problem.email_invalid', 'p_email');
  const { userId, authTime } = await knownIn(ctx, attempt, sessionToken);
  // Whether another account has it is told to who proves that it is theirs, and to nobody else.
  return askForCode(ctx, place, attempt, { email, userId, authTime });
}
