/** Passkeys in real Chromium, with its virtual authenticator: made after signing up, and good in a browser that was never here. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { codeIn } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { newAddress, PASSWORD } from '../signin/person.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();
const rows = () => gatehouse.app.infrastructure.database.prisma;

/** The application that people come back to. */
const application = createServer((_request, response) =>
  response.setHeader('content-type', 'text/html').end('<link rel="icon" href="data:,"><h1>Back</h1>'),
);
let redirectUri: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => application.listen(0, 'localhost', resolve));
  redirectUri = `http://localhost:${(application.address() as AddressInfo).port}/callback`;
  const id = `app_${gatehouse.application('spa').clientId}`;
  await rows().application.updateMany({ where: { id }, data: { callbackUrls: [redirectUri] } });
});
afterAll(() => void application.close());

async function setPolicy(passkeyPolicy: 'off' | 'optional' | 'mandatory'): Promise<void> {
  await rows().environment.updateMany({ data: { passkeyPolicy } });
  gatehouse.app.infrastructure.lookups.forget();
}
beforeEach(() => setPolicy('optional'));

interface Device {
  readonly page: Page;
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
}

/** A browser on a device that recognizes its person, with the passkeys of `other`, which the two share. */
async function device(other?: Device): Promise<Device> {
  const page = await browser.newPage();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const credentials = other ? await credentialsOf(other) : [];
  for (const credential of credentials) await cdp.send('WebAuthn.addCredential', { authenticatorId, credential });
  // Or whatever a page offers by the side is taken at once.
  await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
  return { page, cdp, authenticatorId };
}

async function credentialsOf({ cdp, authenticatorId }: Device) {
  return (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
}

/** The person touches the sensor. */
function touch({ cdp, authenticatorId }: Device): Promise<unknown> {
  return cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
}

function open({ page }: { page: Page }, parameters: Record<string, string> = {}) {
  const { issuer } = gatehouse.quickstart;
  const { clientId } = gatehouse.application('spa');
  return page.goto(authorizationUrl({ issuer, clientId, redirectUri, parameters }).url);
}

const isBack = ({ page }: Device) => page.waitForURL(`${redirectUri}?code=*`);

async function signUp(at: Device): Promise<string> {
  const { page } = at;
  const email = newAddress('passkey');
  await open(at, { prompt: 'create' });
  await page.fill('[name=p_email]', email);
  await page.click('button[type=submit]');
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(email)));
  await page.click('button[type=submit]');
  await page.fill('[name=p_first_password]', PASSWORD);
  await page.fill('[name=p_second_password]', PASSWORD);
  await page.click('button[type=submit]');
  return email;
}

async function signInByPassword({ page }: Device, email: string): Promise<void> {
  await page.fill('[name=p_email]', email);
  await page.click('button[type=submit]');
  await page.fill('[name=p_password]', PASSWORD);
  await page.click('button[type=submit]');
}

/** A browser that offers no passkeys beside the address; the virtual authenticator would take each at once. */
function onlyByButton({ page }: Device): Promise<unknown> {
  return page.addInitScript(() => Reflect.deleteProperty(PublicKeyCredential, 'isConditionalMediationAvailable'));
}

const button = ({ page }: Device, name: string) => page.getByRole('button', { name, exact: true });

test('a passkey that is made after signing up signs in on a browser that was never here, until it is removed', async () => {
  const phone = await device();
  const problems = capturing(phone.page);
  await signUp(phone);
  await phone.page.getByRole('heading', { name: 'Sign in faster next time' }).waitFor();
  await touch(phone);
  await button(phone, 'Create a passkey').click();
  await isBack(phone);
  const [made] = await credentialsOf(phone);
  expect(made).toMatchObject({ isResidentCredential: true, rpId: 'localhost' });

  const laptop = await device(phone);
  const others = capturing(laptop.page);
  await onlyByButton(laptop);
  await open(laptop);
  await touch(laptop);
  await button(laptop, 'Sign in with a passkey').click();
  await isBack(laptop);
  expect(await rows().passkey.findFirst({ where: { useCount: 1 } })).toMatchObject({ name: 'Chrome · Linux', transports: ['internal'] });

  await rows().passkey.deleteMany();
  const stale = await device(laptop);
  await onlyByButton(stale);
  await open(stale);
  await touch(stale);
  await button(stale, 'Sign in with a passkey').click();
  await stale.page.getByText('This passkey does not belong to an account here.').waitFor();
  expect([...problems, ...others]).toEqual([]);
});

test('the browser offers the passkey with the address, and whoever takes it is signed in without typing', async () => {
  const phone = await device();
  await signUp(phone);
  await touch(phone);
  await button(phone, 'Create a passkey').click();
  await isBack(phone);
  const laptop = await device(phone);
  await touch(laptop);
  await open(laptop);
  await isBack(laptop);
});

test('whoever gives up is told so and tries again; “Not now” is remembered', async () => {
  const phone = await device();
  const email = await signUp(phone);
  await phone.cdp.send('WebAuthn.setUserVerified', { authenticatorId: phone.authenticatorId, isUserVerified: false });
  await touch(phone);
  await button(phone, 'Create a passkey').click();
  await phone.page.getByText('That did not work, or took too long.').waitFor();
  expect(await credentialsOf(phone)).toEqual([]);
  await button(phone, 'Not now').click();
  await isBack(phone);
  const laptop = await device();
  await open(laptop);
  await signInByPassword(laptop, email);
  await isBack(laptop);
});

test('where passkeys are mandatory there is no way around, and a browser without them says so', async () => {
  await setPolicy('mandatory');
  const phone = await device();
  const email = await signUp(phone);
  await phone.page.getByRole('heading', { name: 'Create your passkey' }).waitFor();
  expect(await button(phone, 'Not now').count()).toBe(0);

  const old = await device();
  await old.page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'));
  await open(old);
  expect(await button(old, 'Sign in with a passkey').count()).toBe(0);
  await signInByPassword(old, email);
  await old.page.getByText('You need a passkey to go on, and this browser cannot make one.').waitFor();
  expect(await button(old, 'Create a passkey').count()).toBe(0);

  await touch(phone);
  await button(phone, 'Create a passkey').click();
  await isBack(phone);
});

test('without JavaScript there is no button, and a sentence says why', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await open({ page });
  expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
  const sentence = page.locator('noscript p');
  expect(await sentence.isVisible()).toBe(true);
  expect(await sentence.textContent()).toBe('Passkeys need JavaScript, which is off in this browser.');
});
