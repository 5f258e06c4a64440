/** The organization that a new user brings along: `is_create_org`, with a name or without one. */
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { type PageView, userAgent } from '../helpers/user-agent.ts';
import {
  answerOf,
  choosePassword,
  exchange,
  headingOf,
  newAddress,
  productionEnvironment,
  requestOf,
  signIn,
  signUp,
  typeAnyCode,
  typeCode,
  userIdOf,
} from '../signin/person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
const prisma = () => gatehouse.app.infrastructure.database.prisma;
const parametersOf = ({ url }: PageView) => Object.fromEntries(new URL(url).searchParams);

test('is made with the user as its member, and the tokens are for it', async () => {
  const email = newAddress('founder');
  const { first } = await signUp(gatehouse, { email, parameters: { prompt: '', is_create_org: 'true', org_name: ' Cellar & Sons ' } });
  const claims = decodeJwt((await exchange(gatehouse, first)).body.access_token);
  const made = await prisma().organization.findFirstOrThrow({
    where: { name: 'Cellar & Sons' },
    include: { memberships: { select: { userId: true } } },
  });
  expect([claims['org_code'], made.memberships]).toEqual([made.id, [{ userId: claims.sub }]]);
  expect(made.isAutoMembershipEnabled).toBe(false);
});

test('without a name asks its user for one, however long they take and however often they send it', async () => {
  const email = newAddress('founder');
  const parameters = { is_create_org: 'true', org_name: '', prompt: 'login' };
  const agent = newAgent();
  const request = requestOf(gatehouse, 'spa', { ...parameters, prompt: 'create' });
  const code = await agent.submit(await agent.open(request.url), 'identify', { p_email: email });
  const left = await choosePassword(agent, await typeCode(gatehouse, agent, code, email));
  expect(headingOf(left)).toBe('Name your organization');
  expect(await prisma().membership.count({ where: { userId: await userIdOf(gatehouse, email) } })).toBe(0);

  // Left there, and come back to by signing in.
  const { agent: later, page, request: again } = await signIn(gatehouse, email, { parameters: { ...parameters, prompt: 'login' } });
  expect(headingOf(page)).toBe('Name your organization');
  expect((await later.submit(page, 'organization_name', { p_organization_name: ' \u0007 ' })).status).toBe(422);
  const ends = await Promise.all(
    [1, 2, 3].map(() => later.submit(page, 'organization_name', { p_organization_name: 'Cellar\n& Daughters' })),
  );
  const end = ends.find((each) => parametersOf(each)['code'])!;
  const claims = decodeJwt((await exchange(gatehouse, answerOf(end, again))).body.access_token);
  const made = await prisma().organization.findMany({ where: { name: 'Cellar & Daughters' }, include: { memberships: true } });
  expect(made.map(({ id, memberships }) => [id, memberships.map(({ userId }) => userId)])).toEqual([[claims['org_code'], [claims.sub]]]);
  const third = await signIn(gatehouse, email, { parameters: { ...parameters, prompt: 'login' } });
  expect(parametersOf(third.page)).toHaveProperty('code');
});

test('is asked of nobody who has an account, or where the policy forbids it', async () => {
  const parameters = { is_create_org: 'true', prompt: 'login' };
  const { email } = await signUp(gatehouse);
  expect(parametersOf((await signIn(gatehouse, email, { parameters: { ...parameters, prompt: 'login' } })).page)).toHaveProperty('code');
  await prisma().membership.deleteMany({ where: { userId: await userIdOf(gatehouse, email) } });
  expect(parametersOf((await signIn(gatehouse, email, { parameters: { ...parameters, prompt: 'login' } })).page)).toHaveProperty('code');
  const { id } = await productionEnvironment(gatehouse);
  await prisma().environment.update({ where: { id }, data: { allowOrganizationCreation: false } });
  gatehouse.app.infrastructure.lookups.forget();
  const { first } = await signUp(gatehouse, { parameters: { ...parameters, prompt: 'create' } });
  expect(first.code).toBeTruthy();
  await prisma().environment.update({ where: { id }, data: { allowOrganizationCreation: true } });
  gatehouse.app.infrastructure.lookups.forget();
});

test('is not made for who has an account, nor where the policy forbids it, nor twice for one who asks twice at once', async () => {
  const { email } = await signUp(gatehouse);
  const parameters = { is_create_org: 'true', org_name: 'Never made' };
  const { page } = await signIn(gatehouse, email, { parameters: { ...parameters, prompt: 'login' } });
  expect(parametersOf(page)).toHaveProperty('code');
  const { id } = await productionEnvironment(gatehouse);
  await prisma().environment.update({ where: { id }, data: { allowOrganizationCreation: false } });
  gatehouse.app.infrastructure.lookups.forget();
  const other = await signUp(gatehouse, { parameters });
  expect(decodeJwt((await exchange(gatehouse, other.first)).body.access_token)['org_code']).toMatch(/^org_/);
  await prisma().environment.update({ where: { id }, data: { allowOrganizationCreation: true } });
  gatehouse.app.infrastructure.lookups.forget();
  expect(await prisma().organization.count({ where: { name: 'Never made' } })).toBe(0);

  const twin = newAddress('twin');
  const twins = await Promise.all(
    [1, 2].map(async () => {
      const each = newAgent();
      const request = requestOf(gatehouse, 'spa', { is_create_org: 'true', org_name: 'Made once' });
      return { each, page: await each.submit(await each.open(request.url), 'identify', { p_email: twin }) };
    }),
  );
  const ends = await Promise.all(twins.map(({ each, page: at }) => typeAnyCode(gatehouse, each, at, twin)));
  expect(ends.map(headingOf)).toEqual(['Choose a password', 'Choose a password']);
  expect(await prisma().organization.count({ where: { name: 'Made once' } })).toBe(1);
});

test('a password is chosen once in a sign-up that brings an organization along', async () => {
  const email = newAddress('slow');
  const agent = newAgent();
  const request = requestOf(gatehouse, 'spa', { is_create_org: 'true', org_name: 'Slow' });
  const asked = await agent.submit(await agent.open(request.url), 'identify', { p_email: email });
  const page = await typeCode(gatehouse, agent, asked, email);
  const ends = await Promise.all([choosePassword(agent, page), choosePassword(agent, page)]);
  expect(ends.filter(({ url }) => url.includes('code='))).toHaveLength(1);
});
