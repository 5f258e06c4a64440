/** Users in the graph. What identifies a person to the outside, the contacts, takes a permission of its own. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { HASH_CODES, PasswordHash } from '../credentials/graphql.ts';
import { deleteUser, restoreUser, suspendUser, type UserDeletion } from './removal.ts';
import { createUser, refreshUserClaims, updateUser } from './service.ts';

export const IdentityType = builder.enumType('IdentityType', {
  description: 'What a person signs in with.',
  values: {
    EMAIL: { value: 'email', description: 'An email address.' },
    PHONE: { value: 'phone', description: 'A phone number.' },
    USERNAME: { value: 'username', description: 'A user name.' },
  },
});

builder.prismaObject('Identity', {
  description: 'Something that a user signs in with.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:user_contacts',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The identity’s id.' }),
    type: t.field({
      type: IdentityType,
      nullable: true,
      description: 'Its kind.',
      select: { type: true },
      resolve: ({ type }) => type as 'email',
    }),
    value: t.exposeString('value', { nullable: true, description: 'The address, number or name, as it was typed.' }),
    isPrimary: t.exposeBoolean('isPrimary', { nullable: true, description: 'Whether it is the one that tokens show among its kind.' }),
    isVerified: t.exposeBoolean('isVerified', { nullable: true, description: 'Whether its owner has proved it.' }),
  }),
});

const primary = (type: string) => ({ identities: { where: { type, isPrimary: true }, select: { value: true }, take: 1 } });

export const User = builder.prismaObject('User', {
  description: 'A person who signs in to an environment’s applications.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:users',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The user’s id; `sub` in tokens.' }),
    firstName: t.exposeString('firstName', { nullable: true, description: 'First name.' }),
    lastName: t.exposeString('lastName', { nullable: true, description: 'Last name.' }),
    picture: t.exposeString('picture', { nullable: true, description: 'URL of a picture.' }),
    providedId: t.exposeString('providedId', { nullable: true, description: 'The id the person had at an earlier provider.' }),
    isSuspended: t.exposeBoolean('isSuspended', { nullable: true, description: 'Whether the person may not sign in.' }),
    suspendedAt: t.expose('suspendedAt', { type: 'DateTime', nullable: true, description: 'Since when the person may not sign in.' }),
    accessRemovedAt: t.expose('accessRemovedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When everything but the profile was deleted; null for who can sign in.',
    }),
    claimsRefreshedAt: t.expose('claimsRefreshedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody last asked for fresh claims.',
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When the record was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When the profile last changed.' }),
    lastSignedInAt: t.expose('lastSignedInAt', { type: 'DateTime', nullable: true, description: 'The latest sign-in.' }),
    language: t.exposeString('language', {
      nullable: true,
      description: 'The language (BCP 47) of the latest sign-in: mails that nobody at a browser asks for are written in it.',
    }),
    totalSignIns: t.exposeInt('totalSignIns', { nullable: true, description: 'How often the person has signed in.' }),
    email: t.string({
      nullable: true,
      permission: 'read:user_contacts',
      description: 'The primary email address.',
      select: primary('email'),
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
    phone: t.string({
      nullable: true,
      permission: 'read:user_contacts',
      description: 'The primary phone number.',
      select: primary('phone'),
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
    username: t.string({
      nullable: true,
      permission: 'read:user_contacts',
      description: 'The primary username.',
      select: primary('username'),
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
    identities: t.relation('identities', {
      nullable: true,
      permission: 'read:user_contacts',
      description: 'Everything the person signs in with, oldest first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], take: 100 },
    }),
    organizationCount: t.int({
      nullable: true,
      permission: 'read:organization_users',
      description: 'How many organizations the person is in.',
      select: { _count: { select: { memberships: true } } },
      resolve: ({ _count }) => _count.memberships,
    }),
    memberships: t.relatedConnection('memberships', {
      cursor: 'environmentId_id',
      totalCount: true,
      nullable: true,
      permission: 'read:organization_users',
      description: 'The organizations the person is in, oldest membership first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
    }),
  }),
});

registerNode('user', {
  typeName: 'User',
  permission: 'read:users',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.user.findFirst(query),
});
registerNode('identity', {
  typeName: 'Identity',
  permission: 'read:user_contacts',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.identity.findFirst(query),
});

/** What can be wrong with something to sign in with. */
export const IDENTITY_CODES = {
  INVALID_EMAIL: 'Not an email address.',
  INVALID_PHONE: 'Not a phone number with its country code.',
  INVALID_USERNAME: 'Not usable as a username.',
  EMAIL_TAKEN: 'Another user has the address.',
  PHONE_TAKEN: 'Another user has the number.',
  USERNAME_TAKEN: 'Another user has the username.',
};

const PROFILE_CODES = { INVALID_URL: 'Not an https address.', PROVIDED_ID_TAKEN: 'Another user has the provided id.' };

defineMutation({
  name: 'createUser',
  description: 'Makes a user with an email address, a phone number or a username, or several of them. No mail is sent.',
  bulk: { name: 'createUsers', description: 'Makes users. No mail is sent.' },
  policy: createUser,
  codes: {
    ...TEXT_CODES,
    ...IDENTITY_CODES,
    ...PROFILE_CODES,
    ...HASH_CODES,
    NO_IDENTITY: 'Neither an email address nor a phone number nor a username.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    email: t.string({ description: 'At most 254 characters.' }),
    isEmailVerified: t.boolean({
      description:
        'Whether the address is known to be the person’s. To say so takes the permission `update:user_contacts` too. Absent: false.',
    }),
    phone: t.string({ description: 'With its country code and no spaces, as +61555111555.' }),
    isPhoneVerified: t.boolean({
      description:
        'Whether the number is known to be the person’s. To say so takes the permission `update:user_contacts` too. Absent: false.',
    }),
    username: t.string({ description: '2 to 64 letters, digits, dashes and underscores; unique, whatever the case.' }),
    password: t.field({
      type: PasswordHash,
      description: 'A password by its hash. It takes the permission `update:user_passwords` too. Absent: none.',
    }),
    firstName: t.string({ description: 'At most 200 characters.' }),
    lastName: t.string({ description: 'At most 200 characters.' }),
    picture: t.string({ description: 'The https address of an image.' }),
    providedId: t.string({ description: 'The id at an earlier provider; unique in the environment.' }),
    organizationId: t.id({
      description:
        'The organization to join. It takes the permission `create:organization_users` too. Absent: the default one, where it takes new users.',
    }),
  }),
  run: (ctx, input) => createUser(ctx, input),
  payload: (t) => ({
    user: changed(t, 'User', 'The new user.'),
  }),
});

defineMutation({
  name: 'updateUser',
  description: 'Changes a user’s profile.',
  bulk: { name: 'updateUsers', description: 'Changes the profiles of users.' },
  policy: { permission: updateUser.permission },
  versioned: true,
  codes: { TOO_LONG: TEXT_CODES.TOO_LONG, INVALID_TEXT: TEXT_CODES.INVALID_TEXT, ...PROFILE_CODES },
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    firstName: t.string({ description: 'Absent: unchanged; null: none.' }),
    lastName: t.string({ description: 'Absent: unchanged; null: none.' }),
    picture: t.string({ description: 'The https address of an image. Absent: unchanged; null: none.' }),
    providedId: t.string({ description: 'Unique in the environment. Absent: unchanged; null: none.' }),
  }),
  run: (ctx, input) => updateUser(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'refreshUserClaims',
  description:
    'Notes that a person’s claims are to be read anew. The next token carries them as they are, as every token does: none is handed out twice.',
  policy: { permission: refreshUserClaims.permission },
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => refreshUserClaims(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'suspendUser',
  description:
    'Keeps a user out of every application until `restoreUser`. Sessions and refresh tokens end at once, and the user profile endpoint and this graph refuse access tokens from before for good.',
  bulk: { name: 'suspendUsers', description: 'Keeps users out of every application until they are restored.' },
  policy: { permission: suspendUser.permission },
  previews: true,
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => suspendUser(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'restoreUser',
  description: 'Lets a suspended user sign in again. Sessions and tokens that the suspension ended stay ended.',
  bulk: { name: 'restoreUsers', description: 'Lets suspended users sign in again.' },
  policy: { permission: restoreUser.permission },
  previews: true,
  codes: {},
  input: (t) => ({ userId: t.id({ required: true, description: 'The user.' }) }),
  run: (ctx, input) => restoreUser(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

const UserDeletionLevel = builder.enumType('UserDeletionLevel', {
  description: 'How much of a user is deleted.',
  values: {
    REMOVE_ACCESS: {
      value: 'remove_access' satisfies UserDeletion,
      description:
        'Identities, password, second factors, memberships, sessions and tokens are deleted and API keys revoked. The profile stays: names, picture, provided id and properties.',
    },
    ERASE: {
      value: 'erase' satisfies UserDeletion,
      description:
        'The record is deleted with everything that belongs to it, and the person’s entries among subscribers and access requests.',
    },
  },
});

defineMutation({
  name: 'deleteUser',
  description: 'Deletes a user, in part or wholly. Signing in afterwards is signing up, where that is open.',
  bulk: { name: 'deleteUsers', description: 'Deletes users, in part or wholly.' },
  policy: { permission: deleteUser.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    level: t.field({ type: UserDeletionLevel, required: true, description: 'How much of it.' }),
  }),
  run: (ctx, input) => deleteUser(ctx, input as typeof input & { level: UserDeletion }),
  payload: (t) => ({
    user: changed(t, 'User', 'The profile that was kept; null when nothing was.', ({ user }) => user),
    deletedId: t.id({ nullable: true, description: 'The user that was erased.', resolve: ({ result }) => result?.deletedId ?? null }),
  }),
});
