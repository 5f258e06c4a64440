/** Who has a browser that is signed in has codes of the second factor sent to its person, and no more of them than a person needs. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { later } from '../../../src/kernel/clock.ts';
import { codeIn, startApp } from '../../helpers/app.ts';
import type { PageView, UserAgent } from '../../helpers/user-agent.ts';
import { headingOf, isSignedIn, newAddress, organization, problemOf, requestOf, signIn, signUp, userIdOf } from '../person.ts';
import { botCheckIs, NO_PROOF, solve } from '../proof-of-work.ts';
import { mfaPolicy, sendTo } from '../second-factor.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const CHALLENGE = 'Prove that it is you';

beforeEach(() => mfaPolicy(gatehouse, 'OFF'));
afterEach(() => botCheckIs(gatehouse, 'off'));
afterEach(() => void vi.restoreAllMocks());

const codesTo = (normalized: string) => prisma().sentCode.count({ where: { normalized } });
const authorize = (agent: UserAgent) => agent.open(requestOf(gatehouse, 'spa').url);
const hasCodeField = ({ html }: PageView) => html.includes('name="p_confirmation_code"');

let line = 0;

/** Somebody whose session is from before their second factor, to which nothing was sent for a minute. */
async function signedInBefore(factor: 'EMAIL' | 'SMS') {
  const { email, agent } = await signUp(gatehouse);
  await mfaPolicy(gatehouse, 'REQUIRED', [factor]);
  const other = await signIn(gatehouse, email);
  const digits = String(++line).padStart(3, '0');
  const address = factor === 'EMAIL' ? newAddress('factor') : `+61491570${digits}`;
  const code =
    factor === 'EMAIL'
      ? await other.agent.submit(other.page, 'mfa_address', { p_mfa_email: address })
      : await other.agent.submit(other.page, 'mfa_phone', { p_phone_country: 'AU', p_phone: `0491 570 ${digits}` });
  const typed = { p_confirmation_code: codeIn(await gatehouse.mailTo(address)) };
  expect(isSignedIn(await other.agent.submit(code, 'mfa_confirm', typed))).toBe(true);
  gatehouse.advance(61);
  return { email, agent, address };
}

describe.each(['EMAIL', 'SMS'] as const)('to a factor that is %s', (factor) => {
  test('twenty requests at once send one code, and those of the next half minute none', async () => {
    const { agent, address } = await signedInBefore(factor);
    const before = await codesTo(address);
    const { clock } = gatehouse.app.infrastructure;
    const start = clock.now();
    const frozen = vi.spyOn(clock, 'now').mockReturnValue(start); // Twenty requests may take longer than the second that is left.
    const pages = await Promise.all(Array.from({ length: 20 }, () => authorize(agent)));
    expect(pages.map(headingOf)).toEqual(pages.map(() => CHALLENGE));
    expect(await codesTo(address)).toBe(before + 1);
    expect(pages.filter(hasCodeField)).toHaveLength(1);
    frozen.mockReturnValue(later(start, 29));
    for (let again = 0; again < 3; again++) expect(headingOf(await authorize(agent))).toBe(CHALLENGE);
    expect(await codesTo(address)).toBe(before + 1);
    frozen.mockReturnValue(later(start, 31));
    await authorize(agent);
    expect(await codesTo(address)).toBe(before + 2);
  });

  test('a page to which none was sent says so, and has one sent when it is asked', async () => {
    const { agent, address } = await signedInBefore(factor);
    const first = await authorize(agent);
    const second = await authorize(agent);
    expect([hasCodeField(first), hasCodeField(second)]).toEqual([true, false]);
    expect(second.html).not.toMatch(/We sent a code/);
    const asked = await agent.submit(second, 'mfa_send', sendTo(second));
    expect(asked.html).toMatch(/We sent a code/);
    const [ofFirst, ofSecond] = [
      codeIn(await gatehouse.mailTo(address, { after: 1 })),
      codeIn(await gatehouse.mailTo(address, { after: 2 })),
    ];
    if (ofFirst !== ofSecond)
      expect(problemOf(await agent.submit(asked, 'mfa_code', { p_confirmation_code: ofFirst }))).toMatch(/not the code/);
    expect(problemOf(await agent.submit(asked, 'mfa_send', sendTo(asked)))).toMatch(/a moment ago/);
    expect(isSignedIn(await agent.submit(asked, 'mfa_code', { p_confirmation_code: ofSecond }))).toBe(true);
  });
});

test('no other way to the page sends more: by the choice of an organization', async () => {
  const { email, agent, address } = await signedInBefore('EMAIL');
  const members = [await userIdOf(gatehouse, email)];
  const [, id] = [await organization(gatehouse, 'One', { members }), await organization(gatehouse, 'Two', { members })];
  const choices = await Promise.all(Array.from({ length: 10 }, () => authorize(agent)));
  const before = await codesTo(address);
  const pages = await Promise.all(choices.map((page) => agent.submit(page, 'organization', { p_organization: id })));
  expect(pages.map(headingOf)).toEqual(pages.map(() => CHALLENGE));
  expect(await codesTo(address)).toBe(before + 1);
});

test('where people are told from programs, what is asked for is sent for a proof', async () => {
  const { agent, address } = await signedInBefore('EMAIL');
  await botCheckIs(gatehouse, 'proof_of_work');
  await authorize(agent);
  const page = await authorize(agent);
  const before = await codesTo(address);
  expect(problemOf(await agent.submit(page, 'mfa_send', sendTo(page)))).toBe(NO_PROOF);
  expect(await codesTo(address)).toBe(before);
  await agent.submit(page, 'mfa_send', { ...sendTo(page), p_bot_check: await solve(await agent.open(page.url)) });
  expect(await codesTo(address)).toBe(before + 1);
});
