/**
 * The protocol's endpoints against node-oidc-provider and Better Auth, with RS256 and with ES256. What issues tokens under
 * RS256 is bound by RSA: how many signatures the core makes is measured in the same rounds, and what part of that a side
 * reaches. Last, what two processes of ours do beside one.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import type { LoadRequest } from '../connection.ts';
import { answerTo, measureAnswers, type VirtualUser } from '../load.ts';
import type { Conditions, Machine } from '../machine.ts';
import { get, type OurSide, post, type Side, startBetterAuth, startNodeOidcProvider, startOurs } from '../oidc-sides.ts';
import type { Algorithm } from '../peers/node-oidc-provider.ts';
import { alternate, type Measure, median } from '../rounds.ts';
import type { Server } from '../server.ts';
import { type Bench, isWanted, type Result } from '../suite.ts';

const SCHEDULE = { warmUpSeconds: 4, rounds: 5, seconds: 2 };
const CONCURRENCY = 16;
/** More than either side exchanges in all rounds, under either algorithm. */
const CODES = 150_000;

interface Work {
  readonly name: string;
  /** How many signed tokens each answer must bring. */
  readonly signatures: number;
  /** What else every side's answer must bring. */
  readonly brings: readonly string[];
  users(side: Side): VirtualUser[];
}

const WORKS: readonly Work[] = [
  {
    name: 'client_credentials',
    signatures: 1,
    brings: ['access_token', 'expires_in', 'scope'],
    users: (side) => repeating(side, () => post(side.token, { grant_type: 'client_credentials', ...side.machine })),
  },
  {
    name: 'refresh_token',
    signatures: 2,
    brings: ['access_token', 'id_token', 'refresh_token', 'expires_in', 'scope'],
    users: (side) => each(side, (index) => refresher(side, index)),
  },
  {
    name: 'authorization_code',
    signatures: 2,
    brings: ['access_token', 'id_token', 'refresh_token', 'expires_in', 'scope'],
    users(side) {
      let number = 0;
      return each(side, () => ({
        next: () => post(side.token, { grant_type: 'authorization_code', ...side.code(number++), ...side.web }),
      }));
    },
  },
  {
    name: 'userinfo',
    signatures: 0,
    brings: ['sub', 'name', 'given_name', 'family_name', 'email', 'email_verified'],
    users: (side) => repeating(side, (index) => get(side.userinfo, { authorization: `Bearer ${side.accessTokens[index]}` })),
  },
  {
    name: 'introspection',
    signatures: 0,
    brings: ['active', 'sub', 'client_id', 'scope', 'iss', 'iat', 'exp'],
    users: (side) => repeating(side, (index) => post(side.introspection, { token: side.accessTokens[index]!, ...side.web })),
  },
  {
    name: 'discovery',
    signatures: 0,
    brings: ['issuer', 'authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'introspection_endpoint', 'jwks_uri'],
    users: (side) => repeating(side, () => get(side.discovery)),
  },
];

/** What two processes over one database are measured by: without a statement, and with one that writes. */
const SHARED = WORKS.slice(0, 2);

export async function oidc(bench: Bench): Promise<Result[]> {
  const rsa = await compare(bench, 'RS256', WORKS);
  const elliptic = await compare(
    bench,
    'ES256',
    WORKS.filter(({ signatures }) => signatures > 0),
  );
  const own = (results: readonly Result[]) => results.find(({ work }) => work.startsWith('client_credentials'));
  const [es256, rs256] = [own(elliptic), own(rsa)];
  const besideOwn = es256 &&
    rs256 && {
      ...{ ...es256, peer: rs256.ours, peerName: 'our own with RS256', ratio: es256.ours / rs256.ours },
      conditions: conditionsOf(bench),
    };
  return [...rsa, ...elliptic, ...(besideOwn ? [besideOwn] : [])];
}

async function compare(bench: Bench, algorithm: Algorithm, all: readonly Work[]): Promise<Result[]> {
  const works = all.filter((work) => isWanted(bench, nameOf(work, algorithm)));
  const shared = algorithm === 'RS256' ? SHARED.filter((work) => isWanted(bench, sharedName(work, algorithm))) : [];
  if (works.length === 0 && shared.length === 0) return [];
  const needs = { algorithm, users: CONCURRENCY, codes: works.some(({ name }) => name === 'authorization_code') ? CODES : 0 };
  const ours = await startOurs(bench, needs);
  const peers = works.length > 0 ? [await startNodeOidcProvider(bench, needs), await startBetterAuth(bench, needs)] : [];
  const conditions = conditionsOf(bench);
  const results: Result[] = [];
  for (const work of works) {
    const sides = [ours, ...peers].map((side) => ({ side, users: usersOf(side, work, algorithm), cpu: [] as number[] }));
    for (const { side, users } of sides) await tryOut(side, users[0]!);
    const isBound = algorithm === 'RS256' && work.signatures > 0;
    const rates = await alternate<string>(
      {
        ...Object.fromEntries(sides.map(({ side, users, cpu }) => [side.name, answersOf(side.server, users, cpu)])),
        ...(isBound && { 'RS256 alone': (seconds: number) => signaturesPerSecond(bench.machine, seconds) }),
      },
      SCHEDULE,
      (line) => bench.progress(`oidc ${algorithm} ${work.name} ${line}`),
    );
    const rate = rates[ours.name]!;
    const [cpu, ...cpuOfPeers] = sides.map((side) => median(side.cpu.slice(1))) as [number, ...number[]]; // Not of the warm-up.
    for (const [index, { name }] of peers.entries()) {
      const bound = isBound && {
        rs256SignaturesPerSecond: rates['RS256 alone']!,
        oursOfRsaLimit: (rate * work.signatures) / rates['RS256 alone']!,
        peerOfRsaLimit: (rates[name]! * work.signatures) / rates['RS256 alone']!,
      };
      results.push({
        work: nameOf(work, algorithm),
        ours: rate,
        peer: rates[name]!,
        peerName: name,
        unit: 'answers/s',
        ratio: rate / rates[name]!,
        conditions: {
          ...conditions,
          ...bound,
          oursCpuMicroseconds: cpu,
          peerCpuMicroseconds: cpuOfPeers[index]!,
          cpuRatio: cpuOfPeers[index]! / cpu,
        },
      });
    }
  }
  for (const peer of peers) {
    const [own, other] = [peakMegabytes(ours), peakMegabytes(peer)];
    const work = `peak memory after all of these, ${algorithm}`;
    results.push({ work, ours: own, peer: other, peerName: peer.name, unit: 'MB', ratio: own / other, conditions });
  }
  for (const peer of peers) await peer.server.stop();
  results.push(...(await compareProcesses(bench, ours, shared, algorithm)));
  await ours.server.stop();
  return results;
}

/**
 * Two processes of ours over one database, at work at once, beside one of them. They share the servers' core, so that what
 * each would do on a core of its own follows from the CPU that its answers take: what one has to do because there is
 * another is in it, what PostgreSQL has to do is not.
 */
async function compareProcesses(bench: Bench, ours: OurSide, works: readonly Work[], algorithm: Algorithm): Promise<Result[]> {
  if (works.length === 0) return [];
  const another = await ours.startAnother();
  const servers = [ours.server, another];
  const results: Result[] = [];
  for (const work of works) {
    const users = usersOf(ours, work, algorithm).map((user) => asking(ours.server, user));
    const halves = servers.map((server, at) => ({ server, users: users.filter((_user, index) => index % 2 === at) }));
    const rates = await alternate(
      { two: answersOfAllCores(halves), one: answersOfAllCores([{ server: ours.server, users }]) },
      SCHEDULE,
      (line) => bench.progress(`oidc ${algorithm} ${work.name}, processes: ${line}`),
    );
    results.push({
      work: sharedName(work, algorithm),
      ours: rates.two,
      peer: rates.one,
      peerName: 'one process',
      unit: 'answers/s, by CPU',
      ratio: rates.two / rates.one,
      conditions: conditionsOf(bench),
    });
  }
  await another.stop();
  return results;
}

/** What processes at work at once would answer in a second if each had a core for itself. */
function answersOfAllCores(processes: readonly { server: Server; users: readonly VirtualUser[] }[]): Measure {
  return async (seconds) => {
    const rates = await Promise.all(
      processes.map(async ({ server, users }) => 1e6 / (await measureAnswers(server, users, seconds)).cpuMicroseconds),
    );
    return rates.reduce((sum, rate) => sum + rate);
  };
}

function conditionsOf({ machine }: Bench): Conditions {
  return { ...machine.conditions, ...SCHEDULE, concurrency: CONCURRENCY };
}

function nameOf({ name, signatures }: Work, algorithm: Algorithm): string {
  return signatures > 0 ? `${name}, ${algorithm}` : name;
}

function sharedName(work: Work, algorithm: Algorithm): string {
  return `${nameOf(work, algorithm)}, two processes`;
}

/** The most memory that a server's process has held, as Linux counts it; NaN elsewhere. */
function peakMegabytes({ server }: Side): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

function each(side: Side, make: (index: number) => VirtualUser): VirtualUser[] {
  return side.refreshTokens.map((_token, index) => make(index));
}

/** Users who send the same again and again. */
function repeating(side: Side, make: (index: number) => LoadRequest): VirtualUser[] {
  return each(side, (index) => {
    const request = make(index);
    return { next: () => request };
  });
}

/** Rotates its own token in a chain. */
function refresher(side: Side, index: number): VirtualUser {
  return {
    next: () => post(side.token, { grant_type: 'refresh_token', refresh_token: side.refreshTokens[index]!, ...side.web }),
    answered: (body) => {
      side.refreshTokens[index] = (JSON.parse(body) as { refresh_token: string }).refresh_token;
    },
  };
}

/** Answers a second; notes in `cpu` how many microseconds of a core the server took for each. */
function answersOf(server: Server, users: readonly VirtualUser[], cpu: number[]): Measure {
  return async (seconds) => {
    const { rate, cpuMicroseconds } = await measureAnswers(server, users, seconds);
    cpu.push(cpuMicroseconds);
    return rate;
  };
}

function usersOf(side: Side, work: Work, algorithm: Algorithm): VirtualUser[] {
  return work.users(side).map((user, index) => (index === 0 ? watched(user, work, algorithm) : user));
}

/** The same requests for the host of `server`, at whichever process. */
function asking({ origin }: Server, user: VirtualUser): VirtualUser {
  const { host } = new URL(origin);
  const next = () => {
    const request = user.next();
    return { ...request, headers: { ...request.headers, host } };
  };
  return { ...user, next };
}

/** Asks a side once before anything is measured, and fails unless it does the work. */
async function tryOut({ name, server }: Side, user: VirtualUser): Promise<void> {
  try {
    user.answered!(await answerTo(server.origin, user.next()));
  } catch (cause) {
    throw new Error(`${name} does not do the work.`, { cause });
  }
}

/** Fails at an answer that is not what the work is about: then the sides would not do the same. */
function watched(user: VirtualUser, { brings, signatures }: Work, algorithm: Algorithm): VirtualUser {
  return {
    ...user,
    answered(body) {
      const answer = JSON.parse(body) as Readonly<Record<string, unknown>>;
      const tokens = [answer['access_token'], answer['id_token']].filter((token) => token !== undefined);
      const isIt = brings.every((name) => answer[name]) && tokens.length === signatures;
      if (!isIt || !tokens.every((token) => isSignedWith(algorithm, token as string)))
        throw new Error(`Not the work that is measured: ${body}`);
      user.answered?.(body);
    },
  };
}

function isSignedWith(algorithm: Algorithm, token: string): boolean {
  const [header, , signature] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { alg: string };
  return alg === algorithm && Buffer.from(signature!, 'base64url').length === (algorithm === 'RS256' ? 256 : 64);
}

async function signaturesPerSecond(machine: Machine, seconds: number): Promise<number> {
  const [program, ...args] = machine.onServerCore('bench/rsa-limit.ts', String(seconds));
  const { stdout } = await promisify(execFile)(program, args);
  return Number(stdout);
}
