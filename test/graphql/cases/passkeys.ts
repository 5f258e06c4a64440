import { newId } from '../../../src/kernel/ids.ts';
import { type EnvironmentPlace, type FeatureCases, type Stage, textMistakes } from './cases.ts';
import { aNewUser, newUser } from './users.ts';

async function newPasskey(ctx: EnvironmentPlace['ctx'], environmentId: string, userId: string): Promise<string> {
  const id = newId('passkey');
  const key = { credentialId: id, publicKey: new Uint8Array([1]), counter: 0, isSyncable: true, isBackedUp: true };
  await ctx.db.passkey.create({ data: { environmentId, id, userId, ...key, transports: ['internal'], name: 'Safari · iPhone' } });
  return id;
}

const aNewPasskey = async (stage: Stage, name: string) => ({
  passkeyId: await newPasskey(stage.ctx, stage.world.ids.Environment, await newUser(stage, name)),
});
const known = ({ world }: Stage) => ({ passkeyId: world.ids.Passkey, name: 'Phone' });

export const passkeys: FeatureCases = {
  kinds: { Passkey: 'passkey' },
  fillEnvironment: async ({ ctx, environmentId, ids }) => ({ Passkey: await newPasskey(ctx, environmentId, ids['User']!) }),
  addRow: async ({ ctx, environmentId, ids }) => void (await newPasskey(ctx, environmentId, ids['User']!)),
  lists: {
    'users with their passkeys': `environment(id: $environmentId) { users(first: $first) { nodes { passkeyDeclinedAt passkeys { name transports useCount } } } }`,
  },
  shortLists: ['Passkey.transports', 'User.passkeys'],
  mutations: {
    updatePasskey: {
      permission: 'update:identities',
      action: 'passkey.renamed',
      input: async (stage, name) => ({ ...(await aNewPasskey(stage, name)), name: 'Phone' }),
      foreign: [{ type: 'Passkey', input: (passkeyId) => ({ passkeyId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', known),
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...known(stage), expectedVersion: 99 }) },
      ],
    },
    deletePasskey: {
      permission: 'delete:identities',
      action: 'passkey.removed',
      input: aNewPasskey,
      foreign: [{ type: 'Passkey', input: (passkeyId) => ({ passkeyId }) }],
    },
    resetPasskeyPrompt: {
      permission: 'update:identities',
      action: 'user.passkey_prompt_reset',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
  },
};
