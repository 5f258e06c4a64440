import { createApiRow } from '../../../src/features/apis/service.ts';
import type { FeatureCases } from './cases.ts';

export const apis: FeatureCases = {
  kinds: { Api: 'api' },
  fillEnvironment: async ({ ctx, environmentId, name }) => ({
    Api: (await createApiRow(ctx, environmentId, { name: 'API', audience: `https://${name}.test`, scopes: [{ name: 'read:things' }] })).id,
  }),
  addRow: async ({ ctx, environmentId }, row) =>
    void (await createApiRow(ctx, environmentId, { name: 'API', audience: `https://${row}.test`, scopes: [{ name: 'read' }] })),
  lists: { APIs: `environment(id: $environmentId) { apis(first: $first) { totalCount nodes { name audience scopes } } }` },
  shortLists: ['Api.scopes'],
};
