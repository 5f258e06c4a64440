/** A device without a browser is connected by a person’s phone, in real Chromium, with openid-client on the device. */
import * as oidc from 'openid-client';
import { expect, test } from 'vitest';
import { codeIn } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();

test('the device shows a QR code and polls; a phone without JavaScript follows it, signs up and allows the device', async () => {
  const device = await oidc.discovery(
    new URL(gatehouse.quickstart.issuer),
    gatehouse.application('device').clientId,
    undefined,
    oidc.None(),
    {
      execute: [oidc.allowInsecureRequests],
    },
  );
  const started = await oidc.initiateDeviceAuthorization(device, { scope: 'openid profile email offline' });
  const screen = await browser.newPage();
  await screen.setContent(`<img alt="QR code" src="${String(started['qr_code'])}"><p>${started.user_code}</p>`);
  const size = await screen.getByAltText('QR code').evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth));
  expect(size).toBeGreaterThan(100);
  const polled = oidc.pollDeviceAuthorizationGrant(device, started);

  const phone = await browser.newPage({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const problems = capturing(phone);
  await phone.goto(started.verification_uri_complete!);
  expect(await phone.inputValue('[name=p_user_code]')).toBe(started.user_code);
  await phone.click('button[type=submit]');
  await phone.getByRole('button', { name: 'Create one' }).click();
  await phone.fill('[name=p_first_name]', 'Jane');
  await phone.fill('[name=p_last_name]', 'Roe');
  await phone.fill('[name=p_email]', 'jane.roe@example.test');
  await phone.click('button[type=submit]');
  await phone.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo('jane.roe@example.test')));
  await phone.click('button[type=submit]');
  if (await phone.locator('[name=p_first_password]').count()) {
    await phone.fill('[name=p_first_password]', 'a quiet harbour at dawn');
    await phone.fill('[name=p_second_password]', 'a quiet harbour at dawn');
    await phone.click('button[type=submit]');
  }
  await phone.getByText(started.user_code).waitFor();
  await phone.getByRole('button', { name: 'Allow' }).click();
  await phone.getByRole('heading', { name: 'Your device is connected' }).waitFor();

  const tokens = await polled;
  expect(tokens.claims()).toMatchObject({ email: 'jane.roe@example.test', given_name: 'Jane' });
  expect((await oidc.refreshTokenGrant(device, tokens.refresh_token!)).claims()?.sub).toBe(tokens.claims()?.sub);
  expect(problems).toEqual([]);
});
