/**
 * Guessing, many at a time, over two servers on one database: on PostgreSQL they are processes of their own, as an
 * operator starts them; the embedded database has one process, in which they share nothing but the database.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { freePort, startApp } from '../../helpers/app.ts';
import { databaseKind } from '../../helpers/database.ts';
import { ask } from '../../helpers/graph.ts';
import { startProcess } from '../../helpers/server-process.ts';
import { type PageView, teamToken, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  identify,
  isSignedIn,
  newAddress,
  PASSWORD,
  problemOf,
  signInByCode,
  signUp,
  typeCode,
  userIdOf,
} from '../person.ts';

const LIMITS = Object.fromEntries(['AUTH', 'API', 'ADMIN'].map((name) => [`RATE_LIMIT_${name}`, '999999999,999999999,999999999']));
const gatehouse = startApp({ TRUST_PROXY: 'loopback' });
const servers: string[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await signInByCode(gatehouse, 'reg');
  const { config, database } = gatehouse.app.infrastructure;
  if (databaseKind === 'postgres') {
    const ports = [await freePort(), await freePort()];
    const processes = ports.map((port) =>
      startProcess('src/main.ts', {
        PORT: String(port),
        BASE_URL: config.baseUrl,
        DATABASE_URL: config.databaseUrl!,
        DATA_DIR: config.dataDir,
        SECRET_KEY: config.secretKey.toString('hex'),
        TRUST_PROXY: 'loopback',
        ...LIMITS,
      }),
    );
    closing.push(...processes.map((process) => () => process.stop('SIGTERM')));
    servers.push(...ports.map((port) => `http://localhost:${port}`));
    await Promise.all(processes.map((process, index) => process.ready(servers[index]!)));
    return;
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-other-'));
  const other = await createApp(
    { ...config, dataDir },
    { database: { ...database, close: async () => {} }, log: pino({ level: 'silent' }) },
  );
  closing.push(
    () => other.close(),
    async () => rmSync(dataDir, { recursive: true, force: true }),
  );
  servers.push(gatehouse.baseUrl, await other.server.listen({ port: await freePort(), host: 'localhost' }));
}, 60_000);
afterAll(async () => {
  for (const close of closing) await close();
});

let requests = 0;
/** A browser whose requests go to the one server and the other in turns, as a load balancer sends them. */
const newAgent = () =>
  userAgent(gatehouse.baseUrl, { 'x-forwarded-host': new URL(gatehouse.baseUrl).host }, () => servers[requests++ % servers.length]!);

/** What a guess was answered. */
const answerTo = (page: PageView) => (isSignedIn(page) ? 'signed in' : /locked/.test(problemOf(page) ?? '') ? 'locked' : `${page.status}`);
const counted = (pages: PageView[]) => Object.groupBy(pages.map(answerTo), (answer) => answer);

async function unlock(email: string): Promise<void> {
  const document = 'mutation ($input: UnlockUserInput!) { unlockUser(input: $input) { errors { message } } }';
  const { data, errors } = await ask(gatehouse, await teamToken(gatehouse, gatehouse.quickstart.owner.email), document, {
    input: { userId: await userIdOf(gatehouse, email) },
  });
  expect([errors, data]).toEqual([[], { unlockUser: { errors: [] } }]);
}

test('twenty browsers guess at one password at once: five guesses are looked at, and afterwards not even the right one', async () => {
  const { email } = await signUp(gatehouse);
  const browsers: { agent: UserAgent; page: PageView }[] = [];
  for (let index = 0; index < 20; index++) {
    const agent = newAgent();
    browsers.push({ agent, page: (await identify(gatehouse, agent, email)).page });
  }
  const guesses = await Promise.all(
    browsers.map(({ agent, page }, index) => agent.submit(page, 'password', { p_password: `guess ${index}` })),
  );
  const { 422: wrong, locked } = counted(guesses);
  expect([wrong?.length, locked?.length]).toEqual([5, 15]);
  const right = () => Promise.all(browsers.slice(0, 4).map(({ agent, page }) => agent.submit(page, 'password', { p_password: PASSWORD })));
  expect(counted(await right())).toEqual({ locked: ['locked', 'locked', 'locked', 'locked'] });

  await unlock(email);
  const agent = newAgent();
  const { page } = await identify(gatehouse, agent, email);
  expect(isSignedIn(await agent.submit(page, 'password', { p_password: PASSWORD }))).toBe(true);
});

test.each(['somebody', 'nobody'])(
  'codes of %s are guessed at through six sign-ins at once: there are five guesses for all of them',
  async (who) => {
    const email = who === 'somebody' ? (await signUp(gatehouse)).email : newAddress();
    const parameters: Record<string, string> = who === 'somebody' ? {} : { prompt: 'create' };
    const browsers: { agent: UserAgent; page: PageView }[] = [];
    for (let index = 0; index < 6; index++) {
      const agent = newAgent();
      browsers.push({ agent, page: (await identify(gatehouse, agent, email, parameters, 'reg')).page });
    }
    const guesses = await Promise.all(
      browsers.flatMap(({ agent, page }, browser) =>
        Array.from({ length: 6 }, (_, guess) => agent.submit(page, 'code', { p_confirmation_code: `${browser}0000${guess}` })),
      ),
    );
    const { 422: wrong, locked } = counted(guesses);
    expect([wrong?.length, locked?.length]).toEqual([5, 31]);

    if (who === 'nobody') return; // An address that has no account yet waits until the lock is over.
    await unlock(email);
    const agent = newAgent();
    const after = 1 + browsers.length;
    await gatehouse.mailTo(email, { after: after - 1 });
    const { request, page } = await identify(gatehouse, agent, email, {}, 'reg');
    const done = await typeCode(gatehouse, agent, page, email, after);
    expect((await exchange(gatehouse, answerOf(done, request), 'reg')).status).toBe(200);
  },
);

test('one right code, typed at both servers at once, signs in once', async () => {
  const { email } = await signUp(gatehouse);
  const agent = newAgent();
  const after = await gatehouse.mailCount(email);
  const { page } = await identify(gatehouse, agent, email, {}, 'reg');
  const { text } = await gatehouse.mailTo(email, { after });
  const code = /\b\d{6}\b/.exec(text)![0];
  const pages = await Promise.all(Array.from({ length: 4 }, () => agent.submit(page, 'code', { p_confirmation_code: code })));
  expect(pages.filter(isSignedIn)).toHaveLength(1);
});
