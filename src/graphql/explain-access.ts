/** `explainAccess`: what a caller may use of an operation, field by field, before anything of it runs. */
import { setImmediate } from 'node:timers/promises';
import type { GraphQLSchema } from 'graphql';
import { businessesWith, environmentsWith, refusal } from '../access/authorize.ts';
import { PERMISSIONS_OF_ROLE, TEAM_ROLES, type TeamRole } from '../access/team-roles.ts';
import { clientWithin } from '../features/applications/service.ts';
import { actingAs, type Context } from '../features/context.ts';
import { actorWithRoles, memberActor } from '../features/team/actor.ts';
import { TeamRoleEnum } from '../features/team/graphql.ts';
import type { Actor } from '../kernel/actor.ts';
import { NotFoundError, UnauthenticatedError } from '../kernel/errors.ts';
import { kindOf } from '../kernel/ids.ts';
import { type OperationText, readOperation } from './access-operation.ts';
import { type Place, placeOf } from './access-places.ts';
import { type Judgement, judgeOperation } from './access-walk.ts';
import { machineActor } from './actor.ts';
import { builder } from './builder.ts';
import { measure } from './cost.ts';
import { ViewerKind } from './viewer.ts';

/** Whom to explain for, instead of the caller: one of them. */
interface Subject {
  readonly teamMemberId?: string | null | undefined;
  readonly teamRoles?: readonly TeamRole[] | null | undefined;
  readonly applicationId?: string | null | undefined;
}

interface Explanation {
  readonly actor: Actor;
  readonly judgements: readonly Judgement[];
  /** Undefined while the variables do not fit the operation. */
  readonly cost: number | undefined;
}

/**
 * Explains an operation to the caller, for itself or for a subject.
 * @throws UnauthenticatedError for a caller who is nobody
 * @throws ForbiddenError for a subject, when the caller may not change any team
 * @throws NotFoundError for a subject or a tenant that is not within reach
 * @throws GraphQLError as {@link readOperation} and {@link judgeOperation} do
 */
async function explain(
  ctx: Context,
  schema: GraphQLSchema,
  { as, tenantId, ...text }: OperationText & { as?: Subject | null | undefined; tenantId?: string | null | undefined },
): Promise<Explanation> {
  if (ctx.actor.kind !== 'team' && ctx.actor.kind !== 'machine') throw new UnauthenticatedError();
  await setImmediate(); // A request may ask for several: others have their turn between them.
  const actor = as ? await actorOfSubject(ctx, as) : ctx.actor;
  const within = tenantId ? tenantWithin(actor, tenantId) : undefined;
  const operation = readOperation(schema, text, !ctx.config.production);
  const judgements = await judgeOperation(actingAs(ctx, actor), operation, within);
  return { actor, judgements, cost: measure(operation, (text.variables ?? {}) as object, actor)?.cost };
}

/** The subject, searched in the businesses whose team the caller may change, and confined to them. */
async function actorOfSubject(ctx: Context, { teamMemberId, teamRoles, applicationId }: Subject): Promise<Actor> {
  const permission = 'update:team_members';
  const { actor } = ctx;
  const businessIds = businessesWith(actor, permission);
  if (actor.kind !== 'team' || businessIds.length === 0) throw refusal(actor, permission);
  if (teamRoles) return actorWithRoles(actor, businessIds, teamRoles);
  if (teamMemberId) return memberActor(ctx, businessIds, teamMemberId);
  const found = await clientWithin(ctx, environmentsWith(actor, permission), applicationId!);
  if (!found) throw new NotFoundError('application', ['as', 'applicationId']);
  return machineActor(found.client, { environmentId: found.environmentId, businessId: actor.environments.get(found.environmentId)! });
}

function tenantWithin(actor: Actor, id: string): Place {
  const kind = kindOf(id);
  const place =
    kind === 'business' ? placeOf(actor, { businessId: id }) : kind === 'environment' ? placeOf(actor, { environmentId: id }) : undefined;
  if (!place) throw new NotFoundError('business or environment', ['tenantId']);
  return place;
}

const AccessRefusal = builder.enumType('AccessRefusal', {
  description: 'Why a field could not be used.',
  values: {
    FORBIDDEN: { description: 'The permission is not held there.' },
    NOT_FOUND: { description: 'The operation names nothing within reach: what is elsewhere and what is not there are the same.' },
    UNAUTHENTICATED: { description: 'It is for people only.' },
  },
});

const AccessGrant = builder.objectRef<Judgement>('AccessGrant').implement({
  description: 'What a permission is held by.',
  open: 'says only what the caller may know of itself, or of a team that it may change',
  fields: (t) => ({
    teamRoles: t.field({
      type: [TeamRoleEnum],
      description: 'The roles held that grant it; empty for a machine.',
      resolve: ({ actor, place, permission }) => {
        const roles = actor.kind === 'team' ? (actor.businesses.get(place.businessId!)?.roles ?? []) : [];
        return rolesWith(permission!).filter((role) => roles.includes(role));
      },
    }),
    scope: t.string({
      nullable: true,
      description: 'The scope of a machine; null for a person.',
      resolve: ({ actor, permission }) => (actor.kind === 'machine' ? permission! : null),
    }),
  }),
});

const AccessCoordinate = builder.objectRef<Judgement>('AccessCoordinate').implement({
  description: 'A field of the operation, judged in one place. Whether the fields above it may be used is said by theirs.',
  open: 'says only what the caller may know of itself, or of a team that it may change',
  fields: (t) => ({
    coordinate: t.exposeString('coordinate', { description: 'The field in the schema, as `User.email`.' }),
    path: t.exposeStringList('path', { description: 'Where it is in the answer, by names and aliases, without the positions in lists.' }),
    permission: t.string({
      nullable: true,
      description: 'What it takes; null when it is open.',
      resolve: ({ permission }) => permission ?? null,
    }),
    openBecause: t.string({ nullable: true, description: 'Why it takes no permission.', resolve: ({ open }) => open ?? null }),
    isAllowed: t.boolean({ description: 'Whether it may be used.', resolve: ({ refusal }) => !refusal }),
    refusal: t.field({
      type: AccessRefusal,
      nullable: true,
      description: 'What it would meet instead; null when it may be used.',
      resolve: ({ refusal }) => refusal ?? null,
    }),
    businessId: t.id({
      nullable: true,
      description: 'The business it was judged in; null for an open field that is read in several, or when nothing is within reach.',
      resolve: ({ place }) => idOrNull(place.businessId),
    }),
    environmentId: t.id({
      nullable: true,
      description: 'The environment it was judged in; null when it is of the business, or of several of its environments.',
      resolve: ({ place: { environmentIds } }) => (environmentIds?.length === 1 ? idOrNull(environmentIds[0]) : null),
    }),
    grantedBy: t.field({
      type: AccessGrant,
      nullable: true,
      description: 'What grants the permission; null when nothing does, and for open fields.',
      resolve: (judgement) => (judgement.permission && !judgement.refusal ? judgement : null),
    }),
    grantableBy: t.field({
      type: [TeamRoleEnum],
      description: 'The team roles that grant the permission that is missing; empty for what may be used.',
      resolve: ({ permission, refusal }) => (permission && refusal ? rolesWith(permission) : []),
    }),
  }),
});

function rolesWith(permission: NonNullable<Judgement['permission']>): TeamRole[] {
  return TEAM_ROLES.filter((role) => PERMISSIONS_OF_ROLE[role].has(permission));
}

/** What is yet to be made has no id. */
function idOrNull(id: string | undefined): string | null {
  return id && kindOf(id) ? id : null;
}

const AccessExplanation = builder.objectRef<Explanation>('AccessExplanation').implement({
  description: 'What may be used of an operation. Nothing of it was run.',
  open: 'says only what the caller may know of itself, or of a team that it may change',
  fields: (t) => ({
    kind: t.field({
      type: ViewerKind,
      description: 'Whether it was explained for a person or for an application.',
      resolve: ({ actor }) => (actor.kind === 'machine' ? 'MACHINE' : 'TEAM_MEMBER'),
    }),
    isAllowed: t.boolean({
      description: 'Whether all of it may be used.',
      resolve: ({ judgements }) => judgements.every(({ refusal }) => !refusal),
    }),
    cost: t.int({
      nullable: true,
      description: 'What it would cost with these variables, in cost units; null while they do not fit it.',
      resolve: ({ cost }) => cost ?? null,
    }),
    coordinates: t.field({
      type: [AccessCoordinate],
      description:
        'Every field of the operation, in its order, once for each business that it is judged in and for each permission that its arguments take besides its own.',
      resolve: ({ judgements }) => [...judgements],
    }),
  }),
});

const ExplainAccessAs = builder.inputType('ExplainAccessAs', {
  description: 'Whom to explain an operation for, instead of the caller. Takes `update:team_members` in the business.',
  isOneOf: true,
  fields: (t) => ({
    teamMemberId: t.id({ description: 'A member of a team, with what it may do in that business.' }),
    teamRoles: t.field({
      type: [TeamRoleEnum],
      description: 'Somebody with these roles, in each business whose team the caller may change.',
    }),
    applicationId: t.id({ description: 'An application, with every scope of the management API that it is authorised for.' }),
  }),
});

builder.queryField('explainAccess', (t) =>
  t.field({
    type: AccessExplanation,
    nullable: true,
    description:
      'Says of each field of an operation whether it may be used, and by which permission. Nothing of it is run. A mutation for several things is judged by the first of them.',
    cost: 100,
    open: 'everyone may know what they may do themselves; explaining for somebody else is checked by the field itself',
    args: {
      document: t.arg.string({ required: true, description: 'A GraphQL document, held to the same limits as one that runs.' }),
      operationName: t.arg.string({ description: 'Which operation of the document, when it holds several.' }),
      variables: t.arg({
        type: 'JSON',
        description: 'An object of values by name. Where the id of a tenant has none, the operation is judged in every business.',
      }),
      as: t.arg({ type: ExplainAccessAs, description: 'Absent: the caller itself.' }),
      tenantId: t.arg.id({ description: 'A business or an environment to judge in, where the operation itself does not name one.' }),
    },
    resolve: (_root, args, { services }, { schema }) => explain(services, schema, { ...args, as: args.as as Subject | null | undefined }),
  }),
);
