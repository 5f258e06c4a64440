/** Pages that only say something: errors, and the end of a session. */
import { html, page } from './layout.ts';

export interface ErrorView {
  readonly title: string;
  readonly message: string;
  /** The number that support can look up. */
  readonly number?: number | undefined;
  /** Names this one occurrence in the log. */
  readonly reference?: string | undefined;
  readonly basePath: string;
}

export function errorPage({ title, message, number, reference, basePath }: ErrorView): string {
  return page({
    title,
    assetsPath: `${basePath}/assets`,
    body: html`<h1>${title}</h1>
<p class="lead">${message}</p>
${reference ? html`<p class="reference">${number ? `Error ${number} · ` : ''}Reference ${reference}</p>` : ''}`,
  });
}

export function signedOutPage(basePath: string): string {
  return page({
    title: 'Signed out',
    assetsPath: `${basePath}/assets`,
    body: html`<h1>You are signed out</h1><p class="lead">You can close this page.</p>`,
  });
}

/** Asks whether the person means to sign out, of whom an application sent without saying who. */
export function confirmLogoutPage(view: {
  readonly basePath: string;
  readonly csrf: string;
  readonly parameters: Readonly<Record<string, string>>;
}): string {
  const { basePath, csrf, parameters } = view;
  return page({
    title: 'Sign out?',
    assetsPath: `${basePath}/assets`,
    body: html`<h1>Sign out?</h1><p class="lead">An application asks to sign you out here. If you did not ask it to, close this page.</p>
<form method="post" action="${basePath}/logout/confirm">
<input type="hidden" name="csrf" value="${csrf}">
${Object.entries(parameters).map(([name, text]) => html`<input type="hidden" name="${name}" value="${text}">`)}
<button class="primary">Sign out</button>
</form>`,
  });
}
