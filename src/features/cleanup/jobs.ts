/** Keeps the tables of short-lived things bounded: what is over leaves in small batches, every few minutes. */

import { deleteOldAuditEvents } from '../audit/service.ts';
import { createContext, type Infrastructure } from '../context.ts';
import { deleteExpiredDevices } from '../device-authorizations/service.ts';
import { deleteUnusedClients } from '../dynamic-clients/service.ts';
import { deleteReplacedSenders } from '../email-senders/service.ts';
import { deleteOldEvents } from '../events/service.ts';
import { deleteExpiredGrants } from '../grants/service.ts';
import { deleteExpiredKeys } from '../idempotency/service.ts';
import { deleteOldMailDeliveries } from '../mail-deliveries/service.ts';
import { deleteExpiredPreviews } from '../page-previews/service.ts';
import { deleteExpiredPushedRequests } from '../pushed-requests/service.ts';
import { deleteExpiredQuotas } from '../quotas/service.ts';
import { deleteOldCounts } from '../rate-limits/service.ts';
import { deleteExpiredUses } from '../replays/service.ts';
import { deleteExpiredSessions } from '../sessions/service.ts';
import { deleteExpiredAttempts } from '../sign-in-attempts/service.ts';
import { deleteOldFailures } from '../sign-in-failures/service.ts';

export async function startCleanup(infrastructure: Infrastructure): Promise<void> {
  const ctx = createContext(infrastructure, { kind: 'system', name: 'cleanup' });
  await infrastructure.jobs.work('cleanup', async () => {
    let busy = [
      () => deleteExpiredGrants(infrastructure),
      () => deleteExpiredSessions(ctx),
      () => deleteExpiredAttempts(ctx),
      () => deleteOldFailures(ctx),
      () => deleteExpiredKeys(ctx),
      () => deleteExpiredQuotas(infrastructure),
      () => deleteOldCounts(infrastructure),
      () => deleteExpiredPushedRequests(infrastructure),
      () => deleteExpiredPreviews(infrastructure),
      () => deleteExpiredDevices(infrastructure),
      () => deleteExpiredUses(infrastructure),
      () => deleteUnusedClients(infrastructure),
      () => deleteOldEvents(ctx),
      () => deleteOldMailDeliveries(ctx),
      () => deleteReplacedSenders(ctx),
      () => deleteOldAuditEvents(ctx),
    ];
    for (let rounds = 0; rounds < 100 && busy.length > 0; rounds++) {
      const deleted: typeof busy = [];
      for (const deleteBatch of busy) if ((await deleteBatch()) > 0) deleted.push(deleteBatch);
      busy = deleted;
    }
  });
  await infrastructure.jobs.schedule('cleanup', '*/10 * * * *', {});
}
