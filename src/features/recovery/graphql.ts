/** Passwords and locks in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { HASH_CODES, PasswordHash } from '../credentials/graphql.ts';
import { requestPasswordReset, setTemporaryPassword, setUserPassword, unlockUser } from './service.ts';

builder.prismaObjectFields('User', (t) => ({
  hasPassword: t.boolean({
    nullable: true,
    description: 'Whether there is a password, a temporary one counted.',
    select: { password: { select: { userId: true } } },
    resolve: ({ password }) => password !== null,
  }),
  isPasswordResetRequested: t.exposeBoolean('isPasswordResetRequested', {
    nullable: true,
    description: 'Whether the next sign-in asks for a code and a new password.',
  }),
  failedSignIns: t.exposeInt('failedSignIns', { nullable: true, description: 'Failed tries in a row since the latest sign-in.' }),
  lockedUntil: t.expose('lockedUntil', {
    type: 'DateTime',
    nullable: true,
    description: 'The end of the latest lock that failed tries led to; it may be over.',
  }),
  isLocked: t.boolean({
    nullable: true,
    description: 'Whether too many failed tries keep the person out at the moment.',
    select: { lockedUntil: true },
    resolve: ({ lockedUntil }, _args, { services }) => lockedUntil !== null && lockedUntil > services.clock.now(),
  }),
}));

const signedOut = 'Whoever is signed in is signed out everywhere.';

defineMutation({
  name: 'setUserPassword',
  description: `Sets a user’s password by its hash; plain text is never taken. ${signedOut}`,
  policy: { permission: setUserPassword.permission },
  previews: true,
  codes: HASH_CODES,
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    password: t.field({ type: PasswordHash, required: true, description: 'The password, hashed.' }),
  }),
  run: (ctx, input) => setUserPassword(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'setTemporaryPassword',
  description: `Sets a password that is good for one sign-in, in which the person has to choose another. It is not sent to the person, and never shown or written down. ${signedOut}`,
  policy: { permission: setTemporaryPassword.permission },
  previews: true,
  codes: {
    PASSWORD_TOO_SHORT: 'Fewer than 8 characters.',
    PASSWORD_TOO_LONG: 'More than 1024 characters.',
    PASSWORD_COMMON: 'One of the million most common passwords.',
  },
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    password: t.string({ required: true, description: '8 to 1024 characters, none of the most common passwords.' }),
  }),
  run: (ctx, input) => setTemporaryPassword(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'requestPasswordReset',
  description:
    'Makes a user’s next sign-in ask for a mailed code and then for a new password. Who is signed in stays so until it is chosen.',
  bulk: {
    name: 'requestPasswordResets',
    description: 'Makes the next sign-in of users ask for a mailed code and then for a new password.',
  },
  policy: { permission: requestPasswordReset.permission },
  codes: { NO_VERIFIED_EMAIL: 'The person has no verified email address.' },
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => requestPasswordReset(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'unlockUser',
  description: 'Ends the lock that failed sign-ins led to, and gives the person all tries back.',
  policy: { permission: unlockUser.permission },
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => unlockUser(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});
