/** Businesses in the graph. */
import { businessesWith, environmentsWith, permissionsOver } from '../../access/authorize.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { PLANS, type Plan } from '../plans.ts';
import { createBusiness, deleteBusiness, enterPerkCode, INDUSTRIES, type REGIONS, timezones, updateBusiness } from './service.ts';

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
    email: t.exposeString('email', { nullable: true, description: 'The address that people reach it at.' }),
    phone: t.exposeString('phone', { nullable: true, description: 'Its phone number, with the country code.' }),
    industry: t.exposeString('industry', { nullable: true, description: 'What it does: a key of `industries`.' }),
    timezone: t.exposeString('timezone', {
      nullable: true,
      description: 'The time zone that its dashboards show times in: a key of `timezones`.',
    }),
    termsUrl: t.exposeString('termsUrl', { nullable: true, description: 'The page of its terms, for its users.' }),
    privacyUrl: t.exposeString('privacyUrl', { nullable: true, description: 'The page of its privacy policy, for its users.' }),
    isTermsAcceptanceExplicit: t.exposeBoolean('isTermsAcceptanceExplicit', {
      nullable: true,
      description: 'Whether users say that they accept the terms, or do so by signing up.',
    }),
    perkCode: t.exposeString('perkCode', {
      nullable: true,
      permission: 'read:billing',
      description: 'The partner’s code that was entered. It counts once it is claimed: write to support.',
    }),
    perkCodeEnteredAt: t.expose('perkCodeEnteredAt', {
      type: 'DateTime',
      nullable: true,
      permission: 'read:billing',
      description: 'When the code was entered.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
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

/** One of a list of words that is the same for everybody. */
interface Choice {
  readonly key: string;
  readonly name: string;
}

const choiceType = (name: string, description: string) =>
  builder.objectRef<Choice>(name).implement({
    description,
    open: 'the list is the same for everybody',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'What a business is given.' }),
      name: t.exposeString('name', { description: 'What people are shown.' }),
    }),
  });
const Industry = choiceType('Industry', 'What a business may say that it does.');
const Timezone = choiceType('Timezone', 'A time zone of the IANA database.');

builder.queryFields((t) => ({
  industries: t.field({
    type: [Industry],
    nullable: true,
    permission: 'read:industries',
    description: 'What a business may say that it does, by name.',
    resolve: () => Object.entries(INDUSTRIES).map(([key, name]) => ({ key, name })),
  }),
  timezones: t.field({
    type: [Timezone],
    nullable: true,
    permission: 'read:timezones',
    description: 'The time zones that a business may be in, by name.',
    resolve: () => timezones().map((key) => ({ key, name: key.replaceAll('_', ' ') })),
  }),
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

const UNCHANGED_OR_NONE = 'Absent: unchanged; null: none.';

defineMutation({
  name: 'updateBusiness',
  description: 'Changes a business’s details. Its region and the domains of its environments cannot be changed.',
  policy: { permission: updateBusiness.permission },
  versioned: true,
  codes: {
    ...TEXT_CODES,
    ...PLAN_CODES,
    INVALID_EMAIL: 'Not an email address.',
    INVALID_PHONE: 'Not a phone number with its country code.',
    INVALID_INDUSTRY: 'Not a key of `industries`.',
    INVALID_TIMEZONE: 'Not a key of `timezones`.',
    INVALID_URL: 'Not an https URL.',
  },
  input: (t) => ({
    businessId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ description: 'At most 200 characters. Absent: unchanged.' }),
    email: t.string({ description: `At most 254 characters. ${UNCHANGED_OR_NONE}` }),
    phone: t.string({ description: `With its country code. ${UNCHANGED_OR_NONE}` }),
    industry: t.string({ description: `A key of \`industries\`. ${UNCHANGED_OR_NONE}` }),
    timezone: t.string({ description: `A key of \`timezones\`. ${UNCHANGED_OR_NONE}` }),
    termsUrl: t.string({ description: `An https URL of at most 2000 characters. ${UNCHANGED_OR_NONE}` }),
    privacyUrl: t.string({ description: `An https URL of at most 2000 characters. ${UNCHANGED_OR_NONE}` }),
    isTermsAcceptanceExplicit: t.boolean({ description: 'True on paid plans only. Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateBusiness(ctx, input),
  payload: (t) => ({ business: changed(t, 'Business', 'The business.') }),
});

defineMutation({
  name: 'enterPerkCode',
  description: 'Notes a partner’s code on a business, in the place of one before it. It counts once it is claimed: write to support.',
  policy: { permission: enterPerkCode.permission },
  codes: TEXT_CODES,
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    code: t.string({ required: true, description: 'At most 100 characters.' }),
  }),
  run: (ctx, input) => enterPerkCode(ctx, input),
  payload: (t) => ({ business: changed(t, 'Business', 'The business.') }),
});

defineMutation({
  name: 'deleteBusiness',
  description:
    'Deletes a business on the free plan, for ever: its team, its environments, and everybody and everything in them. Who is signed in anywhere is so no more, and no token works. Its domains stay reserved: only the platform’s operator can free them.',
  policy: { permission: deleteBusiness.permission },
  previews: true,
  takesLong: true,
  changesGrants: true,
  codes: {
    NOT_FREE: 'It is on a paid plan.',
    PLATFORM: 'It is the platform itself.',
    WRONG_CONFIRMATION: 'Not the business’s name.',
  },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    confirmation: t.string({ description: 'The business’s name, typed by whoever deletes it. May be absent with `dryRun`.' }),
  }),
  run: (ctx, input) => deleteBusiness(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
