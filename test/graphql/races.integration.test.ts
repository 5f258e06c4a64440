import { beforeAll, describe, expect, test } from 'vitest';
import { createUser } from '../../src/features/users/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'race', 'plus');
  token = await signInMember(gatehouse, world.businessId, 'owner@race.test', ['owner']);
});

/** How many ask for the same thing at the same moment. */
const RIVALS = 6;

interface Race {
  readonly mutation: string;
  /** What all but one are told. */
  readonly code: string;
  readonly path: readonly string[];
  readonly input: (rival: number) => object | Promise<object>;
}

// biome-ignore format: a race, a line
const RACES: readonly Race[] = [
  { mutation: 'createPermission', code: 'KEY_TAKEN', path: ['key'], input: (rival) => ({ businessId: world.businessId, key: 'same', name: `Permission ${rival}` }) },
  { mutation: 'createRole', code: 'KEY_TAKEN', path: ['key'], input: (rival) => ({ businessId: world.businessId, key: 'same', name: `Role ${rival}` }) },
  { mutation: 'createUser', code: 'EMAIL_TAKEN', path: ['email'], input: (rival) => ({ environmentId: world.ids.Environment, email: rival % 2 ? 'Same@people.test' : 'same@PEOPLE.test' }) },
  { mutation: 'createUser', code: 'PROVIDED_ID_TAKEN', path: ['providedId'], input: (rival) => ({ environmentId: world.ids.Environment, email: `rival-${rival}@people.test`, providedId: 'same' }) },
  { mutation: 'createOrganization', code: 'EXTERNAL_ID_TAKEN', path: ['externalId'], input: () => ({ environmentId: world.ids.Environment, name: 'Same', externalId: 'same' }) },
  { mutation: 'createOrganization', code: 'HANDLE_TAKEN', path: ['handle'], input: () => ({ environmentId: world.ids.Environment, name: 'Same', handle: 'same' }) },
  { mutation: 'createEnvironment', code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ businessId: world.businessId, name: 'Same', domain: 'same' }) },
  { mutation: 'createBusiness', code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ name: 'Same', region: 'IE', domain: 'same-business' }) },
];

function mutate(mutation: string, input: object) {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  return ask<Record<string, { errors: { code: string; path: string[] }[] } | null>, object>(
    gatehouse,
    token,
    `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { code path } } }`,
    { input },
  );
}

/** Sends a mutation for every rival at once; answers with their errors, the winners' first. */
async function race(mutation: string, input: (rival: number) => object | Promise<object>) {
  const inputs = await Promise.all(Array.from({ length: RIVALS }, (_, rival) => input(rival)));
  const answers = await Promise.all(inputs.map((each) => mutate(mutation, each)));
  expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
  return answers.map(({ data }) => data![mutation]!.errors).sort((a, b) => a.length - b.length);
}

describe('of several who ask for the same at the same moment, one is given it', () => {
  test.each(RACES)('$mutation: all others are told $code', async ({ mutation, code, path, input }) => {
    expect(await race(mutation, input)).toEqual([[], ...Array(RIVALS - 1).fill([{ code, path }])]);
  });

  test('addOrganizationMember: all others are told ALREADY_MEMBER', async () => {
    const { id: userId } = await createUser(operator(gatehouse), { environmentId: world.ids.Environment, email: 'joins@people.test' });
    const errors = await race('addOrganizationMember', () => ({ organizationId: world.ids.Organization, userId }));
    expect(errors).toEqual([[], ...Array(RIVALS - 1).fill([{ code: 'ALREADY_MEMBER', path: ['userId'] }])]);
  });

  test('the one has been written down, and the others have left nothing behind', async () => {
    const { db } = operator(gatehouse);
    const { userId } = await db.identity.findFirstOrThrow({ where: { normalized: 'owner@race.test' } });
    const count = (action: string) => db.auditEvent.count({ where: { action, actorId: userId } });
    expect(await count('permission.created')).toBe(1);
    expect(await count('role.created')).toBe(1);
    expect(await count('user.created')).toBe(2);
    expect(await count('organization.created')).toBe(2);
    expect(await count('business.created')).toBe(1);
    expect(await db.signingKey.count()).toBe(await db.environment.count());
  });
});

test('businesses of one name that are made at the same moment all have a domain of their own', async () => {
  expect(await race('createBusiness', () => ({ name: 'Twins & Sons', region: 'IE' }))).toEqual(Array(RIVALS).fill([]));
  const { db } = operator(gatehouse);
  const made = await db.environment.findMany({ where: { business: { name: 'Twins & Sons' } }, orderBy: { domain: 'asc' } });
  expect(made.map(({ domain }) => domain)).toEqual(['twins-sons', ...[2, 3, 4, 5, 6].map((number) => `twins-sons-${number}`)]);
  expect(made.filter(({ isPrimary }) => isPrimary)).toEqual([]);
});

test('a plan’s limit holds for requests at the same moment too', async () => {
  // The plan allows five, of which the world has one and the race above has made another.
  const errors = await race('createEnvironment', (rival) => ({
    businessId: world.businessId,
    name: 'One more',
    domain: `one-more-${rival}`,
  }));
  expect(errors).toEqual([[], [], [], ...Array(3).fill([{ code: 'PLAN_LIMIT', path: [] }])]);
  const { db } = operator(gatehouse);
  expect(await db.environment.count({ where: { businessId: world.businessId, kind: 'non_production' } })).toBe(5);
});
