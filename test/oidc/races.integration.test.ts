/**
 * What is good once, asked for at two servers over one database at once: codes, device codes and refresh tokens, these
 * also with a revocation in between. On PostgreSQL the servers are two processes of their own, as an operator starts
 * them; on the embedded database, which one process holds, both are within this one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { freePort, startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import { startProcess } from '../helpers/server-process.ts';
import { postForm, type TokenAnswer } from '../helpers/user-agent.ts';
import { codeForm, exchange, type Person, refreshForm, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const PARALLEL = 50;

interface Server {
  send(path: string, request?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

let servers: readonly [Server, Server];
let person: Person;
beforeAll(async () => {
  const start = databaseKind === 'postgres' ? startAsProcess : startWithin;
  servers = await Promise.all([start(), start()]);
  person = await signUp(gatehouse);
});
afterAll(async () => {
  for (const server of servers ?? []) await server.stop();
});

async function startAsProcess(): Promise<Server> {
  const { baseUrl, databaseUrl, dataDir, secretKey } = gatehouse.app.infrastructure.config;
  const port = await freePort();
  const environment = { BASE_URL: baseUrl, DATABASE_URL: databaseUrl!, DATA_DIR: dataDir, SECRET_KEY: secretKey.toString('hex') };
  const { ready, stop } = startProcess('src/main.ts', { ...environment, PORT: String(port), TRUST_PROXY: 'loopback', LOG_LEVEL: 'error' });
  const url = `http://localhost:${port}`;
  await ready(url);
  const forwarded = { 'x-forwarded-host': new URL(baseUrl).host };
  return {
    send: (path, request) => fetch(url + path, { ...request, headers: { ...forwarded, ...request?.headers } }),
    stop: async () => void (await stop('SIGTERM')),
  };
}

async function startWithin(): Promise<Server> {
  const { config, database, clock } = gatehouse.app.infrastructure;
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-other-'));
  const shared = { ...database, close: async () => {} };
  const app = await createApp({ ...config, dataDir }, { database: shared, clock, log: pino({ level: 'silent' }) });
  return {
    send: (path, request) => app.fetch(new Request(gatehouse.baseUrl + path, request)),
    async stop() {
      await app.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function post(server: Server, path: string, form: Record<string, string>) {
  const answer = await server.send(path, { method: 'POST', body: new URLSearchParams(form) });
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : {}) as TokenAnswer };
}
const refreshAt = (server: Server, token: string) => post(server, '/oauth2/token', refreshForm(gatehouse, token));
const profileAt = async (server: Server, token: string) =>
  (await server.send('/oauth2/userinfo', { headers: { authorization: `Bearer ${token}` } })).status;
const revokeAt = (server: Server, token: string) =>
  post(server, '/oauth2/revoke', { client_id: gatehouse.application('spa').clientId, token });

/** Sends one form `PARALLEL` times, every other to either server. */
const everywhere = (form: Record<string, string>) =>
  Promise.all(Array.from({ length: PARALLEL }, (_, at) => post(servers[at % 2]!, '/oauth2/token', form)));

/** The one answer that brought tokens, after a look at all the others. */
function winnerOf(answers: readonly { status: number; body: TokenAnswer }[]): TokenAnswer {
  const won = answers.filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  for (const { status, body } of answers.filter((answer) => answer !== won[0]))
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  return won[0]!.body;
}

test('fifty exchanges of a code at two servers have one winner, whose family does not survive the others', async () => {
  const { access_token, refresh_token } = winnerOf(await everywhere(codeForm(gatehouse, await person.authorize())));
  for (const server of servers) {
    expect((await refreshAt(server, refresh_token)).body.error).toBe('invalid_grant');
    expect(await profileAt(server, access_token)).toBe(401);
  }
});

test('fifty polls of an allowed device at two servers have one winner, and the device stays connected', async () => {
  const { issuer } = gatehouse.quickstart;
  const { clientId } = gatehouse.application('device');
  const { body } = await postForm(`${issuer}/oauth2/device/auth`, { client_id: clientId, scope: 'openid offline' });
  const typed = await person.agent.submit(await person.agent.open(`${issuer}/device`), 'device', {
    p_user_code: String(body!['user_code']),
  });
  await person.agent.submit(typed, 'device', { p_decision: 'allow' });
  const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
  const { access_token } = winnerOf(await everywhere({ grant_type, client_id: clientId, device_code: String(body!['device_code']) }));
  for (const server of servers) expect(await profileAt(server, access_token)).toBe(200);
});

const newFamily = async () => (await exchange(gatehouse, await person.authorize())).body.refresh_token;
const successorsIn = (answers: readonly { body: TokenAnswer }[]) => new Set(answers.flatMap(({ body }) => body.refresh_token ?? []));
const refreshEverywhere = (token: string) => Array.from({ length: PARALLEL }, (_, at) => refreshAt(servers[at % 2]!, token));

test('fifty refreshes at two servers have one successor, and nobody is signed out', async () => {
  const token = await newFamily();
  const answers = await Promise.all(refreshEverywhere(token));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: PARALLEL }, () => 200));
  const [successor, ...others] = successorsIn(answers);
  expect(others).toEqual([]);
  for (const { body } of answers) expect(body.id_token).toEqual(expect.any(String));
  const next = await Promise.all(refreshEverywhere(successor!));
  expect(successorsIn(next).size).toBe(1);
  expect(await profileAt(servers[1], next[0]!.body.access_token)).toBe(200);
});

test.each([0, 5, 10, 25, 40])(
  'a revocation after %i of fifty refreshes leaves no token that works, and no other family without one',
  async (before) => {
    const [token, bystander] = [await newFamily(), await newFamily()];
    const refreshes: ReturnType<typeof refreshAt>[] = [];
    for (let at = 0; at < before; at++) refreshes.push(refreshAt(servers[at % 2]!, token));
    if (before > 0) await refreshes[0];
    const revoked = revokeAt(servers[1], token);
    for (let at = before; at < PARALLEL; at++) refreshes.push(refreshAt(servers[at % 2]!, token));
    const other = Promise.all(refreshEverywhere(bystander));
    expect((await revoked).status).toBe(200);
    const answers = await Promise.all(refreshes);

    const successors = successorsIn(answers);
    expect(successors.size).toBe(before > 0 ? 1 : successors.size);
    expect(successors.size).toBeLessThan(2);
    for (const server of servers) {
      for (const dead of [token, ...successors]) expect((await refreshAt(server, dead)).body.error).toBe('invalid_grant');
      for (const { body } of answers) if (body.access_token) expect(await profileAt(server, body.access_token)).toBe(401);
    }
    const others = await other;
    expect(others.every(({ status }) => status === 200)).toBe(true);
    expect(successorsIn(others).size).toBe(1);
    expect(await profileAt(servers[0], others.at(-1)!.body.access_token)).toBe(200);
  },
);
