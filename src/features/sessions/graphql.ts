/** Sessions in the graph: where a person is signed in. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId } from '../../graphql/payload.ts';
import { endUserSession, endUserSessions } from './service.ts';

builder.prismaObject('Session', {
  description: 'A browser in which a person is signed in.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:user_sessions',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The session’s id.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When the person signed in.' }),
    lastActiveAt: t.expose('lastActiveAt', { type: 'DateTime', nullable: true, description: 'The latest activity, to the minute.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it ends, however active it is.' }),
    ip: t.exposeString('ip', { nullable: true, description: 'The address that the person signed in from.' }),
    userAgent: t.exposeString('userAgent', { nullable: true, description: 'What the browser called itself.' }),
  }),
});

registerNode('session', {
  typeName: 'Session',
  permission: 'read:user_sessions',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.session.findFirst(query),
});

builder.prismaObjectField('User', 'sessions', (t) =>
  t.relatedConnection('sessions', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:user_sessions',
    description:
      'Where the person is signed in, latest sign-in first. An application may take one for over sooner, after its own time without activity.',
    query: (_args, { services }) => ({ where: { expiresAt: { gt: services.clock.now() } }, orderBy: { id: 'desc' } }),
  }),
);

defineMutation({
  name: 'endUserSession',
  description:
    'Ends one session of a user, with the refresh tokens that were issued in it. Access tokens of that session work until they expire.',
  policy: { permission: endUserSession.permission },
  previews: true,
  codes: {},
  input: (t) => ({ sessionId: t.id({ required: true, description: 'The session.' }) }),
  run: (ctx, input) => endUserSession(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'endUserSessions',
  description:
    'Ends all sessions of a user and all tokens: the person has to sign in again everywhere. The user profile endpoint and this graph refuse access tokens from before; other APIs take them until they expire.',
  bulk: { name: 'endSessionsOfUsers', description: 'Ends all sessions and all tokens of users.' },
  policy: { permission: endUserSessions.permission },
  previews: true,
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => endUserSessions(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});
