/** Whether somebody who is signed in already takes an invitation up: nobody joins by following a link alone. */
import { organizationName } from '../../features/organizations/service.ts';
import { invitationGone } from '../../oidc/errors.ts';
import { banner, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent, rich } from '../../pages/layout.ts';
import { proceed } from '../tail.ts';
import type { StepDefinition, Visit } from './step.ts';

export const invitationStep: StepDefinition = {
  show: confirm,
  forms: { invitation: ({ ctx, place, attempt, sessionToken }) => proceed(ctx, place, attempt, {}, sessionToken) },
};

/** The organization that the person was invited to, if any.
 * @throws PageError when it is not there any more */
export async function invitedTo({ ctx, attempt: { environmentId, request } }: Visit): Promise<string | null> {
  if (!request.invitationId) return null;
  const name = await organizationName(ctx, environmentId, request.organizationId!);
  if (name === undefined) throw invitationGone();
  return name;
}

async function confirm(view: StepView, visit: Visit): Promise<PageContent> {
  return acceptance(view, (await invitedTo(visit)) ?? '');
}

export function acceptance(view: StepView, organization: string): PageContent {
  const { say, attempt } = view;
  return {
    title: say('invitation.title'),
    body: html`<h1>${say('invitation.heading', { organization })}</h1>
<p class="lead">${rich(view, 'invitation.lead', { email: attempt.email ?? '' })}</p>
${banner(view)}${form(view, 'invitation', submit(say('invitation.accept')))}`,
  };
}
