/** Refreshes at two servers over one database at once, with a revocation in between. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { connectPostgres } from '../../src/db/client.ts';
import { startApp } from '../helpers/app.ts';
import { databaseKind } from '../helpers/database.ts';
import type { TokenAnswer } from '../helpers/user-agent.ts';
import { exchange, type Person, refreshForm, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const PARALLEL = 50;

let servers: readonly [App, App];
let dataDir: string;
let person: Person;
beforeAll(async () => {
  const { config, database, clock } = gatehouse.app.infrastructure;
  dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-other-'));
  const shared = databaseKind === 'postgres' ? connectPostgres(config.databaseUrl!) : { ...database, close: async () => {} };
  servers = [gatehouse.app, await createApp({ ...config, dataDir }, { database: shared, clock, log: pino({ level: 'silent' }) })];
  person = await signUp(gatehouse);
});
afterAll(async () => {
  await servers?.[1].close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function post(server: App, path: string, form: Record<string, string>) {
  const answer = await server.fetch(new Request(gatehouse.baseUrl + path, { method: 'POST', body: new URLSearchParams(form) }));
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : {}) as TokenAnswer };
}
const refreshAt = (server: App, token: string) => post(server, '/oauth2/token', refreshForm(gatehouse, token));
const profileAt = async (server: App, token: string) =>
  (await server.fetch(new Request(`${gatehouse.baseUrl}/oauth2/userinfo`, { headers: { authorization: `Bearer ${token}` } }))).status;
const revokeAt = (server: App, token: string) =>
  post(server, '/oauth2/revoke', { client_id: gatehouse.application('spa').clientId, token });

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
