/** Users in the graph. What identifies a person to the outside, the contacts, takes a permission of its own. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { createUser } from './service.ts';

const IdentityType = builder.enumType('IdentityType', {
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
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When the record was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When the profile last changed.' }),
    lastSignedInAt: t.expose('lastSignedInAt', { type: 'DateTime', nullable: true, description: 'The latest sign-in.' }),
    totalSignIns: t.exposeInt('totalSignIns', { nullable: true, description: 'How often the person has signed in.' }),
    email: t.string({
      nullable: true,
      permission: 'read:user_contacts',
      description: 'The primary email address.',
      select: primary('email'),
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
    identities: t.relation('identities', {
      nullable: true,
      permission: 'read:user_contacts',
      description: 'Everything the person signs in with, oldest first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], take: 100 },
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

defineMutation({
  name: 'createUser',
  description: 'Makes a user with an email address. No mail is sent.',
  bulk: { name: 'createUsers', description: 'Makes users with email addresses. No mail is sent.' },
  policy: { permission: createUser.permission },
  codes: {
    ...TEXT_CODES,
    INVALID_EMAIL: 'Not an email address.',
    EMAIL_TAKEN: 'Another user has the address.',
    PROVIDED_ID_TAKEN: 'Another user has the provided id.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    email: t.string({ required: true, description: 'At most 254 characters.' }),
    isEmailVerified: t.boolean({ description: 'Whether the address is known to be the person’s. Absent: false.' }),
    firstName: t.string({ description: 'At most 200 characters.' }),
    lastName: t.string({ description: 'At most 200 characters.' }),
    providedId: t.string({ description: 'The id at an earlier provider; unique in the environment.' }),
    organizationId: t.id({ description: 'The organization to join. Absent: the default one, where it takes new users.' }),
  }),
  run: (ctx, input) => createUser(ctx, input),
  payload: (t) => ({
    user: changed(t, 'User', 'The new user.'),
  }),
});
