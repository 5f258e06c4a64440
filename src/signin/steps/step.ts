/** What a step of the pages is: what it shows, and what its forms do. A method of signing in is one file of such steps. */
import type { Context } from '../../features/context.ts';
import type { Attempt } from '../../features/sign-in-attempts/service.ts';
import { isTextKey, type TextKey, type Values } from '../../languages/texts.ts';
import type { StepView } from '../../pages/elements.ts';
import type { PageContent } from '../../pages/layout.ts';
import type { Outcome } from '../flow.ts';
import type { Place } from '../place.ts';

/** The attempt that a request is about, at its application. */
export interface Visit {
  readonly ctx: Context;
  readonly place: Place;
  readonly attempt: Attempt;
}

export interface StepRequest extends Visit {
  /** The posted form, one value a field. */
  readonly form: Readonly<Record<string, string | undefined>>;
  readonly sessionToken: string | undefined;
}

export interface StepDefinition {
  show(view: StepView, visit: Visit): PageContent | Promise<PageContent>;
  /** Which of the forms, at most one, makes an account or sends a message that the person asks for: by it people are told from programs. */
  readonly botChecked?: string;
  /** By the last part of the URL that they post to. */
  readonly forms: Readonly<Record<string, (request: StepRequest) => Promise<StepResult>>>;
}

/** Shown on the same page again: beside a field, or above the form. What was typed is kept, but for secrets. */
export interface Problem {
  readonly text: TextKey;
  readonly values?: Values;
  readonly field?: string;
  readonly status: number;
}

/** `attempt` is what the page is drawn from, where it is not as it was read any more. */
export type StepResult = Outcome | { readonly problem: Problem; readonly attempt?: Attempt };

export function problem(text: TextKey, field?: string, status = 422): { problem: Problem } {
  return { problem: { text, status, ...(field && { field }) } };
}

/** How people are told of a service's error; undefined for one that is not theirs. */
export function problemText(code: string): TextKey | undefined {
  const key = `problem.${code.toLowerCase()}`;
  return isTextKey(key) ? key : undefined;
}
