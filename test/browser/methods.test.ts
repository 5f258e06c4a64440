/**
 * Ways in beside an address with its password: a phone, a username, an account that an operator made, one form for
 * signing up and in. In real Chromium, as people go who have no mouse, and no JavaScript.
 */
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { updatePhoneSender } from '../../src/features/phone-senders/service.ts';
import { codeIn } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask } from '../helpers/graph.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { startReceiver, waitFor } from '../helpers/receiver.ts';
import { authorizationUrl, machineToken } from '../helpers/user-agent.ts';
import { newNumber, setApplication } from '../signin/methods.ts';
import { newAddress, PASSWORD, productionEnvironment } from '../signin/person.ts';
import { HANDS, type Hands, startApplication } from './hands.ts';

const gatehouse = await startMailedApp();
const texts = startReceiver();
const browser = openBrowser();
const { callback, arrives: isBack } = await startApplication();
const TEMPORARY = 'ninety green bottles';
let names = 0;
const newName = () => `Jane_Roe-${names++}`;

/** Makes a user in the management graph, with a temporary password where one is given. */
async function createUser(input: { email: string; username?: string; isEmailVerified?: boolean }, password?: string): Promise<void> {
  const token = await machineToken(gatehouse);
  const create =
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { ... on UserError { message } } user { id } } }';
  const { data } = await ask<{ createUser: { errors: unknown[]; user: { id: string } } }, object>(gatehouse, token, create, { input });
  expect(data?.createUser.errors).toEqual([]);
  if (!password) return;
  const set =
    'mutation ($input: SetTemporaryPasswordInput!) { setTemporaryPassword(input: $input) { errors { ... on UserError { message } } } }';
  const done = await ask(gatehouse, token, set, { input: { userId: data!.createUser.user.id, password } });
  expect(done.data).toEqual({ setTemporaryPassword: { errors: [] } });
}

describe.each(Object.entries(HANDS))('%s', (_way, { options, of }) => {
  let page: Page;
  let hands: Hands;
  let problems: readonly string[];
  beforeEach(async () => {
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const operator = createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
    await updatePhoneSender(operator, {
      environmentId,
      provider: 'webhook',
      url: `${texts.url}/texts`,
      signingSecret: 'a secret of those who send texts',
    });
    page = await browser.newPage({ ...options, viewport: { width: 360, height: 740 } });
    problems = capturing(page);
    hands = of(page);
  });

  /** Comes to the application's sign-in, which takes these ways, as somebody whom no session knows. */
  async function open(ways: Parameters<typeof setApplication>[1], parameters: Record<string, string>): Promise<void> {
    const usual = { emailSignIn: 'off', usernameSignIn: 'off', phoneSignIn: 'off', asksForNames: true, showsSignInLink: true } as const;
    await setApplication(gatehouse, { callbackUrls: [callback], ...usual, ...ways });
    await page.context().clearCookies();
    const { clientId } = gatehouse.application('spa');
    await page.goto(authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri: callback, parameters }).url);
  }

  async function arrives(): Promise<void> {
    await isBack(page);
    expect(problems).toEqual([]);
  }

  async function typeCode(to: string, after = 0): Promise<void> {
    await hands.type('p_confirmation_code', codeIn(await gatehouse.mailTo(to, { after })));
    await hands.press('Continue');
  }

  async function typeTextedCode(to: string, after: number): Promise<void> {
    const text = await waitFor(() => {
      const bodies = texts.received.map(({ body }) => JSON.parse(body) as { to: string; text: string });
      return bodies.filter((one) => one.to === to)[after]?.text;
    });
    await hands.type('p_confirmation_code', /\b\d{6}\b/.exec(text)![0]);
    await hands.press('Continue');
  }

  async function choosePassword(): Promise<void> {
    await hands.type('p_first_password', PASSWORD);
    await hands.type('p_second_password', PASSWORD);
    await hands.press('Continue');
  }

  test('a person signs up and in with a phone, in the place of an address', async () => {
    const { typed, number } = newNumber();
    for (const [after, prompt] of ['create', 'login'].entries()) {
      await open({ emailSignIn: 'code', phoneSignIn: 'code' }, { prompt });
      await hands.press('Use a phone number instead');
      await hands.pick('p_phone_country', 'Australia');
      await hands.type('p_phone', typed);
      await hands.press('Continue');
      await typeTextedCode(number, after);
      await arrives();
    }
  });

  test('a person signs up with a username, its address proved once, and in with the password', async () => {
    const [username, email] = [newName(), newAddress('named')];
    await open({ usernameSignIn: 'password' }, { prompt: 'create' });
    await hands.type('p_username', username);
    await hands.type('p_email', email);
    await hands.press('Continue');
    await typeCode(email);
    await choosePassword();
    await arrives();
    await open({ usernameSignIn: 'password' }, { prompt: 'login' });
    await hands.type('p_username', username.toLowerCase());
    await hands.press('Continue');
    await hands.type('p_password', PASSWORD);
    await hands.press('Sign in');
    await arrives();
  });

  test('a person whom an operator gave a username and a temporary password has to choose one of their own', async () => {
    const username = newName();
    await createUser({ username, email: newAddress('given'), isEmailVerified: true }, TEMPORARY);
    for (const [password, isTemporary] of [
      [TEMPORARY, true],
      [PASSWORD, false],
    ] as const) {
      await open({ emailSignIn: 'password', usernameSignIn: 'password' }, { prompt: 'login' });
      await hands.type('p_email', username);
      await hands.press('Continue');
      await hands.type('p_password', password);
      await hands.press('Sign in');
      if (isTemporary) await choosePassword();
      await arrives();
    }
  });

  test('a person who was imported without a password proves the address, and chooses one', async () => {
    const email = newAddress('imported');
    await createUser({ email });
    await open({ emailSignIn: 'password' }, { prompt: 'login' });
    await hands.type('p_email', email);
    await hands.press('Continue');
    await typeCode(email);
    await choosePassword();
    await arrives();
  });

  test('one form signs up and in, and the first time asks for the name of the organization', async () => {
    const email = newAddress('seamless');
    for (const [after, isNew] of [true, false].entries()) {
      await open({ emailSignIn: 'code', asksForNames: false, showsSignInLink: false }, { prompt: 'create', is_create_org: 'true' });
      expect(await page.getByRole('textbox').count()).toBe(1);
      await hands.type('p_email', email);
      await hands.press('Continue');
      await typeCode(email, after);
      if (isNew) {
        await hands.type('p_organization_name', 'Cellar & Daughters');
        await hands.press('Continue');
      }
      await arrives();
    }
  });
});
