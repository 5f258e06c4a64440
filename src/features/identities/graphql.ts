/** Identities in the graph, changed by hand. */
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { IDENTITY_CODES, IdentityType } from '../users/graphql.ts';
import { createUserIdentity, deleteIdentity, setPrimaryIdentity, updateIdentity } from './service.ts';

const identityId = 'The identity.';

defineMutation({
  name: 'createUserIdentity',
  description:
    'Gives a user something more to sign in with; the first of its kind becomes the primary one. One that is not verified gets nobody into an account in which anything is proved, or that has an older one: by a password alone, until it is proved. An identity is never edited: add the new one, then delete the old.',
  bulk: { name: 'createUserIdentities', description: 'Gives users something more to sign in with.' },
  policy: createUserIdentity,
  codes: { ...TEXT_CODES, ...IDENTITY_CODES },
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    type: t.field({ type: IdentityType, required: true, description: 'Its kind.' }),
    value: t.string({
      required: true,
      description:
        'An email address; a phone number with its country code, as +61555111555; or a username of 2 to 64 letters, digits, dashes and underscores.',
    }),
    isVerified: t.boolean({
      description: 'Whether it is known to be the person’s. To say so takes the permission `update:user_contacts` too. Absent: false.',
    }),
  }),
  run: (ctx, input) => createUserIdentity(ctx, input as typeof input & { type: 'email' }),
  payload: (t) => ({ identity: changed(t, 'Identity', 'The new identity.') }),
});

defineMutation({
  name: 'updateIdentity',
  description: 'Says whether an identity is known to be its user’s.',
  policy: { permission: updateIdentity.permission },
  codes: {},
  input: (t) => ({
    identityId: t.id({ required: true, description: identityId }),
    isVerified: t.boolean({ required: true, description: 'Whether it is known to be the person’s.' }),
  }),
  run: (ctx, input) => updateIdentity(ctx, input),
  payload: (t) => ({ identity: changed(t, 'Identity', 'The identity.') }),
});

defineMutation({
  name: 'setPrimaryIdentity',
  description: 'Makes an identity the one that tokens show among the user’s of its kind.',
  policy: { permission: setPrimaryIdentity.permission },
  codes: {},
  input: (t) => ({ identityId: t.id({ required: true, description: identityId }) }),
  run: (ctx, input) => setPrimaryIdentity(ctx, input),
  payload: (t) => ({ identity: changed(t, 'Identity', 'The identity.') }),
});

defineMutation({
  name: 'deleteIdentity',
  description:
    'Takes an identity away: nobody signs in with it any more, not even with a code that was mailed already. The oldest other one of its kind becomes primary in its place.',
  policy: { permission: deleteIdentity.permission },
  previews: true,
  codes: { LAST_IDENTITY: 'The user has no other one to sign in with.' },
  input: (t) => ({ identityId: t.id({ required: true, description: identityId }) }),
  run: (ctx, input) => deleteIdentity(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
