import { getIntrospectionQuery } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { makeWorld, tokenOf, type World } from './world.ts';

const gatehouse = startApp({
  NODE_ENV: 'production',
  SECRET_KEY: '00'.repeat(32),
  SMTP_URL: 'smtp://localhost:1',
});
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await tokenOf(world.production.machine);
});

async function query(document: string, bearer: string | undefined) {
  const response = await fetch(`${gatehouse.baseUrl}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
    body: JSON.stringify({ query: document }),
  });
  const { data, errors = [] } = (await response.json()) as {
    data?: unknown;
    errors?: { message: string; extensions: Record<string, unknown> }[];
  };
  return { status: response.status, requestId: response.headers.get('x-request-id'), data, errors };
}

describe('in production', () => {
  test('the schema is told to those who are signed in, and to nobody else', async () => {
    for (const document of [getIntrospectionQuery(), '{ __schema { types { name } } }', '{ __type(name: "User") { name } }']) {
      const known = await query(document, token);
      expect(known.errors).toEqual([]);
      const unknown = await query(document, undefined); // After the other, whose validation may be remembered.
      expect(unknown.data).toBeUndefined();
      expect(unknown.errors[0]).toMatchObject({
        message: expect.stringContaining('introspection'),
        extensions: { code: 'BAD_USER_INPUT' },
      });
    }
    expect(await query('{ __typename }', undefined)).toMatchObject({ data: { __typename: 'Query' }, errors: [] });
  });

  test('a mistyped name is answered without the names that are like it', async () => {
    const mistakes = {
      '{ viewr { kind } }': 'Cannot query field "viewr" on type "Query".',
      '{ environment(ide: "x") { id } }': 'Unknown argument "ide" on field "Query.environment".',
      'mutation { createBusiness(input: { name: "x", region: IEE }) { errors { code } } }': 'Value "IEE" does not exist in "Region" enum.',
      '{ node(id: "x") { ... on Usr { id } } }': 'Unknown type "Usr".',
    };
    for (const [document, message] of Object.entries(mistakes)) expect((await query(document, token)).errors).toMatchObject([{ message }]);
  });

  test('there is no page to try documents on', async () => {
    const response = await fetch(`${gatehouse.baseUrl}/graphql`, { headers: { accept: 'text/html' } });
    expect(await response.text()).not.toMatch(/<html|graphiql/i);
  });

  test('a fault of ours shows nothing of itself, and is found in the log by its request', async () => {
    const { database } = gatehouse.app.infrastructure;
    await database.script('ALTER TABLE permissions RENAME TO permissions_away');
    try {
      const { status, requestId, data, errors } = await query(`{ viewer { kind } node(id: "${world.ids.Permission}") { id } }`, token);
      expect({ status, data }).toEqual({ status: 200, data: { viewer: { kind: 'MACHINE' }, node: null } });
      expect(errors).toEqual([
        {
          message: 'Something went wrong on our side.',
          path: ['node'],
          locations: expect.anything(),
          extensions: { code: 'INTERNAL', requestId },
        },
      ]);
      const logged = gatehouse
        .log()
        .split('\n')
        .filter((line) => line.includes('graphql fault') && line.includes(requestId!));
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain('permissions');
    } finally {
      await database.script('ALTER TABLE permissions_away RENAME TO permissions');
    }
  });

  test('a fault before the document is run is answered in the same form', async () => {
    const { database, lookups } = gatehouse.app.infrastructure;
    await database.script('ALTER TABLE application_apis RENAME TO application_apis_away');
    lookups.forget();
    try {
      const { status, requestId, errors } = await query('{ viewer { kind } }', token);
      expect(status).toBe(500);
      expect(errors).toEqual([{ message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL', requestId } }]);
    } finally {
      await database.script('ALTER TABLE application_apis_away RENAME TO application_apis');
    }
  });
});
