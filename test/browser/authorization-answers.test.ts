/** Chromium at an application of its own: an answer that is posted, one by way of a page, and an invitation from the mail to the member. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeIn, freePort } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { ask } from '../helpers/graph.ts';
import { startMailedApp } from '../helpers/mailed-app.ts';
import { authorizationUrl, machineToken, postToken } from '../helpers/user-agent.ts';
import { newAddress, organization, productionEnvironment } from '../signin/person.ts';

const gatehouse = await startMailedApp();
const browser = openBrowser();

/** The application: its login URI starts an authorization, with the invitation that it was opened with, and its callback shows what came. */
let app: string;
let server: Server;
let request: ReturnType<typeof authorizationUrl>;
const received: { method: string; fields: Record<string, string>; contentType: string | undefined }[] = [];

async function bodyOf(message: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of message) body += String(chunk);
  return body;
}

function begin(parameters: Record<string, string>): string {
  const { issuer } = gatehouse.quickstart;
  const { clientId } = gatehouse.application('spa');
  request = authorizationUrl({ issuer, clientId, redirectUri: `${app}/callback`, parameters });
  return request.url;
}

beforeAll(async () => {
  const port = await freePort();
  app = `http://localhost:${port}`;
  server = createServer(async (message, response) => {
    const url = new URL(message.url!, app);
    if (url.pathname === '/login') {
      const invitation_code = url.searchParams.get('invitation_code') ?? '';
      return response.writeHead(302, { location: begin({ invitation_code, is_invitation: 'true' }) }).end();
    }
    const sent = message.method === 'POST' ? new URLSearchParams(await bodyOf(message)) : url.searchParams;
    if (url.pathname === '/callback')
      received.push({ method: message.method!, fields: Object.fromEntries(sent), contentType: message.headers['content-type'] });
    return response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><h1>Back</h1>');
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  const { prisma } = gatehouse.app.infrastructure.database;
  const applicationId = `app_${gatehouse.application('spa').clientId}`;
  await prisma.application.updateMany({
    where: { id: applicationId },
    data: { callbackUrls: { push: `${app}/callback` }, loginUri: `${app}/login`, emailSignIn: 'code' },
  });
  const { id } = await productionEnvironment(gatehouse);
  await prisma.environment.update({ where: { id }, data: { allowInvitations: true, invitationApplicationId: applicationId } });
  gatehouse.app.infrastructure.lookups.forget();
});
afterAll(() => server?.close());

async function tokensFor(code: string) {
  const { status, body } = await postToken(gatehouse.quickstart.issuer, {
    grant_type: 'authorization_code',
    client_id: gatehouse.application('spa').clientId,
    redirect_uri: `${app}/callback`,
    code,
    code_verifier: request.verifier,
  });
  expect(status).toBe(200);
  return body;
}

test.each([true, false])('an answer is posted to the callback, whether pages may run scripts or not: %s', async (javaScriptEnabled) => {
  const page = await browser.newPage({ javaScriptEnabled });
  const problems = capturing(page);
  const email = newAddress('posted');
  await page.goto(begin({ prompt: 'create', response_mode: 'form_post' }));
  await page.fill('[name=p_email]', email);
  await page.click('button[type=submit]');
  await page.locator('[name=p_confirmation_code]').waitFor();
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(email)));
  await page.click('button[type=submit]');
  if (!javaScriptEnabled) await page.click('text=Continue');
  await page.waitForURL(`${app}/callback`);
  const { method, fields, contentType } = received.at(-1)!;
  expect([method, contentType]).toEqual(['POST', 'application/x-www-form-urlencoded']);
  expect(fields).toEqual({
    code: expect.stringMatching(/^[\w-]{43}$/),
    scope: 'openid profile email offline',
    state: request.query.state,
    iss: gatehouse.baseUrl,
  });
  expect(decodeJwt((await tokensFor(fields['code']!)).id_token)).toMatchObject({ email });

  // And once more with nothing but the session.
  await page.goto(begin({ response_mode: 'form_post' }));
  if (!javaScriptEnabled) await page.click('text=Continue');
  await page.waitForURL(`${app}/callback`);
  expect(received.at(-1)!.fields['state']).toBe(request.query.state);

  await page.goto(begin({ has_success_page: 'true' }));
  if (!javaScriptEnabled) {
    expect(await page.textContent('h1')).toBe('You are signed in');
    await page.click('a.primary');
  }
  await page.waitForURL(`${app}/callback?code=*`);
  expect(received.at(-1)!.method).toBe('GET');
  expect(problems).toEqual([]);
});

test('an invitation leads from the mail to a member, signed up with the address that was invited', async () => {
  const organizationId = await organization(gatehouse, 'Cellar');
  const email = newAddress('Guest');
  const { data, errors } = await ask<{ createOrganizationInvitation: { errors: object[] } }, object>(
    gatehouse,
    await machineToken(gatehouse),
    'mutation ($input: CreateOrganizationInvitationInput!) { createOrganizationInvitation(input: $input) { errors { code } } }',
    { input: { organizationId, email, firstName: 'Gil', lastName: 'Guest' } },
  );
  expect([errors, data!.createOrganizationInvitation.errors]).toEqual([[], []]);
  const link = /https?:\S+invitation_code=[\w-]+/.exec((await gatehouse.mailTo(email)).text)![0];

  const page = await browser.newPage();
  const problems = capturing(page);
  await page.goto(link);
  expect(await page.textContent('h1')).toBe('Create your account');
  expect(await page.textContent('.lead')).toBe('to join Cellar');
  const address = page.locator('[name=p_email]');
  expect([await address.inputValue(), await address.isEditable()]).toEqual([email, false]);
  expect(await page.inputValue('[name=p_first_name]')).toBe('Gil');
  await page.click('button[type=submit]');
  await page.locator('[name=p_confirmation_code]').waitFor();
  await page.fill('[name=p_confirmation_code]', codeIn(await gatehouse.mailTo(email, { after: 1 })));
  await page.click('button[type=submit]');
  await page.waitForURL(`${app}/callback?code=*`);
  const tokens = await tokensFor(received.at(-1)!.fields['code']!);
  expect(decodeJwt(tokens.access_token)).toMatchObject({ org_code: organizationId });
  expect(decodeJwt(tokens.id_token)).toMatchObject({ email, given_name: 'Gil', family_name: 'Guest', org_codes: [organizationId] });
  expect(problems).toEqual([]);

  const again = await page.goto(link);
  expect([again!.status(), await page.textContent('h1')]).toEqual([404, 'This invitation cannot be used']);
});
