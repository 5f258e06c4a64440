/** Organizations in the graph: how they are found, and which of them there must always be. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createOrganization } from '../../src/features/organizations/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { digestOfEverything, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let stranger: World;
let owner: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  stranger = await makeWorld(gatehouse, 'beta');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});

const FIND = `query ($id: ID, $environmentId: ID, $externalId: String, $handle: String) {
  organization(id: $id, environmentId: $environmentId, externalId: $externalId, handle: $handle) { id }
}`;

interface Changed {
  [mutation: string]: {
    organization?: Record<string, unknown> | null;
    deletedId?: string | null;
    errors: { code: string; path: string[] }[];
  };
}

async function change(mutation: string, input: object, fields = 'organization { id version }') {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { ${fields} errors { code path } } }`;
  const { data, errors } = await ask<Changed, object>(gatehouse, owner, document, { input });
  expect(errors).toEqual([]);
  return data![mutation]!;
}

const make = async (name: string, environmentId = world.ids.Environment!) =>
  (await createOrganization(operator(gatehouse), { environmentId, name, handle: name, externalId: `${name}-external` })).id;
const codesOf = (answers: { errors: { code: string }[] }[]) => answers.map(({ errors }) => errors.map(({ code }) => code));

describe('one organization', () => {
  async function found(token: string, variables: object): Promise<string | undefined> {
    const { data, errors } = await ask<{ organization: { id: string } | null }, object>(gatehouse, token, FIND, variables);
    expect(errors).toEqual([]);
    return data!.organization?.id;
  }

  test('is found by its id, its external id and its handle', async () => {
    const id = world.ids.Organization;
    const environmentId = world.ids.Environment;
    for (const by of [{ id }, { environmentId, externalId: 'alpha' }, { environmentId, handle: 'alpha' }, { id, handle: 'alpha' }])
      expect(await found(owner, by)).toBe(id);
    const machine = await tokenOf(world.production.machine);
    for (const by of [{ id }, { externalId: 'alpha' }, { handle: 'alpha' }]) expect(await found(machine, by)).toBe(id);
  });

  test('is not found by nothing, by what does not fit together, or beyond the caller’s reach', async () => {
    const id = world.ids.Organization;
    const environmentId = world.ids.Environment;
    const machine = await tokenOf(world.production.machine);
    for (const by of [
      {},
      { environmentId },
      { externalId: 'alpha' },
      { id, environmentId, handle: 'beta' },
      { id, environmentId: newId('environment') },
    ])
      expect(await found(owner, by)).toBeUndefined();
    for (const token of [owner, machine])
      for (const by of [
        { id: stranger.ids.Organization },
        { environmentId: stranger.ids.Environment, externalId: 'beta' },
        { environmentId: stranger.ids.Environment, handle: 'beta' },
        { environmentId, handle: 'beta' },
      ])
        expect(await found(token, by)).toBeUndefined();
    expect(await found(machine, { environmentId: world.development.environmentId, handle: 'alpha-dev' })).toBeUndefined();
  });
});

describe('a change', () => {
  test('leaves alone what it does not name, and clears what it names as null', async () => {
    const organizationId = await make('kept');
    await change('updateOrganization', { organizationId, senderName: 'Sender', senderEmail: 'sender@people.test', isAdvanced: true });
    const all = 'organization { name externalId handle isAdvanced senderName senderEmail version }';
    const named = await change('updateOrganization', { organizationId, name: 'Renamed', senderName: null, externalId: null }, all);
    expect(named).toEqual({
      errors: [],
      organization: {
        ...{ name: 'Renamed', externalId: null, handle: 'kept', isAdvanced: true, senderName: null },
        ...{ senderEmail: 'sender@people.test', version: 3 },
      },
    });
    expect((await change('removeOrganizationHandle', { organizationId, expectedVersion: 3 }, all)).organization).toMatchObject({
      handle: null,
      version: 4,
    });
    expect(await make('kept-2')).toMatch(/^org_/);
    expect((await change('updateOrganization', { organizationId: world.ids.Organization, handle: 'kept' })).errors).toEqual([]);
  });

  test('of the same version by two is done once, whatever each of them changes', async () => {
    const organizationId = await make('contested');
    const answers = await Promise.all([
      change('updateOrganization', { organizationId, name: 'Mine', expectedVersion: 1 }),
      change('updateOrganizationPasskeyPolicy', { organizationId, policy: 'OFF', expectedVersion: 1 }),
      change('updateOrganizationBrand', { organizationId, theme: 'DARK', expectedVersion: 1 }),
    ]);
    expect(codesOf(answers).sort()).toEqual([[], ['CONFLICT'], ['CONFLICT']]);
  });

  test('of the second factors keeps one to choose from', async () => {
    const organizationId = await make('factors');
    const all = 'organization { mfaPolicy mfaFactors hasRecoveryCodes mfaExemptRoles { id } }';
    const exemptRoleIds = [world.ids.Role, world.ids.Role];
    const factors = ['SMS', 'EMAIL', 'SMS'];
    const set = await change('updateOrganizationMfaPolicy', { organizationId, policy: 'REQUIRED', factors, exemptRoleIds }, all);
    const expected = {
      mfaPolicy: 'REQUIRED',
      mfaFactors: ['SMS', 'EMAIL'],
      hasRecoveryCodes: true,
      mfaExemptRoles: [{ id: world.ids.Role }],
    };
    expect(set.organization).toEqual(expected);
    const before = await digestOfEverything(gatehouse);
    expect((await change('updateOrganizationMfaPolicy', { organizationId, factors: [] })).errors).toMatchObject([{ code: 'NO_FACTORS' }]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
    const off = await change('updateOrganizationMfaPolicy', { organizationId, policy: null, factors: null, exemptRoleIds: [] }, all);
    expect(off.organization).toEqual({ mfaPolicy: null, mfaFactors: [], hasRecoveryCodes: true, mfaExemptRoles: [] });
  });

  test('of the colours is whole for the theme that it names, and takes nothing from the other, made at the same moment', async () => {
    const organizationId = await make('coloured');
    const light = { link: '#AA00FF', button: '#123456' };
    const dark = { background: '#000000' };
    const answers = await Promise.all([
      change('updateOrganizationBrand', { organizationId, lightColors: light }),
      change('updateOrganizationBrand', { organizationId, darkColors: dark }),
    ]);
    expect(codesOf(answers)).toEqual([[], []]);
    const all = 'organization { theme lightColors { background link button buttonText } darkColors { background link button buttonText } }';
    const none = { background: null, link: null, button: null, buttonText: null };
    const { organization } = await change('updateOrganizationBrand', { organizationId, theme: 'LIGHT' }, all);
    expect(organization).toEqual({
      theme: 'LIGHT',
      lightColors: { ...none, link: '#aa00ff', button: '#123456' },
      darkColors: { ...none, background: '#000000' },
    });
    const reset = await change(
      'updateOrganizationBrand',
      { organizationId, theme: null, lightColors: { link: '#000000' }, darkColors: null },
      all,
    );
    expect(reset.organization).toEqual({ theme: null, lightColors: { ...none, link: '#000000' }, darkColors: none });
  });
});

describe('an environment that lets people sign up', () => {
  test('keeps one organization that takes them in, though the last two are closed at the same moment', async () => {
    const ctx = operator(gatehouse);
    const { environmentId } = world.development;
    const open = [await make('open-1', environmentId), await make('open-2', environmentId)];
    await ctx.db.organization.updateMany({ where: { environmentId }, data: { isAutoMembershipEnabled: false } });
    const opened = await Promise.all(
      open.map((organizationId) => change('updateOrganizationPolicies', { organizationId, isAutoMembershipEnabled: true })),
    );
    expect(codesOf(opened)).toEqual([[], []]);
    const closed = await Promise.all([
      change('updateOrganizationPolicies', { organizationId: open[0], isAutoMembershipEnabled: false }),
      change('suspendOrganization', { organizationId: open[1] }),
    ]);
    expect(codesOf(closed).sort()).toEqual([[], ['LAST_OPEN_ORGANIZATION']]);
    expect(await ctx.db.organization.count({ where: { environmentId, isAutoMembershipEnabled: true, isSuspended: false } })).toBe(1);
    await ctx.db.environment.update({ where: { id: environmentId }, data: { allowSelfSignUp: false } });
    const [last] = await ctx.db.organization.findMany({ where: { environmentId, isAutoMembershipEnabled: true, isSuspended: false } });
    expect((await change('deleteOrganization', { organizationId: last!.id }, 'deletedId')).errors).toEqual([]);
    await ctx.db.environment.update({ where: { id: environmentId }, data: { allowSelfSignUp: true } });
  });

  test('suspends an organization once, however often it is asked', async () => {
    const organizationId = await make('often');
    const since = 'organization { isSuspended suspendedAt version }';
    const answers = await Promise.all(Array.from({ length: 3 }, () => change('suspendOrganization', { organizationId }, since)));
    expect(codesOf(answers)).toEqual([[], [], []]);
    gatehouse.advance(60);
    const later = await change('suspendOrganization', { organizationId }, since);
    expect(later.organization).toEqual(answers[0]!.organization);
    const ctx = operator(gatehouse);
    expect(await ctx.db.auditEvent.count({ where: { action: 'organization.suspended', targetId: organizationId } })).toBe(1);
  });
});

test('many are deleted at once, each by itself', async () => {
  const { id: byDefault } = await operator(gatehouse).db.organization.findFirstOrThrow({
    where: { environmentId: world.ids.Environment, isDefault: true },
  });
  const ids = [await make('gone-1'), byDefault, stranger.ids.Organization, await make('gone-2')];
  const document = `mutation ($input: DeleteOrganizationsInput!) { deleteOrganizations(input: $input) { results { deletedId errors { code } } errors { code } } }`;
  const { data, errors } = await ask(gatehouse, owner, document, { input: { items: ids.map((organizationId) => ({ organizationId })) } });
  expect(data).toEqual({
    deleteOrganizations: {
      errors: [],
      results: [
        { deletedId: ids[0], errors: [] },
        { deletedId: null, errors: [{ code: 'DEFAULT_ORGANIZATION_CANNOT_BE_DELETED' }] },
        null,
        { deletedId: ids[3], errors: [] },
      ],
    },
  });
  expect(errors).toMatchObject([{ path: ['deleteOrganizations', 'results', 2], extensions: { code: 'NOT_FOUND' } }]);
});
