/** Programs at the forms that make accounts and send messages, and addresses that are made to be thrown away. */
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { passesBotCheck } from '../../../src/features/bot-checks/service.ts';
import { createContext } from '../../../src/features/context.ts';
import { tenancyOf } from '../../../src/features/environments/directory.ts';
import { freePort, startApp } from '../../helpers/app.ts';
import { ask } from '../../helpers/graph.ts';
import { machineToken, userAgent } from '../../helpers/user-agent.ts';
import {
  choosePassword,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  requestOf,
  signUp,
  typeCode,
} from '../person.ts';
import { challengeIn, NO_PROOF, solve } from '../proof-of-work.ts';

const port = await freePort();
const gatehouse = startApp({ TURNSTILE_URL: `http://localhost:${port}/siteverify` });
const newAgent = () => userAgent(gatehouse.baseUrl);

async function set(mutation: string, input: object): Promise<void> {
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const token = await machineToken(gatehouse);
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { code path } } }`;
  const { data, errors } = await ask<Record<string, { errors: unknown[] }>, object>(gatehouse, token, query, {
    input: { environmentId, ...input },
  });
  expect([errors, data?.[mutation]?.errors]).toEqual([[], []]);
  gatehouse.app.infrastructure.lookups.forget();
}

/** A page that is about to be sent, in a browser of its own. */
async function atIdentify(prompt = 'create') {
  const agent = newAgent();
  return { agent, page: await agent.open(requestOf(gatehouse, 'spa', { prompt }).url) };
}

describe('a proof of work', () => {
  beforeEach(() => set('updateBotCheck', { kind: 'PROOF_OF_WORK' }));
  afterEach(() => set('updateBotCheck', { kind: 'OFF' }));

  test('lets in who has it, at each form that sends a message', async () => {
    const email = newAddress();
    const { agent, page } = await atIdentify();
    const code = await agent.submit(page, 'identify', { p_email: email, p_bot_check: await solve(page) });
    expect(headingOf(code)).toBe('Check your mail');
    gatehouse.advance(31);
    expect(problemOf(await agent.submit(code, 'resend'))).toBe(NO_PROOF);
    const again = await agent.submit(code, 'resend', { p_bot_check: await solve(code) });
    expect(again.status).toBe(200);
    expect(isSignedIn(await choosePassword(agent, await typeCode(gatehouse, agent, again, email, 1)))).toBe(true);

    const back = await atIdentify('login');
    const password = await back.agent.submit(back.page, 'identify', { p_email: email, p_bot_check: await solve(back.page) });
    expect(headingOf(password)).toBe('Enter your password');
    expect(problemOf(await back.agent.submit(password, 'forgot'))).toBe(NO_PROOF);
    gatehouse.advance(31);
    const reset = await back.agent.submit(password, 'forgot', { p_bot_check: await solve(password) });
    expect(headingOf(reset)).toBe('Check your mail');
  });

  test('is not replaced by anything else: nothing is sent', async () => {
    const email = newAddress();
    const { agent, page } = await atIdentify();
    const other = await atIdentify();
    const wrong = { ...challengeIn(page) };
    const forged = { ...wrong, number: 1, signature: '0'.repeat(64) };
    const answers = {
      nothing: '',
      noise: 'x',
      'a long noise': 'x'.repeat(10_000),
      'JSON of something else': Buffer.from('{"number":1}').toString('base64'),
      null: Buffer.from('null').toString('base64'),
      'a wrong number': await solve(page, { number: -1 }),
      'a challenge of one’s own': Buffer.from(JSON.stringify(forged)).toString('base64'),
      'a longer life': await solve(page, { salt: wrong.salt.replace(/until=\d+/, 'until=99999999999') }),
      'an easier algorithm': await solve(page, { algorithm: 'SHA-1' }),
      'the solution of another attempt': await solve(other.page),
    };
    for (const [what, p_bot_check] of Object.entries(answers)) {
      const refused = await agent.submit(page, 'identify', { p_email: email, p_bot_check });
      expect([refused.status, problemOf(refused)], what).toEqual([422, NO_PROOF]);
      expect(refused.html).toContain(email);
    }
    expect(await gatehouse.mailCount(email)).toBe(0);
  });

  test('is good for its environment and its page only, and once: of ten at the same moment too', async () => {
    const { agent, page } = await atIdentify();
    const p_bot_check = await solve(page);
    const { infrastructure } = gatehouse.app;
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined });
    const tenancy = (await tenancyOf(infrastructure, environmentId))!;
    const about = `${page.url.split('/').at(-1)} identify`;
    const elsewhere = { ...tenancy, environmentId: 'env_elsewhere' };
    expect(await passesBotCheck(ctx, elsewhere, about, p_bot_check)).toBe(false);
    expect(await passesBotCheck(ctx, tenancy, `x${about.slice(1)}`, p_bot_check)).toBe(false);
    const passed = await Promise.all(Array.from({ length: 10 }, () => passesBotCheck(ctx, tenancy, about, p_bot_check)));
    expect(passed.filter(Boolean)).toHaveLength(1);
    const replayed = await agent.submit(page, 'identify', { p_email: newAddress(), p_bot_check });
    expect([replayed.status, problemOf(replayed)]).toEqual([422, NO_PROOF]);
  });

  test('is too late after half an hour', async () => {
    const { agent, page } = await atIdentify();
    const p_bot_check = await solve(page);
    gatehouse.advance(1801);
    const late = await agent.submit(page, 'identify', { p_email: newAddress(), p_bot_check });
    expect([late.status, problemOf(late)]).toEqual([422, NO_PROOF]);
    const fresh = await agent.submit(late, 'identify', { p_email: newAddress(), p_bot_check: await solve(late) });
    expect(headingOf(fresh)).toBe('Check your mail');
  });

  test('loads no more than a script of ours, and says without JavaScript what is missing', async () => {
    const { page } = await atIdentify();
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'nonce-[\w-]{22}'; style-src 'self';/);
    expect(page.html).toMatch(/<noscript><p class="banner">This page makes sure that you are not a program, and needs JavaScript/);
    expect(page.html).not.toContain('cloudflare');
  });
});

describe('Turnstile', () => {
  const SECRET = '0x4AAAAAAA-secret';
  const asked: Record<string, string>[] = [];
  let server: Server;
  let answer: { status: number; body: string };
  beforeAll(async () => {
    server = createServer(async (message, response) => {
      let body = '';
      for await (const chunk of message) body += String(chunk);
      asked.push(Object.fromEntries(new URLSearchParams(body)));
      const isRight = asked.at(-1)!['secret'] === SECRET && asked.at(-1)!['response'] === 'a token';
      response.writeHead(answer.status).end(answer.body || JSON.stringify({ success: isRight }));
    });
    await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
    await set('updateBotCheck', { kind: 'TURNSTILE', turnstileSiteKey: '0x4AAAAAAA-site', turnstileSecret: SECRET });
  });
  beforeEach(() => {
    answer = { status: 200, body: '' };
    asked.length = 0;
  });
  afterAll(async () => {
    await set('updateBotCheck', { kind: 'OFF' });
    server.close();
  });

  test('is asked about the token, with the secret that only we know', async () => {
    const { agent, page } = await atIdentify();
    expect(page.html).toContain('data-sitekey="0x4AAAAAAA-site"');
    const done = await agent.submit(page, 'identify', { p_email: newAddress(), p_bot_check: 'a token' });
    expect(headingOf(done)).toBe('Check your mail');
    expect(asked).toEqual([{ secret: SECRET, response: 'a token', remoteip: expect.any(String) }]);
    expect([page.html, done.html, gatehouse.log()].join()).not.toContain(SECRET);
    const { turnstileSecret } = await productionEnvironment(gatehouse);
    expect(turnstileSecret).not.toContain(SECRET);
  });

  test.each([
    ['refuses', { status: 200, body: '{"success":false}' }],
    ['says something else', { status: 200, body: '{"success":"true"}' }],
    ['says nothing that can be read', { status: 200, body: 'yes' }],
    ['says null', { status: 200, body: 'null' }],
    ['is broken', { status: 500, body: '{"success":true}' }],
    ['leads elsewhere', { status: 302, body: '{"success":true}' }],
  ])('that %s lets nobody in', async (_what, says) => {
    answer = says;
    const { agent, page } = await atIdentify();
    const refused = await agent.submit(page, 'identify', { p_email: newAddress(), p_bot_check: 'a token' });
    expect([refused.status, problemOf(refused)]).toEqual([422, NO_PROOF]);
  });

  test('is not asked about nothing', async () => {
    const { agent, page } = await atIdentify();
    for (const p_bot_check of ['', 'x'.repeat(2049)])
      expect((await agent.submit(page, 'identify', { p_email: newAddress(), p_bot_check })).status).toBe(422);
    expect(asked).toEqual([]);
  });

  test('may be loaded by the pages that show it, and by no other', async () => {
    const { page } = await atIdentify();
    const policy = page.headers.get('content-security-policy')!;
    expect(policy).toContain('script-src https://challenges.cloudflare.com; frame-src https://challenges.cloudflare.com;');
    const elsewhere = await fetch(`${gatehouse.baseUrl}/device`);
    expect(elsewhere.headers.get('content-security-policy')).not.toContain('cloudflare');
  });
});

test('where nothing is asked for, pages run no script, and ask for no proof', async () => {
  const { agent, page } = await atIdentify();
  expect(page.headers.get('content-security-policy')).not.toContain('script-src');
  expect(headingOf(await agent.submit(page, 'identify', { p_email: newAddress() }))).toBe('Check your mail');
});

describe('addresses that are made to be thrown away', () => {
  const DISPOSABLE = ['someone@mailinator.com', 'Someone@MAILINATOR.com', 'someone@below.mailinator.com', 'someone@yopmail.com'];
  afterEach(() => set('updateEnvironmentPolicies', { refuseDisposableMail: false, hasEnumerationProtection: false }));

  test.each([false, true])('cannot sign up where they are refused, with enumeration protection %s', async (hasEnumerationProtection) => {
    await set('updateEnvironmentPolicies', { refuseDisposableMail: true, hasEnumerationProtection });
    for (const email of DISPOSABLE) {
      const { page } = await identify(gatehouse, newAgent(), email, { prompt: 'create' });
      expect([page.status, problemOf(page)], email).toEqual([403, expect.stringMatching(/Throwaway.*9697/)]);
    }
    expect(headingOf((await identify(gatehouse, newAgent(), newAddress(), { prompt: 'create' })).page)).toBe('Check your mail');
  });

  test('are refused at the end as well, when it is said in between', async () => {
    const agent = newAgent();
    const email = `${newAddress().split('@')[0]}@yopmail.com`;
    const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
    await set('updateEnvironmentPolicies', { refuseDisposableMail: true });
    expect((await typeCode(gatehouse, agent, page, email)).status).toBe(403);
  });

  test('sign up where nobody minds, and whoever has an account still signs in', async () => {
    const { email } = await signUp(gatehouse, { email: `${newAddress().split('@')[0]}@yopmail.com` });
    await set('updateEnvironmentPolicies', { refuseDisposableMail: true });
    expect(headingOf((await identify(gatehouse, newAgent(), email)).page)).toBe('Enter your password');
  });
});
