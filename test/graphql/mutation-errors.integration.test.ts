import { isEnumType } from 'graphql';
import { beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken } from '../helpers/user-agent.ts';
import type { MistakeStage } from './cases/cases.ts';
import { MUTATIONS } from './cases/index.ts';
import { digestOfEverything, makeMember, makeWorld, operator, type World } from './world.ts';

const gatehouse = startApp();
/** A business that may have everything. */
let large: World;
/** A business on the free plan, whose only Owner is the caller. */
let small: World;
let token: string;
let caller: { memberId: string };

beforeAll(async () => {
  large = await makeWorld(gatehouse, 'large');
  small = await makeWorld(gatehouse, 'small', 'free');
  await makeMember(gatehouse, large.businessId, 'owner@team.test', ['owner']);
  caller = await makeMember(gatehouse, small.businessId, 'owner@team.test', ['owner']);
  const ctx = operator(gatehouse);
  await ctx.db.teamMember.updateMany({ where: { id: small.ids.TeamMember }, data: { roles: ['admin'] } });
  token = await teamToken(gatehouse, 'owner@team.test');
});

const stage = (): MistakeStage => ({ gatehouse, ctx: operator(gatehouse), world: large, small, callerMemberId: caller.memberId });

const MISTAKES = MUTATIONS.flatMap(({ mutation, mistakes = [] }) => mistakes.map((mistake) => ({ mutation, ...mistake })));

test('these are all the codes that the schema names', () => {
  const named = Object.keys(schema.getMutationType()!.getFields())
    .filter((mutation) => mutation !== 'importUsers') // Its codes are about files.
    .flatMap((mutation) => {
      const codes = schema.getType(`${mutation[0]!.toUpperCase()}${mutation.slice(1)}ErrorCode`);
      return isEnumType(codes) ? codes.getValues().map(({ name }) => `${mutation} ${name}`) : [];
    });
  expect([...new Set(MISTAKES.map(({ mutation, code }) => `${mutation} ${code}`))].sort()).toEqual(named.sort());
});

test.each(MISTAKES)('$mutation answers $code about $path, and changes nothing', async ({ mutation, code, path, input }) => {
  const wanted = await input(stage());
  const before = await digestOfEverything(gatehouse);
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { errors { ... on UserError { message path } code } } }`;
  const { data, errors } = await ask(gatehouse, token, document, { input: wanted });
  expect(errors).toEqual([]);
  expect(data).toEqual({ [mutation]: { errors: [{ code, path, message: expect.stringMatching(/^[A-Z].*\.$/) }] } });
  expect(await digestOfEverything(gatehouse)).toBe(before);
});

test('text of just the length that is allowed is taken, with the space around it cut off', async () => {
  const document =
    'mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { errors { code } organization { name } } }';
  const { data } = await ask(gatehouse, token, document, { input: { environmentId: large.ids.Environment, name: ` ${'x'.repeat(200)} ` } });
  expect(data).toEqual({ createOrganization: { errors: [], organization: { name: 'x'.repeat(200) } } });
});
