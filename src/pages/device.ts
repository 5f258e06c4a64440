/** The page on which a device's code is typed (RFC 8628 §3.3). */
import type { TextKey } from '../languages/texts.ts';
import { html, page, type Scene } from './layout.ts';

export interface UserCodeView {
  readonly csrf: string;
  /** What the field holds to begin with. */
  readonly userCode: string;
  readonly problem?: TextKey | undefined;
}

/** Asks for the code that the device shows. */
export function userCodePage(scene: Scene, { csrf, userCode, problem }: UserCodeView): string {
  const { say, basePath } = scene;
  return page(scene, {
    title: say('device.title'),
    isRefused: problem !== undefined,
    body: html`<h1>${say('device.title')}</h1>
<p class="lead">${say('device.type_code')}</p>
<form method="post" action="${basePath}/device" novalidate>
<input type="hidden" name="csrf" value="${csrf}">
<div class="field">
<label for="p_user_code">${say('page.code')}</label>
<input id="p_user_code" name="p_user_code" type="text" value="${userCode}" dir="ltr" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus class="code"${problem ? html` aria-invalid="true" aria-describedby="p_user_code_problem"` : ''}>
${problem ? html`<p class="problem" id="p_user_code_problem">${say(problem)}</p>` : ''}
</div>
<button class="primary" type="submit">${say('page.continue')}</button>
</form>`,
  });
}
