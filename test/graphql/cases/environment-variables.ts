import { createEnvironmentVariable } from '../../../src/features/environment-variables/service.ts';
import { BELL, type FeatureCases, type Stage } from './cases.ts';

const variable = ({ world }: Stage) => ({ environmentId: world.ids.Environment, key: 'NEW', value: 'new' });

async function newVariable({ ctx, world }: Stage, name: string, isSensitive = false): Promise<string> {
  const key = name.replaceAll('-', '_');
  return (await createEnvironmentVariable(ctx, { environmentId: world.ids.Environment, key, value: name, isSensitive })).id;
}

export const environmentVariables: FeatureCases = {
  kinds: { EnvironmentVariable: 'environmentVariable' },
  fillEnvironment: async ({ ctx, environmentId, name }) => {
    await createEnvironmentVariable(ctx, { environmentId, key: 'SECRET', value: `${name}-sealed`, isSensitive: true });
    return { EnvironmentVariable: (await createEnvironmentVariable(ctx, { environmentId, key: 'PLAIN', value: name })).id };
  },
  addRow: async ({ ctx, environmentId }, row) =>
    void (await createEnvironmentVariable(ctx, { environmentId, key: `ROW_${row}`, value: 'value' })),
  lists: {
    variables: `environment(id: $environmentId) { variables(first: $first) { totalCount nodes { key value isSensitive } } }`,
  },
  mutations: {
    createEnvironmentVariable: {
      permission: 'create:environment_variables',
      action: 'environment_variable.created',
      input: (stage, name) => ({ ...variable(stage), key: name.replaceAll('-', '_') }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, key: 'MINE', value: 'mine' }) }],
      mistakes: [
        ...['', '1ST', 'A B', 'A-B', 'Ä', 'X'.repeat(129)].map((key) => ({
          code: 'INVALID_KEY',
          path: ['key'],
          input: (stage: Stage) => ({ ...variable(stage), key }),
        })),
        { code: 'KEY_TAKEN', path: ['key'], input: (stage) => ({ ...variable(stage), key: 'PLAIN' }) },
        { code: 'TOO_LONG', path: ['value'], input: (stage) => ({ ...variable(stage), value: 'x'.repeat(10_001) }) },
        { code: 'INVALID_TEXT', path: ['value'], input: (stage) => ({ ...variable(stage), value: BELL }) },
      ],
    },
    updateEnvironmentVariable: {
      permission: 'update:environment_variables',
      action: 'environment_variable.updated',
      input: async (stage, name) => ({ environmentVariableId: await newVariable(stage, name), value: 'changed' }),
      foreign: [{ type: 'EnvironmentVariable', input: (environmentVariableId) => ({ environmentVariableId, value: 'mine' }) }],
      mistakes: [
        ...[{ value: 'other' }, { isSensitive: false }, { isSensitive: true }, {}].map((change, at) => ({
          code: 'SENSITIVE',
          path: [],
          input: async (stage: Stage) => ({ environmentVariableId: await newVariable(stage, `sensitive-${at}`, true), ...change }),
        })),
        {
          code: 'TOO_LONG',
          path: ['value'],
          input: ({ world }) => ({ environmentVariableId: world.ids['EnvironmentVariable'], value: 'x'.repeat(10_001) }),
        },
        {
          code: 'INVALID_TEXT',
          path: ['value'],
          input: ({ world }) => ({ environmentVariableId: world.ids['EnvironmentVariable'], value: BELL }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ environmentVariableId: world.ids['EnvironmentVariable'], value: 'late', expectedVersion: 99 }),
        },
      ],
    },
    deleteEnvironmentVariable: {
      permission: 'delete:environment_variables',
      action: 'environment_variable.deleted',
      input: async (stage, name) => ({ environmentVariableId: await newVariable(stage, name) }),
      foreign: [{ type: 'EnvironmentVariable', input: (environmentVariableId) => ({ environmentVariableId }) }],
    },
  },
};
