/** The pages of a sign-in attempt, one view a step. Field names are stable: people's own browser tests rely on them. */
import type { DeviceToConfirm } from '../features/device-authorizations/service.ts';
import type { Attempt, Step } from '../features/sign-in-attempts/service.ts';
import type { Problem } from '../signin/strategies/strategy.ts';
import { type Html, html, page } from './layout.ts';

export interface SignInView {
  readonly attempt: Pick<Attempt, 'id' | 'step' | 'flow' | 'email' | 'firstName' | 'lastName' | 'isReset' | 'userId' | 'request'>;
  /** The name of the organization that the person was invited to; the address is then the invitation's. */
  readonly invitedTo: string | null;
  /** The device that the person signed in for. */
  readonly device: DeviceToConfirm | null;
  readonly applicationName: string;
  readonly organizations: readonly { id: string; name: string }[];
  /** The issuer's path on its host, without a slash at the end. */
  readonly basePath: string;
  readonly csrf: string;
  readonly problem?: Problem;
  /** What the person typed, but for secrets. */
  readonly typed: Readonly<Record<string, string | undefined>>;
}

/** The page of the attempt's step. */
export function signInPage(view: SignInView): string {
  const { title, body } = VIEWS[view.attempt.step](view);
  return page({ title: `${title} – ${view.applicationName}`, assetsPath: `${view.basePath}/assets`, body });
}

type View = (view: SignInView) => { title: string; body: Html };

const VIEWS: Record<Step, View> = {
  identify: (view) => (view.attempt.flow === 'register' ? register(view) : login(view)),
  not_found: accountNotFound,
  code: enterCode,
  password: enterPassword,
  new_password: newPassword,
  organization: chooseOrganization,
  invitation: confirmInvitation,
  device: confirmDevice,
  consent: giveConsent,
  completed: () => ({ title: 'Signed in', body: html`<h1>You are signed in</h1><p>Go back to the application.</p>` }),
};

function login(view: SignInView) {
  return {
    title: 'Sign in',
    body: html`<h1>Sign in</h1>
${purpose(view)}
${form(view, 'identify', html`${email(view)}${submit('Continue')}`)}
${form(view, 'switch', html`<input type="hidden" name="flow" value="register"><p class="aside">No account yet? <button class="link">Create one</button></p>`)}`,
  };
}

function register(view: SignInView) {
  return {
    title: 'Create your account',
    body: html`<h1>Create your account</h1>
${purpose(view)}
${form(
  view,
  'identify',
  html`<div class="pair">
${field(view, { name: 'p_first_name', label: 'First name', value: view.typed['p_first_name'] ?? view.attempt.firstName, attributes: html`autocomplete="given-name" maxlength="100"` })}
${field(view, { name: 'p_last_name', label: 'Last name', value: view.typed['p_last_name'] ?? view.attempt.lastName, attributes: html`autocomplete="family-name" maxlength="100"` })}
</div>${email(view)}${submit('Continue')}`,
)}
${form(view, 'switch', html`<input type="hidden" name="flow" value="login"><p class="aside">Have an account already? <button class="link">Sign in</button></p>`)}`,
  };
}

function accountNotFound(view: SignInView) {
  return {
    title: 'Account not found',
    body: html`<h1>Account not found</h1>
<p class="lead">There is no account for <strong>${view.attempt.email}</strong>.</p>
${form(view, 'switch', html`<input type="hidden" name="flow" value="register">${submit('Create an account')}`)}
${back(view, 'Try another address')}`,
  };
}

function enterCode(view: SignInView) {
  return {
    title: 'Enter your code',
    body: html`<h1>Check your mail</h1>
<p class="lead">We sent a code to <strong>${view.attempt.email}</strong>.</p>
${form(
  view,
  'code',
  html`${field(view, { name: 'p_confirmation_code', label: 'Code', attributes: html`inputmode="numeric" autocomplete="one-time-code" maxlength="7" required autofocus class="code"` })}${submit('Continue')}`,
)}
${form(view, 'resend', html`<p class="aside">Nothing there? <button class="link">Send another code</button></p>`)}
${back(view, 'Use another address')}`,
  };
}

function enterPassword(view: SignInView) {
  return {
    title: 'Enter your password',
    body: html`<h1>Enter your password</h1>
<p class="lead">for <strong>${view.attempt.email}</strong></p>
${form(
  view,
  'password',
  html`<input type="hidden" autocomplete="username" name="p_email" value="${view.attempt.email ?? ''}">${field(view, { name: 'p_password', type: 'password', label: 'Password', attributes: html`autocomplete="current-password" maxlength="1024" required autofocus` })}${submit('Sign in')}`,
)}
${form(view, 'forgot', html`<p class="aside"><button class="link">Forgot your password?</button></p>`)}
${back(view, 'Use another address')}`,
  };
}

function newPassword(view: SignInView) {
  return {
    title: 'Choose a password',
    body: html`<h1>Choose a password</h1>
<p class="lead">for <strong>${view.attempt.email}</strong>. At least 8 characters; a few words together are good.</p>
${form(
  view,
  'new_password',
  html`${field(view, { name: 'p_first_password', type: 'password', label: 'Password', attributes: html`autocomplete="new-password" minlength="8" maxlength="1024" required autofocus` })}
${field(view, { name: 'p_second_password', type: 'password', label: 'The same again', attributes: html`autocomplete="new-password" minlength="8" maxlength="1024" required` })}${submit('Continue')}`,
)}`,
  };
}

function chooseOrganization(view: SignInView) {
  return {
    title: 'Choose an organization',
    body: html`<h1>Choose an organization</h1>
<p class="lead">You are a member of several. Which one is this for?</p>
${form(
  view,
  'organization',
  html`<div class="choices">${view.organizations.map(({ id, name }) => html`<button class="choice" name="p_organization" value="${id}">${name}</button>`)}</div>`,
)}`,
  };
}

function confirmInvitation(view: SignInView) {
  return {
    title: 'Accept your invitation',
    body: html`<h1>Join ${view.invitedTo}</h1>
<p class="lead">You are invited as <strong>${view.attempt.email}</strong>.</p>
${form(view, 'invitation', submit('Accept the invitation'))}`,
  };
}

const PERSONAL: Readonly<Record<string, string>> = {
  profile: 'Your name and picture',
  email: 'Your email address',
  phone: 'Your phone number',
  offline: 'Stay signed in while you are away',
};

function confirmDevice(view: SignInView) {
  const { userCode, scopes, apiScopes } = view.device!;
  const wants = [...scopes.flatMap((scope) => PERSONAL[scope] ?? []), ...apiScopes];
  return {
    title: 'Connect a device',
    body: html`<h1>Connect a device</h1>
<p class="lead">A device asks to use <strong>${view.applicationName}</strong> as you. It shows the code <strong>${userCode}</strong>. If you do not have it in front of you, refuse.</p>
${wants.length > 0 ? html`<p>It gets:</p><ul>${wants.map((one) => html`<li>${one}</li>`)}</ul>` : ''}
${form(view, 'device', html`<button class="primary" name="p_decision" value="allow">Allow</button><p class="aside"><button class="link" name="p_decision" value="refuse">Refuse</button></p>`)}`,
  };
}

function giveConsent(view: SignInView) {
  const { clientId, redirectUri, scopes, audiences } = view.attempt.request;
  const from = clientId.includes('://') ? html` It comes from <strong>${new URL(clientId).host}</strong>.` : '';
  const wants = ['Which account you have here', ...scopes.flatMap((scope) => PERSONAL[scope] ?? []), ...audiences];
  return {
    title: 'Allow an application',
    body: html`<h1>Allow ${view.applicationName}?</h1>
<p class="lead">An application that calls itself <strong>${view.applicationName}</strong> asks for your account.${from} <strong>It is not verified:</strong> nobody here has looked at it. Your answer goes to <strong>${placeOf(redirectUri)}</strong>.</p>
<p>It gets:</p><ul>${wants.map((one) => html`<li>${one}</li>`)}</ul>
${form(view, 'consent', html`<button class="primary" name="p_decision" value="allow">Allow</button><p class="aside">You did not start this? <button class="link" name="p_decision" value="deny">Do not allow</button></p>`)}`,
  };
}

/** Where a redirect URI leads, as a person can judge it. */
function placeOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return host;
  return protocol === 'http:' && hostname ? 'a program on this computer' : `the program for ${protocol}// on this device`;
}

/** What the person came for. */
function purpose({ invitedTo, applicationName }: SignInView) {
  return html`<p class="lead">to ${invitedTo ? `join ${invitedTo}` : `continue to ${applicationName}`}</p>`;
}

function email(view: SignInView) {
  return field(view, {
    name: 'p_email',
    id: 'credentials_email',
    type: 'email',
    label: 'Email',
    value: view.invitedTo ? view.attempt.email : (view.typed['p_email'] ?? view.attempt.email),
    attributes: html`inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" maxlength="254" required ${view.invitedTo ? 'readonly' : 'autofocus'}`,
  });
}

interface Field {
  readonly name: string;
  readonly id?: string;
  readonly type?: string;
  readonly label: string;
  readonly value?: string | null | undefined;
  readonly attributes: Html;
}

function field({ problem }: SignInView, { name, id = name, type = 'text', label, value, attributes }: Field) {
  const message = problem?.field === name ? problem.message : undefined;
  return html`<div class="field">
<label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${type}" value="${value ?? ''}" ${attributes}${message ? html` aria-invalid="true" aria-describedby="${id}_problem"` : ''}>
${message ? html`<p class="problem" id="${id}_problem">${message}</p>` : ''}
</div>`;
}

function form(view: SignInView, step: string, body: Html) {
  const { problem } = view;
  const banner = problem && !problem.field && step === view.attempt.step ? html`<p class="banner" role="alert">${problem.message}</p>` : '';
  return html`${banner}<form method="post" action="${view.basePath}/signin/${view.attempt.id}/${step}" novalidate>
<input type="hidden" name="csrf" value="${view.csrf}">
${body}
</form>`;
}

function submit(label: string) {
  return html`<button class="primary" type="submit">${label}</button>`;
}

function back(view: SignInView, label: string) {
  return form(
    view,
    'switch',
    html`<input type="hidden" name="flow" value="${view.attempt.flow}"><p class="aside"><button class="link">${label}</button></p>`,
  );
}
