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
    for (let rounds = 0; rounds < 100; rounds++) {
      const deleted = [
        await deleteExpiredGrants(infrastructure),
        await deleteExpiredSessions(ctx),
        await deleteExpiredAttempts(ctx),
        await deleteOldFailures(ctx),
        await deleteExpiredKeys(ctx),
        await deleteExpiredQuotas(infrastructure),
        await deleteOldCounts(infrastructure),
        await deleteExpiredPushedRequests(infrastructure),
        await deleteExpiredDevices(infrastructure),
        await deleteExpiredUses(infrastructure),
        await deleteUnusedClients(infrastructure),
        await deleteOldEvents(ctx),
        await deleteOldMailDeliveries(ctx),
        await deleteReplacedSenders(ctx),
        await deleteOldAuditEvents(ctx),
      ];
      if (deleted.every((rows) => rows === 0)) return;
    }
  });
  await infrastructure.jobs.schedule('cleanup', '*/10 * * * *', {});
}
