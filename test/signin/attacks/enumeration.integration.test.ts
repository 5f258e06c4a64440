/** Finding out who has an account: with enumeration protection nothing that a stranger sees or measures tells. */
import { hash } from '@node-rs/bcrypt';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../../src/features/context.ts';
import { createUserIdentity } from '../../../src/features/identities/service.ts';
import { startApp } from '../../helpers/app.ts';
import { type PageView, userAgent } from '../../helpers/user-agent.ts';
import {
  choosePassword,
  headingOf,
  identify,
  isSignedIn,
  type Kind,
  newAddress,
  PASSWORD,
  problemOf,
  productionEnvironment,
  signIn,
  signInByCode,
  signUp,
  suspend,
  typeCode,
  userIdOf,
} from '../person.ts';

const gatehouse = startApp();
const set = async (policy: object) => {
  const { id } = await productionEnvironment(gatehouse);
  await gatehouse.app.infrastructure.database.prisma.environment.update({ where: { id }, data: policy });
  gatehouse.app.infrastructure.lookups.forget();
};
beforeAll(() => signInByCode(gatehouse, 'reg'));
beforeEach(() => set({ hasEnumerationProtection: true }));
afterEach(() => set({ hasEnumerationProtection: false, maxFailures: 5, allowSelfSignUp: true, allowedDomains: [] }));

/** One address for each thing that an account may be: what follows has to look the same for all of them. */
async function addresses(): Promise<
  Record<
    'nobody' | 'somebody' | 'somebody suspended' | 'somebody without a password' | 'somebody imported' | 'somebody, as nobody proved',
    string
  >
> {
  await set({ hasEnumerationProtection: false });
  const [somebody, suspended] = [await signUp(gatehouse), await signUp(gatehouse)];
  const [passwordless, imported] = [await signUp(gatehouse), await signUp(gatehouse)];
  await suspend(gatehouse, { userId: await userIdOf(gatehouse, suspended.email) });
  const userId = await userIdOf(gatehouse, passwordless.email);
  await gatehouse.app.infrastructure.database.prisma.password.deleteMany({ where: { userId } });
  const claimed = newAddress('claimed');
  const claim = { userId: await userIdOf(gatehouse, (await signUp(gatehouse)).email), type: 'email', value: claimed } as const;
  await createUserIdentity(createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' }), claim);
  await gatehouse.app.infrastructure.database.prisma.password.updateMany({
    where: { userId: await userIdOf(gatehouse, imported.email) },
    data: { method: 'bcrypt', hash: await hash('somewhere else', 12) },
  });
  await set({ hasEnumerationProtection: true });
  return {
    nobody: newAddress('nobody'),
    somebody: somebody.email,
    'somebody suspended': suspended.email,
    'somebody without a password': passwordless.email,
    'somebody, as nobody proved': claimed,
    'somebody imported': imported.email,
  };
}

/** Everything about an answer that is not random. */
function look(page: PageView, email: string) {
  const same = (text: string) =>
    text
      .replaceAll(email, 'EMAIL')
      .replaceAll(/\/signin\/[\w-]{24}/g, '/signin/ID')
      .replaceAll(/name="csrf" value="[^"]+"/g, 'name="csrf"');
  const headers = Object.fromEntries([...page.headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name)));
  return { status: page.status, url: same(page.url), html: same(page.html), headers };
}

/** Goes the same way with each address, and expects each page on it to look as nobody's does. */
async function expectAlike(
  kind: Kind,
  prompt: string,
  way: ((page: PageView, agent: ReturnType<typeof userAgent>) => Promise<PageView>)[],
) {
  const visits = await Promise.all(
    Object.entries(await addresses()).map(async ([who, email]) => {
      const agent = userAgent(gatehouse.baseUrl);
      const { page } = await identify(gatehouse, agent, email, prompt ? { prompt } : {}, kind);
      return { who, email, agent, page, seen: [look(page, email)] };
    }),
  );
  for (const step of way) {
    const go = async (visit: (typeof visits)[number]) => {
      visit.page = await step(visit.page, visit.agent);
      visit.seen.push(look(visit.page, visit.email));
    };
    if (step === wrongPassword)
      await Promise.all(visits.map(go)); // Each takes a second.
    else for (const visit of visits) await go(visit);
  }
  const looks = new Map(visits.map(({ who, seen }) => [who, seen]));
  const nobodys = looks.get('nobody')!;
  for (const [who, seen] of looks) expect(seen, who).toEqual(nobodys);
  return nobodys;
}

const wrongPassword = (page: PageView, agent: ReturnType<typeof userAgent>) =>
  agent.submit(page, 'password', { p_password: 'not this one' });
const wrongCode = (page: PageView, agent: ReturnType<typeof userAgent>) => agent.submit(page, 'code', { p_confirmation_code: '000000' });
const resend = (page: PageView, agent: ReturnType<typeof userAgent>) => agent.submit(page, 'resend');
const resendLater = (page: PageView, agent: ReturnType<typeof userAgent>) => {
  gatehouse.advance(31);
  return resend(page, agent);
};

describe('every page looks the same, whoever has the address', () => {
  test('signing in with passwords, up to the lock', async () => {
    const seen = await expectAlike(
      'spa',
      '',
      Array.from({ length: 7 }, () => wrongPassword),
    );
    expect(seen.map(({ status }) => status)).toEqual([200, 422, 422, 422, 422, 422, 429, 429]);
  });

  test('a forgotten password, up to the lock', async () => {
    const forgot = (page: PageView, agent: ReturnType<typeof userAgent>) => agent.submit(page, 'forgot');
    const seen = await expectAlike('spa', '', [wrongPassword, forgot, resend, resendLater, ...Array.from({ length: 5 }, () => wrongCode)]);
    expect(seen.map(({ status }) => status)).toEqual([200, 422, 200, 429, 200, 422, 422, 422, 422, 429]);
  });

  test('signing in with codes, up to the lock', async () => {
    const seen = await expectAlike('reg', '', [resend, ...Array.from({ length: 6 }, () => wrongCode)]);
    expect(seen.map(({ status }) => status)).toEqual([200, 429, 422, 422, 422, 422, 422, 429]);
  });

  test.each(['spa', 'reg'] as const)('signing up at an application that is %s', async (kind) => {
    const seen = await expectAlike(kind, 'create', [wrongCode, resendLater, wrongCode]);
    expect(seen.map(({ status }) => status)).toEqual([200, 422, 200, 422]);
  });

  test.each([{ allowSelfSignUp: false }, { allowedDomains: ['elsewhere.test'] }])('signing up where it is closed: %j', async (policy) => {
    const people = Object.entries(await addresses());
    await set({ hasEnumerationProtection: true, ...policy });
    for (const [, email] of people) {
      const { page } = await identify(gatehouse, userAgent(gatehouse.baseUrl), email, { prompt: 'create' });
      expect([page.status, problemOf(page)]).toEqual([403, 'Signing up is not open here. Ask the people who run this application.']);
    }
  });

  test('and without the protection they do not', async () => {
    const { nobody, somebody } = await addresses();
    await set({ hasEnumerationProtection: false });
    const headings = [];
    for (const email of [nobody, somebody]) headings.push(headingOf((await identify(gatehouse, userAgent(gatehouse.baseUrl), email)).page));
    expect(headings).toEqual(['Account not found', 'Enter your password']);
  });
});

describe('what a mailbox is told', () => {
  test('nobody: that there is no account, and no code; of a million codes none will do', async () => {
    const email = newAddress('nobody');
    const agent = userAgent(gatehouse.baseUrl);
    const { page } = await identify(gatehouse, agent, email, {}, 'reg');
    const mail = await gatehouse.mailTo(email);
    expect(mail.text).toMatch(/It has no account there, so this mail holds no code/);
    expect(mail.text).not.toMatch(/\b\d{6}\b/);
    const { prisma } = gatehouse.app.infrastructure.database;
    const { vault } = gatehouse.app.infrastructure;
    const attempt = await prisma.signInAttempt.findFirstOrThrow({ where: { email } });
    const hashOf = (code: string) => vault.mac('one-time code', `${attempt.environmentId} ${attempt.id} ${email} ${code}`).toString('hex');
    let isFound = false;
    for (let code = 0; code < 1_000_000 && !isFound; code++) isFound = hashOf(String(code).padStart(6, '0')) === attempt.codeHash;
    expect(isFound).toBe(false);
    expect((await wrongCode(page, agent)).status).toBe(422);
  }, 60_000);

  test('somebody who signs up again: that there is an account, and the code signs in', async () => {
    const { email } = await signUp(gatehouse);
    gatehouse.advance(31);
    const agent = userAgent(gatehouse.baseUrl);
    const { page } = await identify(gatehouse, agent, email, { prompt: 'create' });
    expect((await gatehouse.mailTo(email, { after: 1 })).text).toMatch(/You have an account with this address already/);
    expect(isSignedIn(await typeCode(gatehouse, agent, page, email, 1))).toBe(true);
  });
});

describe('people come in as ever', () => {
  test('with a password, by a forgotten one, and by signing up', async () => {
    const { email } = await signUp(gatehouse);
    expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
    const agent = userAgent(gatehouse.baseUrl);
    const code = await agent.submit((await identify(gatehouse, agent, email)).page, 'forgot');
    expect(isSignedIn(await choosePassword(agent, await typeCode(gatehouse, agent, code, email, 1), 'another quiet harbour'))).toBe(true);
  });

  test('without a password, by asking for another', async () => {
    const { 'somebody without a password': email } = await addresses();
    const agent = userAgent(gatehouse.baseUrl);
    const code = await agent.submit((await identify(gatehouse, agent, email)).page, 'forgot');
    expect(isSignedIn(await choosePassword(agent, await typeCode(gatehouse, agent, code, email, 1)))).toBe(true);
  });

  test('who is suspended is told so after the proof, and not before', async () => {
    const { 'somebody suspended': email } = await addresses();
    const { page } = await signIn(gatehouse, email, { password: PASSWORD });
    expect([page.status, headingOf(page)]).toEqual([403, 'This account is suspended']);
  });
});

/** Half of the values are below it. */
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

// What the code gives away shows each time; what the machine does meanwhile does not.
test('an answer takes as long for somebody as for nobody: typing the address, and a wrong password', {
  timeout: 120_000,
  retry: 2,
}, async () => {
  const { nobody, somebody, 'somebody without a password': passwordless, 'somebody imported': imported } = await addresses();
  await set({ hasEnumerationProtection: true, maxFailures: 100 });
  const visits = [nobody, somebody, passwordless, imported].map((email) => ({
    email,
    agent: userAgent(gatehouse.baseUrl),
    page: undefined as PageView | undefined,
  }));
  const steps: Record<string, (visit: (typeof visits)[number]) => Promise<unknown>> = {
    identify: async (visit) => {
      visit.page = (await identify(gatehouse, visit.agent, visit.email)).page;
    },
    password: ({ agent, page }) => wrongPassword(page!, agent),
  };
  for (const [name, step] of Object.entries(steps)) {
    const taken = new Map(visits.map(({ email }) => [email, [] as number[]]));
    // A wrong password takes a second: the first ones, which warm the code, are typed side by side.
    const [warming, measured] = name === 'identify' ? [6, 30] : [3, 5];
    for (let round = 0; round < warming; round++) await Promise.all(visits.map(step));
    for (let round = 0; round < measured; round++) {
      // In another order each time, as what an answer leaves behind is work beside the next one.
      const order = [0, 1, 2, 3].map((index) => visits[(index * (round % 2 ? 1 : 3) + Math.floor(round / 2)) % 4]!);
      for (const visit of order) {
        const started = performance.now();
        await step(visit);
        taken.get(visit.email)!.push(performance.now() - started);
      }
    }
    for (const email of [somebody, passwordless, imported]) {
      const ratio = median(taken.get(email)!) / median(taken.get(nobody)!);
      expect(ratio, name).toBeGreaterThan(0.7);
      expect(ratio, name).toBeLessThan(1.4);
    }
  }
});
