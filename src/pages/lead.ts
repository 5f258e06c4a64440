/** The pages on which somebody without an account asks to be let in, or for news. */
import { banner, botCheck, type FormView, hiddenFields, nameField, postForm, submit } from './elements.ts';
import { type Html, html, page, type Scene } from './layout.ts';
import type { WayBack } from './messages.ts';

export type LeadTexts = 'request_access' | 'subscribe';

export interface LeadView extends FormView {
  readonly texts: LeadTexts;
  readonly path: string;
  /** Whose page it is, in its title. */
  readonly owner: string;
  readonly emailField: Html;
  readonly terms: Html | '';
  /** What the form says besides what is typed. */
  readonly hidden: Readonly<Record<string, string>>;
}

export function leadPage(view: LeadView): string {
  const { texts, path, owner, emailField, terms, hidden, say, typed } = view;
  const name = (key: 'first_name' | 'last_name') =>
    nameField(view, key, { label: say('page.optional', { label: say(`register.${key}`) }), value: typed[`p_${key}`] });
  const body = html`${hiddenFields(hidden)}
${emailField}
<div class="pair">
${name('first_name')}
${name('last_name')}
</div>
${terms}${botCheck(view)}${submit(say(`${texts}.submit`))}`;
  return page(view, {
    title: owner ? `${say(`${texts}.title`)} – ${owner}` : say(`${texts}.title`),
    isRefused: view.problem !== undefined,
    body: html`<h1>${say(`${texts}.title`)}</h1>
<p class="lead">${say(`${texts}.lead`)}</p>
${banner(view)}${postForm(view, path, body)}`,
  });
}

/** What is said at the end, to whoever it is. */
export function leadDonePage(scene: Scene, texts: LeadTexts, wayBack: WayBack | null): string {
  const { say } = scene;
  return page(scene, {
    title: say(`${texts}.done_title`),
    body: html`<h1>${say(`${texts}.done_title`)}</h1>
<p class="lead">${say(`${texts}.done_lead`)}</p>
${scene.homepageUri && wayBack ? html`<p class="aside"><a href="${scene.homepageUri}">${say('page.back_to_application', { application: wayBack.name })}</a></p>` : ''}`,
  });
}
