/** The field of an email address, and what is read from it. */
import { isEmail } from '../../features/text.ts';
import { type FormView, field } from '../../pages/elements.ts';
import { type Html, html } from '../../pages/layout.ts';
import { type Problem, problem } from './step.ts';

/** What the address that somebody is known by goes by. */
export const EMAIL = { name: 'p_email', id: 'credentials_email' } as const;

export interface EmailField {
  readonly name: string;
  readonly id?: string;
  /** What stands there until something else is typed. */
  readonly known?: string | null | undefined;
  readonly isFixed?: boolean;
  readonly isFirst?: boolean;
}

export function emailField(view: FormView, { known, isFixed = false, isFirst = true, ...named }: EmailField): Html {
  return field(view, {
    ...named,
    type: 'email',
    label: view.say('page.email'),
    value: view.typed[named.name] ?? known,
    isFirst: isFirst && !isFixed,
    attributes: html`dir="ltr" inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" maxlength="254" required ${isFixed ? 'readonly' : ''}`,
  });
}

/** The address that was typed, or what is wrong with it. */
export function readEmail(typed: Readonly<Record<string, string | undefined>>, name: string): string | { problem: Problem } {
  const email = (typed[name] ?? '').trim();
  if (!email) return problem('problem.email_missing', name);
  return isEmail(email) ? email : problem('problem.email_invalid', name);
}
