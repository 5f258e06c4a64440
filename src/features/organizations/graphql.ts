/** Organizations in the graph. */
import { environmentsWith } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { createOrganization, removeOrganizationHandle, updateOrganization } from './service.ts';
import { deleteOrganization, restoreOrganization, suspendOrganization } from './standing.ts';

export const Organization = builder.prismaObject('Organization', {
  description: 'A customer of a business: a group of users with roles.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:organizations',
  fields: (t) => ({
    id: t.exposeID('id', {
      open: 'it was reached through a gated field',
      description: 'The organization’s id, which is its code: `org_code` in tokens.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    externalId: t.exposeString('externalId', { nullable: true, description: 'The business’s own id for it; imports find it by this.' }),
    handle: t.exposeString('handle', { nullable: true, description: 'A short unique name.' }),
    isDefault: t.exposeBoolean('isDefault', { nullable: true, description: 'Whether it is the one that users join when none is named.' }),
    isAutoMembershipEnabled: t.exposeBoolean('isAutoMembershipEnabled', {
      nullable: true,
      description: 'Whether new users may join it by themselves.',
    }),
    isSuspended: t.exposeBoolean('isSuspended', { nullable: true, description: 'Whether nobody can sign in to it.' }),
    suspendedAt: t.expose('suspendedAt', { type: 'DateTime', nullable: true, description: 'Since when; null unless it is suspended.' }),
    isAdvanced: t.exposeBoolean('isAdvanced', {
      nullable: true,
      description: 'Whether the policies set for it replace its environment’s. They are kept, without effect, while it is not.',
    }),
    senderName: t.exposeString('senderName', {
      nullable: true,
      description: 'Whom its mail is from, while it is advanced; null: as its environment’s.',
    }),
    senderEmail: t.exposeString('senderEmail', {
      nullable: true,
      description:
        'The address its mail is from, while it is advanced and where the environment sends through a server of its own; null: as its environment’s.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When it last changed.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    environment: t.relation('environment', { nullable: true, permission: 'read:environments', description: 'The environment it is in.' }),
  }),
});

registerNode('organization', {
  typeName: 'Organization',
  permission: 'read:organizations',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.organization.findFirst(query),
});
builder.queryField('organization', (t) =>
  t.prismaField({
    type: 'Organization',
    nullable: true,
    permission: 'read:organizations',
    description:
      'One organization by its id, or within an environment by its external id or handle; null where there is none within the caller’s reach.',
    args: {
      id: t.arg.id({ description: 'Its id.' }),
      environmentId: t.arg.id({ description: 'Where to look for an external id or a handle. Absent: the machine token’s own.' }),
      externalId: t.arg.string({ description: 'The business’s own id for it.' }),
      handle: t.arg.string({ description: 'Its handle.' }),
    },
    resolve: (query, _root, { id, environmentId, externalId, handle }, { services: { actor, database } }) => {
      const environment = environmentId ?? (actor.kind === 'machine' ? actor.environmentId : undefined);
      if (!id && (!environment || (!externalId && !handle))) return null;
      const within = environmentsWith(actor, 'read:organizations').filter((each) => !environment || each === environment);
      return database.prisma.organization.findFirst({
        ...query,
        where: { environmentId: { in: within }, ...(id && { id }), ...(externalId && { externalId }), ...(handle && { handle }) },
      });
    },
  }),
);

const NAME_CODES = {
  ...TEXT_CODES,
  EXTERNAL_ID_TAKEN: 'Another organization has the external id.',
  HANDLE_TAKEN: 'Another organization has the handle.',
  INVALID_HANDLE: 'Not usable as a handle.',
};
const LAST_OPEN = { LAST_OPEN_ORGANIZATION: 'The environment lets people sign up, and no other organization would take them in.' };

defineMutation({
  name: 'createOrganization',
  description: 'Makes an organization.',
  bulk: { name: 'createOrganizations', description: 'Makes organizations.' },
  policy: { permission: createOrganization.permission },
  codes: NAME_CODES,
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    externalId: t.string({ description: 'The business’s own id for it; unique in the environment.' }),
    handle: t.string({ description: 'Lower-case letters, digits and dashes; unique in the environment.' }),
  }),
  run: (ctx, input) => createOrganization(ctx, input),
  payload: (t) => ({
    organization: changed(t, 'Organization', 'The new organization.'),
  }),
});

defineMutation({
  name: 'updateOrganization',
  description: 'Changes what an organization is called, and whether it has policies of its own. Which one is the default is fixed.',
  policy: { permission: updateOrganization.permission },
  versioned: true,
  codes: { ...NAME_CODES, ...PLAN_CODES, INVALID_EMAIL: 'Not an email address.' },
  input: (t) => ({
    organizationId: t.id({ required: true, description: 'The organization.' }),
    name: t.string({ description: 'At most 200 characters. Absent: unchanged.' }),
    externalId: t.string({ description: 'The business’s own id for it. Absent: unchanged; null: none.' }),
    handle: t.string({ description: 'Absent: unchanged. `removeOrganizationHandle` takes it away.' }),
    isAdvanced: t.boolean({ description: 'Whether the policies set for it replace its environment’s. Absent: unchanged.' }),
    senderName: t.string({ description: 'Whom its mail is from. Absent: unchanged; null: as its environment’s.' }),
    senderEmail: t.string({ description: 'The address its mail is from. Absent: unchanged; null: as its environment’s.' }),
  }),
  run: (ctx, input) => updateOrganization(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'removeOrganizationHandle',
  description: 'Takes an organization’s handle away. Another one may have it from then on.',
  policy: { permission: removeOrganizationHandle.permission },
  versioned: true,
  codes: {},
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }) }),
  run: (ctx, input) => removeOrganizationHandle(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'suspendOrganization',
  description:
    'Lets nobody sign in to an organization, and ends what was issued for it: authorization codes and refresh tokens. Its members’ other organizations are not touched.',
  policy: { permission: suspendOrganization.permission },
  previews: true,
  codes: { DEFAULT_ORGANIZATION_CANNOT_BE_SUSPENDED: 'It is the environment’s default organization.', ...LAST_OPEN },
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }) }),
  run: (ctx, input) => suspendOrganization(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'restoreOrganization',
  description: 'Lets people sign in to a suspended organization again. What was issued before stays ended.',
  policy: { permission: restoreOrganization.permission },
  previews: true,
  codes: {},
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }) }),
  run: (ctx, input) => restoreOrganization(ctx, input),
  payload: (t) => ({ organization: changed(t, 'Organization', 'The organization.') }),
});

defineMutation({
  name: 'deleteOrganization',
  description:
    'Deletes an organization with its memberships, invitations, values, keys and the machines that act for it only. Its members stay users.',
  bulk: { name: 'deleteOrganizations', description: 'Deletes organizations. Their members stay users.' },
  policy: { permission: deleteOrganization.permission },
  previews: true,
  codes: { DEFAULT_ORGANIZATION_CANNOT_BE_DELETED: 'It is the environment’s default organization.', ...LAST_OPEN },
  input: (t) => ({ organizationId: t.id({ required: true, description: 'The organization.' }) }),
  run: (ctx, input) => deleteOrganization(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
