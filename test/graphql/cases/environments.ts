import { createEnvironment } from '../../../src/features/environments/service.ts';
import { type FeatureCases, type Stage, textMistakes } from './cases.ts';

/** Makes a non-production environment of the name. */
async function newEnvironment({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createEnvironment(ctx, { businessId: world.businessId, name, domain: name })).id;
}

const environment = ({ world }: Stage) => ({ businessId: world.businessId, name: 'New', domain: 'new' });

export const environments: FeatureCases = {
  kinds: { Environment: 'environment' },
  fillEnvironment: async ({ environmentId }) => ({ Environment: environmentId }),
  lists: {
    'a business with its environments': `business(id: $businessId) { name environments(first: $first) { totalCount nodes { name issuer users(first: $first) { totalCount nodes { email } } } } }`,
  },
  mutations: {
    createEnvironment: {
      permission: 'create:environments',
      action: 'environment.created',
      input: ({ world }, name) => ({ businessId: world.businessId, name, domain: name }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, name: 'Mine', domain: 'mine' }) }],
      onlyForPeople: true,
      mistakes: [
        ...textMistakes('name', environment),
        { code: 'INVALID_DOMAIN', path: ['domain'], input: (stage) => ({ ...environment(stage), domain: '-dash' }) },
        { code: 'INVALID_DOMAIN', path: ['domain'], input: (stage) => ({ ...environment(stage), domain: 'x'.repeat(64) }) },
        { code: 'DOMAIN_TAKEN', path: ['domain'], input: (stage) => ({ ...environment(stage), domain: stage.small.name }) },
        { code: 'PLAN_LIMIT', path: [], input: (stage) => ({ ...environment(stage), businessId: stage.small.businessId }) },
      ],
    },
    updateEnvironment: {
      permission: 'update:environments',
      action: 'environment.updated',
      input: ({ world }, name) => ({ environmentId: world.development.environmentId, name }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', ({ world }) => ({ environmentId: world.ids.Environment })),
        {
          code: 'NOT_PRODUCTION',
          path: ['isLive'],
          input: ({ world }) => ({ environmentId: world.development.environmentId, isLive: true }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ environmentId: world.ids.Environment, expectedVersion: 99 }),
        },
      ],
    },
    deleteEnvironment: {
      permission: 'delete:environments',
      action: 'environment.deleted',
      input: async (stage, name) => ({ environmentId: await newEnvironment(stage, name), confirmation: name }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, confirmation: 'Production' }) }],
      onlyForPeople: true,
      mistakes: [
        {
          code: 'NOT_DELETABLE',
          path: [],
          input: ({ world }) => ({ environmentId: world.ids.Environment, confirmation: 'Production' }),
        },
        ...[undefined, '', 'development', 'Production'].map((confirmation) => ({
          code: 'WRONG_CONFIRMATION',
          path: ['confirmation'],
          input: ({ world }: Stage) => ({ environmentId: world.development.environmentId, confirmation }),
        })),
      ],
    },
  },
};
