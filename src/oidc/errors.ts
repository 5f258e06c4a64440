/** OAuth errors: each knows its HTTP status, and how it reaches its reader. */
import { DEFAULT_LANGUAGE } from '../languages/languages.ts';
import { speaker, type TextKey } from '../languages/texts.ts';

export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_token'
  | 'invalid_target'
  | 'request_not_supported'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'
  | 'temporarily_unavailable';

const STATUS: Record<OAuthErrorCode, number> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  invalid_scope: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_token: 401,
  invalid_target: 400,
  request_not_supported: 400,
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  authorization_pending: 400,
  slow_down: 400,
  access_denied: 400,
  expired_token: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  temporarily_unavailable: 429,
};

/** An error of the token endpoint and its kin (RFC 6749 §5.2, RFC 6750 §3.1), answered as JSON. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;
  readonly status: number;
  /** Seconds after which it may be otherwise. */
  readonly retryAfter: number | undefined;

  constructor(
    code: OAuthErrorCode,
    description: string,
    { status = STATUS[code], retryAfter }: { readonly status?: number; readonly retryAfter?: number } = {},
  ) {
    super(description);
    this.name = 'OAuthError';
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export type RedirectErrorCode =
  | 'login_required'
  | 'consent_required'
  | 'interaction_required'
  | 'access_denied'
  | 'login_link_expired'
  | 'invalid_target'
  | 'request_not_supported'
  | 'request_uri_not_supported';

/**
 * An error of the authorization endpoint. Only these codes go back to the application (applications answer any other
 * by starting over, for ever); everything else is told to the person on a page of ours.
 */
export class RedirectError extends Error {
  readonly code: RedirectErrorCode;

  constructor(code: RedirectErrorCode, description: string) {
    super(description);
    this.code = code;
  }
}

/** What pages of errors are about: each has a title and a message in every language. */
export type PageErrorName = TextKey extends infer Key ? (Key extends `error.${infer Name}.title` ? Name : never) : never;

/** An error that the person sees as a page, in their language; its own message is English, for logs and programs. */
export class PageError extends Error {
  readonly status: number;
  readonly about: PageErrorName;
  /** The number that support can look up. */
  readonly number: number | undefined;
  /** What is wrong with a request in particular, for who develops the application: always in English. */
  readonly detail: string;

  /** What the page says below its title, in English. */
  get description(): string {
    return describe(this.about, this.detail);
  }

  constructor(status: number, about: PageErrorName, { number, detail = '' }: { number?: number; detail?: string } = {}) {
    super(speaker(DEFAULT_LANGUAGE)(`error.${about}.title`));
    this.status = status;
    this.about = about;
    this.number = number;
    this.detail = detail;
  }
}

/** An error for programs, in the characters that an `error_description` may have (RFC 6749 §5.2). */
export function describe(about: PageErrorName, detail = ''): string {
  return [speaker(DEFAULT_LANGUAGE)(`error.${about}.message`), detail].filter(Boolean).join(' ').replaceAll('’', "'");
}

/** One message for every reason: a stranger learns nothing of an invitation by its code. */
export const invitationGone = () => new PageError(404, 'invitation_gone');

/** One message for every reason: who guesses learns nothing of a device by its code. */
export const deviceCodeGone = () => new PageError(404, 'device_code_gone');
