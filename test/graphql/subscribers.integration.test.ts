/** Contacts that become users: once, in one organization, whoever asks and however often. */
import { beforeAll, describe, expect, test } from 'vitest';
import { accessRequests, subscribers } from '../../src/features/subscribers/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;
beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'success@alpha.test', ['customer_success']);
});

interface Answer {
  readonly user: { readonly id: string } | null;
  readonly errors: readonly { readonly code: string }[];
}

describe.each([
  ['Subscriber', 'subscriberId', subscribers],
  ['AccessRequest', 'accessRequestId', accessRequests],
] as const)('convert%s', (type, idField, service) => {
  const convert = async (id: string) => {
    const document = `mutation ($input: Convert${type}Input!) { convert${type}(input: $input) { user { id } errors { code } } }`;
    const input = { [idField]: id, organizationId: world.ids.Organization };
    const { data, errors } = await ask<Record<string, Answer>, object>(gatehouse, token, document, { input });
    expect(errors).toEqual([]);
    return data![`convert${type}`]!;
  };

  test('makes one user of a contact, though many ask at the same moment and one asks again', async () => {
    const ctx = operator(gatehouse);
    const environmentId = world.ids.Environment;
    const email = `Jane-${type}@contacts.test`;
    const { id } = await service.create(ctx, { environmentId, email, firstName: 'Jane', lastName: 'Roe' });
    const answers = await Promise.all(Array.from({ length: 5 }, () => convert(id)));
    answers.push(await convert(id));
    const made = answers.filter(({ errors }) => errors.length === 0);
    expect(made).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors.map(({ code }) => code))).toEqual(Array(5).fill('ALREADY_CONVERTED'));

    const user = await ctx.db.user.findFirstOrThrow({
      where: { environmentId, id: made[0]!.user!.id },
      include: { identities: true, memberships: true },
    });
    expect(user).toMatchObject({ firstName: 'Jane', lastName: 'Roe', identities: [{ value: email, isVerified: false, isPrimary: true }] });
    expect(user.memberships.map(({ organizationId }) => organizationId)).toEqual([world.ids.Organization]);
    const document = `query ($id: ID!) { node(id: $id) { ... on ${type} { isConverted user { id firstName } } } }`;
    const entry = await ask(gatehouse, token, document, { id });
    expect(entry.data).toEqual({ node: { isConverted: true, user: { id: user.id, firstName: 'Jane' } } });
  });
});
