import { createUser } from '../../../src/features/users/service.ts';
import type { FeatureCases, Stage } from './cases.ts';
import { aNewUser, hashMistakes, newUser } from './users.ts';

const password = { method: 'BCRYPT', hash: `$2b$10$${'a'.repeat(53)}` };
const theUser = ({ world }: Stage) => ({ userId: world.ids.User });

export const recovery: FeatureCases = {
  secretive: [
    ...['User.hasPassword', 'User.isPasswordResetRequested'],
    ...['Mutation.requestPasswordReset', 'Mutation.requestPasswordResets', 'Mutation.setTemporaryPassword', 'Mutation.setUserPassword'],
  ],
  mutations: {
    setUserPassword: {
      permission: 'update:user_passwords',
      action: 'user.password_set',
      input: async (stage, name) => ({ userId: await newUser(stage, name), password }),
      foreign: [{ type: 'User', input: (userId) => ({ userId, password }) }],
      mistakes: hashMistakes(theUser),
    },
    setTemporaryPassword: {
      permission: 'update:user_passwords',
      action: 'user.temporary_password_set',
      input: async (stage, name) => ({ userId: await newUser(stage, name), password: 'ninety green bottles' }),
      foreign: [{ type: 'User', input: (userId) => ({ userId, password: 'ninety green bottles' }) }],
      mistakes: [
        { code: 'PASSWORD_TOO_SHORT', path: ['password'], input: (stage) => ({ ...theUser(stage), password: 'seven77' }) },
        { code: 'PASSWORD_TOO_LONG', path: ['password'], input: (stage) => ({ ...theUser(stage), password: 'x'.repeat(1025) }) },
        { code: 'PASSWORD_COMMON', path: ['password'], input: (stage) => ({ ...theUser(stage), password: 'password' }) },
        { code: 'PASSWORD_COMMON', path: ['password'], input: (stage) => ({ ...theUser(stage), password: 'IloveYou1' }) },
      ],
    },
    requestPasswordReset: {
      permission: 'update:user_passwords',
      action: 'user.password_reset_requested',
      bulk: 'requestPasswordResets',
      input: async ({ ctx, world }, name) => ({
        userId: (await createUser(ctx, { environmentId: world.ids.Environment, email: `${name}@people.test`, isEmailVerified: true })).id,
      }),
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
      mistakes: [{ code: 'NO_VERIFIED_EMAIL', path: ['userId'], input: theUser }],
    },
    unlockUser: {
      permission: 'unlock:users',
      action: 'user.unlocked',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
  },
};
