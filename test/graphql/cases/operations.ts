import { MAX_OPERATIONS, registerOperation } from '../../../src/features/operations/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { type FeatureCases, type MistakeStage, type Place, type Stage, textMistakes } from './cases.ts';

const register = async ({ ctx }: Pick<Place, 'ctx'>, environmentId: string, name: string): Promise<string> =>
  (await registerOperation(ctx, { environmentId, name, document: `{ viewer { kind } } # ${name}`, problemOf: () => undefined })).id;

const operation = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New', document: '{ viewer { kind } }' });

/** The id of an environment that is full. */
async function full({ ctx, small }: MistakeStage): Promise<string> {
  const environmentId = small.ids.Environment;
  const rows = Array.from({ length: MAX_OPERATIONS }, (_, at) => ({
    environmentId,
    id: newId('operation'),
    hash: `${at}`,
    name: 'x',
    document: 'x',
  }));
  await ctx.db.operation.createMany({ data: rows });
  return environmentId;
}

export const operations: FeatureCases = {
  kinds: { Operation: 'operation' },
  fillEnvironment: async ({ ctx, environmentId, name, ids }) => {
    const id = await register({ ctx }, environmentId, name);
    await ctx.db.applicationOperation.create({ data: { environmentId, applicationId: ids['Application']!, operationId: id } });
    return { Operation: id };
  },
  addRow: async ({ ctx, environmentId }, row) => void (await register({ ctx }, environmentId, `Row ${row}`)),
  lists: {
    operations: `environment(id: $environmentId) { operations(first: $first) { totalCount nodes { name hash document } } }`,
    'applications with their operations': `environment(id: $environmentId) { applications(first: $first) { nodes { isBoundToOperations operations { name } } } }`,
  },
  shortLists: ['Application.operations'],
  secretive: ['Operation.hash'],
  mutations: {
    registerOperation: {
      permission: 'update:applications',
      action: 'operation.registered',
      bulk: 'registerOperations',
      input: (stage, name) => ({ ...operation(stage), document: `{ viewer { kind } } # ${name}` }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine', document: '{ viewer { kind } }' }) }],
      mistakes: [
        ...textMistakes('name', operation),
        { code: 'INVALID_DOCUMENT', path: ['document'], input: (stage) => ({ ...operation(stage), document: '{ shoes }' }) },
        { code: 'TOO_MANY', path: [], input: async (stage) => ({ ...operation(stage), environmentId: await full(stage) }) },
      ],
    },
    deleteOperation: {
      permission: 'update:applications',
      action: 'operation.deleted',
      input: async (stage, name) => ({ operationId: await register(stage, stage.world.ids.Environment, name) }),
      foreign: [{ type: 'Operation', input: (operationId) => ({ operationId }) }],
    },
    updateApplicationOperations: {
      permission: 'update:applications',
      action: 'application.operations_updated',
      input: async (stage, name) => ({
        applicationId: stage.world.ids.Application,
        operationIds: [await register(stage, stage.world.ids.Environment, name)],
      }),
      foreign: [
        { type: 'Application', input: (applicationId) => ({ applicationId, isBoundToOperations: false }) },
        { type: 'Operation', input: (id, own) => ({ applicationId: own.ids.Application, operationIds: [id] }) },
      ],
      mistakes: [
        {
          code: 'NO_SECRET',
          path: ['applicationId'],
          input: ({ world }) => ({ applicationId: world.ids['publicApplication'], isBoundToOperations: true }),
        },
        {
          code: 'TOO_MANY',
          path: ['operationIds'],
          input: ({ world }) => ({
            applicationId: world.ids.Application,
            operationIds: Array.from({ length: 101 }, () => newId('operation')),
          }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ applicationId: world.ids.Application, expectedVersion: 99 }),
        },
      ],
    },
  },
};
