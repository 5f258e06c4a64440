/** Which organization a person signs in to. */
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import type { PageView, UserAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  exchange,
  headingOf,
  isSignedIn,
  organization,
  type Person,
  productionEnvironment,
  requestOf,
  signIn,
  signUp,
  suspend,
  userIdOf,
} from './person.ts';

const gatehouse = startApp();
const choose = (agent: UserAgent, page: PageView, id: string) => agent.submit(page, 'organization', { p_organization: id });

/** Somebody in the default organization and in others of these names. */
async function member(...names: string[]): Promise<Person & { userId: string; ids: string[] }> {
  const person = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, person.email);
  const ids: string[] = [];
  for (const name of names) ids.push(await organization(gatehouse, name, { members: [userId] }));
  return { ...person, userId, ids };
}

async function organizationOf(page: PageView, request: ReturnType<typeof requestOf>): Promise<unknown> {
  const { body } = await exchange(gatehouse, answerOf(page, request));
  return decodeJwt(body['access_token'])['org_code'];
}

test('who is in one organization is asked nothing', async () => {
  const { email } = await signUp(gatehouse);
  const { page, request } = await signIn(gatehouse, email);
  expect(await organizationOf(page, request)).toMatch(/^org_/);
});

test('who is in none signs in without', async () => {
  const { email, userId } = await member();
  await gatehouse.app.infrastructure.database.prisma.membership.deleteMany({ where: { userId } });
  const { page, request } = await signIn(gatehouse, email);
  const { body } = await exchange(gatehouse, answerOf(page, request));
  expect(decodeJwt(body['access_token'])).not.toHaveProperty('org_code');
  expect(decodeJwt(body['access_token'])['permissions']).toEqual([]);
  expect(decodeJwt(body['id_token'])['org_codes']).toEqual([]);
});

test('who is in several chooses, and the tokens are for the one that was chosen', async () => {
  const { email, ids } = await member('Zebra <b>', 'Ant & Sons');
  for (const id of ids) {
    const { agent, page, request } = await signIn(gatehouse, email);
    expect(headingOf(page)).toBe('Choose an organization');
    const names = [...page.html.matchAll(/class="choice"[^>]*><bdi>([^<]*)</g)].map(([, name]) => name);
    expect(names).toEqual(['Acme', 'Ant &amp; Sons', 'Zebra &lt;b&gt;']);
    const { body } = await exchange(gatehouse, answerOf(await choose(agent, page, id), request));
    expect(decodeJwt(body['access_token'])['org_code']).toBe(id);
    expect(decodeJwt(body['id_token'])['org_codes']).toEqual(expect.arrayContaining(ids));
  }
});

test('who is signed in chooses too, with no password', async () => {
  const { agent, ids } = await member('Second');
  const request = requestOf(gatehouse, 'spa');
  const page = await agent.open(request.url);
  expect(headingOf(page)).toBe('Choose an organization');
  expect(await organizationOf(await choose(agent, page, ids[0]!), request)).toBe(ids[0]);
});

test('a choice that is no choice of this person is none', async () => {
  const { email, ids } = await member('Second', 'Gone', 'Closing');
  const [foreign, open] = [await organization(gatehouse, 'Foreign'), await organization(gatehouse, 'Open', { isOpen: true })];
  const { agent, page, request } = await signIn(gatehouse, email);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.membership.deleteMany({ where: { organizationId: ids[1]! } });
  await suspend(gatehouse, { organizationId: ids[2]! });
  for (const id of [foreign, open, ids[1]!, ids[2]!, 'x', `org_${'f'.repeat(32)}`, '\0']) {
    const refused = await choose(agent, page, id);
    expect([isSignedIn(refused), refused.status >= 400 && refused.status < 500]).toEqual([false, true]);
  }
  const nothing = await choose(agent, page, '');
  expect([nothing.status, headingOf(nothing)]).toEqual([422, 'Choose an organization']);
  expect(await organizationOf(await choose(agent, page, ids[0]!), request)).toBe(ids[0]);
});

test('a choice sent ten times at once brings one code', async () => {
  const { email, ids } = await member('Second');
  const { agent, page } = await signIn(gatehouse, email);
  const { prisma } = gatehouse.app.infrastructure.database;
  const before = await prisma.authorizationCode.count();
  const ends = await Promise.all(Array.from({ length: 10 }, () => choose(agent, page, ids[0]!)));
  expect(ends.filter(isSignedIn)).toHaveLength(1);
  expect(await prisma.authorizationCode.count()).toBe(before + 1);
  expect(isSignedIn(await choose(agent, page, ids[0]!))).toBe(false);
});

test('the choice is the signed-in person’s own: without that session it opens nothing', async () => {
  const { email, ids } = await member('Second');
  const other = await signUp(gatehouse);
  const { agent, page: first } = await signIn(gatehouse, email);
  expect(isSignedIn(await choose(agent, first, ids[0]!))).toBe(true);
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  const name = [...agent.cookies.keys()].find((key) => key.includes('session'))!;
  const own = agent.cookies.get(name)!;
  agent.cookies.delete(name);
  expect(isSignedIn(await choose(agent, page, ids[0]!))).toBe(false);
  agent.cookies.set(name, other.agent.cookies.get(name)!);
  expect(isSignedIn(await choose(agent, page, ids[0]!))).toBe(false);
  agent.cookies.set(name, own);
  expect(isSignedIn(await choose(agent, page, ids[0]!))).toBe(true);
});

test('a request for an organization skips the choice, signed in or not', async () => {
  const { email, agent, ids } = await member('Second', 'Third');
  for (const id of ids) {
    const request = requestOf(gatehouse, 'spa', { org_code: id });
    expect(await organizationOf(await agent.open(request.url), request)).toBe(id);
    const fresh = await signIn(gatehouse, email, { parameters: { org_code: id } });
    expect(await organizationOf(fresh.page, fresh.request)).toBe(id);
  }
});

test('a request for an organization that the person is not in ends on a page, signed in or not', async () => {
  const { email, agent } = await member('Second');
  const foreign = await organization(gatehouse, 'Foreign');
  for (const id of [foreign, `org_${'f'.repeat(32)}`]) {
    const { page } = await signIn(gatehouse, email, { parameters: { org_code: id } });
    const again = await agent.open(requestOf(gatehouse, 'spa', { org_code: id }).url);
    for (const refused of [page, again]) {
      expect([refused.status, headingOf(refused)]).toEqual([403, 'You are not a member of this organization']);
      expect(refused.url).toMatch(new RegExp(`^${gatehouse.baseUrl}/`));
      expect(refused.html).not.toContain('Foreign');
    }
  }
});

test('an organization of another environment is one that is not there', async () => {
  const { agent } = await signUp(gatehouse);
  const { prisma } = gatehouse.app.infrastructure.database;
  const production = await productionEnvironment(gatehouse);
  const elsewhere = await prisma.organization.findFirstOrThrow({
    where: { environment: { domain: 'acme-dev' }, environmentId: { not: production.id }, isAutoMembershipEnabled: true },
  });
  const page = await agent.open(requestOf(gatehouse, 'spa', { org_code: elsewhere.id }).url);
  expect([page.status, headingOf(page)]).toEqual([403, 'You are not a member of this organization']);
});

test('a suspended organization lets nobody in, and says so', async () => {
  const { email, agent, ids } = await member('Suspended');
  await suspend(gatehouse, { organizationId: ids[0]! });
  const parameters = { org_code: ids[0]! };
  for (const page of [
    (await signIn(gatehouse, email, { parameters })).page,
    await agent.open(requestOf(gatehouse, 'spa', parameters).url),
  ]) {
    expect([page.status, headingOf(page)]).toEqual([403, 'This organization is suspended']);
    expect(page.html).toContain('organization_suspended');
  }
  const { page, request } = await signIn(gatehouse, email);
  expect(await organizationOf(page, request)).not.toBe(ids[0]);
});

test('an open organization takes who comes with its code, once', async () => {
  const { email, agent, userId } = await member();
  const open = await organization(gatehouse, 'Open', { isOpen: true });
  const request = requestOf(gatehouse, 'spa', { org_code: open });
  expect(await organizationOf(await agent.open(request.url), request)).toBe(open);
  const again = await signIn(gatehouse, email, { parameters: { org_code: open } });
  expect(await organizationOf(again.page, again.request)).toBe(open);
  const { prisma } = gatehouse.app.infrastructure.database;
  expect(await prisma.membership.count({ where: { userId, organizationId: open } })).toBe(1);
});

test('an open organization that is suspended takes nobody', async () => {
  const { agent } = await signUp(gatehouse);
  const open = await organization(gatehouse, 'Open but suspended', { isOpen: true });
  await suspend(gatehouse, { organizationId: open });
  const page = await agent.open(requestOf(gatehouse, 'spa', { org_code: open }).url);
  expect([page.status, isSignedIn(page)]).toEqual([403, false]);
});

test('permissions are those held in the organization of the tokens', async () => {
  const { agent, userId, ids } = await member('Reader', 'Nothing');
  const { prisma } = gatehouse.app.infrastructure.database;
  const { businessId } = await productionEnvironment(gatehouse);
  await prisma.permission.createMany({
    data: ['read:things', 'write:things'].map((key) => ({ businessId, id: `perm_${key}`, key, name: key })),
  });
  await prisma.role.create({ data: { businessId, id: 'role_reader', key: 'reader', name: 'Reader' } });
  await prisma.rolePermission.create({ data: { businessId, roleId: 'role_reader', permissionId: 'perm_read:things' } });
  const { environmentId, id: membershipId } = await prisma.membership.findFirstOrThrow({ where: { userId, organizationId: ids[0]! } });
  await prisma.membershipRole.create({ data: { environmentId, membershipId, businessId, roleId: 'role_reader' } });
  for (const permissionId of ['perm_read:things', 'perm_write:things'])
    await prisma.membershipPermission.create({ data: { environmentId, membershipId, businessId, permissionId } });
  for (const [id, permissions] of [
    [ids[0]!, ['read:things', 'write:things']],
    [ids[1]!, []],
  ] as const) {
    const request = requestOf(gatehouse, 'spa', { org_code: id });
    const { body } = await exchange(gatehouse, answerOf(await agent.open(request.url), request));
    expect(decodeJwt(body['access_token'])['permissions']).toEqual(permissions);
  }
});
