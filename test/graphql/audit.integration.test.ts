/** The audit log in the graph: what it tells, and to whom. How long it is kept: audit-keeping.integration.test.ts. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createApplication } from '../../src/features/applications/service.ts';
import { createEnvironment, deleteEnvironment } from '../../src/features/environments/service.ts';
import { createRole } from '../../src/features/roles/service.ts';
import { createUser, recordSignIn } from '../../src/features/users/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { AuditEventFilter, AuditEventOrder } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer } from '../helpers/graph.ts';
import { explained } from './explained.ts';
import { makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const LOG = graphql(`
  query Log($id: ID!, $first: Int, $after: String, $filter: AuditEventFilter, $orderBy: AuditEventOrder) {
    environment(id: $id) {
      auditEvents(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount
        nodes {
          id at action details ip requestId environmentId
          environment { name }
          target { type id }
          actor { kind id teamMember { email } application { id name } user { id firstName } }
        }
        pageInfo { endCursor hasNextPage }
      }
    }
  }
`);
const BUSINESS_LOG = graphql(`
  query BusinessLog($id: ID!, $first: Int, $after: String, $filter: AuditEventFilter) {
    business(id: $id) { auditEvents(first: $first, after: $after, filter: $filter) { totalCount nodes { id environmentId } } }
  }
`);
const ACTIVITY = graphql(`
  query Activity($id: ID!) {
    node(id: $id) { ... on User { activity(first: 100) { totalCount nodes { action actor { kind user { id } } } } } }
  }
`);
const CREATE_USER = graphql(`
  mutation AuditedUser($input: CreateUserInput!) { createUser(input: $input) { errors { code } user { id } } }
`);

const gatehouse = startApp();
let alpha: World;
let beta: World;
let owner: string;
let ownerId: string;
let machine: string;
const db = () => operator(gatehouse).db;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha', 'enterprise');
  beta = await makeWorld(gatehouse, 'beta', 'enterprise');
  ({ userId: ownerId } = await makeMember(gatehouse, alpha.businessId, 'owner@alpha.test', ['owner']));
  owner = await signInMember(gatehouse, alpha.businessId, 'owner@alpha.test', ['owner']);
  machine = await tokenOf(alpha.production.machine);
});

/** An answer as it is for everybody: what differs from request to request left out. */
function plain({ status, data, errors }: GraphAnswer<unknown>) {
  return { status, data, errors: errors.map(({ extensions: { requestId: _, ...extensions }, ...error }) => ({ ...error, extensions })) };
}

async function log(
  variables: { first?: number; after?: string | null; filter?: AuditEventFilter; orderBy?: AuditEventOrder } = {},
  as = owner,
) {
  const { data, errors } = await ask(gatehouse, as, LOG, { id: alpha.ids.Environment, first: 100, ...variables });
  expect(errors).toEqual([]);
  return data!.environment!.auditEvents!;
}

const idsOf = async (filter: AuditEventFilter) => (await log({ filter })).nodes.map(({ id }) => id);

const rowsOf = (environmentId: string) => db().auditEvent.findMany({ where: { environmentId }, orderBy: [{ at: 'desc' }, { id: 'desc' }] });

describe('an entry', () => {
  test('tells what a member of the team did, to what, where and by which request', async () => {
    const made = await ask(gatehouse, owner, CREATE_USER, { input: { environmentId: alpha.ids.Environment, email: 'told@people.test' } });
    const { id } = made.data!.createUser!.user!;
    const { nodes } = await log({ filter: { targetId: id } });
    expect(nodes).toEqual([
      {
        id: expect.stringMatching(/^audit_/),
        at: expect.stringMatching(/^20/),
        action: 'user.created',
        details: {},
        ip: expect.stringMatching(/^(::1|127\.0\.0\.1|::ffff:127\.0\.0\.1)$/),
        requestId: made.headers.get('x-request-id'),
        environmentId: alpha.ids.Environment,
        environment: { name: expect.stringMatching(/\S/) },
        target: { type: 'user', id },
        actor: { kind: 'TEAM', id: ownerId, teamMember: { email: 'owner@alpha.test' }, application: null, user: null },
      },
    ]);
  });

  test('tells which application did it, which user, and that the server did', async () => {
    const { data } = await ask(gatehouse, machine, CREATE_USER, { input: { email: 'made@people.test', firstName: 'Made' } });
    const { id: userId } = data!.createUser!.user!;
    const scope = { environmentId: alpha.ids.Environment, businessId: alpha.businessId };
    await recordSignIn(operator(gatehouse), scope, userId);
    const system = (await createUser(operator(gatehouse), { environmentId: scope.environmentId, email: 'by-hand@people.test' })).id;

    const { applicationId } = alpha.production.machine;
    const [signIn, made] = (await log({ filter: { targetId: userId } })).nodes;
    expect(made!.actor).toMatchObject({
      kind: 'MACHINE',
      id: applicationId,
      application: { id: applicationId, name: 'alpha-machine' },
      user: null,
    });
    expect(signIn).toMatchObject({
      action: 'user.authenticated',
      actor: { kind: 'USER', id: userId, user: { id: userId, firstName: 'Made' }, teamMember: null, application: null },
    });
    const [byServer] = (await log({ filter: { targetId: system } })).nodes;
    expect(byServer).toMatchObject({ ip: null, actor: { kind: 'SYSTEM', id: 'test', teamMember: null, application: null, user: null } });
  });

  test('goes on telling the ids of who is no longer there', async () => {
    const ctx = operator(gatehouse);
    const scope = { environmentId: alpha.ids.Environment, businessId: alpha.businessId };
    const { id } = await createUser(ctx, { environmentId: scope.environmentId, email: 'gone@people.test' });
    await recordSignIn(ctx, scope, id);
    await db().user.delete({ where: { environmentId_id: { environmentId: scope.environmentId, id } } });
    const { nodes } = await log({ filter: { actorId: id } });
    expect(nodes).toMatchObject([{ action: 'user.authenticated', target: { id }, actor: { kind: 'USER', id, user: null } }]);
  });

  test('outlives its environment, and goes on telling which one it was', async () => {
    const ctx = operator(gatehouse);
    const { id } = await createEnvironment(ctx, { businessId: alpha.businessId, name: 'Short', domain: 'alpha-short' });
    const made = await createUser(ctx, { environmentId: id, email: 'short@people.test' });
    await deleteEnvironment(ctx, { environmentId: id, confirmation: 'Short' });
    const document = `query ($id: ID!, $targetId: ID!) {
      business(id: $id) { auditEvents(filter: { targetId: $targetId }) { nodes { action environmentId environment { id } } } }
    }`;
    const { data, errors } = await ask(gatehouse, owner, document, { id: alpha.businessId, targetId: made.id });
    expect(errors).toEqual([]);
    expect(data).toEqual({ business: { auditEvents: { nodes: [{ action: 'user.created', environmentId: id, environment: null }] } } });
  });
});

describe('the log', () => {
  test('is newest first, or oldest first, and shows each entry once in pages', async () => {
    const all = (await rowsOf(alpha.ids.Environment)).map(({ id }) => id);
    expect(all.length).toBeGreaterThan(10);
    for (const direction of ['DESC', 'ASC'] as const) {
      const shown: string[] = [];
      for (let after: string | null = null, more = true; more; ) {
        const page = await log({ first: 3, after, orderBy: { field: 'AT', direction } });
        expect(page.totalCount).toBe(all.length);
        shown.push(...page.nodes.map(({ id }) => id));
        ({ endCursor: after, hasNextPage: more } = page.pageInfo);
      }
      expect(shown).toEqual(direction === 'DESC' ? all : all.toReversed());
    }
    expect((await log()).nodes.map(({ id }) => id)).toEqual(all.slice(0, 100));
  });

  test('of a business is that of its environments and of itself', async () => {
    const { data } = await ask(gatehouse, owner, BUSINESS_LOG, { id: alpha.businessId, first: 100 });
    const rows = await db().auditEvent.findMany({ where: { businessId: alpha.businessId }, orderBy: [{ at: 'desc' }, { id: 'desc' }] });
    expect(data!.business!.auditEvents!.nodes).toEqual(rows.slice(0, 100).map(({ id, environmentId }) => ({ id, environmentId })));
    expect(data!.business!.auditEvents!.totalCount).toBe(rows.length);
    expect(rows.map(({ environmentId }) => environmentId)).toEqual(
      expect.arrayContaining([alpha.ids.Environment, alpha.development.environmentId, null]),
    );
  });

  test('takes as many statements for a large page as for a small one, whoever did what is in it', async () => {
    const { driver } = gatehouse.app.infrastructure.database as unknown as { driver: { query(...args: unknown[]): unknown } };
    const scope = { environmentId: alpha.ids.Environment, businessId: alpha.businessId };
    for (let person = 0; person < 10; person++) {
      const email = `counted-${person}@people.test`;
      const { userId } = await makeMember(gatehouse, alpha.businessId, email, ['engineer']);
      const { id } = await createUser(operator(gatehouse), { environmentId: scope.environmentId, email });
      const { application } = await createApplication(operator(gatehouse), { ...scope, name: email, type: 'm2m' });
      const did = (actorKind: string, actorId: string) => ({
        ...{ ...scope, id: newId('auditEvent'), at: new Date(), action: 'test.counted' },
        ...{ actorKind, actorId, targetType: 'user', targetId: id, details: {} },
      });
      await db().auditEvent.createMany({ data: [did('team', userId), did('user', id), did('machine', application.id)] });
    }
    const query = driver.query.bind(driver);
    let statements = 0;
    driver.query = (...args) => {
      if (!/pgboss/.test(JSON.stringify(args[0]))) statements++;
      return query(...args);
    };
    const taken = async (first: number) => {
      const counts: number[] = [];
      for (let tries = 0; tries < 3; tries++) {
        statements = 0;
        const { nodes } = await log({ first, filter: { action: 'test.counted' } });
        const found = nodes.map(({ actor }) => actor!.teamMember?.email ?? actor!.user?.id ?? actor!.application?.id);
        expect(found).toEqual(nodes.map(() => expect.any(String)));
        expect(new Set(nodes.map(({ actor }) => actor!.id)).size).toBe(first);
        counts.push(statements);
      }
      return Math.min(...counts);
    };
    const counts = [await taken(3), await taken(30)];
    driver.query = query;
    expect(counts[0]).toBeGreaterThan(1);
    expect(counts[1]).toBe(counts[0]);
  });
});

describe('a filter', () => {
  test('finds what was done, by whom, to what and when', async () => {
    const rows = await rowsOf(alpha.ids.Environment);
    const holding = (test: (row: (typeof rows)[number]) => boolean) => rows.filter(test).map(({ id }) => id);
    const actorId = 'test';
    const bySystem = rows.filter((row) => row.actorId === actorId);
    const { at } = bySystem[Math.floor(bySystem.length / 2)]!;
    const targetId = alpha.ids.User;
    const cases: [AuditEventFilter, string[]][] = [
      [{ action: 'user.created' }, holding(({ action }) => action === 'user.created')],
      [{ action: 'user.' }, []],
      [{ actorId: ownerId }, holding((row) => row.actorId === ownerId)],
      [{ targetId }, holding((row) => row.targetId === targetId)],
      [{ targetId, action: 'user.created' }, holding((row) => row.targetId === targetId && row.action === 'user.created')],
      [{ at: { from: at.toISOString() } }, holding((row) => row.at >= at)],
      [{ at: { before: at.toISOString() } }, holding((row) => row.at < at)],
      [{ at: { before: at.toISOString() }, actorId }, holding((row) => row.at < at && row.actorId === actorId)],
      [{ actorId: null, targetId: null, action: null, at: null }, holding(() => true)],
    ];
    for (const [filter, ids] of cases) expect(await idsOf(filter), JSON.stringify(filter)).toEqual(ids.slice(0, 100));
    expect(cases.filter(([, ids]) => ids.length > 0 && ids.length < rows.length)).toHaveLength(7);
  });
});

describe('a person’s activity', () => {
  test('is what the person did, and what was done to the person, in the one environment', async () => {
    const ctx = operator(gatehouse);
    const scope = { environmentId: alpha.ids.Environment, businessId: alpha.businessId };
    const { id } = await createUser(ctx, { environmentId: scope.environmentId, email: 'active@people.test' });
    await recordSignIn(ctx, scope, id);
    const { data, errors } = await ask(gatehouse, owner, ACTIVITY, { id });
    expect(errors).toEqual([]);
    expect(data!.node).toEqual({
      activity: {
        totalCount: 2,
        nodes: [
          { action: 'user.authenticated', actor: { kind: 'USER', user: { id } } },
          { action: 'user.created', actor: { kind: 'SYSTEM', user: null } },
        ],
      },
    });
  });
});

describe('a machine of one environment', () => {
  test('reads the entries of another, of the business and of strangers as little as those that were made up', async () => {
    const [other] = await rowsOf(alpha.development.environmentId);
    const [strange] = await rowsOf(beta.ids.Environment);
    await createRole(operator(gatehouse), { businessId: alpha.businessId, key: 'whole', name: 'Whole' });
    const whole = await db().auditEvent.findFirstOrThrow({ where: { businessId: alpha.businessId, environmentId: null } });
    const invented = newId('auditEvent');
    for (const id of [other!.id, strange!.id, whole.id]) {
      const document = `query ($id: ID!) { node(id: $id) { id ... on AuditEvent { action } } }`;
      const answers = await Promise.all([id, invented].map((each) => ask<unknown, object>(gatehouse, machine, document, { id: each })));
      expect(answers.map(plain)).toEqual(Array(2).fill({ status: 200, data: { node: null }, errors: [] }));
      const [real, madeUp] = await Promise.all(
        [id, invented].map((each) => explained(gatehouse, machine, { document, variables: { id: each } })),
      );
      expect(real).toEqual(madeUp);
    }
    const own = await ask(gatehouse, machine, `{ node(id: "${alpha.ids['AuditEvent']}") { __typename } }`);
    expect(own.data).toEqual({ node: { __typename: 'AuditEvent' } });
    // A person of the team reads all of the business's.
    for (const id of [other!.id, whole.id])
      expect((await ask(gatehouse, owner, `{ node(id: "${id}") { id } }`)).data).toEqual({ node: { id } });
  });

  test('finds in the business’s log its own entries only, whatever it filters by', async () => {
    const rows = await rowsOf(alpha.development.environmentId);
    const listed = async (filter?: AuditEventFilter) =>
      (await ask(gatehouse, machine, BUSINESS_LOG, { id: alpha.businessId, first: 100, filter })).data!.business!.auditEvents!;
    const all = await listed();
    expect(all.totalCount).toBe((await rowsOf(alpha.ids.Environment)).length);
    expect(new Set(all.nodes.map(({ environmentId }) => environmentId))).toEqual(new Set([alpha.ids.Environment]));
    const nothing = { totalCount: 0, nodes: [] };
    expect(await listed({ targetId: rows[0]!.targetId })).toEqual(nothing);
    expect(await listed({ actorId: alpha.development.machine.applicationId })).toEqual(nothing);
    expect(await listed({ action: 'role.created' })).toEqual(nothing);
  });

  test('is told nothing by the cursor of an entry elsewhere', async () => {
    const cursorOf = (id: string) => btoa(`GPC:T:${JSON.stringify([alpha.businessId, id].map((part) => `S:${part}`))}`);
    const at = async (id: string) =>
      plain(await ask(gatehouse, machine, BUSINESS_LOG, { id: alpha.businessId, after: cursorOf(id), first: 5 }));
    const [other] = await rowsOf(alpha.development.environmentId);
    expect(await at(other!.id)).toEqual(await at(newId('auditEvent')));
    const [own] = await rowsOf(alpha.ids.Environment);
    expect(await at(own!.id)).toMatchObject({
      data: { business: { auditEvents: { nodes: Array(5).fill({ environmentId: alpha.ids.Environment }) } } },
    });
    const strangers = btoa(`GPC:T:${JSON.stringify([beta.businessId, beta.ids['AuditEvent']].map((part) => `S:${part}`))}`);
    const refused = await ask(gatehouse, machine, BUSINESS_LOG, { id: alpha.businessId, after: strangers });
    expect(refused).toMatchObject({ data: null, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  test('without the permission has null, by name', async () => {
    const narrow = await tokenOf(alpha.production.machine, 'read:businesses read:environments read:users');
    const { data, errors } = await ask(gatehouse, narrow, BUSINESS_LOG, { id: alpha.businessId });
    expect(data).toEqual({ business: { auditEvents: null } });
    expect(errors).toMatchObject([{ path: ['business', 'auditEvents'], extensions: { code: 'FORBIDDEN', permission: 'read:audit_log' } }]);
  });
});

describe('a member of the team', () => {
  test('with only Marketing reads no entry in any way, and is told what it takes', async () => {
    const marketing = await signInMember(gatehouse, alpha.businessId, 'marketing@alpha.test', ['marketing']);
    const { data, errors } = await ask(
      gatehouse,
      marketing,
      `{
        business(id: "${alpha.businessId}") { auditEvents { totalCount nodes { id } } }
        environment(id: "${alpha.ids.Environment}") { auditEvents { totalCount } users(first: 1) { nodes { activity { totalCount } } } }
        node(id: "${alpha.ids['AuditEvent']}") { id }
      }`,
    );
    expect(data).toEqual({
      business: { auditEvents: null },
      environment: { auditEvents: null, users: { nodes: [{ activity: null }] } },
      node: null,
    });
    expect(errors.map(({ path, extensions }) => `${path?.join('.')}: ${extensions.code} ${extensions.permission}`).sort()).toEqual([
      'business.auditEvents: FORBIDDEN read:audit_log',
      'environment.auditEvents: FORBIDDEN read:audit_log',
      'environment.users.nodes.0.activity: FORBIDDEN read:audit_log',
    ]);
  });

  test('who may not read where people sign in from reads no address here either', async () => {
    const engineer = await signInMember(gatehouse, alpha.businessId, 'engineer@alpha.test', ['engineer']);
    const { data, errors } = await ask(gatehouse, engineer, LOG, { id: alpha.ids.Environment, first: 1 });
    expect(data!.environment!.auditEvents!.nodes).toMatchObject([{ ip: null, action: expect.stringMatching(/\./) }]);
    expect(errors).toMatchObject([
      { path: ['environment', 'auditEvents', 'nodes', 0, 'ip'], extensions: { code: 'FORBIDDEN', permission: 'read:user_sessions' } },
    ]);
  });
});
