import type { FeatureCases } from './cases.ts';

export const auditLog: FeatureCases = {
  kinds: { AuditEvent: 'auditEvent' },
  fillEnvironment: async ({ ctx, environmentId }) => ({
    AuditEvent: (await ctx.db.auditEvent.findFirstOrThrow({ where: { environmentId }, orderBy: { id: 'asc' } })).id,
  }),
  lists: {
    'the audit log of a business': `business(id: $businessId) { auditEvents(first: $first) { nodes { at action actor { kind id } target { type id } details } } }`,
    'the audit log of an environment': `environment(id: $environmentId) { auditEvents(first: $first) { nodes { at action requestId } } }`,
    'what users did': `environment(id: $environmentId) { users(first: $first) { nodes { activity(first: 2, filter: { action: "user.created" }) { nodes { at action } } } } }`,
    'the audit logs of environments': `business(id: $businessId) { environments(first: $first) { nodes { auditEvents(last: 2) { nodes { at } } } } }`,
  },
  open: ['AuditActor.id', 'AuditActor.kind', 'AuditTarget.id', 'AuditTarget.type'],
  mayBeAbsent: ['AuditEvent.environment', 'AuditActor.teamMember', 'AuditActor.application', 'AuditActor.user'],
};
