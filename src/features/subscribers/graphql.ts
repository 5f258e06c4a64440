/** Subscribers and access requests in the graph: two lists, kept alike. */
import type { PermissionName } from '../../access/permissions.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { accessRequests, subscribers } from './service.ts';

interface List {
  readonly type: 'Subscriber' | 'AccessRequest';
  readonly field: 'subscribers' | 'accessRequests';
  readonly kind: 'subscriber' | 'accessRequest';
  readonly permission: PermissionName;
  readonly service: typeof subscribers;
  /** What an entry is, in the middle of a sentence, and what several are. */
  readonly entry: string;
  readonly entries: string;
  readonly description: string;
}

defineList({
  type: 'Subscriber',
  field: 'subscribers',
  kind: 'subscriber',
  permission: 'read:subscribers',
  service: subscribers,
  entry: 'a subscriber',
  entries: 'subscribers',
  description: 'A contact who asked for news.',
});

defineList({
  type: 'AccessRequest',
  field: 'accessRequests',
  kind: 'accessRequest',
  permission: 'read:access_requests',
  service: accessRequests,
  entry: 'an access request',
  entries: 'access requests',
  description: 'A contact who asked to be let in.',
});

function defineList({ type, field, kind, permission, service, entry, entries, description }: List): void {
  // One type for both: the two tables have the same columns.
  const model = type as 'Subscriber';
  const mutation = (verb: string, ending = '') => `${verb}${type}${ending}`;

  builder.prismaObject(model, {
    description,
    interfaces: [Node],
    select: { environmentId: true, id: true },
    permission,
    fields: (t) => ({
      id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'Its id.' }),
      email: t.exposeString('email', { nullable: true, description: 'The address, as it was typed.' }),
      firstName: t.exposeString('firstName', { nullable: true, description: 'First name.' }),
      lastName: t.exposeString('lastName', { nullable: true, description: 'Last name.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'Since when it is in the list.' }),
      termsVersion: t.exposeInt('termsVersion', {
        nullable: true,
        description: 'The version of the terms that the person accepted along with it, of who came by the page where there were any.',
      }),
      isConverted: t.boolean({
        nullable: true,
        description: 'Whether the person was made a user.',
        select: { userId: true },
        resolve: ({ userId }) => userId !== null,
      }),
      user: t.relation('user', { nullable: true, permission: 'read:users', description: 'The user that the person was made.' }),
    }),
  });

  registerNode(kind, {
    typeName: type,
    permission,
    tenant: 'environmentId',
    find: (prisma, query) => (prisma[kind] as typeof prisma.subscriber).findFirst(query),
  });

  builder.prismaObjectField('Environment', field, (t) =>
    t.relatedConnection(field as 'subscribers', {
      cursor: 'environmentId_id',
      totalCount: true,
      nullable: true,
      permission,
      description: `Its ${entries}, newest first.`,
      query: { orderBy: { id: 'desc' } },
    }),
  );

  const id = { required: true, description: `Which of the ${entries}.` } as const;
  const idField = `${kind}Id`;
  const idOf = (input: object) => (input as Record<string, string>)[idField]!;

  defineMutation({
    name: mutation('create'),
    description: `Adds ${entry}.`,
    bulk: { name: mutation('create', 's'), description: `Adds ${entries}.` },
    policy: { permission: service.create.permission },
    codes: { ...TEXT_CODES, INVALID_EMAIL: 'Not an email address.', EMAIL_TAKEN: 'The address is in the list already.' },
    input: (t) => ({
      environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
      email: t.string({ required: true, description: 'At most 254 characters.' }),
      firstName: t.string({ description: 'At most 200 characters.' }),
      lastName: t.string({ description: 'At most 200 characters.' }),
    }),
    run: (ctx, input) => service.create(ctx, input),
    payload: (t) => ({ [kind]: changed(t, model, 'The new entry.') }),
  });

  defineMutation({
    name: mutation('convert'),
    description: `Makes ${entry} a user, in one organization with its default roles. The entry stays, and points at the user. No mail is sent. It takes the permissions \`create:users\` and \`create:organization_users\` too.`,
    bulk: { name: mutation('convert', 's'), description: `Makes ${entries} users.` },
    policy: service.convert,
    codes: { ALREADY_CONVERTED: 'The person was made a user already.', EMAIL_TAKEN: 'A user has the address.' },
    input: (t) => ({
      [idField]: t.id(id),
      organizationId: t.id({ required: true, description: 'The organization to join, of the same environment.' }),
    }),
    run: (ctx, input) => service.convert(ctx, { id: idOf(input), organizationId: (input as { organizationId: string }).organizationId }),
    payload: (t) => ({
      user: changed(t, 'User', 'The new user.', ({ user }) => user),
      [kind]: changed(t, model, 'The entry.', ({ entry: converted }) => converted),
    }),
  });

  defineMutation({
    name: mutation('delete'),
    description: `Deletes ${entry}. The user that the person was made stays.`,
    bulk: { name: mutation('delete', 's'), description: `Deletes ${entries}.` },
    policy: { permission: service.remove.permission },
    previews: true,
    codes: {},
    input: (t) => ({ [idField]: t.id(id) }),
    run: (ctx, input) => service.remove(ctx, { id: idOf(input) }),
    payload: (t) => ({ deletedId: deletedId(t) }),
  });
}
