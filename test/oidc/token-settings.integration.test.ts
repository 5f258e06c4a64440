/** What an application's token and session settings do to the tokens and the cookie that people get. */
import { decodeJwt } from 'jose';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { withCookies } from '../helpers/set-cookies.ts';
import { postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { exchange, organization, productionEnvironment, refresh, requestOf, signUp, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
let owner: string;
let scope: { environmentId: string; businessId: string };

beforeAll(async () => {
  owner = await teamToken(gatehouse, 'owner@acme.test');
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  scope = { environmentId, businessId };
});

const idOf = (type: 'reg' | 'spa' | 'm2m') => `app_${gatehouse.application(type).clientId}`;

beforeEach(async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({
    where: { environmentId: scope.environmentId },
    data: {
      ...{
        accessTokenClaims: [],
        idTokenClaims: [],
        machineTokenClaims: [],
        isHasuraMappingEnabled: false,
        isSessionPersistent: true,
        sessionInactivityTimeout: 86_400,
      },
      ...{ accessTokenLifetime: 86_400, idTokenLifetime: 3600, refreshTokenLifetime: 1_296_000 },
    },
  });
  gatehouse.app.infrastructure.lookups.forget();
});

const TOKENS = graphql(`
  mutation ChangeTokens($input: UpdateApplicationTokensInput!) {
    updateApplicationTokens(input: $input) {
      errors { code path }
      application { accessTokenLifetime idTokenLifetime refreshTokenLifetime accessTokenClaims idTokenClaims machineTokenClaims }
    }
  }
`);
const SESSION = graphql(`
  mutation ChangeSession($input: UpdateApplicationInput!) { updateApplication(input: $input) { errors { code } } }
`);

/** Puts a person with a role into an organization of its own, and signs it in there. */
async function member() {
  const { prisma } = gatehouse.app.infrastructure.database;
  const person = await signUp(gatehouse, { kind: 'spa' });
  const userId = await userIdOf(gatehouse, person.email);
  const organizationId = await organization(gatehouse, 'Globex', { members: [userId] });
  const { environmentId, businessId } = scope;
  await prisma.organization.updateMany({ where: { id: organizationId }, data: { externalId: `ext-${organizationId.slice(-4)}` } });
  gatehouse.app.infrastructure.lookups.forget();
  const roleId = `role_${organizationId.slice(4)}`;
  await prisma.role.create({ data: { businessId, id: roleId, key: `clerk-${organizationId.slice(-4)}`, name: 'Clerk' } });
  await prisma.membershipRole.create({ data: { environmentId, membershipId: `om_${organizationId}_0`, businessId, roleId } });
  const answer = await exchange(gatehouse, await person.authorize('spa', { org_code: organizationId }));
  return {
    person,
    userId,
    organizationId,
    role: { id: roleId, key: `clerk-${organizationId.slice(-4)}`, name: 'Clerk' },
    tokens: answer.body,
  };
}

test('tokens carry what the application chose from the next one on, and nothing else', async () => {
  const { person, userId, organizationId, role, tokens } = await member();
  const plain = decodeJwt(tokens.access_token);
  for (const claim of ['roles', 'email', 'org_name', 'external_org_id', 'user_properties', 'organization_properties', 'ksp'])
    expect(plain).not.toHaveProperty(claim);
  expect(decodeJwt(tokens.id_token)).not.toHaveProperty('organizations');

  const { environmentId, businessId } = scope;
  const { prisma } = gatehouse.app.infrastructure.database;
  const property = (key: string, context: string, more: object = {}) =>
    prisma.property.create({
      data: { businessId, id: `prop_${key}`, key, name: key, type: 'single_line_text', context, isPrivate: false, ...more },
    });
  await property('tier', 'user');
  await property('vip', 'user', { type: 'boolean' });
  await property('secret', 'user', { isPrivate: true });
  await property('region', 'organization');
  await property('unset', 'organization');
  const ofUser = (propertyId: string, value: string) => ({ environmentId, userId, businessId, propertyId, value });
  await prisma.userPropertyValue.createMany({
    data: [ofUser('prop_tier', 'gold'), ofUser('prop_vip', 'true'), ofUser('prop_secret', 'hidden')],
  });
  await prisma.organizationPropertyValue.create({
    data: { environmentId, organizationId, businessId, propertyId: 'prop_region', value: 'west' },
  });

  const changed = await ask(gatehouse, owner, TOKENS, {
    input: {
      applicationId: idOf('spa'),
      accessTokenLifetime: 600,
      idTokenLifetime: 120,
      refreshTokenLifetime: 1200,
      accessTokenClaims: ['roles', 'email', 'org_name', 'external_org_id', 'property:tier', 'property:region', 'property:unset'],
      idTokenClaims: ['organizations', 'property:vip'],
    },
  });
  expect(changed.data?.updateApplicationTokens).toMatchObject({ errors: [], application: { accessTokenLifetime: 600 } });

  const { body } = await refresh(gatehouse, tokens.refresh_token);
  const access = decodeJwt(body.access_token);
  expect(access).toMatchObject({
    roles: [role],
    email: person.email,
    org_name: 'Globex',
    external_org_id: `ext-${organizationId.slice(-4)}`,
    user_properties: { tier: { v: 'gold' } },
    organization_properties: { region: { v: 'west' }, unset: {} },
  });
  expect(access.exp! - access.iat!).toBe(600);
  const id = decodeJwt(body.id_token);
  expect(id['organizations']).toEqual(expect.arrayContaining([{ id: organizationId, name: 'Globex' }]));
  expect(id['user_properties']).toEqual({ vip: { v: true } });
  expect(id.exp! - id.iat!).toBe(120);
  expect(id).not.toHaveProperty('roles');

  // Made private afterwards, a property leaves the tokens though the application still names it.
  await prisma.property.updateMany({ where: { key: 'tier' }, data: { isPrivate: true } });
  const { body: later } = await refresh(gatehouse, body.refresh_token);
  expect(decodeJwt(later.access_token)).not.toHaveProperty('user_properties');
});

test('where the application wants it, claims are called as Hasura expects them, and our own doors read them', async () => {
  const { person, organizationId, role, tokens } = await member();
  const input = {
    applicationId: idOf('spa'),
    isHasuraMappingEnabled: true,
    accessTokenClaims: ['roles', 'org_name', 'email'],
    idTokenClaims: ['organizations'],
  };
  expect((await ask(gatehouse, owner, TOKENS, { input })).data?.updateApplicationTokens?.errors).toEqual([]);
  const { body } = await refresh(gatehouse, tokens.refresh_token);
  const access = decodeJwt(body.access_token);
  expect(access).toMatchObject({
    iss: gatehouse.quickstart.issuer,
    scp: ['openid', 'profile', 'email', 'offline'],
    email: person.email,
    'x-hasura-permissions': [],
    'x-hasura-org-code': organizationId,
    'x-hasura-org-name': 'Globex',
    'x-hasura-roles': [role],
    'x-hasura-feature-flags': expect.any(Object),
  });
  const id = decodeJwt(body.id_token);
  expect(id['x-hasura-org-codes']).toContain(organizationId);
  expect(id['x-hasura-organizations']).toEqual(expect.arrayContaining([{ id: organizationId, name: 'Globex' }]));
  for (const claim of ['permissions', 'org_code', 'org_codes', 'org_name', 'roles', 'feature_flags', 'organizations'])
    expect([access[claim], id[claim]]).toEqual([undefined, undefined]);

  const roles = await fetch(`${gatehouse.quickstart.issuer}/account_api/v1/roles`, {
    headers: { authorization: `Bearer ${body.access_token}` },
  });
  expect(((await roles.json()) as { data: object }).data).toEqual({ org_code: organizationId, roles: [role] });
});

test('the scopes of APIs stand among the permissions, and the application’s properties beside the person’s, where they are chosen', async () => {
  const { environmentId, businessId } = scope;
  const { prisma } = gatehouse.app.infrastructure.database;
  const { person, organizationId } = await member();
  const applicationId = idOf('spa');
  const property = { key: 'channel', name: 'Channel', type: 'single_line_text', context: 'application', isPrivate: false };
  await prisma.property.create({ data: { businessId, id: 'prop_channel', ...property } });
  await prisma.applicationPropertyValue.create({
    data: { environmentId, applicationId, businessId, propertyId: 'prop_channel', value: 'web' },
  });
  const { id: scopeId } = await prisma.apiScope.findFirstOrThrow({ where: { environmentId, name: 'read:invoices' } });
  await prisma.membershipScope.create({ data: { environmentId, membershipId: `om_${organizationId}_0`, scopeId } });
  const claimsWith = async (accessTokenClaims: string[]) => {
    await ask(gatehouse, owner, TOKENS, { input: { applicationId, accessTokenClaims } });
    const answer = await person.authorize('spa', { org_code: organizationId, audience: 'https://api.acme.test' });
    return decodeJwt((await exchange(gatehouse, answer)).body.access_token);
  };
  expect(await claimsWith([])).toMatchObject({ permissions: [], scope: 'read:invoices' });
  expect(await claimsWith(['api_scopes', 'property:channel'])).toMatchObject({
    permissions: ['read:invoices'],
    scope: 'read:invoices',
    application_properties: { channel: { v: 'web' } },
  });
});

test('no private property and no standard claim can be chosen', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { businessId } = scope;
  const hidden = { key: 'hidden', name: 'Hidden', type: 'single_line_text', context: 'user', isPrivate: true };
  await prisma.property.create({ data: { businessId, id: 'prop_hidden', ...hidden } });
  const standard = ['iss', 'sub', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'scp', 'sid', 'act', 'permissions', 'org_code', '__proto__'];
  for (const claim of [...standard, 'property:hidden', 'property:', 'property:nobody', 'Roles', ' roles']) {
    const input = { applicationId: idOf('reg'), accessTokenClaims: ['roles', claim] };
    const { data } = await ask(gatehouse, owner, TOKENS, { input });
    expect(data?.updateApplicationTokens).toEqual({
      errors: [{ code: 'UNKNOWN_CLAIM', path: ['accessTokenClaims', '1'] }],
      application: null,
    });
  }
});

test('what stands in the database beside the standard claims does not replace one', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { userId, tokens } = await member();
  await prisma.application.updateMany({ where: { id: idOf('spa') }, data: { accessTokenClaims: ['sub', 'permissions', 'email', 'iss'] } });
  gatehouse.app.infrastructure.lookups.forget();
  const claims = decodeJwt((await refresh(gatehouse, tokens.refresh_token)).body.access_token);
  expect(claims).toMatchObject({ sub: userId, permissions: [], iss: gatehouse.quickstart.issuer });
});

test('a machine’s token carries its scopes as permissions, and the application’s own properties', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { environmentId, businessId } = scope;
  const property = { key: 'cost_centre', name: 'Cost centre', type: 'single_line_text', context: 'application', isPrivate: false };
  await prisma.property.create({ data: { businessId, id: 'prop_cost', ...property } });
  const applicationId = idOf('m2m');
  await prisma.applicationPropertyValue.create({
    data: { environmentId, applicationId, businessId, propertyId: 'prop_cost', value: '42' },
  });
  const input = { applicationId, machineTokenClaims: ['permissions', 'property:cost_centre'] };
  expect((await ask(gatehouse, owner, TOKENS, { input })).data?.updateApplicationTokens?.errors).toEqual([]);
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret!,
    audience: 'https://api.acme.test',
    scope: 'read:invoices',
  };
  const { body } = await postToken(gatehouse.quickstart.issuer, form);
  expect(decodeJwt(body.access_token)).toMatchObject({
    scp: ['read:invoices'],
    permissions: ['read:invoices'],
    application_properties: { cost_centre: { v: '42' } },
  });

  await ask(gatehouse, owner, TOKENS, { input: { applicationId, isHasuraMappingEnabled: true } });
  const mapped = decodeJwt((await postToken(gatehouse.quickstart.issuer, form)).body.access_token);
  expect(mapped).toMatchObject({ gty: ['client_credentials'], scp: ['read:invoices'], 'x-hasura-permissions': ['read:invoices'] });
  expect(mapped).not.toHaveProperty('permissions');
});

test('a session of an application that does not keep it ends with the browser, and its tokens say so', async () => {
  await ask(gatehouse, owner, SESSION, { input: { applicationId: idOf('spa'), isSessionPersistent: false } });
  const cookieOf = async () => {
    const cookies: string[] = [];
    const agent = userAgent(gatehouse.baseUrl);
    const person = await withCookies(cookies, () => signUp(gatehouse, { agent }));
    return { person, cookie: cookies.findLast((line) => line.startsWith('gatehouse_session_'))! };
  };
  const { person, cookie } = await cookieOf();
  expect(cookie).not.toMatch(/max-age|expires/i);
  expect(cookie).toMatch(/HttpOnly/i);
  expect(decodeJwt((await exchange(gatehouse, person.first)).body.access_token)['ksp']).toEqual({ persistent: false });

  await ask(gatehouse, owner, SESSION, { input: { applicationId: idOf('spa'), isSessionPersistent: true } });
  const kept = await cookieOf();
  expect(kept.cookie).toMatch(/max-age=2592000/i);
  expect(decodeJwt((await exchange(gatehouse, kept.person.first)).body.access_token)).not.toHaveProperty('ksp');
});

test('an application asks again after its own time without activity, another one after its own', async () => {
  await ask(gatehouse, owner, SESSION, { input: { applicationId: idOf('spa'), sessionInactivityTimeout: 600 } });
  const person = await signUp(gatehouse, { kind: 'spa' });
  const { body } = await exchange(gatehouse, person.first);
  const asks = async (kind: 'spa' | 'reg') => (await person.agent.open(requestOf(gatehouse, kind).url)).html.includes('<h1>Sign in</h1>');

  gatehouse.advance(500);
  // Trading a refresh token in is activity.
  const next = (await refresh(gatehouse, body.refresh_token)).body.refresh_token;
  gatehouse.advance(500);
  expect(await asks('spa')).toBe(false);
  gatehouse.advance(601);
  // Too late: what sleeps for the application is not woken by its tokens.
  expect((await refresh(gatehouse, next)).status).toBe(200);
  expect(await asks('spa')).toBe(true);
  expect(await asks('reg')).toBe(false);
});
