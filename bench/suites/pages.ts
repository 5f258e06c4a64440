/** What a sign-in page costs its server, beside the page that node-oidc-provider brings for development; and what each page of ours costs. */
import { gzipSync } from 'node:zlib';
import type { Infrastructure } from '../../src/features/context.ts';
import type { Quickstart } from '../../src/features/seed/service.ts';
import { type Gatehouse, startGatehouse } from '../gatehouse.ts';
import { answerTo, measureAnswers } from '../load.ts';
import { get } from '../oidc-sides.ts';
import { everyPage } from '../page-states.ts';
import { CLIENTS, CODE_VERIFIER, seedNodeOidcProvider } from '../peers/node-oidc-provider.ts';
import { alternate, type Measure } from '../rounds.ts';
import { createDatabase, freePort, type Server, startServer } from '../server.ts';
import type { Bench, Result } from '../suite.ts';

const SCHEDULE = { warmUpSeconds: 6, rounds: 5, seconds: 3 };
const CONCURRENCY = 8;

/** For each page of ours: so many seconds to warm up, then the median of the rounds. */
const EACH = { warmUpSeconds: 1, rounds: 3, seconds: 1 };
const GOAL_MILLISECONDS = 2;
const GOAL_BYTES = 15 * 1024;

interface Page {
  readonly server: Server;
  readonly path: string;
  readonly cookie: string;
}

export async function pages(bench: Bench): Promise<Result[]> {
  const { gatehouse, ...ours } = await openOurs(bench);
  const peer = await openPeer(bench);
  const costs = await alternate({ ours: costOf(ours), peer: costOf(peer) }, SCHEDULE, (line) => bench.progress(`pages, µs: ${line}`));
  const sizes = await Promise.all(
    [ours, peer].map(async ({ server, ...page }) => gzipSync(await answerTo(server.origin, request(page))).length),
  );
  await peer.server.stop();
  const each = await gatehouse.run((infrastructure) => costOfEach(bench, infrastructure, gatehouse.quickstart, ours));
  await ours.server.stop();
  const common = { peerName: 'node-oidc-provider’s development page' };
  const conditions = { ...bench.machine.conditions, ...SCHEDULE, concurrency: CONCURRENCY };
  return [
    { work: 'sign-in page, read from the database and drawn', ...milliseconds(costs), ...common, unit: 'ms of CPU', conditions },
    { work: 'sign-in page, gzipped', ours: sizes[0]!, peer: sizes[1]!, ...common, unit: 'bytes', ratio: sizes[0]! / sizes[1]!, conditions },
    ...each,
  ];
}

/** Each page of ours beside the goal. */
async function costOfEach(
  bench: Bench,
  infrastructure: Infrastructure,
  quickstart: Quickstart,
  { server, ...visit }: Page,
): Promise<Result[]> {
  const conditions = { ...bench.machine.conditions, ...EACH, concurrency: CONCURRENCY };
  const results: Result[] = [];
  for (const { name, arrive } of await everyPage(infrastructure, quickstart, visit)) {
    const page = await arrive();
    const size = gzipSync(await answerTo(server.origin, request(page))).length;
    const { ours } = await alternate({ ours: costOf({ server, ...page }) }, EACH, () => {});
    bench.progress(`pages, ${name}: ${Math.round(ours)} µs`);
    const common = { peerName: 'the goal', conditions };
    results.push(
      {
        work: `page ${name}`,
        ours: ours / 1000,
        peer: GOAL_MILLISECONDS,
        ratio: ours / 1000 / GOAL_MILLISECONDS,
        unit: 'ms of CPU',
        ...common,
      },
      { work: `page ${name}, gzipped`, ours: size, peer: GOAL_BYTES, ratio: size / GOAL_BYTES, unit: 'bytes', ...common },
    );
  }
  return results;
}

function milliseconds({ ours, peer }: Record<'ours' | 'peer', number>) {
  return { ours: ours / 1000, peer: peer / 1000, ratio: ours / peer };
}

/** Microseconds of the server's CPU for each answer. */
function costOf({ server, ...page }: Page): Measure {
  const users = Array(CONCURRENCY).fill({ next: () => request(page) });
  return async (seconds) => (await measureAnswers(server, users, seconds)).cpuMicroseconds;
}

function request({ path, cookie }: Omit<Page, 'server'>) {
  return get(path, { cookie, accept: 'text/html', 'accept-language': 'en-GB,en;q=0.9' });
}

async function openOurs(bench: Bench): Promise<Page & { readonly gatehouse: Gatehouse }> {
  const gatehouse = await startGatehouse(bench, await createDatabase(bench.postgres, 'gatehouse_pages'));
  const { quickstart, callbackUrl } = gatehouse;
  const server = await gatehouse.restartInProduction();
  const { clientId } = quickstart.applications.find(({ type }) => type === 'reg')!;
  return { gatehouse, server, ...(await follow(`${quickstart.issuer}/oauth2/auth`, { client_id: clientId, redirect_uri: callbackUrl })) };
}

async function openPeer(bench: Bench): Promise<Page> {
  const databaseUrl = await createDatabase(bench.postgres, 'node_oidc_provider_pages');
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  await seedNodeOidcProvider(origin, databaseUrl, 1, 1, 'RS256');
  const environment = { DATABASE_URL: databaseUrl, PORT: String(port), ALGORITHM: 'RS256', PAGES: 'on' };
  const server = await startServer(bench.machine, 'bench/peers/node-oidc-provider.ts', origin, environment);
  const { client_id, redirect_uris } = CLIENTS.web;
  return { server, ...(await follow(`${origin}/auth`, { client_id, redirect_uri: redirect_uris[0]! })) };
}

/** Starts an authorization, as far as to the page that it leads to. */
async function follow(authorize: string, client: { client_id: string; redirect_uri: string }): Promise<Omit<Page, 'server'>> {
  const parameters = { ...client, response_type: 'code', scope: 'openid', state: 'a-state', nonce: 'a-nonce' };
  const pkce = { code_challenge: CODE_VERIFIER.padEnd(43, 'x').slice(0, 43), code_challenge_method: 'S256' };
  const response = await fetch(`${authorize}?${new URLSearchParams({ ...parameters, ...pkce })}`, { redirect: 'manual' });
  const cookies = response.headers.getSetCookie().map((line) => line.slice(0, line.indexOf(';')));
  return { path: new URL(response.headers.get('location')!, authorize).pathname, cookie: cookies.join('; ') };
}
