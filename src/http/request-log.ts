/** The log of one request: its lines name the request. Few requests write any, and the child of the server's log is made with the first. */
import type { FastifyBaseLogger } from 'fastify';
import type { Logger } from 'pino';

type Line = [object, string?];

class RequestLog {
  readonly #log: FastifyBaseLogger;
  readonly #bindings: Record<string, unknown>;
  #own: FastifyBaseLogger | undefined;

  constructor(log: FastifyBaseLogger, bindings: Record<string, unknown>) {
    this.#log = log;
    this.#bindings = bindings;
  }

  get own(): FastifyBaseLogger {
    this.#own ??= this.#log.child(this.#bindings);
    return this.#own;
  }

  get level(): string {
    return this.#log.level;
  }

  child(...of: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.own.child(...of);
  }

  silent(): void {}

  fatal(...line: Line): void {
    this.own.fatal(...line);
  }

  error(...line: Line): void {
    this.own.error(...line);
  }

  warn(...line: Line): void {
    this.own.warn(...line);
  }

  info(...line: Line): void {
    this.own.info(...line);
  }

  debug(...line: Line): void {
    this.own.debug(...line);
  }

  trace(...line: Line): void {
    this.own.trace(...line);
  }
}

export function requestLog(log: FastifyBaseLogger, bindings: Record<string, unknown>): FastifyBaseLogger {
  return new RequestLog(log, bindings) as FastifyBaseLogger;
}

/** What is logged of each answer; of its address the route's pattern alone. */
export interface AnswerLine {
  readonly reqId: string;
  readonly method: string;
  readonly route: string | undefined;
  readonly status: number;
  readonly ms: number;
  readonly environmentId: string | undefined;
}

export function logAnswer(log: Logger, line: AnswerLine): void {
  if (log.isLevelEnabled('info')) log.info(line, 'request');
}
