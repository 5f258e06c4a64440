/** What the pages of a sign-in are made of. Field names are stable: people's own browser tests rely on them. */
import type { BotChallenge } from '../features/bot-checks/service.ts';
import type { TextKey, Values } from '../languages/texts.ts';
import { type Html, html, raw, type Scene, scriptOf } from './layout.ts';

/** What a page with a form is drawn from. */
export interface FormView extends Scene {
  readonly csrf: string;
  readonly problem?: { readonly text: TextKey; readonly values?: Values; readonly field?: string } | undefined;
  /** What the form that makes an account, adds to a list or sends a message has to solve. */
  readonly botChallenge?: BotChallenge | undefined;
  /** Whether another code has just been sent, as the person asked. */
  readonly isSentAgain?: boolean;
  /** What the person typed, but for secrets. */
  readonly typed: Readonly<Record<string, string | undefined>>;
}

/** What every page of an attempt is drawn from. */
export interface StepView extends FormView {
  readonly attempt: {
    readonly id: string;
    readonly step: string;
    readonly flow: 'login' | 'register';
    readonly email: string | null;
    readonly phone: string | null;
    readonly username: string | null;
    readonly firstName: string | null;
    readonly lastName: string | null;
  };
  readonly applicationName: string;
}

/** A form of the page, which posts to one of its step's forms. */
export function form(view: StepView, name: string, body: Html): Html {
  return postForm(view, `/signin/${view.attempt.id}/${name}`, body);
}

/** A form that posts to a path of the environment. */
export function postForm(view: FormView, path: string, body: Html): Html {
  return html`<form method="post" action="${view.basePath}${path}" novalidate>
<input type="hidden" name="csrf" value="${view.csrf}">
${body}
</form>`;
}

/** The one other origin that a page ever loads something from. */
export const TURNSTILE_ORIGIN = 'https://challenges.cloudflare.com';

/** Tells people from programs, where the environment asks for it: one form of a page. */
export function botCheck(view: FormView): Html | '' {
  const { botChallenge, say } = view;
  if (!botChallenge) return '';
  const needsScript = html`<noscript><p class="banner">${say('page.needs_javascript')}</p></noscript>`;
  if (botChallenge.kind === 'turnstile')
    return html`${needsScript}<div class="cf-turnstile" data-sitekey="${botChallenge.siteKey}" data-response-field-name="p_bot_check"></div>
<script src="${TURNSTILE_ORIGIN}/turnstile/v0/api.js" async defer></script>`;
  return html`${needsScript}<input type="hidden" name="p_bot_check" data-challenge="${botChallenge.challenge}">${scriptOf(view, 'bot-check.js')}`;
}

/** What is wrong with no field in particular. */
export function banner({ problem, say }: FormView): Html | '' {
  return problem && !problem.field ? html`<p class="banner" role="alert">${say(problem.text, problem.values)}</p>` : '';
}

/** That another code is on its way. */
export function sentAgain({ isSentAgain, problem, say }: StepView): Html | '' {
  return isSentAgain && !problem ? html`<p class="notice" role="status">${say('code.sent_again')}</p>` : '';
}

/** What a form says besides what is typed. */
export function hiddenFields(fields: Readonly<Record<string, string>>): readonly Html[] {
  return Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
}

export interface Field {
  readonly name: string;
  readonly id?: string;
  readonly type?: string;
  readonly label: string;
  readonly value?: string | null | undefined;
  readonly attributes: Html;
  /** Where people begin to type, unless something is wrong with another field. */
  readonly isFirst?: boolean;
}

/** A labelled input, with what is wrong with it below. */
export function field(
  { problem, say }: FormView,
  { name, id = name, type = 'text', label, value, attributes, isFirst = false }: Field,
): Html {
  const hasFocus = problem?.field ? problem.field === name : isFirst;
  const message = problem?.field === name ? say(problem.text, problem.values) : undefined;
  return html`<div class="field">
<label for="${id}">${label}</label>
<input id="${id}" name="${name}" type="${type}" value="${value ?? ''}" ${attributes}${hasFocus ? raw(' autofocus') : ''}${message ? html` aria-invalid="true" aria-describedby="${id}_problem"` : ''}>
${message ? html`<p class="problem" id="${id}_problem">${message}</p>` : ''}
</div>`;
}

export interface Options {
  readonly name: string;
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly value: string;
  readonly attributes: Html;
}

/** A labelled list of which one is chosen. */
export function select({ name, label, options, value, attributes }: Options): Html {
  return html`<div class="field">
<label for="${name}">${label}</label>
<select id="${name}" name="${name}" ${attributes}>${options.map((option) => html`<option value="${option.value}"${option.value === value ? html` selected` : ''}>${option.label}</option>`)}</select>
</div>`;
}

const NAMES = { first_name: 'given-name', last_name: 'family-name' } as const;

/** A person's first or last name. */
export function nameField(view: FormView, name: keyof typeof NAMES, more: Partial<Pick<Field, 'label' | 'value' | 'isFirst'>>): Html {
  return field(view, {
    name: `p_${name}`,
    label: view.say(`register.${name}`),
    attributes: html`autocomplete="${NAMES[name]}" maxlength="100"`,
    ...more,
  });
}

export interface Checkbox {
  readonly name: string;
  readonly label: Html;
  readonly isChecked: boolean;
  readonly isRequired?: boolean;
}

/** A box to tick, with what is wrong with it below. */
export function checkbox({ problem, say }: FormView, { name, label, isChecked, isRequired = false }: Checkbox): Html {
  const message = problem?.field === name ? say(problem.text, problem.values) : undefined;
  return html`<div class="check">
<input id="${name}" name="${name}" type="checkbox" value="on"${isChecked ? raw(' checked') : ''}${isRequired ? raw(' required') : ''}${message ? html` autofocus aria-invalid="true" aria-describedby="${name}_problem"` : ''}>
<label for="${name}">${label}</label>
${message ? html`<p class="problem" id="${name}_problem">${message}</p>` : ''}
</div>`;
}

/** Tells a password manager whose password it is; nobody sees it. */
export function passwordOwner(identifier: string): Html {
  return html`<input type="text" name="p_email" autocomplete="username" value="${identifier}" readonly hidden>`;
}

/** The field of a six-digit code. */
export function codeField(view: StepView): Html {
  return field(view, {
    name: 'p_confirmation_code',
    label: view.say('page.code'),
    isFirst: true,
    attributes: html`dir="ltr" inputmode="numeric" autocomplete="one-time-code" maxlength="7" required class="code"`,
  });
}

export function submit(label: string): Html {
  return html`<button class="primary" type="submit">${label}</button>`;
}

/** A quiet way to do something else: a form with a sentence and a button that reads like a link. */
export function aside(
  view: StepView,
  name: string,
  { before, label, hidden }: { before?: string; label: string; hidden?: Html | '' },
): Html {
  return form(view, name, html`${hidden ?? ''}<p class="aside">${before ? `${before} ` : ''}<button class="link">${label}</button></p>`);
}

/** The way back to the first page, for who wants to be known by something else. */
export function back(view: StepView, label = view.say(another(view))): Html {
  return aside(view, 'switch', { label, hidden: html`<input type="hidden" name="flow" value="${view.attempt.flow}">` });
}

function another({ attempt: { phone, username } }: StepView): TextKey {
  if (phone) return 'mfa_phone.back';
  return username ? 'passkey_setup.back' : 'code.back';
}

/** Buttons that each answer the page's question. */
export function choices(name: string, options: readonly { readonly value: string; readonly label: string }[]): Html {
  return html`<div class="choices">${options.map(({ value, label }) => html`<button class="choice" name="${name}" value="${value}"><bdi>${label}</bdi></button>`)}</div>`;
}
