/**
 * Answers that are the same for everybody who asks at one address: given once by a route, then again out of memory and
 * ahead of the router, for as long as the route says that they still hold.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { randomUUID } from '../kernel/ids.ts';
import { type AnswerLine, logAnswer } from './request-log.ts';
import type { Way } from './server.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** Set by a route whose answer may be repeated while this says true. */
    stillHolds: (() => Promise<boolean>) | null;
  }
}

interface Answer {
  readonly logged: Omit<AnswerLine, 'reqId'>;
  readonly head: readonly string[];
  readonly body: string;
  readonly stillHolds: () => Promise<boolean>;
}

/** Hosts may be written in many ways, each of which is an address of its own here. */
const MAX_ANSWERS = 1000;

export class RepeatedAnswers {
  readonly #answers = new Map<string, Answer>();
  readonly #hostOf: (request: IncomingMessage) => string | undefined;
  readonly #log: Logger;

  constructor(hostOf: (request: IncomingMessage) => string | undefined, log: Logger) {
    this.#hostOf = hostOf;
    this.#log = log;
  }

  /** Keeps what is about to be sent, where its route allows that. */
  keep(reply: FastifyReply, body: unknown): void {
    const { method, originalUrl, raw, tenancy, routeOptions } = reply.request;
    if (!reply.stillHolds || method !== 'GET' || reply.statusCode !== 200 || typeof body !== 'string' || originalUrl.includes('?')) return;
    const { 'x-request-id': _own, ...headers } = reply.getHeaders();
    const head = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body) }).flatMap(([name, value]) => [name, `${value}`]);
    const logged = { method, route: routeOptions.url, status: 200, ms: 0, environmentId: tenancy?.environmentId };
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(this.#addressOf(raw, originalUrl), { logged, head, body, stillHolds: reply.stillHolds });
  }

  answer(request: IncomingMessage, response: ServerResponse, { isClosing, otherwise }: Way): void {
    const known = request.headers['if-none-match'] ? undefined : this.#answers.get(this.#addressOf(request));
    if (known) known.stillHolds().then((holds) => (holds && !isClosing() ? this.#repeat(known, response) : otherwise()), otherwise);
    else otherwise();
  }

  #addressOf(request: IncomingMessage, url = request.url): string {
    return `${this.#hostOf(request)} ${url}`;
  }

  #repeat({ logged, head, body }: Answer, response: ServerResponse): void {
    const reqId = randomUUID();
    response.writeHead(200, [...head, 'x-request-id', reqId]).end(body);
    logAnswer(this.#log, { reqId, ...logged });
  }
}
