/** What a step of the pages is given, and what it answers. A method of signing in is one file of such steps. */
import type { Context } from '../../features/context.ts';
import type { Attempt } from '../../features/sign-in-attempts/service.ts';
import type { Outcome, Place } from '../flow.ts';

export interface StepRequest {
  readonly ctx: Context;
  readonly place: Place;
  readonly attempt: Attempt;
  /** The posted form, one value a field. */
  readonly form: Readonly<Record<string, string | undefined>>;
  readonly sessionToken: string | undefined;
}

/** Shown on the same page again: beside a field, or above the form. What was typed is kept, but for secrets. */
export interface Problem {
  readonly field?: string;
  readonly message: string;
  readonly status: number;
}

export type StepResult = Outcome | { readonly problem: Problem };

export function problem(message: string, field?: string, status = 422): { problem: Problem } {
  return { problem: { message, status, ...(field && { field }) } };
}
