/** Kinde's SDK for TypeScript servers, as it is, pointed at this issuer: only the domain, client id and secret are ours. */

import { validateToken } from '@kinde/jwt-validator';
import { createKindeServerClient, GrantType, type SessionManager } from '@kinde-oss/kinde-typescript-sdk';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { addOrganizationMember } from '../../../src/features/organizations/service.ts';
import { operator } from '../../graphql/world.ts';
import { startApp } from '../../helpers/app.ts';
import { type PageView, userAgent } from '../../helpers/user-agent.ts';
import { choosePassword, newAddress, organization, PASSWORD, productionEnvironment, typeCode, userIdOf } from '../../signin/person.ts';

const gatehouse = startApp();
const HOME = 'http://localhost:8080';
const CALLBACK = `${HOME}/callback`;
const API = 'https://api.acme.test';

/** What an application keeps of one visitor. */
function visitor(): SessionManager & { readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>();
  return {
    kept,
    persistent: true,
    getSessionItem: async (key) => kept.get(key),
    setSessionItem: async (key, value) => void kept.set(key, value),
    removeSessionItem: async (key) => void kept.delete(key),
    destroySession: async () => kept.clear(),
  };
}

function settings(kind: 'reg' | 'spa') {
  const { clientId, clientSecret } = gatehouse.application(kind);
  return {
    authDomain: gatehouse.quickstart.issuer,
    clientId,
    ...(kind === 'reg' && { clientSecret: clientSecret! }),
    redirectURL: CALLBACK,
    logoutRedirectURL: HOME,
    audience: API,
  };
}

const KINDS = {
  'with a secret': () => createKindeServerClient(GrantType.AUTHORIZATION_CODE, settings('reg')),
  'with PKCE': () => createKindeServerClient(GrantType.PKCE, settings('spa')),
};
type Application = ReturnType<(typeof KINDS)['with PKCE']>;

/** Goes through the pages as a new person. */
async function signUp(application: Application, register: 'register' | 'createOrg' = 'register', options = {}) {
  const session = visitor();
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress('sdk');
  const url = await application[register](session, options);
  const page = await agent.submit(await agent.open(url.href), 'identify', { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' });
  const done = await choosePassword(agent, await typeCode(gatehouse, agent, page, email));
  await application.handleRedirectToApp(session, new URL(done.url));
  return { session, agent, email };
}

const follow = async (application: Application, session: SessionManager, page: PageView) =>
  application.handleRedirectToApp(session, new URL(page.url));

describe.each(Object.entries(KINDS))('an application %s', (_name, make) => {
  test('signs people up and in, knows who they are, and signs them out', async () => {
    const application = make();
    const { session, agent, email } = await signUp(application);
    expect(await application.isAuthenticated(session)).toBe(true);
    expect(await application.getUser(session)).toMatchObject({
      email,
      given_name: 'Jane',
      family_name: 'Roe',
      id: expect.stringMatching(/^kp_/),
    });
    expect(await application.getUserProfile(session)).toMatchObject({
      email,
      given_name: 'Jane',
      family_name: 'Roe',
      id: expect.stringMatching(/^kp_/),
    });
    const token = await application.getToken(session);
    expect(decodeJwt(token).aud).toEqual([API]);
    expect(await validateToken({ token, domain: gatehouse.quickstart.issuer })).toMatchObject({ valid: true });
    expect((await application.getUserOrganizations(session)).orgCodes).toEqual([(await application.getOrganization(session)).orgCode]);
    expect(await application.getPermissions(session)).toMatchObject({ permissions: [] });
    expect(await application.getFlag(session, 'missing', 'fallback', 's')).toMatchObject({ value: 'fallback', is_default: true });

    const left = await agent.open((await application.logout(session)).href);
    expect(left.url).toBe(`${HOME}/`);
    expect(await application.isAuthenticated(session)).toBe(false);

    const back = await agent.open((await application.login(session, { login_hint: email } as object)).href);
    const asked = await agent.submit(back, 'identify', { p_email: email });
    await follow(application, session, await agent.submit(asked, 'password', { p_password: PASSWORD }));
    expect(await application.getUser(session)).toMatchObject({ email });
  });

  test('refreshes its tokens, and keeps the user that it knows', async () => {
    const application = make();
    const { session, email } = await signUp(application);
    const before = await application.getToken(session);
    await application.refreshTokens(session);
    expect(await application.getToken(session)).not.toBe(before);
    expect(await application.getUser(session)).toMatchObject({ email });
    expect(await application.isAuthenticated(session)).toBe(true);
  });

  test('goes from one organization to another by org_code', async () => {
    const application = make();
    const { session, agent, email } = await signUp(application);
    const id = await organization(gatehouse, 'Second', { members: [await userIdOf(gatehouse, email)] });
    const page = await agent.open((await application.login(session, { org_code: id } as object)).href);
    await follow(application, session, page);
    expect(await application.getOrganization(session)).toMatchObject({ orgCode: id });
  });

  test('creates an organization with the person who signs up, where the environment permits it', async () => {
    const { id } = await productionEnvironment(gatehouse);
    await gatehouse.app.infrastructure.database.prisma.environment.update({ where: { id }, data: { allowOrganizationCreation: true } });
    gatehouse.app.infrastructure.lookups.forget();
    gatehouse.app.infrastructure.lookups.forget();
    const application = make();
    const { session } = await signUp(application, 'createOrg', { org_name: 'New Venture' });
    const { orgCode } = await application.getOrganization(session);
    const made = await gatehouse.app.infrastructure.database.prisma.organization.findFirst({ where: { id: orgCode! } });
    expect(made?.name).toBe('New Venture');
  });
});

test('a machine gets a token for the management API, and keeps it', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const { issuer, managementAudience } = gatehouse.quickstart;
  const machine = createKindeServerClient(GrantType.CLIENT_CREDENTIALS, {
    authDomain: issuer,
    clientId,
    clientSecret: clientSecret!,
    logoutRedirectURL: HOME,
    audience: managementAudience,
  });
  const session = visitor();
  const token = await machine.getToken(session);
  expect(decodeJwt(token)).toMatchObject({ aud: [managementAudience], azp: clientId, gty: ['client_credentials'] });
  expect(await machine.getToken(session)).toBe(token);
});

test('what an operator grants is in the next token', async () => {
  const application = KINDS['with PKCE']();
  const { session, email } = await signUp(application);
  const ctx = operator(gatehouse);
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  const permission = await ctx.db.permission.create({
    data: { businessId, id: 'perm_0000000000000000000000000000abcd', key: 'create:invoices', name: 'Create invoices' },
  });
  const role = await ctx.db.role.create({ data: { businessId, id: 'role_0000000000000000000000000000abcd', key: 'clerk', name: 'Clerk' } });
  await ctx.db.rolePermission.create({ data: { businessId, roleId: role.id, permissionId: permission.id } });
  const organizationId = await organization(gatehouse, 'Granting');
  await addOrganizationMember(ctx, { organizationId, userId: await userIdOf(gatehouse, email), roleIds: [role.id] });
  const agent = userAgent(gatehouse.baseUrl);
  const asked = await agent.submit(
    await agent.open((await application.login(session, { org_code: organizationId } as object)).href),
    'identify',
    { p_email: email },
  );
  await follow(application, session, await agent.submit(asked, 'password', { p_password: PASSWORD }));
  expect(await application.getPermission(session, 'create:invoices')).toEqual({ orgCode: organizationId, isGranted: true });
  expect(environmentId).toBeTruthy();
});
