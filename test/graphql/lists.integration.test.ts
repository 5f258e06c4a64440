import { beforeAll, describe, expect, test } from 'vitest';
import { createUser } from '../../src/features/users/service.ts';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, tokenOf, type World } from './world.ts';

const USERS = graphql(`
  query UsersPage($first: Int, $after: String, $last: Int, $before: String, $search: String) {
    environment {
      users(first: $first, after: $after, last: $last, before: $before, search: $search) {
        totalCount
        nodes { id firstName }
        edges { cursor node { id } }
        pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
      }
    }
  }
`);

const gatehouse = startApp();
let world: World;
let token: string;
/** All users in the order in which they were made. */
let all: string[];

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
  const ctx = operator(gatehouse);
  all = [world.ids.User];
  for (const name of ['100% Sure', 'Under_score', 'Back\\slash', 'Åsa', "O'Hara", 'Ann', 'ANNA'])
    all.push(
      (await createUser(ctx, { environmentId: world.ids.Environment, email: `user-${all.length}@people.test`, firstName: name })).id,
    );
  // Made in the same moment, as an import makes them: the order must hold all the same.
  await ctx.db.user.updateMany({ where: { environmentId: world.ids.Environment }, data: { createdAt: new Date('2026-01-01') } });
});

type Variables = Parameters<typeof users>[0];
async function users(variables: { first?: number; after?: string | null; last?: number; before?: string | null; search?: string }) {
  const { data, errors } = await ask(gatehouse, token, USERS, variables);
  expect(errors).toEqual([]);
  return data!.environment!.users!;
}

/** Reads page after page until the list says that there is no more. */
async function walk(
  size: number,
  next: (page: Awaited<ReturnType<typeof users>>) => Variables | undefined,
  start: Variables,
): Promise<string[][]> {
  const pages: string[][] = [];
  for (let variables: Variables | undefined = start; variables; ) {
    const page = await users(variables);
    pages.push(page.nodes.map(({ id }) => id));
    expect(page.edges.map(({ node }) => node.id)).toEqual(pages.at(-1));
    expect(page.totalCount).toBe(all.length);
    variables = next(page);
    if (pages.length > all.length) throw new Error(`Pages of ${size} have no end.`);
  }
  return pages;
}

describe('a list', () => {
  test.each([1, 3, 4, 8, 100])('shows each row once, in its order, in pages of %i', async (size) => {
    const pages = await walk(size, ({ pageInfo }) => (pageInfo.hasNextPage ? { first: size, after: pageInfo.endCursor! } : undefined), {
      first: size,
    });
    expect(pages.flat()).toEqual(all);
    expect(pages).toHaveLength(Math.ceil(all.length / size));
  });

  test.each([1, 3, 8])('can be read from its end, in pages of %i', async (size) => {
    const pages = await walk(
      size,
      ({ pageInfo }) => (pageInfo.hasPreviousPage ? { last: size, before: pageInfo.startCursor! } : undefined),
      { last: size },
    );
    expect(pages.reverse().flat()).toEqual(all);
  });

  test('shows the first twenty to who does not say how many', async () => {
    const ctx = operator(gatehouse);
    const ids = Array.from({ length: 15 }, (_, at) => `kp_${'f'.repeat(30)}${String(at).padStart(2, '0')}`);
    await ctx.db.user.createMany({ data: ids.map((id) => ({ environmentId: world.ids.Environment, id })) });
    const page = await users({});
    expect(page.nodes).toHaveLength(20);
    expect(page).toMatchObject({ totalCount: all.length + ids.length, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    await ctx.db.user.deleteMany({ where: { id: { in: ids } } });
  });
});

describe('a search', () => {
  const found = async (search: string) => (await users({ search })).nodes.map(({ firstName }) => firstName);

  test.each([
    ['ann', ['Ann', 'ANNA']],
    ['0% s', ['100% Sure']],
    ['a%a', []],
    ['r_s', ['Under_score']],
    ['a_n', []],
    ['k\\s', ['Back\\slash']],
    ['ks', []],
    ["o'h", ["O'Hara"]],
    ['åsa', ['Åsa']],
    ['USER-1@PEOPLE', ['100% Sure']],
    ['nobody', []],
  ])('for %j finds %j: every character stands for itself, whatever its case', async (search, names) => {
    expect(await found(search)).toEqual(names);
    expect((await users({ search, first: 1 })).totalCount).toBe(names.length);
  });

  test('for nothing finds everybody', async () => {
    expect((await users({ search: '' })).totalCount).toBe(all.length);
  });
});
