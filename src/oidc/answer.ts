/** How an answer to an authorization request goes back to the application, by its response mode (OAuth 2.0 Form Post Response Mode; RFC 6749 §4.1.2). */
import type { AuthorizationRequest } from '../features/sign-in-attempts/service.ts';

/** What an answer needs to know of its request. */
export type Answerable = Pick<AuthorizationRequest, 'redirectUri' | 'responseMode' | 'state' | 'hasSuccessPage'>;

/** Where the browser goes: by a redirect, by a form that it posts, or from a page that says the person is signed in. */
export type Destination =
  | { readonly by: 'redirect' | 'success_page'; readonly location: string }
  | { readonly by: 'form'; readonly location: string; readonly fields: Readonly<Record<string, string>> };

/** The answer with `parameters`, the request's state, and `iss` against mix-up (RFC 9207). */
export function answer(request: Answerable, issuer: string, parameters: Record<string, string>): Destination {
  const { redirectUri, responseMode } = request;
  const fields = { ...parameters, ...(request.state !== null && { state: request.state }), iss: issuer };
  if (responseMode === 'form_post') return { by: 'form', location: redirectUri, fields };
  const separator = responseMode === 'fragment' ? '#' : redirectUri.includes('?') ? '&' : '?';
  const location = `${redirectUri}${separator}${new URLSearchParams(fields)}`;
  return { by: request.hasSuccessPage && 'code' in parameters ? 'success_page' : 'redirect', location };
}
