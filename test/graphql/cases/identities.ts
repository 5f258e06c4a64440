import { BELL, type FeatureCases, LONG, type Stage } from './cases.ts';
import { newPhone, newUser, takenName, takenPhone } from './users.ts';

/** The email identity of a new user who has a phone as well. */
async function newIdentity(stage: Stage, name: string): Promise<string> {
  const { ctx, world } = stage;
  const userId = await newUser(stage, name);
  const environmentId = world.ids.Environment;
  const { id } = await ctx.db.identity.findFirstOrThrow({ where: { environmentId, userId } });
  const phone = newPhone();
  await ctx.db.identity.create({
    data: {
      environmentId,
      id: id.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      userId,
      type: 'phone',
      value: phone,
      normalized: phone,
    },
  });
  return id;
}

const ofTheUser = ({ world }: Stage) => ({ userId: world.ids.User, type: 'EMAIL' });
const anIdentity = async (stage: Stage, name: string) => ({ identityId: await newIdentity(stage, name) });

export const identities: FeatureCases = {
  mutations: {
    createUserIdentity: {
      permission: 'create:user_identities',
      action: 'identity.created',
      bulk: 'createUserIdentities',
      input: async (stage, name) => ({ userId: await newUser(stage, name), type: 'USERNAME', value: `${name}-name`.slice(-64) }),
      foreign: [{ type: 'User', input: (userId) => ({ userId, type: 'EMAIL', value: 'mine@people.test' }) }],
      mistakes: [
        { code: 'REQUIRED', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), value: ' ' }) },
        { code: 'TOO_LONG', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), type: 'USERNAME', value: LONG }) },
        { code: 'INVALID_TEXT', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), value: BELL }) },
        { code: 'INVALID_EMAIL', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), value: 'nobody at people.test' }) },
        { code: 'INVALID_PHONE', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), type: 'PHONE', value: '555' }) },
        { code: 'INVALID_USERNAME', path: ['value'], input: (stage) => ({ ...ofTheUser(stage), type: 'USERNAME', value: 'x' }) },
        {
          code: 'EMAIL_TAKEN',
          path: ['value'],
          input: async (stage) => {
            await newUser(stage, 'has-it');
            return { ...ofTheUser(stage), value: 'Has-It@People.test' };
          },
        },
        {
          code: 'PHONE_TAKEN',
          path: ['value'],
          input: async (stage) => ({ ...ofTheUser(stage), type: 'PHONE', value: await takenPhone(stage) }),
        },
        {
          code: 'USERNAME_TAKEN',
          path: ['value'],
          input: async (stage) => ({ ...ofTheUser(stage), type: 'USERNAME', value: await takenName(stage) }),
        },
      ],
    },
    updateIdentity: {
      permission: 'update:user_contacts',
      action: 'identity.updated',
      input: async (stage, name) => ({ ...(await anIdentity(stage, name)), isVerified: true }),
      foreign: [{ type: 'Identity', input: (identityId) => ({ identityId, isVerified: true }) }],
    },
    setPrimaryIdentity: {
      permission: 'update:identities',
      action: 'identity.made_primary',
      input: anIdentity,
      foreign: [{ type: 'Identity', input: (identityId) => ({ identityId }) }],
    },
    deleteIdentity: {
      permission: 'delete:identities',
      action: 'identity.deleted',
      input: anIdentity,
      foreign: [{ type: 'Identity', input: (identityId) => ({ identityId }) }],
      mistakes: [{ code: 'LAST_IDENTITY', path: ['identityId'], input: ({ world }) => ({ identityId: world.ids['Identity'] }) }],
    },
  },
};
