/** The webhook queue's worker. */
import type { Infrastructure } from '../context.ts';
import { deliver } from './delivering.ts';

/** Starts telling webhooks in this process. A slow one holds up those of no other environment. A try that is lost with its process is made again, with the same `webhook-id`. */
export async function registerWebhookJobs(infrastructure: Infrastructure): Promise<void> {
  await infrastructure.jobs.work('webhook', ({ attempt, ...key }) => deliver(infrastructure, key, attempt));
}
