/** The audit log: who did what, written in the transaction that did it. Details never hold a secret or a contact. */

import type { Actor } from '../../kernel/actor.ts';
import { newId } from '../../kernel/ids.ts';
import type { Context } from '../context.ts';
import { tellWebhooks } from '../events/service.ts';

export { deleteOldAuditEvents } from './keeping.ts';

export interface AuditEntry {
  readonly businessId: string;
  readonly environmentId?: string | undefined;
  /** `noun.verb_in_the_past`, as `user.created`. */
  readonly action: string;
  readonly target?: { readonly type: string; readonly id: string };
  readonly details?: Record<string, string | number | boolean | null | readonly string[]>;
}

/** Writes one entry with the context's transaction, and has webhooks told of what it means. */
export async function audit(ctx: Context, entry: AuditEntry): Promise<void> {
  await ctx.db.auditEvent.create({
    data: {
      businessId: entry.businessId,
      id: newId('auditEvent'),
      environmentId: entry.environmentId ?? null,
      at: ctx.clock.now(),
      action: entry.action,
      actorKind: ctx.actor.kind,
      actorId: actorId(ctx.actor),
      targetType: entry.target?.type ?? null,
      targetId: entry.target?.id ?? null,
      details: (entry.details ?? {}) as Record<string, string>,
      ip: ctx.origin.ip ?? null,
      requestId: ctx.origin.requestId ?? null,
    },
  });
  await tellWebhooks(ctx, entry);
}

function actorId(actor: Actor): string {
  switch (actor.kind) {
    case 'team':
      return actor.userId;
    case 'machine':
      return actor.applicationId;
    case 'user':
      return actor.userId ?? 'unknown';
    case 'system':
      return actor.name;
    default:
      return 'anonymous';
  }
}
