/** What a person signs in with, changed by hand: who finds the person by it, and who signs in with it. */
import { beforeAll, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, userAgent } from '../helpers/user-agent.ts';
import { headingOf, identify, newAddress, signInByCode, signUp, userIdOf } from '../signin/person.ts';

const gatehouse = startApp();
let token: string;
beforeAll(async () => {
  token = await machineToken(gatehouse);
});

interface Payload {
  readonly identity?: { readonly id: string; readonly isPrimary: boolean; readonly isVerified: boolean };
  readonly errors: readonly { readonly code?: string }[];
}

async function change(mutation: string, input: object, fields = ''): Promise<Payload> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${fields} errors { message ${mutation === 'setPrimaryIdentity' ? '' : 'code'} } } }`;
  const { data, errors } = await ask<Record<string, Payload>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  return data![mutation]!;
}

const add = (userId: string, type: string, value: string) =>
  change('createUserIdentity', { userId, type, value }, 'identity { id isPrimary isVerified }');

/** The ids of the users that a search finds. */
async function found(search: string): Promise<string[]> {
  const document = 'query ($search: String!) { environment { users(search: $search) { nodes { id } } } }';
  const { data } = await ask<{ environment: { users: { nodes: { id: string }[] } } }, object>(gatehouse, token, document, { search });
  return data!.environment.users.nodes.map(({ id }) => id);
}

async function identitiesOf(userId: string) {
  const document = 'query ($id: ID!) { node(id: $id) { ... on User { email phone username identities { id value isPrimary } } } }';
  type Found = {
    node: { email: string; phone: string; username: string; identities: { id: string; value: string; isPrimary: boolean }[] };
  };
  return (await ask<Found, object>(gatehouse, token, document, { id: userId })).data!.node;
}

test('a person is found by a new identity at once, and by a deleted one no more', async () => {
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  const { identity } = await add(userId, 'USERNAME', 'Quokka_Person');
  expect(identity).toMatchObject({ isPrimary: true, isVerified: false });
  await add(userId, 'PHONE', '+61555987654');
  expect(await identitiesOf(userId)).toMatchObject({ email, phone: '+61555987654', username: 'Quokka_Person' });
  for (const text of ['quokka', 'okka_per', '555987']) expect(await found(text)).toEqual([userId]);
  expect(await change('deleteIdentity', { identityId: identity!.id })).toEqual({ errors: [] });
  expect(await found('quokka')).toEqual([]);
  expect(await found('555987')).toEqual([userId]);
  const remove = 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { errors { message } } }';
  await ask(gatehouse, token, remove, { input: { userId, level: 'REMOVE_ACCESS' } });
  expect(await found('555987')).toEqual([]);
});

test('the primary one is chosen, and inherited by the oldest that is left', async () => {
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  const [second, third] = [newAddress('second'), newAddress('third')];
  await add(userId, 'EMAIL', second);
  const { identity } = await add(userId, 'EMAIL', third);
  expect(identity).toMatchObject({ isPrimary: false, isVerified: false });
  await change('setPrimaryIdentity', { identityId: identity!.id });
  const { identities, ...primary } = await identitiesOf(userId);
  expect(primary.email).toBe(third);
  expect(identities.map(({ isPrimary }) => isPrimary)).toEqual([false, false, true]);
  await change('deleteIdentity', { identityId: identity!.id });
  expect((await identitiesOf(userId)).email).toBe(email);
});

test('of two that are deleted at the same moment one stays, and it cannot be deleted either', async () => {
  const { email } = await signUp(gatehouse);
  const userId = await userIdOf(gatehouse, email);
  await add(userId, 'EMAIL', newAddress());
  const { identities } = await identitiesOf(userId);
  const answers = await Promise.all(identities.map(({ id }) => change('deleteIdentity', { identityId: id })));
  expect(answers.flatMap(({ errors }) => errors.map(({ code }) => code))).toEqual(['LAST_IDENTITY']);
  const [last, ...others] = (await identitiesOf(userId)).identities;
  expect(others).toEqual([]);
  expect((await change('deleteIdentity', { identityId: last!.id })).errors).toMatchObject([{ code: 'LAST_IDENTITY' }]);
});

test('one address is given to one of many at the same moment, whatever its case', async () => {
  const people = await Promise.all(Array.from({ length: 4 }, async () => userIdOf(gatehouse, (await signUp(gatehouse)).email)));
  const address = newAddress('contested');
  const answers = await Promise.all(people.map((userId, at) => add(userId, 'EMAIL', at % 2 ? address : address.toUpperCase())));
  expect(answers.map(({ errors }) => errors[0]?.code ?? 'done').sort()).toEqual(['EMAIL_TAKEN', 'EMAIL_TAKEN', 'EMAIL_TAKEN', 'done']);
});

test('a code that was mailed to an address before it was taken away signs nobody in', async () => {
  await signInByCode(gatehouse, 'spa');
  const email = newAddress('stolen');
  const document = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { code } } }';
  const made = await ask<{ createUser: { user: { id: string } } }, object>(gatehouse, token, document, { input: { email } });
  const userId = made.data!.createUser.user.id;
  await add(userId, 'EMAIL', newAddress('own'));
  const agent = userAgent(gatehouse.baseUrl);
  const { page } = await identify(gatehouse, agent, email);
  const code = codeIn(await gatehouse.mailTo(email));
  const { identities } = await identitiesOf(userId);
  await change('deleteIdentity', { identityId: identities.find(({ value }) => value === email)!.id });
  const refused = await agent.submit(page, 'code', { p_confirmation_code: code });
  expect([refused.status, headingOf(refused)]).toEqual([400, 'This sign-in has expired']);
  const { prisma } = gatehouse.app.infrastructure.database;
  expect(await prisma.session.count({ where: { userId } })).toBe(0);
});
