/** The list of an environment's users. */
import { builder } from '../../../graphql/builder.ts';
import { DateTimeRange, defineOrder } from '../../../graphql/lists.ts';
import { permissionsOfUserFilter, usersMatching, usersWhere } from '../finding.ts';

const UserFilter = builder.inputType('UserFilter', {
  description: 'What users have in common: all that is given holds of each.',
  fields: (t) => ({
    createdAt: t.field({ type: DateTimeRange, description: 'When the record was made.' }),
    lastSignedInAt: t.field({
      type: DateTimeRange,
      description: 'The latest sign-in. Who has never signed in counts as having done so before any time.',
    }),
    isSuspended: t.boolean({ description: 'Whether the person may not sign in.' }),
    providedId: t.string({ description: 'The id the person had at an earlier provider, whole.' }),
    email: t.string({ description: 'An email address, whole; case does not matter. Needs the permission `read:user_contacts`.' }),
    phone: t.string({ description: 'A phone number, whole, as `+353…`. Needs the permission `read:user_contacts`.' }),
    username: t.string({ description: 'A user name, whole; case does not matter. Needs the permission `read:user_contacts`.' }),
    organizationId: t.id({ description: 'An organization that the person is in. Needs the permission `read:organization_users`.' }),
  }),
});

const UserOrder = defineOrder(
  'UserOrder',
  { field: 'createdAt', direction: 'asc' },
  {
    CREATED_AT: { value: 'createdAt', description: 'When the record was made.' },
    LAST_SIGNED_IN_AT: { value: 'activeAt', description: 'The latest sign-in. Who has never signed in comes before all others.' },
  },
);

builder.prismaObjectField('Environment', 'users', (t) =>
  t.relatedConnection('users', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:users',
    argumentPermissions: ({ filter }) => permissionsOfUserFilter(filter),
    description: 'Its users, oldest first unless sorted otherwise.',
    args: {
      search: t.arg.string({
        description:
          'Part of a name or of the provided id; the start of an id, or eight of its digits; part of an email address, phone number or username too, for callers who may read contacts. Case does not matter. One or two letters are looked for where a word begins.',
      }),
      filter: t.arg({ type: UserFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: UserOrder.input, description: 'In which order.' }),
    },
    query: ({ search, filter, orderBy }, { services: { actor } }) => ({
      where: { AND: [usersMatching(actor, search), usersWhere(actor, filter)] },
      orderBy: UserOrder.by(orderBy),
    }),
  }),
);
