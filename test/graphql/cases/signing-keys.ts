import { createEnvironment } from '../../../src/features/environments/service.ts';
import { rotateSigningKey } from '../../../src/features/signing-keys/service.ts';
import type { FeatureCases } from './cases.ts';

export const signingKeys: FeatureCases = {
  shortLists: ['Environment.signingKeys'],
  open: ['RotateSigningKeyPayload.signingKey'],
  mutations: {
    rotateSigningKey: {
      permission: 'update:environments',
      action: 'signing_key.rotated',
      input: ({ world }) => ({ environmentId: world.development.environmentId, algorithm: 'ES256', isCompromised: true }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId }) }],
      mistakes: [
        {
          code: 'ROTATION_PENDING',
          path: [],
          input: async ({ ctx, world }) => {
            const { id } = await createEnvironment(ctx, { businessId: world.businessId, name: 'Pending', domain: `${world.name}-pending` });
            await rotateSigningKey(ctx, { environmentId: id });
            return { environmentId: id };
          },
        },
      ],
    },
  },
};
