/** Whatever `explainAccess` says is what the operation meets when it runs: for every field, role and mutation. */
import { beforeAll, describe, expect, test } from 'vitest';
import { MACHINE_SCOPES } from '../../src/access/permissions.ts';
import { TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { startApp } from '../helpers/app.ts';
import { ask, upload } from '../helpers/graph.ts';
import { KINDS, MUTATIONS } from './cases/index.ts';
import { documentOf, everythingOf, everythingOfMutation, everythingOfNode } from './every-field.ts';
import {
  type Coordinate,
  type Explanation,
  explained,
  explainedInShort,
  givenInSpite,
  type Ran,
  refusalsForetold,
  refusalsMet,
  type ShortExplanation,
} from './explained.ts';
import { makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
const tokens = new Map<string, string>();

/** Machines, by their scopes: none that reads, some, and all. */
const SCOPES = [
  'update:users create:users',
  'read:environments read:users',
  'read:businesses read:environments read:users read:user_contacts read:organization_users read:organizations create:organization_users',
  MACHINE_SCOPES.join(' '),
];

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'matrix', 'enterprise');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, world.businessId, `${role}@matrix.test`, [role]));
  for (const scopes of SCOPES) tokens.set(scopes, await tokenOf(world.production.machine, scopes));
});

const callers = [...TEAM_ROLES, ...SCOPES];

async function compare(token: string, document: string): Promise<ShortExplanation> {
  const explanation = await explainedInShort(gatehouse, token, { document });
  const ran = await ask(gatehouse, token, document);
  expect(refusalsForetold(explanation, ran)).toEqual(refusalsMet(ran));
  expect(givenInSpite(explanation, ran)).toEqual([]);
  expect(explanation.isAllowed).toBe(explanation.coordinates.every(({ isAllowed }) => isAllowed));
  return explanation;
}

describe('reading', () => {
  test.each(callers)('everything of a business and an environment: %s', async (caller) => {
    const { coordinates } = await compare(tokens.get(caller)!, documentOf(everythingOf(world.ids)));
    const judged = new Set(coordinates.map(({ coordinate }) => coordinate));
    expect(judged.size).toBeGreaterThan(100);
    for (const { businessId } of coordinates) expect(businessId).toBe(world.businessId);
  });

  test.each(callers)('what the caller finds of itself: %s', async (caller) => {
    const names = 'nodes { id name plan environments { nodes { id name business { id region } users { totalCount nodes { email } } } } }';
    await compare(
      tokens.get(caller)!,
      `{ viewer { kind scopes user { email } application { name } businesses { ${names} } } businesses { ${names} } }`,
    );
  });

  test.each(callers)('a node of each type: %s', async (caller) => {
    for (const type of Object.keys(KINDS)) {
      const id = world.ids[type]!;
      const { coordinates } = await compare(tokens.get(caller)!, everythingOfNode(type, id));
      expect(coordinates.filter(({ path }) => path.length === 2).every(({ coordinate }) => coordinate.startsWith(`${type}.`))).toBe(true);
    }
  });
});

describe('changing', () => {
  // What undoes comes last: what it undoes is needed until then.
  const undoes = (mutation: string) =>
    ['leaveTeam', 'deleteBusiness'].includes(mutation) ? 2 : Number(/^(delete|remove|revoke|suspend|end|cancel)/.test(mutation));
  const inOrder = [...MUTATIONS].sort((one, other) => undoes(one.mutation) - undoes(other.mutation));

  test.each(callers)('%s', { timeout: 180_000 }, async (caller) => {
    const own = await makeWorld(gatehouse, `own-${callers.indexOf(caller)}`, 'enterprise');
    const isRole = (TEAM_ROLES as readonly string[]).includes(caller);
    const token = isRole
      ? await signInMember(gatehouse, own.businessId, `${caller}@own.test`, [caller as TeamRole])
      : await tokenOf(own.production.machine, caller);
    const [done, allowed]: string[][] = [[], []];
    for (const { mutation, input } of inOrder) {
      const { document, takesFile } = everythingOfMutation(mutation);
      const wanted = await input(
        { gatehouse, ctx: operator(gatehouse), world: own },
        `${mutation}-${callers.indexOf(caller)}`.toLowerCase(),
      );
      const explanation = await explainedInShort(gatehouse, token, { document, variables: { input: wanted } });
      const file = new File(['email\nimported@people.test\n'], 'people.csv');
      const answer = takesFile
        ? await upload(gatehouse, token, document, { input: { ...wanted, file: null } }, 'variables.input.file', file)
        : await ask(gatehouse, token, document, { input: wanted });
      const ran = asOfOne(mutation, answer);
      const roots = explanation.coordinates.filter(({ path }) => path.length === 1);
      const root = roots.find(({ refusal }) => refusal) ?? roots[0]!;
      const codes = ran.errors.filter(({ path }) => path?.length === 1).map(({ extensions }) => extensions.code);
      const about = `${mutation}: ${JSON.stringify(ran.errors)}`;
      // Beyond the permission a mutation may refuse who may not assign the role in question.
      const met = refusalsMet(ran).filter((refusal) => !refusal.endsWith(': assign:owner'));
      expect(refusalsForetold(explanation, ran), about).toEqual(met);
      expect(givenInSpite(explanation, ran), about).toEqual([]);
      if (root.refusal) expect(codes, about).toEqual([root.refusal]);
      else allowed!.push(mutation);
      if ((ran.data as Record<string, { errors: unknown[] } | null>)[mutation]?.errors.length === 0) done!.push(mutation);
    }
    expect(done).toEqual(allowed);
    if (caller === 'owner') expect(done).toHaveLength(inOrder.length);
  });

  /** The answer of a mutation for many as if the one item had been asked for alone: refused as an item, it is refused. */
  function asOfOne(name: string, { data, errors }: Ran): Ran {
    const { results } = ((data as Record<string, { results?: unknown[] } | null> | null)?.[name] ?? {}) as { results?: unknown[] };
    if (!results?.every((result) => result === null) || results.length === 0) return { data, errors };
    return { data: { [name]: null }, errors: errors.map((error) => ({ ...error, path: [name] })) };
  }
});

describe('as somebody else', () => {
  /** Of one business, in an order that does not tell where it comes from. */
  const of = ({ coordinates }: Explanation): Coordinate[] =>
    coordinates.filter(({ businessId }) => !businessId || businessId === world.businessId);

  test.each(TEAM_ROLES)('an Owner is told what a member with the role %s is told itself', async (role) => {
    const document = documentOf(everythingOf(world.ids));
    const own = await explained(gatehouse, tokens.get(role), { document });
    const identity = { normalized: `${role}@matrix.test` };
    const member = await gatehouse.app.infrastructure.database.prisma.teamMember.findFirstOrThrow({
      where: { businessId: world.businessId, user: { identities: { some: identity } } },
    });
    expect(await explained(gatehouse, tokens.get('owner'), { document, as: { teamMemberId: member.id } })).toEqual(own);
    expect(await explained(gatehouse, tokens.get('admin'), { document, as: { teamMemberId: member.id } })).toEqual(own);
    const roles = [role.toUpperCase()] as never[];
    expect(of(await explained(gatehouse, tokens.get('owner'), { document, as: { teamRoles: roles } }))).toEqual(of(own));
  });

  test('an Owner is told what a machine with all its scopes is told itself', async () => {
    const document = documentOf(everythingOf(world.ids));
    const own = await explained(gatehouse, await tokenOf(world.production.machine), { document });
    const as = { applicationId: world.production.machine.applicationId };
    expect(await explained(gatehouse, tokens.get('owner'), { document, as })).toEqual(own);
    expect(own).toMatchObject({ kind: 'MACHINE', isAllowed: true });
  });
});
