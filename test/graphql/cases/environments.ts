import { type FeatureCases, type Stage, textMistakes } from './cases.ts';

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
  },
};
