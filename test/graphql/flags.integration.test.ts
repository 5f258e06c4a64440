/** Feature flags: the narrowest override wins, in the graph as in tokens, and taking it back leads to what is above it. */
import { decodeJwt } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { exchange, newAddress, signUp } from '../signin/person.ts';
import { makeWorld, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});

async function mutate(name: string, input: object, selection = 'errors { __typename message }') {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input!`;
  const answer = await ask<Record<string, never>, object>(
    gatehouse,
    token,
    `mutation ($input: ${type}) { ${name}(input: $input) { ${selection} } }`,
    { input },
  );
  expect(answer.errors).toEqual([]);
  return answer.data![name]!;
}

/** What a flag is worth in the environment, for the organization and for the user, as `value source`. */
async function worth(key: string): Promise<string[]> {
  const FLAGS = 'featureFlags { flag { key } value source }';
  const document = `{ environment(id: "${world.ids.Environment}") { ${FLAGS} }
    organization: node(id: "${world.ids.Organization}") { ... on Organization { ${FLAGS} } } user: node(id: "${world.ids.User}") { ... on User { ${FLAGS} } } }`;
  const { data, errors } = await ask<Record<string, { featureFlags: { flag: { key: string }; value: unknown; source: string }[] }>, object>(
    gatehouse,
    token,
    document,
  );
  expect(errors).toEqual([]);
  return ['environment', 'organization', 'user'].map((place) => {
    const found = data![place]!.featureFlags.find(({ flag }) => flag.key === key)!;
    return `${JSON.stringify(found.value)} ${found.source}`;
  });
}

test('a flag is worth its default, then what the environment, the organization and the user say, and back again', async () => {
  const flagId = world.ids['FeatureFlag'];
  const at = { environmentId: world.ids.Environment, organizationId: world.ids.Organization, userId: world.ids.User };
  const levels = ['Environment', 'Organization', 'User'] as const;
  const subject = (level: string) => ({ [`${level.toLowerCase()}Id`]: at[`${level.toLowerCase()}Id` as keyof typeof at] });
  const steps = [['false BUSINESS', 'false BUSINESS', 'false BUSINESS']];
  expect(await worth('alpha-flag')).toEqual(steps[0]);
  for (const [index, level] of levels.entries()) {
    await mutate(`set${level}FeatureFlag`, { ...subject(level), flagId, value: true });
    const now = await worth('alpha-flag');
    expect(now[index]).toBe(`true ${level.toUpperCase()}`);
    steps.push(now);
  }
  for (const level of [...levels].reverse()) {
    await mutate(`reset${level}FeatureFlags`, level === 'User' ? subject(level) : { ...subject(level), flagIds: [flagId] });
    steps.pop();
    expect(await worth('alpha-flag')).toEqual(steps.at(-1));
  }
});

test.each([
  ['INTEGER', 7.9, 7],
  ['INTEGER', -2147483648, -2147483648],
  ['INTEGER', 2147483648, undefined],
  ['INTEGER', '7', undefined],
  ['STRING', 'blue', 'blue'],
  ['STRING', true, undefined],
  ['BOOLEAN', 'true', undefined],
  ['JSON', { theme: ['a', 1, null] }, { theme: ['a', 1, null] }],
  ['JSON', 'text', undefined],
  ['JSON', ['x'.repeat(1000)], undefined],
])('a flag of type %s with %j becomes %j', async (type, defaultValue, kept) => {
  const key = `typed-${type}-${JSON.stringify(defaultValue).replace(/\W/g, '_').slice(0, 30)}`;
  const input = { businessId: world.businessId, key, name: 'Typed', type, defaultValue, overrideLevels: [] };
  const answer = await mutate('createFeatureFlag', input, 'featureFlag { defaultValue } errors { code }');
  expect(answer).toEqual(
    kept === undefined ? { featureFlag: null, errors: [{ code: 'INVALID_VALUE' }] } : { featureFlag: { defaultValue: kept }, errors: [] },
  );
});

test('in a person’s access token each flag is worth what the organization and the person get', async () => {
  const { prisma } = gatehouse.app.infrastructure.database;
  const email = newAddress('flagged');
  const { first } = await signUp(gatehouse, { email });
  const { user } = await prisma.identity.findFirstOrThrow({
    where: { normalized: email },
    select: { user: { select: { id: true, environment: true, memberships: true } } },
  });
  const { environment, memberships } = user;
  const row = { environmentId: environment.id, businessId: environment.businessId };
  const flag = async (key: string, type: string, defaultValue: string | number | boolean) => {
    const { id } = await prisma.featureFlag.create({
      data: { businessId: environment.businessId, id: newId('featureFlag'), key, name: key, type, defaultValue, overrideLevels: [] },
    });
    return id;
  };
  await flag('plain', 'string', 'default');
  const ofOrganization = await flag('of-organization', 'integer', 1);
  const ofUser = await flag('of-user', 'boolean', false);
  const { organizationId } = memberships[0]!;
  await prisma.organizationFlagValue.create({ data: { ...row, organizationId, flagId: ofOrganization, value: 2 } });
  await prisma.environmentFlagValue.create({ data: { ...row, flagId: ofUser, value: false } });
  await prisma.userFlagValue.create({ data: { ...row, userId: user.id, flagId: ofUser, value: true } });

  const { body } = await exchange(gatehouse, first);
  expect(decodeJwt(body.access_token)['feature_flags']).toEqual({
    plain: { t: 's', v: 'default' },
    'of-organization': { t: 'i', v: 2 },
    'of-user': { t: 'b', v: true },
  });
});
