/** Webhooks in the graph. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import type { Action } from '../context.ts';
import { EventTypeEnum, eventTypesNamed } from '../events/graphql.ts';
import type { EventType } from '../events/service.ts';
import { createWebhook, deleteWebhook, MAX_WEBHOOKS, updateWebhook } from './service.ts';

builder.prismaObject('Webhook', {
  description:
    'An address that is told what happens in an environment: it gets a POST whose body is a JWT, signed by a key of the issuer’s key set. It must answer with a status from 200 to 299 within ten seconds.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:webhooks',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The webhook’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    url: t.exposeString('url', { nullable: true, description: 'Where it is.' }),
    eventTypes: t.field({
      type: [EventTypeEnum],
      nullable: true,
      description: 'What it is told of.',
      select: { eventTypes: true },
      resolve: ({ eventTypes }) => eventTypes as EventType[],
    }),
    isEnabled: t.exposeBoolean('isEnabled', {
      nullable: true,
      description: 'Whether it is told of what happens. It is disabled when every delivery has failed for 72 hours.',
    }),
    failingSince: t.expose('failingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when every delivery has failed; null while they succeed.',
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
  }),
});

registerNode('webhook', {
  typeName: 'Webhook',
  permission: 'read:webhooks',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.webhook.findFirst(query),
});

builder.prismaObjectField('Environment', 'webhooks', (t) =>
  t.relatedConnection('webhooks', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:webhooks',
    description: 'The addresses that are told what happens in it, oldest first.',
    query: { orderBy: { id: 'asc' } },
  }),
);

const CODES = {
  ...TEXT_CODES,
  INVALID_URL: 'Not an https URL on the public internet.',
  NO_EVENT_TYPES: 'No event type is chosen.',
};
const URL_RULE =
  'An https URL on the public internet, at most 2000 characters. A server that is not in production also takes http and https at its own machine.';

/** The policy of an action whose event types a document calls by other names. */
function naming<Input extends { readonly eventTypes?: readonly EventType[] | null | undefined }>(action: Action<Input, unknown>) {
  const besides = (input: Input) => action.besides({ ...input, eventTypes: eventTypesNamed(input.eventTypes) });
  return { permission: action.permission, besides };
}

defineMutation({
  name: 'createWebhook',
  description:
    'Makes a webhook. It is told of what happens from now on, with what the event types say: people’s contacts among it. It takes the permissions to read what it is told.',
  policy: naming(createWebhook),
  codes: { ...CODES, ...PLAN_CODES, TOO_MANY: `The environment has ${MAX_WEBHOOKS} webhooks.` },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    description: t.string({ description: 'At most 1000 characters.' }),
    url: t.string({ required: true, description: URL_RULE }),
    eventTypes: t.field({ type: [EventTypeEnum], required: true, description: 'What it is told of: at least one.' }),
  }),
  run: (ctx, input) => createWebhook(ctx, { ...input, eventTypes: input.eventTypes as EventType[] }),
  payload: (t) => ({ webhook: changed(t, 'Webhook', 'The new webhook.') }),
});

defineMutation({
  name: 'updateWebhook',
  description:
    'Changes a webhook. Enabled again, it is told of what happens from then on, and of what is still to be tried again. To enable it, to move it or to choose its event types takes the permissions to read what it is told.',
  policy: naming(updateWebhook),
  versioned: true,
  codes: CODES,
  input: (t) => ({
    webhookId: t.id({ required: true, description: 'The webhook.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    description: t.string({ description: 'Absent: unchanged; null: none.' }),
    url: t.string({ description: `Absent: unchanged. ${URL_RULE}` }),
    eventTypes: t.field({ type: [EventTypeEnum], description: 'Everything it is told of from now on. Absent: unchanged.' }),
    isEnabled: t.boolean({ description: 'Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateWebhook(ctx, { ...input, eventTypes: input.eventTypes as EventType[] | null | undefined }),
  payload: (t) => ({ webhook: changed(t, 'Webhook', 'The webhook.') }),
});

defineMutation({
  name: 'deleteWebhook',
  description: 'Deletes a webhook with its deliveries, those too that were still to be made.',
  policy: { permission: deleteWebhook.permission },
  previews: true,
  codes: {},
  input: (t) => ({ webhookId: t.id({ required: true, description: 'The webhook.' }) }),
  run: (ctx, input) => deleteWebhook(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
