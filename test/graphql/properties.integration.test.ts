/** Properties: defined once a business, noted about users, organizations and applications. */
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});

const UPDATE = `mutation ($input: UpdateUserPropertiesInput!) {
  updateUserProperties(input: $input) { user { properties { value property { key type } } } errors { code path } }
}`;

const propertyId = async (key: string) =>
  (await operator(gatehouse).db.property.findFirstOrThrow({ where: { businessId: world.businessId, key } })).id;
const note = async (values: Record<string, string | null>) => {
  const rows = await Promise.all(Object.entries(values).map(async ([key, value]) => ({ propertyId: await propertyId(key), value })));
  const { data, errors } = await ask<{ updateUserProperties: unknown }, object>(gatehouse, token, UPDATE, {
    input: { userId: world.ids.User, values: rows },
  });
  expect(errors).toEqual([]);
  return data!.updateUserProperties;
};

test('a business is born with the properties of the platform, private until somebody says otherwise', async () => {
  const { data } = await ask(
    gatehouse,
    token,
    `{ business(id: "${world.businessId}") { properties(context: ORGANIZATION) { totalCount nodes { key isSystem isPrivate context } } } }`,
  );
  expect(data).toMatchObject({
    business: {
      properties: {
        totalCount: 7,
        nodes: expect.arrayContaining([{ key: 'kp_org_street_address_2', isSystem: true, isPrivate: true, context: 'ORGANIZATION' }]),
      },
    },
  });
});

test('values are noted, changed and cleared, and others stay as they are', async () => {
  expect(await note({ 'alpha-user': 'Gold', kp_usr_city: 'Bergen' })).toEqual({
    errors: [],
    user: {
      properties: [
        { value: 'Gold', property: { key: 'alpha-user', type: 'SINGLE_LINE_TEXT' } },
        { value: 'Bergen', property: { key: 'kp_usr_city', type: 'SINGLE_LINE_TEXT' } },
      ],
    },
  });
  expect(await note({ kp_usr_city: null, kp_usr_is_marketing_opt_in: 'TRUE' })).toEqual({
    errors: [],
    user: {
      properties: [
        { value: 'Gold', property: { key: 'alpha-user', type: 'SINGLE_LINE_TEXT' } },
        { value: 'true', property: { key: 'kp_usr_is_marketing_opt_in', type: 'BOOLEAN' } },
      ],
    },
  });
});

test('one value that cannot be noted leaves all as they were', async () => {
  await note({ 'alpha-user': 'Before', kp_usr_city: null, kp_usr_is_marketing_opt_in: null });
  expect(await note({ 'alpha-user': 'After', kp_usr_is_marketing_opt_in: 'perhaps' })).toEqual({
    user: null,
    errors: [{ code: 'INVALID_VALUE', path: ['values', '1', 'value'] }],
  });
  expect(await note({})).toMatchObject({ user: { properties: [{ value: 'Before' }] } });
});

test('deleting a property deletes its values, as a dry run says before', async () => {
  await note({ 'alpha-user': 'Gone soon' });
  const document = `mutation ($input: DeletePropertyInput!) {
    deleteProperty(input: $input) { deletedId preview { rows { kind deleted } } errors { message } }
  }`;
  const input = { propertyId: await propertyId('alpha-user') };
  const dry = await ask(gatehouse, token, document, { input: { ...input, dryRun: true } });
  const rows = [
    { kind: 'properties', deleted: 1 },
    { kind: 'user_property_values', deleted: 2 }, // In the other environment, too.
  ];
  expect(dry.data).toEqual({ deleteProperty: { deletedId: null, preview: { rows }, errors: [] } });
  expect(await note({})).toMatchObject({ user: { properties: [{ value: 'Gone soon' }] } });
  const done = await ask(gatehouse, token, document, { input });
  expect(done.data).toEqual({ deleteProperty: { deletedId: input.propertyId, preview: null, errors: [] } });
  expect(await note({})).toMatchObject({ user: { properties: [] } });
});
