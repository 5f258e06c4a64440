/** Attacks on one-time codes: guessing, replaying, and using another's. */
import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { type PageView, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  signInByCode,
  signUp,
  typeCode,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
beforeAll(() => signInByCode(gatehouse, 'reg'));

/** Somebody new who was mailed a code and is asked for it. */
async function asked(email = newAddress(), agent = newAgent(), prompt = 'create') {
  const after = await gatehouse.mailCount(email);
  const { page, request } = await identify(gatehouse, agent, email, { prompt }, 'reg');
  return { email, agent, page, request, code: codeIn(await gatehouse.mailTo(email, { after })) };
}

const type = (agent: UserAgent, page: PageView, code: string) => agent.submit(page, 'code', { p_confirmation_code: code });

/** Codes that are not `code`. */
const wrong = (code: string, count: number) =>
  Array.from({ length: count }, (_, index) => String((Number(code) + index + 1) % 1_000_000).padStart(6, '0'));

async function resend(agent: UserAgent, page: PageView, email: string): Promise<string> {
  const after = await gatehouse.mailCount(email);
  gatehouse.advance(31);
  const next = await agent.submit(page, 'resend');
  expect(next.html).toContain('<p class="notice" role="status">Another code is on its way.</p>');
  return codeIn(await gatehouse.mailTo(email, { after }));
}

test('after five wrong codes neither the right one works nor a new one, until the lock is over', async () => {
  const { email, agent, page, code } = await asked();
  for (const guess of wrong(code, 5)) {
    const refused = await type(agent, page, guess);
    expect([refused.status, headingOf(refused)]).toEqual([422, 'Check your mail']);
  }
  for (const right of [code, await resend(agent, page, email)]) {
    const late = await type(agent, page, right);
    expect([late.status, problemOf(late)]).toEqual([429, expect.stringMatching(/locked/)]);
  }
  gatehouse.advance(301);
  expect(isSignedIn(await type(agent, page, await resend(agent, page, email)))).toBe(true);
});

test('an address that nobody has gets no more guesses by more attempts, in whatever spelling', async () => {
  const email = newAddress();
  const attempts = [await asked(email), await asked(email.toUpperCase()), await asked(email)];
  const answers = await Promise.all(attempts.flatMap(({ agent, page, code }) => wrong(code, 4).map((guess) => type(agent, page, guess))));
  const counts = Map.groupBy(answers, ({ status }) => status);
  expect([counts.get(422)?.length, counts.get(429)?.length]).toEqual([5, 7]);
  for (const { agent, page, code } of attempts) expect((await type(agent, page, code)).status).toBe(429);
  expect(isSignedIn(await type(...(({ agent, page, code }) => [agent, page, code] as const)(await asked())))).toBe(true);
});

test('four wrong codes do no harm', async () => {
  const { agent, page, code } = await asked();
  for (const guess of wrong(code, 4)) await type(agent, page, guess);
  expect(isSignedIn(await type(agent, page, code))).toBe(true);
});

test('thirty guesses at once are no more than five', async () => {
  const { agent, page, code } = await asked();
  const answers = await Promise.all(wrong(code, 30).map((guess) => type(agent, page, guess)));
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(5);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(25);
  expect(isSignedIn(await type(agent, page, code))).toBe(false);
});

test('guesses at the code of somebody known lock the account, whichever browser they come from', async () => {
  const { email } = await signUp(gatehouse, { kind: 'spa' });
  const [one, two] = [await asked(email, newAgent(), 'login'), await asked(email, newAgent(), 'login')];
  for (const guess of wrong(one.code, 3)) expect((await type(one.agent, one.page, guess)).status).toBe(422);
  for (const guess of wrong(two.code, 2)) expect((await type(two.agent, two.page, guess)).status).toBe(422);
  for (const { agent, page, code } of [one, two]) {
    const locked = await type(agent, page, code);
    expect([locked.status, problemOf(locked)]).toEqual([429, expect.stringMatching(/locked/)]);
  }
  gatehouse.advance(301);
  expect(isSignedIn(await type(one.agent, one.page, one.code))).toBe(true);
});

test.each(['', '12345', '1234567', 'abcdef', '12 34', '１２３４５６', '-12345', '1e5000'])('%j is no code, and no try', async (text) => {
  const { agent, page, code } = await asked();
  for (let times = 0; times < 6; times++) {
    const refused = await type(agent, page, text);
    expect([refused.status, problemOf(refused)]).toEqual([422, 'The code has six digits.']);
  }
  expect(isSignedIn(await type(agent, page, `${code.slice(0, 3)} ${code.slice(3)} `))).toBe(true);
});

test('a code works once: sent again it brings no second sign-in', async () => {
  const { agent, page, code } = await asked();
  const done = await type(agent, page, code);
  expect(isSignedIn(done)).toBe(true);
  const again = await type(agent, page, code);
  expect([isSignedIn(again), headingOf(again)]).toEqual([false, 'You are signed in']);
});

test('of ten submissions at once one signs in', async () => {
  const { agent, page, code } = await asked();
  const ends = await Promise.all(Array.from({ length: 10 }, () => type(agent, page, code)));
  expect(ends.filter(isSignedIn)).toHaveLength(1);
  expect(ends.filter(({ status }) => status >= 500)).toEqual([]);
});

test('a code is good for its own attempt only, even in the same browser for the same address', async () => {
  const agent = newAgent();
  const [first, second] = [await asked(newAddress(), agent), await asked(undefined, agent)];
  const third = await asked(first.email, agent);
  for (const [page, code] of [
    [second.page, first.code],
    [third.page, first.code],
    [first.page, third.code],
    [first.page, second.code],
  ] as const)
    expect((await type(agent, page, code)).status).toBe(422);
  expect(isSignedIn(await type(agent, first.page, first.code))).toBe(true);
});

test('a code proves the address it was mailed to, and none that is typed afterwards', async () => {
  const { email: victim } = await signUp(gatehouse, { kind: 'spa' });
  const { agent, page, code } = await asked();
  const start = await agent.submit(page, 'switch', { flow: 'login' });
  const atVictim = await agent.submit(start, 'identify', { p_email: victim });
  expect(headingOf(atVictim)).toBe('Check your mail');
  const refused = await type(agent, atVictim, code);
  expect([refused.status, isSignedIn(refused)]).toEqual([422, false]);
});

test('racing a right code against a change of address never ends at the other address', async () => {
  const { email: victim } = await signUp(gatehouse, { kind: 'spa' });
  for (let times = 0; times < 5; times++) {
    const { agent, page, code, email, request } = await asked();
    const goElsewhere = async () => {
      const start = await agent.submit(page, 'switch', { flow: 'login' });
      if (headingOf(start) === 'Sign in') await agent.submit(start, 'identify', { p_email: victim });
    };
    const [done] = await Promise.all([type(agent, page, code), goElsewhere()]);
    if (!isSignedIn(done)) continue;
    const { body } = await exchange(gatehouse, answerOf(done, request), 'reg');
    expect(decodeJwt(body['id_token'])).toMatchObject({ email, sub: await userIdOf(gatehouse, email) });
  }
});

test('another code comes after half a minute and not before; then only the new one works', async () => {
  const { email, agent, page, code } = await asked();
  const early = await agent.submit(page, 'resend');
  expect([early.status, problemOf(early)]).toEqual([429, expect.stringMatching(/a moment ago/)]);
  expect(await gatehouse.mailCount(email)).toBe(1);
  expect(early.html).not.toContain('role="status"');
  const fresh = await resend(agent, page, email);
  if (fresh !== code) expect((await type(agent, page, code)).status).toBe(422);
  expect(isSignedIn(await type(agent, page, fresh))).toBe(true);
});

test('going back and typing the same address again sends no second mail, and the first code still works', async () => {
  const { email, agent, page, code } = await asked();
  const start = await agent.submit(page, 'switch', { flow: 'register' });
  const again = await agent.submit(start, 'identify', { p_email: email });
  expect(headingOf(again)).toBe('Check your mail');
  expect(isSignedIn(await type(agent, again, code))).toBe(true);
  expect(await gatehouse.mailCount(email)).toBe(1);
});

test('ten requests for another code at once are one mail', async () => {
  const { email, agent, page } = await asked();
  gatehouse.advance(31);
  await Promise.all(Array.from({ length: 10 }, () => agent.submit(page, 'resend')));
  const code = codeIn(await gatehouse.mailTo(email, { after: 1 }));
  expect(isSignedIn(await type(agent, page, code))).toBe(true);
  expect(await gatehouse.mailCount(email)).toBe(2);
});

test('a code expires after the time that its environment gives it', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id } = await productionEnvironment(gatehouse);
  await prisma.environment.update({ where: { id }, data: { codeLifetime: 120 } });
  gatehouse.app.infrastructure.lookups.forget();
  const [inTime, late] = [await asked(), await asked()];
  gatehouse.advance(100);
  expect(isSignedIn(await type(inTime.agent, inTime.page, inTime.code))).toBe(true);
  gatehouse.advance(21);
  const refused = await type(late.agent, late.page, late.code);
  expect([refused.status, problemOf(refused)]).toEqual([422, expect.stringMatching(/expired/)]);
  const fresh = await resend(late.agent, late.page, late.email);
  expect(isSignedIn(await typeCode(gatehouse, late.agent, late.page, late.email, 1))).toBe(true);
  expect(fresh).toMatch(/^\d{6}$/);
});

test('codes are nowhere in the database as they are', async () => {
  const { code, email } = await asked();
  const { prisma } = gatehouse.app.infrastructure.database;
  const attempts = await prisma.signInAttempt.findMany({ where: { email } });
  expect(attempts).toHaveLength(1);
  expect(JSON.stringify(attempts)).not.toContain(code);
  const jobs = await prisma.$queryRaw<{ data: unknown }[]>`SELECT data FROM pgboss.job`;
  expect(JSON.stringify(jobs)).not.toContain(email);
});
