/** Device authorizations (RFC 8628): the device polls, a person decides in a browser of their own. */
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { type PageView, postForm, postToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import { newAddress, signUp, suspend, typeCode, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPE = 'openid profile email offline';

interface Codes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
}

const issuer = () => gatehouse.quickstart.issuer;
const device = () => gatehouse.application('device');

async function start(form: Record<string, string> = {}, path = '/oauth2/device/auth'): Promise<Codes> {
  const { status, body } = await postForm(`${issuer()}${path}`, { scope: SCOPE, ...form });
  expect([status, body?.['error_description']]).toEqual([200, undefined]);
  return body as unknown as Codes;
}

const poll = (code: string, form: Record<string, string> = {}) =>
  postToken(issuer(), { grant_type: GRANT, client_id: device().clientId, device_code: code, ...form });

async function expectError(code: string, error: string, form: Record<string, string> = {}): Promise<void> {
  const { status, body, headers } = await poll(code, form);
  expect([status, body]).toEqual([400, { error, error_description: expect.any(String) }]);
  expect(headers.get('cache-control')).toBe('no-store');
}

/** Types the code on the page, and leads to what comes next. */
async function type(agent: UserAgent, typed: string): Promise<PageView> {
  return agent.submit(await agent.open(`${issuer()}/device`), 'device', { p_user_code: typed });
}

const decide = (agent: UserAgent, page: PageView, decision: 'allow' | 'refuse') => agent.submit(page, 'device', { p_decision: decision });

test('the answer is as SDKs read it, at both addresses, and discovery names the endpoint', async () => {
  for (const path of ['/oauth2/device/auth', '/oauth2/v2/device_authorization']) {
    const { status, body, headers } = await postForm(`${issuer()}${path}`, { client_id: device().clientId, scope: SCOPE });
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    const code = String(body!['user_code']);
    expect(body).toEqual({
      device_code: expect.stringMatching(/^dc_[A-Za-z0-9_-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/),
      verification_uri: `${issuer()}/device`,
      verification_uri_complete: `${issuer()}/device?user_code=${code}`,
      expires_in: 600,
      interval: 5,
      qr_code: expect.stringMatching(/^data:image\/png;base64,iVBORw0KGgo/),
    });
  }
  const discovery = (await (await fetch(`${issuer()}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
  expect(discovery['device_authorization_endpoint']).toBe(`${issuer()}/oauth2/device/auth`);
  expect(discovery['grant_types_supported']).toContain(GRANT);
});

test('a person who is signed in types the code, reads who asks, allows it once, and the device is given tokens once', async () => {
  const { agent, email } = await signUp(gatehouse);
  const codes = await start();
  await expectError(codes.device_code, 'authorization_pending');
  const { user_code } = codes;
  const page = await type(agent, ` ${user_code.slice(0, 4).toLowerCase()}-${user_code.slice(4)} `);
  expect(page.html).toContain(user_code);
  expect(page.html).toContain(device().name);
  expect(page.html).toContain('Your email address');
  const done = await decide(agent, page, 'allow');
  expect([done.url, done.html.includes('Your device is connected')]).toEqual([`${issuer()}/device/connected`, true]);

  const answers = await Promise.all(Array.from({ length: 8 }, () => poll(codes.device_code)));
  const won = answers.filter(({ status }) => status === 200);
  expect(won).toHaveLength(1);
  for (const { status, body } of answers.filter((answer) => answer !== won[0]))
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  const tokens = won[0]!.body;
  expect(tokens).toMatchObject({ token_type: 'bearer', scope: SCOPE, expires_in: expect.any(Number) });
  expect(decodeJwt(tokens.id_token)).toMatchObject({ aud: [device().clientId], email });
  expect(decodeJwt(tokens.access_token)).toMatchObject({ azp: device().clientId, sub: decodeJwt(tokens.id_token).sub });
  const refreshed = await postToken(issuer(), {
    grant_type: 'refresh_token',
    client_id: device().clientId,
    refresh_token: tokens.refresh_token,
  });
  expect(refreshed.status).toBe(200);
  await expectError(codes.device_code, 'invalid_grant');
});

test('without scopes there is an access token alone, with an empty scope', async () => {
  const { agent } = await signUp(gatehouse);
  const codes = await start({ scope: '' });
  await decide(agent, await type(agent, codes.user_code), 'allow');
  const { body } = await poll(codes.device_code);
  expect(body).toEqual({ access_token: expect.any(String), expires_in: expect.any(Number), scope: '', token_type: 'bearer' });
});

test('who is not signed in signs in first, and decides then', async () => {
  const { email } = await signUp(gatehouse);
  const agent = userAgent(gatehouse.baseUrl);
  const codes = await start();
  const after = await gatehouse.mailCount(email);
  const asked = await agent.submit(await type(agent, codes.user_code), 'identify', { p_email: email });
  const page = asked.html.includes('p_confirmation_code')
    ? await typeCode(gatehouse, agent, asked, email, after)
    : await agent.submit(asked, 'password', { p_password: 'a quiet harbour at dawn' });
  await expectError(codes.device_code, 'authorization_pending');
  expect(page.html).toContain('Connect a device');
  await decide(agent, page, 'allow');
  expect((await poll(codes.device_code)).status).toBe(200);
});

test('a device that is refused is told so, and its code is over', async () => {
  const { agent } = await signUp(gatehouse);
  const codes = await start();
  const done = await decide(agent, await type(agent, codes.user_code), 'refuse');
  expect(done.html).toContain('The device was refused');
  await expectError(codes.device_code, 'access_denied');
  expect((await type(agent, codes.user_code)).status).toBe(422);
});

test('a device that does not wait is told to, and waits five seconds longer each time', async () => {
  const { device_code } = await start();
  await expectError(device_code, 'authorization_pending');
  await expectError(device_code, 'slow_down');
  gatehouse.advance(6);
  await expectError(device_code, 'slow_down');
  gatehouse.advance(11);
  await expectError(device_code, 'slow_down');
  gatehouse.advance(21);
  await expectError(device_code, 'authorization_pending');
  const pair = await Promise.all([poll(device_code), poll(device_code)]);
  expect(pair.map(({ body }) => body.error)).toEqual(['slow_down', 'slow_down']);
});

test('codes are over after ten minutes, on both sides', async () => {
  const { agent } = await signUp(gatehouse);
  const [late, typed] = [await start(), await start()];
  const page = await type(agent, typed.user_code);
  gatehouse.advance(601);
  await expectError(late.device_code, 'expired_token');
  expect((await type(agent, late.user_code)).status).toBe(422);
  expect((await decide(agent, page, 'allow')).status).toBe(404);
  await expectError(typed.device_code, 'expired_token');
});

test('an allowed code that nobody fetches in time is over too', async () => {
  const { agent } = await signUp(gatehouse);
  const { device_code, user_code } = await start();
  await decide(agent, await type(agent, user_code), 'allow');
  gatehouse.advance(601);
  await expectError(device_code, 'expired_token');
});

test('of two people who type the same code one decides', async () => {
  const people = [await signUp(gatehouse), await signUp(gatehouse)];
  const codes = await start();
  const pages = await Promise.all(people.map(({ agent }) => type(agent, codes.user_code)));
  const ends = await Promise.all(people.map(({ agent }, index) => decide(agent, pages[index]!, 'allow')));
  expect(ends.map(({ status }) => status).toSorted()).toEqual([200, 404]);
  const winner = people[ends.findIndex(({ status }) => status === 200)]!;
  const { body } = await poll(codes.device_code);
  expect(decodeJwt(body.id_token)['email']).toBe(winner.email);
});

test('unknown, expired and used codes read the same', async () => {
  const { agent } = await signUp(gatehouse);
  const [used, expired] = [await start(), await start()];
  await decide(agent, await type(agent, used.user_code), 'refuse');
  gatehouse.advance(601);
  const pages = [await type(agent, 'BCDFGHJK'), await type(agent, used.user_code), await type(agent, expired.user_code)];
  const plain = pages.map(({ status, html }) => [status, html.replace(/value="[^"]*"/g, '')]);
  expect(plain[1]).toEqual(plain[0]);
  expect(plain[2]).toEqual(plain[0]);
});

test('codes cannot be guessed at will: one address tries twenty a minute, and a right one is refused as well then', async () => {
  gatehouse.advance(61);
  const agent = userAgent(gatehouse.baseUrl);
  const codes = await start();
  const page = await agent.open(`${issuer()}/device`);
  const tries = await Promise.all(Array.from({ length: 30 }, () => agent.submit(page, 'device', { p_user_code: 'BCDFGHJK' })));
  expect(tries.filter(({ status }) => status === 422)).toHaveLength(20);
  expect(tries.filter(({ status }) => status === 429)).toHaveLength(10);
  const right = await agent.submit(page, 'device', { p_user_code: codes.user_code });
  expect([right.status, right.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  gatehouse.advance(61);
  expect((await agent.submit(page, 'device', { p_user_code: codes.user_code })).status).toBe(200);
});

test('the page is not answered for another site: its form needs the browser’s own token', async () => {
  const { user_code } = await start();
  const body = new URLSearchParams({ p_user_code: user_code, csrf: 'x' });
  expect((await fetch(`${issuer()}/device`, { method: 'POST', body })).status).toBe(403);
  const other = await userAgent(gatehouse.baseUrl).open(`${issuer()}/device`);
  const agent = userAgent(gatehouse.baseUrl);
  await agent.open(`${issuer()}/device`);
  expect((await agent.submit(other, 'device', { p_user_code: user_code })).status).toBe(403);
});

test('a link with the code in it fills the page in, and decides nothing', async () => {
  const { agent } = await signUp(gatehouse);
  const codes = await start();
  const page = await agent.open(codes.verification_uri_complete);
  expect(page.html).toContain(`value="${codes.user_code}"`);
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  await expectError(codes.device_code, 'authorization_pending');
  const hostile = await agent.open(`${issuer()}/device?user_code=${encodeURIComponent('"><script>alert(1)</script>')}`);
  expect(hostile.html).not.toContain('<script');
  for (const query of ['?user_code=a&user_code=b', '?user_code=', `?user_code=${'x'.repeat(3000)}`])
    expect((await agent.open(`${issuer()}/device${query}`)).status).toBe(200);
});

test('a device code is its own application’s, and its own environment’s', async () => {
  const codes = await start();
  const { prisma } = gatehouse.app.infrastructure.database;
  const { environmentId, ...row } = await prisma.application.findFirstOrThrow({ where: { id: `app_${device().clientId}` } });
  const other = 'f'.repeat(32);
  await prisma.application.create({
    data: { environmentId, id: `app_${other}`, name: 'Other device', type: 'device', callbackUrls: [], logoutUrls: row.logoutUrls },
  });
  gatehouse.app.infrastructure.lookups.forget();
  await expectError(codes.device_code, 'invalid_grant', { client_id: other });
  const unnamed = await postForm(`${issuer()}/oauth2/device/auth`, { scope: SCOPE });
  expect([unnamed.status, unnamed.body!['error']]).toEqual([401, 'invalid_client']);
  await prisma.application.deleteMany({ where: { id: `app_${other}` } });
  gatehouse.app.infrastructure.lookups.forget();
  const { account } = gatehouse.quickstart;
  const elsewhere = await postToken(account.issuer, {
    grant_type: GRANT,
    client_id: account.applications[0]!.clientId,
    device_code: codes.device_code,
  });
  expect(elsewhere.body.error).toBe('unauthorized_client');
  await expectError('dc_nothing', 'invalid_grant');
  await expectError('', 'invalid_request');
  await expectError(codes.device_code, 'authorization_pending');
});

test('other kinds of application are given no device codes', async () => {
  for (const kind of ['spa', 'reg', 'm2m'] as const) {
    const { clientId, clientSecret } = gatehouse.application(kind);
    const form = { client_id: clientId, ...(clientSecret && { client_secret: clientSecret }) };
    const { status, body } = await postForm(`${issuer()}/oauth2/device/auth`, form);
    expect([status, body!['error']]).toEqual([400, 'unauthorized_client']);
    expect((await poll('dc_x', form)).body.error).toBe('unauthorized_client');
  }
});

test('who signs out or is suspended before the device asks leaves it with nothing', async () => {
  const left = await signUp(gatehouse);
  const codes = await start();
  await decide(left.agent, await type(left.agent, codes.user_code), 'allow');
  await left.agent.open(`${issuer()}/logout`);
  await expectError(codes.device_code, 'access_denied');

  const email = newAddress();
  const { agent } = await signUp(gatehouse, { email });
  const second = await start();
  await decide(agent, await type(agent, second.user_code), 'allow');
  await suspend(gatehouse, { userId: await userIdOf(gatehouse, email) });
  const { status, body } = await poll(second.device_code);
  expect([status, ['access_denied', 'invalid_grant'].includes(body.error!)]).toEqual([400, true]);
});

test('the device’s code is kept as its digest, and neither code is in the log', async () => {
  const { agent } = await signUp(gatehouse);
  const codes = await start();
  await decide(agent, await type(agent, codes.user_code), 'allow');
  await poll(codes.device_code);
  const rows = await gatehouse.app.infrastructure.database.prisma.deviceAuthorization.findMany();
  expect(JSON.stringify(rows)).not.toContain(codes.device_code);
  expect(gatehouse.log()).not.toContain(codes.device_code);
  expect(gatehouse.log()).not.toContain(codes.user_code);
});

test('scopes of an API are named on the page and in the token as far as the person holds them, and leave with them', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const application = await prisma.application.findFirstOrThrow({ where: { id: `app_${device().clientId}` } });
  const { environmentId, id: applicationId } = application;
  const audience = 'https://films.test';
  const scopes = ['read:films', 'write:films', 'burn:films'];
  const api = await prisma.api.create({ data: { environmentId, id: `api_${'1'.repeat(32)}`, name: 'Films', audience } });
  const made = scopes.map((name, index) => ({ environmentId, id: `api_scope_${String(index).repeat(32)}`, apiId: api.id, name }));
  await prisma.apiScope.createMany({ data: made });
  await prisma.applicationApi.create({ data: { environmentId, applicationId, apiId: api.id, scopes: scopes.slice(0, 2) } });
  gatehouse.app.infrastructure.lookups.forget();
  const { agent, email } = await signUp(gatehouse);
  const membership = await prisma.membership.findFirstOrThrow({ where: { userId: await userIdOf(gatehouse, email) } });
  const held = [made[0]!, made[2]!].map(({ id: scopeId }) => ({ environmentId, membershipId: membership.id, scopeId }));
  await prisma.membershipScope.createMany({ data: held });

  const codes = await start({ scope: 'openid offline', audience: `${audience} https://unknown.test` });
  const page = await type(agent, codes.user_code);
  expect(scopes.map((scope) => page.html.includes(scope))).toEqual([true, false, false]);
  await decide(agent, page, 'allow');
  const { body } = await poll(codes.device_code);
  expect(body.scope).toBe('openid offline read:films');
  const claims = { aud: [audience], scp: ['openid', 'offline', 'read:films'], scope: 'read:films' };
  expect(decodeJwt(body.access_token)).toMatchObject(claims);

  // What was not allowed is in no token, though the person holds it.
  await prisma.membershipScope.deleteMany({ where: { membershipId: membership.id, scopeId: made[0]!.id } });
  const form = { grant_type: 'refresh_token', client_id: device().clientId, refresh_token: body.refresh_token };
  const later = (await postToken(issuer(), form)).body;
  expect(later.scope).toBe('openid offline');
  expect(decodeJwt(later.access_token)['scope']).toBeUndefined();
});

test('codes that are over leave the database', async () => {
  await start();
  gatehouse.advance(600 + 3601);
  const { infrastructure } = gatehouse.app;
  const { deleteExpiredDevices } = await import('../../src/features/device-authorizations/service.ts');
  while ((await deleteExpiredDevices(infrastructure)) > 0);
  expect(await infrastructure.database.prisma.deviceAuthorization.count()).toBe(0);
});
