/**
 * The ways in, as people go who have no mouse, and no JavaScript: in real Chromium, with codes that come by real mail,
 * encrypted and signed in, to a mail server.
 */
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { codeIn } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { newAddress, PASSWORD, signInByCode } from '../signin/person.ts';
import { HANDS, type Hands, startApplication } from './hands.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();

const { callback, arrives: isBack } = await startApplication();

const codeTo = async (address: string, after = 0) => codeIn(await gatehouse.mailTo(address, { after }));

describe.each(Object.entries(HANDS))('%s', (_way, { options, of }) => {
  let page: Page;
  let hands: Hands;
  let problems: readonly string[];
  beforeEach(async () => {
    page = await browser.newPage(options);
    problems = capturing(page);
    hands = of(page);
    const { prisma } = gatehouse.app.infrastructure.database;
    await prisma.application.updateMany({
      where: { type: 'spa' },
      data: { callbackUrls: [callback], emailSignIn: 'password' },
    });
    gatehouse.app.infrastructure.lookups.forget();
  });

  const open = (parameters: Record<string, string> = {}) =>
    page.goto(
      authorizationUrl({
        issuer: gatehouse.quickstart.issuer,
        clientId: gatehouse.application('spa').clientId,
        redirectUri: callback,
        parameters,
      }).url,
    );

  async function arrives(): Promise<void> {
    await isBack(page);
    expect(problems).toEqual([]);
  }

  async function signUp(email: string): Promise<void> {
    await open({ prompt: 'create' });
    await hands.type('p_first_name', 'Jane');
    await hands.type('p_last_name', 'Roe');
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.type('p_confirmation_code', await codeTo(email));
    await hands.press('Continue');
    await hands.type('p_first_password', PASSWORD);
    await hands.type('p_second_password', PASSWORD);
    await hands.press('Continue');
    await arrives();
  }

  test('a person signs up, and signs in with the password', async () => {
    const email = newAddress('way');
    await signUp(email);
    await open({ prompt: 'login' });
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.type('p_password', PASSWORD);
    await hands.press('Sign in');
    await arrives();
  });

  test('who forgot the password sets another one', async () => {
    const email = newAddress('way');
    await signUp(email);
    await open({ prompt: 'login' });
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.press('Forgot your password?');
    await hands.type('p_confirmation_code', await codeTo(email, 1));
    await hands.press('Continue');
    await hands.type('p_first_password', 'another harbour at dusk');
    await hands.type('p_second_password', 'another harbour at dusk');
    await hands.press('Continue');
    await arrives();
  });

  test('a person signs in by code, having come from the wrong page and with a wrong address first', async () => {
    const email = newAddress('way');
    await signUp(email);
    await signInByCode(gatehouse, 'spa');
    await open({ prompt: 'create' });
    await hands.press('Sign in');
    await hands.type('p_email', newAddress('nobody'));
    await hands.press('Continue');
    await hands.press('Try another address');
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.type('p_confirmation_code', await codeTo(email, 1));
    await hands.press('Continue');
    await arrives();
  });
});
