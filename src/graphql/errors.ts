/** How a failure reaches a GraphQL client: a code from one closed list, never a stack trace, always the request's id. */
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { DomainError, ForbiddenError, NotFoundError, RateLimitedError, TooMuchReadError, UnauthenticatedError } from '../kernel/errors.ts';

/** The closed list of top-level codes. */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'RATE_LIMITED',
  'QUERY_TOO_COMPLEX',
  'OPERATION_NOT_ALLOWED',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What a failure is answered with. */
export interface Report {
  readonly requestId: string;
  readonly log: Logger;
  /** Whether a mistyped name may be answered with the names that are like it. */
  readonly suggestions: boolean;
}

/** Maps anything thrown to an error of the list. What is not ours to show is logged and masked. */
export function publicError(error: unknown, { requestId, log, suggestions }: Report): GraphQLError {
  const outer = error instanceof GraphQLError ? error : undefined;
  const cause = outer ? (outer.originalError ?? undefined) : error;
  const make = (message: string, extensions: { code: ErrorCode } & Record<string, unknown>) =>
    new GraphQLError(message, {
      ...(outer?.nodes && { nodes: outer.nodes }),
      ...(outer?.source && { source: outer.source }),
      ...(outer?.positions && { positions: outer.positions }),
      ...(outer?.path && { path: outer.path }),
      extensions: { ...extensions, requestId },
    });

  if (cause instanceof ForbiddenError) return make(cause.message, { code: 'FORBIDDEN', permission: cause.permission });
  if (cause instanceof UnauthenticatedError) return make(cause.message, { code: 'UNAUTHENTICATED' });
  if (cause instanceof RateLimitedError) return make(cause.message, { code: 'RATE_LIMITED' });
  if (cause instanceof TooMuchReadError) return make(cause.message, { code: 'QUERY_TOO_COMPLEX' });
  if (cause instanceof NotFoundError)
    return make(cause.message, { code: 'NOT_FOUND', ...(cause.inputPath.length > 0 && { inputPath: cause.inputPath }) });
  if (cause instanceof DomainError)
    return make(cause.message, { code: 'BAD_USER_INPUT', ...(cause.inputPath.length > 0 && { inputPath: cause.inputPath }) });
  if (outer && (!outer.originalError || outer.originalError instanceof GraphQLError)) {
    const { http } = outer.extensions;
    return make(messageOf(outer, suggestions), { code: codeOf(outer), ...(http !== undefined && { http }) });
  }
  log.error({ err: cause, requestId, path: outer?.path }, 'graphql fault');
  return make('Something went wrong on our side.', { code: 'INTERNAL' });
}

/** The message of an error that GraphQL raised, with the names that are like a mistyped one or without. */
export function messageOf({ message }: GraphQLError, suggestions: boolean): string {
  return suggestions ? message : message.replace(/ Did you mean .*$/s, '');
}

/** The code of an error that GraphQL itself or its server raised: their own names are not of the list. */
export function codeOf({ extensions, message }: GraphQLError): ErrorCode {
  const code = ERROR_CODES.find((known) => known === extensions['code']);
  if (code) return code;
  if ((extensions['http'] as { status?: number } | undefined)?.status === 405) return 'OPERATION_NOT_ALLOWED'; // A mutation by GET.
  return /\btokens\. Parsing aborted\b|^Validation aborted/.test(message) ? 'QUERY_TOO_COMPLEX' : 'BAD_USER_INPUT';
}
