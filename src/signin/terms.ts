/** What people say to the terms, and to marketing, when they sign up. */
import type { Client } from '../features/applications/service.ts';
import { type Attempt, type AttemptChange, updateAttempt } from '../features/sign-in-attempts/service.ts';
import { hasTerms } from '../features/terms/service.ts';
import type { FormView } from '../pages/elements.ts';
import { checkbox } from '../pages/elements.ts';
import { type Html, html, rich } from '../pages/layout.ts';
import type { Place } from './place.ts';
import { problem, type StepRequest, type StepResult } from './steps/step.ts';

export const ACCEPTED = 'p_has_clickwrap_accepted';
const MARKETING = 'p_marketing_consent';

type At = Pick<Place, 'tenancy'> & { readonly client: Pick<Client, 'asksMarketingConsent'> };

/** The version of the terms that a form is about: a page of before they changed accepts nothing. */
export function versionField({ tenancy }: Pick<Place, 'tenancy'>): Html {
  return html`<input type="hidden" name="terms_version" value="${tenancy.terms.version}">`;
}

/** Links to what is accepted. */
export function documents(view: FormView, { tenancy }: Pick<Place, 'tenancy'>): Html {
  const { termsUri, privacyUri } = tenancy.terms;
  const link = (uri: string, key: 'terms.terms' | 'terms.privacy') =>
    html`<a href="${uri}" target="_blank" rel="noopener noreferrer">${view.say(key)}</a>`;
  if (!privacyUri) return link(termsUri ?? '', 'terms.terms');
  if (!termsUri) return link(privacyUri, 'terms.privacy');
  return rich(view, 'terms.both', { terms: link(termsUri, 'terms.terms'), privacy: link(privacyUri, 'terms.privacy') });
}

/** What stands above the button of the page on which people sign up. */
export function signUpTerms(view: FormView, place: At): Html {
  const { typed, say } = view;
  return html`${termsOf(view, place)}${
    place.client.asksMarketingConsent
      ? checkbox(view, { name: MARKETING, label: html`${say('register.marketing')}`, isChecked: typed[MARKETING] !== undefined })
      : ''
  }`;
}

/** The terms, where there are any: to be accepted, or told of. */
export function termsOf(view: FormView, place: Pick<Place, 'tenancy'>): Html | '' {
  const { terms } = place.tenancy;
  return hasTerms(terms) ? html`${versionField(place)}${terms.isRequired ? acceptance(view, place) : told(view, place)}` : '';
}

/** The box that says that the terms are accepted. It is never ticked beforehand. */
export function acceptance(view: FormView, place: Pick<Place, 'tenancy'>): Html {
  const label = rich(view, 'terms.accept', { documents: documents(view, place) });
  return checkbox(view, { name: ACCEPTED, label, isRequired: true, isChecked: view.typed[ACCEPTED] !== undefined });
}

function told(view: FormView, place: Pick<Place, 'tenancy'>): Html {
  return html`<p class="note">${rich(view, 'terms.implicit', { documents: documents(view, place) })}</p>`;
}

/** Does the form accept the terms as they are now? */
export function accepts({ place, form }: Pick<StepRequest, 'form'> & { readonly place: Pick<Place, 'tenancy'> }): boolean {
  const { terms } = place.tenancy;
  return form['terms_version'] === String(terms.version) && (!terms.isRequired || form[ACCEPTED] !== undefined);
}

/** A form on which people sign up: what they say to the terms comes first, and is kept for when they are known. */
export function withTerms(submit: (request: StepRequest) => Promise<StepResult>): (request: StepRequest) => Promise<StepResult> {
  return async (request) => {
    const { ctx, place, attempt, form } = request;
    const { terms } = place.tenancy;
    const isAsked = hasTerms(terms) || place.client.asksMarketingConsent;
    if (attempt.flow !== 'register' || !isAsked) return submit(request);
    const hasAccepted = hasTerms(terms) && accepts(request);
    if (hasTerms(terms) && terms.isRequired && !hasAccepted) return problem('problem.terms_missing', ACCEPTED);
    const said: AttemptChange = {
      acceptedTerms: hasAccepted ? terms.version : null,
      wantsMarketing: place.client.asksMarketingConsent ? form[MARKETING] !== undefined : null,
    };
    await updateAttempt(ctx, attempt, said);
    return submit({ ...request, attempt: { ...attempt, ...said } as Attempt });
  };
}
