/**
 * The management graph over a tenant of 1,000,000 users: pages and one user against peers over the same tables, deep
 * pages against first ones, and search by substring. Ours answers behind a bearer token, with a permission on each field.
 */

import type { LoadRequest } from '../connection.ts';
import { type ListName, type PagedSide, type SearchingSide, type Side, type Sides, startSides } from '../graph-sides.ts';
import { answersPerSecond, answerTo, latencies } from '../load.ts';
import { alternate, type Measure } from '../rounds.ts';
import type { Bench, Result } from '../suite.ts';

const SCHEDULE = { warmUpSeconds: 4, rounds: 5, seconds: 3 };
const CONCURRENCY = 16;

/** Deep pages: of so many rows, which makes the last of 10,000 organizations and of 100,000 members the 10,000th page. */
const LISTS: Record<ListName, number> = { organizations: 1, members: 10, users: 20 };

export async function graph(bench: Bench): Promise<Result[]> {
  const sides = await startSides(bench);
  const conditions = { ...bench.machine.conditions, users: bench.users };
  const rate = { unit: 'answers/s', conditions: { ...conditions, ...SCHEDULE, concurrency: CONCURRENCY } };
  const results: Result[] = [];
  const add = (work: string, ours: number, peer: number, peerName: string) =>
    results.push({ work, ours, peer, peerName, ratio: ours / peer, ...rate });

  const works: [string, (side: Side) => LoadRequest][] = [
    ['first 20 users, each with memberships, organization and roles', (side) => side.page(20)],
    ['one user with everything', (side) => side.user()],
  ];
  for (const [work, request] of works) {
    await assertSameAnswers(sides, request);
    const { ours, ...peers } = await compare(bench, work, {
      ours: rateOf(sides.ours, request(sides.ours)),
      postgraphile: rateOf(sides.postgraphile, request(sides.postgraphile)),
      plain: rateOf(sides.plain, request(sides.plain)),
      sql: rateOf(sides.sql, request(sides.sql)),
    });
    for (const [name, peer] of Object.entries(peers)) add(work, ours, peer, sides[name as 'sql'].name);
  }
  for (const [name, size] of Object.entries(LISTS) as [ListName, number][]) {
    const after = await startOfLastPage(sides.ours, name, size);
    const deep = async (side: PagedSide) => rateOf(side, side.list(name, { first: size, after: await startOfLastPage(side, name, size) }));
    const rates = await compare(bench, `${name}, deep`, {
      first: rateOf(sides.ours, sides.ours.list(name, { first: size })),
      deep: rateOf(sides.ours, sides.ours.list(name, { first: size, after })),
      postgraphile: await deep(sides.postgraphile),
      plain: await deep(sides.plain),
    });
    const work = `last page of ${size} ${name}`;
    add(work, rates.deep, rates.first, 'our first page');
    add(work, rates.deep, rates.postgraphile, sides.postgraphile.name);
    add(work, rates.deep, rates.plain, sides.plain.name);
  }
  results.push(await search(bench, sides, conditions));
  await sides.stop();
  return results;
}

function compare<Name extends string>(bench: Bench, work: string, measures: Record<Name, Measure>): Promise<Record<Name, number>> {
  return alternate(measures, SCHEDULE, (line) => bench.progress(`graph, ${work}: ${line}`));
}

function rateOf({ server }: Side, request: LoadRequest): Measure {
  const users = Array.from({ length: CONCURRENCY }, () => ({ next: () => request }));
  return (seconds) => answersPerSecond(server.origin, users, seconds);
}

/** What of the answers is data; its names for it aside. */
interface Page {
  readonly edges: readonly { cursor: string }[];
}

/** The cursor before the last `size` rows, as the side itself tells it. */
async function startOfLastPage({ server, list }: PagedSide, name: ListName, size: number): Promise<string> {
  const { edges } = dataOf(await answerTo(server.origin, list(name, { last: size + 1 }))) as Page;
  return edges[0]!.cursor;
}

/** @throws Error unless all sides answer with the same data: else they would not do the same work */
async function assertSameAnswers({ ours, postgraphile, plain, sql }: Sides, request: (side: Side) => LoadRequest): Promise<void> {
  const answers = await Promise.all([ours, postgraphile, plain, sql].map((side) => answerTo(side.server.origin, request(side))));
  const texts = answers.map((answer) => JSON.stringify(dataOf(answer)));
  const other = texts.find((text) => text !== texts[0]);
  if (other !== undefined) throw new Error(`The sides do not answer the same:\n${texts[0]}\n${other}`);
}

/** The data of an answer, without the objects that only lead to other objects, keys sorted, and times in one form. */
function dataOf(answer: string): unknown {
  const { data, errors } = JSON.parse(answer) as { data: unknown; errors?: unknown };
  if (errors) throw new Error(`Answered with errors: ${answer}`);
  return plain(data);
}

const LEADS_ON = ['environment', 'list', 'node', 'nodes', 'permission', 'role', 'user', 'users', 'value'];

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value).toISOString() : value;
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value);
  if (fields.length === 1 && LEADS_ON.includes(fields[0]![0])) return plain(fields[0]![1]);
  return Object.fromEntries(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, name === 'email' ? [plain(field)].flat()[0] : plain(field)]),
  );
}

/** What is typed into the search field, in turn; the numbers differ from one time to the next. */
const TERMS: Record<string, (number: number) => string> = {
  'a common part of a name': (number) => ['vik', 'mon', 'sen', 'holm'][number % 4]!,
  'a rare name': (number) => ['Karalin', 'Tevikholm', 'Yozalkov', 'Banorida'][number % 4]!,
  'part of an address': (number) => `${4000 + 37 * number}@comp`,
  'a domain': (number) => `@company${100 + 7 * number}.`,
  'an external id': (number) => `legacy-${1000 + 311 * number}`,
  'part of an id': (number) => (0x01a0_0000 + 77 * number).toString(16),
  nothing: (number) => `qqx${number}zzj`,
};
const SEARCHES_OF_A_KIND = 20;
/** The plain peer may take seconds for one. */
const SEARCHES_OF_THE_PEER = 2;

async function search(bench: Bench, { ours, plain: peer }: Sides, conditions: Result['conditions']): Promise<Result> {
  const times = async ({ server, search: ask }: SearchingSide, count: number) => {
    const byKind: Record<string, number[]> = {};
    for (const [kind, term] of Object.entries(TERMS))
      byKind[kind] = await latencies(
        server.origin,
        Array.from({ length: count }, (_, number) => ask(term(number))),
      );
    return byKind;
  };
  await times(ours, 3);
  const [byKind, peers] = [await times(ours, SEARCHES_OF_A_KIND), await times(peer, SEARCHES_OF_THE_PEER)];
  for (const [kind, all] of Object.entries(byKind))
    bench.progress(`graph, search, ${kind}: p50 ${percentile(all, 50).toFixed(1)} ms, p95 ${percentile(all, 95).toFixed(1)} ms`);
  const [all, allOfPeer] = [Object.values(byKind).flat(), Object.values(peers).flat()];
  return {
    work: 'search by substring, p95',
    ours: percentile(all, 95),
    peer: percentile(allOfPeer, 95),
    peerName: 'the same by ILIKE in Yoga + Pothos + Prisma',
    unit: 'ms',
    ratio: percentile(all, 95) / percentile(allOfPeer, 95),
    conditions: {
      ...conditions,
      searches: all.length,
      p50: percentile(all, 50),
      peerP50: percentile(allOfPeer, 50),
      ...Object.fromEntries(Object.entries(byKind).map(([kind, kinds]) => [`p95 of ${kind}`, percentile(kinds, 95)])),
    },
  };
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)]!;
}
