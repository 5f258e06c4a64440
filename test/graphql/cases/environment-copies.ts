import type { FeatureCases, Stage } from './cases.ts';

const pair = ({ world }: Stage) => ({
  sourceEnvironmentId: world.development.environmentId,
  targetEnvironmentId: world.ids.Environment,
  parts: ['VARIABLES', 'FLAGS', 'APIS', 'APPLICATIONS'],
});

export const environmentCopies: FeatureCases = {
  open: [
    ...['CopiedEnvironmentPart.part', 'CopiedEnvironmentPart.copied', 'CopiedEnvironmentPart.skipped'],
    'CopyEnvironmentConfigurationPayload.parts',
  ],
  shortLists: ['CopyEnvironmentConfigurationPayload.parts'],
  mutations: {
    copyEnvironmentConfiguration: {
      permission: 'update:environments',
      action: 'environment.configuration_copied',
      // Policies are not for Engineers, who may copy the rest.
      input: pair,
      foreign: [
        {
          type: 'Environment',
          input: (targetEnvironmentId, { ids }) => ({ sourceEnvironmentId: ids.Environment, targetEnvironmentId, parts: ['FLAGS'] }),
        },
        {
          type: 'Environment',
          input: (sourceEnvironmentId, { ids }) => ({ sourceEnvironmentId, targetEnvironmentId: ids.Environment, parts: ['FLAGS'] }),
        },
      ],
      mistakes: [
        { code: 'NO_PARTS', path: ['parts'], input: (stage) => ({ ...pair(stage), parts: [] }) },
        {
          code: 'SAME_ENVIRONMENT',
          path: ['targetEnvironmentId'],
          input: (stage) => ({ ...pair(stage), sourceEnvironmentId: stage.world.ids.Environment }),
        },
        {
          code: 'OTHER_BUSINESS',
          path: ['sourceEnvironmentId'],
          input: (stage) => ({ ...pair(stage), sourceEnvironmentId: stage.small.ids.Environment }),
        },
        {
          code: 'PLAN_LIMIT',
          path: ['parts'],
          async input({ ctx, small }) {
            const environmentId = small.development.environmentId;
            const webhook = { environmentId, id: 'webhook_of_small', name: 'Hook', url: 'https://hook.test', eventTypes: [] };
            await ctx.db.webhook.createMany({ data: [webhook], skipDuplicates: true });
            return { sourceEnvironmentId: environmentId, targetEnvironmentId: small.ids.Environment, parts: ['WEBHOOKS'] };
          },
        },
      ],
    },
  },
};
