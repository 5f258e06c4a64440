/** Pages that lead a signed-in person's browser back to the application: by a script of ours, or by the button. */
import { hiddenFields } from './elements.ts';
import { html, page, type Scene } from './layout.ts';

const SCRIPT = 'answer.js';

/** Posts an answer to the application (OAuth 2.0 Form Post Response Mode). */
export function formPostPage(scene: Scene, location: string, fields: Readonly<Record<string, string>>): string {
  const { say } = scene;
  return page(scene, {
    title: say('answer.title'),
    script: SCRIPT,
    body: html`<h1>${say('answer.heading')}</h1><p class="lead">${say('answer.lead')}</p>
<form method="post" action="${location}" id="answer">
${hiddenFields(fields)}
<button class="primary">${say('page.continue')}</button>
</form>`,
  });
}

/** Says that the person is signed in, as applications on a device ask for whose window stays open behind them. */
export function successPage(scene: Scene, location: string): string {
  const { say } = scene;
  return page(scene, {
    title: say('completed.title'),
    script: SCRIPT,
    body: html`<h1>${say('completed.title')}</h1><p class="lead">${say('answer.success_lead')}</p>
<p><a class="primary" href="${location}" id="answer">${say('answer.back')}</a></p>`,
  });
}
