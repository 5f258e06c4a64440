/** The lists of an environment's organizations and of an organization's members. */
import { builder } from '../../../graphql/builder.ts';
import { DateTimeRange, defineOrder } from '../../../graphql/lists.ts';
import { membersMatching, membersWhere, organizationsMatching, organizationsWhere, permissionsToFindMembers } from '../finding.ts';

const OrganizationFilter = builder.inputType('OrganizationFilter', {
  description: 'What organizations have in common: all that is given holds of each.',
  fields: (t) => ({
    createdAt: t.field({ type: DateTimeRange, description: 'When it was made.' }),
    isSuspended: t.boolean({ description: 'Whether nobody can sign in to it.' }),
    externalId: t.string({ description: 'The business’s own id for it, whole.' }),
    handle: t.string({ description: 'The handle, whole.' }),
  }),
});

const OrganizationOrder = defineOrder(
  'OrganizationOrder',
  { field: 'createdAt', direction: 'asc' },
  {
    CREATED_AT: { value: 'createdAt', description: 'When it was made.' },
    NAME: { value: 'name', description: 'Its name.' },
  },
);

builder.prismaObjectField('Environment', 'organizations', (t) =>
  t.relatedConnection('organizations', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:organizations',
    description: 'Its organizations, oldest first unless sorted otherwise.',
    args: {
      search: t.arg.string({
        description:
          'Part of a name, an external id or a handle; the start of an id, or eight of its digits. Case does not matter. One or two letters are looked for where a word begins.',
      }),
      filter: t.arg({ type: OrganizationFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: OrganizationOrder.input, description: 'In which order.' }),
    },
    query: ({ search, filter, orderBy }) => ({
      where: { AND: [organizationsMatching(search), organizationsWhere(filter)] },
      orderBy: OrganizationOrder.by(orderBy),
    }),
  }),
);

const MemberFilter = builder.inputType('OrganizationMemberFilter', {
  description: 'What members of an organization have in common: all that is given holds of each.',
  fields: (t) => ({
    createdAt: t.field({ type: DateTimeRange, description: 'Since when they are members.' }),
    roleId: t.id({ description: 'A role held there. Needs the permission `read:organization_user_roles`.' }),
    permissionId: t.id({
      description: 'A permission held there directly, not by a role. Needs the permission `read:organization_user_permissions`.',
    }),
  }),
});

const MemberOrder = defineOrder(
  'OrganizationMemberOrder',
  { field: 'createdAt', direction: 'asc' },
  { CREATED_AT: { value: 'createdAt', description: 'Since when the person is a member.' } },
);

builder.prismaObjectField('Organization', 'members', (t) =>
  t.relatedConnection('memberships', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:organization_users',
    argumentPermissions: ({ search, filter }) => permissionsToFindMembers(search, filter),
    description: 'Its members, oldest membership first unless sorted otherwise.',
    args: {
      search: t.arg.string({ description: 'What the list of users is searched by. Needs the permission `read:users`.' }),
      filter: t.arg({ type: MemberFilter, description: 'Which of them.' }),
      orderBy: t.arg({ type: MemberOrder.input, description: 'In which order.' }),
    },
    query: ({ search, filter, orderBy }, { services: { actor } }) => ({
      where: { AND: [membersMatching(actor, search), membersWhere(actor, filter)] },
      orderBy: MemberOrder.by(orderBy),
    }),
  }),
);
