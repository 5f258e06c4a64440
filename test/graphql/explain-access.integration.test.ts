import { beforeAll, describe, expect, test } from 'vitest';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../../src/access/team-roles.ts';
import { MAX_JUDGEMENTS } from '../../src/graphql/access-walk.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { EXPLAIN, explained, summary } from './explained.ts';
import { digestOfEverything, makeMember, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let alpha: World;
let beta: World;
const tokens = new Map<TeamRole, string>();
/** An Engineer of alpha who is in Marketing at beta. */
let both: string;

beforeAll(async () => {
  alpha = await makeWorld(gatehouse, 'alpha', 'enterprise');
  beta = await makeWorld(gatehouse, 'beta', 'enterprise');
  for (const role of TEAM_ROLES) tokens.set(role, await signInMember(gatehouse, alpha.businessId, `${role}@alpha.test`, [role]));
  await makeMember(gatehouse, alpha.businessId, 'both@team.test', ['engineer']);
  both = await signInMember(gatehouse, beta.businessId, 'both@team.test', ['marketing']);
});

const USERS = 'query ($id: ID!) { environment(id: $id) { people: users(first: 1) { totalCount nodes { id name: firstName email } } } }';
const ROTATE = `mutation ($input: RotateApplicationSecretInput!) {
  rotateApplicationSecret(input: $input) { application { name } clientSecret errors { code } }
}`;

/** As {@link explained}, for what is refused as a whole. */
async function refused(token: string | undefined, variables: Parameters<typeof explained>[2]) {
  const { data, errors } = await ask(gatehouse, token, EXPLAIN, variables);
  expect(data).toEqual({ explainAccess: null });
  expect(errors).toHaveLength(1);
  const { message, extensions } = errors[0]!;
  const { requestId: _, ...rest } = extensions;
  return { message, ...rest };
}

describe('an explanation', () => {
  test('says of each field what it takes, whether it is held and by what', async () => {
    const variables = { id: alpha.ids.Environment };
    const { kind, isAllowed, coordinates } = await explained(gatehouse, tokens.get('marketing'), { document: USERS, variables });
    expect({ kind, isAllowed }).toEqual({ kind: 'TEAM_MEMBER', isAllowed: false });
    const place = { businessId: alpha.businessId, environmentId: alpha.ids.Environment };
    const given = (permission: string) => ({ ...place, permission, openBecause: null, isAllowed: true, refusal: null, grantableBy: [] });
    const open = {
      ...place,
      permission: null,
      openBecause: expect.stringMatching(/\w/),
      isAllowed: true,
      refusal: null,
      grantedBy: null,
      grantableBy: [],
    };
    const grantedBy = { teamRoles: ['MARKETING'], scope: null };
    const users = ['environment', 'people'];
    expect(coordinates).toEqual([
      // Of the caller's own business: which of its environments is not said by the root.
      { coordinate: 'Query.environment', path: ['environment'], grantedBy, ...given('read:environments') },
      { coordinate: 'Environment.users', path: users, grantedBy, ...given('read:users') },
      { coordinate: 'EnvironmentUsersConnection.totalCount', path: [...users, 'totalCount'], ...open },
      { coordinate: 'EnvironmentUsersConnection.nodes', path: [...users, 'nodes'], ...open },
      { coordinate: 'User.id', path: [...users, 'nodes', 'id'], ...open },
      { coordinate: 'User.firstName', path: [...users, 'nodes', 'name'], grantedBy, ...given('read:users') },
      {
        ...{ coordinate: 'User.email', path: [...users, 'nodes', 'email'], ...place, permission: 'read:user_contacts', openBecause: null },
        ...{ isAllowed: false, refusal: 'FORBIDDEN', grantedBy: null },
        grantableBy: ['OWNER', 'ADMIN', 'CUSTOMER_SUCCESS', 'ENGINEER', 'READ_ONLY', 'SECURITY_SPECIALIST'],
      },
    ]);
  });

  test('names all the roles that grant a permission, and those only', async () => {
    const token = await signInMember(gatehouse, alpha.businessId, 'several@alpha.test', ['finance', 'engineer', 'marketing']);
    const { coordinates } = await explained(gatehouse, token, {
      document: `{ business(id: "${alpha.businessId}") { name plan roles { totalCount } } }`,
    });
    expect(
      coordinates.filter(({ permission }) => permission).map(({ coordinate, grantedBy }) => [coordinate, grantedBy?.teamRoles]),
    ).toEqual([
      ['Query.business', ['ENGINEER', 'FINANCE', 'MARKETING']],
      ['Business.name', ['ENGINEER', 'FINANCE', 'MARKETING']],
      ['Business.plan', ['FINANCE']],
      ['Business.roles', ['ENGINEER']],
    ]);
  });

  test('says the scope for a machine, which may leave out its environment', async () => {
    const token = await tokenOf(alpha.production.machine, 'read:environments read:users');
    const explanation = await explained(gatehouse, token, { document: '{ environment { users { nodes { email } } } }' });
    expect(explanation).toMatchObject({ kind: 'MACHINE', isAllowed: false });
    expect(explanation.coordinates[0]).toMatchObject({
      environmentId: alpha.ids.Environment,
      grantedBy: { teamRoles: [], scope: 'read:environments' },
    });
    expect(summary(explanation)['environment.users.nodes.email']).toBe('FORBIDDEN');
  });

  test('finds the tenant by any id in a mutation’s input, and tells the coordinates of its payload too', async () => {
    const variables = { input: { applicationId: alpha.ids.Application } };
    expect(summary(await explained(gatehouse, tokens.get('engineer'), { document: ROTATE, variables }))).toEqual({
      rotateApplicationSecret: 'update:application_secrets',
      'rotateApplicationSecret.application': 'open',
      'rotateApplicationSecret.application.name': 'read:applications',
      'rotateApplicationSecret.clientSecret': 'open',
      'rotateApplicationSecret.errors': 'open',
      'rotateApplicationSecret.errors.code': 'open',
    });
    expect(summary(await explained(gatehouse, tokens.get('finance'), { document: ROTATE, variables }))).toMatchObject({
      rotateApplicationSecret: 'FORBIDDEN',
    });
  });

  test('follows fragments, conditions and defaults as execution does', async () => {
    const document = `
      query Wanted($id: ID! = "${alpha.ids.User}", $no: Boolean = false) {
        node(id: $id) { ...Any ...Any ... on Organization { name } ... on User { firstName ...Contact @include(if: $no) lastName @skip(if: true) } }
      }
      query Other { viewer { kind } }
      fragment Any on Node { id ... on User { picture } }
      fragment Contact on User { email }`;
    const paths = async (variables: object) =>
      Object.keys(summary(await explained(gatehouse, tokens.get('owner'), { document, operationName: 'Wanted', variables })));
    expect(await paths({})).toEqual(['node', 'node.id', 'node.picture', 'node.firstName']);
    expect(await paths({ no: true })).toEqual(['node', 'node.id', 'node.picture', 'node.firstName', 'node.email']);
    expect(await paths({ id: alpha.ids.Organization })).toEqual(['node', 'node.id', 'node.name']);
    expect(await paths({ id: 'none of ours' })).toEqual(['node', 'node.id', 'node.picture', 'node.name', 'node.firstName']);
  });

  test('runs nothing: neither a mutation nor a read', async () => {
    const before = await digestOfEverything(gatehouse);
    const document = `mutation { createUser(input: { environmentId: "${alpha.ids.Environment}", email: "new@people.test" }) { user { id email } errors { code } } }`;
    expect(await explained(gatehouse, tokens.get('owner'), { document })).toMatchObject({ isAllowed: true });
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('knows that whoever makes a business is its Owner', async () => {
    const document =
      'mutation { createBusiness(input: { name: "Mine", region: IE }) { business { name plan environments { nodes { id } } } } }';
    const person = await explained(gatehouse, tokens.get('marketing'), { document });
    expect(person.isAllowed).toBe(true);
    expect(person.coordinates.map(({ businessId }) => businessId)).toEqual(person.coordinates.map(() => null));
    const machine = await explained(gatehouse, await tokenOf(alpha.production.machine), { document });
    expect(new Set(machine.coordinates.map(({ refusal }) => refusal))).toEqual(new Set(['UNAUTHENTICATED']));
  });
});

describe('a person with several businesses', () => {
  const document = '{ businesses { nodes { id name roles { totalCount } environments { nodes { users { nodes { email } } } } } } }';

  test('is told for each of them, which is what the rows of each meet', async () => {
    const { coordinates } = await explained(gatehouse, both, { document });
    const refusedIn = (businessId: string) =>
      coordinates.filter((each) => each.businessId === businessId && !each.isAllowed).map(({ path }) => path.join('.'));
    expect(refusedIn(alpha.businessId)).toEqual([]);
    expect(refusedIn(beta.businessId)).toEqual(['businesses.nodes.roles', 'businesses.nodes.environments.nodes.users.nodes.email']);

    const { data, errors } = await ask<{ businesses: { nodes: { id: string }[] } }, object>(gatehouse, both, document);
    const businessOf = (path: readonly unknown[]) => data!.businesses.nodes[path[2] as number]!.id;
    const met = errors.map(({ path }) => [businessOf(path!), path!.filter((part) => typeof part === 'string').join('.')]);
    expect(new Set(met.map(String))).toEqual(new Set(refusedIn(beta.businessId).map((path) => `${beta.businessId},${path}`)));
  });

  test('is told for one of them when it asks for one', async () => {
    for (const [tenantId, world] of [
      [alpha.businessId, alpha],
      [alpha.development.environmentId, alpha],
      [beta.ids.Environment, beta],
    ] as const) {
      const { coordinates, isAllowed } = await explained(gatehouse, both, { document, tenantId });
      expect(new Set(coordinates.map(({ businessId }) => businessId))).toEqual(new Set([world.businessId]));
      expect(isAllowed).toBe(world === alpha);
    }
  });

  test('may leave the ids of an operation open, and be told for each business or for one', async () => {
    const everywhere = await explained(gatehouse, both, { document: ROTATE });
    const roots = everywhere.coordinates.filter(({ path }) => path.length === 1);
    expect(roots.map(({ businessId, isAllowed }) => [businessId, isAllowed])).toEqual([
      [alpha.businessId, true],
      [beta.businessId, false],
    ]);
    expect(await explained(gatehouse, both, { document: ROTATE, tenantId: alpha.ids.Environment })).toMatchObject({ isAllowed: true });
    expect(await explained(gatehouse, both, { document: USERS, tenantId: beta.ids.Environment })).toMatchObject({ isAllowed: false });
    expect(await explained(gatehouse, both, { document: USERS, tenantId: alpha.ids.Environment })).toMatchObject({ isAllowed: true });
  });
});

describe('what is not within reach', () => {
  test('is judged like what is not there, whatever names it', async () => {
    const own = tokens.get('owner');
    const machine = await tokenOf(alpha.production.machine);
    for (const token of [own, machine]) {
      for (const [type, id] of Object.entries(beta.ids)) {
        const invented = id.replace(/.{12}$/, 'ffffffffffff');
        for (const document of [
          'query ($id: ID!) { node(id: $id) { __typename id ... on User { email } ... on Role { name } ... on Business { plan } } }',
          'query ($id: ID!) { environment(id: $id) { name users { totalCount } } business(id: $id) { name } }',
          'mutation ($id: ID!) { rotateApplicationSecret(input: { applicationId: $id }) { application { name } } }',
          'mutation ($id: ID!) { addOrganizationMember(input: { organizationId: $id, userId: $id }) { member { createdAt } } }',
          'mutation ($id: ID!) { updateTeamMemberRoles(input: { teamMemberId: $id, roles: [ADMIN] }) { member { email } } }',
        ]) {
          const foreign = await explained(gatehouse, token, { document, variables: { id } });
          expect(foreign, `${type} ${document}`).toEqual(await explained(gatehouse, token, { document, variables: { id: invented } }));
          expect(new Set(foreign.coordinates.map(({ isAllowed, businessId }) => `${isAllowed} ${businessId}`))).toEqual(
            new Set(['false null']),
          );
        }
      }
    }
  });

  test('is not found as a tenant or as somebody to explain for', async () => {
    const document = '{ viewer { kind } }';
    const cases = [
      [{ tenantId: beta.businessId }, { tenantId: newId('business') }],
      [{ tenantId: beta.ids.Environment }, { tenantId: newId('environment') }],
      [{ as: { teamMemberId: beta.ids.TeamMember } }, { as: { teamMemberId: newId('teamMember') } }],
      [{ as: { applicationId: beta.ids.Application } }, { as: { applicationId: newId('application') } }],
    ] as const;
    for (const [foreign, invented] of cases) {
      const answer = await refused(tokens.get('owner'), { document, ...foreign });
      expect(answer).toEqual(await refused(tokens.get('owner'), { document, ...invented }));
      expect(answer).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test('of an application that the caller may not read, is not told', async () => {
    // Finance holds nothing over applications: whether there is one with this id is not its to know.
    const variables = { input: { applicationId: alpha.ids.Application } };
    const real = await explained(gatehouse, tokens.get('finance'), { document: ROTATE, variables });
    const invented = await explained(gatehouse, tokens.get('finance'), {
      document: ROTATE,
      variables: { input: { applicationId: newId('application') } },
    });
    expect(real).toEqual(invented);
  });

  test('of somebody else’s other businesses, nothing is told', async () => {
    const { id } = await operator(gatehouse).db.teamMember.findFirstOrThrow({
      where: { businessId: alpha.businessId, user: { identities: { some: { normalized: 'both@team.test' } } } },
    });
    const document = `{ viewer { businesses { nodes { name } } } businesses { nodes { name } } beta: business(id: "${beta.businessId}") { name } }`;
    const explanation = await explained(gatehouse, tokens.get('owner'), { document, as: { teamMemberId: id } });
    expect(new Set(explanation.coordinates.map(({ businessId }) => businessId))).toEqual(new Set([alpha.businessId, null]));
    expect(summary(explanation)).toMatchObject({ 'beta.name': 'NOT_FOUND' });
    expect(await refused(tokens.get('owner'), { document, as: { teamMemberId: id }, tenantId: beta.businessId })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('explaining for somebody else', () => {
  const document = '{ viewer { kind } }';
  const subjects = () => [
    { teamMemberId: alpha.ids.TeamMember },
    { teamMemberId: newId('teamMember') },
    { teamRoles: ['MARKETING' as const] },
    { applicationId: alpha.ids.Application },
    { applicationId: newId('application') },
  ];

  test.each(TEAM_ROLES.filter((role) => !PERMISSIONS_OF_ROLE[role].has('update:team_members')))('is not for the role %s', async (role) => {
    for (const as of subjects())
      expect(await refused(tokens.get(role), { document, as })).toMatchObject({ code: 'FORBIDDEN', permission: 'update:team_members' });
  });

  test('is not for a machine, nor for nobody', async () => {
    const token = await tokenOf(alpha.production.machine);
    for (const as of subjects()) {
      expect(await refused(token, { document, as })).toMatchObject({ code: 'FORBIDDEN', permission: 'update:team_members' });
      expect(await refused(undefined, { document, as })).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await refused(undefined, { document })).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('an Owner here explains nothing for the members of a team on which it has another role', async () => {
    const token = await signInMember(gatehouse, beta.businessId, 'owner@alpha.test', ['engineer']);
    expect(await refused(token, { document, as: { teamMemberId: beta.ids.TeamMember } })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refused(token, { document, as: { applicationId: beta.ids.Application } })).toMatchObject({ code: 'NOT_FOUND' });
    const roles = await explained(gatehouse, token, { document: '{ businesses { nodes { name } } }', as: { teamRoles: ['MARKETING'] } });
    expect(new Set(roles.coordinates.map(({ businessId }) => businessId))).toEqual(new Set([alpha.businessId]));
  });

  test('takes one subject', async () => {
    const { errors } = await ask(gatehouse, tokens.get('owner'), EXPLAIN, {
      document,
      as: { teamMemberId: 'a', applicationId: 'b' } as never,
    });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });

  test('says that a suspended member may do nothing, and that an application without the management API holds nothing', async () => {
    const ctx = operator(gatehouse);
    const { userId, memberId } = await makeMember(gatehouse, alpha.businessId, 'suspended@alpha.test', ['admin']);
    await ctx.db.user.updateMany({ where: { id: userId }, data: { isSuspended: true } });
    expect(await refused(tokens.get('owner'), { document, as: { teamMemberId: memberId } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      inputPath: ['as', 'teamMemberId'],
      message: expect.stringContaining('suspended'),
    });
    const environmentId = alpha.development.environmentId;
    const applicationId = alpha.development.ids.Application!;
    await ctx.db.applicationApi.deleteMany({ where: { environmentId, applicationId } });
    gatehouse.app.infrastructure.lookups.forget();
    const machine = await explained(gatehouse, tokens.get('owner'), { document: '{ environment { name } }', as: { applicationId } });
    expect(machine).toMatchObject({ kind: 'MACHINE', isAllowed: false });
    expect(machine.coordinates[0]).toMatchObject({ refusal: 'FORBIDDEN', environmentId });
  });
});

describe('a document that cannot run', () => {
  const deep = (levels: number): string => (levels === 0 ? 'id' : `business { environments { nodes { ${deep(levels - 1)} } } }`);
  test.each([
    ['a syntax error', '{ viewer { kind ', 'Syntax Error: Expected Name, found <EOF>. (line 1, column 17)', 'BAD_USER_INPUT'],
    ['a field that there is not', '{ viewer {\n  kin } }', 'Cannot query field "kin" on type "Viewer".', 'BAD_USER_INPUT'],
    ['a selection that is missing', 'query ($id: ID!) { node(id: $id) }', '(line 1, column 20)', 'BAD_USER_INPUT'],
    ['too many tokens', `{ ${'viewer { kind } '.repeat(1001)} }`, '4000 tokens', 'QUERY_TOO_COMPLEX'],
    ['too many levels', `{ environment { ${deep(5)} } }`, 'nests deeper', 'QUERY_TOO_COMPLEX'],
    ['nothing to run', 'fragment Only on User { id }', 'Fragment "Only" is never used.', 'BAD_USER_INPUT'],
    ['a choice of operations', 'query A { viewer { kind } } query B { viewer { kind } }', 'no operation of this name', 'BAD_USER_INPUT'],
    ['a character that no text can hold', '{ node(id: "\\u0000") { id } }', 'NUL', 'BAD_USER_INPUT'],
  ])('for %s is refused, and told why', async (_why, document, message, code) => {
    const answer = await refused(tokens.get('owner'), { document });
    expect(answer).toMatchObject({ code });
    expect(answer.message).toContain(message);
  });

  test('is refused with variables that are none, or an operation that is not in it', async () => {
    const document = 'query A { viewer { kind } }';
    for (const variables of [1, 'text', [1], true])
      expect(await refused(tokens.get('owner'), { document, variables })).toMatchObject({
        code: 'BAD_USER_INPUT',
        inputPath: ['variables'],
      });
    expect(await refused(tokens.get('owner'), { document, operationName: 'B' })).toMatchObject({
      code: 'BAD_USER_INPUT',
      inputPath: ['operationName'],
    });
  });

  test('with hundreds of mistakes is told of the first', async () => {
    const { message } = await refused(tokens.get('owner'), {
      document: `{ viewer { ${Array.from({ length: 300 }, (_, at) => `wrong${at}`).join(' ')} } }`,
    });
    expect(message.match(/Cannot query field/g)).toHaveLength(10);
  });

  test('is refused soon when its fragments unfold to more than an explanation holds', async () => {
    const levels = 4;
    const fragments = Array.from({ length: levels }, (_, at) => {
      const next = at === levels - 1 ? 'id' : `...F${at + 1}`;
      const edges = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((alias) => `${alias}: business { ...G${at} }`).join(' ');
      return `fragment F${at} on Environment { ${edges} } fragment G${at} on Business { environments { nodes { ${next} } } }`;
    });
    const document = `{ environment(id: "${alpha.ids.Environment}") { ...F0 } } ${fragments.join(' ')}`;
    const started = performance.now();
    const answer = await refused(tokens.get('owner'), { document });
    expect(answer).toMatchObject({ code: 'QUERY_TOO_COMPLEX', message: expect.stringContaining(String(MAX_JUDGEMENTS)) });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
