/** The import queue's worker. Whatever stopped an import, a kill of the process too, it goes on at the next start. */
import type { Infrastructure } from '../context.ts';
import { failImport, runImport } from './run-import.ts';

const FAILURE = 'The server could not finish this import. Import the file again: what is imported already stays as it is.';

/** Starts applying imports in this process, those too that were left unfinished. A try that fails is repeated by the queue; the last one gives the import up. */
export async function registerImportJobs(infrastructure: Infrastructure): Promise<void> {
  const { database, jobs, log } = infrastructure;
  await jobs.work('import', async (key, attempt?: { isLast: boolean }) => {
    try {
      await runImport(infrastructure, key);
    } catch (error) {
      log.error({ err: error, ...key }, 'import');
      if (attempt?.isLast) await failImport(infrastructure, key, FAILURE);
      throw error;
    }
  });
  const unfinished = await database.prisma.import.findMany({
    where: { state: { in: ['queued', 'running'] } },
    select: { environmentId: true, id: true },
  });
  for (const { environmentId, id } of unfinished)
    await jobs.enqueue(database.prisma, 'import', { environmentId, importId: id }, { key: id });
}
