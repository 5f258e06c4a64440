/** Keeps every environment's keys young: published, signing, retired, gone. */
import type { Infrastructure } from '../context.ts';
import { deleteRetiredKeys, rotateOldKeys } from './service.ts';

export async function startKeyRotation(infrastructure: Infrastructure): Promise<void> {
  await infrastructure.jobs.work('signing-keys', async () => {
    while ((await rotateOldKeys(infrastructure)) > 0);
    await deleteRetiredKeys(infrastructure);
  });
  await infrastructure.jobs.schedule('signing-keys', '17 * * * *', {});
}
