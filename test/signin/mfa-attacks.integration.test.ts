/** Ways around the second factor, each of which leads to its page. */
import { beforeEach, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import {
  answerOf,
  exchange,
  headingOf,
  identify,
  isSignedIn,
  newAddress,
  PASSWORD,
  problemOf,
  requestOf,
  signIn,
  signInByCode,
  signUp,
  typeCode,
} from './person.ts';
import {
  appCode,
  forge,
  keyOn,
  mfaPolicy,
  newAgent,
  newPerson,
  nextStep,
  personWithApp,
  recoveryCodesOn,
  setUpApp,
  strictOrganization,
  typeAppCode,
  typeMfaCode,
} from './second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const CHALLENGE = 'Prove that it is you';
const APP = 'Set up your authenticator app';

beforeEach(() => mfaPolicy(gatehouse, 'OFF'));

describe('guessing', () => {
  test('locks the account: for codes of an app, for recovery codes and for passwords together', async () => {
    const { email, agent: owner, page: shown, key, userId } = await personWithApp(gatehouse, true);
    const [recoveryCode] = recoveryCodesOn(shown);
    await owner.submit(shown, 'mfa_kept');
    expect(problemOf((await signIn(gatehouse, email, { password: 'not the password' })).page)).toMatch(/not the right password/);
    const { agent, page } = await signIn(gatehouse, email);
    for (let guess = 0; guess < 2; guess++)
      expect(problemOf(await agent.submit(page, 'mfa_code', { p_confirmation_code: wrongCode(key) }))).toMatch(/not the code/);
    const recovery = await agent.submit(page, 'mfa_use_recovery');
    for (let guess = 0; guess < 2; guess++)
      expect(problemOf(await agent.submit(recovery, 'mfa_recovery', { p_recovery_code: 'AAAAA-BBBBB' }))).toMatch(/not one of your codes/);
    expect(problemOf(await agent.submit(recovery, 'mfa_recovery', { p_recovery_code: recoveryCode! }))).toMatch(/locked/);
    const back = await agent.submit(recovery, 'mfa_back');
    expect(problemOf(await typeAppCode(gatehouse, agent, back, key))).toMatch(/locked/);
    expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
    const rows = await prisma().auditEvent.findMany({ where: { targetId: userId, action: 'user.authentication_failed' } });
    expect(rows.map(({ details }) => (details as { method: string }).method).sort()).toEqual([
      ...['mfa', 'mfa', 'password', 'recovery_code', 'recovery_code'],
    ]);
    gatehouse.advance(301);
    expect(isSignedIn(await typeAppCode(gatehouse, agent, back, key))).toBe(true);
  });

  test('in parallel, through several attempts, has no more tries; the right password in between gives none back', async () => {
    const { email, key } = await personWithApp(gatehouse);
    const rivals = [];
    for (let browser = 0; browser < 8; browser++) rivals.push(await signIn(gatehouse, email));
    const pages = await Promise.all(
      rivals.map(({ agent, page }) => agent.submit(page, 'mfa_code', { p_confirmation_code: wrongCode(key) })),
    );
    const told = pages.map((page) => problemOf(page) ?? '');
    expect([told.filter((text) => /not the code/.test(text)).length, told.filter((text) => /locked/.test(text)).length]).toEqual([5, 3]);
    gatehouse.advance(301);
    for (let round = 0; round < 5; round++) {
      const { agent, page } = await signIn(gatehouse, email);
      await agent.submit(page, 'mfa_code', { p_confirmation_code: wrongCode(key) });
    }
    expect(problemOf((await signIn(gatehouse, email)).page)).toMatch(/locked/);
  });

  test('at the code that sets an address up is bounded as well', async () => {
    const { email } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
    const { agent, page } = await signIn(gatehouse, email);
    const code = await agent.submit(page, 'mfa_address', { p_mfa_email: newAddress('victim') });
    const told: (string | undefined)[] = [];
    for (let guess = 0; guess < 6; guess++)
      told.push(problemOf(await agent.submit(code, 'mfa_confirm', { p_confirmation_code: `${guess}`.repeat(6) })));
    expect(told[5]).toMatch(/locked/);
  });
});

/** Six digits that an app with this key does not show around now. */
function wrongCode(key: string): string {
  const shown = [-2, -1, 0, 1, 2].map((steps) => appCode(gatehouse, key, steps));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !shown.includes(code))!;
}

describe('going past the page', () => {
  test('by a URL, by a form of another page, and by another tab ends at the page', async () => {
    const { email, key } = await personWithApp(gatehouse);
    const { agent, page, request } = await signIn(gatehouse, email);
    expect(headingOf(page)).toBe(CHALLENGE);
    const forms = [
      ...['code', 'password', 'new_password', 'organization', 'consent', 'device', 'invitation', 'switch', 'mfa_kept', 'mfa_decline'],
      ...['mfa_accept', 'mfa_choose', 'mfa_confirm', 'mfa_address', 'mfa_recovery', 'mfa_another', 'mfa_back', 'nonsense'],
    ];
    for (const form of forms) {
      const fields = { p_password: PASSWORD, p_decision: 'allow', p_factor: 'email', p_mfa_email: email, p_confirmation_code: '123456' };
      expect([form, headingOf(await forge(agent, page, form, fields))]).toEqual([form, CHALLENGE]);
    }
    expect(headingOf(await agent.open(page.url))).toBe(CHALLENGE);
    // Another tab of the same browser has no session yet: it begins at the beginning.
    expect(headingOf(await agent.open(requestOf(gatehouse, 'spa').url))).toBe('Sign in');
    const silent = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url);
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
    // Nor does the factor count for who proves nothing else.
    const done = await typeAppCode(gatehouse, agent, page, key);
    expect((await exchange(gatehouse, answerOf(done, request))).status).toBe(200);
  });

  test('by another browser with the page’s address does not work', async () => {
    const { email } = await personWithApp(gatehouse);
    const { page } = await signIn(gatehouse, email);
    expect((await newAgent(gatehouse).open(page.url)).status).toBe(403);
  });

  test('by a page that was shown before something else was due', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const strict = await strictOrganization(gatehouse, 'Vault', [userId], { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] });
    const loose = await strictOrganization(gatehouse, 'Foyer', [userId], {});
    const { agent, page: choice } = await signIn(gatehouse, email);
    const asked = await agent.submit(choice, 'organization', { p_organization: strict });
    expect(headingOf(asked)).toBe(APP);
    // Back in the history: the form chooses the organization without the policy, and the attempt stays where it is.
    const back = await agent.submit(choice, 'organization', { p_organization: loose });
    expect(headingOf(back)).toBe(APP);
    expect(isSignedIn((await setUpApp(gatehouse, agent, back)).page)).toBe(true);
    const [grant] = await prisma().grant.findMany({ where: { userId }, orderBy: { id: 'desc' }, take: 1 });
    expect(grant!.organizationId).toBe(strict);
  });

  test('by a factor that was set up for another organization, or for the environment', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const policy = { mfaPolicy: 'required', mfaFactors: ['authenticator_app'] } as const;
    const one = await strictOrganization(gatehouse, 'One', [userId], { ...policy, mfaFactors: ['authenticator_app'] });
    const other = await strictOrganization(gatehouse, 'Other', [userId], { ...policy, mfaFactors: ['authenticator_app'] });
    const { agent, page } = await signIn(gatehouse, email, { parameters: { org_code: one } });
    await setUpApp(gatehouse, agent, page);
    const switched = await agent.open(requestOf(gatehouse, 'spa', { org_code: other }).url);
    expect(headingOf(switched)).toBe(APP);
    const { key } = await setUpApp(gatehouse, agent, switched);
    nextStep(gatehouse);
    const again = await signIn(gatehouse, email, { parameters: { org_code: one } });
    expect(problemOf(await typeAppCode(gatehouse, again.agent, again.page, key))).toMatch(/not the code/);
  });

  test('by somebody else’s factor, which is as one that is not there: nothing is sent to it', async () => {
    const settingUp = async (email: string) => {
      const { agent, page } = await signIn(gatehouse, email, { parameters: { prompt: 'login' } });
      const after = await gatehouse.mailCount(email);
      await typeMfaCode(gatehouse, agent, await agent.submit(page, 'mfa_address', { p_mfa_email: email }), email, after, 'mfa_confirm');
    };
    const [victim, thief] = [await newPerson(gatehouse), await newPerson(gatehouse)];
    await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
    for (const { email } of [victim, thief]) await settingUp(email);
    const { environmentId, id: theirs, ...row } = await prisma().mfaFactor.findFirstOrThrow({ where: { userId: victim.userId } });
    // Of the same person’s namesake elsewhere: the id is free in each environment.
    const elsewhere = await prisma().environment.findFirstOrThrow({ where: { kind: 'non_production' } });
    await prisma().user.create({ data: { environmentId: elsewhere.id, id: thief.userId } });
    const foreign = `mfa_${'e'.repeat(32)}`;
    await prisma().mfaFactor.create({ data: { ...row, environmentId: elsewhere.id, id: foreign, userId: thief.userId } });
    gatehouse.advance(61);
    const { agent, page } = await signIn(gatehouse, thief.email);
    const codes = () => prisma().sentCode.count({ where: { environmentId, normalized: victim.email } });
    const before = await codes();
    const pages = [];
    for (const p_factor of [theirs, foreign, `mfa_${'0'.repeat(32)}`, 'x', '']) {
      gatehouse.advance(61);
      const answer = await agent.submit(page, 'mfa_send', { p_factor });
      pages.push([answer.status, answer.html]);
      const proved = await agent.submit(page, 'mfa_code', { p_factor, p_confirmation_code: '000000' });
      expect(headingOf(proved)).toBe(CHALLENGE);
      await prisma().user.update({
        where: { environmentId_id: { environmentId, id: thief.userId } },
        data: { failedSignIns: 0, lockedUntil: null },
      });
    }
    for (const answer of pages) expect(answer).toEqual(pages[0]);
    expect(await codes()).toBe(before);
  });

  test('by a session of before', async () => {
    const { email } = await newPerson(gatehouse);
    const { agent } = await signIn(gatehouse, email);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const other = await signIn(gatehouse, email);
    const { key } = await setUpApp(gatehouse, other.agent, other.page);
    nextStep(gatehouse);
    const page = await agent.open(requestOf(gatehouse, 'spa').url);
    expect(headingOf(page)).toBe(CHALLENGE);
    expect(isSignedIn(await typeAppCode(gatehouse, agent, page, key))).toBe(true);
  });

  test('by a session that has ended since the page came up', async () => {
    const { email, userId } = await newPerson(gatehouse);
    const { agent } = await signIn(gatehouse, email);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const page = await agent.open(requestOf(gatehouse, 'spa').url);
    const key = keyOn(page);
    await prisma().session.deleteMany({ where: { userId } });
    const next = await typeAppCode(gatehouse, agent, page, key, 'mfa_confirm');
    expect(isSignedIn(next)).toBe(false);
    expect(await prisma().mfaFactor.count({ where: { userId } })).toBe(0);
  });
});

describe('setting a factor up in somebody’s place', () => {
  test('does not work for who began before they set up their own', async () => {
    const { email, userId } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const thief = await signIn(gatehouse, email);
    const key = keyOn(thief.page);
    const { agent, page } = await signIn(gatehouse, email);
    expect(isSignedIn((await setUpApp(gatehouse, agent, page)).page)).toBe(true);
    expect(headingOf(await typeAppCode(gatehouse, thief.agent, thief.page, key, 'mfa_confirm'))).toBe(CHALLENGE);
    expect(await prisma().mfaFactor.count({ where: { userId } })).toBe(1);
  });

  test('makes one factor of two that are confirmed in parallel', async () => {
    const { email, userId } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED');
    const rivals = [await signIn(gatehouse, email), await signIn(gatehouse, email), await signIn(gatehouse, email)];
    const pages = await Promise.all(rivals.map(async ({ agent, page }) => (await setUpApp(gatehouse, agent, page)).page));
    expect([pages.filter(isSignedIn).length, pages.filter((page) => headingOf(page) === CHALLENGE).length]).toEqual([1, 2]);
    expect(await prisma().mfaFactor.count({ where: { userId } })).toBe(1);
  });
});

describe('the code of the first factor', () => {
  test('is not one of the second, nor the other way round', async () => {
    await signInByCode(gatehouse, 'reg');
    const { email, userId } = await newPerson(gatehouse);
    await mfaPolicy(gatehouse, 'REQUIRED', ['EMAIL']);
    // Set up by who proved the address by a code a moment ago: that code is no good, used or not.
    const after = await gatehouse.mailCount(email);
    const { agent, page, request } = await codeSignIn(email, after);
    const first = codeIn(await gatehouse.mailTo(email, { after }));
    expect(headingOf(page)).toBe('Codes by email');
    const asked = await agent.submit(page, 'mfa_address', { p_mfa_email: email });
    expect(problemOf(await agent.submit(asked, 'mfa_confirm', { p_confirmation_code: first }))).toMatch(/not the code/);
    const done = await typeMfaCode(gatehouse, agent, asked, email, after + 1, 'mfa_confirm');
    answerOf(done, request);

    // At the next sign-in the second code comes by itself, at the same address, and is good for nothing but the second page.
    gatehouse.advance(31);
    const mails = await gatehouse.mailCount(email);
    const again = await codeSignIn(email, mails);
    expect(headingOf(again.page)).toBe(CHALLENGE);
    const second = codeIn(await gatehouse.mailTo(email, { after: mails + 1 }));
    const [attempt] = await prisma().signInAttempt.findMany({ where: { userId, step: 'mfa_challenge' } });
    const at = { environmentId_id: { environmentId: attempt!.environmentId, id: attempt!.id } };
    await prisma().signInAttempt.update({ where: at, data: { step: 'code', authTime: null } });
    const asFirst = await forge(again.agent, again.page, 'code', { p_confirmation_code: second });
    expect(problemOf(asFirst)).toMatch(/not the code/);
    await prisma().signInAttempt.update({ where: at, data: { step: 'mfa_challenge', authTime: attempt!.authTime } });
    answerOf(await again.agent.submit(again.page, 'mfa_code', { p_confirmation_code: second }), again.request);
  });

  async function codeSignIn(email: string, after: number) {
    const agent = newAgent(gatehouse);
    const { request, page } = await identify(gatehouse, agent, email, {}, 'reg');
    return { agent, request, page: await typeCode(gatehouse, agent, page, email, after) };
  }
});

test('a person who signs up where a second factor is required has no session before it is there', async () => {
  await mfaPolicy(gatehouse, 'REQUIRED');
  const email = newAddress();
  await expect(signUp(gatehouse, { email })).rejects.toThrow(APP);
  const { userId } = await prisma().identity.findFirstOrThrow({ where: { normalized: email } });
  expect([await prisma().session.count({ where: { userId } }), await prisma().grant.count({ where: { userId } })]).toEqual([0, 0]);
});
