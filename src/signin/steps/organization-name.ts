/** The name of the organization that a new user brings along. */
import { actingAs, inTransaction } from '../../features/context.ts';
import { createFirstOrganization } from '../../features/organizations/service.ts';
import { noteMarketingTags } from '../../features/property-values/marketing.ts';
import { banner, field, form, type StepView, submit } from '../../pages/elements.ts';
import { html, type PageContent } from '../../pages/layout.ts';
import { knownIn, proceed } from '../tail.ts';
import { name } from './identifier.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult } from './step.ts';

export const organizationNameStep: StepDefinition = { show: askName, forms: { organization_name: submitName } };

function askName(view: StepView): PageContent {
  const { say, typed } = view;
  const input = field(view, {
    name: 'p_organization_name',
    label: say('organization_name.label'),
    value: typed['p_organization_name'],
    attributes: html`autocomplete="organization" maxlength="100" required`,
    isFirst: true,
  });
  return {
    title: say('organization_name.title'),
    body: html`<h1>${say('organization_name.title')}</h1>
<p class="lead">${say('organization_name.lead')}</p>
${banner(view)}${form(view, 'organization_name', html`${input}${submit(say('page.continue'))}`)}`,
  };
}

async function submitName({ ctx, place, attempt, form: typed, sessionToken }: StepRequest): Promise<StepResult> {
  const { tenancy } = place;
  const called = name(typed['p_organization_name']);
  if (!called) return problem('problem.organization_name_missing', 'p_organization_name');
  const { userId } = await knownIn(ctx, attempt, sessionToken);
  const person = actingAs(ctx, { kind: 'user', environmentId: tenancy.environmentId, userId });
  const organizationId = await inTransaction(person, async (tx) => {
    const id = await createFirstOrganization(tx, tenancy, { name: called, userId });
    if (id) await noteMarketingTags(tx, tenancy, 'organization', id, attempt.request.marketingTags);
    return id;
  });
  return proceed(ctx, place, attempt, organizationId ? { organizationId } : {}, sessionToken);
}
