import { newId } from '../../../src/kernel/ids.ts';
import type { EnvironmentPlace, FeatureCases } from './cases.ts';

async function makeImport({ ctx, environmentId, name }: EnvironmentPlace): Promise<Record<string, string>> {
  const imported = { environmentId, id: newId('import'), fileName: `${name}.csv`, state: 'completed', totalLines: 1, rejectedLines: 1 };
  await ctx.db.import.create({ data: imported });
  const issue = { environmentId, id: newId('importIssue'), importId: imported.id, line: 2, code: 'invalid_email', message: 'No address.' };
  await ctx.db.importIssue.create({ data: { ...issue, severity: 'rejected', column: 'email' } });
  return { Import: imported.id, ImportIssue: issue.id };
}

export const imports: FeatureCases = {
  kinds: { Import: 'import', ImportIssue: 'importIssue' },
  fillEnvironment: makeImport,
  addRow: async (place) => void (await makeImport(place)),
  lists: {
    'imports with their issues': `environment(id: $environmentId) { imports(first: $first) { nodes { state issues(first: $first) { totalCount nodes { line message } } } } }`,
  },
  mutations: {
    // Its error codes are about files: import-users.integration.test.ts sends them.
    importUsers: {
      permission: 'create:imports',
      besides: ['create:users'],
      action: 'import.created',
      input: ({ world }) => ({ environmentId: world.ids.Environment, file: null }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, file: null }) }],
    },
  },
};
