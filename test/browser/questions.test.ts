/**
 * What people are asked on their way in, in real Chromium, as people answer who have no mouse, and no JavaScript: the
 * terms, an address, one of their organizations.
 */
import { decodeJwt } from 'jose';
import type { Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { codeIn } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask } from '../helpers/graph.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { authorizationUrl, postToken, teamToken } from '../helpers/user-agent.ts';
import { setApplication } from '../signin/methods.ts';
import { newAddress, organization, PASSWORD, productionEnvironment, suspend } from '../signin/person.ts';
import { HANDS, type Hands, startApplication } from './hands.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();
const { callback, arrives: isBack } = await startApplication();
let token: string;
let environmentId: string;
let names = 0;

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});

/** Runs a mutation as the Owner, and returns the part of its payload that is asked for. */
async function change<Payload>(mutation: string, input: object, selection = ''): Promise<Payload> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { ... on UserError { message } } ${selection} } }`;
  const { data, errors } = await ask<Record<string, Payload & { errors: object[] }>, object>(gatehouse, token, document, { input });
  expect([errors, data?.[mutation]?.errors]).toEqual([[], []]);
  return data![mutation]!;
}
const terms = (input: object) => change('updateEnvironmentTerms', { environmentId, ...input });

/** A user whom the graph makes, with a password that has to be changed. */
async function newUser(input: object): Promise<string> {
  const { user } = await change<{ user: { id: string } }>('createUser', { environmentId, ...input }, 'user { id }');
  await change('setTemporaryPassword', { userId: user.id, password: 'ninety green bottles' });
  return user.id;
}

/** What the graph says that a user has said. */
async function saidBy(userId: string) {
  const { data } = await ask<{ node: Said }, object>(
    gatehouse,
    token,
    'query ($id: ID!) { node(id: $id) { ... on User { identities { value isVerified } termsAcceptances { termsUri isExplicit } properties { property { key } value } } } }',
    { id: userId },
  );
  const { identities, termsAcceptances, properties } = data!.node;
  const marketing = properties.find(({ property }) => property.key === 'kp_usr_is_marketing_opt_in')?.value;
  return { accepted: termsAcceptances.map(({ termsUri, isExplicit }) => [termsUri, isExplicit]), marketing, identities };
}
interface Said {
  readonly identities: readonly { readonly value: string; readonly isVerified: boolean }[];
  readonly termsAcceptances: readonly { readonly termsUri: string; readonly isExplicit: boolean }[];
  readonly properties: readonly { readonly property: { readonly key: string }; readonly value: string }[];
}

describe.each(Object.entries(HANDS))('%s', (_way, { options, of }) => {
  let page: Page;
  let hands: Hands;
  let problems: readonly string[];
  let request: ReturnType<typeof authorizationUrl>;
  beforeEach(async () => {
    await terms({ termsUri: null, privacyUri: null, isAcceptanceRequired: false });
    page = await browser.newPage({ ...options, viewport: { width: 360, height: 740 } });
    problems = capturing(page);
    hands = of(page);
  });

  async function open(ways: Parameters<typeof setApplication>[1], parameters: Record<string, string> = {}): Promise<void> {
    const usual = { emailSignIn: 'off', usernameSignIn: 'off', phoneSignIn: 'off', asksMarketingConsent: false } as const;
    await setApplication(gatehouse, { callbackUrls: [callback], ...usual, ...ways });
    const { clientId } = gatehouse.application('spa');
    request = authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri: callback, parameters });
    await page.goto(request.url);
  }

  /** Is back at the application, and returns the claims of the tokens that it gets. */
  async function arrives(): Promise<Record<string, unknown>> {
    await isBack(page);
    // Chromium notes that an answer was refused, which is what a mistake comes to.
    expect(problems.filter((problem) => !problem.includes('status of 422'))).toEqual([]);
    const { body } = await postToken(gatehouse.quickstart.issuer, {
      grant_type: 'authorization_code',
      client_id: gatehouse.application('spa').clientId,
      redirect_uri: callback,
      code: new URL(page.url()).searchParams.get('code')!,
      code_verifier: request.verifier,
    });
    return { ...decodeJwt(String(body['access_token'])), ...decodeJwt(String(body['id_token'])) };
  }

  const heading = (name: string) => page.getByRole('heading', { name, level: 1, exact: true }).waitFor();

  test('the terms are accepted before an account is made, whether offers are welcome is said, and other terms are asked about anew', async () => {
    const [first, second] = ['https://example.test/terms', 'https://example.test/terms-2'];
    await terms({ termsUri: first, privacyUri: 'https://example.test/privacy', isAcceptanceRequired: true });
    const email = newAddress('terms');
    await open({ emailSignIn: 'code', asksMarketingConsent: true }, { prompt: 'create' });
    await hands.type('p_first_name', 'Jane');
    await hands.type('p_email', email);
    await hands.press('Continue');
    const box = page.getByRole('checkbox', { name: 'I accept the terms of service and the privacy policy.' });
    await expect.poll(() => box.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await box.getAttribute('aria-describedby')).toBe(await page.locator('.problem').getAttribute('id'));
    expect(await page.inputValue('[name=p_email]')).toBe(email);
    await hands.tick('p_has_clickwrap_accepted');
    await hands.tick('p_marketing_consent');
    await hands.press('Continue');
    await hands.type('p_confirmation_code', codeIn(await gatehouse.mailTo(email)));
    await hands.press('Continue');
    const userId = String((await arrives())['sub']);
    expect(await saidBy(userId)).toMatchObject({ accepted: [[first, true]], marketing: 'true' });

    await open({ emailSignIn: 'code' });
    await arrives();
    await terms({ termsUri: second });
    await open({ emailSignIn: 'code' });
    await heading('Before you go on');
    await hands.press('Continue');
    await page.getByText('Accept this to go on.').waitFor();
    await hands.tick('p_has_clickwrap_accepted');
    await hands.press('Continue');
    await arrives();
    expect((await saidBy(userId)).accepted.toSorted()).toEqual([
      [first, true],
      [second, true],
    ]);

    await terms({ isRevised: true });
    await open({ emailSignIn: 'code' });
    await heading('Before you go on');
    await hands.press('Do not accept');
    await page.waitForURL(`${callback}?*`);
    expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied');
  });

  test('who has a username alone gives an address, which is proved', async () => {
    const [username, email] = [`Jane_Roe-${names++}`, newAddress('provided')];
    const userId = await newUser({ username });
    await open({ usernameSignIn: 'password' });
    await hands.type('p_username', username);
    await hands.press('Continue');
    await hands.type('p_password', 'ninety green bottles');
    await hands.press('Sign in');
    await hands.type('p_first_password', PASSWORD);
    await hands.type('p_second_password', PASSWORD);
    await hands.press('Continue');
    await heading('Your email address');
    await hands.type('p_email', 'jane.roe');
    await hands.press('Continue');
    await page.getByText('This is not an email address.').waitFor();
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.type('p_confirmation_code', codeIn(await gatehouse.mailTo(email)));
    await hands.press('Continue');
    expect(await arrives()).toMatchObject({ sub: userId, email });
    expect((await saidBy(userId)).identities).toContainEqual({ value: email, isVerified: true });
  });

  test('who is in several organizations chooses one; none that is suspended can be', async () => {
    const email = newAddress('member');
    const userId = await newUser({ email, isEmailVerified: true });
    const [harbour, umbrella, closed] = [
      await organization(gatehouse, 'Harbour', { members: [userId] }),
      await organization(gatehouse, 'Umbrella & Daughters', { members: [userId] }),
      await organization(gatehouse, 'Closed for good', { members: [userId] }),
    ];
    await suspend(gatehouse, { organizationId: closed });
    await open({ emailSignIn: 'code' });
    await hands.type('p_email', email);
    await hands.press('Continue');
    await hands.type('p_confirmation_code', codeIn(await gatehouse.mailTo(email)));
    await hands.press('Continue');
    await heading('Choose an organization');
    expect(await page.locator('button.choice').allTextContents()).toEqual(['Acme', 'Harbour', 'Umbrella & Daughters']);
    await suspend(gatehouse, { organizationId: harbour });
    await hands.press('Harbour');
    await page.getByRole('alert').filter({ hasText: 'Choose one of the organizations.' }).waitFor();
    expect(await page.getByRole('button', { name: 'Harbour' }).count()).toBe(0);
    await hands.press('Umbrella & Daughters');
    expect(await arrives()).toMatchObject({ sub: userId, org_code: umbrella });

    await open({ emailSignIn: 'code' }, { org_code: closed });
    await heading('This organization is suspended');
  });
});
