/** What API keys are promised: shown once, good for what they say, and no longer than their owner is. */
import { beforeAll, describe, expect, test } from 'vitest';
import { VERIFICATIONS_PER_MINUTE } from '../../src/features/api-keys/verification.ts';
import { sha256 } from '../../src/security/secrets.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let owner: string;
let machine: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  machine = await tokenOf(world.production.machine, 'read:api_keys');
});

const CREATE = graphql(`
  mutation NewKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { errors { code } key apiKey { id hint kind status scopes organizationId userId verificationCount } }
  }
`);
const ROTATE = graphql(`
  mutation OtherKey($id: ID!) { rotateApiKey(input: { apiKeyId: $id }) { errors { code } key apiKey { id hint rotatedAt } } }
`);
const REVOKE = graphql(`
  mutation NoMoreKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) { errors { code } apiKey { status revokedAt } preview { rows { kind updated } } }
  }
`);
const VERIFY = graphql(`
  mutation Verify($input: VerifyApiKeyInput!) {
    verifyApiKey(input: $input) { isValid keyId status apiId scopes organizationId userId lastVerifiedAt verificationCount }
  }
`);
const KEYS = graphql(`
  query Keys($environmentId: ID!, $filter: ApiKeyFilter) {
    environment(id: $environmentId) { apiKeys(filter: $filter, first: 100) { totalCount nodes { id } } }
  }
`);

const place = () => ({ environmentId: world.ids.Environment, apiId: world.ids['Api']!, name: 'Key' });

async function make(more: object = {}) {
  const { data } = await ask(gatehouse, owner, CREATE, { input: { ...place(), kind: 'ENVIRONMENT', ...more } });
  const { key, apiKey } = data!.createApiKey!;
  return { key: key!, ...apiKey! };
}

async function verify(key: string, token = machine) {
  const { data } = await ask(gatehouse, token, VERIFY, { input: { key } });
  return data!.verifyApiKey!;
}

const UNKNOWN = {
  ...{ isValid: false, keyId: null, status: null, apiId: null, scopes: [] },
  ...{ organizationId: null, userId: null, lastVerifiedAt: null, verificationCount: null },
};

test('a key is shown when it is made, and kept as a digest and four characters', async () => {
  const { key, id, hint, ...rest } = await make({ kind: 'USER', userId: world.ids.User, scopes: ['read:things', 'read:things'] });
  expect(key).toMatch(/^k_live_[A-Za-z0-9]{44}$/);
  expect(id).toMatch(/^api_key_[0-9a-f]{32}$/);
  expect(hint).toBe(key.slice(-4));
  expect(rest).toEqual({
    ...{ kind: 'USER', status: 'ACTIVE', scopes: ['read:things'] },
    ...{ organizationId: null, userId: world.ids.User, verificationCount: 0 },
  });
  const { database } = gatehouse.app.infrastructure;
  const row = await database.prisma.apiKey.findFirstOrThrow({ where: { id } });
  expect(row.keyHash).toBe(sha256(key));
  expect(JSON.stringify([row, await database.prisma.auditEvent.findMany()])).not.toContain(key);
  expect(gatehouse.log()).not.toContain(key);
});

test('a key says what it is good for and whose it is, and counts', async () => {
  const { key, id } = await make({ kind: 'ORGANIZATION', organizationId: world.ids.Organization, scopes: ['read:things'] });
  const expected = {
    ...{ isValid: true, keyId: id, status: 'ACTIVE', apiId: world.ids['Api'], scopes: ['read:things'] },
    ...{ organizationId: world.ids.Organization, userId: null, lastVerifiedAt: expect.any(String) },
  };
  expect(await verify(key)).toEqual({ ...expected, verificationCount: 1 });
  await Promise.all(Array.from({ length: 9 }, () => verify(key)));
  expect(await verify(key)).toEqual({ ...expected, verificationCount: 11 });
});

test('what is no key of the environment is not valid, and says nothing', async () => {
  const { key } = await make();
  const ofDevelopment = await ask(gatehouse, owner, CREATE, {
    input: { environmentId: world.development.environmentId, apiId: world.development.ids['Api']!, name: 'Key', kind: 'ENVIRONMENT' },
  });
  const tries = [ofDevelopment.data!.createApiKey!.key!, `${key} `, key.slice(0, -1), key.toLowerCase(), sha256(key), '', "' OR 1=1 --"];
  for (const tried of tries) expect(await verify(tried)).toEqual(UNKNOWN);
});

test('a rotated key keeps its id, and the old one is unknown at once', async () => {
  const { key: old, id } = await make();
  const { data } = await ask(gatehouse, owner, ROTATE, { id });
  const { key, apiKey } = data!.rotateApiKey!;
  expect(apiKey).toEqual({ id, hint: key!.slice(-4), rotatedAt: expect.any(String) });
  expect(await verify(old)).toEqual(UNKNOWN);
  expect(await verify(key!)).toMatchObject({ isValid: true, keyId: id });
  const answers = await Promise.all([1, 2, 3].map(() => ask(gatehouse, owner, ROTATE, { id })));
  const states = await Promise.all(answers.map(async (answer) => (await verify(answer.data!.rotateApiKey!.key!)).isValid));
  expect(states.filter(Boolean)).toHaveLength(1);
});

test('a revoked key is revoked once and for good', async () => {
  const { key, id } = await make();
  const dry = await ask(gatehouse, owner, REVOKE, { input: { apiKeyId: id, dryRun: true } });
  expect(dry.data?.revokeApiKey).toMatchObject({ apiKey: null, preview: { rows: [{ kind: 'api_keys', updated: 1 }] } });
  expect((await verify(key)).isValid).toBe(true);
  const answers = await Promise.all([1, 2, 3].map(() => ask(gatehouse, owner, REVOKE, { input: { apiKeyId: id } })));
  expect(answers.map(({ data }) => data!.revokeApiKey!.errors.map(({ code }) => code).join()).sort()).toEqual(['', 'REVOKED', 'REVOKED']);
  expect(await verify(key)).toMatchObject({ isValid: false, keyId: id, status: 'REVOKED', verificationCount: 1 });
  expect((await ask(gatehouse, owner, ROTATE, { id })).data?.rotateApiKey).toMatchObject({ errors: [{ code: 'REVOKED' }], key: null });
  expect((await verify(key)).isValid).toBe(false);
});

test('a key works no longer than its owner', async () => {
  const { db } = operator(gatehouse);
  const environmentId = world.ids.Environment;
  const organization = await db.organization.create({ data: { environmentId, id: `org_${'a'.repeat(32)}`, name: 'Short-lived' } });
  const user = await db.user.create({ data: { environmentId, id: `kp_${'a'.repeat(32)}` } });
  const keys = {
    organization: await make({ kind: 'ORGANIZATION', organizationId: organization.id }),
    user: await make({ kind: 'USER', userId: user.id }),
  };
  const suspend = async (isSuspended: boolean) => {
    await db.organization.updateMany({ where: { id: organization.id }, data: { isSuspended } });
    await db.user.updateMany({ where: { id: user.id }, data: { isSuspended } });
  };
  const states = async () =>
    [await verify(keys.organization.key), await verify(keys.user.key)].map(({ isValid, status }) => ({ isValid, status }));
  const list = async (status: 'ACTIVE' | 'INACTIVE') =>
    (await ask(gatehouse, owner, KEYS, { environmentId, filter: { status } })).data!.environment!.apiKeys!.nodes.map(({ id }) => id);
  await suspend(true);
  const inactive = { isValid: false, status: 'INACTIVE' };
  expect(await states()).toEqual([inactive, inactive]);
  expect(await list('INACTIVE')).toEqual([keys.organization.id, keys.user.id]);
  expect(await list('ACTIVE')).not.toContain(keys.user.id);
  await suspend(false);
  const active = { isValid: true, status: 'ACTIVE' };
  expect(await states()).toEqual([active, active]);
  expect(await list('ACTIVE')).toEqual(expect.arrayContaining([keys.organization.id, keys.user.id]));
  await db.organization.deleteMany({ where: { id: organization.id } });
  await db.user.deleteMany({ where: { id: user.id } });
  expect([await verify(keys.organization.key), await verify(keys.user.key)]).toEqual([UNKNOWN, UNKNOWN]);
});

test('keys are found by what they are', async () => {
  const mine = await make({ kind: 'ORGANIZATION', organizationId: world.ids.Organization });
  const environmentId = world.ids.Environment;
  const find = async (filter: object) => (await ask(gatehouse, owner, KEYS, { environmentId, filter })).data!.environment!.apiKeys!;
  const ofOrganization = await find({ organizationId: world.ids.Organization, kind: 'ORGANIZATION', apiId: world.ids['Api'] });
  expect(ofOrganization.nodes.map(({ id }) => id)).toContain(mine.id);
  expect(ofOrganization.nodes.map(({ id }) => id)).not.toContain(world.ids['ApiKey']);
  expect((await find({ userId: world.ids.User })).nodes.map(({ id }) => id)).toContain(world.ids['ApiKey']);
  expect(await find({ organizationId: world.ids.Organization, kind: 'USER' })).toEqual({ totalCount: 0, nodes: [] });
});

describe('verifications', () => {
  test('are limited for a caller, however many of them one document holds', async () => {
    const { key } = await make();
    const { applicationId } = world.production.machine;
    const { db } = operator(gatehouse);
    const where = { callerId: `verify ${applicationId}` };
    await verify(key);
    await db.graphQuota.updateMany({ where, data: { leased: VERIFICATIONS_PER_MINUTE - 2, resetsAt: new Date(Date.now() + 30_000) } });
    const aliases = Array.from({ length: 5 }, (_, at) => `v${at}: verifyApiKey(input: { key: "${key}" }) { isValid }`);
    const { data, errors } = await ask<Record<string, unknown>, object>(gatehouse, machine, `mutation { ${aliases.join(' ')} }`);
    const valid = { isValid: true };
    expect(data).toEqual({ v0: valid, v1: valid, v2: null, v3: null, v4: null });
    expect(errors.map(({ path, extensions }) => `${path?.[0]} ${extensions.code}`)).toEqual(
      ['v2', 'v3', 'v4'].map((at) => `${at} RATE_LIMITED`),
    );

    // Another caller is not concerned, and the next minute is another one.
    expect(await ask(gatehouse, owner, VERIFY, { input: { key, environmentId: world.ids.Environment } })).toMatchObject({
      data: { verifyApiKey: { isValid: true } },
    });
    await db.graphQuota.updateMany({ where, data: { resetsAt: new Date(Date.now() - 1000) } });
    expect((await verify(key)).isValid).toBe(true);
  });

  test('take the permission', async () => {
    const { key } = await make();
    const token = await tokenOf(world.production.machine, 'read:apis');
    expect(await ask(gatehouse, token, VERIFY, { input: { key } })).toMatchObject({
      data: { verifyApiKey: null },
      errors: [{ extensions: { code: 'FORBIDDEN', permission: 'read:api_keys' } }],
    });
  });
});
