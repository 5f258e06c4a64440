/**
 * The token endpoint against node-oidc-provider: a machine's token, and the rotation of a refresh token. Either is
 * bound by RSA: how many signatures the core makes is measured in the same rounds, and what part of that a side reaches.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { startGatehouse } from '../gatehouse.ts';
import { answersPerSecond, type VirtualUser } from '../load.ts';
import type { Machine } from '../machine.ts';
import { CLIENTS, RESOURCE, RESOURCE_SCOPES, seedPeer } from '../peers/node-oidc-provider.ts';
import { alternate } from '../rounds.ts';
import { createDatabase, freePort, type Server, startServer } from '../server.ts';
import type { Bench, Result } from '../suite.ts';

const SCHEDULE = { warmUpSeconds: 6, rounds: 7, seconds: 3 };
const CONCURRENCY = 16;

/** A token endpoint, and what its clients send. */
interface Side {
  readonly server: Server;
  readonly path: string;
  readonly machine: Record<string, string>;
  readonly web: Record<string, string>;
  /** One of each virtual user. */
  readonly refreshTokens: readonly string[];
}

interface Work {
  readonly name: string;
  /** How many tokens each answer must bring, signed with RS256 and 2048 bits. */
  readonly signatures: number;
  users(side: Side): VirtualUser[];
}

const WORKS: readonly Work[] = [
  {
    name: 'client_credentials',
    signatures: 1,
    users: (side) => side.refreshTokens.map(() => ({ next: () => post(side.path, { grant_type: 'client_credentials', ...side.machine }) })),
  },
  { name: 'refresh_token', signatures: 2, users: (side) => side.refreshTokens.map((token) => refresher(side, token)) },
];

export async function oidc(bench: Bench): Promise<Result[]> {
  const ours = await startOurs(bench);
  const peer = await startPeer(bench);
  const results: Result[] = [];
  for (const work of WORKS) {
    const rates = await alternate(
      { ours: measure(ours, work), peer: measure(peer, work), 'RS256 alone': (seconds) => signaturesPerSecond(bench.machine, seconds) },
      SCHEDULE,
      (line) => bench.progress(`oidc ${work.name} ${line}`),
    );
    const bound = rates['RS256 alone'] / work.signatures;
    results.push({
      work: work.name,
      ours: rates.ours,
      peer: rates.peer,
      peerName: `node-oidc-provider ${peerVersion()}`,
      unit: 'answers/s',
      ratio: rates.ours / rates.peer,
      conditions: {
        ...bench.machine.conditions,
        ...SCHEDULE,
        concurrency: CONCURRENCY,
        signaturesPerAnswer: work.signatures,
        rs256SignaturesPerSecond: rates['RS256 alone'],
        oursOfRsaLimit: rates.ours / bound,
        peerOfRsaLimit: rates.peer / bound,
      },
    });
  }
  await Promise.all([ours.server.stop(), peer.server.stop()]);
  return results;
}

async function startOurs(bench: Bench): Promise<Side> {
  const gatehouse = await startGatehouse(bench, await createDatabase(bench.postgres, 'gatehouse'));
  const credentials = (type: string) => {
    const { clientId, clientSecret } = gatehouse.quickstart.applications.find((application) => application.type === type)!;
    return { client_id: clientId, client_secret: clientSecret! };
  };
  return {
    server: gatehouse.server,
    path: '/oauth2/token',
    machine: { ...credentials('m2m'), audience: 'https://api.acme.test' },
    web: credentials('reg'),
    refreshTokens: await gatehouse.signIn(CONCURRENCY),
  };
}

async function startPeer(bench: Bench): Promise<Side> {
  const databaseUrl = await createDatabase(bench.postgres, 'node_oidc_provider');
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const refreshTokens = await seedPeer(origin, databaseUrl, CONCURRENCY);
  const environment = { DATABASE_URL: databaseUrl, PORT: String(port) };
  const credentials = ({ client_id, client_secret }: (typeof CLIENTS)['web' | 'machine']) => ({ client_id, client_secret });
  return {
    server: await startServer(bench.machine, 'bench/peers/node-oidc-provider.ts', origin, environment),
    path: '/token',
    machine: { ...credentials(CLIENTS.machine), resource: RESOURCE, scope: RESOURCE_SCOPES },
    web: credentials(CLIENTS.web),
    refreshTokens,
  };
}

/** Rotates its own token in a chain. */
function refresher(side: Side, first: string): VirtualUser {
  let token = first;
  return {
    next: () => post(side.path, { grant_type: 'refresh_token', refresh_token: token, ...side.web }),
    answered: (body) => {
      token = (JSON.parse(body) as { refresh_token: string }).refresh_token;
    },
  };
}

function post(path: string, form: Record<string, string>) {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  };
}

function measure(side: Side, work: Work): (seconds: number) => Promise<number> {
  const users = work.users(side).map((user, index) => (index === 0 ? watched(user, work.signatures) : user));
  return (seconds) => answersPerSecond(side.server.origin, users, seconds);
}

/** Fails at an answer with other tokens than the work is about: then the two sides would not do the same. */
function watched(user: VirtualUser, signatures: number): VirtualUser {
  return {
    ...user,
    answered(body) {
      const { access_token, id_token } = JSON.parse(body) as { access_token: string; id_token?: string };
      const tokens = id_token === undefined ? [access_token] : [access_token, id_token];
      if (tokens.length !== signatures || !tokens.every(isRs256)) throw new Error(`Not the work that is measured: ${body}`);
      user.answered?.(body);
    },
  };
}

function isRs256(token: string): boolean {
  const [header, , signature] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header!, 'base64url').toString()) as { alg: string };
  return alg === 'RS256' && Buffer.from(signature!, 'base64url').length === 2048 / 8;
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
