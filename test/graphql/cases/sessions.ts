import { startSession } from '../../../src/features/sessions/service.ts';
import type { FeatureCases, Stage } from './cases.ts';
import { aNewUser, newUser } from './users.ts';

async function newSession(stage: Stage, name: string): Promise<string> {
  return (await startSession(stage.ctx, stage.world.ids.Environment, await newUser(stage, name), { amr: ['pwd'], mfaProofs: [] })).session
    .id;
}

export const sessions: FeatureCases = {
  kinds: { Session: 'session' },
  fillEnvironment: async ({ ctx, environmentId, ids }) => ({
    Session: (await startSession(ctx, environmentId, ids['User']!, { amr: ['pwd'], mfaProofs: [] })).session.id,
  }),
  addRow: async ({ ctx, environmentId, ids }) =>
    void (await startSession(ctx, environmentId, ids['User']!, { amr: ['pwd'], mfaProofs: [] })),
  lists: {
    'users with their sessions': `environment(id: $environmentId) { users(first: $first) { nodes { firstName sessions(first: $first) { totalCount nodes { ip lastActiveAt } } } } }`,
  },
  mutations: {
    endUserSession: {
      permission: 'delete:user_sessions',
      action: 'session.ended',
      input: async (stage, name) => ({ sessionId: await newSession(stage, name) }),
      foreign: [{ type: 'Session', input: (sessionId) => ({ sessionId }) }],
    },
    endUserSessions: {
      permission: 'delete:user_sessions',
      action: 'user.sessions_ended',
      bulk: 'endSessionsOfUsers',
      input: aNewUser,
      foreign: [{ type: 'User', input: (userId) => ({ userId }) }],
    },
  },
};
