/**
 * The protocol's endpoints against node-oidc-provider, with RS256 and with ES256. What issues tokens under RS256 is bound
 * by RSA: how many signatures the core makes is measured in the same rounds, and what part of that a side reaches.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { answersPerSecond, type VirtualUser } from '../load.ts';
import type { Machine } from '../machine.ts';
import { get, post, type Side, startOurs, startPeer } from '../oidc-sides.ts';
import type { Algorithm } from '../peers/node-oidc-provider.ts';
import { alternate, type Measure } from '../rounds.ts';
import type { Bench, Result } from '../suite.ts';

const SCHEDULE = { warmUpSeconds: 6, rounds: 5, seconds: 3 };
const CONCURRENCY = 16;
/** More than either side exchanges in all rounds, under either algorithm. */
const CODES = 150_000;

interface Work {
  readonly name: string;
  /** How many signed tokens each answer must bring. */
  readonly signatures: number;
  users(side: Side): VirtualUser[];
}

const WORKS: readonly Work[] = [
  {
    name: 'client_credentials',
    signatures: 1,
    users: (side) => each(side, () => ({ next: () => post(side.token, { grant_type: 'client_credentials', ...side.machine }) })),
  },
  { name: 'refresh_token', signatures: 2, users: (side) => each(side, (index) => refresher(side, side.refreshTokens[index]!)) },
  {
    name: 'authorization_code',
    signatures: 2,
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
    users: (side) => each(side, (index) => ({ next: () => get(side.userinfo, { authorization: `Bearer ${side.accessTokens[index]}` }) })),
  },
  {
    name: 'introspection',
    signatures: 0,
    users: (side) => each(side, (index) => ({ next: () => post(side.introspection, { token: side.accessTokens[index]!, ...side.web }) })),
  },
  { name: 'discovery', signatures: 0, users: (side) => each(side, () => ({ next: () => get(side.discovery) })) },
];

export async function oidc(bench: Bench): Promise<Result[]> {
  const rsa = await compare(bench, 'RS256', WORKS);
  const elliptic = await compare(bench, 'ES256', WORKS.slice(0, 3));
  const own = (results: readonly Result[]) => results.find(({ work }) => work.startsWith('client_credentials'))!;
  const es256 = own(elliptic);
  const rs256 = own(rsa);
  const besideOwn = { ...es256, peer: rs256.ours, peerName: 'our own with RS256', ratio: es256.ours / rs256.ours };
  return [...rsa, ...elliptic, besideOwn];
}

async function compare(bench: Bench, algorithm: Algorithm, works: readonly Work[]): Promise<Result[]> {
  const needs = { algorithm, users: CONCURRENCY, codes: CODES };
  const ours = await startOurs(bench, needs);
  const peer = await startPeer(bench, needs);
  const results: Result[] = [];
  for (const work of works) {
    const sides: Record<'ours' | 'peer', Measure> = { ours: measure(ours, work, algorithm), peer: measure(peer, work, algorithm) };
    const isBound = algorithm === 'RS256' && work.signatures > 0;
    const all: Record<string, Measure> = isBound
      ? { ...sides, 'RS256 alone': (seconds) => signaturesPerSecond(bench.machine, seconds) }
      : sides;
    const rates: Partial<Record<string, number>> = await alternate(all, SCHEDULE, (line) =>
      bench.progress(`oidc ${algorithm} ${work.name} ${line}`),
    );
    const bound = isBound ? rates['RS256 alone']! / work.signatures : undefined;
    results.push({
      work: work.signatures > 0 ? `${work.name}, ${algorithm}` : work.name,
      ours: rates['ours']!,
      peer: rates['peer']!,
      peerName: `node-oidc-provider ${peerVersion()}`,
      unit: 'answers/s',
      ratio: rates['ours']! / rates['peer']!,
      conditions: {
        ...bench.machine.conditions,
        ...SCHEDULE,
        concurrency: CONCURRENCY,
        ...(bound && {
          rs256SignaturesPerSecond: rates['RS256 alone']!,
          oursOfRsaLimit: rates['ours']! / bound,
          peerOfRsaLimit: rates['peer']! / bound,
        }),
      },
    });
  }
  const peaks = { ours: peakMegabytes(ours), peer: peakMegabytes(peer) };
  results.push({
    work: `peak memory after all of these, ${algorithm}`,
    ...peaks,
    peerName: `node-oidc-provider ${peerVersion()}`,
    unit: 'MB',
    ratio: peaks.ours / peaks.peer,
    conditions: { ...bench.machine.conditions, ...SCHEDULE, concurrency: CONCURRENCY },
  });
  await Promise.all([ours.server.stop(), peer.server.stop()]);
  return results;
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

/** Rotates its own token in a chain. */
function refresher(side: Side, first: string): VirtualUser {
  let token = first;
  return {
    next: () => post(side.token, { grant_type: 'refresh_token', refresh_token: token, ...side.web }),
    answered: (body) => {
      token = (JSON.parse(body) as { refresh_token: string }).refresh_token;
    },
  };
}

function measure(side: Side, work: Work, algorithm: Algorithm): Measure {
  const users = work.users(side).map((user, index) => (index === 0 ? watched(user, work, algorithm) : user));
  return (seconds) => answersPerSecond(side.server.origin, users, seconds);
}

/** Fails at an answer that is not what the work is about: then the two sides would not do the same. */
function watched(user: VirtualUser, { name, signatures }: Work, algorithm: Algorithm): VirtualUser {
  return {
    ...user,
    answered(body) {
      const answer = JSON.parse(body) as { access_token?: string; id_token?: string; active?: boolean; email?: string; issuer?: string };
      const tokens = [answer.access_token, answer.id_token].filter((token) => token !== undefined);
      const isIt = { introspection: answer.active === true, userinfo: !!answer.email, discovery: !!answer.issuer }[name] ?? signatures > 0;
      if (!isIt || tokens.length !== signatures || !tokens.every((token) => isSignedWith(algorithm, token)))
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

function peerVersion(): string {
  const path = new URL('../../node_modules/oidc-provider/package.json', import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
