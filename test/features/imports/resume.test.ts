/** Imports that are interrupted, repeated or run by two workers at once: nothing is lost and nothing doubled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { registerImportJobs } from '../../../src/features/imports/jobs.ts';
import { failImport, runImport } from '../../../src/features/imports/run-import.ts';
import { counts, type Imports, NOTHING, startImports } from './start-imports.ts';

let imports: Imports;
beforeAll(async () => {
  imports = await startImports();
}, 60_000);
afterAll(() => imports.stop());
beforeEach(() => imports.empty());

const people = (count: number) =>
  ['id,email,external_organization_id', ...Array.from({ length: count }, (_, at) => `${at},user${at}@example.com,abc001`)].join('\n');

it('goes on where it stopped', async () => {
  const row = await imports.upload(people(1200));
  const { chunks } = await imports.result(row);
  expect(chunks).toHaveLength(3);
  const second = { environmentId_importId_index: { environmentId: 'env', importId: row.id, index: 1 } };
  await imports.prisma.importChunk.update({ where: second, data: { rows: 'not what was sealed' } });
  await expect(runImport(imports.infrastructure, imports.keyOf(row))).rejects.toThrow();
  expect(await imports.result(row)).toMatchObject({ state: 'running', processedLines: 500, createdUsers: 500, finishedAt: null });
  expect(await imports.prisma.user.count()).toBe(500);

  await imports.prisma.importChunk.update({ where: second, data: { rows: chunks[1]!.rows } });
  await runImport(imports.infrastructure, imports.keyOf(row));
  expect(await imports.result(row)).toMatchObject({ state: 'completed', processedLines: 1200, createdUsers: 1200, unchangedUsers: 0 });
  expect(await imports.prisma.membership.count()).toBe(1200);

  await runImport(imports.infrastructure, imports.keyOf(row));
  expect(await imports.prisma.auditEvent.count({ where: { action: 'import.completed' } })).toBe(1);
});

it('leaves nothing of a chunk that fails half-way', async () => {
  const row = await imports.upload(people(10));
  await imports.prisma.$executeRaw`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'`;
  await imports.prisma.$executeRaw`CREATE TRIGGER refuse BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION refuse()`;
  await expect(runImport(imports.infrastructure, imports.keyOf(row))).rejects.toThrow();
  expect(await imports.prisma.user.count()).toBe(0);
  await imports.prisma.$executeRaw`DROP FUNCTION refuse CASCADE`;
  await runImport(imports.infrastructure, imports.keyOf(row));
  expect(await imports.result(row)).toMatchObject({ state: 'completed', createdUsers: 10 });
});

it('is not doubled by two workers at once', async () => {
  const row = await imports.upload(people(1200));
  await Promise.all([1, 2].map(() => runImport(imports.infrastructure, imports.keyOf(row))));
  expect(await imports.result(row)).toMatchObject({ state: 'completed', processedLines: 1200, createdUsers: 1200 });
  expect(await imports.prisma.user.count()).toBe(1200);
  expect(await imports.prisma.auditEvent.count({ where: { action: 'import.completed' } })).toBe(1);
});

it('keeps the lines of a person in one chunk, so that the counts are of users', async () => {
  const row = await imports.run(`${people(700)}\n0,user0@example.com,xyz002\n699,user699@example.com,xyz002`);
  expect(counts(row)).toEqual({ ...NOTHING, created: 700 });
  expect((await imports.memberships())['user0@example.com']).toEqual(['abc001 member', 'xyz002 member']);
});

it('can be given up, once', async () => {
  const row = await imports.upload(people(1));
  await failImport(imports.infrastructure, imports.keyOf(row), 'It did not work.');
  await failImport(imports.infrastructure, imports.keyOf(row), 'Again.');
  await runImport(imports.infrastructure, imports.keyOf(row));
  expect(await imports.result(row)).toMatchObject({ state: 'failed', failure: 'It did not work.', finishedAt: expect.any(Date) });
  expect(await imports.prisma.user.count()).toBe(0);
});

it('is taken up by the worker of the next process', async () => {
  const { id } = await imports.upload(people(3));
  await imports.prisma.$executeRaw`DELETE FROM pgboss.job`;
  await registerImportJobs(imports.infrastructure);
  const state = async () => (await imports.result({ environmentId: 'env', id })).state;
  while ((await state()) !== 'completed') await sleep(20);
  expect(await imports.prisma.user.count()).toBe(3);
});

it('is given up at the last try of its job and not before', async () => {
  const row = await imports.upload(people(1));
  await imports.prisma.importChunk.updateMany({ data: { rows: 'not what was sealed' } });
  const jobs = { work: vi.fn(), enqueue: vi.fn() };
  await registerImportJobs({ ...imports.infrastructure, jobs } as unknown as Imports['infrastructure']);
  const handle = jobs.work.mock.calls[0]![1] as (key: object, attempt: { isLast: boolean }) => Promise<void>;

  await expect(handle(imports.keyOf(row), { isLast: false })).rejects.toThrow();
  expect(await imports.result(row)).toMatchObject({ state: 'queued' });
  await expect(handle(imports.keyOf(row), { isLast: true })).rejects.toThrow();
  expect(await imports.result(row)).toMatchObject({ state: 'failed', failure: expect.stringContaining('Import the file again') });
});
