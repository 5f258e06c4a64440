/** The fields of a phone number, and what is read from them. */

import { field, type StepView, select } from '../../pages/elements.ts';
import { type Html, html } from '../../pages/layout.ts';
import { countriesIn, nationalForm, parseNumber } from '../../phone/numbers.ts';
import { type Problem, problem } from './step.ts';

/** A number is shown as its own country writes it, beside that country. */
export async function phoneFields(
  view: StepView,
  number: string | null | undefined,
  defaultCountry: string,
  isFirst = true,
): Promise<Html> {
  const { say, typed } = view;
  const known = number ? await nationalForm(number) : undefined;
  const options = (await countriesIn(view.language)).map(({ code, name, callingCode }) => ({
    value: code,
    label: `${name} (${callingCode})`,
  }));
  return html`${select({
    name: 'p_phone_country',
    label: say('page.country'),
    options,
    value: typed['p_phone_country'] ?? known?.country ?? defaultCountry,
    attributes: html`autocomplete="country" required`,
  })}${field(view, {
    name: 'p_phone',
    type: 'tel',
    label: say('page.phone'),
    value: typed['p_phone'] ?? known?.text ?? number,
    isFirst,
    attributes: html`dir="ltr" inputmode="tel" autocomplete="tel" maxlength="50" required`,
  })}`;
}

/** The number that was typed (E.164), or what is wrong with it. */
export async function readPhone(typed: Readonly<Record<string, string | undefined>>): Promise<string | { problem: Problem }> {
  const text = (typed['p_phone'] ?? '').trim();
  if (!text) return problem('problem.phone_missing', 'p_phone');
  const parsed = await parseNumber(text, typed['p_phone_country'] ?? '');
  return parsed?.number ?? problem('problem.phone_invalid', 'p_phone');
}
