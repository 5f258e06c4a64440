/** The load: virtual users who each wait for an answer before they send the next request, over kept-alive connections. */
import { Connection, type LoadRequest } from './connection.ts';
import { cpuSeconds, type Server } from './server.ts';

export interface VirtualUser {
  /** What it sends next. */
  next(): LoadRequest;
  /** Reads the answer, where the next request depends on it. */
  answered?(body: string): void;
}

/** Answers a second, with all `users` at work for `seconds`.
 * @throws Error at the first answer that is no 200: a server that refuses is fast for the wrong reason */
export async function answersPerSecond(origin: string, users: readonly VirtualUser[], seconds: number): Promise<number> {
  const connections = await Promise.all(users.map(() => Connection.open(origin)));
  let answers = 0;
  const start = performance.now();
  const end = start + seconds * 1000;
  await Promise.all(
    users.map(async (user, index) => {
      while (performance.now() < end) {
        const body = await bodyOf(connections[index]!, user.next());
        user.answered?.(body.toString());
        answers++;
      }
    }),
  );
  const rate = (answers * 1000) / (performance.now() - start);
  for (const connection of connections) connection.close();
  return rate;
}

/** Answers a second as above, and how many microseconds of a core `server` took for each of them. */
export async function measureAnswers(
  server: Server,
  users: readonly VirtualUser[],
  seconds: number,
): Promise<{ rate: number; cpuMicroseconds: number }> {
  const [start, before] = [performance.now(), cpuSeconds(server)];
  const rate = await answersPerSecond(server.origin, users, seconds);
  const answers = (rate * (performance.now() - start)) / 1000;
  return { rate, cpuMicroseconds: ((cpuSeconds(server) - before) * 1e6) / answers };
}

/** How long each of `requests` took, in milliseconds: one after the other, as one person sends them.
 * @throws Error at the first answer that is no 200 */
export async function latencies(origin: string, requests: readonly LoadRequest[]): Promise<number[]> {
  const connection = await Connection.open(origin);
  const times: number[] = [];
  for (const next of requests) {
    const start = performance.now();
    await bodyOf(connection, next);
    times.push(performance.now() - start);
  }
  connection.close();
  return times;
}

/** The one answer to `next`.
 * @throws Error when it is no 200 */
export async function answerTo(origin: string, next: LoadRequest): Promise<string> {
  const connection = await Connection.open(origin);
  try {
    return (await bodyOf(connection, next)).toString();
  } finally {
    connection.close();
  }
}

async function bodyOf(connection: Connection, next: LoadRequest): Promise<Buffer> {
  const { status, body } = await connection.send(next);
  if (status !== 200) throw new Error(`${next.path} answered ${status}: ${body}`);
  return body;
}
