/** Pages that lead a signed-in person's browser back to the application: by a script of ours, or by the button. */
import { html, page } from './layout.ts';

const SCRIPT = 'answer.js';

/** Posts an answer to the application (OAuth 2.0 Form Post Response Mode). */
export function formPostPage(basePath: string, location: string, fields: Readonly<Record<string, string>>): string {
  return page({
    title: 'Back to the application',
    assetsPath: `${basePath}/assets`,
    script: SCRIPT,
    body: html`<h1>One moment</h1><p class="lead">You go back to the application.</p>
<form method="post" action="${location}" id="answer">
${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="primary">Continue</button>
</form>`,
  });
}

/** Says that the person is signed in, as applications on a device ask for whose window stays open behind them. */
export function successPage(basePath: string, location: string): string {
  return page({
    title: 'You are signed in',
    assetsPath: `${basePath}/assets`,
    script: SCRIPT,
    body: html`<h1>You are signed in</h1><p class="lead">You can go back to the application, and close this page.</p>
<p><a class="primary" href="${location}" id="answer">Back to the application</a></p>`,
  });
}
