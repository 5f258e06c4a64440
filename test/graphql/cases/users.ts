import { createUser } from '../../../src/features/users/service.ts';
import { BELL, type FeatureCases, LONG, type Mistake, type MistakeStage, type Stage, textMistakes } from './cases.ts';

const user = ({ world }: Stage) => ({ environmentId: world.ids.Environment, email: 'new@people.test' });

/** Makes a user whose address begins with `name`. */
export async function newUser({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createUser(ctx, { environmentId: world.ids.Environment!, email: `${name}@people.test` })).id;
}

/** A new user as the whole input. */
export async function aNewUser(stage: Stage, name: string): Promise<{ userId: string }> {
  return { userId: await newUser(stage, name) };
}

const theUser = ({ world }: Stage) => ({ userId: world.ids.User });

let phones = 0;

/** A number that nobody has yet. */
export function newPhone(): string {
  return `+6155500${String(++phones).padStart(4, '0')}`;
}

/** A number that another user of the environment has. */
export async function takenPhone({ ctx, world }: Stage): Promise<string> {
  const phone = newPhone();
  await createUser(ctx, { environmentId: world.ids.Environment, phone });
  return phone;
}

/** A username that another user of the environment has. */
export async function takenName({ ctx, world }: Stage): Promise<string> {
  const username = `taken-${++phones}`;
  await createUser(ctx, { environmentId: world.ids.Environment, username });
  return username;
}

/** The mistakes that a password by its hash can hold. */
export function hashMistakes(input: (stage: MistakeStage) => object): Mistake[] {
  const hash = 'e'.repeat(64);
  const holding = (code: string, field: string, password: object): Mistake => ({
    code,
    path: ['password', field],
    input: (stage) => ({ ...input(stage), password }),
  });
  return [
    holding('INVALID_HASH', 'hash', { method: 'BCRYPT', hash: 'a quiet harbour at dawn' }),
    holding('INVALID_HASH', 'hash', { method: 'SHA256', hash: 'e'.repeat(63) }),
    holding('MISSING_SALT_POSITION', 'saltPosition', { method: 'SHA256', hash, salt: 'salt' }),
    holding('INVALID_SALT', 'salt', { method: 'SHA256', hash, salt: 'salt', saltPosition: 'PREFIX', saltFormat: 'HEX' }),
  ];
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
        { code: 'NO_IDENTITY', path: [], input: ({ world }) => ({ environmentId: world.ids.Environment, firstName: 'Nobody' }) },
        { code: 'REQUIRED', path: ['email'], input: (stage) => ({ ...user(stage), email: ' ' }) },
        { code: 'INVALID_PHONE', path: ['phone'], input: (stage) => ({ ...user(stage), phone: '0555 111 555' }) },
        { code: 'INVALID_USERNAME', path: ['username'], input: (stage) => ({ ...user(stage), username: 'no name' }) },
        { code: 'PHONE_TAKEN', path: ['phone'], input: async (stage) => ({ ...user(stage), phone: await takenPhone(stage) }) },
        {
          code: 'USERNAME_TAKEN',
          path: ['username'],
          input: async (stage) => ({ ...user(stage), username: (await takenName(stage)).toUpperCase() }),
        },
        { code: 'INVALID_URL', path: ['picture'], input: (stage) => ({ ...user(stage), picture: 'http://pictures.test/a.png' }) },
        { code: 'INVALID_URL', path: ['picture'], input: (stage) => ({ ...user(stage), picture: 'javascript:alert(1)' }) },
        ...hashMistakes(user),
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
    updateUser: {
      permission: 'update:users',
      action: 'user.updated',
      bulk: 'updateUsers',
      input: async (stage, name) => ({ userId: await newUser(stage, name), firstName: name }),
      foreign: [{ type: 'User', input: (userId) => ({ userId, firstName: 'Mine' }) }],
      mistakes: [
        ...textMistakes('firstName', theUser, false),
        ...textMistakes('lastName', theUser, false),
        ...textMistakes('providedId', theUser, false),
        { code: 'INVALID_URL', path: ['picture'], input: (stage) => ({ ...theUser(stage), picture: 'pictures.test/a.png' }) },
        {
          code: 'PROVIDED_ID_TAKEN',
          path: ['providedId'],
          input: async (stage) => ({ userId: await newUser(stage, 'another'), providedId: `${stage.world.name}-old` }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...theUser(stage), expectedVersion: 99 }) },
      ],
    },
    refreshUserClaims: {
      permission: 'update:user_refresh_claims',
      action: 'user.claims_refreshed',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
    suspendUser: {
      permission: 'suspend:users',
      action: 'user.suspended',
      bulk: 'suspendUsers',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
    restoreUser: {
      permission: 'suspend:users',
      action: 'user.restored',
      bulk: 'restoreUsers',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
    deleteUser: {
      permission: 'delete:users',
      action: 'user.deleted',
      bulk: 'deleteUsers',
      input: async (stage, name) => ({ userId: await newUser(stage, name), level: 'ERASE' }),
      foreign: [
        { type: 'User', input: (userId) => ({ userId, level: 'ERASE' }) },
        { type: 'User', input: (userId) => ({ userId, level: 'REMOVE_ACCESS' }) },
      ],
    },
  },
};
