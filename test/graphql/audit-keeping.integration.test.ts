/** The audit log holds no secret, cannot be changed, and is kept for as long as the plan says. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deleteOldAuditEvents } from '../../src/features/audit/service.ts';
import { updateBusinessPlan } from '../../src/features/business-plans/service.ts';
import { createBusinessRow, deleteBusiness } from '../../src/features/businesses/service.ts';
import type { Plan } from '../../src/features/plans.ts';
import { schema } from '../../src/graphql/schema.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
const ctx = () => operator(gatehouse);

describe('the log holds none of', () => {
  let world: World;
  let owner: string;
  beforeAll(async () => {
    world = await makeWorld(gatehouse, 'alpha', 'enterprise');
    owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  });

  /** What a mutation answers with, and what the log says of it. */
  async function done(mutation: string, input: object, selection = ''): Promise<{ payload: Record<string, string>; told: unknown[] }> {
    const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
    const document = `mutation ($input: ${type}) { it: ${mutation}(input: $input) { errors { message } ${selection} } }`;
    const answer: GraphAnswer<{ it: Record<string, string> }> = await ask(gatehouse, owner, document, { input });
    expect(answer).toMatchObject({ errors: [], data: { it: { errors: [] } } });
    const told = await ctx().db.auditEvent.findMany({ where: { requestId: answer.headers.get('x-request-id')! } });
    expect(told).not.toEqual([]);
    return { payload: answer.data!.it, told };
  }

  test('the secrets and contacts that changes are given, or answer with', async () => {
    const environmentId = world.ids.Environment;
    const userId = world.ids.User;
    const hash = '$2b$10$abcdefghijklmnopqrstuuJ8b5ZkVh0vYxQ1w3fM2n4o5p6q7r8s9';
    const given = {
      variable: 'variable-that-nobody-may-know',
      email: 'contact-that-is-nobodys@people.test',
      phone: '+353861234567',
      subscriber: 'subscriber-of-news@people.test',
      invited: 'invited-by-mail@team.test',
      password: 'Temporary-Password-97531',
      hash,
    };
    const apiKey = await done('createApiKey', { environmentId, apiId: world.ids['Api'], name: 'Key', kind: 'ENVIRONMENT' }, 'key');
    const secret = await done(
      'rotateApplicationSecret',
      { applicationId: world.production.machine.applicationId, keepPrevious: true },
      'clientSecret',
    );
    const variable = await done('createEnvironmentVariable', { environmentId, key: 'HIDDEN', value: given.variable, isSensitive: true });
    expect(variable.told).toMatchObject([{ details: { key: 'HIDDEN', isSensitive: true } }]);
    await done('createUser', { environmentId, email: given.email, phone: given.phone });
    await done('createSubscriber', { environmentId, email: given.subscriber });
    await done('inviteTeamMember', { businessId: world.businessId, email: given.invited, roles: ['ENGINEER'] });
    await done('setTemporaryPassword', { userId, password: given.password });
    await done('setUserPassword', { userId, password: { method: 'BCRYPT', hash } });

    const everything = JSON.stringify(await ctx().db.auditEvent.findMany());
    const secrets = [
      ...Object.values(given),
      apiKey.payload['key']!,
      secret.payload['clientSecret']!,
      world.production.machine.clientSecret,
    ];
    for (const text of secrets) {
      expect(text).toMatch(/\S{10}/);
      expect(everything).not.toContain(text);
    }
  });
});

describe('an entry', () => {
  test('cannot be changed, by whatever statement', async () => {
    const { db, database } = ctx();
    const before = await db.auditEvent.findFirstOrThrow({ orderBy: { id: 'asc' } });
    const where = { businessId_id: { businessId: before.businessId, id: before.id } };
    await expect(db.auditEvent.update({ where, data: { action: 'nothing.happened' } })).rejects.toThrow(/never updated/);
    await expect(database.query(undefined, 'UPDATE audit_events SET actor_id = $1', ['somebody-else'])).rejects.toThrow(/never updated/);
    await expect(
      database.query(
        undefined,
        `INSERT INTO audit_events SELECT * FROM audit_events WHERE id = $1 ON CONFLICT (business_id, id) DO UPDATE SET action = 'nothing.happened'`,
        [before.id],
      ),
    ).rejects.toThrow(/never updated/);
    expect(await db.auditEvent.findUniqueOrThrow({ where })).toEqual(before);
  });

  test('is what no mutation takes or gives', () => {
    const named = Object.values(schema.getTypeMap()).filter(({ name }) => /Audit/.test(name) && /(Input|Payload|Error)$/.test(name));
    expect(named).toEqual([]);
    expect(Object.keys(schema.getMutationType()!.getFields()).filter((name) => /audit/i.test(name))).toEqual([]);
  });
});

describe('the log is kept', () => {
  /** Days that lie between the plans' limits. */
  const AGES = [0.5, 3, 10, 20, 100, 400];
  const kept: readonly (readonly [Plan, number])[] = [
    ['enterprise', 5],
    ['scale', 4],
    ['plus', 3],
    ['pro', 2],
    ['free', 1],
  ];

  interface Aged {
    readonly businessId: string;
    readonly environmentId: string;
    readonly userId: string;
    /** Ids of the entries, by {@link AGES}. */
    readonly ids: readonly string[];
    readonly token: string;
  }

  /** A business with an entry of each age about a user. */
  async function aged(name: string, plan: Plan): Promise<Aged> {
    const { db, clock } = ctx();
    const { id: businessId } = await createBusinessRow(ctx(), { name, region: 'ie', plan, domain: name });
    const { id: environmentId } = await db.environment.findFirstOrThrow({ where: { businessId } });
    const userId = newId('user');
    await db.user.create({ data: { environmentId, id: userId } });
    const ids = AGES.map(() => newId('auditEvent'));
    await db.auditEvent.createMany({
      data: AGES.map((age, at) => ({
        ...{ businessId, environmentId, id: ids[at]!, at: new Date(clock.now().getTime() - age * 24 * 3600_000) },
        ...{ action: 'user.aged', actorKind: 'system', actorId: 'test', targetType: 'user', targetId: userId, details: {} },
      })),
    });
    const token = await signInMember(gatehouse, businessId, `owner@${name}.test`, ['owner']);
    return { businessId, environmentId, userId, ids, token };
  }

  const move = (businessId: string, plan: Plan) => updateBusinessPlan(ctx(), { businessId, plan });

  /** The entries that can be read in each way. */
  async function read({ businessId, environmentId, userId, ids, token }: Aged) {
    const list = 'totalCount nodes { id }';
    const filter = 'filter: { action: "user.aged" at: { from: "2000-01-01T00:00:00Z" } }';
    const document = `{
      business(id: "${businessId}") { auditEvents(${filter}) { ${list} } }
      environment(id: "${environmentId}") { auditEvents(${filter} orderBy: { field: AT direction: ASC }) { ${list} } }
      user: node(id: "${userId}") { ... on User { activity { ${list} } } }
      ${ids.map((id, at) => `n${at}: node(id: "${id}") { id }`).join(' ')}
    }`;
    // biome-ignore lint/suspicious/noExplicitAny: the document is made of parts
    const { data, errors } = await ask<any, never>(gatehouse, token, document);
    expect(errors).toEqual([]);
    const lists = [data.business.auditEvents, data.environment.auditEvents, data.user.activity];
    for (const { totalCount, nodes } of lists) expect(totalCount).toBe(nodes.length);
    const [business, environment, user] = lists.map(({ nodes }) => nodes.map(({ id }: { id: string }) => id));
    return { business, environment: environment.toReversed(), user, nodes: ids.filter((_, at) => data[`n${at}`]) };
  }

  const stored = async ({ businessId }: Aged) =>
    (await ctx().db.auditEvent.findMany({ where: { businessId, action: 'user.aged' }, orderBy: { at: 'desc' } })).map(({ id }) => id);

  const inEachWay = (ids: readonly string[]) => ({ business: ids, environment: ids, user: ids, nodes: ids });

  test('as long as the plan says, also before anything is deleted and as soon as the plan changes', async () => {
    const business = await aged('downward', 'enterprise');
    for (const [plan, count] of kept) {
      await move(business.businessId, plan);
      expect(await read(business), plan).toEqual(inEachWay(business.ids.slice(0, count)));
    }
  });

  test('no longer: what is older is deleted in batches, of each business by its own plan', async () => {
    const businesses: Aged[] = [];
    for (const [plan] of kept) businesses.push(await aged(`cleaned-${plan}`, plan));
    const { length } = await ctx().db.auditEvent.findMany();
    expect(await deleteOldAuditEvents(ctx(), 2)).toBe(2);
    while ((await deleteOldAuditEvents(ctx(), 2)) > 0);
    expect(await ctx().db.auditEvent.count()).toBeLessThan(length);
    for (const [at, [plan, count]] of kept.entries()) {
      const ids = businesses[at]!.ids.slice(0, count);
      expect(await stored(businesses[at]!), plan).toEqual(ids);
      expect(await read(businesses[at]!), plan).toEqual(inEachWay(ids));
    }
    // On a larger plan what was deleted stays away, and what is left is kept for longer.
    const pro = businesses[3]!;
    await move(pro.businessId, 'enterprise');
    gatehouse.advance(30 * 24 * 3600);
    expect(await deleteOldAuditEvents(ctx(), 1000)).toBeGreaterThan(0);
    expect(await stored(pro)).toEqual(pro.ids.slice(0, 2));
    expect(await stored(businesses[4]!)).toEqual([]);
  });

  test('of a deleted business as on the plan that it was deleted on', async () => {
    const gone = await aged('gone', 'free');
    await deleteBusiness(ctx(), { businessId: gone.businessId, confirmation: 'gone' });
    while ((await deleteOldAuditEvents(ctx())) > 0);
    expect(await stored(gone)).toEqual(gone.ids.slice(0, 1));
    const { businessId } = gone;
    expect(await ctx().db.auditEvent.count({ where: { businessId, action: 'business.deleted' } })).toBe(1);
    gatehouse.advance(2 * 24 * 3600);
    while ((await deleteOldAuditEvents(ctx())) > 0);
    expect(await ctx().db.auditEvent.count({ where: { businessId } })).toBe(0);
  });

  test('by the cleanup that runs by itself', async () => {
    const business = await aged('by-itself', 'pro');
    await ctx().jobs.enqueue(ctx().db, 'cleanup', {});
    await expect.poll(() => stored(business), { timeout: 30_000 }).toEqual(business.ids.slice(0, 2));
  });
});
