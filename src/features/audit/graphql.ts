/** The audit log in the graph: who did what, of a business, of an environment, or of a user. */
import type { InputShapeFromFields } from '@pothos/core';
import { builder } from '../../graphql/builder.ts';
import type { GraphContext } from '../../graphql/context.ts';
import { gathered } from '../../graphql/gathered.ts';
import { DateTimeRange, defineOrder } from '../../graphql/lists.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { Application } from '../applications/graphql.ts';
import { Environment } from '../environments/graphql.ts';
import { TeamMember } from '../team/graphql.ts';
import { User } from '../users/graphql.ts';
import { applicationsBehind, memberKey, membersBehind, usersBehind } from './actors.ts';
import { type AuditPlace, auditEventCountOfEach, auditEventsOfEach, auditEventsWhere, auditEventsWithinReach } from './finding.ts';

const KINDS = {
  TEAM: { value: 'team', description: 'A member of the business’s team.' },
  MACHINE: { value: 'machine', description: 'An application, with a token of its own.' },
  USER: { value: 'user', description: 'A user of the environment, on the hosted pages.' },
  SYSTEM: { value: 'system', description: 'The server itself, or its operator at the command line.' },
  ANONYMOUS: { value: 'anonymous', description: 'Somebody who was not known.' },
} as const;

const AuditActorKind = builder.enumType('AuditActorKind', { description: 'What kind of caller did something.', values: KINDS });

interface Acting {
  readonly businessId: string;
  readonly actorKind: string;
  readonly actorId: string;
}

const REACHED = 'it was reached through a gated field';
const ofBusiness = ({ businessId }: { businessId: string }) => ({ businessId });

const memberBehind = gathered(membersBehind);
const applicationBehind = gathered(applicationsBehind);
const userBehind = gathered(usersBehind);

const AuditActor = builder.objectRef<Acting>('AuditActor').implement({
  description: 'Who did something. What has been deleted since is null, and the id still tells it from others.',
  open: REACHED,
  tenant: ofBusiness,
  fields: (t) => ({
    kind: t.field({ type: AuditActorKind, description: 'What kind of caller.', resolve: ({ actorKind }) => actorKind as 'team' }),
    id: t.exposeID('actorId', { description: 'The id of the user or the application; for the server, what of it.' }),
    teamMember: t.field({
      type: TeamMember,
      nullable: true,
      permission: 'read:team_members',
      description: 'The member of the team, while still on it.',
      resolve: async ({ businessId, actorKind, actorId }, _args, context) =>
        actorKind === 'team' ? ((await memberBehind(context, memberKey({ businessId, userId: actorId }))) as never) : null,
    }),
    application: t.field({
      type: Application,
      nullable: true,
      permission: 'read:applications',
      description: 'The application.',
      resolve: async ({ actorKind, actorId }, _args, context) =>
        actorKind === 'machine' ? ((await applicationBehind(context, actorId)) as never) : null,
    }),
    user: t.field({
      type: User,
      nullable: true,
      permission: 'read:users',
      description: 'The user of the environment.',
      resolve: async ({ actorKind, actorId }, _args, context) =>
        actorKind === 'user' ? ((await userBehind(context, actorId)) as never) : null,
    }),
  }),
});

const AuditTarget = builder.objectRef<{ type: string; id: string }>('AuditTarget').implement({
  description: 'What something was done to.',
  open: REACHED,
  fields: (t) => ({
    type: t.exposeString('type', { description: 'What it is, as `user` or `api_key`.' }),
    id: t.exposeID('id', { description: 'Its id. Much of what has one is found by `node`, while it is there.' }),
  }),
});

const AuditEvent = builder.prismaObject('AuditEvent', {
  description: 'An entry of the audit log, written in the transaction that did what it tells. It is never changed.',
  interfaces: [Node],
  select: { businessId: true, id: true },
  permission: 'read:audit_log',
  tenant: ofBusiness,
  fields: (t) => ({
    id: t.exposeID('id', { open: REACHED, description: 'The entry’s id.' }),
    at: t.expose('at', { type: 'DateTime', nullable: true, description: 'When it was done.' }),
    action: t.exposeString('action', { nullable: true, description: 'What was done, as `user.created`.' }),
    actor: t.field({
      type: AuditActor,
      nullable: true,
      description: 'Who did it.',
      select: { actorKind: true, actorId: true },
      resolve: (event) => event,
    }),
    target: t.field({
      type: AuditTarget,
      nullable: true,
      description: 'What it was done to.',
      select: { targetType: true, targetId: true },
      resolve: ({ targetType, targetId }) => (targetType && targetId ? { type: targetType, id: targetId } : null),
    }),
    details: t.expose('details', {
      type: 'JSON',
      nullable: true,
      description: 'What else there is to say, by name: which fields were changed, how many rows. Neither secrets nor contacts.',
    }),
    ip: t.exposeString('ip', {
      nullable: true,
      permission: 'read:user_sessions',
      description: 'The address that it was done from; null for what the server did.',
    }),
    requestId: t.exposeString('requestId', { nullable: true, description: 'The request that did it, as its answer and the log call it.' }),
    environmentId: t.exposeID('environmentId', {
      nullable: true,
      description: 'The environment that it was done in, which may have been deleted; null for what concerns the business as a whole.',
    }),
    environment: t.field({
      type: Environment,
      nullable: true,
      permission: 'read:environments',
      description: 'That environment, while it is there.',
      select: { environmentId: true },
      resolve: ({ businessId, environmentId }, _args, { services: { actor } }) => {
        const isThere = actor.kind === 'team' ? actor.environments.has(environmentId ?? '') : environmentId !== null;
        return isThere ? ({ businessId, id: environmentId } as never) : null;
      },
    }),
  }),
});

registerNode('auditEvent', {
  typeName: 'AuditEvent',
  permission: 'read:audit_log',
  tenant: 'businessId',
  find: (prisma, query) => prisma.auditEvent.findFirst(query),
  besides: auditEventsWithinReach,
});

const AuditEventFilter = builder.inputType('AuditEventFilter', {
  description: 'What entries of the audit log have in common: all that is given holds of each.',
  fields: (t) => ({
    at: t.field({ type: DateTimeRange, description: 'When it was done.' }),
    action: t.string({ description: 'What was done, whole, as `user.created`.' }),
    actorId: t.id({ description: 'Who did it.' }),
    targetId: t.id({ description: 'What it was done to.' }),
  }),
});

const AuditEventOrder = defineOrder(
  'AuditEventOrder',
  { field: 'at', direction: 'desc' },
  { AT: { value: 'at', description: 'When it was done.' } },
);

const LIST = {
  type: AuditEvent,
  cursor: 'businessId_id',
  nullable: true,
  permission: 'read:audit_log',
  args: builder.args((t) => ({
    filter: t.field({ type: AuditEventFilter, description: 'Which of them.' }),
    orderBy: t.field({ type: AuditEventOrder.input, description: 'In which order.' }),
  })),
} as const;

type ListArgs = InputShapeFromFields<typeof LIST.args>;

// No key leads from a user or a business to its events: Prisma's plugin asks for each row of a page by itself.
const eventCount = gathered(auditEventCountOfEach);
const eventPage = gathered(auditEventsOfEach);

/** The number of events of a place. */
const count = async (place: AuditPlace, { filter }: ListArgs, context: GraphContext) =>
  (await eventCount(context, { where: auditEventsWhere(context.services, place, filter) }))!;

/** A page of the events of a place. */
const find = async (query: object, place: AuditPlace, { filter, orderBy }: ListArgs, context: GraphContext) =>
  (await eventPage(context, {
    ...query,
    where: auditEventsWhere(context.services, place, filter),
    orderBy: AuditEventOrder.by(orderBy),
  }))!;

const KEPT = 'newest first unless sorted otherwise, as far back as the plan keeps it';

interface PlannedBusiness {
  readonly id: string;
  readonly plan: string;
}
interface EnvironmentOfPlanned {
  readonly id: string;
  readonly business: PlannedBusiness;
}

// What a connection selects of its parent is not in the parent's type.
const ofBusinessRow = (row: object): AuditPlace => {
  const { id, plan } = row as PlannedBusiness;
  return { businessId: id, plan };
};
const ofEnvironmentRow = (row: object): AuditPlace => {
  const { id, business } = row as EnvironmentOfPlanned;
  return { ...ofBusinessRow(business), environmentId: id };
};
const ofUserRow = (row: object): AuditPlace => {
  const { id, environment } = row as { readonly id: string; readonly environment: EnvironmentOfPlanned };
  return { ...ofEnvironmentRow(environment), userId: id };
};

const WITH_PLAN = { select: { id: true, plan: true } };

builder.prismaObjectField('Business', 'auditEvents', (t) =>
  t.prismaConnection({
    ...LIST,
    description: `The audit log of the business and of all its environments, ${KEPT}. A machine reads what concerns its environment.`,
    select: WITH_PLAN.select as never,
    totalCount: (business, args, context) => count(ofBusinessRow(business), args, context),
    resolve: (query, business, args, context) => find(query, ofBusinessRow(business), args, context),
  }),
);

builder.prismaObjectField('Environment', 'auditEvents', (t) =>
  t.prismaConnection({
    ...LIST,
    description: `The audit log of the environment, ${KEPT}.`,
    select: { business: WITH_PLAN } as never,
    totalCount: (environment, args, context) => count(ofEnvironmentRow(environment), args, context),
    resolve: (query, environment, args, context) => find(query, ofEnvironmentRow(environment), args, context),
  }),
);

builder.prismaObjectField('User', 'activity', (t) =>
  t.prismaConnection({
    ...LIST,
    description: `What the person did in the environment, and what was done to the person: entries of the audit log, ${KEPT}.`,
    select: { environment: { select: { id: true, business: WITH_PLAN } } } as never,
    totalCount: (user, args, context) => count(ofUserRow(user), args, context),
    resolve: (query, user, args, context) => find(query, ofUserRow(user), args, context),
  }),
);
