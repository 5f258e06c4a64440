/** A person's own account: one page of what there is of them, with what they can do about it. */

import type { OwnAccount, OwnSession } from '../features/own-account/service.ts';
import type { Language } from '../languages/languages.ts';
import { type FormView, hiddenFields, nameField, postForm, submit } from './elements.ts';
import { type Html, html, page } from './layout.ts';

export interface AccountView extends FormView {
  /** What the forms send along: which portal it is. */
  readonly hidden: Readonly<Record<string, string>>;
  readonly account: OwnAccount;
  readonly showsPasskeys: boolean;
  /** Whether a change of the profile was kept just now. */
  readonly isSaved: boolean;
  /** The application's page that the person came from. */
  readonly back: { readonly url: string; readonly application: string } | undefined;
}

export function accountPage(view: AccountView): string {
  const { say, account, isSaved, showsPasskeys, back } = view;
  const { identities, passkeys, factors } = account;
  return page(view, {
    title: say('account.title'),
    body: html`<h1>${say('account.title')}</h1>
${isSaved ? html`<p class="lead" role="status">${say('account.saved')}</p>` : ''}
${profile(view)}
${identities.length > 0 ? html`<h2>${say('account.identities')}</h2><ul class="rows">${identities.map(({ value }) => html`<li><span><bdi>${value}</bdi></span></li>`)}</ul>` : ''}
${sessions(view)}
${showsPasskeys && passkeys.length > 0 ? html`<h2>${say('account.passkeys')}</h2><ul class="rows">${passkeys.map(({ id, name }) => row(view, { form: 'remove_passkey', field: 'p_passkey', id, label: name, does: say('account.remove') }))}</ul>` : ''}
${factors.length > 0 ? html`<h2>${say('account.factors')}</h2><ul class="rows">${factors.map(({ type, label }) => html`<li>${say(`mfa.${type}`)}${label ? html` <bdi class="quiet">${label}</bdi>` : ''}</li>`)}</ul>` : ''}
${back ? html`<p class="aside"><a href="${back.url}">${say('page.back_to_application', { application: back.application })}</a></p>` : ''}`,
  });
}

function profile(view: AccountView): Html {
  const { say, account } = view;
  return html`<h2>${say('account.profile')}</h2>
${form(
  view,
  'profile',
  html`${nameField(view, 'first_name', { value: account.firstName })}
${nameField(view, 'last_name', { value: account.lastName })}
${submit(say('account.save'))}`,
)}`;
}

function sessions(view: AccountView): Html {
  const { say } = view;
  const { sessions: all } = view.account;
  return html`<h2>${say('account.sessions')}</h2>
<ul class="rows">${all.map((session) => sessionRow(view, session))}</ul>
${all.some(({ isCurrent }) => !isCurrent) ? form(view, 'end_others', html`<p class="aside"><button class="link">${say('account.end_others')}</button></p>`) : ''}`;
}

function sessionRow(view: AccountView, { id, device, ip, lastActiveAt, isCurrent }: OwnSession): Html {
  const { say, language } = view;
  const label = device ?? say('account.unknown_device');
  const time = timeFormat(language).format(lastActiveAt);
  const note = isCurrent ? say('account.this_browser') : say('account.last_active', { time: `${time} UTC` });
  const more = html`<span class="quiet">${note}${ip ? html` · <bdi>${ip}</bdi>` : ''}</span>`;
  if (isCurrent) return html`<li><span><bdi>${label}</bdi><br>${more}</span></li>`;
  return row(view, { form: 'end_session', field: 'p_session', id, label, more, does: say('account.end_session') });
}

const timeFormats = new Map<Language, Intl.DateTimeFormat>();

/** Made once for each language: that takes longer than all the page. */
function timeFormat(language: Language): Intl.DateTimeFormat {
  const known =
    timeFormats.get(language) ?? new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  timeFormats.set(language, known);
  return known;
}

interface Row {
  readonly form: string;
  readonly field: string;
  readonly id: string;
  readonly label: string;
  readonly more?: Html;
  /** What the button says. */
  readonly does: string;
}

function row(view: AccountView, { form: name, field, id, label, more, does }: Row): Html {
  const button = html`${hiddenFields({ [field]: id })}<button class="link" aria-label="${does}: ${label}">${does}</button>`;
  return html`<li><span><bdi>${label}</bdi>${more ? html`<br>${more}` : ''}</span>${form(view, name, button)}</li>`;
}

function form(view: AccountView, name: string, body: Html): Html {
  return postForm(view, `/portal/${name}`, html`${hiddenFields(view.hidden)}${body}`);
}
