/** Events in the graph: what happened, and how its webhooks took it. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { EVENT_DAYS, EVENT_TYPES, type EventType } from './service.ts';

const TYPES = Object.keys(EVENT_TYPES) as EventType[];

export const EventTypeEnum = builder.enumType('EventType', {
  description: 'What webhooks can be told of.',
  values: Object.fromEntries(TYPES.map((type) => [nameOf(type), { value: type, description: EVENT_TYPES[type] }])) as Record<
    string,
    { value: EventType; description: string }
  >,
});

function nameOf(type: EventType): string {
  return type.replace('.', '_').toUpperCase();
}

/** The types that a document names, as far as it is known. */
export function eventTypesNamed(names: unknown): EventType[] {
  return Array.isArray(names) ? TYPES.filter((type) => names.includes(nameOf(type))) : [];
}

const EventSource = builder.enumType('EventSource', {
  description: 'Who did what an event tells.',
  values: {
    ADMIN: { value: 'admin', description: 'A member of the team, or the server itself.' },
    API: { value: 'api', description: 'A program, with a machine token.' },
    USER: { value: 'user', description: 'The user in question.' },
  },
});

const DeliveryState = builder.enumType('WebhookDeliveryState', {
  description: 'How far a delivery is.',
  values: {
    PENDING: { value: 'pending', description: 'An attempt is still to be made.' },
    DELIVERED: { value: 'delivered', description: 'The webhook answered with a status from 200 to 299.' },
    GIVEN_UP: { value: 'given_up', description: 'Every attempt has failed, or the webhook was disabled when the next one was due.' },
  },
});

const WebhookDelivery = builder.prismaObject('WebhookDelivery', {
  description: 'One event on its way to one webhook.',
  select: { environmentId: true, webhookId: true, eventId: true },
  permission: 'read:events',
  fields: (t) => ({
    webhook: t.relation('webhook', { nullable: true, permission: 'read:webhooks', description: 'Who is told.' }),
    header: t.exposeString('id', { nullable: true, description: 'The `webhook-id` header, the same in every attempt.' }),
    state: t.field({
      type: DeliveryState,
      nullable: true,
      description: 'How far it is.',
      select: { deliveredAt: true, givenUpAt: true, webhook: { select: { isEnabled: true } } },
      resolve: ({ deliveredAt, givenUpAt, webhook }) => {
        if (deliveredAt) return 'delivered' as const;
        return givenUpAt || !webhook.isEnabled ? ('given_up' as const) : ('pending' as const);
      },
    }),
    attempts: t.exposeInt('attempts', { nullable: true, description: 'How often it was tried.' }),
    statusCode: t.exposeInt('statusCode', {
      nullable: true,
      description: 'The HTTP status of the latest answer; null where none came, or the address was not one of the public internet.',
    }),
    lastAttemptAt: t.expose('lastAttemptAt', { type: 'DateTime', nullable: true, description: 'The latest attempt.' }),
    deliveredAt: t.expose('deliveredAt', { type: 'DateTime', nullable: true, description: 'When it succeeded.' }),
  }),
});

builder.prismaObject('Event', {
  description: `Something that happened and that a webhook was told of. It is kept for ${EVENT_DAYS} days.`,
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:events',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The event’s id: `event_id` in what is delivered.' }),
    type: t.field({
      type: EventTypeEnum,
      nullable: true,
      description: 'What happened.',
      select: { type: true },
      resolve: ({ type }) => type as EventType,
    }),
    source: t.field({
      type: EventSource,
      nullable: true,
      description: 'Who did it.',
      select: { source: true },
      resolve: ({ source }) => source as 'admin',
    }),
    data: t.expose('data', {
      type: 'JSON',
      nullable: true,
      permission: 'read:user_contacts',
      description: 'What it is about, as it is delivered. It may hold the contacts of people.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it happened.' }),
    deliveries: t.field({
      type: [WebhookDelivery],
      nullable: true,
      description: 'One for each webhook that wanted it.',
      select: (_args, _ctx, nested) => ({ deliveries: nested({ orderBy: { webhookId: 'asc' } } as never) }) as never,
      resolve: (row) => (row as unknown as { deliveries: never[] }).deliveries,
    }),
  }),
});

registerNode('event', {
  typeName: 'Event',
  permission: 'read:events',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.event.findFirst(query),
});

builder.prismaObjectField('Environment', 'events', (t) =>
  t.relatedConnection('events', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:events',
    description: `What its webhooks were told of in the last ${EVENT_DAYS} days, newest first.`,
    query: { orderBy: { id: 'desc' } },
  }),
);

const EventTypeDescription = builder.objectRef<{ type: EventType }>('EventTypeDescription').implement({
  description: 'A type of event.',
  open: 'the same for everybody',
  fields: (t) => ({
    type: t.field({ type: EventTypeEnum, description: 'What a webhook’s `eventTypes` takes.', resolve: ({ type }) => type }),
    name: t.string({ description: 'Its name in what is delivered, as `user.created`.', resolve: ({ type }) => type }),
    description: t.string({ description: 'When it happens.', resolve: ({ type }) => EVENT_TYPES[type] }),
  }),
});

builder.queryField('eventTypes', (t) =>
  t.field({
    type: [EventTypeDescription],
    permission: 'read:event_types',
    description: 'Everything that webhooks can be told of.',
    resolve: () => TYPES.map((type) => ({ type })),
  }),
);
