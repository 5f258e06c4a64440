/** Pages that only say something: errors, and the end of a session. */
import { hiddenFields } from './elements.ts';
import { html, page, raw, rich, type Scene } from './layout.ts';

export interface ErrorView {
  readonly title: string;
  readonly message: string;
  /** For who develops the application: in English, whatever the page is in. */
  readonly detail?: string | undefined;
  /** The number that support can look up. */
  readonly number?: number | undefined;
  /** Names this one occurrence in the log. */
  readonly reference?: string | undefined;
  /** Where the person came from, and can go back to. */
  readonly wayBack?: WayBack | undefined;
}

/** The places of an application that a person can start again from. */
export interface WayBack {
  readonly name: string;
  readonly loginUri: string | null;
  readonly homepageUri: string | null;
  /** Whether nobody of the business has looked at it. */
  readonly isDynamic: boolean;
}

export function errorPage(scene: Scene, { title, message, detail, number, reference, wayBack }: ErrorView): string {
  const { say } = scene;
  return page(scene, {
    title,
    body: html`<h1>${title}</h1>
<p class="lead">${message}</p>
${wayBack?.loginUri ? html`<p><a class="primary" href="${wayBack.loginUri}">${say('page.sign_in_again')}</a></p>` : ''}
${wayBack?.homepageUri ? html`<p${wayBack.loginUri ? raw(' class="aside"') : ''}><a${wayBack.loginUri ? '' : raw(' class="primary"')} href="${wayBack.homepageUri}">${say('page.back_to_application', { application: wayBack.name })}</a></p>` : ''}
${detail ? html`<p class="reference" lang="en" dir="ltr">${detail}</p>` : ''}
${reference ? html`<p class="reference">${number ? html`${say('page.error_number', { number })}<br>` : ''}${rich(scene, 'page.reference', { reference: html`<bdi>${reference}</bdi>` })}</p>` : ''}`,
  });
}

/** A page that says one thing. */
export function messagePage(
  scene: Scene,
  { title, heading = title, message }: { title: string; heading?: string; message: string },
): string {
  return page(scene, { title, body: html`<h1>${heading}</h1><p class="lead">${message}</p>` });
}

/** Asks whether the person means to sign out, of whom an application sent without saying who. */
export function confirmLogoutPage(
  scene: Scene,
  { csrf, parameters }: { readonly csrf: string; readonly parameters: Readonly<Record<string, string>> },
): string {
  const { say, basePath } = scene;
  return page(scene, {
    title: say('logout.confirm_title'),
    body: html`<h1>${say('logout.confirm_title')}</h1><p class="lead">${say('logout.confirm_lead')}</p>
<form method="post" action="${basePath}/logout/confirm">
<input type="hidden" name="csrf" value="${csrf}">
${hiddenFields(parameters)}
<button class="primary">${say('logout.confirm')}</button>
</form>`,
  });
}
