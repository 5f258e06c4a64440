import type { FeatureCases } from './cases.ts';
import { newOrganization } from './organizations.ts';

export const organizationBrands: FeatureCases = {
  mutations: {
    updateOrganizationBrand: {
      permission: 'update:branding',
      action: 'organization.brand_updated',
      input: async (stage, name) => ({
        organizationId: await newOrganization(stage, name),
        theme: 'USER_PREFERENCE',
        darkColors: { background: '#101010' },
      }),
      foreign: [{ type: 'Organization', input: (organizationId) => ({ organizationId, theme: 'DARK' }) }],
      mistakes: [
        {
          code: 'INVALID_COLOR',
          path: ['lightColors', 'buttonText'],
          input: ({ world }) => ({ organizationId: world.ids.Organization, lightColors: { link: '#00ff00', buttonText: 'url(x)' } }),
        },
        {
          code: 'LOW_CONTRAST',
          path: ['darkColors', 'text'],
          input: ({ world }) => ({ organizationId: world.ids.Organization, darkColors: { card: '#202020', text: '#606060' } }),
        },
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ organizationId: world.ids.Organization, theme: 'DARK', expectedVersion: 99 }),
        },
      ],
    },
  },
};
