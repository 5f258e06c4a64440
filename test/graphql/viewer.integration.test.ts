import { expect, test } from 'vitest';
import { graphql } from '../generated/index.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, teamToken } from '../helpers/user-agent.ts';

const gatehouse = startApp();

const WHO_AM_I = graphql(`
  query WhoAmI {
    viewer { kind scopes user { email } application { name } businesses { nodes { name plan environments { nodes { name } } } } }
  }
`);

test('the Owner signs in at account and sees the business with all its environments', async () => {
  const { data, errors } = await ask(gatehouse, await teamToken(gatehouse, gatehouse.quickstart.owner.email), WHO_AM_I);
  expect(errors).toEqual([]);
  expect(data?.viewer).toEqual({
    kind: 'TEAM_MEMBER',
    scopes: [],
    user: { email: 'owner@acme.test' },
    application: null,
    businesses: { nodes: [{ name: 'Acme', plan: 'SCALE', environments: { nodes: [{ name: 'Production' }, { name: 'Development' }] } }] },
  });
});

test('a machine sees its own environment and no other', async () => {
  const { data, errors } = await ask(gatehouse, await machineToken(gatehouse), WHO_AM_I);
  expect(errors).toEqual([]);
  expect(data?.viewer?.kind).toBe('MACHINE');
  expect(data?.viewer?.application?.name).toBe('Acme machine');
  expect(data?.viewer?.businesses.nodes[0]?.environments?.nodes).toEqual([{ name: 'Production' }]);
});

test('nobody in particular is told to bring a token', async () => {
  const { data, errors } = await ask(gatehouse, undefined, WHO_AM_I);
  expect(data?.viewer).toBeNull();
  expect(errors).toMatchObject([{ path: ['viewer'], extensions: { code: 'UNAUTHENTICATED' } }]);
});
