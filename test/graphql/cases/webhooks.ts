import { MAX_WEBHOOKS } from '../../../src/features/webhooks/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { type EnvironmentPlace, type FeatureCases, type Mistake, type Stage, textMistakes } from './cases.ts';

/** Nobody is there: what is sent to it is refused. */
const URL_OF_NOBODY = 'https://localhost:9/hook';

const definition = ({ world }: Pick<Stage, 'world'>) => ({
  environmentId: world.ids.Environment,
  name: 'New',
  url: URL_OF_NOBODY,
  eventTypes: ['PERMISSION_CREATED'],
});
const webhook = ({ world }: Pick<Stage, 'world'>) => ({ webhookId: world.ids['Webhook'] });

const row = (environmentId: string) => ({
  environmentId,
  id: newId('webhook'),
  name: 'Webhook',
  url: URL_OF_NOBODY,
  eventTypes: ['permission.created'],
  isEnabled: false,
});

async function makeWebhook({ ctx, environmentId, name }: Pick<EnvironmentPlace, 'ctx' | 'environmentId' | 'name'>) {
  const { id: webhookId } = await ctx.db.webhook.create({ data: row(environmentId) });
  const happened = { type: 'permission.created', source: 'admin', data: { permission: { key: name } }, createdAt: ctx.clock.now() };
  const { id: eventId } = await ctx.db.event.create({ data: { environmentId, id: newId('event'), ...happened } });
  await ctx.db.webhookDelivery.create({ data: { environmentId, webhookId, eventId, id: newId('webhookDelivery') } });
  return { Webhook: webhookId, Event: eventId };
}

const urlMistakes = (input: (stage: Pick<Stage, 'world'>) => object): Mistake[] =>
  ['no url', 'http://receiver.test/', 'https://user@receiver.test/', 'https://10.0.0.1/'].map((url) => ({
    code: 'INVALID_URL',
    path: ['url'],
    input: (stage) => ({ ...input(stage), url }),
  }));

const typeMistakes = (input: (stage: Pick<Stage, 'world'>) => object): Mistake[] => [
  { code: 'NO_EVENT_TYPES', path: ['eventTypes'], input: (stage) => ({ ...input(stage), eventTypes: [] }) },
];

export const webhooks: FeatureCases = {
  kinds: { Webhook: 'webhook', Event: 'event' },
  fillEnvironment: makeWebhook,
  addRow: async (place) => void (await makeWebhook(place)),
  lists: {
    'webhooks, and what they were told': `environment(id: $environmentId) { webhooks(first: $first) { totalCount nodes { name eventTypes } }
      events(first: $first) { totalCount nodes { type data deliveries { state attempts webhook { url } } } } }`,
  },
  open: ['EventTypeDescription.type', 'EventTypeDescription.name', 'EventTypeDescription.description'],
  shortLists: ['Query.eventTypes', 'Webhook.eventTypes', 'Event.deliveries'],
  mutations: {
    createWebhook: {
      permission: 'create:webhooks',
      action: 'webhook.created',
      input: (stage, name) => ({ ...definition(stage), name }),
      foreign: [{ type: 'Environment', input: (environmentId, world) => ({ ...definition({ world }), environmentId }) }],
      mistakes: [
        ...textMistakes('name', definition),
        ...urlMistakes(definition),
        ...typeMistakes(definition),
        { code: 'PLAN_LIMIT', path: [], input: ({ small }) => definition({ world: small }) },
        {
          code: 'TOO_MANY',
          path: [],
          input: async ({ ctx, world }) => {
            const { environmentId } = world.development;
            await ctx.db.webhook.createMany({ data: Array.from({ length: MAX_WEBHOOKS - 1 }, () => row(environmentId)) });
            return { ...definition({ world }), environmentId };
          },
        },
      ],
    },
    updateWebhook: {
      permission: 'update:webhooks',
      action: 'webhook.updated',
      input: (stage, name) => ({ ...webhook(stage), name }),
      foreign: [{ type: 'Webhook', input: (webhookId) => ({ webhookId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', webhook),
        ...urlMistakes(webhook),
        ...typeMistakes(webhook),
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...webhook(stage), expectedVersion: 99 }) },
      ],
    },
    deleteWebhook: {
      permission: 'delete:webhooks',
      action: 'webhook.deleted',
      input: async ({ ctx, world }) => ({
        webhookId: (await ctx.db.webhook.create({ data: row(world.ids.Environment) })).id,
      }),
      foreign: [{ type: 'Webhook', input: (webhookId) => ({ webhookId }) }],
    },
  },
};
