/**
 * One kept-alive HTTP/1.1 connection that sends a request and takes its answer, one after the other, and as little else
 * as can be: the load shares its core with PostgreSQL, and a generator that is slower than a server measures itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  /** In lower case; `host` is the server's own unless it is given. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const NOTHING: Buffer = Buffer.alloc(0);

export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = NOTHING;
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection.')));
  }

  static async open(origin: string): Promise<Connection> {
    const { hostname, port, host } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Connection(socket, host);
  }

  send({ method, path, headers, body }: LoadRequest): Promise<Answer> {
    let head = `${method} ${path} HTTP/1.1\r\n`;
    for (const [name, value] of Object.entries({ host: this.#host, ...headers })) head += `${name}: ${value}\r\n`;
    if (body !== '') head += `content-length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${head}\r\n${body}`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const waiting = this.#waiting;
    try {
      const answer = readAnswer(this.#received);
      if (!answer) return;
      this.#received = NOTHING;
      this.#waiting = undefined;
      waiting?.resolve(answer);
    } catch (error) {
      waiting?.reject(error as Error);
    }
  }
}

/** The answer that `received` holds, undefined as long as a part of it is missing. */
function readAnswer(received: Buffer): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = received.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) {
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`An answer of unknown length: ${head}`);
    const body = readChunks(received, end + 4);
    return body && { status, body };
  }
  const body = received.subarray(end + 4);
  return body.length < Number(length) ? undefined : { status, body };
}

/** A chunked body (RFC 9112 §7.1) without trailers. */
function readChunks(received: Buffer, start: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; ; ) {
    const end = received.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const size = Number.parseInt(received.toString('latin1', at, end), 16);
    if (Number.isNaN(size)) throw new Error('A chunk of unknown length.');
    at = end + 2 + size + 2;
    if (received.length < at) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(received.subarray(end + 2, end + 2 + size));
  }
}
