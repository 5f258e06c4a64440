/** An environment's policies, changed in the graph, are what the pages do from the next step on. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, teamToken, userAgent } from '../helpers/user-agent.ts';
import {
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  requestOf,
  signIn,
  signUp,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
let token: string;
let environmentId: string;

const CHANGE = graphql(`
  mutation ChangePolicies($input: UpdateEnvironmentPoliciesInput!) {
    updateEnvironmentPolicies(input: $input) {
      errors { code path }
      environment { version policies { allowSelfSignUp allowedDomains codeLifetime maxFailures lockSeconds } }
    }
  }
`);

const DEFAULTS = { allowSelfSignUp: true, allowedDomains: [] as string[], codeLifetime: 7200, maxFailures: 5, lockSeconds: 300 };

async function policies(change: Partial<typeof DEFAULTS>): Promise<void> {
  const { data } = await ask(gatehouse, token, CHANGE, { input: { environmentId, ...change } });
  expect(data?.updateEnvironmentPolicies).toMatchObject({ errors: [], environment: { policies: change } });
}

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
});
beforeEach(async () => {
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  await policies(DEFAULTS);
});

/** What somebody is told who types this address to sign up. */
async function askedToSignUp(email: string, agent = newAgent()) {
  const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
  return { agent, page, answer: headingOf(page) === 'Check your mail' ? 'code' : problemOf(page), mails: await gatehouse.mailCount(email) };
}

const CLOSED = { answer: expect.stringMatching(/not open/), mails: 0, page: expect.objectContaining({ status: 403 }) };

describe('the domains of addresses that may sign up', () => {
  test('let in those, in any case, and nobody else', async () => {
    await policies({ allowedDomains: ['allowed.test', 'also.test'] });
    for (const domain of ['allowed.test', 'Allowed.TEST', 'also.test']) {
      const email = newAddress().replace('mail.test', domain);
      expect(await askedToSignUp(email)).toMatchObject({ answer: 'code' });
    }
    for (const domain of ['other.test', 'sub.allowed.test', 'notallowed.test', 'allowed.test.evil.test', 'allowed'])
      expect((await askedToSignUp(newAddress().replace('mail.test', domain))).answer).not.toBe('code');
    expect(await askedToSignUp(newAddress())).toMatchObject(CLOSED);
  });

  test('say nothing about whoever has an account', async () => {
    const { email } = await signUp(gatehouse);
    await policies({ allowedDomains: ['allowed.test'] });
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
    expect(await askedToSignUp(email)).toMatchObject({ answer: 'code' });
  });

  test('are written as they are compared', async () => {
    const { data } = await ask(gatehouse, token, CHANGE, { input: { environmentId, allowedDomains: [' Allowed.Test', 'allowed.test'] } });
    expect(data?.updateEnvironmentPolicies?.environment?.policies?.allowedDomains).toEqual(['allowed.test']);
  });
});

describe('signing up by oneself', () => {
  test('is closed to everybody, or open', async () => {
    await policies({ allowSelfSignUp: false });
    expect(await askedToSignUp(newAddress())).toMatchObject(CLOSED);
    await policies({ allowSelfSignUp: true });
    expect(await askedToSignUp(newAddress())).toMatchObject({ answer: 'code' });
  });

  test('is offered where it is open', async () => {
    const offers = async () => {
      const first = await newAgent().open(requestOf(gatehouse, 'spa').url);
      const { page: notFound } = await identify(gatehouse, newAgent(), newAddress());
      expect(headingOf(notFound)).toBe('Account not found');
      return [first, notFound].map(({ html }) => html.includes('value="register"'));
    };
    expect(await offers()).toEqual([true, true]);
    await policies({ allowSelfSignUp: false });
    expect(await offers()).toEqual([false, false]);
  });

  test.each([{ allowSelfSignUp: false }, { allowedDomains: ['allowed.test'] }])(
    'is closed to whoever has typed an address already: %o',
    async (change) => {
      const email = newAddress();
      const { agent, page } = await askedToSignUp(email);
      await policies(change);
      const refused = await typeCode(gatehouse, agent, page, email);
      expect([refused.status, problemOf(refused)]).toEqual([403, expect.stringMatching(/not open/)]);
      await expect(userIdOf(gatehouse, email)).rejects.toThrow();
    },
  );
});

describe('failures in a row', () => {
  const wrong = (email: string) => signIn(gatehouse, email, { password: 'not the password' });

  test('lock the account after as many as the policy says, for as long', async () => {
    const { email } = await signUp(gatehouse);
    await policies({ maxFailures: 2, lockSeconds: 600 });
    for (const _ of [1, 2]) expect(problemOf((await wrong(email)).page)).toMatch(/not the right password/);
    expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
    gatehouse.advance(500);
    expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
    gatehouse.advance(101);
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
    const { prisma } = gatehouse.app.infrastructure.database;
    const targetId = await userIdOf(gatehouse, email);
    await expect
      .poll(() => prisma.auditEvent.findMany({ where: { action: 'user.locked', targetId } }), { timeout: 10_000 })
      .toMatchObject([{ details: { seconds: 600 } }]);
  });

  test('are counted one by one, however many come at once', async () => {
    const { email } = await signUp(gatehouse);
    await policies({ maxFailures: 3, lockSeconds: 3600 });
    const pages = [];
    for (let browser = 0; browser < 8; browser++) {
      const agent = newAgent();
      pages.push({ agent, page: (await identify(gatehouse, agent, email)).page });
    }
    const guesses = await Promise.all(pages.map(({ agent, page }) => agent.submit(page, 'password', { p_password: 'a guess' })));
    const said = guesses.map((page) => problemOf(page));
    expect(said.filter((problem) => /not the right/.test(problem!))).toHaveLength(3);
    expect(said.filter((problem) => /locked/.test(problem!))).toHaveLength(5);
  });

  test('may be one: then each locks, the first after a lock too', async () => {
    const { email } = await signUp(gatehouse);
    await policies({ maxFailures: 1, lockSeconds: 30 });
    for (const _ of [1, 2]) {
      expect(problemOf((await wrong(email)).page)).toMatch(/not the right password/);
      expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
      gatehouse.advance(31);
    }
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  });

  test('count as many as they are when the policy becomes stricter', async () => {
    const { email } = await signUp(gatehouse);
    for (const _ of [1, 2, 3]) await wrong(email);
    await policies({ maxFailures: 2 });
    expect(problemOf((await wrong(email)).page)).toMatch(/not the right password/);
    expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
  });
});

describe('a mailed code', () => {
  test('is good for as long as the policy says, and the mail says so', async () => {
    await policies({ codeLifetime: 60 });
    const email = newAddress();
    const { agent, page } = await askedToSignUp(email);
    expect((await gatehouse.mailTo(email)).text).toContain('within 1 minute');
    gatehouse.advance(61);
    expect(problemOf(await typeCode(gatehouse, agent, page, email))).toMatch(/expired/);
    const again = await agent.submit(page, 'resend');
    gatehouse.advance(55);
    expect(headingOf(await typeCode(gatehouse, agent, again, email, 1))).toBe('Choose a password');
  });
});

test('the policies of the account environment are out of every customer’s reach', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const account = await prisma.environment.findFirstOrThrow({ where: { kind: 'account' } });
  const answer = await ask(gatehouse, token, CHANGE, { input: { environmentId: account.id, allowSelfSignUp: true } });
  expect(answer).toMatchObject({ data: { updateEnvironmentPolicies: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  const { clientId, callbackUrls } = gatehouse.quickstart.account.applications[0]!;
  const request = { issuer: gatehouse.quickstart.account.issuer, clientId, redirectUri: callbackUrls[0]! };
  const agent = newAgent();
  const page = await agent.open(authorizationUrl({ ...request, parameters: { prompt: 'create' } }).url);
  expect((await agent.submit(page, 'identify', { p_email: newAddress() })).status).toBe(403);
});
