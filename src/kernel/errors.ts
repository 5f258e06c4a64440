/**
 * The failures that a service may answer with. Each has a stable code and a message fit for its reader; an adapter
 * maps the code to its own form (GraphQL error, payload error, OAuth error, page). Anything else is a fault of ours:
 * it is masked, and logged with the request's id.
 */

/** Something the caller can understand and act on. */
export class DomainError extends Error {
  /** Stable, upper-case, safe to show. */
  readonly code: string;
  /** Which part of the input it is about, outermost first; empty when it is about no single field. Not `path`: GraphQL takes an error with a `path` for one it has placed already. */
  readonly inputPath: readonly string[];

  constructor(code: string, message: string, inputPath: readonly string[] = []) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.inputPath = inputPath;
  }
}

/** The actor does not hold the permission that this needs. */
export class ForbiddenError extends DomainError {
  readonly permission: string;

  constructor(permission: string) {
    super('FORBIDDEN', `This needs the permission ${permission}.`);
    this.permission = permission;
  }
}

/** Nobody is signed in, or the token is not valid. */
export class UnauthenticatedError extends DomainError {
  constructor(message = 'A valid bearer token is needed.') {
    super('UNAUTHENTICATED', message);
  }
}

/** There is no such thing within the actor's reach; the same for a missing thing and for another tenant's. */
export class NotFoundError extends DomainError {
  constructor(what: string, path: readonly string[] = []) {
    super('NOT_FOUND', `There is no such ${what}.`, path);
  }
}

/** The caller has asked for this too often. */
export class RateLimitedError extends DomainError {
  constructor(retryAfterSeconds: number) {
    super('RATE_LIMITED', `This was asked for too often. Try again in ${retryAfterSeconds} seconds.`);
  }
}

/** What is asked for holds more than one request may read. */
export class TooMuchReadError extends DomainError {
  constructor() {
    super('TOO_MUCH_READ', 'What is asked for is too large for one answer. Ask for smaller pages or for fewer fields.');
  }
}

/** The input breaks a rule of the domain: shown beside the field that `path` names. */
export class InvalidInputError extends DomainError {}

/** Several of them at once. */
export class InvalidInputErrors extends DomainError {
  readonly mistakes: readonly InvalidInputError[];

  constructor(mistakes: readonly InvalidInputError[]) {
    super('INVALID_INPUT', mistakes.map(({ message }) => message).join(' '));
    this.mistakes = mistakes;
  }
}
