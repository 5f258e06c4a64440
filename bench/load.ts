/** The load: virtual users who each wait for an answer before they send the next request, over kept-alive connections. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

export interface VirtualUser {
  /** What it sends next. */
  next(): LoadRequest;
  /** Reads the answer, where the next request depends on it. */
  answered?(body: string): void;
}

/** Answers a second, with all `users` at work for `seconds`.
 * @throws Error at the first answer that is no 200: a server that refuses is fast for the wrong reason */
export async function answersPerSecond(origin: string, users: readonly VirtualUser[], seconds: number): Promise<number> {
  const { send, close } = connect(origin, users.length);
  let answers = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    users.map(async (user) => {
      while (performance.now() < end) {
        const body = await send(user.next());
        user.answered?.(body);
        answers++;
      }
    }),
  );
  close();
  return (answers * 1000) / (performance.now() - start);
}

/** How long each of `requests` took, in milliseconds: one after the other, as one person sends them.
 * @throws Error at the first answer that is no 200 */
export async function latencies(origin: string, requests: readonly LoadRequest[]): Promise<number[]> {
  const { send, close } = connect(origin, 1);
  const times: number[] = [];
  for (const next of requests) {
    const start = performance.now();
    await send(next);
    times.push(performance.now() - start);
  }
  close();
  return times;
}

/** The one answer to `next`.
 * @throws Error when it is no 200 */
export async function answerTo(origin: string, next: LoadRequest): Promise<string> {
  const { send, close } = connect(origin, 1);
  try {
    return await send(next);
  } finally {
    close();
  }
}

function connect(origin: string, connections: number) {
  const { hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const send = ({ method, path, headers, body }: LoadRequest) =>
    new Promise<string>((resolve, reject) => {
      const options = { hostname, port, agent, method, path, headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          response.statusCode === 200 ? resolve(text) : reject(new Error(`${path} answered ${response.statusCode}: ${text}`)),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}
