/** Passkeys in the graph: what a person has, never the key. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { deletePasskey, MAX_NAME, MAX_PASSKEYS, resetPasskeyPrompt, updatePasskey } from './service.ts';

builder.prismaObject('Passkey', {
  description: 'A key on a person’s devices that signs the person in.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:user_identities',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The passkey’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'What it is called: at first the browser and system that made it.' }),
    isSyncable: t.exposeBoolean('isSyncable', { nullable: true, description: 'Whether it can be on several devices of the person.' }),
    isBackedUp: t.exposeBoolean('isBackedUp', {
      nullable: true,
      description: 'Whether it outlives the loss of a device, as it said itself when last used.',
    }),
    transports: t.exposeStringList('transports', {
      nullable: true,
      description: 'How browsers reach the device, as WebAuthn calls it: `internal`, `hybrid`, `usb`, `nfc`, `ble`.',
    }),
    useCount: t.exposeInt('useCount', { nullable: true, description: 'How often the person has signed in with it.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'When the person last signed in with it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

registerNode('passkey', {
  typeName: 'Passkey',
  permission: 'read:user_identities',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.passkey.findFirst(query),
});

builder.prismaObjectFields('User', (t) => ({
  passkeys: t.relation('passkeys', {
    nullable: true,
    permission: 'read:user_identities',
    description: `The person’s passkeys, oldest first: ${MAX_PASSKEYS} at most.`,
    query: { orderBy: { id: 'asc' }, take: MAX_PASSKEYS },
  }),
  passkeyDeclinedAt: t.expose('passkeyDeclinedAt', {
    type: 'DateTime',
    nullable: true,
    permission: 'read:user_identities',
    description: 'When the person wanted no passkey, and is not asked any more; null for who has not said so.',
  }),
}));

const passkeyId = 'The passkey.';

defineMutation({
  name: 'updatePasskey',
  description: 'Gives a passkey another name.',
  policy: { permission: updatePasskey.permission },
  versioned: true,
  codes: TEXT_CODES,
  input: (t) => ({
    passkeyId: t.id({ required: true, description: passkeyId }),
    name: t.string({ required: true, description: `At most ${MAX_NAME} characters.` }),
  }),
  run: (ctx, input) => updatePasskey(ctx, input),
  payload: (t) => ({ passkey: changed(t, 'Passkey', 'The passkey.') }),
});

defineMutation({
  name: 'deletePasskey',
  description: 'Takes a passkey away: nobody signs in with it any more. Sessions that it began go on: `endUserSessions` ends them.',
  policy: { permission: deletePasskey.permission },
  previews: true,
  codes: {},
  input: (t) => ({ passkeyId: t.id({ required: true, description: passkeyId }) }),
  run: (ctx, input) => deletePasskey(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'resetPasskeyPrompt',
  description: 'Has a user who wanted no passkey asked again, at the next sign-in with a code or a password.',
  policy: { permission: resetPasskeyPrompt.permission },
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => resetPasskeyPrompt(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});
