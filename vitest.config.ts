/**
 * The four projects of tests. `embedded` and `postgres` run the same files on the two kinds of database. Start them
 * with `npm test -- <project>`, which brings PostgreSQL and Chromium along.
 */
import { defineConfig } from 'vitest/config';

const INTEGRATION = 'test/**/*.integration.test.ts';
const BROWSER = 'test/browser/**/*.test.ts';

const databaseTemplate = './test/helpers/database-template.ts';

export default defineConfig({
  // Node takes graphql's CommonJS half, Vite would take the other: two halves do not know each other's types.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    // The embedded database wants some 200 MB a process, and CI has two cores.
    pool: 'forks',
    maxWorkers: 2,
    // Test runs name what passed at the second try only: it is to be mended, and no reason to distrust a change.
    retry: 1,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [INTEGRATION, BROWSER], testTimeout: 20_000, hookTimeout: 20_000 },
      },
      withDatabase('embedded', INTEGRATION, 60_000),
      withDatabase('postgres', INTEGRATION, 60_000),
      withDatabase('browser', BROWSER, 120_000),
    ],
  },
});

function withDatabase(name: string, include: string, timeout: number) {
  return {
    extends: true as const,
    test: {
      name,
      include: [include],
      globalSetup: [databaseTemplate],
      env: { TEST_DATABASE: name === 'postgres' ? 'postgres' : 'embedded' },
      // A process loads and compiles the application once for all its files, each of which starts one of its own.
      isolate: false,
      testTimeout: timeout,
      hookTimeout: timeout,
    },
  };
}
