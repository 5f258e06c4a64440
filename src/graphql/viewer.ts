/** `viewer`: who the caller is, and the businesses it reaches. */

import type { MachineActor, TeamActor } from '../kernel/actor.ts';
import { UnauthenticatedError } from '../kernel/errors.ts';
import { builder } from './builder.ts';

export const ViewerKind = builder.enumType('ViewerKind', {
  description: 'What kind of caller a token speaks for.',
  values: {
    TEAM_MEMBER: { description: 'A person, with the roles it has on teams.' },
    MACHINE: { description: 'An application, with its scopes.' },
  },
});

const ViewerUser = builder.prismaObject('User', {
  variant: 'ViewerUser',
  description: 'The person who asks, as it is known to the account environment.',
  select: { id: true },
  open: 'everyone may know who they are themselves',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The user’s id; `sub` in tokens.' }),
    firstName: t.exposeString('firstName', { nullable: true, description: 'First name.' }),
    lastName: t.exposeString('lastName', { nullable: true, description: 'Last name.' }),
    email: t.string({
      nullable: true,
      description: 'The address the person signs in with.',
      select: { identities: { where: { type: 'email', isPrimary: true }, select: { value: true }, take: 1 } },
      resolve: ({ identities }) => identities[0]?.value ?? null,
    }),
  }),
});

const Viewer = builder.objectRef<TeamActor | MachineActor>('Viewer').implement({
  description: 'The caller.',
  open: 'everyone may know who they are themselves',
  fields: (t) => ({
    kind: t.field({
      type: ViewerKind,
      description: 'A person or an application.',
      resolve: ({ kind }) => (kind === 'team' ? 'TEAM_MEMBER' : 'MACHINE'),
    }),
    user: t.prismaField({
      type: ViewerUser,
      nullable: true,
      description: 'The person; null for a machine.',
      resolve: (query, viewer, _args, { services }) =>
        viewer.kind === 'team'
          ? services.database.prisma.user.findUnique({
              ...query,
              where: { environmentId_id: { environmentId: viewer.accountEnvironmentId, id: viewer.userId } },
            })
          : null,
    }),
    application: t.prismaField({
      type: 'Application',
      nullable: true,
      description: 'The application; null for a person.',
      resolve: (query, viewer, _args, { services }) =>
        viewer.kind === 'machine'
          ? services.database.prisma.application.findUnique({
              ...query,
              where: { environmentId_id: { environmentId: viewer.environmentId, id: viewer.applicationId } },
            })
          : null,
    }),
    scopes: t.stringList({
      description: 'The permissions of a machine token, sorted; empty for a person, whose permissions differ from business to business.',
      resolve: (viewer) => (viewer.kind === 'machine' ? [...viewer.permissions].sort() : []),
    }),
    businesses: t.prismaConnection({
      type: 'Business',
      cursor: 'id',
      description: 'The businesses the caller belongs to, oldest first.',
      totalCount: (viewer, _args, { services }) => services.database.prisma.business.count({ where: { id: { in: businessIds(viewer) } } }),
      resolve: (query, viewer, _args, { services }) =>
        services.database.prisma.business.findMany({
          ...query,
          where: { id: { in: businessIds(viewer) } },
          orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
        }),
    }),
  }),
});

function businessIds(viewer: TeamActor | MachineActor): string[] {
  return viewer.kind === 'team' ? [...viewer.businesses.keys()] : [viewer.businessId];
}

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    nullable: true,
    description: 'Who the caller is.',
    open: 'everyone may know who they are themselves',
    resolve: (_root, _args, { services: { actor } }) => {
      if (actor.kind !== 'team' && actor.kind !== 'machine') throw new UnauthenticatedError();
      return actor;
    },
  }),
);
