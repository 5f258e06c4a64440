/**
 * The plans of the OpenID Foundation for Basic OP and Form Post Basic OP, module by module: each test has the name of the
 * module that asks the same. What the suite only warns about is asserted as well, so that conformance/README.md stays true.
 */
import { createHash, randomBytes } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApplication } from '../../../src/features/applications/service.ts';
import { operator } from '../../graphql/world.ts';
import { startApp } from '../../helpers/app.ts';
import { headingOf, type Person, productionEnvironment, signUp } from '../../signin/person.ts';
import { expectEntropy, expectRefusal } from './checks.ts';
import { type ResponseMode, relyingParty } from './relying-party.ts';

const gatehouse = startApp();
let person: Person;
beforeAll(async () => {
  person = await relyingParty(gatehouse).person();
});

/** What the scope `profile` may tell (Core §5.4) and no page of ours asks anybody for: a warning. */
const UNASKED = ['birthdate', 'gender', 'locale', 'middle_name', 'nickname', 'profile', 'website', 'zoneinfo'];

describe.each<[plan: string, ResponseMode]>([
  ['oidcc-basic-certification-test-plan', 'default'],
  ['oidcc-formpost-basic-certification-test-plan', 'form_post'],
])('%s', (_plan, mode) => {
  const party = relyingParty(gatehouse, mode);
  // Whatever another module has ended, the person is signed in when one begins.
  beforeEach(async () => {
    const { url, sent } = party.request();
    const page = await person.agent.open(url);
    party.answerOf(headingOf(page) === 'Sign in' ? await party.prove(person, page) : page, sent);
  });
  const tokensFor = async (parameters: Record<string, string> = {}) => party.exchange(await party.authorize(person.agent, parameters));

  test('oidcc-server', async () => {
    const answer = await party.authorize(person.agent);
    expectEntropy(answer.fields['code']!);
    const { claims } = await party.exchange(answer);
    expect(claims).not.toHaveProperty('name');
    // What the suite did not ask for, and warns about: SDKs read it.
    const asked = 'iss sub aud exp iat auth_time nonce acr amr azp at_hash jti sid'.split(' ');
    expect(Object.keys(claims).filter((name) => !asked.includes(name))).toEqual(['rat', 'updated_at', 'org_codes']);
  });

  test('oidcc-response-type-missing', async () => {
    const page = await person.agent.open(party.request({ response_type: '' }).url);
    expect([page.status, page.html]).toEqual([400, expect.stringContaining('response_type must be code')]);
  });

  test('oidcc-idtoken-signature, oidcc-idtoken-unsigned', async () => {
    expect((await party.metadata())['id_token_signing_alg_values_supported']).not.toContain('none');
    expect(decodeProtectedHeader((await tokensFor()).idToken)).toMatchObject({ alg: 'RS256', kid: expect.any(String) });
  });

  test('oidcc-userinfo-get, oidcc-userinfo-post-header, oidcc-userinfo-post-body', async () => {
    const tokens = await tokensFor();
    const told = await party.userInfo(tokens);
    const [type, body] = ['application/x-www-form-urlencoded', String(new URLSearchParams({ access_token: tokens.accessToken }))];
    const inHeader = { authorization: `Bearer ${tokens.accessToken}`, 'content-type': type };
    expect(await party.userInfo(tokens, { method: 'POST', headers: inHeader })).toEqual(told);
    expect(await party.userInfo(tokens, { method: 'POST', headers: { 'content-type': type }, body })).toEqual(told);
  });

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    expect((await tokensFor({ nonce: '' })).claims).not.toHaveProperty('nonce');
  });

  test('oidcc-scope-profile', async () => {
    const told = await party.userInfo(await tokensFor({ scope: 'openid profile' }));
    const possible = ['name', 'given_name', 'family_name', 'picture', 'preferred_username', 'updated_at', ...UNASKED];
    expect(possible.filter((name) => !(name in told))).toEqual(UNASKED);
  });

  test('oidcc-scope-email', async () => {
    const tokens = await tokensFor({ scope: 'openid email' });
    const told = await party.userInfo(tokens);
    expect(told).toMatchObject({ email: person.email, email_verified: true });
    expect(told).not.toHaveProperty('name');
    expect(tokens.claims).not.toHaveProperty('name');
    // A warning: the ID token tells it as well.
    expect(tokens.claims).toHaveProperty('email');
  });

  test('oidcc-scope-phone', async () => {
    const told = await party.userInfo(await tokensFor({ scope: 'openid phone' }));
    expect(told).toMatchObject({ phone_number: expect.stringMatching(/^\+1555/), phone_number_verified: true });
  });

  test('oidcc-scope-address, oidcc-scope-all', async () => {
    // Skipped, as the address is not among the scopes that are supported. It is no mistake to ask for it.
    expect((await party.metadata())['scopes_supported']).not.toContain('address');
    const told = await party.userInfo(await tokensFor({ scope: 'openid email phone address profile' }));
    expect(told).toMatchObject({ email: person.email, phone_number: expect.any(String), name: 'Jane Roe' });
  });

  test('what nobody has told us of themselves is left out, whatever the module', async () => {
    const { agent, email } = await signUp(gatehouse, { kind: 'reg' });
    const { prisma } = gatehouse.app.infrastructure.database;
    const { userId } = await prisma.identity.findFirstOrThrow({ where: { normalized: email } });
    await prisma.user.updateMany({ where: { id: userId }, data: { firstName: null, lastName: null } });
    const tokens = await party.exchange(await party.authorize(agent, { scope: 'openid email phone address profile' }));
    expect(Object.keys(await party.userInfo(tokens)).toSorted()).toEqual(['email', 'email_verified', 'id', 'sub', 'updated_at']);
  });

  test('oidcc-alternate-happy-flow (oidcc-ensure-other-scope-order-succeeds)', async () => {
    const { url, sent } = party.request({ scope: 'email openid' });
    const backwards = new URLSearchParams([...new URL(url).searchParams].reverse());
    const page = await person.agent.open(`${url.split('?')[0]}?${backwards}`);
    const told = await party.userInfo(await party.exchange(party.answerOf(page, sent)));
    expect(told).toMatchObject({ email: person.email });
    expect(told).not.toHaveProperty('name');
  });

  test.each([
    ['oidcc-display-page', { display: 'page' }],
    ['oidcc-display-popup', { display: 'popup' }],
    ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
    ['oidcc-ui-locales', { ui_locales: 'se' }],
    ['oidcc-claims-locales', { claims_locales: 'se' }],
    ['oidcc-login-hint', { login_hint: 'buffy@localhost' }],
    ['oidcc-login-hint', { login_hint: 'buffy@id.example.test' }],
  ])('%s', async (_module, parameters) => {
    const agent = party.stranger();
    const { url, sent } = party.request(parameters);
    const page = await party.prove({ ...person, agent }, await agent.open(url));
    await party.exchange(party.answerOf(page, sent));
    await tokensFor(parameters);
  });

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    // A warning: it is voluntary to say which of them it was.
    expect((await tokensFor({ acr_values: '1 2' })).claims).not.toHaveProperty('acr');
  });

  test('oidcc-claims-essential', async () => {
    const tokens = await tokensFor({ claims: JSON.stringify({ userinfo: { name: { essential: true } } }) });
    // A warning: the parameter is not supported, and it is not listed as supported.
    expect(await party.metadata()).not.toHaveProperty('claims_parameter_supported');
    expect(await party.userInfo(tokens)).not.toHaveProperty('name');
    expect(tokens.claims).not.toHaveProperty('name');
  });

  test.each([
    ['oidcc-prompt-login', { prompt: 'login' }],
    ['oidcc-max-age-1', { max_age: '1' }],
  ])('%s', async (_module, parameters) => {
    const first = await tokensFor();
    gatehouse.advance(2);
    const { url, sent } = party.request(parameters as Record<string, string>);
    const second = await party.exchange(party.answerOf(await party.prove(person, await person.agent.open(url)), sent));
    expect(second.claims.auth_time).toBeGreaterThan(first.claims.auth_time);
    expect(second.claims.sub).toBe(first.claims.sub);
  });

  test('oidcc-prompt-none-not-logged-in', async () => {
    const { fields, sent } = await party.authorize(party.stranger(), { prompt: 'none' });
    expectRefusal(fields, sent['state'], party.issuer(), /^(login|interaction|consent|account_selection)_required$/);
  });

  test.each([
    ['oidcc-prompt-none-logged-in', {}, () => ({ prompt: 'none' })],
    ['oidcc-max-age-10000', { max_age: '15000' }, () => ({ max_age: '10000' })],
    ['oidcc-id-token-hint', {}, (id_token_hint: string) => ({ prompt: 'none', id_token_hint })],
  ])('%s', async (_module, firstly, then) => {
    const first = await tokensFor(firstly as Record<string, string>);
    gatehouse.advance(2);
    const second = await tokensFor(then(first.idToken) as Record<string, string>);
    const { sub, auth_time } = first.claims;
    expect(second.claims).toMatchObject({ sub, auth_time });
  });

  test.each([
    ['oidcc-codereuse', 0],
    ['oidcc-codereuse-30seconds', 30],
  ])('%s', async (_module, seconds) => {
    const { fields, sent } = await party.authorize(person.agent);
    const form = { grant_type: 'authorization_code', code: fields['code']!, redirect_uri: sent['redirect_uri']! };
    const { accessToken } = await party.exchange({ fields, sent });
    gatehouse.advance(seconds);
    party.expectInvalidGrant(await party.post(form));
    const { userinfo_endpoint } = await party.metadata();
    expect((await fetch(userinfo_endpoint!, { headers: { authorization: `Bearer ${accessToken}` } })).status).toBe(401);
  });

  test('oidcc-ensure-registered-redirect-uri', async () => {
    for (const redirect_uri of [`http://localhost:8080/callback/${randomBytes(8).toString('hex')}`, 'http://localhost:8080/callback?x=1']) {
      const page = await person.agent.open(party.request({ redirect_uri }).url);
      expect([page.status, headingOf(page)]).toEqual([400, 'Callback URL not allowed']);
    }
  });

  test('oidcc-ensure-post-request-succeeds', async () => {
    const { url, sent } = party.request();
    const [endpoint, query] = url.split('?');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const posted = await fetch(endpoint!, { method: 'POST', headers, body: query!, redirect: 'manual' });
    expect(posted.status).toBe(303);
    await party.exchange(party.answerOf(await person.agent.open(posted.headers.get('location')!), sent));
  });

  test('oidcc-server-client-secret-post', async () => {
    await party.exchange(await party.authorize(person.agent), { by: 'post' });
  });

  const unsigned = (claims: object) => `${btoa('{"alg":"none"}')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;

  test.each([
    ['oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', 'request', 'request_not_supported'],
    ['oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', 'request_uri', 'request_uri_not_supported'],
  ])('%s', async (_module, name, error) => {
    const { sent } = party.request();
    const given = name === 'request' ? unsigned(sent) : 'https://suite.test/requesturi/x#y';
    // The state is in the request object alone, which is not read.
    const { fields } = await party.authorize(person.agent, { [name]: given, state: '', nonce: '' });
    expectRefusal(fields, undefined, party.issuer(), new RegExp(`^${error}$`));
  });

  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const { sent } = party.request();
    const page = await person.agent.open(party.request({ request: unsigned(sent), redirect_uri: `${sent['redirect_uri']}/wrong` }).url);
    expect([page.status, headingOf(page)]).toEqual([400, 'Callback URL not allowed']);
  });

  test('oidcc-refresh-token', async () => {
    expect((await party.metadata())['scopes_supported']).toContain('offline_access');
    const scope = 'openid offline_access';
    const first = await tokensFor({ scope, prompt: 'consent' });
    expect((await party.metadata())['grant_types_supported']).toContain('refresh_token');
    gatehouse.advance(1);
    const form = { grant_type: 'refresh_token', refresh_token: first.refreshToken!, scope };
    const second = await party.tokensOf(await party.post(form), undefined);
    for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time']) expect(second.claims[name], name).toEqual(first.claims[name]);
    expect(second.claims.iat).not.toBe(first.claims.iat);
    expect(second.accessToken).not.toBe(first.accessToken);
    for (const token of [first.refreshToken!, second.refreshToken!]) expectEntropy(token);
    const { id: environmentId } = await productionEnvironment(gatehouse);
    const { application, clientSecret } = await createApplication(operator(gatehouse), { environmentId, name: 'Another', type: 'reg' });
    const other = { clientId: application.id.replace('app_', ''), clientSecret: clientSecret! };
    party.expectInvalidGrant(await party.post({ grant_type: 'refresh_token', refresh_token: second.refreshToken! }, 'basic', other));
  });

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const code_verifier = randomBytes(32).toString('base64url');
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const answer = await party.authorize(person.agent, { code_challenge, code_challenge_method: 'S256' });
    await party.exchange(answer, { form: { code_verifier } });
  });
});
