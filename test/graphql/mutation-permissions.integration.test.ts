import { beforeAll, describe, expect, test } from 'vitest';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApp } from '../helpers/app.ts';
import { ask, type GraphAnswer, upload } from '../helpers/graph.ts';
import { MUTATIONS } from './cases/index.ts';
import { digestOfEverything, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
const tokens = new Map<TeamRole, string>();

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'matrix', 'enterprise');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, world.businessId, `${role}@matrix.test`, [role]));
});

const file = () => new File(['email\nimported@people.test\n'], 'people.csv', { type: 'text/csv' });

const CASES = MUTATIONS.flatMap((each) => (each.permission ? [{ ...each, permission: each.permission }] : []));
const stage = () => ({ gatehouse, ctx: operator(gatehouse), world });

type Mutation = Pick<(typeof CASES)[number], 'mutation' | 'selection' | 'place'>;
type Answer = GraphAnswer<Record<string, { errors: readonly unknown[] } | null>>;

function mutate(token: string | undefined, { mutation, selection }: Mutation, input: object): Promise<Answer> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) ${selection} }`;
  if (mutation === 'importUsers') return upload(gatehouse, token!, document, { input }, 'variables.input.file', file());
  return ask(gatehouse, token, document, { input }) as Promise<Answer>;
}

const pairs = TEAM_ROLES.flatMap((role) =>
  CASES.map((each) => ({ ...each, role, name: `${role}-${each.mutation}`.toLowerCase().replaceAll('_', '-') })),
);
type Pair = Pick<(typeof pairs)[number], 'role' | 'permission' | 'besides'>;

/** The first of the permissions that the mutation takes and the role does not hold. */
const missing = ({ role, permission, besides = [] }: Pair) =>
  [permission, ...besides].find((needed) => !(PERMISSIONS_OF_ROLE[role] as ReadonlySet<string>).has(needed));
const isAllowed = (pair: Pair) => missing(pair) === undefined;

test('these are all the mutations that take a permission, and the permissions that they take', () => {
  const gated = Object.values(schema.getMutationType()!.getFields()).filter((field) => field.extensions['permission']);
  expect(Object.fromEntries(CASES.map(({ mutation, permission }) => [mutation, permission]))).toEqual(
    Object.fromEntries(gated.map((field) => [field.name, field.extensions['permission']])),
  );
});

describe('denied: the permission is named, and nothing is changed', () => {
  test.each(pairs.filter((pair) => !isAllowed(pair)))('$role: $mutation', async ({ input, name, ...each }) => {
    const { role, mutation, permission } = each;
    const wanted = await input(stage(), name);
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(tokens.get(role)!, each, wanted);
    // Of many items each is refused by itself, once the permission of the mutation is there.
    const isItem = each.place.length > 0 && missing(each) !== permission;
    const path = isItem ? [mutation, ...each.place] : [mutation];
    expect(data).toEqual({ [mutation]: isItem ? { errors: [], results: [null] } : null });
    expect(errors).toMatchObject([{ path, extensions: { code: 'FORBIDDEN', permission: missing(each) } }]);
    expect(errors).toHaveLength(1);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test.each(CASES)('a machine without the scope: $mutation', async ({ permission, input, ...each }) => {
    const { mutation } = each;
    const wanted = await input(stage(), `machine-${mutation}`.toLowerCase());
    const token = await tokenOf(world.production.machine, 'read:users read:organizations');
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(token, each, wanted);
    expect(data).toEqual({ [mutation]: null });
    expect(errors).toMatchObject([{ path: [mutation], extensions: { code: 'FORBIDDEN', permission } }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  const sendable = CASES.filter(({ mutation }) => mutation !== 'importUsers');
  test.each(sendable)('nobody in particular: $mutation', async ({ input, ...each }) => {
    const { mutation } = each;
    const wanted = await input(stage(), `nobody-${mutation}`.toLowerCase());
    const before = await digestOfEverything(gatehouse);
    const { data, errors } = await mutate(undefined, each, wanted);
    expect(data).toEqual({ [mutation]: null });
    expect(errors).toMatchObject([{ path: [mutation], extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });
});

describe('allowed: done, and written down with who did it', () => {
  test.each(pairs.filter(isAllowed))('$role: $mutation', async ({ role, action, input, name, ...each }) => {
    const { mutation, place } = each;
    const { prisma } = gatehouse.app.infrastructure.database;
    const wanted = await input(stage(), name);
    const { data, errors, headers } = await mutate(tokens.get(role)!, each, wanted);
    const done = { errors: [], ...(place.length > 0 && { results: [{ errors: [] }] }) };
    expect({ data, errors }).toEqual({ data: { [mutation]: done }, errors: [] });
    const identity = await prisma.identity.findFirstOrThrow({ where: { normalized: `${role}@matrix.test` } });
    const written = await prisma.auditEvent.findMany({
      where: { requestId: headers.get('x-request-id'), ...(action && { action }), actorKind: 'team', actorId: identity.userId },
    });
    expect(written).toHaveLength(action ? 1 : 0);
    expect(JSON.stringify(written.map(({ details }) => details))).not.toContain('@'); // No address of anybody.
  });
});
