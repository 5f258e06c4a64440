/** Businesses in the graph. */
import { businessesWith, environmentsWith, permissionsOver } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { PLANS, type Plan } from '../plans.ts';
import { createBusiness, type REGIONS } from './service.ts';

export const Region = builder.enumType('Region', {
  description: 'Where a business’s data lives; fixed when it is made.',
  values: {
    AU: { value: 'au', description: 'Sydney' },
    US: { value: 'us', description: 'Oregon' },
    CA: { value: 'ca', description: 'Quebec' },
    IE: { value: 'ie', description: 'Dublin' },
    UK: { value: 'uk', description: 'London' },
  },
});

export const PlanEnum = builder.enumType('Plan', {
  description: 'A business’s plan, which sets its limits.',
  values: Object.fromEntries(PLANS.map((plan) => [plan.toUpperCase(), { value: plan, description: `The ${plan} plan.` }])) as Record<
    string,
    { value: Plan; description: string }
  >,
});

export const Business = builder.prismaObject('Business', {
  description: 'A customer of this installation, with its environments and its team.',
  interfaces: [Node],
  select: { id: true },
  permission: 'read:businesses',
  tenant: ({ id }: { id: string }) => ({ businessId: id }),
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The business’s id.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    region: t.field({
      type: Region,
      nullable: true,
      description: 'Where its data lives.',
      select: { region: true },
      resolve: ({ region }) => region as (typeof REGIONS)[number],
    }),
    plan: t.field({
      type: PlanEnum,
      nullable: true,
      permission: 'read:billing',
      description: 'Its plan.',
      select: { plan: true },
      resolve: ({ plan }) => plan as Plan,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    viewerPermissions: t.stringList({
      open: 'everyone may know what they may do themselves',
      description: 'The permissions that the caller holds over the business, sorted.',
      resolve: ({ id }, _args, { services }) => permissionsOver(services.actor, { businessId: id }),
    }),
    environments: t.relatedConnection('environments', {
      cursor: 'id',
      totalCount: true,
      nullable: true,
      permission: 'read:environments',
      description: 'Its environments, oldest first.',
      query: (_args, { services }) => ({
        where: { id: { in: environmentsWith(services.actor, 'read:environments') } },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    }),
    teamMembers: t.relatedConnection('teamMembers', {
      cursor: 'businessId_id',
      totalCount: true,
      nullable: true,
      permission: 'read:team_members',
      description: 'Its team, oldest first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
    }),
    teamInvitations: t.relatedConnection('invitations', {
      cursor: 'businessId_id',
      totalCount: true,
      nullable: true,
      permission: 'read:team_members',
      description: 'Invitations to its team, oldest first.',
      query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
    }),
  }),
});

registerNode('business', {
  typeName: 'Business',
  permission: 'read:businesses',
  tenant: { self: 'business' },
  find: (prisma, query) => prisma.business.findFirst(query),
});

builder.queryFields((t) => ({
  businesses: t.prismaConnection({
    type: 'Business',
    cursor: 'id',
    nullable: true,
    permission: 'read:businesses',
    description: 'The businesses that the caller may read, oldest first.',
    totalCount: (_root, _args, { services }) =>
      services.database.prisma.business.count({ where: { id: { in: businessesWith(services.actor, 'read:businesses') } } }),
    resolve: (query, _root, _args, { services }) =>
      services.database.prisma.business.findMany({
        ...query,
        where: { id: { in: businessesWith(services.actor, 'read:businesses') } },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
  }),
  business: t.prismaField({
    type: 'Business',
    nullable: true,
    permission: 'read:businesses',
    description: 'One business, or null where there is none within the caller’s reach.',
    args: { id: t.arg.id({ description: 'Absent: the machine token’s own.' }) },
    resolve: (query, _root, { id }, { services }) => {
      const reachable = businessesWith(services.actor, 'read:businesses');
      const wanted = id ?? (services.actor.kind === 'machine' ? services.actor.businessId : '');
      return services.database.prisma.business.findFirst({ ...query, where: { AND: [{ id: wanted }, { id: { in: reachable } }] } });
    },
  }),
}));

defineMutation({
  name: 'createBusiness',
  description: 'Makes a business with its production environment. The signed-in person becomes its Owner.',
  policy: { open: 'every signed-in person of the account environment may make one' },
  changesGrants: true,
  makesOwner: true,
  codes: { ...TEXT_CODES, INVALID_DOMAIN: 'Not usable as a domain.', DOMAIN_TAKEN: 'The domain is in use.' },
  input: (t) => ({
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    region: t.field({ type: Region, required: true, description: 'Cannot be changed later.' }),
    plan: t.field({ type: PlanEnum, description: 'Absent: FREE.' }),
    domain: t.string({ description: 'Names the production issuer. Absent: made from the name.' }),
  }),
  run: (ctx, input) => createBusiness(ctx, { ...input, region: input.region as (typeof REGIONS)[number], plan: input.plan as Plan | null }),
  payload: (t) => ({
    business: changed(t, 'Business', 'The new business.'),
  }),
});
