/** The library beneath Kinde's SDKs for browsers, as it is, pointed at this issuer: everything of it that runs without a window. */
import * as library from '@kinde/js-utils';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { addOrganizationMember } from '../../../src/features/organizations/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { operator } from '../../graphql/world.ts';
import { startApp } from '../../helpers/app.ts';
import { type PageView, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import {
  choosePassword,
  headingOf,
  newAddress,
  organization,
  PASSWORD,
  productionEnvironment,
  typeCode,
  userIdOf,
} from '../../signin/person.ts';

/** With the enums that its declarations name in a way that only bundlers resolve. */
const kinde = library as typeof library & {
  readonly IssuerRouteTypes: { readonly login: 'login'; readonly register: 'register' };
  readonly PromptTypes: { readonly none: 'none'; readonly login: 'login' };
};

const gatehouse = startApp();
const redirectURL = 'http://localhost:8080/callback';
const settings = () => ({ domain: gatehouse.quickstart.issuer, clientId: gatehouse.application('spa').clientId });

let agent: UserAgent;
let email: string;
let signedUp: Awaited<ReturnType<typeof exchange>>;

beforeAll(async () => {
  // An application that keeps the refresh token itself: the cookie is for browsers, which have tests of their own.
  kinde.storageSettings.useInsecureForRefreshToken = true;
  Object.assign(kinde.frameworkSettings, { framework: 'Vitest', frameworkVersion: '1', sdkVersion: '1' });
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const storage = new kinde.MemoryStorage();
  kinde.setActiveStorage(storage);
  kinde.setInsecureStorage(storage);
  agent = userAgent(gatehouse.baseUrl);
  email = newAddress('utils');
  const page = await open(kinde.IssuerRouteTypes.register);
  const code = await agent.submit(page, 'identify', { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' });
  signedUp = await exchange(await choosePassword(agent, await typeCode(gatehouse, agent, code, email)));
});
afterAll(() => vi.restoreAllMocks());

async function open(type: 'login' | 'register', options = {}): Promise<PageView> {
  const { url } = await kinde.generateAuthUrl(settings().domain, type, { clientId: settings().clientId, redirectURL, ...options });
  return agent.open(url.href);
}

/** What the application's page does that a person is led back to. */
function exchange({ url }: PageView) {
  expect(url).toMatch(/^http:\/\/localhost:8080\/callback\?/);
  return kinde.exchangeAuthCode({ ...settings(), urlParams: new URL(url).searchParams, redirectURL });
}

test('a person signs up, and the library knows who they are by what it got', async () => {
  expect(signedUp).toEqual({
    success: true,
    accessToken: expect.any(String),
    idToken: expect.any(String),
    refreshToken: expect.any(String),
  });
  expect(await kinde.getUserProfile()).toEqual({
    id: expect.stringMatching(/^kp_/),
    givenName: 'Jane',
    familyName: 'Roe',
    email,
    picture: decodeJwt(signedUp.idToken!)['picture'],
  });
  expect(kinde.getUserProfileSync()).toEqual(await kinde.getUserProfile());
  expect(await kinde.getClaim('iss')).toEqual({ name: 'iss', value: settings().domain });
  expect(await kinde.getClaims('idToken')).toMatchObject({ aud: [settings().clientId], email, given_name: 'Jane' });
  expect((await kinde.getUserOrganizations())?.length).toBe(1);
  expect(await kinde.getUserOrganizations()).toEqual([await kinde.getCurrentOrganization()]);
  expect(await kinde.isAuthenticated()).toBe(true);
  expect(await kinde.getRawToken()).toBe(signedUp.accessToken);
  expect(kinde.isCustomDomain(settings().domain)).toBe(true);
});

test('a code is exchanged once, and by whoever began alone', async () => {
  const page = await open(kinde.IssuerRouteTypes.login);
  const parameters = new URL(page.url).searchParams;
  const storage = kinde.getInsecureStorage()!;
  const [state, verifier] = [
    await storage.getSessionItem(kinde.StorageKeys.state),
    await storage.getSessionItem(kinde.StorageKeys.codeVerifier),
  ];
  const spoilt = new URLSearchParams(parameters);
  spoilt.set('state', 'another');
  expect(await kinde.exchangeAuthCode({ ...settings(), urlParams: spoilt, redirectURL })).toMatchObject({ success: false });
  expect(await exchange(page)).toMatchObject({ success: true });
  await storage.setItems({ state, codeVerifier: verifier });
  expect(await exchange(page)).toMatchObject({ success: false, error: expect.stringContaining('invalid_grant') });
});

test('tokens are refreshed, again and again, until the person is signed out', async () => {
  expect(await exchange(await open(kinde.IssuerRouteTypes.login))).toMatchObject({ success: true });
  for (let turn = 0; turn < 3; turn++) {
    const before = await kinde.getRawToken();
    const result = await kinde.refreshToken(settings());
    expect(result).toMatchObject({
      success: true,
      accessToken: expect.any(String),
      idToken: expect.any(String),
      refreshToken: expect.any(String),
    });
    expect(await kinde.getRawToken()).not.toBe(before);
    expect((await kinde.getUserProfile())?.email).toBe(email);
  }
  expect(await kinde.checkAuth(settings())).toMatchObject({ success: true });
  await agent.open(`${settings().domain}/logout?redirect=`);
  expect(await kinde.refreshToken(settings())).toMatchObject({ success: false });
  const page = await agent.submit(await open(kinde.IssuerRouteTypes.login, { loginHint: email }), 'identify', { p_email: email });
  expect(await exchange(await agent.submit(page, 'password', { p_password: PASSWORD }))).toMatchObject({ success: true });
});

test('prompt=none is told whether somebody is signed in, and prompt=login asks again', async () => {
  expect(await exchange(await open(kinde.IssuerRouteTypes.login, { prompt: kinde.PromptTypes.none }))).toMatchObject({ success: true });
  expect(headingOf(await open(kinde.IssuerRouteTypes.login, { prompt: kinde.PromptTypes.login }))).toBe('Sign in');
  const own = agent;
  agent = userAgent(gatehouse.baseUrl);
  const { url } = await open(kinde.IssuerRouteTypes.login, { prompt: kinde.PromptTypes.none });
  expect(new URL(url).searchParams.get('error')).toBe('login_required');
  agent = own;
});

describe('in an organization', () => {
  let organizationId: string;

  beforeAll(async () => {
    const ctx = operator(gatehouse);
    const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
    organizationId = await organization(gatehouse, 'Utilities');
    const [roleId, flagId, propertyId] = [newId('role'), newId('featureFlag'), newId('property')];
    await ctx.db.role.create({ data: { businessId, id: roleId, key: 'clerk', name: 'Clerk' } });
    for (let number = 0; number < 12; number++) {
      const permissionId = newId('permission');
      await ctx.db.permission.create({ data: { businessId, id: permissionId, key: `do:${number}`, name: `Do ${number}` } });
      await ctx.db.rolePermission.create({ data: { businessId, roleId, permissionId } });
    }
    const flag = { key: 'seats', name: 'seats', type: 'integer', defaultValue: 5, overrideLevels: ['organization'] };
    await ctx.db.featureFlag.create({ data: { businessId, id: flagId, ...flag } });
    await ctx.db.organizationFlagValue.create({ data: { environmentId, organizationId, businessId, flagId, value: 7 } });
    const property = { key: 'tier', name: 'Tier', context: 'user', type: 'single_line_text', isPrivate: false };
    await ctx.db.property.create({ data: { businessId, id: propertyId, ...property } });
    const userId = await userIdOf(gatehouse, email);
    await addOrganizationMember(ctx, { organizationId, userId, roleIds: [roleId] });
    const { url } = await kinde.switchOrg({ ...settings(), orgCode: organizationId, redirectURL });
    expect(await exchange(await agent.open(url.href))).toMatchObject({ success: true });
  });
  beforeEach(async () => expect(await kinde.getCurrentOrganization()).toBe(organizationId));

  const permissions = Array.from({ length: 12 }, (_, number) => `do:${number}`);

  test.each([false, true])('permissions, roles and flags are known by the token and by the account API (asked: %s)', async (forceApi) => {
    const held = await kinde.getPermissions({ forceApi });
    expect({ ...held, permissions: held.permissions.toSorted() }).toEqual({ orgCode: organizationId, permissions: permissions.toSorted() });
    expect(await kinde.getPermission('do:3', { forceApi })).toMatchObject({
      permissionKey: 'do:3',
      orgCode: organizationId,
      isGranted: true,
    });
    expect(await kinde.getPermission('do:99', { forceApi })).toMatchObject({ isGranted: false });
    expect(await kinde.getRoles({ forceApi })).toMatchObject([{ key: 'clerk', name: 'Clerk' }]);
    expect(await kinde.getFlag('seats', { forceApi })).toBe(7);
    expect(await kinde.getFlag('missing', { forceApi })).toBeNull();
  });

  test.each([false, true])('what is wanted of a person is judged rightly (asked: %s)', async (forceApi) => {
    const wanted = { permissions: ['do:1', 'do:11'], roles: ['clerk'], featureFlags: ['seats', { flag: 'seats', value: 7 }], forceApi };
    expect(await kinde.has(wanted)).toBe(true);
    expect(await kinde.has({ ...wanted, permissions: ['do:1', 'do:12'] })).toBe(false);
    expect(await kinde.has({ ...wanted, roles: ['chief'] })).toBe(false);
    expect(await kinde.has({ ...wanted, featureFlags: [{ flag: 'seats', value: 5 }] })).toBe(false);
  });

  test('there is nothing to pay for', async () => {
    expect(await kinde.getEntitlements()).toEqual({ orgCode: organizationId, plans: [], entitlements: [] });
    expect(await kinde.hasBillingEntitlements({ billingEntitlements: ['Seats'] })).toBe(false);
    await expect(kinde.getEntitlement('seats')).rejects.toThrow('404');
  });

  test('a refresh stays in it, and a new sign-in without a name goes on in it silently', async () => {
    expect(await kinde.refreshToken(settings())).toMatchObject({ success: true });
    expect(await kinde.getCurrentOrganization()).toBe(organizationId);
    expect(await exchange(await open(kinde.IssuerRouteTypes.login, { prompt: kinde.PromptTypes.none }))).toMatchObject({ success: true });
    expect(await kinde.getCurrentOrganization()).toBe(organizationId);
  });
});

test('a link of the library leads the person to their own account, and back', async () => {
  const { url } = await kinde.generatePortalUrl({ domain: settings().domain, returnUrl: 'http://localhost:8080/settings' });
  const page = await agent.open(url.href);
  expect([page.status, headingOf(page)]).toEqual([200, 'Your account']);
  expect(page.html).toContain('href="http://localhost:8080/settings"');
  await expect(kinde.generatePortalUrl({ domain: settings().domain, returnUrl: 'https://evil.test' })).rejects.toThrow('400');
});

test('whoever comes too late is sent back with what to start over by, which the library reads', async () => {
  const stale = userAgent(gatehouse.baseUrl);
  const { url } = await kinde.generateAuthUrl(settings().domain, kinde.IssuerRouteTypes.login, {
    ...{ clientId: settings().clientId, redirectURL, supportsReauth: true, loginHint: email, lang: 'de' },
  });
  const page = await stale.open(url.href);
  gatehouse.advance(24 * 3600);
  const back = new URL((await stale.open(page.url)).url).searchParams;
  expect(back.get('error')).toBe('login_link_expired');
  const again = await kinde.generateAuthUrl(settings().domain, kinde.IssuerRouteTypes.login, {
    ...{ clientId: settings().clientId, redirectURL, reauthState: back.get('reauth_state')! },
  });
  expect(Object.fromEntries(again.url.searchParams)).toMatchObject({ login_hint: email, lang: 'de' });
  expect(headingOf(await stale.open(again.url.href))).toBe('Anmelden');
});
