/** A person's own account: one page of what there is of them, with what they can do about it. */
import type { OwnAccount, OwnSession } from '../features/own-account/service.ts';
import { type Html, html, page, type Scene } from './layout.ts';

export interface AccountView {
  readonly csrf: string;
  /** What the forms send along: which portal it is. */
  readonly hidden: Readonly<Record<string, string>>;
  readonly account: OwnAccount;
  readonly showsPasskeys: boolean;
  /** Whether a change of the profile was kept just now. */
  readonly isSaved: boolean;
  /** The application's page that the person came from. */
  readonly back: { readonly url: string; readonly application: string } | undefined;
}

export function accountPage(scene: Scene, view: AccountView): string {
  const { say } = scene;
  const { account, isSaved, showsPasskeys, back } = view;
  const { identities, passkeys, factors } = account;
  return page(scene, {
    title: say('account.title'),
    body: html`<h1>${say('account.title')}</h1>
${isSaved ? html`<p class="lead" role="status">${say('account.saved')}</p>` : ''}
${profile(scene, view)}
${identities.length > 0 ? html`<h2>${say('account.identities')}</h2><ul class="rows">${identities.map(({ value }) => html`<li><bdi>${value}</bdi></li>`)}</ul>` : ''}
${sessions(scene, view)}
${showsPasskeys && passkeys.length > 0 ? html`<h2>${say('account.passkeys')}</h2><ul class="rows">${passkeys.map(({ id, name }) => row(scene, view, { form: 'remove_passkey', field: 'p_passkey', id, label: name, does: say('account.remove') }))}</ul>` : ''}
${factors.length > 0 ? html`<h2>${say('account.factors')}</h2><ul class="rows">${factors.map(({ type, label }) => html`<li>${say(`mfa.${type}`)}${label ? html` <bdi class="quiet">${label}</bdi>` : ''}</li>`)}</ul>` : ''}
${back ? html`<p class="aside"><a href="${back.url}">${say('page.back_to_application', { application: back.application })}</a></p>` : ''}`,
  });
}

function profile(scene: Scene, view: AccountView): Html {
  const { say } = scene;
  const { firstName, lastName } = view.account;
  return html`<h2>${say('account.profile')}</h2>
${form(
  scene,
  view,
  'profile',
  html`<div class="field"><label for="p_first_name">${say('register.first_name')}</label>
<input id="p_first_name" name="p_first_name" type="text" value="${firstName ?? ''}" autocomplete="given-name" maxlength="100"></div>
<div class="field"><label for="p_last_name">${say('register.last_name')}</label>
<input id="p_last_name" name="p_last_name" type="text" value="${lastName ?? ''}" autocomplete="family-name" maxlength="100"></div>
<button class="primary" type="submit">${say('account.save')}</button>`,
)}`;
}

function sessions(scene: Scene, view: AccountView): Html {
  const { say } = scene;
  const { sessions: all } = view.account;
  return html`<h2>${say('account.sessions')}</h2>
<ul class="rows">${all.map((session) => sessionRow(scene, view, session))}</ul>
${all.some(({ isCurrent }) => !isCurrent) ? form(scene, view, 'end_others', html`<p class="aside"><button class="link">${say('account.end_others')}</button></p>`) : ''}`;
}

function sessionRow(scene: Scene, view: AccountView, { id, device, ip, lastActiveAt, isCurrent }: OwnSession): Html {
  const { say, language } = scene;
  const label = device ?? say('account.unknown_device');
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(lastActiveAt);
  const note = isCurrent ? say('account.this_browser') : say('account.last_active', { time: `${time} UTC` });
  const more = html`<span class="quiet">${note}${ip ? html` · <bdi>${ip}</bdi>` : ''}</span>`;
  if (isCurrent) return html`<li><span><bdi>${label}</bdi><br>${more}</span></li>`;
  return row(scene, view, { form: 'end_session', field: 'p_session', id, label, more, does: say('account.end_session') });
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

function row(scene: Scene, view: AccountView, { form: name, field, id, label, more, does }: Row): Html {
  const button = html`<input type="hidden" name="${field}" value="${id}"><button class="link" aria-label="${does}: ${label}">${does}</button>`;
  return html`<li><span><bdi>${label}</bdi>${more ? html`<br>${more}` : ''}</span>${form(scene, view, name, button)}</li>`;
}

function form({ basePath }: Scene, { csrf, hidden }: AccountView, name: string, body: Html): Html {
  return html`<form method="post" action="${basePath}/portal/${name}">
${Object.entries({ ...hidden, csrf }).map(([field, value]) => html`<input type="hidden" name="${field}" value="${value}">`)}
${body}
</form>`;
}
