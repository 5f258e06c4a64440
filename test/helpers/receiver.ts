/** A real receiver of webhooks: keeps what it was sent, and answers as it is told to. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  /** Where it listens, without a path. */
  readonly url: string;
  /** What came since the test began. */
  readonly received: Received[];
  /** What it answers, 200 when a test begins, and after how many milliseconds. */
  status: number;
  delay: number;
}

/** Starts a receiver before the first test of the calling file, and closes it after the last. */
export function startReceiver(): Receiver {
  const receiver = { url: '', received: [] as Received[], status: 200, delay: 0 };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      receiver.received.push({ path: request.url!, headers: request.headers, body });
      const { status, delay } = receiver;
      setTimeout(() => response.writeHead(status, { location: `${receiver.url}/elsewhere` }).end('thanks'), delay);
    });
  });
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, 'localhost', done));
    receiver.url = `http://localhost:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    Object.assign(receiver, { status: 200, delay: 0 });
    receiver.received.length = 0;
  });
  afterAll(() => void server.close().closeAllConnections());
  return receiver;
}

/** What `find` finds, waited for. */
export async function waitFor<T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 400; tries++) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('It did not come.');
}
