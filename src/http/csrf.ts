/** What a form has to come back with: only who was shown the page, in the browser that holds the cookie, knows it. */
import type { Infrastructure } from '../features/context.ts';

/** @param held the value of the cookie that the form is tied to */
export function csrfToken({ vault }: Pick<Infrastructure, 'vault'>, held: string | undefined, page: string): string {
  return vault.mac('csrf', `${held} ${page}`).toString('base64url');
}
