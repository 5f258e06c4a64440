/** The plans of the OpenID Foundation for RP-initiated and back-channel logout, module by module: each test has the module's name. */
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { updateApplication } from '../../../src/features/applications/service.ts';
import { addLogoutUrls } from '../../../src/features/applications/urls/service.ts';
import { operator } from '../../graphql/world.ts';
import { startApp } from '../../helpers/app.ts';
import { startReceiver, waitFor } from '../../helpers/receiver.ts';
import type { PageView } from '../../helpers/user-agent.ts';
import { headingOf, type Person } from '../../signin/person.ts';
import { expectRefusal } from './checks.ts';
import { relyingParty, type Tokens } from './relying-party.ts';

const gatehouse = startApp();
const suite = startReceiver();
const party = relyingParty(gatehouse);
/** Every letter that text may have (RFC 6749 §A), but for those that URLs are at odds about. */
const STATE = `abcXYZ019${String.raw`!"#$%&'()*,-./:<=>?@[\]^_{|}~`}${'`'}`;

let home: string;
let person: Person;
let tokens: Tokens;
beforeAll(async () => {
  home = `${suite.url}/post_logout_redirect`;
  const applicationId = `app_${party.application().clientId}`;
  await addLogoutUrls(operator(gatehouse), { applicationId, urls: [home] });
  await updateApplication(operator(gatehouse), { applicationId, backchannelLogoutUri: `${suite.url}/backchannel_logout` });
  person = await party.person();
});
beforeEach(async () => {
  const { url, sent } = party.request();
  const page = await person.agent.open(url);
  tokens = await party.exchange(party.answerOf(headingOf(page) === 'Sign in' ? await party.prove(person, page) : page, sent));
});

async function leave(parameters: Record<string, string> = {}): Promise<PageView> {
  const { end_session_endpoint } = await party.metadata();
  return person.agent.open(`${end_session_endpoint}?${new URLSearchParams(parameters)}`);
}

/** Nobody is signed in: an authorization without a page is refused. */
async function expectSignedOut(): Promise<void> {
  const { fields, sent } = await party.authorize(person.agent, { prompt: 'none' });
  expectRefusal(fields, sent['state'], party.issuer(), /^login_required$/);
}

/** The browser stays on a page that says why; where it is asked first, it stays after that. */
async function expectStays(page: PageView, words: RegExp): Promise<void> {
  const said = headingOf(page) === 'Sign out?' ? await person.agent.submit(page, 'confirm') : page;
  expect([said.status, said.url.startsWith(party.issuer())]).toEqual([400, true]);
  expect(said.html).toMatch(words);
  await expectSignedOut();
}

describe('oidcc-rp-initiated-logout-certification-test-plan', () => {
  const request = () => ({ id_token_hint: tokens.idToken, post_logout_redirect_uri: home, state: STATE });

  test('oidcc-rp-initiated-logout', async () => {
    const { url } = await leave(request());
    expect(url.startsWith(`${home}?`)).toBe(true);
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({ state: STATE });
    await expectSignedOut();
  });

  test('oidcc-rp-initiated-logout-no-state', async () => {
    expect((await leave({ ...request(), state: '' })).url).toBe(home);
    await expectSignedOut();
  });

  test.each([
    ['oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', () => home.replace('post_logout', 'bad_post_logout')],
    ['oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', () => `${home}?foo=bar`],
  ])('%s', async (_module, post_logout_redirect_uri) => {
    await expectStays(await leave({ ...request(), post_logout_redirect_uri: post_logout_redirect_uri() }), /not one of its logout URLs/);
  });

  test('oidcc-rp-initiated-logout-modified-id-token-hint', async () => {
    const id_token_hint = `${btoa('{"alg": "none"}').replaceAll('=', '')}.${tokens.idToken.split('.')[1]}.`;
    await expectStays(await leave({ ...request(), id_token_hint }), /a token that does not belong to it/);
  });

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const { clientId, clientSecret } = party.application();
    const claims = { iss: clientId, sub: 'SubjectID', aud: party.issuer(), nonce: 'x' };
    const made = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt().setExpirationTime('5m');
    const id_token_hint = await made.sign(Buffer.from(clientSecret));
    await expectStays(await leave({ ...request(), id_token_hint }), /a token that does not belong to it/);
  });

  test('oidcc-rp-initiated-logout-no-id-token-hint', async () => {
    const { id_token_hint: _, ...rest } = request();
    const page = await leave(rest);
    expect([page.status, headingOf(page)]).toEqual([200, 'Sign out?']);
    await party.authorize(person.agent, { prompt: 'none' });
  });

  test.each([
    ['oidcc-rp-initiated-logout-no-params', () => ({})],
    ['oidcc-rp-initiated-logout-no-post-logout-redirect-uri', () => ({ id_token_hint: tokens.idToken, state: STATE })],
    ['oidcc-rp-initiated-logout-only-state', () => ({ state: STATE })],
  ])('%s', async (_module, parameters) => {
    const page = await leave(parameters());
    expect([page.status, headingOf(page)]).toEqual([200, 'You are signed out']);
    await expectSignedOut();
  });
});

describe('oidcc-backchannel-rp-initiated-logout-certification-test-plan', () => {
  test('oidcc-backchannel-rp-initiated-logout', async () => {
    suite.received.length = 0;
    const { url } = await leave({ id_token_hint: tokens.idToken, post_logout_redirect_uri: home, state: STATE });
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({ state: STATE });
    const told = await waitFor(() => suite.received.find(({ path }) => path === '/backchannel_logout'));
    expect(told.headers['content-type']).toBe('application/x-www-form-urlencoded');
    const { logout_token, ...besides } = Object.fromEntries(new URLSearchParams(told.body));
    expect(besides).toEqual({});

    const { jwks_uri } = await party.metadata();
    const keys = (await (await fetch(jwks_uri!)).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(logout_token!, createLocalJWKSet(keys), {
      issuer: party.issuer(),
      audience: party.application().clientId,
      algorithms: ['RS256'],
      maxTokenAge: '5m',
      currentDate: party.now(),
      requiredClaims: ['iss', 'aud', 'iat', 'jti', 'events'],
    });
    expect(payload['events']).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
    expect(payload).toMatchObject({ sub: tokens.claims.sub, sid: tokens.claims['sid'] });
    expect(payload['sid']).toEqual(expect.any(String));
    expect(payload).not.toHaveProperty('nonce');
    await expectSignedOut();
  });
});
