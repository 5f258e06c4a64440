/** Which of their organizations people sign in to. */
import { membershipIn, organizationsOfUser } from '../../features/organizations/service.ts';
import { banner, choices, form, type StepView } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { knownIn, proceed } from '../tail.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const organizationStep: StepDefinition = { show: chooseOne, forms: { organization: submitOrganization } };

async function chooseOne(view: StepView, { ctx, attempt }: Visit): Promise<PageContent> {
  return organizationChoice(view, await organizationsOfUser(ctx, attempt.environmentId, attempt.userId!));
}

export function organizationChoice(view: StepView, organizations: readonly { readonly id: string; readonly name: string }[]): PageContent {
  const { say } = view;
  const options = organizations.map(({ id, name }) => ({ value: id, label: name }));
  return {
    title: say('organization.title'),
    body: html`<h1>${say('organization.title')}</h1>
<p class="lead">${say('organization.lead')}</p>
${banner(view)}${form(view, 'organization', choices('p_organization', options))}`,
  };
}

async function submitOrganization({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const organizationId = typed['p_organization'];
  if (!organizationId) return problem('problem.organization_missing');
  const { userId } = await knownIn(ctx, attempt, sessionToken);
  // Suspended, left, or never theirs: they choose of what there is now.
  if ((await membershipIn(ctx, attempt.environmentId, userId, organizationId)) !== 'member') return problem('problem.organization_missing');
  return proceed(ctx, place, attempt, { organizationId }, sessionToken);
}
