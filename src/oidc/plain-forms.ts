/**
 * The token endpoint and its kin for programs. A form that no browser sent needs neither CORS nor cookies, and is answered
 * ahead of the router; all else that is posted there the routes answer, in the same words.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'fast-querystring';
import type { RequestClass } from '../config.ts';
import type { Infrastructure, Origin } from '../features/context.ts';
import { findTenancy, type Tenancy } from '../features/environments/directory.ts';
import { type Headers, limitRate, oauthFailure } from '../http/failures.ts';
import { logAnswer } from '../http/request-log.ts';
import { securityHeaders } from '../http/security-headers.ts';
import { BODY_LIMIT, originOf, type Way } from '../http/server.ts';
import { randomUUID } from '../kernel/ids.ts';
import type { Form } from './client-authentication.ts';
import { type OfferNonce, proofIn } from './dpop.ts';
import { NO_PAGE, type Page } from './refresh-cookies.ts';

/** What a form and the request around it say. */
export interface Posted {
  readonly authorization: string | undefined;
  readonly form: Form;
  readonly origin: Origin;
  readonly dpop: string | undefined;
  readonly offerNonce: OfferNonce;
  readonly page: Page;
}

/** An endpoint that takes forms and answers with JSON, or with nothing. */
export interface FormEndpoint {
  readonly run: (tenancy: Tenancy, posted: Posted) => Promise<object | undefined>;
  readonly success: number;
  readonly limits: RequestClass;
}

const NO_STORE: Headers = { 'cache-control': 'no-store' };

export class PlainForms {
  readonly #infrastructure: Infrastructure;
  readonly #endpoints = new Map<string, FormEndpoint>();
  /** Names and values in turn, as Node writes them without a look at each. */
  readonly #everyResponse: readonly string[];

  constructor(infrastructure: Infrastructure) {
    this.#infrastructure = infrastructure;
    this.#everyResponse = [...Object.entries(securityHeaders(infrastructure.config.baseUrl)).flat(), 'vary', 'Origin'];
  }

  add(path: string, endpoint: FormEndpoint): void {
    this.#endpoints.set(path, endpoint);
  }

  answer(request: IncomingMessage, response: ServerResponse, way: Way): void {
    const address = isPlain(request) ? way.address() : undefined;
    const endpoint = address && this.#endpoints.get(address.path);
    if (!endpoint) way.otherwise();
    else
      findTenancy(this.#infrastructure, address)
        .then(
          (tenancy) => (tenancy ? this.#run(request, response, way, { path: address.path, endpoint, tenancy }) : way.otherwise()),
          way.otherwise,
        )
        .catch((err: unknown) => {
          this.#infrastructure.log.error({ err }, 'request failed');
          response.destroy();
        });
  }

  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    way: Way,
    { path, endpoint, tenancy }: { readonly path: string; readonly endpoint: FormEndpoint; readonly tenancy: Tenancy },
  ): Promise<void> {
    if (request.destroyed) return;
    const { log } = this.#infrastructure;
    const { headers } = request;
    const { environmentId } = tenancy;
    const start = performance.now();
    const id = randomUUID();
    const ip = way.ip()!;
    let nonce: string | undefined;
    const answer = async () => {
      limitRate(this.#infrastructure, endpoint.limits, environmentId, { ip });
      const body = await endpoint.run(tenancy, {
        authorization: headers.authorization,
        form: parse(await textOf(request)) as Form,
        origin: originOf({ id, ip, headers, tenancy, askedLanguage: null, query: {} }),
        dpop: proofIn(headers),
        offerNonce(next) {
          nonce = next;
        },
        page: NO_PAGE,
      });
      return { status: endpoint.success, headers: NO_STORE, body };
    };
    const told = await answer().catch((error: unknown) => {
      const failure = oauthFailure(error, headers);
      if (failure.status >= 500) log.error({ reqId: id, err: error }, 'request failed');
      return failure;
    });
    const { status, body } = told;
    const text = body === undefined ? '' : JSON.stringify(body);
    const head = [...this.#everyResponse, 'x-request-id', id];
    for (const name in told.headers) head.push(name, String(told.headers[name]));
    if (nonce !== undefined) head.push('dpop-nonce', nonce);
    if (body !== undefined) head.push('content-type', 'application/json; charset=utf-8');
    if (way.isClosing()) head.push('connection', 'close');
    head.push('content-length', String(Buffer.byteLength(text)));
    response.writeHead(status, head).end(text);
    logAnswer(log, { reqId: id, method: 'POST', route: path, status, ms: Math.round(performance.now() - start), environmentId });
  }
}

/** A form of a known length, without anything of a browser. */
function isPlain({ headers }: IncomingMessage): boolean {
  const { origin, cookie, 'content-type': type, 'content-length': length } = headers;
  return (
    origin === undefined &&
    cookie === undefined &&
    /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i.test(type ?? '') &&
    Number(length) <= BODY_LIMIT
  );
}

/** @throws Error with a status of 400 when it is cut off */
function textOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    request
      .setEncoding('utf8')
      .on('data', (part: string) => {
        text += part;
      })
      .on('end', () => resolve(text))
      .on('close', () => reject(Object.assign(new Error('The form was cut off.'), { statusCode: 400 })));
  });
}
