/** The account API: what SDKs ask on a person's behalf, as it is now, and for nobody else. */
import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { operator } from '../graphql/world.ts';
import { startApp } from '../helpers/app.ts';
import { machineToken } from '../helpers/user-agent.ts';
import { exchange, organization, type Person, productionEnvironment, signUp, suspend, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();

let person: Person;
let organizationId: string;
let token: string;
beforeAll(async () => {
  person = await signUp(gatehouse);
  const { db } = operator(gatehouse);
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  organizationId = await organization(gatehouse, 'Accounts', { members: [userId] });
  const { id: membershipId } = await db.membership.findFirstOrThrow({ where: { environmentId, organizationId, userId } });
  const roleId = newId('role');
  await db.role.create({ data: { businessId, id: roleId, key: 'clerk', name: 'Clerk' } });
  await db.membershipRole.create({ data: { environmentId, membershipId, businessId, roleId } });
  for (let number = 0; number < 12; number++) {
    const id = newId('permission');
    await db.permission.create({ data: { businessId, id, key: `do:${number}`, name: `Do ${number}` } });
    if (number % 2 === 0) await db.rolePermission.create({ data: { businessId, roleId, permissionId: id } });
    else await db.membershipPermission.create({ data: { environmentId, membershipId, businessId, permissionId: id } });
  }
  await db.permission.create({ data: { businessId, id: newId('permission'), key: 'held:by-nobody', name: 'Held by nobody' } });
  const flagId = newId('featureFlag');
  await db.featureFlag.create({
    data: { businessId, id: flagId, key: 'seats', name: 'Seats', type: 'integer', defaultValue: 5, overrideLevels: ['organization'] },
  });
  await db.organizationFlagValue.create({ data: { environmentId, organizationId, businessId, flagId, value: 7 } });
  for (const [key, isPrivate] of [
    ['tier', false],
    ['notes', true],
  ] as const) {
    const propertyId = newId('property');
    const property = { key, name: key, context: 'user', type: 'single_line_text', isPrivate };
    await db.property.create({ data: { businessId, id: propertyId, ...property } });
    await db.userPropertyValue.create({ data: { environmentId, userId, businessId, propertyId, value: 'gold' } });
  }
  const answer = await person.authorize('spa', { org_code: organizationId });
  token = (await exchange(gatehouse, answer)).body.access_token;
});

async function ask(path: string, bearer = token, issuer = gatehouse.quickstart.issuer) {
  const answer = await fetch(`${issuer}/account_api/v1/${path}`, { headers: { authorization: `Bearer ${bearer}` } });
  return {
    status: answer.status,
    body: (await answer.json()) as { data: Record<string, unknown>; metadata: Record<string, unknown> },
    headers: answer.headers,
  };
}

describe('answers with', () => {
  test('permissions, page by page, each once', async () => {
    const first = await ask('permissions');
    expect(first.body.data['org_code']).toBe(organizationId);
    const page = first.body.data['permissions'] as { id: string; key: string; name: string }[];
    expect(page).toHaveLength(10);
    expect(first.body.metadata).toEqual({ has_more: true, next_page_starting_after: page[9]!.id });
    const second = await ask(`permissions?starting_after=${page[9]!.id}`);
    const rest = second.body.data['permissions'] as { key: string }[];
    expect(second.body.metadata['has_more']).toBe(false);
    expect([...page, ...rest].map(({ key }) => key).sort()).toEqual(Array.from({ length: 12 }, (_, number) => `do:${number}`).sort());
  });

  test('one permission, held or not', async () => {
    expect((await ask('permission/do:3')).body).toMatchObject({ permissionKey: 'do:3', orgCode: organizationId, isGranted: true });
    expect((await ask('permission/held:by-nobody')).body).toMatchObject({ isGranted: false });
    expect((await ask('permission/unheard-of')).body).toMatchObject({ isGranted: false });
  });

  test('roles, flags with what they are worth here, and public properties only', async () => {
    expect((await ask('roles')).body.data).toEqual({
      org_code: organizationId,
      roles: [{ id: expect.stringMatching(/^role_/), key: 'clerk', name: 'Clerk' }],
    });
    const flag = { id: expect.stringMatching(/^flag_/), key: 'seats', name: 'Seats', type: 'integer', value: 7 };
    expect((await ask('feature_flags')).body.data['feature_flags']).toContainEqual(flag);
    expect((await ask('feature_flags/seats')).body.data).toEqual({ feature_flag: flag });
    const properties = (await ask('properties')).body.data['properties'];
    expect(properties).toEqual([{ id: expect.stringMatching(/^prop_/), key: 'tier', name: 'tier', value: 'gold' }]);
  });

  test('who the person is, and where', async () => {
    expect((await ask('user_profile')).body.data).toMatchObject({ email: person.email, given_name: 'Jane' });
    expect((await ask('current_organization')).body.data).toEqual({ org_code: organizationId, name: 'Accounts' });
    expect((await ask('user_organizations')).body.data['org_codes']).toContain(organizationId);
  });

  test('no entitlements, as there is no billing', async () => {
    expect((await ask('entitlements')).body.data).toEqual({ org_code: organizationId, plans: [], entitlements: [] });
    expect((await ask('entitlement/seats')).status).toBe(404);
  });

  test('a page of the application itself, and no other', async () => {
    const preflight = (origin: string) =>
      fetch(`${gatehouse.baseUrl}/account_api/v1/permissions`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization,content-type' },
      });
    expect((await preflight('http://localhost:8080')).headers.get('access-control-allow-origin')).toBe('http://localhost:8080');
    expect((await preflight('https://evil.test')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('refuses', () => {
  test.each([
    '',
    'x',
    'permissions/do:1/more',
    '%00',
    'constructor',
    '__proto__',
    '..%2f..%2foauth2',
    'feature_flags/none',
    "permission/'%20OR%201=1",
  ])('what it does not know: %j', async (path) => {
    const { status, body } = await ask(path);
    if (path.startsWith('permission/')) expect(body).toMatchObject({ isGranted: false });
    else expect(status).toBe(404);
  });

  test.each(['0', '-1', 'ten', '1e9', '99999999999'])('a page of %s', async (size) => {
    expect(await ask(`permissions?page_size=${size}`)).toMatchObject({ status: 400, body: { errors: [{ code: 'INVALID_PAGE_SIZE' }] } });
  });

  test('a token that is none, a machine’s, and one of another issuer', async () => {
    for (const bearer of ['x', `${token}x`, await machineToken(gatehouse)])
      expect(await ask('permissions', bearer)).toMatchObject({ status: 401, body: { errors: [{ code: 'INVALID_TOKEN' }] } });
    expect((await ask('permissions', token, gatehouse.quickstart.account.issuer)).status).toBe(401);
  });

  test('who is no member any more, whose organization is suspended, and who is suspended', async () => {
    const guest = await signUp(gatehouse);
    const userId = await userIdOf(gatehouse, guest.email);
    const id = await organization(gatehouse, 'Passing', { members: [userId] });
    const own = (await exchange(gatehouse, await guest.authorize('spa', { org_code: id }))).body.access_token;
    expect((await ask('permissions', own)).status).toBe(200);
    await suspend(gatehouse, { organizationId: id });
    expect(await ask('permissions', own)).toMatchObject({ status: 403, body: { errors: [{ code: 'FORBIDDEN' }] } });
    await suspend(gatehouse, { organizationId: id }, false);
    await operator(gatehouse).db.membership.deleteMany({ where: { organizationId: id } });
    expect((await ask('permissions', own)).status).toBe(403);
    await suspend(gatehouse, { userId });
    expect((await ask('permissions', own)).status).toBe(401);
  });
});
