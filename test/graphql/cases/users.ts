import { createUser } from '../../../src/features/users/service.ts';
import { BELL, type FeatureCases, LONG, type Stage } from './cases.ts';

const user = ({ world }: Stage) => ({ environmentId: world.ids.Environment, email: 'new@people.test' });

/** Makes a user whose address begins with `name`. */
export async function newUser({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createUser(ctx, { environmentId: world.ids.Environment!, email: `${name}@people.test` })).id;
}

export const users: FeatureCases = {
  kinds: { User: 'user', Identity: 'identity' },
  fillEnvironment: async ({ ctx, environmentId, name }) => {
    const names = { firstName: `${name}-user`, lastName: 'Person' };
    const { id } = await createUser(ctx, { environmentId, email: `${name}-user@people.test`, providedId: `${name}-old`, ...names });
    const identity = await ctx.db.identity.findFirstOrThrow({ where: { environmentId, userId: id } });
    return { User: id, Identity: identity.id };
  },
  addRow: async ({ ctx, environmentId, ids }, row) =>
    void (await createUser(ctx, { environmentId, email: `user-${row}@people.test`, organizationId: ids['Organization'] })),
  lists: {
    'users with their memberships, organizations and roles': `environment(id: $environmentId) { users(first: $first) { totalCount nodes {
      id firstName email identities { value } memberships(first: $first) { nodes { organization { name } roles { key permissions { key } } permissions { key } } }
    } } }`,
  },
  shortLists: ['User.identities'],
  mutations: {
    createUser: {
      permission: 'create:users',
      action: 'user.created',
      bulk: 'createUsers',
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, email: `${name}@people.test` }),
      foreign: [
        { type: 'Environment', input: (environmentId) => ({ environmentId, email: 'mine@people.test' }) },
        {
          type: 'Organization',
          input: (organizationId, own) => ({ environmentId: own.ids.Environment, email: 'mine@people.test', organizationId }),
        },
      ],
      mistakes: [
        { code: 'REQUIRED', path: ['email'], input: (stage) => ({ ...user(stage), email: ' ' }) },
        { code: 'TOO_LONG', path: ['email'], input: (stage) => ({ ...user(stage), email: `${'x'.repeat(60)}@${'y'.repeat(200)}.test` }) },
        { code: 'TOO_LONG', path: ['lastName'], input: (stage) => ({ ...user(stage), lastName: LONG }) },
        { code: 'INVALID_TEXT', path: ['firstName'], input: (stage) => ({ ...user(stage), firstName: BELL }) },
        { code: 'INVALID_EMAIL', path: ['email'], input: (stage) => ({ ...user(stage), email: 'nobody at people.test' }) },
        {
          code: 'EMAIL_TAKEN',
          path: ['email'],
          input: (stage) => ({ ...user(stage), email: `${stage.world.name.toUpperCase()}-User@People.Test` }),
        },
        { code: 'PROVIDED_ID_TAKEN', path: ['providedId'], input: (stage) => ({ ...user(stage), providedId: `${stage.world.name}-old` }) },
      ],
    },
  },
};
