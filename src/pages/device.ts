/** The pages on which a device is connected (RFC 8628 §3.3), before and after the sign-in. */
import { html, page } from './layout.ts';

export interface UserCodeView {
  readonly basePath: string;
  readonly csrf: string;
  /** What the field holds to begin with. */
  readonly userCode: string;
  readonly problem?: string | undefined;
}

/** Asks for the code that the device shows. */
export function userCodePage({ basePath, csrf, userCode, problem }: UserCodeView): string {
  return page({
    title: 'Connect a device',
    assetsPath: `${basePath}/assets`,
    body: html`<h1>Connect a device</h1>
<p class="lead">Type the code that your device shows.</p>
<form method="post" action="${basePath}/device" novalidate>
<input type="hidden" name="csrf" value="${csrf}">
<div class="field">
<label for="p_user_code">Code</label>
<input id="p_user_code" name="p_user_code" type="text" value="${userCode}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus class="code"${problem ? html` aria-invalid="true" aria-describedby="p_user_code_problem"` : ''}>
${problem ? html`<p class="problem" id="p_user_code_problem">${problem}</p>` : ''}
</div>
<button class="primary" type="submit">Continue</button>
</form>`,
  });
}

/** Says how it ended. */
export function deviceDecidedPage(basePath: string, isAllowed: boolean): string {
  const [title, message] = isAllowed
    ? ['Your device is connected', 'Go back to it. You can close this page.']
    : ['The device was refused', 'It gets nothing. You can close this page.'];
  return page({ title, assetsPath: `${basePath}/assets`, body: html`<h1>${title}</h1><p class="lead">${message}</p>` });
}
