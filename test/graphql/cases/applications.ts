import { createApplication } from '../../../src/features/applications/service.ts';
import { type FeatureCases, type Stage, textMistakes } from './cases.ts';

const application = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New', type: 'REG' });

export const applications: FeatureCases = {
  kinds: { Application: 'application' },
  // The environment's machine is its application: world.ts makes it.
  fillEnvironment: async ({ ctx, environmentId, name }) => ({
    publicApplication: (await createApplication(ctx, { environmentId, name: `${name}-public`, type: 'spa' })).application.id,
  }),
  addRow: async ({ ctx, environmentId }) => void (await createApplication(ctx, { environmentId, name: 'App', type: 'spa' })),
  lists: {
    applications: `environment(id: $environmentId) { applications(first: $first) { totalCount nodes { name callbackUrls } } }`,
  },
  shortLists: ['Application.callbackUrls', 'Application.logoutUrls'],
  secretive: ['CreateApplicationPayload.clientSecret', 'Mutation.rotateApplicationSecret', 'RotateApplicationSecretPayload.clientSecret'],
  mutations: {
    createApplication: {
      permission: 'create:applications',
      action: 'application.created',
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, name, type: 'REG' }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine', type: 'M2M' }) }],
      mistakes: [
        ...textMistakes('name', application),
        {
          code: 'INVALID_URL',
          path: ['callbackUrls', '1'],
          input: (stage) => ({ ...application(stage), callbackUrls: ['https://a.test', 'http://a.test'] }),
        },
        {
          code: 'INVALID_URL',
          path: ['logoutUrls', '0'],
          input: (stage) => ({ ...application(stage), logoutUrls: ['javascript:alert(1)'] }),
        },
        {
          code: 'TOO_MANY_URLS',
          path: ['callbackUrls'],
          input: (stage) => ({ ...application(stage), callbackUrls: Array.from({ length: 101 }, (_, at) => `https://a.test/${at}`) }),
        },
      ],
    },
    rotateApplicationSecret: {
      permission: 'update:application_secrets',
      action: 'application.secret_rotated',
      input: ({ world }) => ({ applicationId: world.ids.Application }),
      foreign: [{ type: 'Application', input: (applicationId) => ({ applicationId }) }],
      mistakes: [{ code: 'NO_SECRET', path: ['applicationId'], input: ({ world }) => ({ applicationId: world.ids['publicApplication'] }) }],
    },
  },
};
