/** Each second factor: how it is set up, how it is proved, and what is kept and told of it. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { codeIn, startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { answerOf, exchange, headingOf, isSignedIn, newAddress, problemOf, refresh, signIn } from './person.ts';
import {
  appCode,
  keyOn,
  mfaPolicy,
  newPerson,
  nextStep,
  ownerToken,
  personWithApp,
  recoveryCodesOn,
  sendTo,
  setUpApp,
  typeAppCode,
  typeMfaCode,
} from './second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;

/** Somebody at the page that comes after the password. */
async function somebodyAsked(policy: Parameters<typeof mfaPolicy> extends [unknown, ...infer Rest] ? Rest : never) {
  await mfaPolicy(gatehouse, 'OFF');
  const person = await newPerson(gatehouse);
  await mfaPolicy(gatehouse, ...policy);
  return { ...person, ...(await signIn(gatehouse, person.email)) };
}

async function auditOf(targetId: string) {
  const rows = await prisma().auditEvent.findMany({ where: { targetId }, orderBy: { id: 'asc' } });
  return rows.map(({ action, details }) => ({ action, details }));
}

describe('an authenticator app', () => {
  test('is set up by a code of the key that the page shows as a picture and as text, and proved by one at each sign-in', async () => {
    const { email, userId, agent, page, request } = await somebodyAsked(['REQUIRED', ['AUTHENTICATOR_APP']]);
    expect(headingOf(page)).toBe('Set up your authenticator app');
    expect(page.html).toMatch(/<img class="qr" src="data:image\/svg\+xml;base64,[^"]+" alt="QR code for your authenticator app"/);
    const wrong = await agent.submit(page, 'mfa_confirm', { p_confirmation_code: appCode(gatehouse, 'A'.repeat(32)) });
    expect([wrong.status, problemOf(wrong), keyOn(wrong)]).toEqual([422, expect.stringContaining('your app'), keyOn(page)]);
    expect(problemOf(await agent.submit(page, 'mfa_confirm', { p_confirmation_code: 'abc' }))).toBe('The code has six digits.');
    const { key, page: done } = await setUpApp(gatehouse, agent, wrong);
    const { body } = await exchange(gatehouse, answerOf(done, request));
    expect(decodeJwt(body.id_token)['amr']).toEqual(['pwd', 'otp', 'mfa']);
    expect(decodeJwt((await refresh(gatehouse, body.refresh_token)).body.id_token)['amr']).toEqual(['pwd', 'otp', 'mfa']);
    const [factor] = await prisma().mfaFactor.findMany({ where: { userId } });
    expect(factor).toMatchObject({ type: 'authenticator_app', label: null, organizationId: null });
    expect(JSON.stringify(factor)).not.toContain(key);
    expect(gatehouse.log()).not.toContain(key);

    nextStep(gatehouse);
    const again = await signIn(gatehouse, email);
    expect([headingOf(again.page), again.page.html.includes(key)]).toEqual(['Prove that it is you', false]);
    expect(isSignedIn(await typeAppCode(gatehouse, again.agent, again.page, key))).toBe(true);
    expect(await auditOf(userId)).toContainEqual({
      action: 'user.mfa_enrolled',
      details: { type: 'authenticator_app', organizationId: null },
    });
  });

  test('shows codes of a clock that is half a minute off, and no more', async () => {
    const { email, key } = await personWithApp(gatehouse);
    for (const [steps, isRight] of [
      [-2, false],
      [2, false],
      [-1, true],
      [1, true],
    ] as const) {
      if (isRight) gatehouse.advance(120);
      const { agent, page } = await signIn(gatehouse, email);
      const next = await agent.submit(page, 'mfa_code', { p_confirmation_code: appCode(gatehouse, key, steps) });
      expect([steps, isSignedIn(next)]).toEqual([steps, isRight]);
    }
  });

  test('gives each code once: not to who sends it in parallel, nor to who has watched', async () => {
    const { email, key } = await personWithApp(gatehouse);
    const rivals = [];
    for (let browser = 0; browser < 6; browser++) rivals.push(await signIn(gatehouse, email));
    const code = { p_confirmation_code: appCode(gatehouse, key) };
    const pages = await Promise.all(rivals.map(({ agent, page }) => agent.submit(page, 'mfa_code', code)));
    expect(pages.filter(isSignedIn)).toHaveLength(1);
    expect(pages.filter((page) => problemOf(page) === 'This code was used already. Wait for the next one.')).toHaveLength(5);
    const { agent, page } = await signIn(gatehouse, email);
    expect(problemOf(await agent.submit(page, 'mfa_code', code))).toMatch(/used already/);
    // Neither of these was a guess, and an older step's code is no better.
    expect(problemOf(await agent.submit(page, 'mfa_code', { p_confirmation_code: appCode(gatehouse, key, -1) }))).toMatch(/used already/);
    expect((await prisma().user.findFirstOrThrow({ where: { id: await userId(email) } })).failedSignIns).toBe(0);
  });

  test('does not take the code that set it up a second time', async () => {
    const { email, agent, page } = await somebodyAsked(['REQUIRED']);
    const { key } = await setUpApp(gatehouse, agent, page);
    const again = await signIn(gatehouse, email);
    expect(problemOf(await typeAppCode(gatehouse, again.agent, again.page, key))).toMatch(/used already/);
  });
});

describe('codes by email', () => {
  test('go to an address that is proved first, and then at each sign-in', async () => {
    const { email, userId: id, agent, page, request } = await somebodyAsked(['REQUIRED', ['EMAIL']]);
    expect([headingOf(page), page.html.includes(`value="${email}"`)]).toEqual(['Codes by email', true]);
    for (const [typed, problem] of [
      ['', 'Type your email address.'],
      ['nowhere', 'This is not an email address.'],
    ] as const)
      expect(problemOf(await agent.submit(page, 'mfa_address', { p_mfa_email: typed }))).toBe(problem);
    const second = newAddress('second');
    const typo = newAddress('typo');
    const code = await agent.submit(page, 'mfa_address', { p_mfa_email: typo });
    const back = await agent.submit(code, 'mfa_back');
    const right = await agent.submit(back, 'mfa_address', { p_mfa_email: second });
    const ofTypo = codeIn(await gatehouse.mailTo(typo));
    expect(problemOf(await agent.submit(right, 'mfa_confirm', { p_confirmation_code: ofTypo }))).toMatch(/not the code/);
    const done = await typeMfaCode(gatehouse, agent, right, second, 0, 'mfa_confirm');
    const { body } = await exchange(gatehouse, answerOf(done, request));
    expect(decodeJwt(body.id_token)['amr']).toEqual(['pwd', 'otp', 'mfa']);
    const [factor] = await prisma().mfaFactor.findMany({ where: { userId: id } });
    expect(factor).toMatchObject({ type: 'email', label: `s•••${second.slice(second.indexOf('@'))}` });
    expect(JSON.stringify(factor)).not.toContain(second);

    const again = await signIn(gatehouse, email);
    expect(again.page.html).not.toContain(second);
    expect(again.page.html).toContain('s•••@mail.test');
    expect(problemOf(await again.agent.submit(again.page, 'mfa_send', sendTo(again.page)))).toMatch(/a moment ago/);
    const first = codeIn(await gatehouse.mailTo(second, { after: 1 }));
    gatehouse.advance(31);
    const resent = await again.agent.submit(again.page, 'mfa_send', sendTo(again.page));
    await gatehouse.mailTo(second, { after: 2 });
    expect(problemOf(await again.agent.submit(resent, 'mfa_code', { p_confirmation_code: first }))).toMatch(/not the code/);
    expect(isSignedIn(await typeMfaCode(gatehouse, again.agent, resent, second, 2))).toBe(true);
  });

  test('are good for as long as the policy says', async () => {
    const { email, agent, page } = await somebodyAsked(['REQUIRED', ['EMAIL']]);
    const after = await gatehouse.mailCount(email);
    const code = await agent.submit(page, 'mfa_address', { p_mfa_email: email });
    await gatehouse.mailTo(email, { after });
    await prisma().signInAttempt.updateMany({ where: { email, step: 'mfa_new_code' }, data: { codeExpiresAt: new Date(0) } });
    expect(problemOf(await typeMfaCode(gatehouse, agent, code, email, after, 'mfa_confirm'))).toMatch(/expired/);
  });

  test('are told of on the page where too many were sent, and stop nobody from another factor', async () => {
    const { email, agent, page, userId: id } = await somebodyAsked(['REQUIRED', ['EMAIL']]);
    const after = await gatehouse.mailCount(email);
    const code = await agent.submit(page, 'mfa_address', { p_mfa_email: email });
    await typeMfaCode(gatehouse, agent, code, email, after, 'mfa_confirm');
    const { environmentId } = await prisma().user.findFirstOrThrow({ where: { id } });
    const now = gatehouse.app.infrastructure.clock.now();
    for (let number = 0; number < 20; number++)
      await prisma().sentCode.create({ data: { environmentId, id: `${number}`.padStart(32, 'f'), normalized: email, sentAt: now } });
    const again = await signIn(gatehouse, email);
    expect(headingOf(again.page)).toBe('Prove that it is you');
    const told = await again.agent.submit(again.page, 'mfa_send', sendTo(again.page));
    expect([told.status, problemOf(told)]).toEqual([429, expect.stringMatching(/Too many/)]);
    await prisma().sentCode.deleteMany({ where: { normalized: email } });
  });
});

describe('several factors', () => {
  test('are chosen from, and the other one can be asked for', async () => {
    const { email, agent, page } = await somebodyAsked(['REQUIRED', ['EMAIL']]);
    const after = await gatehouse.mailCount(email);
    const code = await agent.submit(page, 'mfa_address', { p_mfa_email: email });
    await typeMfaCode(gatehouse, agent, code, email, after, 'mfa_confirm');
    await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP']);
    const mailed = await gatehouse.mailCount(email);
    const asked = (await signIn(gatehouse, email, { agent, parameters: { prompt: 'login' } })).page;
    const { key } = await setUpApp(gatehouse, agent, await typeMfaCode(gatehouse, agent, asked, email, mailed));
    nextStep(gatehouse);
    gatehouse.advance(60);
    await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL', 'AUTHENTICATOR_APP']);
    const mails = await gatehouse.mailCount(email);
    const again = await signIn(gatehouse, email);
    expect(again.page.html).toContain('Type the code that your authenticator app shows.');
    expect(await gatehouse.mailCount(email)).toBe(mails);
    const other = await again.agent.submit(again.page, 'mfa_send', sendTo(again.page));
    expect(isSignedIn(await typeMfaCode(gatehouse, again.agent, other, email, mails))).toBe(true);
    gatehouse.advance(60);
    const last = await signIn(gatehouse, email);
    const back = await last.agent.submit(last.page, 'mfa_use_app');
    expect(isSignedIn(await typeAppCode(gatehouse, last.agent, back, key))).toBe(true);
  });

  test('lead to the page that sets each up, and back', async () => {
    const { agent, page } = await somebodyAsked(['REQUIRED', ['EMAIL', 'AUTHENTICATOR_APP']]);
    expect(headingOf(page)).toBe('Choose a second step');
    expect(problemOf(await agent.submit(page, 'mfa_choose', { p_factor: 'sms' }))).toBe('Choose one of them.');
    const app = await agent.submit(page, 'mfa_choose', { p_factor: 'authenticator_app' });
    const choice = await agent.submit(app, 'mfa_another');
    const mail = await agent.submit(choice, 'mfa_choose', { p_factor: 'email' });
    expect([headingOf(app), headingOf(choice), headingOf(mail)]).toEqual([
      'Set up your authenticator app',
      'Choose a second step',
      'Codes by email',
    ]);
  });
});

describe('recovery codes', () => {
  test('are shown until they are kept, ten of them, and let in once each; the last one brings new ones', async () => {
    const { email, userId: id, agent, page: shown } = await personWithApp(gatehouse, true);
    const codes = recoveryCodesOn(shown);
    expect([headingOf(shown), new Set(codes).size]).toEqual(['Keep your recovery codes', 10]);
    expect(await prisma().recoveryCode.count({ where: { factor: { userId: id } } })).toBe(0);
    expect(recoveryCodesOn(await agent.open(shown.url))).toEqual(codes);
    expect(isSignedIn(await agent.submit(shown, 'mfa_kept'))).toBe(true);
    const kept = await prisma().recoveryCode.findMany({ where: { factor: { userId: id } } });
    expect(kept).toHaveLength(10);
    for (const code of codes) expect(JSON.stringify(kept) + gatehouse.log()).not.toContain(code);

    const use = async (code: string) => {
      const { agent: browser, page } = await signIn(gatehouse, email);
      return {
        browser,
        page: await browser.submit(await browser.submit(page, 'mfa_use_recovery'), 'mfa_recovery', { p_recovery_code: code }),
      };
    };
    expect(isSignedIn((await use(codes[0]!.toLowerCase().replace('-', ' '))).page)).toBe(true);
    expect(problemOf((await use(codes[0]!)).page)).toMatch(/not one of your codes/);
    for (const code of codes.slice(1, 9)) expect(isSignedIn((await use(code)).page)).toBe(true);
    const last = await use(codes[9]!);
    const renewed = recoveryCodesOn(last.page);
    expect([renewed.length, renewed.some((code) => codes.includes(code))]).toEqual([10, false]);
    expect(isSignedIn(await last.browser.submit(last.page, 'mfa_kept'))).toBe(true);
    expect(isSignedIn((await use(renewed[0]!)).page)).toBe(true);
    const audited = (await auditOf(id)).filter(({ action }) => action === 'user.recovery_code_used');
    expect(audited.map(({ details }) => (details as { left: number }).left)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9]);
  });

  test('let one in who uses the same one in parallel', async () => {
    const { email, agent, page: shown } = await personWithApp(gatehouse, true);
    const [code] = recoveryCodesOn(shown);
    await agent.submit(shown, 'mfa_kept');
    const rivals = [];
    for (let browser = 0; browser < 4; browser++) {
      const { agent: rival, page } = await signIn(gatehouse, email);
      rivals.push({ rival, page: await rival.submit(page, 'mfa_use_recovery') });
    }
    const pages = await Promise.all(rivals.map(({ rival, page }) => rival.submit(page, 'mfa_recovery', { p_recovery_code: code! })));
    expect(pages.filter(isSignedIn)).toHaveLength(1);
    expect(pages.filter((page) => /not one of your codes/.test(problemOf(page) ?? ''))).toHaveLength(3);
  });

  test('are not made, shown or taken where the policy has none', async () => {
    const { email, agent, page: shown } = await personWithApp(gatehouse, true);
    const [code] = recoveryCodesOn(shown);
    await agent.submit(shown, 'mfa_kept');
    const { agent: browser, page } = await signIn(gatehouse, email);
    const recovery = await browser.submit(page, 'mfa_use_recovery');
    await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP'], false);
    expect(headingOf(await browser.submit(recovery, 'mfa_recovery', { p_recovery_code: code! }))).toBe('Prove that it is you');
    expect((await signIn(gatehouse, email)).page.html).not.toContain('recovery');
  });

  test('come with the next proof where they were not there before, and go back to the page that asked', async () => {
    const { email, key } = await personWithApp(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP'], true);
    const { agent, page } = await signIn(gatehouse, email);
    expect(page.html).not.toContain('Use a recovery code');
    const shown = await typeAppCode(gatehouse, agent, page, key);
    expect(recoveryCodesOn(shown)).toHaveLength(10);
    expect(isSignedIn(await agent.submit(shown, 'mfa_kept'))).toBe(true);
    const again = await signIn(gatehouse, email);
    const recovery = await again.agent.submit(again.page, 'mfa_use_recovery');
    expect(problemOf(await again.agent.submit(recovery, 'mfa_recovery', { p_recovery_code: ' ' }))).toBe(
      'Type one of your recovery codes.',
    );
    expect(headingOf(await again.agent.submit(recovery, 'mfa_back'))).toBe('Prove that it is you');
  });
});

test('an operator reads what somebody has set up, and nothing that proves it', async () => {
  const { userId: id, agent, page } = await personWithApp(gatehouse, true);
  await agent.submit(page, 'mfa_kept');
  const LIST = graphql(`
    query SecondFactorsOf($id: ID!) { node(id: $id) { ... on User { mfaFactors { type label lastUsedAt organizationId } } } }
  `);
  const { data } = await ask(gatehouse, await ownerToken(gatehouse), LIST, { id });
  expect(data?.node).toMatchObject({
    mfaFactors: [
      { type: 'AUTHENTICATOR_APP', label: null, lastUsedAt: expect.any(String), organizationId: null },
      { type: 'RECOVERY_CODES', label: null, lastUsedAt: null, organizationId: null },
    ],
  });
});

async function userId(email: string): Promise<string> {
  return (await prisma().identity.findFirstOrThrow({ where: { normalized: email } })).userId;
}
