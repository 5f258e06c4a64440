import { accessRequests, subscribers as news } from '../../../src/features/subscribers/service.ts';
import { type EnvironmentPlace, type FeatureCases, type MutationCase, type Stage, textMistakes } from './cases.ts';
import { newUser } from './users.ts';

/** The cases of one of the two lists, which are alike. */
function list(type: 'Subscriber' | 'AccessRequest', noun: string, service: typeof news): Record<string, MutationCase> {
  const idField = `${type[0]!.toLowerCase()}${type.slice(1)}Id`;
  const entry = ({ world }: Stage) => ({ environmentId: world.ids.Environment, email: 'new@contacts.test' });
  const newEntry = async ({ ctx, world }: Stage, name: string) =>
    (await service.create(ctx, { environmentId: world.ids.Environment, email: `${name}@contacts.test` })).id;
  const named = async (stage: Stage, name: string) => ({ [idField]: await newEntry(stage, name) });
  return {
    [`create${type}`]: {
      permission: `create:${noun}s` as 'create:subscribers',
      action: `${noun}.created`,
      bulk: `create${type}s`,
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, email: `${name}@contacts.test` }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, email: 'mine@contacts.test' }) }],
      mistakes: [
        { code: 'REQUIRED', path: ['email'], input: (stage) => ({ ...entry(stage), email: ' ' }) },
        ...textMistakes('firstName', entry, false),
        ...textMistakes('lastName', entry, false),
        { code: 'INVALID_EMAIL', path: ['email'], input: (stage) => ({ ...entry(stage), email: 'nobody at contacts.test' }) },
        {
          code: 'EMAIL_TAKEN',
          path: ['email'],
          input: async (stage) => {
            await newEntry(stage, 'taken');
            return { ...entry(stage), email: 'Taken@Contacts.Test' };
          },
        },
      ],
    },
    [`convert${type}`]: {
      permission: `update:${noun}s` as 'update:subscribers',
      besides: ['create:users', 'create:organization_users'],
      action: `${noun}.converted`,
      bulk: `convert${type}s`,
      input: async (stage, name) => ({ ...(await named(stage, name)), organizationId: stage.world.ids.Organization }),
      foreign: [
        { type, input: (id, own) => ({ [idField]: id, organizationId: own.ids.Organization }) },
        { type: 'Organization', input: (organizationId, own) => ({ [idField]: own.ids[type], organizationId }) },
      ],
      mistakes: [
        {
          code: 'ALREADY_CONVERTED',
          path: [idField],
          input: async (stage) => {
            const [id, organizationId] = [await newEntry(stage, `converted-${noun}`), stage.world.ids.Organization];
            await service.convert(stage.ctx, { id, organizationId });
            return { [idField]: id, organizationId };
          },
        },
        {
          code: 'EMAIL_TAKEN',
          path: [idField],
          input: async (stage) => {
            const userId = await newUser(stage, `is-user-${noun}`);
            const { value: email } = await stage.ctx.db.identity.findFirstOrThrow({ where: { userId } });
            const { id } = await service.create(stage.ctx, { environmentId: stage.world.ids.Environment, email });
            return { [idField]: id, organizationId: stage.world.ids.Organization };
          },
        },
      ],
    },
    [`delete${type}`]: {
      permission: `delete:${noun}s` as 'delete:subscribers',
      action: `${noun}.deleted`,
      bulk: `delete${type}s`,
      input: named,
      foreign: [{ type, input: (id) => ({ [idField]: id }) }],
    },
  };
}

/** An entry of a list that was made the environment's user. */
async function converted(
  { ctx, environmentId, ids }: EnvironmentPlace,
  kind: 'subscriber' | 'accessRequest',
  name: string,
): Promise<string> {
  const service = kind === 'subscriber' ? news : accessRequests;
  const { id } = await service.create(ctx, { environmentId, email: `${name}@contacts.test`, firstName: name });
  const entries = ctx.db[kind] as typeof ctx.db.subscriber;
  await entries.update({ where: { environmentId_id: { environmentId, id } }, data: { userId: ids['User']! } });
  return id;
}

export const subscribers: FeatureCases = {
  kinds: { Subscriber: 'subscriber', AccessRequest: 'accessRequest' },
  fillEnvironment: async (place) => ({
    Subscriber: await converted(place, 'subscriber', `${place.name}-news`),
    AccessRequest: await converted(place, 'accessRequest', `${place.name}-in`),
  }),
  addRow: async (place, row) => {
    await converted(place, 'subscriber', `contact-${row}`);
    await converted(place, 'accessRequest', `contact-${row}`);
  },
  lists: {
    'subscribers with their users': `environment(id: $environmentId) { subscribers(first: $first) { totalCount nodes { email isConverted user { firstName } } } }`,
    'access requests with their users': `environment(id: $environmentId) { accessRequests(first: $first) { totalCount nodes { email user { firstName } } } }`,
  },
  mutations: { ...list('Subscriber', 'subscriber', news), ...list('AccessRequest', 'access_request', accessRequests) },
};
