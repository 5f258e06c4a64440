/** The work for a line does not grow with those before it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Imports, startImports } from './start-imports.ts';

let imports: Imports;
beforeAll(async () => {
  imports = await startImports();
}, 60_000);
afterAll(() => imports.stop());

// A second try would find the plans of the first.
it('reads few rows for a line, the first ever and those after them', { retry: 0 }, async () => {
  const people = Array.from({ length: 4000 }, (_, at) => `user${at}@example.com,Ann,abc001`);
  expect(await imports.run(['email,first_name,external_organization_id', ...people].join('\n'))).toMatchObject({ createdUsers: 4000 });
  await imports.prisma.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
  const [read] = await imports.prisma.$queryRaw<{ rows: number }[]>`
    SELECT sum(idx_tup_read)::int AS rows FROM pg_stat_user_indexes WHERE relname = 'users'`;
  expect(read!.rows).toBeGreaterThan(4000);
  expect(read!.rows).toBeLessThan(4000 * 100);
});
